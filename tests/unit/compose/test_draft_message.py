"""The message made of a draft."""

import email
import email.policy

import pytest

from tests.support.outbox import bytes_of
from webmail.compose.attachments import attachments, uploads
from webmail.compose.attachments.uploads import FilesGoneError
from webmail.compose.drafts import draft_message, drafts
from webmail.compose.drafts.fields import Fields
from webmail.errors import BadAddressError
from webmail.mail import Identity
from webmail.models import Outbox

ALICE = Identity("Alice", "alice@lycee.example")


def test_a_formatted_draft_is_sent_as_text_and_html(alice, settings):
    row = drafts.new(alice, Fields(to="b@x.example", body="**gras**", format="markdown", language="fr"))
    raw = bytes_of(draft_message.as_draft(row, ALICE, settings))
    html = email.message_from_bytes(raw, policy=email.policy.default).get_body(("html",)).get_content()
    assert '<html lang="fr">' in html
    assert "<strong>gras</strong>" in html


def test_what_leaves_has_no_hidden_recipient_and_no_note(here, alice):
    secret = Fields(to="b@x.example", bcc="eve@x.example", format="markdown", source_mailbox="Geheim", source_uid=7)
    row = drafts.new(alice, secret)
    content = bytes(Outbox.get(Outbox.id == here.enqueue(row).id).content)
    for private in (b"eve@", b"Bcc", b"X-Traboule-Draft", b"Geheim"):
        assert private not in content
    assert row.message_id.encode() in content


def test_a_bad_address_is_named(alice, settings):
    row = drafts.new(alice, Fields(to="bob@x.example, no address at all"))
    with pytest.raises(BadAddressError) as raised:
        draft_message.as_draft(row, ALICE, settings)
    assert "no address at all" in raised.value.value
    assert [a.email for a in draft_message.as_draft(row, ALICE, settings, lenient=True).to] == ["bob@x.example"]


def test_a_file_that_vanished_is_told(alice, settings):
    row = drafts.new(alice, Fields(to="bob@x.example"))
    attachments.add(row, [b"x"], "a", "", settings)
    uploads.remove_all(settings, row.id)
    with pytest.raises(FilesGoneError):
        bytes_of(draft_message.as_draft(row, ALICE, settings))
