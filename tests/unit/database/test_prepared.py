"""SELECTs whose SQL is built once: what each call supplies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from webmail.database.connection import open_database
from webmail.database.migrate import migrate
from webmail.database.prepared import Prepared, one_of
from webmail.models import User

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
