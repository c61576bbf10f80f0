"""Messages made ready to be signed or encrypted: what is inside, what stays outside, read by the standard library."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime

import pytest

from webmail.mail import Address, Attachment, Draft, Identity
from webmail.mime import builder
from webmail.mime.protected import envelopes, payload

WHEN = datetime(2026, 12, 1, 20, 0, tzinfo=UTC)
SECRET = "Zwiebelkuchen"


def message(**fields) -> bytes:
    usual = {
        "identity": Identity("Ann", "ann@example.org"), "to": (Address("Bob", "bob@example.org"),), "message_id": "<a@example.org>",
        "subject": f"About {SECRET}", "text": f"{SECRET} \nFrom here on\n-- \nAnn\n",
    }  # fmt: skip
    return builder.build(Draft(**{**usual, **fields}), date=WHEN)


def parsed(data: bytes):
    return email.message_from_bytes(data, policy=email.policy.default)


def file(name: str, data: bytes, kind: str) -> Attachment:
    return Attachment(name, kind, len(data), lambda: iter([data]))


def test_an_encrypted_message_tells_its_subject_inside_alone():
    made = payload.for_encrypting(message())
    assert SECRET.encode() not in made.header
    outer, inner = parsed(made.header + b"\r\n"), parsed(made.content)
    assert outer["subject"] == "..." and inner["subject"] == f"About {SECRET}"
    assert outer["from"] == inner["from"] and outer["message-id"] == inner["message-id"] and outer["date"] == inner["date"]


def test_it_is_protected_in_both_ways_that_programs_read():
    kind = parsed(payload.for_encrypting(message()).content)["content-type"]
    assert kind.params["hp"] == "cipher" and kind.params["protected-headers"] == "v1" and kind.params["format"] == "flowed"
    kind = parsed(payload.for_signing(message()).content)["content-type"]
    assert kind.params["hp"] == "clear" and kind.params["protected-headers"] == "v1"


def test_each_line_that_stands_outside_is_told_inside():
    made = payload.for_encrypting(message(in_reply_to="<b@example.org>", references=("<b@example.org>",)))
    told = parsed(made.content).get_all("hp-outer")
    assert "Subject: ..." in told and any(one.startswith("To: Bob") for one in told)
    names = {one.partition(":")[0].lower() for one in told}
    assert names == {name.lower() for name in parsed(made.header + b"\r\n")} - {"mime-version"}
    assert parsed(payload.for_signing(message()).content).get_all("hp-outer") is None


def test_a_long_subject_is_folded_inside_and_gone_outside():
    made = payload.for_encrypting(message(subject="é" * 40 + f" {SECRET} " + "long " * 60))
    assert SECRET in str(parsed(made.content)["subject"]) and parsed(made.header + b"\r\n")["subject"] == "..."


def test_bcc_and_notes_of_a_draft_are_not_inside():
    draft = Draft(identity=Identity("", "ann@example.org"), bcc=(Address("", "eve@example.org"),), note="format=markdown")
    made = payload.for_encrypting(builder.build(draft, date=WHEN, include_bcc=True))
    assert b"eve@" in made.header and b"X-Traboule-Draft" in made.header
    assert b"eve@" not in made.content and b"X-Traboule" not in made.content


def test_names_of_files_are_inside():
    made = payload.for_encrypting(message(attachments=(file(f"{SECRET}.pdf", b"%PDF", "application/pdf"),)))
    whole = envelopes.message(
        made.header, envelopes.encrypted_part(b"-----BEGIN PGP MESSAGE-----\n\nx\n-----END PGP MESSAGE-----\n")
    )
    assert SECRET.encode() not in whole
    assert [part.get_filename() for part in parsed(made.content).iter_attachments()] == [f"{SECRET}.pdf"]


class TestEnvelopes:
    def test_the_signed_part_is_the_payload_byte_for_byte(self):
        made = payload.for_signing(message(exact=True, html="<p>From here</p>"))
        whole = envelopes.message(
            made.header, envelopes.signed_part(made.content, b"-----BEGIN PGP SIGNATURE-----\n", "pgp-sha512")
        )
        read = parsed(whole)
        assert read.get_content_type() == "multipart/signed" and read.get_param("protocol") == "application/pgp-signature"
        boundary = read.get_boundary().encode()
        assert whole.split(b"--" + boundary)[1] == b"\r\n" + made.content + b"\r\n"
        assert read.get_all("mime-version") == ["1.0"] and read["subject"] == f"About {SECRET}"

    def test_nothing_signed_changes_on_its_way(self):
        latin = "Un café très court \nFrom moi \n"
        for fields in ({}, {"text": latin}, {"html": "<p>x </p>\nFrom me \n"}):
            content = payload.for_signing(message(exact=True, **fields)).content.partition(b"\r\n\r\n")[2]
            lines = content.split(b"\r\n")
            assert content.isascii() and not any(line.endswith((b" ", b"\t")) or line.startswith(b"From ") for line in lines)

    def test_quoted_printable_reads_as_it_was_written(self):
        read = parsed(payload.for_signing(message(exact=True)).content)
        assert read["content-transfer-encoding"] == "quoted-printable"
        assert read.get_content().replace("\r\n", "\n") == f"{SECRET}\n From here on\n-- \nAnn\n"  # flowed, RFC 3676 section 4.4

    def test_an_attached_message_that_is_not_7bit_is_signed_as_a_file(self):
        inner = file("m.eml", "Subject: é\r\n\r\né\r\n".encode(), "message/rfc822")
        kinds = [part.get_content_type() for part in parsed(message(exact=True, attachments=(inner,))).iter_attachments()]
        assert kinds == ["application/octet-stream"]
        kinds = [part.get_content_type() for part in parsed(message(attachments=(inner,))).iter_attachments()]
        assert kinds == ["message/rfc822"]

    def test_an_encrypted_message_has_the_two_parts_of_rfc_3156(self):
        read = parsed(
            b"From: a@b.c\r\n" + envelopes.encrypted_part(b"-----BEGIN PGP MESSAGE-----\n\nAAAA\n-----END PGP MESSAGE-----\n")
        )
        first, second = read.iter_parts()
        assert read.get_param("protocol") == "application/pgp-encrypted"
        assert (first.get_content_type(), second.get_content_type()) == ("application/pgp-encrypted", "application/octet-stream")
        assert second.get_payload().splitlines()[2] == "AAAA"

    def test_smime_says_whether_it_is_protected_against_alteration(self):
        read = parsed(b"From: a@b.c\r\n" + envelopes.smime_encrypted_part(b"\x30\x80" * 200, authenticated=True))
        assert read.get_param("smime-type") == "authEnveloped-data" and read.get_content() == b"\x30\x80" * 200
        read = parsed(b"From: a@b.c\r\n" + envelopes.smime_encrypted_part(b"\x30", authenticated=False))
        assert read.get_param("smime-type") == "enveloped-data"

    def test_the_name_of_a_hash_can_not_break_out_of_the_header(self):
        with pytest.raises(ValueError, match="not the name of a hash"):
            envelopes.signed_part(b"x", b"y", 'pgp-sha512"; x="')
