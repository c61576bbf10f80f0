"""What a draft's copy remembers comes back as it was, and nothing else does."""

import email
import email.policy

import pytest

from tests.unit.compose.test_reply import ME, message
from webmail.compose import correspondents, draft_message, draft_note, drafts, reply
from webmail.compose.fields import Fields, normalised
from webmail.compose.outbox import queue, resend
from webmail.errors import NotAllowed
from webmail.mail import Address, Identity
from webmail.mime import builder
from webmail.models import Correspondent, Outbox

ALICE = Identity("Alice", "alice@lycee.example")
FULL = Fields(
    format="markdown", priority="high", language="pt-BR", read_receipt=True, delivery_receipt=True,
    source_mailbox="École/à trier; format=x", source_uidvalidity=11, source_uid=22, source_flag="\\Answered",
)  # fmt: skip


def copy_of(alice, settings, fields):
    row = drafts.new(alice, fields)
    return draft_message.to_bytes(draft_message.as_draft(row, ALICE, settings, lenient=True), include_bcc=True)


def test_a_copy_remembers_how_it_is_written(alice, settings):
    noted = draft_note.from_header(copy_of(alice, settings, FULL), Fields())
    assert normalised(Fields(**noted)) == FULL


def test_a_copy_of_plain_text_has_nothing_to_remember(alice, settings):
    assert b"X-Traboule" not in copy_of(alice, settings, Fields(body="a"))


def test_a_very_long_folder_name_comes_back_too(alice, settings):
    fields = Fields(source_mailbox="é/" * 300, source_uid=1, source_uidvalidity=1, source_flag="\\Answered")
    noted = draft_note.from_header(copy_of(alice, settings, fields), Fields())
    assert Fields(**noted) == fields


@pytest.mark.parametrize(
    "note",
    ["", "format", "bcc=eve%40x", "body=x; id=3", "source_uid=-1", "source_uid=9" * 30, "read_receipt=yes", "format=%00%0d%0a"],
)
def test_what_is_no_note_changes_nothing(note):
    noted = draft_note.from_header(f"{builder.NOTE}: {note}\r\n\r\n".encode(), Fields())
    assert normalised(Fields(**noted)) == Fields()


def test_what_a_form_can_t_mean_is_not_kept(alice):
    row = drafts.new(alice, Fields(format="html", priority="urgent", language='fr" onload="x'))
    assert (row.format, row.priority, row.language) == ("", "", "")


def test_a_formatted_draft_is_sent_as_text_and_html(alice, settings):
    row = drafts.new(alice, Fields(to="b@x.example", body="**gras**", format="markdown", language="fr"))
    raw = draft_message.to_bytes(draft_message.as_draft(row, ALICE, settings), include_bcc=False)
    html = email.message_from_bytes(raw, policy=email.policy.default).get_body(("html",)).get_content()
    assert '<html lang="fr">' in html
    assert "<strong>gras</strong>" in html


def test_what_leaves_has_no_hidden_recipient_and_no_note(here, alice):
    secret = Fields(to="b@x.example", bcc="eve@x.example", format="markdown", source_mailbox="Geheim", source_uid=7)
    row = drafts.new(alice, secret)
    content = bytes(Outbox.get(Outbox.id == here.enqueue(row).id).content)
    for private in (b"eve@", b"Bcc", b"X-Traboule", b"Geheim"):
        assert private not in content
    assert row.message_id.encode() in content


# --- answers ---------------------------------------------------------------------------------------------------------


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


# --- sent on ---------------------------------------------------------------------------------------------------------


def send_on(alice, settings, identity=None, original=b"From: carl@x.example\r\nTo: dora@x.example\r\n\r\nhello\r\n"):
    me = identity or Identity("Alice", alice.address)
    return resend.send_on(alice, message(), original, me, (Address("Bob", "bob@x.example"),), settings, None)


def test_a_message_sent_on_waits_in_the_outbox(alice, settings):
    row = Outbox.get(Outbox.id == send_on(alice, settings).id)
    assert (row.sender, row.recipients, row.source_flag) == (alice.address, '["bob@x.example"]', "$Forwarded")
    assert bytes(row.content).startswith(b"Resent-From: ")


def test_nobody_sends_on_as_somebody_else(alice, settings):
    with pytest.raises(NotAllowed):
        send_on(alice, settings, Identity("", "headmaster@lycee.example"))


def test_one_has_not_written_to_those_whom_its_author_wrote_to(alice, settings):
    correspondents.note(send_on(alice, settings))
    assert [row.address for row in Correspondent.select()] == ["bob@x.example"]


def test_a_second_click_sends_nothing_on_again(alice, settings):
    def click(form="f", to="bob@x.example"):
        me, original = Identity("Alice", alice.address), b"From: carl@x.example\r\n\r\nhello\r\n"
        return resend.send_on(alice, message(), original, me, (Address("", to),), settings, None, form)

    first = click()
    assert (click().id, Outbox.select().count()) == (first.id, 1)
    queue.undo(alice, first.id)
    again = click()
    assert (again.id, again.state, bytes(again.content)[:13]) == (first.id, "waiting", b"Resent-From: ")
    assert len({first.id, click(to="eve@x.example").id, click(form="g").id}) == 3
