"""Formatted signatures: their two forms in a text, their picture, and what of both is sent."""

from __future__ import annotations

import email
import email.policy
import io
from dataclasses import replace

import pytest
from PIL import Image

from tests.support.outbox import bytes_of
from webmail.compose import identities, removed, send_checks, signatures
from webmail.compose.attachments import attachments
from webmail.compose.drafts import draft_message, drafts
from webmail.compose.drafts.fields import Fields
from webmail.mail import Identity
from webmail.models import Signature, WritingIdentity

ALICE = Identity("Alice", "alice@lycee.example")
MARKDOWN = "**Alice Martin**\n[Lycée](https://lycee.example/)\n\n- maths\n- physique"
PLAIN = "Alice Martin\nLycée <https://lycee.example/>\n\n- maths\n- physique"
QUOTE = "\n\nOn Monday, Bob wrote:\n> Hello\n> you\n"


def picture(side=64, kind="PNG", **more):
    Image.effect_noise((side, side), 60).convert("RGB").save(into := io.BytesIO(), kind, **more)
    return into.getvalue()


@pytest.fixture
def formatted(alice):
    return Signature.create(user=alice, name="Lycée", text=MARKDOWN, format="markdown")


@pytest.fixture
def identity(alice, formatted):
    return WritingIdentity.create(user=alice, name="Alice", address="alice@lycee.example", signature=formatted)


def sent(row, settings):
    raw = bytes_of(draft_message.as_draft(row, ALICE, settings))
    return email.message_from_bytes(raw, policy=email.policy.default)


def begun(identity, wanted, body=QUOTE):
    return identities.begun(Fields(to="b@x.example", subject="Hi", body=body, format=wanted), identity)


class TestForms:
    def test_a_message_begins_with_the_form_of_its_format(self, identity):
        assert begun(identity, "markdown").body == f"\n\n-- \n{MARKDOWN}\n{QUOTE[1:]}"
        assert begun(identity, "").body == f"\n\n-- \n{PLAIN}\n{QUOTE[1:]}"

    def test_both_forms_are_recognised_and_replaced(self, alice, identity):
        other = Signature.create(user=alice, name="Short", text="A.")
        own = signatures.of_user(alice)
        for wanted in ("markdown", ""):
            fields = begun(identity, wanted)
            assert identities.signature_in(fields.body, own) == identity.signature.id
            assert identities.unsigned(fields.body, alice).strip() == QUOTE.strip()
            swapped = identities.signed_with(fields, other, identity)
            assert "-- \nA.\n" in swapped.body and "Alice" not in swapped.body
            assert identities.signed_with(swapped, identity.signature, identity).body == fields.body

    def test_another_identity_takes_its_place_in_either_form(self, alice, identity):
        bare = WritingIdentity.create(user=alice, name="Alice", address="alice@lycee.example", signature=None)
        for wanted in ("markdown", ""):
            assert "Alice" not in identities.changed(begun(identity, wanted, "Hi"), identity, bare).body

    def test_the_same_words_are_never_someone_elses(self, bob, identity):
        assert identities.signature_in(begun(identity, "").body, signatures.of_user(bob)) is None


class TestSent:
    @pytest.mark.parametrize("written_as", ["markdown", ""])
    @pytest.mark.parametrize("above", [True, False])
    def test_a_formatted_message_has_it_formatted_in_html_and_plain_in_text(self, alice, identity, settings, written_as, above):
        """Also where the format was chosen after the signature was there."""
        identity.signature_above = above
        fields = replace(begun(identity, written_as), format="markdown")
        message = sent(drafts.new(alice, fields), settings)
        html, text = (message.get_body((kind,)).get_content() for kind in ("html", "plain"))
        assert "<strong>Alice Martin</strong>" in html and '<a href="https://lycee.example/">Lycée</a>' in html
        assert html.index("Alice Martin") < html.index("Hello") if above else html.index("Alice Martin") > html.index("Hello")
        assert f"-- \n{PLAIN}" in text.replace("\r\n", "\n") and "**" not in text

    @pytest.mark.parametrize("written_as", ["markdown", ""])
    def test_a_plain_message_has_it_plain(self, alice, identity, settings, written_as):
        fields = replace(begun(identity, written_as), format="")
        message = sent(drafts.new(alice, fields), settings)
        assert message.get_content_type() == "text/plain"
        assert PLAIN in message.get_content().replace("\r\n", "\n")

    def test_the_copy_in_drafts_keeps_what_was_typed(self, alice, identity, settings):
        row = drafts.new(alice, begun(identity, "markdown"))
        assert draft_message.as_draft(row, ALICE, settings, lenient=True).text == row.body

    def test_a_plain_signature_stays_as_it_was(self, alice, settings):
        text = "Alice\n2 * 3"
        one = WritingIdentity.create(
            user=alice, address="alice@lycee.example", signature=Signature.create(user=alice, name="S", text=text)
        )
        row = drafts.new(alice, begun(one, "markdown"))
        assert text in sent(row, settings).get_body(("plain",)).get_content().replace("\r\n", "\n")


class TestPicture:
    def test_it_travels_inside_the_message_and_is_no_attachment(self, alice, formatted, identity, settings):
        signatures.put_picture(formatted, "Logo du lycée.png", picture())
        signatures.save(formatted)
        identity.signature = formatted
        row = drafts.new(alice, begun(identity, "markdown"))
        message = sent(row, settings)
        (part,) = [one for one in message.walk() if one.get_content_maintype() == "image"]
        name = part["Content-ID"].strip("<>")
        assert f'src="cid:{name}"' in message.get_body(("related", "html")).get_body(("html",)).get_content()
        assert part.get_content() == signatures.picture(alice, formatted.id).data
        assert not list(row.attachments) and "Logo" not in message.get_body(("plain",)).get_content()

    def test_a_plain_message_goes_without(self, alice, formatted, identity, settings):
        signatures.put_picture(formatted, "logo.png", picture())
        signatures.save(formatted)
        identity.signature = formatted
        assert sent(drafts.new(alice, begun(identity, "")), settings).get_content_type() == "text/plain"

    def test_it_is_not_the_attachment_that_the_text_speaks_of(self, alice, formatted, identity, settings):
        signatures.put_picture(formatted, "logo.png", picture())
        signatures.save(formatted)
        identity.signature = formatted
        draft = draft_message.as_draft(drafts.new(alice, begun(identity, "markdown", "Ci-joint la note.\n")), ALICE, settings)
        asked = send_checks.cautions(draft, signed=signatures.picture_keys(alice))
        assert send_checks.SendWarning.NO_ATTACHMENT in asked

    def test_a_file_of_the_draft_with_its_name_comes_first(self, alice, formatted, identity, settings):
        signatures.put_picture(formatted, "logo.png", picture())
        signatures.save(formatted)
        row = drafts.new(alice, Fields(to="b@x.example", body=f"![x]({formatted.picture_name})", format="markdown"))
        attachments.add(row, [own := picture(32)], formatted.picture_name, "image/png", settings)
        assert [p.get_content() for p in sent(row, settings).walk() if p.get_content_maintype() == "image"] == [own]

    def test_nobody_elses_is_shown(self, alice, bob, formatted, settings):
        signatures.put_picture(formatted, "logo.png", picture())
        signatures.save(formatted)
        assert signatures.picture(bob, formatted.id) is None
        row = drafts.new(bob, Fields(to="b@x.example", body=f"![x]({formatted.picture_name})", format="markdown"))
        assert "cid:" not in sent(row, settings).as_string()

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
    def test_any_is_made_small_and_says_nothing_of_its_camera(self, alice, kind):
        exif = Image.Exif()
        exif[0x010E] = "at home"
        more = {} if kind == "GIF" else {"exif": exif}
        one = Signature(user=alice, name="S", text="Alice", format="markdown")
        signatures.put_picture(one, "photo", picture(900, kind, **more))
        signatures.save(one)
        data = signatures.picture(alice, one.id).data
        assert 0 < len(data) <= 20_000 and b"at home" not in data
        assert one.text == f"Alice\n\n![photo]({one.picture_name})"

    def test_a_small_drawing_stays_transparent(self, alice):
        Image.new("RGBA", (200, 60), (0, 90, 80, 0)).save(into := io.BytesIO(), "PNG")
        one = Signature(user=alice, name="S", text="", format="markdown")
        signatures.put_picture(one, "logo.png", into.getvalue())
        signatures.save(one)
        made = Image.open(io.BytesIO(signatures.picture(alice, one.id).data))
        assert (made.size, made.convert("RGBA").getpixel((5, 5))[3]) == ((200, 60), 0)

    @pytest.mark.parametrize("data", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x89PNG\r\n\x1a\n", b"%PDF-1.7"])
    def test_what_is_no_picture_is_refused(self, alice, data):
        with pytest.raises(signatures.PictureRefusedError):
            signatures.put_picture(Signature(user=alice, text="", format="markdown"), "a.png", data)

    def test_another_takes_its_place_in_the_text(self, alice):
        one = Signature(user=alice, name="S", text="Alice", format="markdown")
        signatures.put_picture(one, "a.png", picture())
        one.text = one.text.replace("![a]", "![Our school]") + "\nMaths"
        signatures.put_picture(one, "b.png", picture(32))
        assert one.text == f"Alice\n\n![Our school]({one.picture_name})\nMaths"
        signatures.drop_picture(one)
        assert (one.text, one.picture) == ("Alice\n\n\nMaths", "")

    def test_a_deleted_signature_comes_back_with_it(self, alice, formatted, settings):
        signatures.put_picture(formatted, "logo.png", picture())
        signatures.save(formatted)
        name = removed.remove(alice, "signature", formatted.id)
        assert signatures.of_user(alice) == []
        removed.put_back(alice, name, settings)
        (back,) = signatures.of_user(alice)
        assert back.text == formatted.text and signatures.picture(alice, back.id)


class TestIdentities:
    @pytest.mark.parametrize("wanted", ["markdown", ""])
    def test_one_formatted_signature_takes_the_place_of_another_and_comes_back(self, alice, identity, wanted):
        office = Signature.create(
            user=alice, name="Office", text="*Bourses*\n\n| a | b |\n|---|---|\n| 1 | 2 |", format="markdown"
        )
        other = WritingIdentity.create(user=alice, name="Office", address="alice@lycee.example", signature=office)
        before = begun(identity, wanted)
        changed = identities.changed(before, identity, other)
        assert ("*Bourses*" in changed.body) == bool(wanted) and "Alice" not in changed.body and QUOTE.strip() in changed.body
        assert identities.changed(changed, other, identity).body == before.body
