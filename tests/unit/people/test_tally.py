"""Who counts as a person in one's mail, and how often."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from webmail.imap.bulk.people import MessagePeople
from webmail.mail import Address
from webmail.people.automatic_senders import is_automatic
from webmail.people.suggestions import tally
from webmail.people.suggestions.tally import Tally

ME = frozenset({"me@lycee.example"})


def mail(
    sender: str = "ann@x.example", to: str = "me@lycee.example", day: int = 1, name: str = "", **more: bool
) -> MessagePeople:
    marks = {"bulk": False, "aside": False, **more}
    return MessagePeople((Address(name, sender),), (Address(name, to),), datetime(2026, 3, day, tzinfo=UTC), **marks)


def test_each_message_counts_once_and_the_newest_name_stays() -> None:
    found = Tally(ME)
    for day, name in ((3, ""), (2, "Ann Lee"), (1, "A. Lee")):  # newest first
        found.add_sent(mail(to="Ann@X.example", day=day, name=name))
    ann = found.people["ann@x.example"]
    assert (ann.name, ann.count, ann.last) == ("Ann Lee", 3, datetime(2026, 3, 3))


def test_a_list_a_newsletter_and_junk_are_nobody() -> None:
    found = Tally(ME)
    for one in (
        mail(bulk=True),
        mail(aside=True),
        mail("no-reply@x.example"),
        mail("me@lycee.example"),
        mail("broken"),
        mail(""),
    ):
        found.add_received(one)
    assert found.people == {}
    found.add_received(mail())
    assert list(found.people) == ["ann@x.example"]


def test_a_draft_in_sent_went_to_nobody() -> None:
    found = Tally(ME)
    found.add_sent(mail(to="ann@x.example", aside=True))
    assert found.people == {}


def test_a_flood_of_addresses_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "MOST", 3)
    found = Tally(ME)
    for number in range(9):
        found.add_received(mail(f"p{number}@x.example"))
    found.add_received(mail("p0@x.example"))
    assert {email: met.count for email, met in found.people.items()} == {
        "p0@x.example": 2, "p1@x.example": 1, "p2@x.example": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "local",
    ["no-reply", "noreply", "no_reply", "donotreply", "do-not-reply", "ne-pas-repondre", "nepasrepondre", "mailer-daemon", "bounce",
     "bounces+123=me", "newsletter", "infolettre", "notifications", "info-noreply", "noreply-2fa", "postmaster", "parents-request",
     "owner-parents", "newsletter+x", "sales.newsletter"],
)  # fmt: skip
def test_nobody_reads_what_is_sent_to_programs(local: str) -> None:
    assert is_automatic(f"{local}@x.example")


@pytest.mark.parametrize(
    "local", ["kari", "info", "contact", "noreen", "jean.notify-dupont", "newson", "direction", "nora.reply", "bot.anne"]
)
def test_people_and_offices_are_somebody(local: str) -> None:
    assert not is_automatic(f"{local}@x.example")
