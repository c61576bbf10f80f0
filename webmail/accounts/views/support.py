"""Support page, for everybody: whom to call, in the establishment's own words, and a form that reaches the administrator."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from flask import current_app, redirect, request, session, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.wrappers import Response

from webmail.accounts import support
from webmail.accounts.blueprint import blueprint
from webmail.accounts.notifications.support_requests import support_mails
from webmail.accounts.support import SupportQuestion, TroubleKind
from webmail.accounts.support_texts import KINDS
from webmail.auth.devices import app_passwords
from webmail.auth.guard import public
from webmail.auth.recovery import deputies, password_reset
from webmail.auth.sessions import sessions
from webmail.auth.sessions.cookies import visit
from webmail.auth.sessions.user_agent import describe
from webmail.auth.sign_in.names import normalise
from webmail.database.connection import DATABASE_AWAY
from webmail.desk import cases
from webmail.models import User
from webmail.rate_limits import TooManyRequestsError
from webmail.web.current import settings, wake_system_mail
from webmail.web.rendering import page
from webmail.web.responses.errors import csrf_error
from webmail.web.responses.too_many import told_to_wait, with_again
from webmail.web.responses.unavailable import because

_SENT = "support"  # in the session: the reference of what was sent last from this browser
_SAW = {"page": cases.LONGEST_PAGE, "status": 3, "said": cases.LONGEST_WORDS, "request": 64}  # on the page that did not work
_FIELDS = {"username": support.LONGEST_NAME, "text": support.LONGEST_TEXT, "contact": support.LONGEST_CONTACT}


@blueprint.get("/support")
@public
def show_support() -> Response:
    user = visit().user
    saw = {name: _clean(request.args.get(name, "")[:most]) for name, most in _SAW.items()}
    typed = {"username": user.address if user else request.args.get("username", "")[: support.LONGEST_NAME], **saw}
    return _page(typed | {"attach": "1", **({"kind": TroubleKind.BROKEN} if saw["page"] else {})})


@blueprint.post("/support")
@public
def ask_support() -> Response:
    if not support.is_offered(settings(), visit().user):
        return _page(_typed(), 403)
    typed, user = _typed(), visit().user
    problems = _problems(typed, user)
    for name in ("text", "contact"):
        cleaned = support.without_secrets(typed[name]) if name not in problems else typed[name]
        if cleaned != typed[name]:
            typed[name] = cleaned
            problems[name] = _(
                "We took out what looked like a password: nobody needs it to help you. Check your text and send it again."
            )
    if problems:
        return _page(typed, 422, problems=problems)
    try:
        row, sent = support.ask(_question_from(typed, user), support_mails, settings())
    except TooManyRequestsError as error:
        words = with_again(_("Too many requests. Nothing was sent."), error) + " " + _kept_words()
        return told_to_wait(_page(typed, error.status, problem=words), error)
    except DATABASE_AWAY as error:
        current_app.logger.error("a support request is not stored: %s", error)
        because("the database can't be used")
        return _page(typed, 503, problem=_("Nothing was sent: the service is not available at the moment.") + " " + _kept_words())
    for message in sent:
        wake_system_mail(message)
    session[_SENT] = row.reference
    return redirect(url_for("accounts.show_support_sent"), 303)


@blueprint.get("/support/sent")
@public
def show_support_sent() -> Response:
    """The reference, to be noted. Only of what this browser sent: a reference alone opens nothing."""
    row = support.find(str(session.get(_SENT, "")))
    if row is None:
        return redirect(url_for("accounts.show_support"), 303)
    return page("accounts/support_sent.html", row=row, copied=row.user_id is not None, **_facts())


@blueprint.errorhandler(CSRFError)
def stale_support_form(error: CSRFError) -> Response:
    """The form was open for longer than its cookie was kept: show it again with what was typed."""
    if request.endpoint != "accounts.ask_support":
        return csrf_error(error)
    return _page(
        _typed(), 400, problem=_("This page was open for too long, or your browser blocks cookies. Please send it again.")
    )


# --- what was typed --------------------------------------------------------------------------------------------------


def _typed() -> dict[str, str]:
    """The fields, without control characters; a little longer than allowed, so that the page can say so."""
    typed = {name: _clean(request.form.get(name, "")[: most * 2]) for name, most in _FIELDS.items()}
    saw = {name: _clean(request.form.get(name, "")[:most]) for name, most in _SAW.items()}
    ticked = {name: request.form.get(name, "")[:1] for name in ("attach", "send_devices")}
    return typed | saw | ticked | {"kind": request.form.get("kind", "")[:20]}


def _clean(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join("".join(mark for mark in line if mark.isprintable() or mark == "\t") for line in lines).strip()


def _problems(typed: dict[str, str], user: User | None) -> dict[str, str]:
    found = {name: _too_long(most) for name, most in _FIELDS.items() if len(typed[name]) > most}
    if typed["kind"] not in set(TroubleKind):
        found["kind"] = _("Choose what is wrong.")
    elif typed["kind"] == TroubleKind.OTHER and not typed["text"]:
        found["text"] = _("Say in a few words what is wrong.")
    if user is None and not typed["username"]:
        found["username"] = _("Type your user name or address.")
    if user is None and not typed["contact"]:
        found["contact"] = _("Say where we can reach you: you may not be able to open your mail.")
    return found


def _too_long(most: int) -> str:
    return _("This is too long. Use at most %(count)d characters.", count=most)


def _question_from(typed: dict[str, str], user: User | None) -> SupportQuestion:
    name = " ".join(typed["username"].split())
    return SupportQuestion(
        TroubleKind(typed["kind"]),
        text=typed["text"],
        username=user.address if user else normalise(name, settings().domain) or name,
        contact=" ".join(typed["contact"].split()),
        user=user,
        browser=_browser(),
        network=visit().network,
        language=str(get_locale()),
        saw=tuple(_saw(typed, user).items()),
    )


def _saw(typed: dict[str, str], user: User | None) -> dict[str, str]:
    """What the person lets us have with the request, and saw in the form."""
    attached = {name: typed[name] for name in _SAW} if typed["attach"] and typed["page"] else {}
    return attached | ({"devices": _devices_of(user)} if user and typed["send_devices"] else {})


def _devices_of(user: User) -> str:
    """Where somebody is signed in, and their app passwords, in one line. Two SELECTs."""
    browsers = dict.fromkeys(describe(row.user_agent) or _("unknown") for row in sessions.sessions_of(user, settings()))
    return ", ".join([*browsers, *(f"“{row.name}”" for row in app_passwords.for_user(user))])[: cases.LONGEST_WORDS]


def _browser() -> str:
    return "".join(mark for mark in request.headers.get("User-Agent", "")[:255] if mark.isprintable())


def _kept_words() -> str:
    return _("What you typed is still here.")


# --- the page --------------------------------------------------------------------------------------------------------


def _page(typed: dict[str, str], status: int = 200, *, problem: str = "", problems: dict[str, str] | None = None) -> Response:
    return page(
        "accounts/support.html", status, typed=typed, problem=problem, problems=problems or {}, kinds=KINDS,
        devices=_devices(visit().user), offered=support.is_offered(settings(), visit().user),
        browser=describe(_browser()), network=visit().network, limits=_FIELDS, **_facts(),
    )  # fmt: skip


def _devices(user: User | None) -> str:
    with suppress(*DATABASE_AWAY):  # this page is for when nothing else works
        return _devices_of(user) if user else ""
    return ""


def _facts() -> dict[str, Any]:
    """What the establishment says, and what people can do by themselves."""
    here, user = settings(), visit().user
    text = here.support.text.replace("\r\n", "\n").strip()
    return {
        "me": user,
        "paragraphs": [part.split("\n") for part in re.split(r"\n\s*\n", text) if part.strip()],
        "sites": sorted(here.sites, key=lambda site: not (user and site.domain and site.domain.lower() == user.domain)),
        "forgot": _forgot_page() if user is None else "",
        "in_person": here.sign_in == "accounts" and _there_are_deputies(),
    }


def _there_are_deputies() -> bool:
    with suppress(*DATABASE_AWAY):  # this page is for when nothing else works
        return deputies.there_are_any()
    return False


def _forgot_page() -> str:
    return url_for("auth.show_forgot") if password_reset.channels(settings()) else ""


@blueprint.app_template_filter()
def tel_link(number: str) -> str:
    """The address to call a number by (RFC 3966); "" where it is none."""
    figures = re.sub(r"\(0\)", "", number)
    figures = ("+" if figures.strip().startswith("+") else "") + "".join(re.findall(r"[0-9]", figures))
    return f"tel:{figures}" if len(figures) >= 3 and not re.search(r"[^\W\d_]", number) else ""
