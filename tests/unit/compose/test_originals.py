"""The original below a draft's text: what it adds to a message, in memory that does not grow with its pictures."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.support.images import picture
from tests.support.outbox import bytes_of
from webmail.compose.attachments import attachments
from webmail.compose.attachments.uploads import FilesGoneError
from webmail.compose.drafts import draft_message, drafts
from webmail.compose.drafts.fields import Fields, fields_of
from webmail.compose.replies import originals
from webmail.mail import Identity
from webmail.mime import builder
from webmail.mime.html import quoted_html
from webmail.models import AttachmentRow

HTML = quoted_html.answered("On Monday, Bob wrote:", '<p>Oui <b>lundi</b></p><img src="cid:1@x" alt="Logo">')
ME = Identity("Alice", "alice@lycee.example")


@pytest.fixture
def draft(alice, settings):
    """A formatted answer with an original that shows one picture, and a file beside it."""
    row = drafts.new(alice, Fields(to="bob@x.example", subject="s", body="Merci **bien**\n", format="markdown"))
    attachments.add_all(row, originals.as_file(HTML), settings, [originals.HTML])
    attachments.add_all(row, [([picture()], "logo.png", "image/png")], settings, ["1@x"])
    attachments.add(row, [b"pdf"], "a.pdf", "application/pdf", settings)
    return row


def test_it_follows_the_text_in_both_forms_and_is_no_attachment(draft, settings):
    written = draft_message.render_body(draft, settings)
    assert quoted_html.found_in(written.html) == HTML and "<strong>bien</strong>" in quoted_html.above(written.html)
    assert written.quoted == "\n\nOn Monday, Bob wrote:\n\n> Oui lundi\n>\n> [Logo]\n"
    assert [(file.filename, file.content_id) for file in written.files] == [("a.pdf", ""), ("logo.png", "1@x")]
    assert list(written.shown) == ["1@x"]
    sent = bytes_of(draft_message.as_draft(draft, ME, settings)).decode()
    assert "Merci **bien**\r\n\r\nOn Monday, Bob wrote:\r\n\r\n> Oui lundi" in sent and "original.html" not in sent


@pytest.mark.parametrize(("flag", "files"), [("\\Answered", ["a.pdf"]), ("$Forwarded", ["a.pdf", "logo.png"])])
def test_in_plain_text_only_a_forward_has_its_pictures(draft, settings, flag, files):
    drafts.update(draft, replace(fields_of(draft), format="", source_flag=flag))
    written = draft_message.render_body(draft, settings)
    assert (written.html, [file.filename for file in written.files]) == ("", files)
    assert "> Oui lundi" in written.quoted and not any(file.content_id for file in written.files)


def test_a_copy_of_the_draft_has_it_too(draft, settings):
    twin = drafts.duplicate(draft, settings)
    assert quoted_html.found_in(draft_message.render_body(twin, settings).html) == HTML
    assert originals.of_draft(twin).pictures[0].content_id == "1@x"


def test_it_goes_with_its_pictures_or_leaves_them(draft, settings):
    attachments.remove_original(drafts.duplicate(draft, settings), settings, keep_pictures=False)
    attachments.remove_original(draft, settings, keep_pictures=True)
    assert [one.filename for one in draft.attachments.order_by(AttachmentRow.id)] == ["logo.png", "a.pdf"]
    assert originals.of_draft(draft) is None and not any(one.content_id for one in draft.attachments)
    attachments.remove_original(draft, settings, keep_pictures=True)  # twice changes nothing


def test_its_words_with_marks_for_its_pictures(draft, settings):
    original = originals.of_draft(draft)
    assert "> ![Logo](logo.png)" in originals.as_text(original, settings, formatted=True)
    assert "> [Logo]" in originals.as_text(original, settings, formatted=False)


def test_a_file_of_the_user_s_own_is_not_taken_for_the_same_picture_in_it(draft, settings):
    one = attachments.add(draft, [picture()], "logo.png", "image/png", settings)
    assert one.content_id is None and one.filename == "logo-2.png"


def test_one_whose_file_is_gone_is_not_sent_silently(draft, settings):
    from webmail.compose.attachments import uploads

    uploads.remove(settings, draft.id, originals.of_draft(draft).page.stored)
    with pytest.raises(FilesGoneError):
        draft_message.as_draft(draft, ME, settings)


def test_large_pictures_are_never_in_memory(draft, settings):
    block = picture() + bytes(1_000_000)
    attachments.add_all(draft, [([block] * 7, "large.png", "image/png")], settings, ["2@x"])
    tracemalloc.start()
    size = sum(len(piece) for piece in builder.pieces(draft_message.as_draft(draft, ME, settings), date=datetime.now(UTC)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 9_000_000 and peak < 6_000_000, (size, peak)
