"""Which files of a draft stand in its text, under which names, and what of it is sent."""

from __future__ import annotations

import re
import struct

import pytest

from tests.support.images import picture
from tests.support.outbox import bytes_of
from webmail.compose.attachments import attachments, inline_images, uploads
from webmail.compose.attachments.uploads import FilesGoneError
from webmail.compose.drafts import draft_message, drafts
from webmail.compose.drafts.fields import Fields, fields_of
from webmail.errors import NoSuchMessageError
from webmail.mail import Identity
from webmail.models import AttachmentRow, Signature

ME = Identity("Alice", "alice@lycee.example")
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"


@pytest.fixture
def draft(alice, settings):
    def make(*files, **fields):
        row = drafts.new(alice, Fields(**{"format": "markdown", **fields}))
        attachments.add_all(row, [([content], name, "image/png") for name, content in files], settings)
        return row

    return make


def names(row):
    return [one.filename for one in row.attachments.order_by(AttachmentRow.id)]


def test_a_picture_in_the_text_is_no_longer_beside_it(draft, settings):
    row = draft(("a.png", picture()), ("b.png", picture(9)), body="![x](a.png) ![x](a.png)")
    made = draft_message.as_draft(row, ME, settings)
    [shown, beside] = made.attachments
    assert re.fullmatch(r"[0-9a-f]{32}@" + re.escape(row.message_id.rpartition("@")[2].rstrip(">")), shown.content_id)
    assert (made.html.count(f'src="cid:{shown.content_id}"'), beside.content_id) == (2, "")
    assert made.text == "[x] [x]"
    assert draft_message.as_draft(row, ME, settings).attachments == made.attachments  # the same each time
    assert draft_message.as_draft(row, ME, settings, lenient=True).text == row.body


def test_in_plain_text_it_stays_a_file(draft, settings):
    row = draft(("a.png", picture()), body="![x](a.png)", format="")
    made = draft_message.as_draft(row, ME, settings)
    assert (made.text, made.html, made.attachments[0].content_id) == (row.body, "", "")


@pytest.mark.parametrize("content", [SVG, b"<html>", b"%PDF-1.7", b"", b"BM" + b"\0" * 60, b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_inside_stands_in_no_text(draft, settings, content):
    row = draft(("a.png", content), body="![x](a.png)")
    made = draft_message.as_draft(row, ME, settings)
    assert "<img" not in made.html
    assert made.attachments[0].content_id == ""
    with pytest.raises(NoSuchMessageError):
        inline_images.load(row, row.attachments.get().id, settings)


def test_a_picture_is_sent_as_what_it_is(draft, settings):
    row = draft(("a.png", b"GIF89a" + struct.pack("<HH", 3, 2) + b"\0" * 20), body="![x](a.png)")
    assert draft_message.as_draft(row, ME, settings).attachments[0].type == "image/gif"


def test_a_photograph_s_size_may_stand_behind_much_else(draft, settings):
    noted = b"".join(b"\xff\xe1" + struct.pack(">H", 65_000) + b"\0" * 64_998 for _ in range(5))
    photo = b"\xff\xd8" + noted + b"\xff\xc0" + struct.pack(">HBHH", 17, 8, 30, 40) + b"\0" * 10 + b"\xff\xda\0\x0c"
    row = draft(("a.jpg", photo), body="![x](a.jpg)")
    assert draft_message.as_draft(row, ME, settings).attachments[0].content_id


def test_two_pictures_of_one_name_get_two_and_the_same_one_is_one(draft, settings):
    row = draft(("image.png", picture(1)), ("image.png", picture(2)), ("image.png", picture(1)), ("image.png", picture(2)))
    assert names(row) == ["image.png", "image-2.png"]
    row = draft(("a.bin", b"1"), ("a.bin", b"2"))
    assert names(row) == ["a.bin", "a.bin"]  # what no text refers to keeps its name


def test_a_name_that_mail_can_t_carry_is_found_anyhow(draft, settings):
    row = draft(('a"b:c.png', picture()), body="![x](a%22b%3Ac.png) ![y](a_b_c.png)")
    assert draft_message.as_draft(row, ME, settings).html.count("<img") == 2


def test_a_file_that_is_gone_is_told_when_it_is_built(draft, settings):
    row = draft(("a.png", picture()), body="![x](a.png)")
    uploads.remove_all(settings, row.id)
    with pytest.raises(FilesGoneError):
        bytes_of(draft_message.as_draft(row, ME, settings))


def test_a_copy_of_a_draft_is_not_the_same_part(draft, settings):
    row = draft(("a.png", picture()), body="![x](a.png)")
    twin = drafts.duplicate(row, settings)
    ids = [draft_message.as_draft(one, ME, settings).attachments[0].content_id for one in (row, twin)]
    assert ids[0] != ids[1]


MARK = "![a](a.png)"
QUOTED = "On Tuesday, Bob wrote:\n> hello\n"


@pytest.mark.parametrize(
    ("body", "after"),
    [
        ("", f"{MARK}\n"),
        ("Bonjour\n", f"Bonjour\n\n{MARK}\n"),
        (f"\n\n{QUOTED}", f"{MARK}\n\n{QUOTED}"),
        (f"Oui.\n\n{QUOTED}", f"Oui.\n\n{MARK}\n\n{QUOTED}"),
        (f"{QUOTED}\nOui.\n", f"{QUOTED}\nOui.\n\n{MARK}\n"),
        ("Oui.\n\n-- \nAlice\n", f"Oui.\n\n{MARK}\n\n-- \nAlice\n"),
        (f"\n\n-- \nAlice\n\n{QUOTED}", f"{MARK}\n\n-- \nAlice\n\n{QUOTED}"),
        (
            "Oui.\n\n---------- Forwarded message ----------\nx\n",
            f"Oui.\n\n{MARK}\n\n---------- Forwarded message ----------\nx\n",
        ),
    ],
)
def test_it_goes_where_one_s_own_text_ends(alice, draft, body, after):
    Signature.create(user=alice, name="s", text="Alice")
    row = draft(("a.png", picture()), format="", body=body)
    fields = inline_images.inserted(fields_of(row), row.attachments.get(), alice)
    assert (fields.body, fields.format) == (after, "markdown")


def test_it_goes_where_the_cursor_is(alice, draft):
    row = draft(("a.png", picture()), body="ab")
    found = [inline_images.inserted(fields_of(row), row.attachments.get(), alice, at).body for at in (1, 2, 3, -1)]
    assert found == [f"a{MARK}b", f"ab{MARK}", f"ab\n\n{MARK}\n", f"ab\n\n{MARK}\n"]
