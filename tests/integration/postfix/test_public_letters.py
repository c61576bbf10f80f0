"""Letters to people outside, of appointments and polls, by the real Postfix into a mailbox: each arrives, whole, with its calendar file."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from flask import Flask

from tests.support.poll_pages import link_of, new_poll, vote
from tests.support.visits import Visitor
from tests.support.worker import jobs_of
from webmail.models import AppointmentOffer, AppointmentSlot, SystemMessage

CONFIRM = "main form:has([value=confirm])"


@pytest.fixture
def letter(app: Flask, imap_of, arrives) -> Callable[..., EmailMessage]:
    """`letter(address, words)`: what arrives with these words in its subject, once the worker has sent what waits."""

    def read(address: str, *words: str) -> EmailMessage:
        for row in list(SystemMessage.select(SystemMessage.id).where(SystemMessage.recipient == address)):
            jobs_of(app).deliver_system_mail(row.id)
        client = imap_of(address)
        uid = arrives(client, ["SUBJECT", *words])
        found: Any = message_from_bytes(client.fetch([uid], ["BODY[]"])[uid][b"BODY[]"], policy=policy.default)
        return found  # type: ignore[no-any-return]

    return read


def text_of(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def private(letter: EmailMessage) -> str:
    found = re.search(r"http://localhost:\d+(/\S+)", text_of(letter))
    assert found
    return found[1]


def event_in(letter: EmailMessage) -> str:
    return next(str(one.get_content()) for one in letter.walk() if one.get_content_type() == "text/calendar")


def test_each_letter_of_an_appointment_arrives(app: Flask, make_account, letter) -> None:
    host, eve, fay = Visitor(app, make_account("host")).sign_in(), make_account("eve"), make_account("fay")
    day = (date.today() + timedelta(days=20)).isoformat()
    fields = {"title": "Été & réunion", "date": day, "from": "17:00", "until": "17:30", "length": "15"}
    page = host.submit(host.get("/appointments/new"), "#offer-form", **fields)
    link = "/a/" + str(page.one("[data-public-link]")["data-public-link"]).rpartition("/")[2]
    offer = AppointmentOffer.select().order_by(AppointmentOffer.id.desc()).get()
    slots = [one.id for one in AppointmentSlot.select().where(AppointmentSlot.offer == offer).order_by(AppointmentSlot.start)]
    outsider = Visitor(app, language="en")
    mine = {}
    for who, slot in ((eve, slots[0]), (fay, slots[1])):
        outsider.submit(outsider.get(link), "#booking", slot=str(slot), name="Ève", address=who)
        asked = letter(who, "Confirm your appointment")
        assert asked["Reply-To"] == host.address and "Auto-Submitted" in asked
        mine[who] = private(asked)
        outsider.submit(outsider.get(mine[who]), CONFIRM, action="confirm")
        told = letter(who, "Appointment:", "NOT", "SUBJECT", "Confirm")
        assert "SUMMARY:Été & réunion" in event_in(told) and private(told) == mine[who]
    outsider.post(mine[fay], {"action": "earlier"})
    outsider.post(mine[eve], {"action": "cancel"})
    assert "METHOD:CANCEL" in event_in(letter(eve, "Cancelled"))
    jobs_of(app).context = app.app_context
    jobs_of(app).do("appointments")
    assert private(letter(fay, "earlier time is free")) == mine[fay]
    outsider.post(mine[fay], {"action": "move", "slot": str(slots[0])})
    moved = letter(fay, "New time")
    assert "SEQUENCE:1" in event_in(moved) and "17:00" in text_of(moved)


def test_the_private_link_of_a_poll_arrives(app: Flask, make_account, letter) -> None:
    host, zoe = Visitor(app, make_account("host")).sign_in(), make_account("zoe")
    outsider = Visitor(app, language="en")
    page = vote(outsider, link_of(new_poll(host, title="Conseil")), "yes", address=zoe)
    private_path = page.address.partition("?")[0]
    assert private(letter(zoe, "Conseil")).partition("?")[0] == private_path
