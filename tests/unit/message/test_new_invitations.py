"""What the worker does with an invitation that arrived: which messages it leaves alone, and as whom it knows their sender."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from webmail.calendar.guests import automatic_answers
from webmail.calendar.guests.automatic_rows import KnownAs
from webmail.calendar.invitations import IncomingEvents
from webmail.config.settings import Settings
from webmail.itip.permission import MailSender
from webmail.mail import Address, Envelope, ListContact, MailingList, Message, Structure, Trace
from webmail.message.arrivals import new_invitations
from webmail.message.trust import SenderPlace, SenderWarning, Trust, TrustLevel, WarningKind
from webmail.mime.headers.authentication import Authentication, Verdict
from webmail.models import User

PROVEN = Authentication(Verdict.GENUINE)
EVE = "eve@elsewhere.example"


def message(**more: object) -> Message:
    envelope = Envelope(sender=(Address("Eve", EVE),), list_id=str(more.pop("list_id", "")))
    return Message("INBOX", 1, 1, frozenset(), 1, datetime.now(UTC), envelope, Structure(), **more)


@pytest.fixture
def taken(monkeypatch):
    calls: list[tuple[MailSender, KnownAs | None]] = []
    monkeypatch.setattr(automatic_answers, "take", lambda _user, _found, sender, who, _settings: calls.append((sender, who)))
    return calls


def arrives(one: Message, trust: Trust) -> None:
    new_invitations.take(User(), IncomingEvents("request"), one, trust, Settings())


@pytest.mark.parametrize(
    "more",
    [{"trace": Trace(bulk=True)}, {"list": MailingList(leave_mail="x@y.z")}, {"list": MailingList(contacts=(ListContact("post"),))},
     {"list_id": "list.example"}],
)  # fmt: skip
def test_lists_bulk_and_automatic_mail_are_left_alone(taken, more):
    arrives(message(**more), Trust(EVE, SenderPlace.OUTSIDE, "contact", authentication=PROVEN))
    assert taken == []


@pytest.mark.parametrize(
    ("trust", "sender", "who"),
    [
        (Trust(EVE, SenderPlace.OUTSIDE, "contact", authentication=PROVEN), MailSender(EVE, True), KnownAs.CONTACT),
        (Trust(EVE, SenderPlace.INSIDE, authentication=PROVEN), MailSender(EVE, True), KnownAs.COLLEAGUE),
        (Trust(EVE, SenderPlace.OUTSIDE, authentication=PROVEN, written=True), MailSender(EVE, True), None),
        (Trust(EVE, SenderPlace.OUTSIDE, "contact"), MailSender(EVE, False), KnownAs.CONTACT),
        (
            Trust(EVE, SenderPlace.INSIDE, authentication=PROVEN, warnings=(SenderWarning(WarningKind.LINK, TrustLevel.DANGER),)),
            MailSender(EVE, False), KnownAs.COLLEAGUE,
        ),
    ],
)  # fmt: skip
def test_who_sent_it_and_as_whom_the_person_knows_them(taken, trust, sender, who):
    arrives(message(), trust)
    assert taken == [(sender, who)]
