"""Which parts of a message are shown, offered and referred to; messages parsed without a server's help."""

from __future__ import annotations

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.imap.reading import encoded_messages
from webmail.mime.part_kinds import PartKind, kind_of_part
from webmail.mime.structure import BODY_LIMIT, LEAF_LIMIT, PartNode, classify, content, default_name, from_bytes, read
from webmail.mime.text.plain_text import decode_text


def node(kind, section="1", *children, **more):
    return PartNode(section=section, type=kind, children=list(children), **more)


def sections(parts):
    return [part.section for part in parts]


class TestAMessageWithEverything:
    @pytest.fixture
    def raw(self, sample):
        return sample("alternative.eml")

    @pytest.fixture
    def found(self, raw):
        return classify(from_bytes(raw))

    def test_text_and_html_are_alternatives_and_the_footer_is_not(self, found):
        assert [(p.section, p.alternative) for p in found.text] == [("1.1", True), ("4", False)]
        assert [(p.section, p.alternative) for p in found.html] == [("1.2.1", True)]

    def test_the_image_of_the_html_is_inline(self, found):
        assert [(p.section, p.content_id) for p in found.inline] == [("1.2.2", "logo@example.org")]

    def test_the_rest_are_attachments_with_names(self, found):
        assert [(p.section, p.type, p.filename) for p in found.attachments] == [
            ("2", "application/pdf", "plan d'accès.pdf"),
            ("3", "message/rfc822", "message.eml"),
        ]

    def test_parameters_of_the_text(self, found):
        text = found.text[0]
        assert (text.charset, text.encoding, text.format, text.delsp) == ("utf-8", "quoted-printable", "flowed", True)

    def test_contents(self, raw, found):
        text = found.text[0]
        assert decode_text(content(raw, "1.1"), text.encoding, text.charset) == "Hello é"
        assert content(raw, "2") == b"JVBERi0="
        assert content(raw, "3").startswith(b"Subject: inside\r\n")
        assert content(raw, "9.9") == b""
        assert all(part.size == len(content(raw, part.section)) for part in found.all)


class TestChoosing:
    def test_a_signature_is_an_attachment(self, sample):
        found = classify(from_bytes(sample("signed.eml")))
        assert sections(found.text) == ["1"]
        assert [p.filename for p in found.attachments] == ["signature.asc"]

    def test_an_invitation_among_alternatives_is_an_attachment(self, sample):
        found = classify(from_bytes(sample("invitation.eml")))
        assert [(p.section, p.alternative) for p in found.text] == [("1", False)]
        assert [p.filename for p in found.attachments] == ["invitation.ics"]

    def test_html_alone(self, sample):
        raw = sample("only-html.eml")
        found = classify(from_bytes(raw))
        assert sections(found.html) == ["1"]
        assert "3 €" in decode_text(content(raw, "1"), found.html[0].encoding, found.html[0].charset)

    def test_text_that_wants_to_be_an_attachment_is_one(self):
        root = node(
            "multipart/mixed", "", node("text/plain", "1"), node("text/plain", "2", disposition="attachment"),
            node("text/plain", "3", params={"name": "notes.txt"}),
        )  # fmt: skip
        found = classify(root)
        assert sections(found.text) == ["1"]
        assert [p.filename for p in found.attachments] == ["text.txt", "notes.txt"]

    def test_a_message_that_is_one_attachment(self):
        assert sections(classify(node("text/plain", disposition="attachment")).attachments) == ["1"]
        assert sections(classify(node("image/png")).attachments) == ["1"]

    def test_an_image_beside_the_text_is_an_attachment(self):
        found = classify(node("multipart/mixed", "", node("text/plain", "1"), node("image/png", "2", content_id="x")))
        assert [p.filename for p in found.attachments] == ["image.png"]

    def test_related_without_html_has_nothing_inline(self):
        found = classify(node("multipart/related", "", node("text/plain", "1"), node("image/png", "2", content_id="x")))
        assert found.inline == ()
        assert sections(found.attachments) == ["2"]

    def test_a_document_with_a_content_id_stays_visible(self):
        pdf = node("application/pdf", "2", content_id="x", params={"name": "a.pdf"})
        found = classify(node("multipart/related", "", node("text/html", "1"), pdf))
        assert sections(found.attachments) == ["2"]

    def test_every_leaf_is_in_one_list(self, sample):
        for name in ("alternative.eml", "signed.eml", "invitation.eml", "broken.eml", "only-html.eml"):
            found = sections(classify(from_bytes(sample(name))).all)
            assert len(found) == len(set(found)) > 0

    def test_names_by_type(self):
        assert default_name("image/jpeg") == "image.jpg"
        assert default_name("application/x-nobody-knows") == "attachment.bin"


class TestLimits:
    def test_five_thousand_levels_do_not_recurse(self):
        root = here = node("multipart/mixed", "")
        for _ in range(5000):
            here.children = [node("multipart/mixed")]
            here = here.children[0]
        here.children = [node("text/plain")]
        assert classify(root).all == ()

    def test_ten_thousand_parts_are_bounded(self):
        found = classify(node("multipart/mixed", "", *(node("text/plain", str(i)) for i in range(10_000))))
        assert len(found.text) == BODY_LIMIT
        assert len(found.all) == LEAF_LIMIT

    def test_bytes_with_five_thousand_levels(self):
        raw = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(5000))
        with cpu_seconds(2):
            assert len(classify(from_bytes(raw)).all) == 1

    def test_bytes_with_a_hundred_thousand_parts(self):
        raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 100_000
        with cpu_seconds(2):
            assert len(classify(from_bytes(raw)).all) == LEAF_LIMIT

    @pytest.mark.parametrize(
        "filling", [b"\r\n", b"\r\n--", b"\r\n--b", b"x"], ids=["lines", "dashes", "almost delimiters", "one line"]
    )
    def test_megabytes_below_fifty_levels(self, filling):
        levels = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(50))
        raw = levels + b"\r\n" + filling * (4_000_000 // len(filling))
        with cpu_seconds(1):
            whole = read(raw)
            assert whole.content(classify(whole.root).text[0].section).endswith(filling)

    def test_two_thousand_attached_messages_are_read_once(self):
        part = b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nwords\r\n"
        raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * 2000 + b"--b--\r\n" + b"x" * 2_000_000
        with cpu_seconds(1):
            found = encoded_messages.shape(read(raw), "2")
            assert len(found.attachments) == LEAF_LIMIT and found.attachments[-1].envelope.subject == "x"


class TestBrokenMessages:
    def test_a_multipart_without_its_boundary_is_shown_as_text(self, sample):
        raw = sample("broken.eml")
        found = classify(from_bytes(raw))
        assert sections(found.text) == ["1"]
        assert b"no end" in content(raw, "1")

    def test_a_missing_last_delimiter(self):
        raw = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: text/plain\n\ntwo"
        assert sections(classify(from_bytes(raw)).text) == ["1", "2"]
        assert (content(raw, "1"), content(raw, "2")) == (b"one", b"two")

    def test_boundaries_that_begin_alike(self):
        raw = (
            b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'
            b"Content-Type: multipart/alternative; boundary=bb\r\n\r\n"
            b"--bb\r\n\r\ninner\r\n--bb--\r\n--b\r\n\r\nouter\r\n--b--\r\n"
        )
        assert (content(raw, "1.1"), content(raw, "2")) == (b"inner", b"outer")

    @pytest.mark.parametrize(
        "raw", [b"", b"\r\n", b"x", b"\x00\xff" * 100, b"Content-Type: multipart/mixed", b"Content-Type: ;;;"]
    )
    def test_bytes_of_no_sense(self, raw):
        found = classify(from_bytes(raw))
        assert sections(found.all) == ["1"]
        assert isinstance(content(raw, "1"), bytes)


def test_a_resource_fork_is_no_attachment(sample):
    found = classify(read(sample("appledouble.eml")).root)
    assert [(part.type, part.filename) for part in found.attachments] == [("application/pdf", "doc.pdf")]


def test_a_complaint_can_be_read(sample):
    found = classify(read(sample("feedback.eml")).root)
    assert [(part.filename, kind_of_part(part)) for part in found.attachments[:1]] == [("report.txt", PartKind.TEXT)]
