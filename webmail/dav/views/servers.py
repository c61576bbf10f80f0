"""Pages about other servers: connecting one, choosing its calendars and address books, how they are doing, disconnecting."""

from __future__ import annotations

import json
import time
from urllib.parse import urlsplit

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as Answer

from webmail import rate_limits
from webmail.admission import AdmissionRefusedError
from webmail.auth.guard import asks_again
from webmail.calendar.display.event_texts import kept_inside_words, kept_link
from webmail.calendar.free_busy.host_events import KeptHereError
from webmail.collections import look, store
from webmail.collections.following.faults import FollowFault, FollowTroubleError
from webmail.dav.blueprint import blueprint
from webmail.dav.remote import accounts
from webmail.dav.remote.answers import FoundCollection
from webmail.dav.remote.client import RemoteServer, RoundOverError, asking
from webmail.dav.remote.discovery import discover, typed
from webmail.dav.remote.server_texts import connect_trouble_words, server_trouble_words
from webmail.dav.remote.sync import DELETE, RESTORE
from webmail.errors import LimitReachedError
from webmail.models import AuditAct, RemoteAccount, RemoteLink, now
from webmail.rate_limits import QUARTER, RateLimit, TooManyRequestsError
from webmail.tasks import heartbeat
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.formatting import number as number_in_words
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.responses.outside import ASKING_OUTSIDE
from webmail.web.responses.too_many import told_to_wait, with_again
from webmail.web.texts.task_texts import task_started

_SECONDS = 25.0  # that a page waits for another server
_REFUSED = RateLimit("passwords refused by other servers", 10, QUARTER)  # nobody guesses them elsewhere through us


_WITH_PASSWORDS = ("dav.new_server", "dav.connect_server")


@blueprint.before_request
def _may_be_used() -> None:
    if not (settings().other_dav_servers or (request.endpoint not in _WITH_PASSWORDS and accounts.are_offered(settings()))):
        abort(404)


@blueprint.get("/collections/servers")
def servers() -> Response:
    """How one's accounts on other servers are doing. 4 queries."""
    mine = accounts.for_user(current_user())
    links = accounts.links_of(mine)
    by_account: dict[int, list[RemoteLink]] = {one.id: [] for one in mine}
    for link in links:
        by_account[link.account_id].append(link)
    busy = [one.id for one in mine if by_account[one.id] and _is_busy(one)]
    own = [one for one in mine if not one.service_id]  # at most so many
    return page(
        "collections/servers.html", accounts=mine, linked=by_account, notes=accounts.notes(links), busy=busy,
        host_of=accounts.host_of, look_of=_look, progress=_progress, in_words=number_in_words, full=len(own) >= accounts.MOST,
        nobody_works=bool(busy) and not heartbeat.is_alive(heartbeat.last_seen()),
    )  # fmt: skip


def _is_busy(account: RemoteAccount) -> bool:
    """Whether it is synchronised now, or next."""
    return account.error != FollowFault.PASSWORD and bool(account.working or account.due <= now())


def _progress(links: list[RemoteLink]) -> tuple[int, int]:
    return sum(min(one.done, one.total) for one in links), sum(one.total for one in links)


def _look(link: RemoteLink) -> tuple[str, str]:
    """The colour of the collection here, and what it is called."""
    row = link.collection
    props = json.loads(row.props)
    return look.colour_of(row.kind, props, row.id), look.title_of(store.props_for(row, current_user()))


# --- connecting ------------------------------------------------------------------------------------------------------


@blueprint.get("/collections/servers/new")
@asks_again
def new_server() -> Response:
    """For the account that is named, its new password is asked for."""
    number = request.args.get("account", "")
    known = accounts.find(current_user(), int(number)) if number.isascii() and number.isdigit() and len(number) < 10 else None
    return _form(known.url if known else "", known.login if known else "")


@blueprint.post("/collections/servers/new")
@asks_again
def connect_server() -> Answer:
    """Look for calendars and address books with this password; if it is right, the person chooses among them."""
    url, login = typed(request.form.get("address", "")), request.form.get("login", "").strip()[:254]
    password, shown = request.form.get("password", "")[:1000], request.form.get("address", "")[:900]
    if not url:
        return _form(shown, login, _("Type the address of the server. It looks like cloud.example.org."), "address")
    if not login or not login.isprintable() or not password:
        return _form(shown, login, _("Type your user name and password on this server."), "password" if login else "login")
    host = urlsplit(url).hostname or ""
    try:
        with rate_limits.attempt(settings(), _REFUSED.by(current_user().id), counts=_is_refusal):
            found = _found(RemoteServer(url, login, password, asking(settings())))
        if not found:
            raise FollowTroubleError(FollowFault.NOT_DAV, url)
        account = accounts.connect(current_user(), url, login, password, settings())
    except TooManyRequestsError as error:
        words = with_again(_("Other servers refused too many passwords."), error)
        return told_to_wait(_form(shown, login, words, "password", error.status), error)
    except FollowTroubleError as trouble:
        if _is_refusal(trouble):
            audited(AuditAct.OTHER_SERVER_REFUSED, f"{login} {host}")
        place = "password" if trouble.kind is FollowFault.PASSWORD else "address"
        return _form(shown, login, connect_trouble_words(trouble, host), place)
    except accounts.TooManyServersError:
        return _form(shown, login, _("You have too many servers connected. Disconnect one first."), "address")
    audited(AuditAct.OTHER_SERVER_CONNECTED, f"{login} {host}")
    return redirect(url_for("dav.choose_collections", number=account.id), 303)


def _is_refusal(error: Exception) -> bool:
    return isinstance(error, FollowTroubleError) and error.kind is FollowFault.PASSWORD


def _form(address: str, login: str, problem: str = "", position: str = "", status: int = 422) -> Response:
    return page(
        "collections/servers_new.html", status if problem else 200, address=address, login=login, problem=problem, place=position
    )


def _found(server: RemoteServer) -> list[FoundCollection]:
    """What there is to choose. Raises FollowTroubleError, also where too many pages wait for other servers already."""
    try:
        with ASKING_OUTSIDE.admit():
            server.end = time.monotonic() + _SECONDS
            return discover(server)
    except AdmissionRefusedError as error:
        raise FollowTroubleError(FollowFault.BUSY, server.url) from error
    except RoundOverError as error:
        raise FollowTroubleError(FollowFault.AWAY, "too slow") from error


@blueprint.get("/collections/servers/<int:number>")
def choose_collections(number: int) -> Answer:
    account = _mine(number)
    if account.service_id:
        return redirect(url_for("dav.service_collections", number=account.service_id), 303)
    return _choice(account)


@blueprint.post("/collections/servers/<int:number>")
def add_collections(number: int) -> Answer:
    """Keep those in step that are ticked."""
    account = _mine(number)
    if account.service_id:
        abort(404)
    wanted = set(request.form.getlist("url"))
    try:
        found = [one for one in _choices(account) if one.url in wanted]
        count = accounts.link(account, found, settings())
    except FollowTroubleError as trouble:
        return _choice(account, trouble=trouble)
    except accounts.NoRoomForCollectionsError:
        words = _("You can have %(limit)s calendars and address books. Choose fewer.", limit=settings().collections_per_person)
        return _choice(account, wanted, words)
    if not count:
        return _choice(account, wanted, _("Choose at least one."))
    notify(ngettext("%(num)d is now synchronised.", "%(num)d are now synchronised.", count), "done")
    return redirect(url_for("dav.servers"), 303)


def _choices(account: RemoteAccount) -> list[FoundCollection]:
    return _found(accounts.server_of(account, settings(), asking(settings()), _SECONDS))


def _choice(
    account: RemoteAccount, wanted: set[str] | None = None, problem: str = "", trouble: FollowTroubleError | None = None
) -> Answer:
    found: list[FoundCollection] = []
    if trouble is None:
        try:
            found = _choices(account)
        except FollowTroubleError as raised:
            trouble = raised
    if trouble is not None and trouble.kind is FollowFault.PASSWORD:
        return redirect(url_for("dav.new_server", account=account.id), 303)
    links = {link.url.rstrip("/"): link for link in accounts.links_of([account])}
    new = [one for one in found if one.url.rstrip("/") not in links]
    chosen = wanted if wanted is not None else ({one.url for one in new} if not links else set())
    host = accounts.host_of(account)
    return page(
        "collections/servers_choose.html", 422 if problem else 200, account=account, new=new, known=len(found) - len(new),
        chosen=chosen, problem=problem, host=host,
        trouble=server_trouble_words(trouble.kind, host, trouble.target) if trouble else "",
    )  # fmt: skip


# --- what is there ---------------------------------------------------------------------------------------------------


@blueprint.post("/collections/servers/<int:number>/sync")
def synchronise_server(number: int) -> Answer:
    accounts.soon(_mine(number))
    return redirect(url_for("dav.servers"), 303)


@blueprint.get("/collections/servers/<int:number>/disconnect")
def ask_to_disconnect(number: int) -> Response:
    account = _mine(number)
    return page(
        "collections/servers_disconnect.html", account=account, linked=accounts.links_of([account]),
        host=accounts.host_of(account),
    )  # fmt: skip


@blueprint.post("/collections/servers/<int:number>/disconnect")
def disconnect_server(number: int) -> Answer:
    """`action`: keep what is here, or remove it (into the trash)."""
    account = _mine(number)
    host, keep = accounts.host_of(account), request.form.get("action") != "remove"
    try:
        begun = accounts.disconnect(account, keep=keep)
    except LimitReachedError:
        return _too_many_tasks()
    except KeptHereError as error:
        return _booked(error)
    audited(AuditAct.OTHER_SERVER_ENDED, f"{account.login} {host}")
    notify(_("%(host)s is disconnected. Nothing was changed there.", host=host), "done")
    for task in begun:
        task_started(task)
    return redirect(url_for("dav.servers"), 303)


def _too_many_tasks() -> Answer:
    notify(_("You have too many tasks running. Wait until one finishes."), "caution")
    return redirect(url_for("dav.servers"), 303)


def _booked(error: KeptHereError) -> Answer:
    notify(kept_inside_words(), "caution", link=kept_link(error.number))
    return redirect(url_for("dav.servers"), 303)


@blueprint.post("/collections/servers/links/<int:number>")
def change_link(number: int) -> Answer:
    """`action`: what is to be done about what is missing (delete, restore), dismiss the notes, or end it (keep, remove)."""
    link = accounts.find_link(current_user(), number) if number < 2**31 else None
    if link is None:
        abort(404)
    action = request.form.get("action", "")
    if action in (DELETE, RESTORE):
        accounts.answer(link, action)
    elif action == "dismiss":
        accounts.dismiss(link)
    elif action in ("keep", "remove"):
        try:
            begun = accounts.unlink(link, keep=action == "keep")
        except LimitReachedError:
            return _too_many_tasks()
        except KeptHereError as error:
            return _booked(error)
        notify(_("It is no longer synchronised. Nothing was changed on the other server."), "done")
        if begun is not None:
            task_started(begun)
    return redirect(url_for("dav.servers"), 303)


def _mine(number: int) -> RemoteAccount:
    found = accounts.find(current_user(), number) if number < 2**31 else None
    if found is None:
        abort(404)
    return found


@blueprint.app_template_global()
def other_servers_wait() -> bool:
    """Whether a server needs something of this person, such as a new password."""
    return accounts.are_offered(settings()) and accounts.needs_person(current_user())


@blueprint.app_template_global()
def other_server_links() -> dict[int, tuple[str, bool]]:
    """By the number of a collection of one's own, the server that it is kept in step with, and whether both can change it."""
    return {
        number: (accounts.host_of(link.account), bool(link.writable))
        for number, link in accounts.linked_collections(current_user()).items()
    }


@blueprint.app_template_global()
def may_use_other_servers() -> bool:
    return accounts.are_offered(settings())


@blueprint.app_template_global()
def may_connect_servers() -> bool:
    """With a password of theirs."""
    return settings().other_dav_servers
