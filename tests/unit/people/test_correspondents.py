"""Whom one has written to."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from webmail.mail import Address
from webmail.models import Correspondent, Outbox, User
from webmail.people import correspondents

HEAD = b"From: alice@lycee.example\r\nTo: Ann <Ann@Far.example>, bob@far.example\r\nCc: =?utf-8?Q?Zo=C3=A9?= <zoe@far.example>\r\n\r\nText"


def row(alice: User, **more: object) -> Outbox:
    values = {"sender": alice.address, "content": HEAD, "refused": "{}", **more}
    return Outbox(user=alice, draft="d", message_id="<1@x>", recipients="[]", **values)


def known() -> dict[str, tuple[str, int]]:
    return {one.address: (one.name, one.count) for one in Correspondent.select()}


def test_all_recipients_are_counted_once_for_each_message(alice: User) -> None:
    correspondents.note(row(alice), (Address("", "secret@far.example"), Address("", "ann@far.example")))
    assert known() == {
        "ann@far.example": ("Ann", 1), "bob@far.example": ("", 1), "zoe@far.example": ("Zoé", 1), "secret@far.example": ("", 1),
    }  # fmt: skip
    Correspondent.update(last=datetime(2020, 1, 1)).execute()
    correspondents.note(row(alice, content=b"To: ANN@far.example\r\n\r\n"))
    assert known()["ann@far.example"] == ("Ann", 2)
    assert Correspondent.get(Correspondent.address == "ann@far.example").last.year > 2020


def test_who_was_refused_was_not_written_to(alice: User) -> None:
    correspondents.note(row(alice, refused=json.dumps({"bob@far.example": "550 no"})))
    assert "bob@far.example" not in known()


@pytest.mark.parametrize("more", [{"sender": ""}, {"content": b""}, {"content": b"To: \xff\r\n\r\n"}])
def test_machines_and_nonsense_know_nobody(alice: User, more: dict[str, object]) -> None:
    correspondents.note(row(alice, **more))
    assert all("@" not in address for address in known())


def test_everybody_has_their_own(alice: User, bob: User) -> None:
    correspondents.note(row(alice))
    correspondents.note(row(bob))
    assert Correspondent.select().where(Correspondent.user == bob).count() == 3
    bob.delete_instance()
    assert Correspondent.select().count() == 3
