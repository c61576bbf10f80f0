"""Names and keywords: derived, kept, found again; and colours that can be read."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from flask import Flask

from webmail import create_app
from webmail.database.connection import db
from webmail.errors import LimitReachedError
from webmail.imap.connections.commands import flag_list
from webmail.mailbox import tags
from webmail.mailbox.search import search_query
from webmail.models import Tag, User

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return create_app(tmp_path, secure_cookies="false", imap_security="none")


@pytest.fixture
def alice(app: Flask) -> User:
    with db.connection_context():
        yield User.create(address="alice@lycee.example", local="alice", domain="lycee.example")


@pytest.fixture
def bob(alice: User) -> User:
    return User.create(address="bob@lycee.example", local="bob", domain="lycee.example")


@pytest.mark.parametrize(
    ("name", "keyword"),
    [
        ("Urgent", "Urgent"), ("À relire !", "A_relire"), ("conseil de classe (2ᵉ)", "conseil_de_classe_2e"),
        ("重要", "Tag"), ("🎓", "Tag"), ('a"b\\c{5}', "a_b_c_5"), ("Junk", "Junk_2"), ("$Important", "Important"), ("x" * 60, "x" * 40),
    ],
)  # fmt: skip
def test_a_keyword_is_derived_from_the_name(name: str, keyword: str) -> None:
    assert tags.derive(name, []) == keyword
    assert flag_list([keyword])


def test_keywords_of_one_person_differ_in_whatever_letters() -> None:
    assert tags.derive("Été", ["ete", "ETE_2"]) == "Ete_3"


def test_a_tag_keeps_its_keyword_when_it_gets_another_name(alice: User) -> None:
    tag = tags.add(alice, "  Réunion   profs ", "blue")
    assert (tag.name, tag.keyword, tag.colour) == ("Réunion profs", "Reunion_profs", "blue")
    assert tags.change(alice, "reunion_PROFS", "Conseil", "nonsense")
    (found,) = tags.for_user(alice)
    assert (found.name, found.keyword, found.colour) == ("Conseil", "Reunion_profs", "grey")
    assert tags.add(alice, "Réunion profs").keyword == "Reunion_profs_2"


def test_accents_do_not_change_the_order(alice: User) -> None:
    for name in ("Urgent", "À relire", "été", "Étape", "bac"):
        tags.add(alice, name)
    assert [tag.name for tag in tags.for_user(alice)] == ["À relire", "bac", "Étape", "été", "Urgent"]


def test_names_are_checked(alice: User) -> None:
    tags.add(alice, "Urgent")
    for name in ("", "  ", "x" * 61, "a\x00b", "a\u202eb"):
        with pytest.raises(tags.BadTagNameError):
            tags.add(alice, name)
    with pytest.raises(tags.NameTakenError):
        tags.add(alice, "URGENT")
    assert tags.change(alice, "Urgent", "urgent", "red")  # its own name is not taken


def test_there_are_so_many_and_no_more(alice: User) -> None:
    Tag.insert_many([{"user": alice, "name": f"n{i}", "keyword": f"k{i}"} for i in range(tags.MOST)]).execute()
    with pytest.raises(LimitReachedError):
        tags.add(alice, "one more")


def test_nobody_changes_somebody_elses(alice: User, bob: User) -> None:
    tags.add(alice, "Urgent", "red")
    assert not tags.change(bob, "Urgent", "Mine", "blue") and not tags.remove(bob, "Urgent")
    assert tags.for_user(bob) == [] and tags.for_user(alice)[0].name == "Urgent"
    assert tags.keyword_for(bob, "urgent") == "urgent"  # a plain keyword: it is nobody's tag


def test_an_existing_keyword_can_be_given_a_name(alice: User) -> None:
    assert tags.add(alice, "À faire", "blue", "$label4").keyword == "$label4"
    assert tags.add(alice, "Autre", "blue", "$LABEL4").keyword == "Autre"
    assert tags.add(alice, "Mauvais", "blue", "\\Seen").keyword == "Mauvais"


@pytest.mark.parametrize(
    ("words", "keyword"),
    [
        ("à relire", "A_relire"), ("A_RELIRE", "A_relire"), ("$important", "$Important"), ("important", "$Important"),
        ("nonjunk", "$NotJunk"), ("label2", "$label2"), ("projet-x", "projet-x"), ("deux mots", ""), ("\\seen", ""), ("", ""),
    ],
)  # fmt: skip
def test_what_a_search_for_a_tag_means(alice: User, words: str, keyword: str) -> None:
    tags.add(alice, "À relire")
    assert tags.keyword_for(alice, words) == keyword


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Urgent", "tag:Urgent"), ("À relire", 'tag:"À relire"'), ('a"b', "tag:a_b"), ("«x»", "tag:x"), ("O(2)", 'tag:"O(2)"'),
        ("a:b", 'tag:"a:b"'), ("重要", "tag:重要"),
    ],
)  # fmt: skip
def test_the_search_for_a_tag_finds_that_tag(alice: User, name: str, words: str) -> None:
    tag = tags.add(alice, name)
    assert tags.search_words(tag.keyword, [tag]) == words
    found = search_query.understood(words, alice, date(2026, 1, 1))
    assert found.criteria == b"KEYWORD " + tag.keyword.encode() and not found.remarks


def test_a_name_that_means_another_tag_is_searched_by_its_keyword(alice: User) -> None:
    first, second = tags.add(alice, "Alpha"), tags.add(alice, "Beta")
    tags.change(alice, first.keyword, "Zeta", "red")
    tags.change(alice, second.keyword, "Alpha", "red")
    mine = tags.for_user(alice)
    assert {one.keyword: tags.search_words(one.keyword, mine) for one in mine} == {"Alpha": "tag:Zeta", "Beta": "tag:Alpha"}
    for one in mine:
        found = search_query.understood(tags.search_words(one.keyword, mine), alice, date(2026, 1, 1))
        assert found.criteria == b"KEYWORD " + one.keyword.encode()


def test_a_keyword_without_a_name_is_searched_as_it_is(alice: User) -> None:
    assert tags.search_words("$label4", []) == "tag:$label4"
    assert tags.search_words("a|b", []) == 'tag:"a|b"'


def test_what_is_shown_of_a_messages_flags(alice: User) -> None:
    tag = tags.add(alice, "Urgent", "red")
    mine = {tag.keyword.lower(): tag}
    flags = ["\\Seen", "$HasAttachment", "urgent", "$Important", "NonJunk", "$Forwarded", "projet"]
    assert [keyword for keyword, _tag in tags.tags_among(flags, mine)] == ["Urgent", "$Important", "projet"]
    everything = [keyword for keyword, _tag in tags.tags_among(flags, mine, all_of_them=True)]
    assert everything == ["Urgent", "$Forwarded", "$Important", "$NotJunk", "projet"]
    assert not tags.any_keyword(["\\Seen", "\\Flagged", "$HasNoAttachment"])


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_all_colours_have_the_contrast_of_wcag_aa_in_both_themes() -> None:
    css = (ROOT / "static" / "css" / "base.css").read_text()
    pair = r"var\(--light, (#\w{6})\) var\(--dark, (#\w{6})\);"
    found = re.findall(rf"\.tag-(\w+) \{{ --word: {pair} --patch: {pair} \}}", css)
    assert [name for name, *_ in found] == [*tags.COLOURS]
    pairs = [(name, *both) for name, a, b, c, d in found for both in ((a, c), (b, d))]
    for name, text, ground in pairs:
        light, dark = sorted((luminance(text), luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, name
