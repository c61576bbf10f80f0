"""Queries whose SQL is built once: what each call supplies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import peewee as pw
import pytest

from webmail.database.connection import open_database
from webmail.database.migrate import migrate
from webmail.database.prepared import Prepared, PreparedInsert, one_of
from webmail.models import AuditEntry, DraftRow, Session, User, now

_names = Prepared(lambda slot: User.select(User.address).where(one_of(User.id, "numbers"), User.active == slot("active")))


@pytest.fixture
def numbers(empty_database: str) -> Iterator[list[int]]:
    opened = open_database(empty_database)
    migrate()
    with opened.connection_context():
        yield [User.create(address=f"{name}@x.example", local=name, domain="x.example").id for name in "abc"]
    opened.close()


def test_each_call_has_its_numbers(numbers):
    assert sorted(_names.plain(numbers=numbers[:2], active=1)) == [("a@x.example",), ("b@x.example",)]
    assert [row.address for row in _names(numbers=numbers[2:], active=1)] == ["c@x.example"]
    assert _names.plain(numbers=[], active=1) == _names.plain(numbers=numbers, active=0) == []


def test_numbers_are_numbers(numbers):
    with pytest.raises(ValueError, match="invalid literal"):
        _names.plain(numbers=["1) OR (1=1"], active=1)


_renamed = Prepared(lambda slot: User.update(name=slot("name")).where(User.id == slot("number")))


def test_a_change_says_how_many_rows_it_changed(numbers):
    assert _renamed.change(number=numbers[0], name="Ada") == 1
    assert _renamed.change(number=0, name="Nobody") == 0
    assert [row.name for row in User.select().order_by(User.id)] == ["Ada", "", ""]


def test_a_row_is_made_as_create_makes_it(numbers):
    """With defaults of now, numbers of its own or a given one, and what belongs to it."""
    made, drafted = PreparedInsert(AuditEntry), PreparedInsert(DraftRow)
    user = User.get_by_id(numbers[0])
    first, second = (made(actor=user, act=act, target="é \0") for act in ("sign-in", "sign-out"))
    usual = AuditEntry.create(actor=user, act="sign-in", target="é \0")
    assert first.id < second.id < usual.id
    assert (first.actor, first.is_dirty()) == (user, False)
    rows = [{**row, "id": 0, "at": 0} for row in AuditEntry.select().where(AuditEntry.act == "sign-in").dicts()]
    assert rows[0] == rows[1]
    assert AuditEntry.get_by_id(first.id).at == first.at <= second.at
    assert drafted(id="f" * 32, user=user, message_id="<1@x>").id == "f" * 32
    assert DraftRow.get().credential is None


def _session_of(number: int) -> Session:
    return Session.create(id_hash=f"h{number}", user=number, data="{}", seen=now(), created=now(), pending=False, network="n")


QUERIES: list[Any] = [
    lambda slot: User.select().where(User.id >= slot("least")).order_by(User.id),
    lambda slot: Session.select(Session, User).join(User).where(User.id >= slot("least")).order_by(User.id),
    lambda slot: Session.select(Session.id_hash, Session.user).where(Session.user >= slot("least")).order_by(Session.user),
    lambda slot: Session.select(Session.data, User.address).join(User).where(User.id >= slot("least")).order_by(User.id),
    lambda slot: (
        User.select(User, Session)
        .join(Session, pw.JOIN.LEFT_OUTER, attr="visit")
        .where(User.id >= slot("least"))
        .order_by(User.id)
    ),
    lambda slot: (
        User.select(User.address, pw.fn.LENGTH(User.local).alias("long")).where(User.id >= slot("least")).order_by(User.id)
    ),
]


@pytest.mark.parametrize("query", QUERIES)
def test_rows_become_the_objects_that_peewee_makes(numbers: list[int], query: Any) -> None:
    for number in numbers[:2]:
        _session_of(number)
    rows, expected = Prepared(query)(least=numbers[0]), list(query(lambda _name: numbers[0]))
    assert [_all_of(one) for one in rows] == [_all_of(one) for one in expected] != []
    assert not any(one.dirty_fields for one in rows)


def _all_of(row: Any) -> Any:
    """The values, types and joined rows of one."""
    if not isinstance(row, pw.Model):
        return row
    beside = {name: _all_of(value) for name, value in vars(row).items() if name not in ("__data__", "__rel__", "_dirty")}
    return type(row), dict(row.__data__), {name: _all_of(one) for name, one in row.__rel__.items()}, beside
