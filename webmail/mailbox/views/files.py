"""Files page: searches attachments in all mailboxes by name, kind, size, sender and date, and sorts them."""

from __future__ import annotations

from collections.abc import Mapping

from flask import request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap
from webmail.imap.connections.connection import Connection
from webmail.imap.searching.attachment_search import KINDS, SORTS, FileFilter, FilePage
from webmail.imap.searching.search_values import size_in_bytes
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.list_request import SCOPES
from webmail.mailbox.search import search_query
from webmail.web.current import current_account, current_user, remember_overview
from webmail.web.formatting import today
from webmail.web.rendering import fragment, page

_FIELDS = ("name", "kind", "larger", "sender", "after", "before", "folder", "scope", "sort")
_LONGEST = 200
_FIRST = 3  # files beside messages


@blueprint.get("/files")
def files() -> Response:
    fields = {name: value[:_LONGEST] for name in _FIELDS if (value := request.args.get(name, "").strip())}
    mailbox = fields.get("folder", "INBOX")
    scope = fields.get("scope", "all" if "folder" not in fields else "")
    search = search_query.understood(_query(fields), current_user(), today())
    wanted = FileFilter(fields.get("name", ""), kind := _kind(fields), size_in_bytes(fields.get("larger", "")) or 0)
    number = request.args.get("page", 1, int)
    if fields.get("sort") not in SORTS:
        fields.pop("sort", None)
    sort = fields.get("sort", "date")
    with imap.connect(current_account()) as connection:
        found = imap.attachment_search.search(
            connection, mailbox, search, wanted, scope=scope if scope in SCOPES else "all",
            page=number if number < 10**7 else 1, sort=sort,
        )  # fmt: skip
    remember_overview(found.overview)
    return page(
        "mailbox/files.html", found=found, fields=fields, kind=kind, kinds=_kind_labels(), search=search, mailbox=mailbox,
        folder=fields.get("folder", ""), kind_words=fields.get("name", ""),
    )  # fmt: skip


@blueprint.get("/files/first")
def find_first_files() -> Response:
    """The first few files of this `name`, beside the messages that have it in their text. None where the server is slow."""
    name = request.args.get("name", "").strip()[:_LONGEST]
    search = search_query.understood(_query({"name": name}), current_user(), today())

    def first(connection: Connection) -> FilePage:
        return imap.attachment_search.search(connection, "INBOX", search, FileFilter(name), size=_FIRST)

    found = imap.optional(current_account(), "", first, None) if name else None
    files = found.files[:_FIRST] if found else ()
    return fragment("mailbox/_found_first.html", found=found, files=files, kind_words=name)


def _query(fields: Mapping[str, str]) -> str:
    """A query for the messages that may have such files."""
    named = {"from": fields.get("sender", ""), "filename": fields.get("name", "")}
    same = {name: fields.get(name, "") for name in ("larger", "after", "before")}
    return search_query.query_of({"attachment": "1", **named, **same})


def _kind(fields: Mapping[str, str]) -> str:
    return fields["kind"] if fields.get("kind") in KINDS else ""


def _kind_labels() -> dict[str, str]:
    return {
        "document": _("Documents"),
        "spreadsheet": _("Spreadsheets"),
        "presentation": _("Presentations"),
        "image": _("Images"),
        "sound": _("Audio and video"),
        "archive": _("Compressed files"),
        "message": _("Messages, invitations, contacts"),
    }
