"""Deputy pages: who helps colleagues back in finds them, gives a temporary password on a sheet of paper, and removes factors."""

from __future__ import annotations

import json
from typing import Any

from flask import abort, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail import system_mail, vault
from webmail.auth.blueprint import blueprint
from webmail.auth.guard import asks_again
from webmail.auth.passwords.check_admission import TooBusyError
from webmail.auth.providers.titles import password_keeper
from webmail.auth.recovery import deputies, temporary_passwords
from webmail.auth.recovery.deputies import ChangedMeanwhileError, HelpRefusal, NotHelpedError
from webmail.auth.sessions import endings
from webmail.auth.sessions.cookies import visit
from webmail.auth.views.sign_in import busy_words
from webmail.mail import Address
from webmail.models import Deputy, User
from webmail.rate_limits import TooManyRequestsError
from webmail.web.current import current_user, preferences, settings
from webmail.web.formatting import day_in_full, local, written_in
from webmail.web.formatting import lazy_text as _l
from webmail.web.frame.page_rows import add_rows, page_rows
from webmail.web.notices import notify
from webmail.web.public_links import public_link
from webmail.web.rendering import page
from webmail.web.responses.too_many import told_to_wait, with_again
from webmail.web.security_mail import SecurityNotice, tell

_SHEET = "deputy_sheet"  # in the session: a password that was made and not shown yet, sealed
_PURPOSE = "sheet of a temporary password"
_LONGEST_WORDS = 100
_NOT_YOU = _l("If you did not ask for this, tell your administrator immediately.")

add_rows("deputy", Deputy, (Deputy.user,), lambda slot: Deputy.user == slot("user"), (Deputy.user,))


@blueprint.app_template_global()
def helps_others() -> bool:
    """Whether the account menu leads to these pages. No query of its own."""
    return current_user().role == "admin" or bool(page_rows("deputy"))


@blueprint.get("/deputy")
def show_deputy() -> Response:
    helper, words = _helper(), " ".join(request.args.get("query", "")[:_LONGEST_WORDS].split())
    size = preferences().page_size or settings().page_size
    number = min(max(request.args.get("page", 1, int), 1), 100_000)
    found, total = deputies.people(helper, words, number, size, settings())
    last = max((total - 1) // size, 0) + 1
    if number > last:
        return redirect(url_for("auth.show_deputy", query=words or None, page=last), 303)
    groups = [] if helper.role == "admin" else deputies.groups_of(helper)
    return page("auth/deputy.html", people=found, total=total, number=number, last=last, words=words, groups=groups, state=_state)


@blueprint.get("/deputy/<int:number>")
def show_helped(number: int) -> Response:
    person = _person(number)
    return _person_page(person)


@blueprint.get("/deputy/<int:number>/password")
@asks_again
def ask_temporary_password(number: int) -> Response:
    return _password_page(_person(number))


@blueprint.post("/deputy/<int:number>/password")
@asks_again
def give_temporary_password(number: int) -> Response:
    """Make the password, and keep it for the page that shows it once."""
    helper, person, seen = _helper(), _person(number), request.form.get("seen", "")[:100]
    try:
        person, letters = deputies.give_password(helper, number, seen, settings(), visit().network)
    except LookupError:
        abort(404)
    except NotHelpedError as refused:
        return _password_page(person, 403, problem=refusal_of(refused.refusal, person))
    except ChangedMeanwhileError:
        return _person_page(person, 409, problem=_meanwhile(person))
    except TooManyRequestsError as error:
        return told_to_wait(_password_page(person, error.status, problem=_too_many(error)), error)
    except TooBusyError as error:
        return _later(_password_page(person, error.status, problem=busy_words()), 60)
    endings.end_everything_else(person, settings())
    tell(person, SecurityNotice.TEMPORARY_PASSWORD, _name(helper), note=_NOT_YOU)
    kept = json.dumps({"person": person.id, "letters": letters, "state": deputies.state_of(person, settings())})
    session[_SHEET] = vault.seal_secret(kept.encode(), settings().secret_key, _PURPOSE, helper.id)
    return redirect(url_for("auth.show_sheet", number=number), 303)


@blueprint.get("/deputy/<int:number>/sheet")
@asks_again
def show_sheet(number: int) -> Response:
    """The sheet, the one time that it is shown."""
    helper, person = _helper(), _person(number)
    letters = _taken_sheet(helper, person)
    if not letters:
        words = _("The sheet is shown only once. If it was not printed, make a new temporary password.")
        return _person_page(person, 410, problem=words)
    language = system_mail.in_language_of(person, settings())
    with written_in(language):
        sheet = _sheet(person, letters, language)
    return page("auth/deputy_sheet.html", sheet=sheet, person=person)


@blueprint.get("/deputy/<int:number>/factors")
@asks_again
def ask_to_remove_factors(number: int) -> Response:
    return _factors_page(_person(number))


@blueprint.post("/deputy/<int:number>/factors")
@asks_again
def remove_factors(number: int) -> Response:
    """Remove all of them, for somebody who has lost them; why is kept."""
    helper, person = _helper(), _person(number)
    reason = " ".join(request.form.get("reason", "")[: 2 * deputies.LONGEST_REASON].split())
    if len(reason) < deputies.SHORTEST_REASON:
        return _factors_page(person, 422, problem=_("Give a reason: it is recorded."), reason=reason, wrong=True)
    try:
        person = deputies.remove_factors(helper, number, reason, settings(), visit().network)
    except LookupError:
        abort(404)
    except NotHelpedError as refused:
        return _factors_page(person, 403, problem=refusal_of(refused.refusal, person), reason=reason)
    except TooManyRequestsError as error:
        return told_to_wait(_factors_page(person, error.status, problem=_too_many(error), reason=reason), error)
    endings.end_everything_else(person, settings())
    tell(person, SecurityNotice.FACTORS_REMOVED, _name(helper), note=_NOT_YOU)
    notify(_("Two-step verification is removed for %(name)s.", name=_label(person)), "done")
    return redirect(url_for("auth.show_helped", number=number), 303)


# --- who, and whom ---------------------------------------------------------------------------------------------------


def _helper() -> User:
    """The signed-in person, who helps others; for everybody else there is no such page."""
    user = current_user()
    return user if deputies.may_help(user) else abort(404)


def _person(number: int) -> User:
    return deputies.find(_helper(), number, settings()) or abort(404)


def _name(user: User) -> str:
    return str(Address(user.name, user.address))


def _label(user: User) -> str:
    return user.name or user.address


# --- pages -----------------------------------------------------------------------------------------------------------


def _person_page(person: User, status: int = 200, *, problem: str = "") -> Response:
    helper = _helper()
    no_password = deputies.why_no_password(helper, person, settings())
    no_removal = deputies.why_no_removal(helper, person)
    return page(
        "auth/deputy_person.html", status, person=deputies.described(person), problem=problem, state=_state,
        no_password=refusal_of(no_password, person) if no_password else "",
        no_removal=refusal_of(no_removal, person) if no_removal else "",
        set_up=HelpRefusal.NO_FACTOR in (no_password, no_removal), sheet_waits=_SHEET in session,
        password_url=settings().support.password_url if no_password in (HelpRefusal.PROVIDER, HelpRefusal.ELSEWHERE) else "",
    )  # fmt: skip


def _password_page(person: User, status: int = 200, *, problem: str = "") -> Response:
    refusal = deputies.why_no_password(_helper(), person, settings())
    if refusal and not problem:
        return _person_page(person, 403 if status == 200 else status)
    return page(
        "auth/deputy_password.html", status, person=person, problem=problem, refused=bool(refusal),
        seen=deputies.state_of(person, settings()), days=temporary_passwords.VALID.days,
    )  # fmt: skip


def _factors_page(person: User, status: int = 200, *, problem: str = "", reason: str = "", wrong: bool = False) -> Response:
    refusal = deputies.why_no_removal(_helper(), person)
    if refusal and not problem:
        return _person_page(person, 403 if status == 200 else status)
    return page(
        "auth/deputy_factors.html", status, person=person, problem=problem, reason=reason, wrong=wrong, refused=bool(refusal),
        most=deputies.LONGEST_REASON,
    )  # fmt: skip


def _later(response: Response, seconds: int) -> Response:
    response.headers["Retry-After"] = str(seconds)
    return response


def _state(person: deputies.Helped) -> list[str]:
    """What there is to know of somebody, in words."""
    user = person.user
    words = []
    if not user.active:
        words.append(_("disabled"))
    if temporary_passwords.is_over(user):
        words.append(_("temporary password no longer valid"))
    elif user.must_change and user.temporary_until is not None:
        words.append(_("temporary password until %(day)s", day=day_in_full(local(user.temporary_until).date())))
    elif user.must_change:
        words.append(_("temporary password"))
    if user.role != "person":
        words.append(_("administrator"))
    elif person.deputy:
        words.append(_("deputy"))
    words.append(_("two-step verification on") if user.second_step else _("two-step verification off"))
    return words


# --- the sheet -------------------------------------------------------------------------------------------------------


def _taken_sheet(helper: User, person: User) -> str:
    """The letters that were just made for this person, the one time they are shown; "" where there are none, or others since."""
    sealed = session.pop(_SHEET, None)
    if not sealed:
        return ""
    try:
        kept = json.loads(vault.open_secret(sealed, settings().secret_key, _PURPOSE, helper.id))
    except vault.CannotOpenError:
        return ""
    good = kept["person"] == person.id and kept["state"] == deputies.state_of(person, settings())
    return str(kept["letters"]) if good else ""


def _sheet(person: User, characters: str, language: str) -> dict[str, Any]:
    """Its words, in the language of who gets it."""
    site = public_link("auth.login").removesuffix("/login")
    until = person.temporary_until
    day = day_in_full(local(until).date()) if until else ""
    step = (
        _("Open %(site)s and sign in with this user name and this password.", site=site)
        if site
        else _("Open your mail and sign in with this user name and this password.")
    )
    return {
        "language": language,
        "title": _("Temporary password"),
        "for": _("For"),
        "user_name": _("User name or address"),
        "password": _("Temporary password"),
        "groups": temporary_passwords.groups(characters),
        "forgiving": _("Spaces and capital letters don’t matter."),
        "site_label": _("Address"),
        "site": site,
        "steps": [step, _("Choose a password of your own, which nobody else knows."), _("Tear this sheet up.")],
        "until": _("It works until %(day)s, or until you have chosen your own.", day=day) if day else "",
        "not_you": _("Nobody will ever ask you for your password."),
    }


# --- words -----------------------------------------------------------------------------------------------------------


def refusal_of(refusal: HelpRefusal, person: User) -> str:
    """Why somebody can't be helped in this way, and what to do instead."""
    match refusal:
        case HelpRefusal.NO_FACTOR:
            return _("Set up two-step verification yourself first: then you can help others.")
        case HelpRefusal.ONESELF:
            return _("This is you. Another deputy or your administrator can help you.")
        case HelpRefusal.ADMIN:
            return _("This is an administrator: only another administrator can help, on the server.")
        case HelpRefusal.DEPUTY:
            return _("This colleague is a deputy too: only your administrator can help them.")
        case HelpRefusal.DISABLED:
            return _("This account is disabled: only your administrator can enable it.")
        case HelpRefusal.PROVIDER:
            return _("The password of this account is managed by %(who)s, not here.", who=password_keeper(person))
        case HelpRefusal.ELSEWHERE:
            return _("Passwords are managed by the mail server, not here. Ask your administrator.")
        case HelpRefusal.NONE:
            return _("There is nothing to remove: two-step verification is off.")


def _meanwhile(person: User) -> str:
    return _(
        "The password of %(name)s has just changed: somebody else may have helped, or the button was pressed twice. "
        "Nothing was done again.",
        name=_label(person),
    )


def _too_many(error: TooManyRequestsError) -> str:
    words = ngettext(
        "You have helped %(num)d time in an hour, which is the limit.",
        "You have helped %(num)d times in an hour, which is the limit.",
        deputies.HELPED.most,
    )
    return with_again(words, error)
