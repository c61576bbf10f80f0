"""Messages that Thunderbird and Outlook sent, and scripts of another server, where the samples are beside the checkout."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.meetings import NOON
from webmail.itip import answers, incoming, people
from webmail.itip.distribution import distributed
from webmail.itip.messages import ItipMessage
from webmail.itip.outcome import Effect
from webmail.itip.receiving import receive
from webmail.mime.formats.calendars.component_tree import parsed

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


# --- scripts of who writes what, who is told, and what each then has ---

SCRIPTS = CORPORA / "itip-stalwart"
# Otherwise on purpose: who stays is not told that somebody else left; a guest who is left out keeps the event, with all its
# people, and marked; and who came instead of a guest hears of the end as well.
OTHERWISE = {"rfc5546_event_single.txt": ["expect 7", "get b@example.com 2", "expect 8"]}


def steps(text: str) -> Iterator[tuple[list[str], list[str], str]]:
    """Each command of a script, with what follows it, and the calendar in that."""
    for piece in ("\n" + text).split("\n> ")[1:]:
        first, *rest = piece.split("\n")
        rest = [line for line in rest if not line.startswith("#")]
        body = "\n".join(rest).strip()
        at = body.find("BEGIN:VCALENDAR")
        yield first.split(), rest, body[at:].replace("\n", "\r\n") + "\r\n" if at >= 0 else ""


def essence(text: str) -> list[tuple[object, ...]]:
    """When, whether, and who answered what."""
    return sorted(
        (
            event.value("DTSTART"),
            event.value("STATUS").upper(),
            tuple(sorted((one.key, one.answer) for one in people.guests(event))),
        )
        for event in parsed(text).parts("VEVENT")
    )


def walked(text: str) -> list[str]:
    """The steps of a script that come out otherwise."""
    calendars: dict[str, str] = {}
    leaving: list[ItipMessage] = []
    different, numbers = [], Counter[str]()
    for (command, *words), lines, calendar in steps(text):
        who = words[0] if words else ""
        me, name = people.keys([who]), f"{command} {who}".strip()
        numbers[name] += 1
        if command in ("put", "delete"):
            before, after = calendars.get(who, ""), calendar
            if {people.organizer(one) for one in parsed(before or after).parts("VEVENT")} & me:
                found = distributed(before, after, me, datetime(1997, 6, 1, tzinfo=UTC))
                leaving, calendars[who] = list(found.messages), found.text
            else:
                leaving, calendars[who] = list(answers.left(before, after, me, NOON)), after
        elif command == "send":
            for message in leaving:
                for reader in message.recipients:
                    outcome = receive(calendars.get(reader, ""), incoming.read(message.text)[0], people.keys([reader]))
                    calendars[reader] = outcome.text or calendars.get(reader, "")
            leaving = []
        elif command == "expect":
            wanted = [(one[6:], other[4:].split(", ")) for one, other in pairwise(lines) if one.startswith("from: ")]
            if sorted(wanted) != sorted((one.sender, sorted(one.recipients)) for one in leaving):
                different.append(f"{name} {numbers[name]}")
        elif command == "get" and essence(calendar) != essence(calendars[who]):
            different.append(f"{name} {numbers[name]}")
    return different


@pytest.mark.skipif(not SCRIPTS.is_dir(), reason="no corpora beside the checkout or in TRABOULE_CORPORA")
def test_scripts_of_another_server() -> None:
    found = {path.name: walked(path.read_text()) for path in sorted(SCRIPTS.glob("*.txt"))}
    assert {name: different for name, different in found.items() if different} == OTHERWISE
