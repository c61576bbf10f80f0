"""Folders page: all folders with their sizes, creating folders, and choosing those for Sent, Trash and so on."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlsplit

from flask import abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap, preferences
from webmail.errors import NotAllowedError, OverQuotaError, RefusedError
from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.mail import Mailbox, Role
from webmail.mailbox import folders as logic
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.folders import BadFolderNameError
from webmail.mailbox.views.folders.folder import fault_words, parents_for, refused_words
from webmail.tasks import store
from webmail.web.current import current_account, current_user, overview, remember_overview
from webmail.web.current import preferences as preferred
from webmail.web.forms.request_values import local_path
from webmail.web.labels import role_label
from webmail.web.notices import notify, withdraw_notices
from webmail.web.rendering import fragment, page

_CHOSEN_ROLES = (Role.SENT, Role.DRAFTS, Role.TRASH, Role.ARCHIVE, Role.JUNK)


@blueprint.get("/folders")
def folders() -> Response:
    return _all_folders()


@blueprint.get("/folders/new")
def ask_folder() -> Response:
    """The form for a new folder beside the list, which HTMX asks for; otherwise the page that has it at its top."""
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect(url_for("mailbox.folders", new=1), 303)
    return fragment("mailbox/_new_folder.html", back=_shown_page())


@blueprint.get("/folders/with-role/<name>")
def with_role(name: str) -> Response:
    """Lead to the folder of this use: for keys, where no folders stand beside the page."""
    role = next((one for one in Role if one == name), None) or abort(404)
    found = overview()
    mailbox = found and found.with_role(role)
    if found and not mailbox:
        notify(_("There is no “%(name)s” folder yet.", name=role_label(role)), "caution")
    return redirect(url_for("mailbox.show", mailbox=mailbox.name) if mailbox else url_for("mailbox.folders"), 303)


def _shown_page() -> str:
    """The page in whose side bar the form opens, or "" """
    address = urlsplit(request.headers.get("HX-Current-URL", ""))
    return local_path(f"{address.path}?{address.query}" if address.query else address.path)


@blueprint.post("/folders")
def make_folder() -> Response:
    """Create a folder, optionally inside another one. On failure the form keeps what was typed."""
    label, parent = request.form.get("name", ""), request.form.get("parent", "")
    try:
        with imap.connect(current_account()) as connection:
            found = imap.mailboxes.overview(connection)
            new = logic.planned(label, parent, found)
            logic.make(connection, new)
    except BadFolderNameError as error:
        return _all_folders(422, name=label, parent=parent, error=fault_words(error.fault))
    except (RefusedError, NotAllowedError) as error:
        return _all_folders(422, name=label, parent=parent, error=refused_words(error), full=isinstance(error, OverQuotaError))
    made = [logic.path_of(name, found) for name in (*new.above, new.name)]
    if len(made) > 1:
        notify(_("Folders created: %(folders)s.", folders=", ".join(made)))
    else:
        notify(_("Folder %(folder)s created.", folder=new.label if label.strip() == new.label else made[0]))
    return redirect(local_path(request.form.get("back", "")) or url_for("mailbox.folders"), 303)


@blueprint.post("/folders/roles")
def choose_roles() -> Response:
    """Assign the special uses Sent, Drafts, Trash, Archive and Junk to folders."""
    asked = {role.value: request.form.get(role.value, "") for role in _CHOSEN_ROLES}
    with imap.connect(current_account()) as connection:
        found = imap.mailboxes.overview(connection)
    chosen = {role: name for role, name in asked.items() if name}
    unfit = [name for name in chosen.values() if (m := found.get(name)) is None or not _may_serve(m)]
    staying = {m.name for m in found.mailboxes if m.role and not asked.get(m.role.value)} - {"INBOX"}
    taken = [*chosen.values(), *(name for name in staying if name not in preferred().roles.values())]
    if unfit or len(set(taken)) < len(taken):
        return _all_folders(422, roles=asked, role_error=_("A folder can have only one role. Choose five different folders."))
    preferences.change(current_user(), roles=chosen)
    imap.close_all(current_account())
    imap.mailboxes.forget(current_account())
    logic.roles_changed(current_user())
    notify(_("Special folders saved."))
    return redirect(url_for("mailbox.folders"), 303)


@blueprint.post("/folders/undo")
def put_back() -> Response:
    """Undo the move of a folder."""
    with imap.connect(current_account()) as connection:
        found = imap.mailboxes.overview(connection)
        withdraw_notices()
        try:
            moved = logic.put_back(connection, current_user(), found, request.form.get("name", ""), request.form.get("to", ""))
        except BadFolderNameError:
            notify(_("Another folder now has this name. Rename that one first."), "danger")
            return redirect(url_for("mailbox.folders"), 303)
    imap.close_all(current_account())  # pooled connections may have it selected under its old name
    notify(_("The folder is back where it was."))
    return redirect(url_for("mailbox.folder", mailbox=moved.name), 303)


def _all_folders(status: int = 200, **context: Any) -> Response:
    account = current_account()
    if request.cache_control.max_age == 0 or request.cache_control.no_cache:
        imap.close_all(account)  # servers may detect newly shared folders only when a connection is opened
    imap.mailboxes.forget_all(account)  # this page needs fresh counts
    with imap.connect(account) as connection:
        imap.folders.refresh(connection)
        found = imap.mailboxes.overview(connection)
        sizes = imap.folders.sizes(connection, found.mailboxes)
    remember_overview(found)
    return page("mailbox/folders.html", status, **{"name": "", "parent": "", "error": "", "role_error": "",
        "roles": preferred().roles, "quota": found.quota, "delimiter": logic.delimiter_of(found),
        "tables": _tables(found), "sizes": sizes, "task": store.new_id(),
        "role_choices": [(role, role_label(role)) for role in _CHOSEN_ROLES],
        "may_serve": [m for m in found.mailboxes if _may_serve(m)], "parents": parents_for(found, None), **context})  # fmt: skip


class FolderTable(NamedTuple):
    """A table of the page. `nested`: its rows are indented by their depth."""

    title: str
    folders: list[Mailbox]
    nested: bool = True


def _tables(found: Overview) -> list[FolderTable]:
    """Folders as the page groups them; those inside a special one follow it."""
    side = found.side_bar(preferred().favourites)
    special = [m for parent in found.mailboxes if parent.role for m in (parent, *found.below(parent))]
    tables = [
        FolderTable(_("Favourites"), list(side.favourites), nested=False),
        FolderTable(_("Mailbox"), special),
        FolderTable(_("My folders"), found.own),
        FolderTable(_("Shared with me"), list(side.shared)),
    ]
    return [table for table in tables if table.folders]


def _may_serve(mailbox: Mailbox) -> bool:
    return mailbox.selectable and not mailbox.owner and mailbox.role is not Role.INBOX
