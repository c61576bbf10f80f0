"""Which folder the words of a search name."""

from __future__ import annotations

import pytest

from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.imap.searching.search import parse
from webmail.mail import Mailbox, Role
from webmail.mailbox.search.similar_names import named_folders

FOLDERS = Overview(
    (
        Mailbox("INBOX", "/", Role.INBOX), Mailbox("Sent", "/", Role.SENT), Mailbox("Projets", "/", selectable=False),
        Mailbox("Projets/Erasmus", "/"), Mailbox("Projets/Erasmus/Erasmus 2025", "/"), Mailbox("Été à Lyon", "/"),
    )
)  # fmt: skip


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("ERASMUS", [("Projets/Erasmus", "")]),
        ("erasmus 2025", [("Projets/Erasmus", "2025")]),  # not the one inside it
        ("rapport from:bob erasmus -brouillon", [("Projets/Erasmus", "rapport from:bob -brouillon")]),
        ("lyon ete a", [("Été à Lyon", "")]),
        ("lyon erasmus", [("Projets/Erasmus", "lyon")]),
        ('"été à lyon" valise', [("Été à Lyon", "valise")]),
        ("sent", []),
        ("projets", []),  # it can't be opened
        ("-erasmus subject:erasmus lyon", []),
        ("erasmus OR lyon", []),
        ("?!", []),
        ("", []),
    ],
)
def test_the_folders_that_words_name(query: str, named: list[tuple[str, str]]) -> None:
    assert [(mailbox.name, rest) for mailbox, rest in named_folders(parse(query), FOLDERS)] == named
