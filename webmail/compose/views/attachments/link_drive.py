"""Link from a drive: a page that shows who will be able to open files, before links to them are made and put into the text."""

from __future__ import annotations

import time
from datetime import date

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail.compose.attachments import drive_files, drive_links
from webmail.compose.attachments.drive_links import MOST, LinkResult
from webmail.compose.blueprint import blueprint
from webmail.compose.drafts import drafts
from webmail.compose.views.drafts_folder import put_if_small
from webmail.compose.views.editor import own_draft
from webmail.drives import drive_texts, open_drives
from webmail.drives.drive import LONGEST_ID, Drive, DriveEntry, DriveError, DriveFault, LinkOrder, LinkRules
from webmail.models import ConnectedService, DraftRow
from webmail.services.providers import DRIVE_WRITE
from webmail.web.current import current_user, settings
from webmail.web.formatting import today
from webmail.web.forms.request_values import local_path
from webmail.web.notices import notify, undone
from webmail.web.rendering import page

_LONGEST_PASSWORD = 200


@blueprint.get("/compose/<draft_id>/drive/<int:number>/links")
def ask_drive_links(draft_id: str, number: int) -> Response:
    """Who will be able to open what is chosen. A request for each file, and at most one more."""
    row = own_draft(draft_id)
    if isinstance(row, Response):
        return row
    connection = open_drives.find(current_user(), number, settings())
    try:
        with open_drives.asking():
            _drive, rules, found = _prepared(connection, time.monotonic() + drive_links.SECONDS)
    except DriveError as error:
        return _refused(row, connection, error)
    return _step(row, connection, rules, found, {})


@blueprint.post("/compose/<draft_id>/drive/<int:number>/links")
def put_drive_links(draft_id: str, number: int) -> Response:
    """Make the links, put them into the text, and tell which could not be made. For those that a slow service leaves no time for,
    the page comes again: nothing that was made is lost."""
    row = own_draft(draft_id)
    if isinstance(row, Response):
        return row
    connection = open_drives.find(current_user(), number, settings())
    end = time.monotonic() + drive_links.SECONDS
    try:
        with open_drives.asking():
            drive, rules, found = _prepared(connection, end)
            order, errors = link_order(rules, connection.title)
            if errors or not found:
                return _step(row, connection, rules, found, errors)
            result = drive_links.make(drive, found, order, end)
            text = drive_links.put_in(row, drive, result, drive_texts.link_words) if result.made else ""
    except DriveError as error:
        return _refused(row, connection, error)
    _tell(row, connection, order, result, text)
    put_if_small(drafts.load(current_user(), row.id))
    if result.left:
        return redirect(_to_rest(row, connection, result, order), 303)
    return _to_draft(row) if result.made else redirect(_to_files(row, connection), 303)


@blueprint.post("/compose/<draft_id>/drive/<int:number>/links/undo")
def undo_drive_links(draft_id: str, number: int) -> Response:
    """Take links that were new back there, and all that were put into the text out of it."""
    row = own_draft(draft_id)
    if isinstance(row, Response):
        return row
    connection = open_drives.find(current_user(), number, settings())
    secret, token = settings().secret_key, request.form.get("made", "")
    before = drive_links.from_token(current_user(), row.id, connection.id, token, secret)
    if before is None:
        undone(_("There was nothing to undo."))
        return _to_draft(row)
    text, links = before
    try:
        with open_drives.asking():
            drive_links.remove(open_drives.open_drive(connection, settings()), links)
    except DriveError as error:
        notify(drive_texts.fault_words(error.fault, connection.title), "danger")
        return _to_draft(row)
    drive_links.take_out(row, text)
    undone()
    put_if_small(drafts.load(current_user(), row.id))
    return _to_draft(row)


def _prepared(connection: ConnectedService, end: float) -> tuple[Drive, LinkRules, list[DriveEntry]]:
    """Raises DriveError."""
    drive = open_drives.open_drive(connection, settings())
    if not drive.abilities.links:
        raise DriveError(DriveFault.LINK_REFUSED, "this drive makes no links")
    rules = drive.link_rules()
    if not rules.rights:
        raise DriveError(DriveFault.LINK_REFUSED, "no links are allowed there")
    return drive, rules, drive_files.entries(drive, _files(), end)


def _step(
    row: DraftRow, connection: ConnectedService, rules: LinkRules, found: list[DriveEntry], errors: dict[str, str]
) -> Response:  # fmt: skip
    if not found:
        notify(_("Some of the files are no longer there.") if _files() else _("Select files first."), "caution")
        return redirect(_to_files(row, connection), 303)
    return page(
        "compose/drive_links.html", 422 if errors else 200, draft_id=row.id, connection=connection, rules=rules, files=found,
        errors=errors, typed=request.values, today=today(), back=_back(), to_files=_to_files(row, connection),
    )  # fmt: skip


def link_order(rules: LinkRules, title: str) -> tuple[LinkOrder, dict[str, str]]:
    """What is ordered, and by field what is wrong with it."""
    form, errors = request.form, dict[str, str]()
    right = next((one for one in rules.rights if one == form.get("right")), None)
    password = form.get("password", "")[:_LONGEST_PASSWORD] if rules.can_have_password else ""
    typed = form.get("expires", "").strip() if rules.can_expire else ""
    expires = _day(typed)
    if right is None:
        errors["right"] = _("Choose who can open the files.")
    if rules.needs_password and not password:
        errors["password"] = _("%(title)s requires a password.", title=title)
    if (typed and (expires is None or expires < today())) or (rules.latest and (expires is None or expires > rules.latest)):
        errors["expires"] = _("Choose a day that %(title)s allows.", title=title)
    return LinkOrder(right or rules.rights[0], password, expires), errors


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None


def _refused(row: DraftRow, connection: ConnectedService, error: DriveError) -> Response:
    """To where the person allows it, and from there back to this page; or to the files, with why there are no links."""
    if error.fault is DriveFault.RIGHT_MISSING:
        notify(drive_texts.fault_words(error.fault, connection.title), "plain")
        here = url_for("compose.ask_drive_links", draft_id=row.id, number=connection.id, file=_files(), back=_back())
        fields = {"provider": connection.provider, "connection": connection.id, "purpose": DRIVE_WRITE}
        shorter = url_for("compose.from_drive", draft_id=row.id, number=connection.id)
        return redirect(url_for("services.ask_to_connect", **fields, next=local_path(here) or shorter), 303)
    if error.fault is DriveFault.LINK_REFUSED:
        notify(_("You can’t make links on %(title)s.", title=connection.title), "caution")
    else:
        notify(drive_texts.fault_words(error.fault, connection.title), "danger")
    return redirect(_to_files(row, connection), 303)


def _tell(row: DraftRow, connection: ConnectedService, order: LinkOrder, result: LinkResult, text: str) -> None:
    for fault in dict.fromkeys(why for _name, why in result.failed):
        names = ", ".join(_("“%(name)s”", name=name[:60]) for name, why in result.failed if why is fault)
        words = drive_texts.fault_words(fault, connection.title)
        notify(_("No link to %(names)s. %(why)s", names=names, why=words), "danger")
    other = [(entry.name, link) for entry, link in result.made if link.right is not order.right]
    for name, link in other[:1]:
        notify(_("“%(name)s” is shared differently from what you chose: %(right)s", name=name[:60],
                 right=drive_texts.right_words(link.right)), "caution")  # fmt: skip
    if result.left:
        told = ngettext(
            "%(title)s is slow: %(num)d link is still to be made. Continue here.",
            "%(title)s is slow: %(num)d links are still to be made. Continue here.", len(result.left), title=connection.title,
        )  # fmt: skip
        notify(told, "caution")
    elif len(result.made) + len(result.failed) < len(_files()):
        notify(_("Some of the files are no longer there."), "caution")
    if result.made:
        told = ngettext("%(num)d link is in your message.", "%(num)d links are in your message.", len(result.made))
        token = drive_links.to_token(row, connection.id, text, result.new, settings().secret_key)
        address = url_for("compose.undo_drive_links", draft_id=row.id, number=connection.id)
        notify(told, undo=(address, {"made": token}))


def _to_draft(row: DraftRow) -> Response:
    return redirect(url_for("compose.show", draft_id=row.id, back=_back()), 303)


def _to_files(row: DraftRow, connection: ConnectedService) -> str:
    return url_for("compose.from_drive", draft_id=row.id, number=connection.id, kept=_files(), back=_back())


def _to_rest(row: DraftRow, connection: ConnectedService, result: LinkResult, order: LinkOrder) -> str:
    """The page for those that are left, with what was chosen but a password, which no address may have."""
    return url_for(
        "compose.ask_drive_links", draft_id=row.id, number=connection.id, file=[entry.id for entry in result.left], back=_back(),
        right=order.right, expires=order.expires.isoformat() if order.expires else None,
    )  # fmt: skip


def _files() -> list[str]:
    given = request.values.getlist("file")
    return list(dict.fromkeys(value for value in given if 0 < len(value) <= LONGEST_ID))[:MOST]


def _back() -> str | None:
    return local_path(request.values.get("back", "")) or None
