"""History with a person: the last messages from and to a contact, fetched after its page, and left out if that is slow."""

from __future__ import annotations

from flask import Response

from webmail import imap
from webmail.contacts import store
from webmail.contacts.blueprint import blueprint
from webmail.contacts.views.common import mine
from webmail.imap.connection import Connection
from webmail.mail import Role, Summary
from webmail.web.current import current_account
from webmail.web.rendering import page

_MOST = 5  # messages
_MOST_ADDRESSES = 5  # of the contact, that are searched for


@blueprint.get("/contacts/<uid>/history")
def show_history(uid: str) -> Response:
    """The newest messages with this person in the inbox and the folder of sent ones; None if the server does not tell in time."""
    row = mine(uid)
    emails = [point.value for point in store.details(row).emails if "@" in point.value][:_MOST_ADDRESSES]
    rows: list[Summary] | None = []
    if emails:
        rows = imap.optional(current_account(), "INBOX", lambda connection: _last_messages(connection, emails), None)
    return page("contacts/history.html", row=row, messages=rows)


def _last_messages(connection: Connection, emails: list[str]) -> list[Summary]:
    """At most 5 round trips: the folders (0 if they are known), a search, the dates, the rows."""
    found = imap.mailboxes.overview(connection).with_role(Role.SENT)
    names = ["INBOX", *([found.name] if found else [])]
    query = " OR ".join(f'from:"{email}" OR to:"{email}"' for email in (one.replace('"', "") for one in emails))
    places, _skipped = imap.multi_search.matching(connection, names, imap.search.criteria(query, connection.capabilities))
    hits = imap.multi_search.chosen(connection, places, "date", 0, min(_MOST, sum(len(place.uids) for place in places)))
    return imap.multi_search.rows_of(connection, hits)
