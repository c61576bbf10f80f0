"""What of a message is in somebody's calendar, and who may change it there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.auth_app import add
from tests.support.calendar_ground import calendar_of, put_text
from tests.support.meetings import ONCE
from webmail.calendar import editing, invitations
from webmail.itip import people
from webmail.itip.permission import MailSender, Permission
from webmail.models import User

OURS = ONCE.replace("x.example", "lycee.example")
ME = people.keys(["bob@lycee.example"])


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance") as made:
        for name in ("ann", "bob", "cat"):
            add(f"{name}@lycee.example")
        put_text(calendar_of("bob"), "one", "\r\n".join(["BEGIN:VEVENT", "UID:one", *OURS.split("|"), "END:VEVENT"]))
        yield made


def update() -> str:
    lines = OURS.replace("SEQUENCE:1", "SEQUENCE:2").split("|")
    return "\r\n".join(
        ["BEGIN:VCALENDAR", "VERSION:2.0", "METHOD:REQUEST", "BEGIN:VEVENT", "UID:one", *lines, "END:VEVENT", "END:VCALENDAR", ""]
    )


@pytest.mark.parametrize(
    ("rights", "proven", "expected"),
    [("write", True, "granted"), ("manage", True, "granted"), ("read", True, "unproven"), ("write", False, "unproven"), ("", True, "unproven")],
)  # fmt: skip
def test_a_colleague_with_the_right_to_the_organiser_s_calendar_may_change_it(
    app, rights: str, proven: bool, expected: str
) -> None:
    if rights:
        ground.share(calendar_of("ann"), "cat", rights)
    bob = User.get(User.address == "bob@lycee.example")
    found = invitations.read(update(), editing.calendars(bob), ME, MailSender("cat@lycee.example", proven))
    assert found.single is not None and found.single.permission == Permission(expected)
    assert bool(found.writes) == (expected == "granted") and bool(found.unproven) == (expected == "unproven")


def test_what_is_no_calendar_comes_to_nothing(app) -> None:
    bob = User.get(User.address == "bob@lycee.example")
    for text in ("", "x", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"):
        assert not invitations.read(text, editing.calendars(bob), ME, MailSender("", False)).is_usable
