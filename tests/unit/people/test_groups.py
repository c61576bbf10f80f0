"""Groups of the establishment: their names, who is in them, and what a query costs, on both kinds of database."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgresql import fresh_database, server_url
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.models import GroupMember, PeopleGroup, User
from webmail.people import groups
from webmail.people.groups import GroupNameTakenError, NoSuchGroupError, OutsideDomainError, UnusableGroupNameError

HERE, THERE = "lycee.example", "autre.example"


@pytest.fixture(params=["sqlite", "postgresql"], autouse=True)
def _database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    if request.param == "sqlite":
        yield from _opened(f"sqlite:///{tmp_path / 'x.sqlite'}")
        return
    if not server_url():
        pytest.skip("no PostgreSQL server: TRABOULE_TEST_POSTGRESQL is not set")
    with fresh_database() as url:
        yield from _opened(url)


def _opened(url: str) -> Iterator[None]:
    opened = open_database(url)
    migrate()
    with opened.connection_context():
        yield
    opened.close()


@pytest.fixture
def queries() -> Iterator[list[str]]:
    """The SQL statements sent since the fixture began."""
    sent: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: sent.append(str(record.msg))  # type: ignore[method-assign]
    logger, level = logging.getLogger("peewee"), logging.getLogger("peewee").level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    yield sent
    logger.removeHandler(handler)
    logger.setLevel(level)


def person(local: str, domain: str = HERE, name: str = "", active: int = 1) -> User:
    return User.create(address=f"{local}@{domain}", local=local, domain=domain, name=name or local.title(), active=active)


@pytest.mark.parametrize("asked", ["4e B", "4E  b", "4ᵉ B", "4e-b"])
def test_a_group_is_found_however_its_name_is_spelt(asked: str) -> None:
    made = groups.create(HERE, " 4e  B ")
    assert made.name == "4e B"
    assert groups.find(HERE, asked) == made
    with pytest.raises(NoSuchGroupError):
        groups.find(THERE, asked)
    with pytest.raises(GroupNameTakenError):
        groups.create(HERE, asked)
    groups.create(THERE, asked)


@pytest.mark.parametrize(
    "name", ["", " ", "!!", "a@b", "a, b", "a; b", 'a "b"', "a <b>", "Maths: b", "a\\b", "a\0b", "a\x1bb", "x" * 101]
)
def test_a_name_that_cannot_be_typed_as_a_recipient_is_refused(name: str) -> None:
    with pytest.raises(UnusableGroupNameError):
        groups.create(HERE, name)
    made = groups.create(HERE, "Maths")
    with pytest.raises(UnusableGroupNameError):
        groups.rename(made, name)
    assert [group.name for group in PeopleGroup.select()] == ["Maths"]


@pytest.mark.parametrize("name", ["Mathématiques", "数学", "4e B (2026) & co", "x" * 100, "ﷺ" * 100])
def test_an_identifier_suits_access_lists_whatever_the_name(name: str) -> None:
    identifier = groups.create(HERE, name).identifier
    assert identifier.isascii() and identifier.endswith(f"@{HERE}") and len(identifier) <= 254
    assert not set(identifier) & set(" ,;\"'\\%*(){}/$!#:=")
    odd = groups.create('dom,ain"x.example', name).identifier
    assert not set(odd) & set(' ,"')
    assert groups.find(HERE, name).identifier == identifier


def test_another_name_keeps_the_identifier_and_a_second_group_gets_another() -> None:
    made = groups.create(HERE, "Maths")
    before = made.identifier
    groups.create(HERE, "Lettres")
    with pytest.raises(GroupNameTakenError):
        groups.rename(groups.find(HERE, "maths"), "LETTRES")
    groups.rename(groups.find(HERE, "maths"), "MATHS")
    assert groups.names(HERE)[before] == "MATHS"
    groups.delete(groups.find(HERE, "maths"))
    assert groups.create(HERE, "Maths").identifier != before


def test_people_are_added_once_taken_out_and_counted() -> None:
    ann, bob, eve = person("ann"), person("bob"), person("eve", active=0)
    maths = groups.create(HERE, "Maths")
    assert groups.add(maths, [ann, bob, ann]) == 2
    assert groups.add(maths, [bob, eve]) == 1
    assert groups.add(maths, []) == 0
    assert [one.address for one in groups.members(maths)] == ["ann@lycee.example", "bob@lycee.example", "eve@lycee.example"]
    assert groups.addresses(maths.identifier) == ["ann@lycee.example", "bob@lycee.example"]
    assert groups.remove(maths, [ann, person("zoe")]) == 1
    groups.create(HERE, "Empty")
    assert [(group.name, size) for group, size in groups.listed(HERE)] == [("Empty", 0), ("Maths", 2)]
    assert groups.listed(THERE) == []


def test_nobody_of_another_domain_is_added_and_then_nobody_at_all() -> None:
    maths = groups.create(HERE, "Maths")
    with pytest.raises(OutsideDomainError, match=f"eve@{THERE}"):
        groups.add(maths, [person("ann"), person("eve", THERE)])
    assert groups.members(maths) == []


def test_who_goes_leaves_the_group_and_a_group_that_goes_leaves_its_people() -> None:
    ann = person("ann")
    maths, lettres = groups.create(HERE, "Maths"), groups.create(HERE, "Lettres")
    groups.add(maths, [ann, person("bob")])
    groups.add(lettres, [ann])
    groups.delete(lettres)
    assert [group.name for group in groups.of_person(ann)] == ["Maths"]
    ann.delete_instance()
    assert [one.local for one in groups.members(maths)] == ["bob"]
    assert GroupMember.select().count() == 1


def test_a_persons_groups_and_the_names_cost_one_query(queries: list[str]) -> None:
    ann, bob = person("ann"), person("bob")
    for name in ("Maths", "4e B", "Direction"):
        groups.add(groups.create(HERE, name), [bob] if name == "Direction" else [ann, bob])
    queries.clear()
    assert [group.name for group in groups.of_person(ann)] == ["4e B", "Maths"]
    assert [group.name for group in groups.of_person(bob)] == ["4e B", "Direction", "Maths"]
    assert len(queries) == 2
    assert list(groups.names(HERE).values()) == ["4e B", "Direction", "Maths"]
    assert groups.names(THERE) == {}
    assert [one.name for one in groups.matching(HERE, "")] == ["4e B", "Direction", "Maths"]
    assert len(queries) == 5


def test_groups_are_matched_by_the_beginnings_of_their_words(monkeypatch: pytest.MonkeyPatch) -> None:
    ann = person("ann", name="Ann")
    for name in ("4e B", "Club échecs", "Maths"):
        groups.add(groups.create(HERE, name), [ann])
    groups.create(HERE, "Club vide")
    for words, found in (("ÉCH", ["Club échecs"]), ("club e", ["Club échecs"]), ("b", ["4e B"]), ("aths", []), ("%", [])):
        assert [one.name for one in groups.matching(HERE, words)] == (found if words != "%" else ["4e B", "Club échecs", "Maths"])
    assert [one.people[0].email for one in groups.matching(HERE, "maths")] == ["ann@lycee.example"]
    monkeypatch.setattr(groups, "MOST_PEOPLE", 2)
    assert [one.name for one in groups.matching(HERE, "")] == ["4e B", "Club échecs"]


def test_a_user_name_is_no_name_of_a_group() -> None:
    ann = person("ann")
    groups.add(groups.create(HERE, "Ann"), [ann])
    groups.add(groups.create(HERE, "Maths"), [ann])
    assert [one.name for one in groups.named(HERE, ["ann", "maths"])] == ["Maths"]
    assert groups.named(THERE, ["maths"]) == []


def test_two_who_make_the_same_group_or_add_the_same_person_at_once() -> None:
    ann = person("ann")
    maths = groups.create(HERE, "Maths")
    start, made = threading.Barrier(4), []

    def both() -> None:
        with db.obj.connection_context():
            start.wait(10)
            try:
                made.append(groups.create(HERE, "Lettres"))
            except GroupNameTakenError:
                made.append(None)
            groups.add(maths, [ann])

    threads = [threading.Thread(target=both) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(made) == 4 and len([one for one in made if one]) == 1
    assert [one.local for one in groups.members(maths)] == ["ann"]
