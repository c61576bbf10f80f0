"""A mailbox on another server, as it tells of itself: whatever it says, its messages can be moved in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from webmail.imap.bulk.remote_mailbox import RemoteFolder, listing
from webmail.mail import Role

HEAD = b"Message-ID: <1@far.example>\r\nSubject: Bonjour\r\n\r\n"


class Answers:
    """What `listing` needs of a connection to a server with Gmail's extension."""

    exists = 1

    def __init__(self, label: bytes) -> None:
        self.label = label

    def has(self, capability: str) -> bool:
        return capability == "X-GM-EXT-1"

    def select(self, _mailbox: str) -> None: ...

    def run(self, command: tuple[bytes, ...]) -> dict[str, list[object]]:
        if command[0] == b"UID SEARCH":
            return {"SEARCH": [b"7"]}
        about = b'1 (UID 7 FLAGS () INTERNALDATE "05-Mar-2019 09:00:00 +0000" RFC822.SIZE 90 X-GM-LABELS ("' + self.label + b'")'
        return {"FETCH": [(about + b" BODY[HEADER.FIELDS (MESSAGE-ID)]<0> {%d}" % len(HEAD), HEAD), b")"]}


@pytest.mark.parametrize(
    ("label", "told"), [(b"Caf&AOk-", "Café"), (b"R&-D", "R&D"), (b"&!!-", "&!!-"), (b"Caf\xc3\xa9 &A-", "Café &A-")]
)
def test_a_label_that_is_not_encoded_as_it_should_be_is_one_all_the_same(label: bytes, told: str) -> None:
    [message] = listing(Answers(label), RemoteFolder("All", ("All",), Role.ARCHIVE, 1), 0)  # type: ignore[arg-type]
    assert (message.uid, message.received, message.labels) == (7, datetime(2019, 3, 5, 9, tzinfo=UTC), (told,))
