"""History with a person: the last messages and files from and to a contact, fetched after its page, and left out if that is
slow."""

from __future__ import annotations

from flask import Response

from webmail import imap
from webmail.contacts import store
from webmail.contacts.blueprint import blueprint
from webmail.contacts.views.shared import mine
from webmail.imap.connections.connection import Connection
from webmail.imap.searching.attachment_search import FileFilter, FoundFile
from webmail.mail import Role, Summary
from webmail.models import Contact
from webmail.web.current import current_account
from webmail.web.formatting import today
from webmail.web.rendering import page

_MOST = 5  # messages, and files
_MOST_LOOKED_INTO = 10  # messages with files
_MOST_ADDRESSES = 5  # of the contact, that are searched for


@blueprint.get("/contacts/<uid>/history")
def show_history(uid: str) -> Response:
    """The newest messages with this person in the inbox and the folder of sent ones; None if the server does not tell in time."""
    row = mine(uid)
    emails = _addresses(row)
    rows: list[Summary] | None = []
    if emails:
        rows = imap.optional(current_account(), "INBOX", lambda connection: _last_messages(connection, emails), None)
    return page("contacts/history.html", row=row, messages=rows)


@blueprint.get("/contacts/<uid>/files")
def show_files(uid: str) -> Response:
    """The newest files of messages with this person, in any folder; None if the server does not tell in time."""
    row = mine(uid)
    emails = _addresses(row)
    found: list[FoundFile] | None = []
    if emails:
        found = imap.optional(current_account(), "INBOX", lambda connection: _last_files(connection, emails), None)
    return page("contacts/files.html", row=row, found=found)


def _addresses(row: Contact) -> list[str]:
    return [point.value for point in store.details(row).emails if "@" in point.value][:_MOST_ADDRESSES]


def _query(emails: list[str]) -> str:
    return " OR ".join(f'from:"{email}" OR to:"{email}"' for email in (one.replace('"', "") for one in emails))


def _last_files(connection: Connection, emails: list[str]) -> list[FoundFile]:
    """At most 7 round trips: see attachment_search.search."""
    asked = imap.search.parse(f"has:attachment ({_query(emails)})", today=today())
    found = imap.attachment_search.search(connection, "INBOX", asked, FileFilter(), size=_MOST_LOOKED_INTO)
    return [one for one in found.files if one.part is not None][:_MOST]


def _last_messages(connection: Connection, emails: list[str]) -> list[Summary]:
    """At most 5 round trips: the folders (0 if they are known), a search, the dates, the rows."""
    found = imap.mailboxes.overview(connection).with_role(Role.SENT)
    names = ["INBOX", *([found.name] if found else [])]
    keys = imap.search.criteria(imap.search.parse(_query(emails)), connection.capabilities)
    places, _skipped = imap.multi_search.matching(connection, names, keys)
    hits = imap.multi_search.chosen(connection, places, "date", 0, min(_MOST, sum(len(place.uids) for place in places)))
    return imap.multi_search.rows_of(connection, hits)
