"""What is typed in the search box, as SEARCH keys."""

from __future__ import annotations

import random
import re
from datetime import date

import pytest

from tests.support.searches import random_query
from webmail.errors import UnsafeValueError
from webmail.imap.searching.search import EVERYTHING, Search, SearchRemark, criteria, parse

TODAY = date(2026, 11, 24)  # a Tuesday
DOVECOT = frozenset({"SNIPPET=FUZZY"})


def read(query: str) -> Search:
    return parse(query, today=TODAY, tag={"urgent": "$urgent", "à voir": "tag_2"}.get)


def text(words: str) -> str:
    return f'(OR TEXT "{words}" OR FROM "{words}" SUBJECT "{words}")'


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", "ALL"),
        ("ann", text("ann")),
        ('"class council"', text("class council")),
        ("“class council”", text("class council")),
        ("from:ann to:bob cc:carl", 'FROM "ann" TO "bob" CC "carl"'),
        ("from: ann", 'FROM "ann"'),
        ('subject:"a b" body:c', 'SUBJECT "a b" BODY "c"'),
        ("de:ann objet:b corps:c", 'FROM "ann" SUBJECT "b" BODY "c"'),
        ("is:unread is:READ is:flagged is:answered is:draft", "UNSEEN SEEN FLAGGED ANSWERED DRAFT"),
        ("est:non-lu est:lu est:suivi est:brouillon", "UNSEEN SEEN FLAGGED DRAFT"),
        ("larger:5M smaller:300k", "LARGER 5242880 SMALLER 307200"),
        ("plus_grand:3 Mo", "LARGER 3145728"),
        ("larger:3 Monday", f"LARGER 3 {text('Monday')}"),
        ("after:2026-03-01 before:01/04/2026", "SINCE 1-Mar-2026 BEFORE 1-Apr-2026"),
        ("on:2026-03-01", "(SINCE 1-Mar-2026 BEFORE 2-Mar-2026)"),
        ("on:2026-02 on:2025", "(SINCE 1-Feb-2026 BEFORE 1-Mar-2026) (SINCE 1-Jan-2025 BEFORE 1-Jan-2026)"),
        ("older_than:3d newer_than:2w", "BEFORE 21-Nov-2026 SINCE 10-Nov-2026"),
        ("après:hier avant:aujourd'hui", "SINCE 23-Nov-2026 BEFORE 24-Nov-2026"),
        ("tag:urgent", "KEYWORD $urgent"),
        ('étiquette:"à voir"', "KEYWORD tag_2"),
        ("list:profs", 'HEADER List-Id "profs"'),
        ("-draft", f"NOT {text('draft')}"),
        ("-from:ann", 'NOT (FROM "ann")'),
        ("a OR b", f"OR {text('a')} {text('b')}"),
        ("from:a OU from:b is:read", 'OR (FROM "a") (FROM "b") SEEN'),
        ("from:a or", f'FROM "a" {text("or")}'),
        ("is:read (from:a OR from:b OR from:c)", 'SEEN OR (FROM "a") OR (FROM "b") (FROM "c")'),
        ("-(is:read from:a)", 'NOT (SEEN FROM "a")'),
        ("(is:read from:a) OR is:draft", 'OR (SEEN FROM "a") (DRAFT)'),
        ("f(x) (f(x))", f"{text('f(x)')} {text('f(x)')}"),
        ('subject:"a\\b"', 'SUBJECT "a\\\\b"'),
        ("OR", text("OR")),
        ("()", "ALL"),
    ],
)
def test_each_operator_is_a_key(query: str, keys: str) -> None:
    found = read(query)
    assert found.criteria.decode() == keys
    assert found.remarks == ()


@pytest.mark.parametrize(
    ("query", "remark"),
    [
        ("foo:bar", SearchRemark("operator", "foo:")),
        ("before:soon", SearchRemark("value", "before:soon", "before")),
        ("on:31/02/2026", SearchRemark("value", "on:31/02/2026", "on")),
        ("-larger:big", SearchRemark("value", "larger:big", "larger")),
        ("is:purple", SearchRemark("value", "is:purple", "is")),
        ("has:feathers", SearchRemark("value", "has:feathers", "has")),
        ("tag:nosuch", SearchRemark("tag", "tag:nosuch", "tag")),
        ("subject:", SearchRemark("value", "subject:", "subject")),
        ("-in:sent", SearchRemark("value", "in:sent", "in")),
    ],
)
def test_what_is_not_understood_is_searched_as_text_and_told(query: str, remark: SearchRemark) -> None:
    found = read(query)
    assert found.remarks == (remark,)
    assert text(query.removeprefix("-")) in found.criteria.decode()


@pytest.mark.parametrize("query", ["https://lycee.example/x", "12:30", "Re: Sortie", "note : x"])
def test_a_colon_that_is_no_operator_is_no_reason_for_a_remark(query: str) -> None:
    assert read(query).remarks == ()


def test_accents_are_sent_as_utf_8_literals() -> None:
    assert read("objet:été").criteria.startswith(b'(OR SUBJECT {5+}\r\n\xc3\xa9t\xc3\xa9 OR SUBJECT "ete" ')
    assert read("a\u0300:bob").criteria == b'TO "bob"'  # decomposed, as some keyboards send it


def test_in_names_another_folder_and_leaves_the_rest() -> None:
    found = read('budget in:"Travail/2024" is:read')
    assert (found.mailbox, found.rest) == ("Travail/2024", "budget is:read")
    assert read("login:x in:x").rest == "login:x"
    assert found.criteria.decode() == f"{text('budget')} SEEN"


def test_files_are_asked_for_by_name_where_the_server_looks_into_parts() -> None:
    found = read("filename:bulletin")
    assert found.by_file_name
    assert b'MIMEPART FILENAME CONTAINS "bulletin"' in criteria(found, DOVECOT)
    assert b"MIMEPART" not in criteria(found) and b'TEXT "bulletin"' in criteria(found)
    assert b"KEYWORD $HasAttachment" in criteria(read("has:attachment")) and b"multipart/mixed" in criteria(read("avec:pièces"))


def test_too_many_words_and_too_many_parentheses_are_bounded() -> None:
    many = read(" ".join(f"mot{n}" for n in range(500)))
    assert many.remarks == (SearchRemark("many", "40"),)
    assert many.criteria.count(b"TEXT") == 40
    assert read("(" * 400 + "a" + ")" * 400 + " b").criteria.decode() == f"{text('a')} {text('b')}"
    assert read("-(" * 400 + "a").criteria.count(b"NOT") <= 10


@pytest.mark.parametrize("bad", ["a\r\nb", "a\nb", "a\0", "\ud800"])
def test_what_would_break_a_command_is_refused(bad: str) -> None:
    for query in (bad, f'from:"{bad}"', f"tag:{bad}"):
        with pytest.raises(UnsafeValueError):
            read(query)


def test_a_keyword_that_is_none_is_refused() -> None:
    with pytest.raises(UnsafeValueError):
        parse("tag:x", tag=lambda _words: "a) (b")


def test_whatever_is_typed_makes_keys_of_balanced_words() -> None:
    chance = random.Random(20261124)
    for _ in range(5000):
        query = random_query(chance)
        found = read(query)
        for capabilities in (frozenset(), DOVECOT):
            _well_formed(criteria(found, capabilities), query)


def _well_formed(keys: bytes, query: str) -> None:
    """No line end but those of literals, no NUL, and parentheses outside of strings that match."""
    bare = b""
    while literal := re.search(rb"\{(\d+)\+\}\r\n", keys):
        bare += keys[: literal.start()] + b'""'
        keys = keys[literal.end() + int(literal[1]) :]
    bare += keys
    assert not set(b"\r\n\0") & set(bare), query
    outside = re.sub(rb'"(?:[^"\\]|\\.)*"', b'""', bare)
    assert outside.count(b'"') % 2 == 0 and b"()" not in outside, query
    depth = 0
    for byte in outside:
        depth += (byte == ord("(")) - (byte == ord(")"))
        assert depth >= 0, query
    assert depth == 0, query


def test_random_characters_raise_nothing_but_unsafe_value() -> None:
    chance = random.Random(7)
    for _ in range(3000):
        query = "".join(
            chr(chance.choice([chance.randrange(128), chance.randrange(0x3000)])) for _ in range(chance.randrange(40))
        )
        try:
            _well_formed(criteria(read(query), DOVECOT), query)
        except UnsafeValueError:
            assert set(query) & set("\r\n\0")


def test_only_few_words_are_looked_for_in_pieces():
    assert parse("rentrée scolaire is:unread").cut is not None
    assert parse("rentrée scolaire emploi temps").cut is None


def test_a_parsed_query_is_carried_with_its_text() -> None:
    found = read("in:sent budget")
    assert found and found.text == "in:sent budget" and found.cut and found.cut.text
    there = found.without_folder
    assert (there.text, there.mailbox, there.criteria) == ("budget", "", read("budget").criteria)
    assert not EVERYTHING and EVERYTHING.criteria == b"ALL"
    assert not read("in:sent").without_folder
