"""Connecting a phone or program: what somebody has, an app password for it, what to do there, and whether it has signed in."""

from __future__ import annotations

import base64
import json
import time
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask import abort, redirect, request, session, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from webmail import vault
from webmail.auth.blueprint import blueprint
from webmail.auth.devices import app_passwords, failures, handover
from webmail.auth.devices.app_password_forms import ConnectForm
from webmail.auth.devices.device_links import davx5_link, thunderbird_code
from webmail.auth.devices.failures import DeviceFailure
from webmail.auth.devices.instructions import (
    WORDS,
    Wanted,
    downloaded_words,
    signed_in_words,
    steps,
    use_words,
    wrong_password_words,
)
from webmail.auth.devices.kinds import DeviceKind, kind_of
from webmail.auth.devices.servers import mail_servers, user_name
from webmail.auth.guard import asks_again
from webmail.auth.sessions.cookies import visit
from webmail.auth.views.devices.dav import dav_link
from webmail.auth.views.devices.devices_page import issue_app_password, server_lines, too_many_words
from webmail.errors import LimitReachedError
from webmail.models import AppPassword, now
from webmail.web.current import current_user, settings
from webmail.web.formatting import clock_time, local
from webmail.web.public_links import public_link
from webmail.web.rendering import fragment, page
from webmail.web.responses.qr_code import qr_code

_HELD = "connecting"  # in the session: the app password that was just made, sealed, while its device is being set up
_TOLD = timedelta(minutes=10)  # how long a wrong password is told of
_WAITS = (*[3] * 4, *[5] * 6, *[10] * 12, *[20] * 15, *[30] * 5)  # seconds between looks: some ten minutes in all


class Held(NamedTuple):
    """An app password that is still shown: its letters, until when, and the key of the profile's address, if there is one."""

    letters: str
    until: datetime
    key: str


@blueprint.get("/devices/connect")
def choose_device() -> Response:
    return page("auth/connect.html", device_kinds=WORDS)


@blueprint.get("/devices/connect/<kind>")
def show_connect(kind: str) -> Response:
    """The form; where the mail server keeps the passwords, the steps at once."""
    chosen = _chosen(kind)
    if not app_passwords.are_available(settings()):
        return _steps_page(chosen, None, None)
    return _form_page(chosen, ConnectForm(dav=_dav_for(chosen), formdata=None, name=str(WORDS[chosen].name)))


@blueprint.post("/devices/connect/<kind>")
@asks_again
def connect_device(kind: str) -> Response:
    """Make the app password; the next page shows it, and how it gets into the device."""
    chosen = _chosen(kind)
    form = ConnectForm(dav=_dav_for(chosen))
    if not app_passwords.are_available(settings()):
        abort(403)
    if not form.validate():
        return _form_page(chosen, form, 422)
    try:
        letters, row = issue_app_password(form.name.data or "", form.uses, kind=chosen)
    except LimitReachedError:
        return _form_page(chosen, form, 422, problem=too_many_words())
    _remember_secret(row, letters)
    return redirect(url_for("auth.show_connected", number=row.id), 303)


@blueprint.get("/devices/connected/<int:number>")
def show_connected(number: int) -> Response:
    """What to do on the device, and whether it has signed in. HTMX asks for the latter alone, ever more rarely."""
    row = _mine(number)
    if row is None:
        return fragment("auth/_watch_gone.html", 404) if request.headers.get("HX-Target") == "watch" else abort(404)
    return _only_look(row) or _steps_page(kind_of(row.kind), row, _held(row))


@blueprint.post("/devices/connected/<int:number>")
def change_connected(number: int) -> Response:
    """`action`: again, for a new address of the profile; done, to show the password no more."""
    row = _mine(number)
    if row is None:
        abort(404)
    held = _held(row)
    if request.form.get("action") == "again" and held is not None:
        _remember_secret(row, held.letters)
    elif request.form.get("action") == "done":
        if held is not None:  # else what is held is of another device
            session.pop(_HELD)
        handover.withdraw(row)
        return redirect(url_for("auth.show_devices", _anchor="app-passwords"), 303)
    return redirect(url_for("auth.show_connected", number=row.id), 303)


def _chosen(word: str) -> DeviceKind:
    return DeviceKind(word) if word in set(DeviceKind) else abort(404)


def _dav_for(kind: DeviceKind) -> bool:
    return kind.takes_dav and bool(dav_link())


def _mine(number: int) -> AppPassword | None:
    if not 0 < number < 2**63:
        return None
    found: AppPassword | None = AppPassword.get_or_none(AppPassword.id == number, AppPassword.user == current_user())
    return found


# --- the password, while it is shown ---------------------------------------------------------------------------------


def _remember_secret(row: AppPassword, characters: str) -> None:
    """Keep it in the session, sealed, so that the page can be loaded again while the device is set up; and make the address of
    the profile, where the device takes one.
    """
    key = handover.offer(row, characters, settings()) if kind_of(row.kind).takes_profile and _profile_is_whole(row) else ""
    until = int(time.time() + handover.VALID.total_seconds())
    sealed = vault.seal_for_session(json.dumps([characters, key]), visit().token, settings().secret_key, current_user().id)
    session[_HELD] = [row.id, until, visit().network, base64.b64encode(sealed).decode()]


def _held(row: AppPassword) -> Held | None:
    """None where it was made elsewhere, or its time is over: who stole a cookie is on another network."""
    number, until, network, sealed = session.get(_HELD) or (0, 0, "", "")
    if number != row.id or until < time.time() or network != visit().network:
        return None
    try:
        text = vault.open_for_session(base64.b64decode(sealed), visit().token, settings().secret_key, current_user().id)
    except vault.CannotOpenError:  # a new session since
        return None
    letters, key = json.loads(text)
    return Held(letters, datetime.fromtimestamp(until).astimezone(), key)


def _profile_is_whole(row: AppPassword) -> bool:
    """Whether the profile can set up all that the password is for."""
    return not row.imap or len(mail_servers(settings())) == 2


# --- pages -----------------------------------------------------------------------------------------------------------


def _form_page(kind: DeviceKind, form: ConnectForm, status: int = 200, *, problem: str = "") -> Response:
    return page("auth/connect_kind.html", status, kind=kind, title=WORDS[kind].title, form=form, problem=problem)


def _steps_page(kind: DeviceKind, row: AppPassword | None, held: Held | None) -> Response:
    uses = set(app_passwords.uses_of(row) if row else app_passwords.USES)
    dav = dav_link(own_password=row is None) if kind.takes_dav and uses & {"caldav", "carddav"} else ""
    by_hand = row is None and kind.takes_profile and len(mail_servers(settings())) == 2  # the device asks for the password
    profile = by_hand or bool(held and held.key)
    wanted = Wanted(mail=bool(uses & {"imap", "smtp"}), dav=bool(dav), profile=profile)
    pictures = _pictures(kind, held, dav, wanted)
    name = user_name(current_user().address, settings())
    return page(
        "auth/connected.html",
        kind=kind,
        title=row.name if row else WORDS[kind].title,
        row=row,
        held=held,
        letters=app_passwords.groups(held.letters) if held else [],
        until=clock_time(local(held.until)) if held else "",
        steps=steps(kind, wanted._replace(picture="thunderbird" in pictures)),
        user_name=name,
        servers=server_lines(uses),
        wanted=wanted,
        dav=dav,
        pictures=pictures,
        watch=_watch(row) if row else None,
    )


def _pictures(kind: DeviceKind, held: Held | None, dav: str, wanted: Wanted) -> dict[str, Any]:
    """QR codes and links, by what they are for."""
    found: dict[str, Any] = {}
    address = current_user().address
    if kind is DeviceKind.IPHONE and wanted.profile:
        sign_in_there = public_link("auth.show_connect", kind=kind.value)
        if link := public_link("auth.show_profile", key=held.key) if held else sign_in_there:
            found["profile"] = qr_code(link)
    if kind is DeviceKind.ANDROID:
        if held and wanted.mail and (text := thunderbird_code(address, current_user().name, held.letters, settings())):
            found["thunderbird"] = qr_code(text)
        if dav:
            found["davx5_link"] = Markup(davx5_link(address, settings()))  # noqa: S704 - quoted, of letters of addresses alone
            found["davx5"] = qr_code(str(found["davx5_link"]))
    return found


def _watch(row: AppPassword) -> dict[str, Any]:
    """What is known of the device, and in how many seconds to look again: 0 for no more.

    `state`: "seen" (it has signed in), "wrong-..." (with another password, the last time then), "taken" (the profile was
    downloaded), "waiting", "over" (it is looked for no more) or "deaf" (nobody would tell).
    """
    tries = max(0, request.args.get("tries", 0, type=int))
    seen, taken = _seen(row), _taken(row)
    hears = bool(settings().doveadm_key) or bool(row.caldav or row.carddav)
    wait = _WAITS[tries] if hears and not seen and tries < len(_WAITS) else 0
    failure = failures.last(current_user().address, max(row.created, now() - _TOLD)) if hears and not seen else None
    state = "seen" if seen else "deaf" if not hears else "over" if not wait else "taken" if taken else "waiting"
    if failure is not None and wait:  # another state for each attempt, which is told anew
        state = f"wrong-{failure.at:%H%M%S}"
    wrong = _wrong(failure) if failure is not None else []
    return {"name": row.name, "seen": seen, "taken": taken, "wrong": wrong, "state": state, "wait": wait, "tries": tries}


def _wrong(failure: DeviceFailure) -> list[str]:
    """When a device tried a wrong password, what for and from where."""
    words = [wrong_password_words(failure.at), use_words(failure.protocol)]
    return [*words, *([_("from %(network)s", network=failure.network)] if failure.network else [])]


def _seen(row: AppPassword) -> list[str]:
    """When it signed in, what for and from where; empty where it has not."""
    if row.used is None:
        return []
    words = [signed_in_words(row.used), use_words(row.used_protocol)]
    return [*words, *([_("from %(network)s", network=row.used_network)] if row.used_network else [])]


def _taken(row: AppPassword) -> list[str]:
    """When the profile was downloaded, and from where; empty where it was not, or does not matter any more."""
    if row.profile_taken is None or row.used is not None:
        return []
    words = [downloaded_words(row.profile_taken)]
    return [*words, *([_("from %(network)s", network=row.profile_network)] if row.profile_network else [])]


def _only_look(row: AppPassword) -> Response | None:
    """The next look alone, where nothing is new: what is on the page is not read out again."""
    if request.headers.get("HX-Target") != "watch" or (watch := _watch(row))["state"] != request.args.get("state"):
        return None
    answer = fragment("auth/_look.html", row=row, watch=watch)
    answer.headers.update({"HX-Retarget": "#look", "HX-Reswap": "outerHTML"})
    return answer


@blueprint.app_template_global()
def connect_title() -> str:
    return _("Connect a phone or a program")
