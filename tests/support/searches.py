"""Searches as one sends them from the page, and such as nobody types."""

from __future__ import annotations

import random
from email.message import EmailMessage

from tests.support.messages import message
from tests.support.visits import Page, Visitor

PIECES = [
    "from:", "to:", "à:", "objet:", "is:", "est:", "has:", "filename:", "larger:", "before:", "on:", "newer_than:", "tag:", "in:",
    "list:", "foo:", "-", "(", ")", "-(", " ", " ", " ", '"', "«", "”", "OR", "OU", "unread", "5M", "3 Mo", "2026-03-01", "31/12/9999",
    "9999", "hier", "2w", "9999y", "urgent", "attachment", "été", "😀", "\\", "{3+}", "*", "%", "a", "conseil", "\t", "ALL", "\u0301",
    "99999999999999999999", "0", "\u2028", "\x7f", "$HasAttachment", "@", "::", ":",
]  # fmt: skip


def random_query(chance: random.Random) -> str:
    """A query such as nobody types."""
    return "".join(chance.choice(PIECES) for _ in range(chance.randrange(1, 30)))


def with_file(subject: str, name: str, size: int = 400, kind: str = "application/pdf", **headers: str) -> EmailMessage:
    made = message(subject, "Voir le fichier.", **headers)
    made.add_attachment(b"x" * size, *kind.split("/"), filename=name)
    return made


def search(visitor: Visitor, query: str, mailbox: str = "INBOX", **more: str) -> Page:
    return Page(visitor.client.get(f"/mailbox/{mailbox}", query_string={"query": query, **more}, follow_redirects=True))
