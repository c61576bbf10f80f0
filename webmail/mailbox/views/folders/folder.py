"""Folder page: one folder with its settings: rename, move, delete, empty, mark as read, subscribe, favourite."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail import imap, preferences
from webmail.errors import MailError, NoSuchMailboxError, NotAllowedError, OverQuotaError, RefusedError, UnsafeValueError
from webmail.imap.connections.commands import expand_uid_set, uid_set
from webmail.imap.connections.connection import Connection
from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.mail import Mailbox, Role
from webmail.mailbox import folders as logic
from webmail.mailbox import sharing
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.folders import BadFolderNameError, NameFault
from webmail.web.current import current_account, current_user, remember_overview, settings
from webmail.web.current import preferences as preferred
from webmail.web.forms.request_values import local_path
from webmail.web.labels import role_label
from webmail.web.notices import notify, undone, withdraw_notices
from webmail.web.rendering import page

_LONGEST_UNDO = 4000  # characters of a UID set that a notice can carry


@blueprint.get("/folder/<path:mailbox>")
def folder(mailbox: str) -> Response:
    with imap.connect(current_account()) as connection:
        return one_folder(connection, mailbox)


@blueprint.post("/folder/<path:mailbox>")
def change_folder(mailbox: str) -> Response:
    """Run one of the page's actions, named by the button's value."""
    action = request.form.get("action", "")
    with imap.connect(current_account()) as connection:
        found, here = looked_up(connection, mailbox)
        try:
            answer = _VERBS.get(action, _follow)(connection, found, here)
        except BadFolderNameError as error:
            return one_folder(connection, mailbox, 422, error=fault_words(error.fault), action=action)
        except RefusedError as error:
            return one_folder(connection, mailbox, 422, error=refused_words(error), action=action)
    if action in ("rename", "move", "delete", "destroy"):
        imap.close_all(current_account())  # pooled connections may have it selected under its old name
    return answer


@blueprint.get("/empty/<path:mailbox>")
def ask_empty(mailbox: str) -> Response:
    """Ask for confirmation before emptying the trash or junk, showing how much is in it."""
    with imap.connect(current_account()) as connection:
        found, here = looked_up(connection, mailbox)
        if not here.can_be_emptied:
            raise NotAllowedError("only the trash and junk are emptied")
        imap.folders.refresh(connection)
        state = imap.folders.state(connection, mailbox)
    remember_overview(found)
    inside = found.below(here)
    direct = [m for m in inside if m.parent == here.name]
    back = local_path(request.args.get("back", ""))
    return page("mailbox/folder_empty.html", mailbox=mailbox, here=here, state=state, inside=inside, direct=direct, back=back)


def one_folder(
    connection: Connection, mailbox: str, status: int = 200, error: str = "", action: str = "", share_error: str = ""
) -> Response:
    """Render a folder's page, optionally with errors of one of its forms."""
    found, here = looked_up(connection, mailbox)
    imap.folders.refresh(connection)
    state = imap.folders.state(connection, mailbox) if here.selectable and here.rights.may_read else None
    entries = imap.acl.entries(connection, mailbox) if sharable(connection, here) else None
    groups = sharing.groups(current_user(), settings()) if entries is not None else {}
    remember_overview(found)
    return page(
        "mailbox/folder.html", status, mailbox=mailbox, here=here, state=state, entries=entries,
        inside=[m for m in found.mailboxes if here.holds(m.name)], in_trash=logic.in_trash(found, here),
        parents=parents_for(found, here), error=error, action=action, typed=request.form, share_error=share_error,
        delimiter=logic.delimiter_of(found),
        levels=imap.acl.LEVELS, fixed=(current_account().credential.username, here.owner), groups=bool(settings().group_prefix),
        names=sharing.names(entry.identifier for entry in entries or []), called=partial(called, groups=groups),
        people_groups=groups,
        everyone=sharing.everyone(current_user(), settings()), favourite=mailbox in preferred().favourites,
    )  # fmt: skip


@blueprint.app_template_global()
def kept_days(role: Role | None) -> int:
    """How long a mailbox of this role keeps its messages; 0: for ever."""
    match role:
        case Role.TRASH:
            return settings().trash_days
        case Role.JUNK:
            return settings().junk_days
        case _:
            return 0


def sharable(connection: Connection, mailbox: Mailbox) -> bool:
    return connection.has("ACL") and mailbox.selectable and mailbox.rights.may_manage


def called(identifier: str, groups: Mapping[str, str] | None = None) -> str:
    """The display name for an ACL identifier. At most 1 query, for the names of groups if they are not given."""
    if identifier == sharing.everyone(current_user(), settings()):
        return _("Everyone at %(domain)s", domain=settings().domain_label(current_user().domain))
    if sharing.is_group(identifier, current_user(), settings()):
        known = sharing.groups(current_user(), settings()) if groups is None else groups
        return known.get(identifier) or _("A deleted group")
    return identifier


def looked_up(connection: Connection, name: str) -> tuple[Overview, Mailbox]:
    """The overview and this mailbox. If it is not in the cached overview, which may be outdated, the overview is refreshed.

    Raises NoSuchMailboxError.
    """
    found = imap.mailboxes.overview(connection)
    if found.get(name) is None:
        imap.mailboxes.forget(connection.account)
        found = imap.mailboxes.overview(connection)
    if mailbox := found.get(name):
        return found, mailbox
    raise NoSuchMailboxError(name)


def parents_for(found: Overview, mailbox: Mailbox | None) -> list[Mailbox]:
    """The possible parents for a folder (None: a new one): not itself, nor one of its subfolders."""
    fit = [m for m in found.mailboxes if not m.owner and m.role not in (Role.INBOX, Role.DRAFTS)]
    return [m for m in fit if m.name != mailbox.name and not mailbox.holds(m.name)] if mailbox else fit


# --- the actions of a folder's page ----------------------------------------------------------------------------------


def _rename(connection: Connection, found: Overview, here: Mailbox) -> Response:
    """Rename or move the folder."""
    logic.own_place(here)
    form = request.form
    label = form.get("name", here.label) if form.get("action") == "rename" else here.label
    parent = form.get("parent", "") if form.get("action") == "move" else here.parent
    moved = logic.rename(connection, current_user(), found, here, label, parent)
    if moved.name == here.name:
        notify(_("Nothing to change."))
    else:
        _tell(
            _renamed(found, moved) if form.get("action") == "rename" else _("Folder %(folder)s moved.", folder=label),
            moved,
        )
    return redirect(url_for("mailbox.folder", mailbox=moved.name), 303)


def _renamed(found: Overview, moved: logic.MovedFolder) -> str:
    delimiter = logic.delimiter_of(found)
    above, _delimiter, label = moved.name.rpartition(delimiter)
    if above == moved.before.rpartition(delimiter)[0]:
        return _("Folder renamed to %(folder)s.", folder=label)
    told = _("Folder renamed to %(folder)s and moved into %(parent)s.", folder=label, parent=logic.path_of(above, found))
    if not moved.made:
        return told
    made = _("Also created: %(folders)s.", folders=", ".join(logic.path_of(name, found) for name in moved.made))
    return f"{told} {made}"


def _delete(connection: Connection, found: Overview, here: Mailbox) -> Response:
    """Move to the trash; from the trash or another user's mailboxes, delete permanently after confirmation."""
    logic.own_place(here)
    if logic.in_trash(found, here) or here.owner:
        return _ask_destroy(found, here)
    try:
        moved = logic.to_trash(connection, current_user(), found, here)
    except RefusedError:
        return _ask_destroy(found, here, no_trash=True)
    _tell(_("Folder %(folder)s moved to the trash.", folder=here.label), moved)
    return redirect(url_for("mailbox.folders"), 303)


def _ask_destroy(found: Overview, here: Mailbox, no_trash: bool = False) -> Response:
    inside = [m for m in found.mailboxes if here.holds(m.name)]
    count = here.messages + sum(m.messages for m in inside)
    remember_overview(found)
    return page("mailbox/folder_destroy.html", mailbox=here.name, here=here, inside=inside, count=count, no_trash=no_trash)


def _destroy(connection: Connection, found: Overview, here: Mailbox) -> Response:
    logic.own_place(here)
    logic.delete(connection, current_user(), found, here)
    notify(_("Folder %(folder)s deleted for good.", folder=here.label))
    return redirect(url_for("mailbox.folders"), 303)


def _mark_read(connection: Connection, _found: Overview, here: Mailbox) -> Response:
    """Mark all unread messages as read; undo marks the same messages as unread again."""
    connection.select(here.name)
    uids = imap.listing.matching(connection, imap.search.UNREAD)
    for piece in imap.actions.pieces(uids):
        imap.actions.set_flags(connection, here.name, piece, ["\\Seen"], True)
    which = uid_set(uids).decode() if uids else ""
    fields = {"action": "unread", "uids": which, "v": connection.uidvalidity}
    undo = (url_for("mailbox.change_folder", mailbox=here.name), fields) if 0 < len(which) <= _LONGEST_UNDO else None
    told = ngettext("%(num)d message marked as read.", "%(num)d messages marked as read.", len(uids))
    notify(told if uids else _("Nothing to change."), undo=undo)
    return redirect(_back_to(here), 303)


def _mark_unread(connection: Connection, _found: Overview, here: Mailbox) -> Response:
    try:
        uids = expand_uid_set(request.form.get("uids", ""))
    except ValueError as error:
        raise UnsafeValueError("not a set of UIDs") from error
    for piece in imap.actions.pieces(uids):
        imap.actions.set_flags(connection, here.name, piece, ["\\Seen"], False, request.form.get("v", 0, int))
    undone(ngettext("Undone for %(num)d message.", "Undone for %(num)d messages.", len(uids)))
    return redirect(_back_to(here), 303)


def _back_to(here: Mailbox) -> str:
    return local_path(request.form.get("back", "")) or url_for("mailbox.folder", mailbox=here.name)


def _empty(connection: Connection, found: Overview, here: Mailbox) -> Response:
    """Delete what was in the trash or junk when confirmation was asked; subfolders of the trash too."""
    if here.role is None or not here.can_be_emptied:
        raise NotAllowedError("only the trash and junk are emptied")
    form = request.form
    imap.folders.empty(connection, here.name, form.get("last", 0, int), form.get("v", 0, int))
    for inside in [m for m in found.below(here) if m.parent == here.name and m.name in form.getlist("inside")]:
        logic.delete(connection, current_user(), found, inside)
    imap.close_all(current_account())
    withdraw_notices()  # what their undo would restore is gone
    notify(_("%(folder)s is now empty.", folder=role_label(here.role)))
    return redirect(local_path(form.get("back", "")) or url_for("mailbox.show", mailbox=here.name), 303)


def _follow(connection: Connection, found: Overview, here: Mailbox) -> Response:
    """Subscribe to a folder or make it a favourite, or the reverse."""
    action, before = request.form.get("action", ""), preferred().favourites
    if action in ("subscribe", "unsubscribe"):
        imap.folders.subscribe(connection, here.name, action == "subscribe")
        shown, hidden = _("Folder shown in the sidebar."), _("Folder hidden from the sidebar.")
        told = shown if action == "subscribe" else hidden
    elif action in ("favourite", "unfavourite"):
        others = [name for name in before if name != here.name]
        preferences.change(current_user(), favourites=[*others, here.name] if action == "favourite" else others)
        told = _("Folder added to favourites.") if action == "favourite" else _("Folder removed from favourites.")
    else:
        raise RefusedError("not an action")
    notify(told)
    return redirect(_back_to(here), 303)


_VERBS = {
    "rename": _rename, "move": _rename, "delete": _delete, "destroy": _destroy,
    "read": _mark_read, "unread": _mark_unread, "empty": _empty,
}  # fmt: skip

# --- messages to the user --------------------------------------------------------------------------------------------


def _tell(text: str, moved: logic.MovedFolder) -> None:
    notify(text, undo=(url_for("mailbox.put_back"), {"name": moved.name, "to": moved.before}))


def fault_words(fault: NameFault) -> str:
    return {
        NameFault.EMPTY: _("Type a name for the folder."),
        NameFault.LONG: _("This name is too long. Choose a shorter one."),
        NameFault.CONTROL: _("This name contains invisible characters. Type it again."),
        NameFault.DELIMITER: _("A folder name is missing before or after a separator."),
        NameFault.DEEP: _("There are too many nested folders in this name. Create the outer ones first."),
        NameFault.RESERVED: _("This name is reserved by the mail server. Choose another one."),
        NameFault.TAKEN: _("There is already a folder with this name. Choose another name."),
        NameFault.INSIDE: _("A folder can’t be moved into itself. Choose another location."),
    }[fault]


@blueprint.app_template_global()
def folder_name_help(delimiter: str) -> str:
    return _(
        "“%(path)s” is the folder 2026 inside Projects. What is missing is created.",
        path=_("Projects%(delimiter)s2026", delimiter=delimiter),
    )


def refused_words(error: MailError | None = None) -> str:
    if isinstance(error, OverQuotaError):
        return _("Your mailbox is full, so the folder was not created.")
    return _("The mail server refused this name or location. Choose another one.")
