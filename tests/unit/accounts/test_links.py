"""Links of the establishment: who gets which, and that the groups are not asked for on every page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from webmail.accounts import links
from webmail.config.tables import Link
from webmail.database.connection import open_database
from webmail.database.migrate import migrate
from webmail.models import User
from webmail.people import groups

FOR_ALL, FOR_STAFF = Link("ENT", "https://ent.example"), Link("Notes", "https://notes.example", group="PROFESSEURS de maths")


@pytest.fixture(autouse=True)
def _database(tmp_path: Path) -> Iterator[None]:
    opened = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    migrate()
    links.forget()
    with opened.connection_context():
        yield
    opened.close()
    links.forget()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The people whose groups were looked up."""
    found: list[str] = []
    real = groups.of_person
    monkeypatch.setattr(groups, "of_person", lambda user: found.append(user.local) or real(user))
    return found


def person(local: str, group: str = "") -> User:
    user = User.create(address=f"{local}@lycee.example", local=local, domain="lycee.example", name=local, active=1)
    if group:
        groups.add(groups.create("lycee.example", group), [user])
    return user


def test_a_link_for_a_group_is_for_its_people_however_its_name_is_spelt() -> None:
    assert links.for_person([FOR_ALL, FOR_STAFF], person("ann", "Professeurs de Maths")) == (FOR_ALL, FOR_STAFF)
    assert links.for_person([FOR_ALL, FOR_STAFF], person("pupil")) == (FOR_ALL,)


def test_links_for_everybody_cost_no_query(asked: list[str]) -> None:
    assert links.for_person([FOR_ALL], person("ann")) == (FOR_ALL,)
    assert asked == []


def test_groups_are_looked_up_once_a_minute(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ann = person("ann")
    for _page in range(3):
        links.for_person([FOR_STAFF], ann)
    assert asked == ["ann"]
    groups.add(groups.create("lycee.example", "Professeurs de maths"), [ann])
    assert links.for_person([FOR_STAFF], ann) == ()
    later = links.time.monotonic() + links.KEPT + 1
    monkeypatch.setattr(links.time, "monotonic", lambda: later)
    assert links.for_person([FOR_STAFF], ann) == (FOR_STAFF,)


def test_no_more_people_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "_MOST", 2)
    for local in ("a", "b", "c"):
        links.for_person([FOR_STAFF], person(local))
    assert len(links._remembered) == 1
