"""Messages that Thunderbird and Outlook sent, where the samples are beside the checkout."""

from __future__ import annotations

import os
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

from tests.support.meetings import NOON
from webmail.itip import answers, incoming, people
from webmail.itip.outcome import Effect
from webmail.itip.receiving import receive

CORPORA = Path(os.environ.get("TRABOULE_CORPORA", Path(__file__).resolve().parents[4] / "shared" / "corpora"))
FOLDER = CORPORA / "imip-thunderbird"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no corpora beside the checkout or in TRABOULE_CORPORA")


def sample(name: str) -> incoming.IncomingItip:
    message = message_from_bytes((FOLDER / f"{name}.eml").read_bytes())
    part = next(one for one in message.walk() if one.get_content_type() == "text/calendar")
    assert isinstance(part, Message)
    text = part.get_payload(decode=True)
    assert isinstance(text, bytes)
    (found,) = incoming.read(text.decode(), str(part.get_param("method") or ""))
    return found


def receiver(message: incoming.IncomingItip) -> people.Addresses:
    """One of those invited, who is not the organiser."""
    return frozenset(next({guest.key} for guest in people.guests(message.events[0]) if guest.key != message.organizer))


@pytest.mark.parametrize("name", ["single-event", "repeat-event", "teams-meeting-invite", "message-containing-event"])
def test_an_invitation_is_taken_in_and_answered(name: str) -> None:
    message = sample(name)
    new = receive("", message, people.keys(["nobody@example.com"]))
    assert new.effect == Effect.NEW
    if not people.guests(message.events[0]):
        return
    me = receiver(message)
    found = answers.answered(receive("", message, me).text, "", me, "accepted", NOON)
    assert [one.method for one in found.messages] == ["REPLY"]
    assert people.keys(found.messages[0].recipients) == {message.organizer}
    assert answers.own_answer(found.text, me) == "accepted"


def test_an_update_and_a_cancellation_of_it() -> None:
    first = sample("single-event")
    me = receiver(first)
    there = receive("", first, me).text
    newer = receive(there, sample("update-minor"), me)
    assert newer.effect == Effect.CHANGED
    assert receive(newer.text, sample("cancel-single-event"), me).effect == Effect.CANCELLED


def test_one_of_a_series_is_changed() -> None:
    first = sample("repeat-event")
    found = receive(receive("", first, receiver(first)).text, sample("exception-minor"), receiver(first))
    assert (found.effect, len(found.at)) == (Effect.CHANGED, 1)
