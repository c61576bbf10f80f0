"""Password sheets: what an import made is printed, a person a page or as a list, the one time; then nobody can show it again."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from webmail import system_mail
from webmail.admin.blueprint import blueprint
from webmail.admin.imports import import_task, password_sheets
from webmail.admin.imports.password_sheets import NoSheetsError, PersonOnPaper
from webmail.admin.views.access import administrator
from webmail.auth.recovery import temporary_passwords
from webmail.errors import LimitReachedError
from webmail.models import PasswordSheet
from webmail.people import memberships
from webmail.web.current import current_user, settings
from webmail.web.formatting import day_in_full, local, written_in
from webmail.web.notices import notify
from webmail.web.public_links import public_link
from webmail.web.rendering import page
from webmail.web.responses.qr_code import qr_symbol
from webmail.web.texts.task_texts import TASK_TEXTS, TaskText, task_started

STYLES = ("a5", "list")


@blueprint.get("/people/sheets", endpoint="password_sheets")
def list_sheets() -> Response:
    """What waits to be printed. One SELECT."""
    administrator()
    return page("admin/imports/sheets.html", sheets=password_sheets.waiting(current_user()), hours=password_sheets.HOURS)


@blueprint.get("/people/sheets/<sheet>")
def password_sheet(sheet: str) -> Response:
    """The sheets, the one time that they are shown: just after *Print* was pressed."""
    scope = administrator()
    found = _found(sheet)
    style = "list" if request.args.get("style") == "list" else "a5"
    try:
        people = [one for one in password_sheets.take(found, settings()) if scope.includes(one.user)]
    except NoSheetsError:
        there = password_sheets.is_there(found)
        left = len(password_sheets.people_of(found))
        return page("admin/imports/sheet_over.html", 200 if there else 410, sheet=found, there=there, left=left)
    groups = memberships.of_people([one.user.id for one in people])
    by_language: dict[str, dict[str, Any]] = {}
    for one in people:
        language = system_mail.in_language_of(one.user, settings())
        if language not in by_language:
            with written_in(language):
                by_language[language] = _texts(language)
    leaves = [_leaf(one, by_language, [each.name for each in groups.get(one.user.id, [])]) for one in people]
    return page(
        "admin/imports/printed.html", leaves=leaves, style=style, site=_site(), qr=_qr(), name=found.name,
        texts=next(iter(by_language.values()), None),
    )  # fmt: skip


@blueprint.post("/people/sheets/<sheet>")
def act_on_sheet(sheet: str) -> AnyResponse:
    """`action`: print them in a `style`, forget them, or make new passwords for those who have not signed in."""
    administrator()
    found, action = _found(sheet), request.form.get("action", "")
    if action == "forget":
        password_sheets.forget(found)
        notify(_("The passwords are forgotten."))
        return redirect(url_for("admin.password_sheets"), 303)
    if action == "renew":
        return _renew(found)
    style = request.form.get("style", "a5")
    with suppress(NoSheetsError):  # the page says so
        password_sheets.ask(found)
    return redirect(url_for("admin.password_sheet", sheet=sheet, style=style if style in STYLES else "a5"), 303)


def _renew(found: PasswordSheet) -> AnyResponse:
    try:
        task_started(import_task.start_renewal(current_user(), found))
    except LimitReachedError:
        notify(_("You have too many tasks running. Wait until one finishes."), "caution")
    return redirect(url_for("admin.password_sheets"), 303)


def _found(sheet: str) -> PasswordSheet:
    try:
        return password_sheets.find(current_user(), sheet)
    except NoSheetsError:
        abort(404)


def _leaf(person: PersonOnPaper, by_language: dict[str, dict[str, Any]], groups: list[str]) -> dict[str, Any]:
    language = system_mail.in_language_of(person.user, settings())
    until = person.user.temporary_until
    with written_in(language):
        day = day_in_full(local(until).date()) if until else ""
    letters = temporary_passwords.groups(person.letters)
    its = settings().presentation.of_domain.get(person.user.domain.lower()) or settings()
    said = its.presentation.sign_in.in_language(language)
    return {
        "place": its.name,
        "said": said,
        "user": person.user,
        "letters": letters,
        "groups": groups,
        "until": day,
        "texts": by_language[language],
    }


def _site() -> str:
    return public_link("auth.login").removesuffix("/login")


def _qr() -> Markup | str:
    site = public_link("auth.login")
    return qr_symbol(site, "sign-in") if site else ""


def _texts(language: str) -> dict[str, Any]:
    """What stands on a sheet, in the language of who gets it."""
    return {
        "language": language, "title": _("Your mailbox"), "user_name": _("Address"), "password": _("Temporary password"),
        "site": _("Sign in at"), "groups": _("Groups"), "until": _("Use it by"),
        "steps": [
            _("Open this address, or scan the code with a phone."), _("Sign in with your address and this password."),
            _("Choose a password of your own, which nobody else knows."), _("Tear this sheet up."),
        ],
        "forgiving": _("Spaces and capital letters don’t matter."), "not_you": _("Nobody will ever ask you for your password."),
    }  # fmt: skip


TASK_TEXTS[import_task.RENEWAL] = TaskText(
    title=lambda about: _("Making new passwords for “%(name)s”.", name=about["name"]),
    done=lambda result: ngettext(
        "New password for %(num)d person.", "New passwords for %(num)d people.", result["count"]
    ) if result["count"] else _("Everyone has chosen their own password."),
    failed=lambda _reason: _("The sheets are no longer there."),
    link=lambda result: (url_for("admin.password_sheets"), _("Print the passwords")) if result["count"] else None,
)  # fmt: skip
