"""Two people and a telephone, one room, one instant, each in a process of its own: one of them has it, in each round.

20 rounds; `ROOM_ROUNDS=200` makes as many as one wants.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from tests.support import calendar_ground as ground
from tests.support.postgresql import fresh_database, server_url
from tests.support.rooms import booked, day, room
from webmail.auth.devices import app_passwords
from webmail.models import User

ROOT = Path(__file__).resolve().parents[3]
ROUNDS = int(os.environ.get("ROOM_ROUNDS", "20"))
RIVALS = (("browser", "alice"), ("browser", "bob"), ("phone", "carol"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield ""
    elif not server_url():
        pytest.skip("no PostgreSQL here")
    else:
        with fresh_database() as url:
            yield url


def said(pipe: IO[str] | None) -> str:
    assert pipe is not None
    return pipe.readline().strip()


def tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def test_one_of_those_who_want_a_room_at_one_instant_has_it(database: str, tmp_path: Path) -> None:
    settings = {"database_url": database} if database else {}
    with ground.application(tmp_path / "instance", **settings):
        for _kind, person in RIVALS:
            ground.add(f"{person}@lycee.example")
        secret, _row = app_passwords.add(User.get(User.address == "carol@lycee.example"), "Phone", ("caldav",))
        wanted = room()
        command = [sys.executable, "-m", "tests.support.room_rival"]
        rivals = [
            subprocess.Popen(
                [*command, kind, str(tmp_path / "instance"), database, person, secret, wanted.address], cwd=ROOT, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )
            for kind, person in RIVALS
        ]  # fmt: skip
        outcomes: Counter[tuple[bool, ...]] = Counter()
        try:
            for number in range(ROUNDS):
                for one in rivals:
                    tell(one, f"{day(7 + number // 10)} {8 + number % 10:02}")
                assert [said(one.stdout) for one in rivals] == ["ready"] * 3
                for one in rivals:
                    tell(one, "")
                outcomes[tuple(said(one.stdout) == "has" for one in rivals)] += 1
        finally:
            for one in rivals:
                one.kill()
                one.communicate()
        print(dict(outcomes))  # who was first how often, for whoever wants to see it (-s)
        assert {sum(each) for each in outcomes} == {1}
        assert len(booked(wanted)) == ROUNDS
