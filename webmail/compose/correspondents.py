"""Correspondents: the addresses a person has written to, noted when a message is sent. `message/sender_check.py` tells
strangers from people one knows by them.
"""

from __future__ import annotations

import json

from webmail.database.connection import db
from webmail.mail import Address
from webmail.mime import headers
from webmail.mime.addresses import addresses
from webmail.models import Correspondent, Outbox, now


def note(row: Outbox, hidden: tuple[Address, ...] = (), beginning: bytes = b"") -> None:
    """Count a sent message for each of its recipients. `hidden` are those that its headers do not name (Bcc), `beginning` is
    that of the message where the row does not hold it.

    What machines send (the null sender) is nobody's writing, and whom the server refused was not written to.
    """
    if not row.sender:
        return
    head = beginning or bytes(row.content)[: headers.HEADER_LIMIT]
    envelope = headers.envelope(head)
    written_to = (*hidden, *envelope.cc, *envelope.to)
    if resent := headers.fields(head).get("resent-to"):  # somebody else wrote to the people of To and Cc
        written_to = (*hidden, *addresses(resent[:1]))
    refused = {address.lower() for address in json.loads(row.refused)}
    people = {a.email.lower(): a.name for a in written_to}
    with db.atomic():
        for email, name in people.items():
            if email in refused or len(email) > 254:
                continue
            again = {Correspondent.count: Correspondent.count + 1, Correspondent.last: now()}
            if name:
                again[Correspondent.name] = name[:190]
            Correspondent.insert(user=row.user, address=email, name=name[:190]).on_conflict(
                conflict_target=[Correspondent.user, Correspondent.address], update=again
            ).execute()
