"""Answers to invitations, and other times: what is stored, what leaves, from which address."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.support.calendar_texts import calendar, times
from tests.support.meetings import ANN, BOB, CAT, MALLORY, MOVED, NOON, ONCE, SERIES, answer
from webmail.itip import answers, incoming, people, proposals
from webmail.itip.outcome import Effect
from webmail.itip.receiving import receive
from webmail.mime.formats.recurrence.series import CannotChangeError


def test_an_answer_leaves_from_the_address_that_was_invited() -> None:
    me = people.keys(["robert@x.example", "BOB@X.example"])
    found = answers.answered(calendar(ONCE), "", me, "accepted", NOON, "Oui !")
    assert answer(found.text, "bob") == "accepted"
    (sent,) = found.messages
    assert (sent.method, sent.sender, sent.recipients) == ("REPLY", "bob@x.example", ("ann@x.example",))
    assert sent.text.count("ATTENDEE") == 1
    for line in ("METHOD:REPLY", "COMMENT:Oui !", "SEQUENCE:1", "DTSTAMP:20261201T120000Z", "BEGIN:VTIMEZONE"):
        assert line in sent.text
    got = receive(calendar(ONCE), incoming.read(sent.text)[0], ANN)
    assert (got.effect, got.comment, answer(got.text, "bob")) == (Effect.ANSWERED, "Oui !", "accepted")


def test_an_answer_to_one_of_a_series_and_then_to_all() -> None:
    one = answers.answered(calendar(SERIES), "20261215T090000", BOB, "declined", NOON)
    assert one.messages[0].at == ("20261215T090000",)
    assert len(times(one.text)) == 10
    whole = answers.answered(one.text, "", BOB, "accepted", NOON)
    assert (answer(whole.text, "bob"), answer(whole.text, "bob", 1)) == ("accepted", "declined")
    assert answers.own_answer(whole.text, BOB, "20261215T090000") == "declined"
    assert answers.own_answer(whole.text, BOB, "20261222T090000") == answers.own_answer(whole.text, BOB) == "accepted"
    there = calendar(SERIES)
    for message in (*one.messages, *whole.messages):
        there = receive(there, incoming.read(message.text)[0], ANN).text
    assert (answer(there, "bob"), answer(there, "bob", 1)) == ("accepted", "declined")


def test_an_answer_to_all_is_one_to_the_changed_ones_too() -> None:
    found = answers.answered(calendar(SERIES, MOVED), "", BOB, "tentative", NOON)
    assert found.messages[0].text.count("PARTSTAT=TENTATIVE") == 2


def test_nobody_answers_who_is_not_invited() -> None:
    with pytest.raises(answers.NotInvitedError):
        answers.answered(calendar(ONCE), "", MALLORY, "accepted", NOON)
    assert answers.invited_as(calendar(ONCE), MALLORY) == ""
    with pytest.raises(CannotChangeError):
        answers.answered(calendar(SERIES), "20261216T090000", BOB, "accepted", NOON)


@pytest.mark.parametrize(("agent", "leaves"), [("SERVER", 1), ("CLIENT", 0), ("NONE", 0), ("X-OTHER", 0)])
def test_an_organiser_whose_program_is_told_otherwise_gets_no_mail(agent: str, leaves: int) -> None:
    there = calendar(ONCE.replace("ORGANIZER", f"ORGANIZER;SCHEDULE-AGENT={agent}"))
    found = answers.answered(there, "", BOB, "accepted", NOON)
    assert len(found.messages) == leaves
    assert "SCHEDULE-AGENT" not in "".join(one.text for one in found.messages)
    assert answer(found.text, "bob") == "accepted"


def test_another_time_is_proposed_and_taken_or_declined() -> None:
    start, end = datetime(2026, 12, 8, 14), datetime(2026, 12, 8, 15)
    found = answers.proposed(calendar(ONCE), "", BOB, start, end, NOON, "Plus tard ?")
    assert found.text == calendar(ONCE)
    sent = incoming.read(found.messages[0].text)[0]
    assert receive(calendar(ONCE), sent, ANN).effect == Effect.PROPOSED
    assert times(proposals.taken(calendar(ONCE), sent)) == ["2026-12-08 14:00 Conseil"]
    (refusal,) = proposals.declined(calendar(ONCE), sent, NOON, "Non")
    assert (refusal.method, refusal.recipients) == ("DECLINECOUNTER", ("bob@x.example",))
    assert receive(calendar(ONCE), incoming.read(refusal.text)[0], BOB).effect == Effect.REFUSED


def test_another_time_for_one_of_a_series() -> None:
    found = answers.proposed(
        calendar(SERIES), "20261215T090000", BOB, datetime(2026, 12, 15, 11), datetime(2026, 12, 15, 12), NOON
    )
    there = proposals.taken(calendar(SERIES), incoming.read(found.messages[0].text)[0])
    assert times(there)[:3] == ["2026-12-08 09:00 Conseil", "2026-12-15 11:00 Conseil", "2026-12-22 09:00 Conseil"]


def test_outlook_lets_organisers_forbid_other_times() -> None:
    there = calendar(f"{ONCE}|X-MICROSOFT-DISALLOW-COUNTER:TRUE")
    assert not answers.may_propose(there)
    with pytest.raises(answers.NotInvitedError):
        answers.proposed(there, "", BOB, datetime(2026, 12, 8, 14), datetime(2026, 12, 8, 15), NOON)


def test_what_was_answered_or_deleted_on_a_telephone() -> None:
    before = calendar(ONCE)
    after = answers.answered(before, "", CAT, "accepted", NOON).text
    assert [one.sender for one in answers.left(before, after, CAT, NOON)] == ["cat@x.example"]
    assert answers.left(after, after.replace("Conseil", "C."), CAT, NOON) == ()
    (refusal,) = answers.left(after, "", CAT, NOON)
    assert "PARTSTAT=DECLINED" in refusal.text
    declined = answers.answered(before, "", CAT, "declined", NOON).text
    assert answers.left(declined, "", CAT, NOON) == answers.left(before, "", ANN, NOON) == ()


def test_somebody_is_sent_instead() -> None:
    after = calendar(
        ONCE.replace("CN=Bob;PARTSTAT=NEEDS-ACTION", 'CN=Bob;DELEGATED-TO="mailto:dan@x.example";PARTSTAT=DELEGATED')
    )
    told, invitation = answers.left(calendar(ONCE), after, BOB, NOON)
    assert (told.method, told.recipients) == ("REPLY", ("ann@x.example",))
    assert (invitation.method, invitation.sender, invitation.recipients) == ("REQUEST", "bob@x.example", ("dan@x.example",))
    there = receive(calendar(ONCE), incoming.read(told.text)[0], ANN).text
    assert answer(there, "bob") == "delegated"
    line = 'ATTENDEE;DELEGATED-FROM="mailto:bob@x.example":mailto:dan@x.example'
    dan = answers.answered(calendar(f"{ONCE}|{line}"), "", people.keys(["dan@x.example"]), "accepted", NOON)
    assert dan.messages[0].recipients == ("ann@x.example", "bob@x.example")
    assert answer(receive(there, incoming.read(dan.messages[0].text)[0], ANN).text, "dan") == "accepted"


def test_whom_i_send_is_named_to_the_organiser_and_invited_by_me() -> None:
    """RFC 5546, 3.2.2.3 and 4.2.6."""
    sent = answers.delegated(calendar(ONCE), "", BOB, "Dan@x.example", NOON, "Je suis absent")
    told, invitation = sent.messages
    lines = [line for line in told.text.replace("\r\n ", "").split("\r\n") if line.startswith("ATTENDEE")]
    assert (
        len(lines) == 2
        and 'DELEGATED-TO="mailto:Dan@x.example"' in lines[0]
        and 'DELEGATED-FROM="mailto:bob@x.example"' in lines[1]
    )
    assert told.recipients == ("ann@x.example",) and invitation.recipients == ("Dan@x.example",)
    there = receive(calendar(ONCE), incoming.read(told.text)[0], ANN).text
    assert (answer(there, "bob"), answer(there, "dan"), answer(there, "cat")) == ("delegated", "needs-action", "needs-action")
    dan = people.keys(["dan@x.example"])
    theirs = receive("", incoming.read(invitation.text)[0], dan).text
    assert answers.sent_by(theirs, dan) == "bob@x.example"
    reply = answers.answered(theirs, "", dan, "declined", NOON).messages[0]
    assert reply.recipients == ("ann@x.example", "bob@x.example")
    assert answer(receive(there, incoming.read(reply.text)[0], ANN).text, "dan") == "declined"


@pytest.mark.parametrize(
    "nobody",
    ["bob@x.example", "ann@x.example", "", "x", "a b@x.example", "a@x.example\r\nX:1", "a@b@c", "é" * 300 + "@x.example"],
)
def test_nobody_can_be_sent_who_organises_it_or_is_no_address(nobody: str) -> None:
    with pytest.raises(answers.NotInvitedError):
        answers.delegated(calendar(ONCE), "", BOB, nobody, NOON)


def test_coming_after_all_takes_back_whom_i_sent() -> None:
    sent = answers.delegated(calendar(ONCE), "", BOB, "dan@x.example", NOON)
    back = answers.answered(sent.text, "", BOB, "accepted", NOON)
    assert "dan@x.example" not in back.text and "DELEGATED" not in back.text and len(back.messages) == 1
    there = receive(calendar(ONCE), incoming.read(sent.messages[0].text)[0], ANN).text
    assert "dan@x.example" not in receive(there, incoming.read(back.messages[0].text)[0], ANN).text


def test_nobody_who_is_invited_already_is_sent() -> None:
    with pytest.raises(answers.AlreadyInvitedError):
        answers.delegated(calendar(ONCE), "", BOB, "Cat@x.example", NOON)
    sent = answers.delegated(calendar(ONCE), "", BOB, "dan@x.example", NOON)
    assert answers.delegated(sent.text, "", BOB, "dan@x.example", NOON).text, "whom I sent before may be sent again"
