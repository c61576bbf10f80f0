"""Correspondents: the addresses a user has written to, recorded when a message is sent.

`message/sender_check.py` uses them to tell known senders from strangers.
"""

from __future__ import annotations

import json

from webmail.database.connection import db
from webmail.database.pieces import in_pieces
from webmail.database.prepared import Prepared
from webmail.mail import Address
from webmail.mime.headers import headers
from webmail.mime.headers.addresses import addresses
from webmail.models import Correspondent, Outbox, User, now


def note(row: Outbox, hidden: tuple[Address, ...] = (), beginning: bytes = b"") -> None:
    """Count a sent message for each of its recipients.

    `hidden`: recipients not in its headers (Bcc). `beginning`: the start of the message if the row does not hold its content.
    Automatic messages (null sender) and refused recipients are not counted.
    """
    if not row.sender:
        return
    head = beginning or bytes(row.content)[: headers.HEADER_LIMIT]
    envelope = headers.envelope(head)
    written_to = (*hidden, *envelope.cc, *envelope.to)
    if resent := headers.fields(head).get("resent-to"):  # To and Cc are those of the original author
        written_to = (*hidden, *addresses(resent[:1]))
    refused = {address.lower() for address in json.loads(row.refused)}
    people = {a.email.lower(): a.name for a in written_to}
    for piece in in_pieces([one for one in sorted(people.items()) if one[0] not in refused and len(one[0]) <= 254]):
        with db.atomic():
            for email, name in piece:
                _count(row.user, email, name)


def _count(user: User, email: str, name: str) -> None:
    again = {Correspondent.count: Correspondent.count + 1, Correspondent.last: now(), Correspondent.hidden: None}
    if name:
        again[Correspondent.name] = name[:190]
    Correspondent.insert(user=user, address=email, name=name[:190]).on_conflict(
        conflict_target=[Correspondent.user, Correspondent.address], update=again
    ).execute()


_correspondents = Prepared(
    lambda slot: (
        Correspondent.select(Correspondent.id)
        .where(Correspondent.user == slot("user"), Correspondent.address == slot("address"))
        .tuples()
    )
)


def has_written(user: User, email: str) -> bool:
    return bool(_correspondents(user=user.id, address=email))
