"""Who gets an answer, what it quotes, and which thread it belongs to."""

from datetime import UTC, datetime

import pytest

from webmail.compose.replies import reply
from webmail.mail import Address, Envelope, Identity, Message, Structure

ME = Identity("Alice", "alice@x.example")
ALICE, BOB, CARL, DORA, LIST = (Address(n, f"{n.lower()}@x.example") for n in ("Alice", "Bob", "Carl", "Dora", "List"))
WHEN = datetime(2026, 11, 24, tzinfo=UTC)


def message(**envelope):
    given = {"sender": (BOB,), "to": (ALICE,), "subject": "Sortie", "message_id": "<3@x>", "sent": WHEN, **envelope}
    return Message("INBOX", 11, 22, frozenset(), 100, WHEN, Envelope(**given), Structure())


def answer(everyone=False, quoted="hello", **envelope):
    return reply.reply(message(**envelope), ME, "On Tuesday, Bob wrote:", quoted, everyone=everyone)


def test_an_answer_goes_to_the_sender():
    assert answer(to=(ALICE, CARL)).to == "Bob <bob@x.example>"
    assert answer(to=(ALICE, CARL)).cc == ""


def test_reply_to_is_respected():
    assert answer(reply_to=(LIST, CARL)).to == "List <list@x.example>, Carl <carl@x.example>"


def test_everyone_but_me_and_nobody_twice():
    shouting = Address("ALICE", "Alice@X.EXAMPLE")
    fields = answer(everyone=True, to=(shouting, CARL, BOB), cc=(DORA, CARL))
    assert fields.to == "Bob <bob@x.example>"
    assert fields.cc == "Carl <carl@x.example>, Dora <dora@x.example>"


def test_writing_on_to_one_s_own_message():
    fields = answer(sender=(ALICE,), to=(BOB, CARL), cc=(DORA,))
    assert (fields.to, fields.cc) == ("Bob <bob@x.example>, Carl <carl@x.example>", "")
    assert answer(everyone=True, sender=(ALICE,), to=(BOB,), cc=(DORA, ALICE)).cc == "Dora <dora@x.example>"


def test_a_note_to_myself_can_be_answered():
    assert answer(sender=(ALICE,), to=(ALICE,)).to == "Alice <alice@x.example>"
    assert answer(sender=(ALICE,), to=()).to == "Alice <alice@x.example>"


def test_a_message_without_a_sender_leaves_the_field_empty():
    assert answer(sender=()).to == ""


def test_the_thread_goes_on():
    fields = answer(references=("<1@x>", "<2@x>"), in_reply_to=("<2@x>",))
    assert fields.in_reply_to == "<3@x>"
    assert fields.references == "<1@x> <2@x> <3@x>"


def test_a_parent_without_references_gives_its_own_parent_when_there_is_one():
    assert answer(in_reply_to=("<2@x>",)).references == "<2@x> <3@x>"
    assert answer(in_reply_to=("<1@x>", "<2@x>")).references == "<3@x>"
    assert answer(message_id="").references == ""


def test_a_long_thread_stays_bounded():
    ids = tuple(f"<{i}@x>" for i in range(500))
    assert len(answer(references=ids).references.split()) == 30


def test_prefixes_do_not_pile_up():
    assert answer().subject == "Re: Sortie"
    assert answer(subject="Re: Sortie").subject == "Re: Sortie"
    assert reply.forward_inline(message(subject="Fwd: Sortie"), "h", "t").subject == "Fwd: Sortie"
    assert reply.forward_attached(message()).subject == "Fwd: Sortie"


def test_the_text_is_quoted_below_the_attribution():
    assert answer(quoted="one\n\n> two").body.strip().split("\n") == ["On Tuesday, Bob wrote:", "> one", ">", ">> two"]


def test_the_original_will_be_marked():
    fields = answer()
    assert (fields.source_mailbox, fields.source_uidvalidity, fields.source_uid, fields.source_flag) == (
        "INBOX",
        11,
        22,
        "\\Answered",
    )
    assert reply.forward_attached(message()).source_flag == "$Forwarded"


@pytest.mark.parametrize(
    ("place", "body"),
    [("below", "\n\nBob wrote:\n> hello\n"), ("above", "Bob wrote:\n> hello\n\n"), ("none", "")],
)
def test_the_quotation_stands_where_one_wants_it(place, body):
    assert reply.reply(message(), ME, "Bob wrote:", "hello", quote=place).body == body


def test_an_answer_to_the_list_goes_to_the_list_alone():
    fields = reply.reply(message(list_post="club@x.example", cc=(Address("", "d@x.example"),)), ME, "", "", to_list=True)
    assert (fields.to, fields.cc) == ("club@x.example", "")
    assert fields.in_reply_to == "<3@x>"
    assert reply.reply(message(), ME, "", "", to_list=True).to == "Bob <bob@x.example>"
