"""The form of a search: its fields as a query and back, and which folder `in:` means."""

from __future__ import annotations

import random
import re
from datetime import date
from pathlib import Path

import pytest

from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.imap.searching.search import parse
from webmail.imap.searching.search_keys import rendered
from webmail.mail import Mailbox, Role
from webmail.mailbox.list_request import ListRequest
from webmail.mailbox.search.search_query import FIELDS, fields_of, led_to, query_of

TODAY = date(2026, 11, 24)
_TIMES = ("after", "before", "on", "newer_than", "older_than")
FORM = Path(__file__).resolve().parents[3] / "templates" / "mailbox" / "search.html"


def again(query: str) -> dict[str, str]:
    return {name: value for name, value in fields_of(parse(query, today=TODAY), query, TODAY).items() if value}


def test_each_field_becomes_its_operator() -> None:
    fields = {
        "words": "voyage Lyon", "without": "paris rome", "from": "Dupont, Zoé", "subject": "a (b)", "larger": "5M", "attachment": "1",
        "state": "unread", "after": "2026-03-01", "cc": 'dit "le grand"',
    }  # fmt: skip
    assert query_of(fields) == (
        'voyage Lyon -paris -rome from:"Dupont, Zoé" cc:"dit le grand" subject:"a (b)" larger:5M after:2026-03-01 '
        "has:attachment is:unread"
    )
    assert query_of({"from": "  ", "words": "", "state": "nonsense", "without": '"'}) == ""


def test_a_query_fills_the_form_in_and_what_has_no_field_stays_words() -> None:
    assert again('de:ann "un mot" -paris before:2026 is:read from:bob is:draft newer_than:2w') == {
        "from": "ann", "without": "paris", "before": "2026-01-01", "state": "read", "newer_than": "2w",
        "words": '"un mot" from:bob is:draft',
    }  # fmt: skip
    assert again("is:draft le:2026-03 plus_ancien:1a") == {"state": "draft", "on": "2026-03", "older_than": "1a"}
    assert again("on:never") == {"words": "on:never"}
    assert again("a OR b from:c") == {"words": "a OR b from:c"}
    assert again("-has:attachment -from:x foo:bar") == {"words": "-has:attachment -from:x foo:bar"}


def test_what_the_form_sends_comes_back_into_it() -> None:
    chance = random.Random(11)
    values = ["ann", "Zoé D.", "a@x.example", "x-y", "-x", "(a)", "OR", "a:b", "été 2026", "'", "5M"]
    for _ in range(500):
        fields = {name: chance.choice(values) for name in FIELDS if name not in _TIMES and chance.random() < 0.4}
        fields |= {"after": "2026-03-01", "on": "2026"} if chance.random() < 0.4 else {}
        fields |= {"newer_than": "2w", "older_than": "3 jours"} if chance.random() < 0.4 else {}
        fields |= {"attachment": "1", "state": "flagged"} if chance.random() < 0.4 else {}
        assert again(query_of(fields)) == fields


def test_the_form_has_a_field_for_each_operator_that_is_taken_out_of_the_words() -> None:
    named = set(re.findall(r"(?:text\(|search_field\('s-words', )'(\w+)'", FORM.read_text())) | set(
        re.findall(r'name="(\w+)"', FORM.read_text())
    )
    assert {*FIELDS, "words", "without", "attachment", "state"} <= named


@pytest.mark.parametrize(
    ("query", "mailbox", "scope"),
    [
        ("in:sent x", "Envois", ""),
        ("dans:envoyés x", "Envois", ""),
        ("in:INBOX x", "INBOX", ""),
        ('in:"Travail/2024" x', "Travail/2024", ""),
        ("in:2024 x", "Travail/2024", ""),
        ("in:archive x", "Archive", ""),  # a folder's own name goes before what another one serves as
        ("dans:partout x", "Travail", "all"),
    ],
)
def test_in_means_a_folder_by_its_name_its_role_or_its_last_part(query: str, mailbox: str, scope: str) -> None:
    boxes = [("INBOX", Role.INBOX), ("Envois", Role.SENT), ("Vieux", Role.ARCHIVE), ("Archive", None), ("Travail/2024", None)]
    overview = Overview(tuple(Mailbox(name, "/", role) for name, role in boxes))
    found = led_to(ListRequest("Travail", query, page=3), parse(query), overview)
    assert found == ListRequest(mailbox, "x", scope)
    assert led_to(ListRequest("Travail"), parse("in:nowhere"), overview) is None


def test_words_that_were_together_stay_together_when_they_are_excluded() -> None:
    query = query_of({"words": "voyage", "without": '"deux mots" paris'})
    assert query == 'voyage -"deux mots" -paris'
    assert again(query) == {"words": "voyage", "without": '"deux mots" paris'}


def test_what_is_not_understood_fills_no_other_field() -> None:
    assert again("has:chien") == {"words": "has:chien"}
    assert again("est:non_lu avec:pièce") == {"state": "unread", "attachment": "1"}
    assert again("is:unflagged") == {"words": "is:unflagged"}


def test_the_form_of_a_query_makes_the_same_query() -> None:
    """Whatever one types: what the form shows searches for the same."""
    chance = random.Random(13)
    pieces = [
        "on:2026-03", "on:hier", "older_than:1y", "newer_than:2w", "plus_ancien:3j", "is:draft", "est:brouillon", "is:read", "has:attachment",
        "has:x", "larger:5M", "larger: 3 Mo", "from:ann", 'from:"Zoé D."', "-paris", '-"deux mots"', "mot", "a OR b", "(c d)", "before:2026",
        "after:01/03/2026", "on:never", "tag:x", "list:profs", "to:", '"un deux"',
    ]  # fmt: skip
    for _ in range(500):
        query = " ".join(chance.sample(pieces, chance.randrange(1, 6)))
        made = query_of(again(query))
        assert parse(made, today=TODAY, tag=lambda _: "$x").criteria.split() != [b"ALL"]
        assert sorted(_keys(made)) == sorted(_keys(query)), query


def _keys(query: str) -> list[bytes]:
    found = parse(query, today=TODAY, tag=lambda _: "$x").root
    return [rendered(child) for child in found.children] if found.kind == "and" else [rendered(found)]
