"""Drafts built to messages and read back, by the standard library and by our own parsers."""

from __future__ import annotations

import email
import email.policy
import random
from datetime import UTC, datetime, timedelta, timezone

import pytest

from webmail.errors import BadAddressError, UnsafeValueError
from webmail.mail import Address, Attachment, Draft, Identity
from webmail.mime import builder
from webmail.mime.headers import headers
from webmail.mime.structure import classify, content, from_bytes
from webmail.mime.text import plain_text

ANN = Identity("Ann Smith", "ann@example.org")
BOB = Address("Bob", "bob@example.org")
WHEN = datetime(2026, 2, 3, 10, 0, tzinfo=timezone(timedelta(hours=1)))


def built(**fields) -> bytes:
    return builder.build(Draft(**{"identity": ANN, "to": (BOB,), "message_id": "<a@example.org>", **fields}), date=WHEN)


def body_of(raw: bytes) -> str:
    part = classify(from_bytes(raw)).text[0]
    decoded = plain_text.decode_text(content(raw, part.section), part.encoding, part.charset)
    return plain_text.unflow(decoded) if part.format == "flowed" else decoded


def attached(name, data, kind="application/pdf", *, piece=100_000):
    """A file that is read in pieces of so many bytes."""
    return Attachment(name, kind, len(data), lambda: (data[at : at + piece] for at in range(0, len(data), piece)))


class TestHeaders:
    def test_a_short_letter(self):
        assert built(subject="Hello", text="Hi Bob\n", in_reply_to="<z@example.org>", references=("<y@example.org>",)) == (
            b"From: Ann Smith <ann@example.org>\r\nTo: Bob <bob@example.org>\r\nSubject: Hello\r\n"
            b"Date: Tue, 03 Feb 2026 10:00:00 +0100\r\nMessage-ID: <a@example.org>\r\nIn-Reply-To: <z@example.org>\r\n"
            b"References: <y@example.org>\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: text/plain; charset=utf-8; format=flowed\r\nContent-Transfer-Encoding: 7bit\r\n\r\nHi Bob\r\n"
        )

    def test_blind_copies_are_only_in_the_draft(self):
        draft = Draft(ANN, bcc=(Address("", "secret@example.org"),))
        assert b"secret" not in builder.build(draft, date=WHEN)
        assert b"Bcc: secret@example.org\r\n" in builder.build(draft, date=WHEN, include_bcc=True)

    @pytest.mark.parametrize("bad", ["a\r\nBcc: thief@example.net", "a\nb", "a\rb", "a\0b"])
    def test_a_line_end_in_any_header_is_refused(self, bad):
        for fields in (
            {"subject": bad},
            {"identity": Identity(bad, "ann@example.org")},
            {"to": (Address(bad, "bob@example.org"),)},
            {"cc": (Address("Bob", f"{bad}@example.org"),)},
            {"message_id": f"<{bad}>"},
            {"in_reply_to": f"<{bad}>"},
            {"references": (f"<{bad}>",)},
            {"attachments": (attached(bad, b"x"),)},
        ):
            with pytest.raises(UnsafeValueError):
                built(**fields)

    @pytest.mark.parametrize(
        "email_address", ["a b@example.org", "a@example.org>, <b@example.org", "a@example.org,b@example.org"]
    )
    def test_an_address_cannot_become_two(self, email_address):
        with pytest.raises(UnsafeValueError):
            built(to=(Address("", email_address),))

    def test_other_controls_and_surrogates_do_not_reach_the_wire(self):
        raw = built(subject="a\x07b\ud800c", text="x\ud800y\x1b\0z")
        assert headers.envelope(raw).subject == "ab\ufffdc"
        assert body_of(raw) == "x\ufffdyz\n"

    def test_many_references_are_bounded(self):
        found = headers.envelope(built(references=tuple(f"<{i}@example.org>" for i in range(500)))).references
        assert (len(found), found[0], found[-1]) == (20, "<0@example.org>", "<499@example.org>")

    def test_an_international_domain_goes_out_in_ascii(self):
        draft = Draft(ANN, to=(Address("Zoë", "zoe@exämple.org"),))
        assert b"<zoe@xn--exmple-cua.org>" in builder.build(draft, date=WHEN)
        assert not builder.needs_smtputf8(draft)

    def test_an_international_local_part_goes_out_in_utf8(self):
        draft = Draft(ANN, to=(Address("", "zoë@example.org"),))
        assert builder.needs_smtputf8(draft)
        assert headers.envelope(builder.build(draft, date=WHEN)).to == (Address("", "zoë@example.org"),)

    def test_a_date_without_a_zone_is_utc(self):
        raw = builder.build(Draft(ANN), date=datetime(2026, 2, 3))
        assert headers.envelope(raw).sent == datetime(2026, 2, 3, tzinfo=UTC)


NAMES = [
    "Ann", "Smith, Ann", 'Ann "the boss" Smith', "back\\slash", "Zoë, Ünal; Çelik", "日本語の名前" * 12, "very long name " * 20,
    "=?utf-8?Q?trick?=", "a@b.example", "😀 " * 30, "x" * 300, "(comment)", "<angle>", "O'Neill.", "Doe, " + "é" * 90,
]  # fmt: skip
SUBJECTS = [
    "", "Hello", "Été à la plage 😀", "word " * 100, "x" * 2000, "é" * 500, "=?utf-8?Q?not_a_word?=", "a  b   c", " leading",
    "Re: [list] (x) <y>", "日本" * 200, "tab\tinside", "mixed é" + " plain" * 40,
]  # fmt: skip


class TestRoundTrips:
    @pytest.mark.parametrize("name", NAMES)
    def test_names(self, name):
        people = (Address(name, "one@example.org"), Address("", "two@example.org"), Address(name, "three@example.org"))
        raw = built(to=people, identity=Identity(name, "ann@example.org"))
        expected = tuple(Address(" ".join(a.name.split()), a.email) for a in people)
        assert headers.envelope(raw).to == expected
        parsed = email.message_from_bytes(raw, policy=email.policy.default)
        assert [a.addr_spec for a in parsed["To"].addresses] == [a.email for a in people]
        assert [a.addr_spec for a in parsed["From"].addresses] == ["ann@example.org"]

    @pytest.mark.parametrize("subject", SUBJECTS)
    def test_subjects(self, subject):
        raw = built(subject=subject)
        assert headers.envelope(raw).subject == " ".join(subject.split())
        parsed = str(email.message_from_bytes(raw, policy=email.policy.default)["Subject"])
        assert parsed.split() == subject.split()

    @pytest.mark.parametrize(
        "written",
        [
            "", "Hi\n", ".\n..\n.dot\nFrom here\n From there\n> quoted\n", "é\n" * 300, "日本語" * 500 + "\n", "x" * 5000 + "\n",
            "word " * 500 + "end\n", "😀" * 400 + "\n", "tabs\tand  blanks\n", "a\n\n\n\nb\n", "-- \nAnn\n", "=3D = =\n",
            "é " * 200 + ".\n", "no line end",
        ],
    )  # fmt: skip
    def test_texts(self, written):
        raw = built(text=written)
        expected = written if written.endswith("\n") else f"{written}\n"
        assert body_of(raw) == expected
        parsed = email.message_from_bytes(raw, policy=email.policy.default)
        assert plain_text.unflow(parsed.get_content().replace("\r\n", "\n")) == expected

    def test_anything(self):
        source = random.Random(5322)
        letters = "abc XYZ,;:<>()\"'\\@.=?_éß日😀\t-- >From\u00a0"
        for _ in range(200):
            name, subject = ("".join(source.choices(letters, k=source.randrange(120))) for _ in range(2))
            lines = [
                "x" + "".join(source.choices(letters.replace("\t", ""), k=source.randrange(200))).rstrip(" ") for _ in range(9)
            ]
            raw = built(to=(Address(name, "bob@example.org"), BOB), subject=subject, text="\n".join(lines) + "\n")
            found = headers.envelope(raw)
            assert found.subject == headers.decode(" ".join(subject.split()).encode()) or "=?" in subject
            assert [a.email for a in found.to] == ["bob@example.org", "bob@example.org"]
            assert body_of(raw) == "\n".join(lines) + "\n"
            parsed = email.message_from_bytes(raw, policy=email.policy.default)
            assert [a.addr_spec for a in parsed["To"].addresses] == ["bob@example.org", "bob@example.org"]

    def test_lines_are_short_and_end_in_crlf(self):
        for name in NAMES:
            raw = built(
                to=tuple(Address(name, f"{i}@example.org") for i in range(30)), subject=name * 9, text=name * 400,
                attachments=(attached(name, b"x" * 999),),
            )  # fmt: skip
            assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r")
            assert max(map(len, raw.split(b"\r\n"))) <= 998


class TestAttachments:
    @pytest.mark.parametrize(
        ("name", "kept"),
        [
            ("plan.pdf", "plan.pdf"),
            ("accès à l'été.pdf", "accès à l'été.pdf"),
            ("日本語の長い名前" * 20 + ".pdf", "日本語の長い名前" * 20 + ".pdf"),
            ("two words (final); v=2.pdf", "two words (final); v=2.pdf"),
            ("100% sure.pdf", "100% sure.pdf"),
            ("x" * 150 + ".pdf", "x" * 150 + ".pdf"),
            ("../../etc/passwd", "passwd"),
            ("", "attachment"),
        ],
    )
    def test_names(self, name, kept):
        raw = built(attachments=(attached(name, b"\x00\xff" * 100),))
        assert [p.filename for p in classify(from_bytes(raw)).attachments] == [kept]
        parsed = email.message_from_bytes(raw, policy=email.policy.default)
        assert [part.get_filename() for part in parsed.iter_attachments()] == [kept]

    def test_contents_are_the_files(self):
        data = random.Random(1).randbytes(700_001)
        raw = built(text="é\n", attachments=(attached("a.bin", data, "image/png"),))
        found = classify(from_bytes(raw)).attachments[0]
        assert (found.type, found.encoding) == ("image/png", "base64")
        assert plain_text.decode_transfer(content(raw, found.section), found.encoding) == data
        assert body_of(raw) == "é\n"

    def test_messages_are_not_encoded(self, sample):
        raw = built(attachments=(attached("m.eml", sample("alternative.eml"), "message/rfc822"),))
        found = classify(from_bytes(raw)).attachments[0]
        assert (found.type, found.encoding) == ("message/rfc822", "7bit")
        assert content(raw, found.section) == sample("alternative.eml")

    def test_messages_that_cannot_travel_so_are_files(self):
        raw = built(attachments=(attached("m.eml", b"Subject: \0\n\n" + b"x" * 3000, "message/rfc822"),))
        found = classify(from_bytes(raw)).attachments[0]
        assert (found.type, found.encoding, found.filename) == ("application/octet-stream", "base64", "m.eml")

    @pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
    def test_a_message_is_read_in_pieces_of_whole_lines(self, end):
        """Wherever a piece ends, in a line end too."""
        for shift in range(60):
            lines = ["Subject: s", "", "z" * shift, "é", "z" * 30, "", "z" * 70, "x" * 998]
            data = end.join(lines).encode()
            raw = built(attachments=(attached("m.eml", data, "message/rfc822", piece=57),))
            found = classify(from_bytes(raw)).attachments[0]
            assert (found.type, found.encoding) == ("message/rfc822", "8bit")
            assert content(raw, found.section) == "\r\n".join(lines).encode()
        raw = built(attachments=(attached("m.eml", data + b"x", "message/rfc822", piece=57),))
        assert classify(from_bytes(raw)).attachments[0].encoding == "base64"

    @pytest.mark.parametrize("kind", ["", "multipart/mixed; boundary=x", "message/partial", "text/plain\r\nX: y", "a b/c"])
    def test_types_of_no_use_become_plain_bytes(self, kind):
        raw = built(attachments=(attached("a", b"x", kind),))
        assert [p.type for p in classify(from_bytes(raw)).attachments] == ["application/octet-stream"]


class TestTypedAddresses:
    @pytest.mark.parametrize(
        ("typed", "expected"),
        [
            ("", []),
            (" , ; \n", []),
            ("Ann <ann@x.org>, bob@y.org; c@z.org\r\nd@w.org", [
                ("Ann", "ann@x.org"), ("", "bob@y.org"), ("", "c@z.org"), ("", "d@w.org")]),
            ('"Smith, Ann" <ann@x.org>', [("Smith, Ann", "ann@x.org")]),
            ("friends: a@x.org, b@x.org;", [("", "a@x.org"), ("", "b@x.org")]),
            ("zoë@exämple.org", [("", "zoë@exämple.org")]),
            ("ann@localhost", [("", "ann@localhost")]),
            ('"odd.."@x.org', [("", '"odd.."@x.org')]),
            ("ann+tag@x.org (Ann)", [("Ann", "ann+tag@x.org")]),
            ("root@[192.0.2.1]", [("", "root@[192.0.2.1]")]),
            ("ann@x.org,", [("", "ann@x.org")]),
        ],
    )  # fmt: skip
    def test_they_are_understood(self, typed, expected):
        assert builder.parse_addresses(typed) == tuple(Address(name, value) for name, value in expected)

    @pytest.mark.parametrize(
        "bad",
        [
            "ann", "ann@", "@x.org", "Ann Smith", "a b c@x..org", "ann@x_y.org", ".ann@x.org", "ann.@x.org", "a..b@x.org", "ann@-x.org",
            "x" * 65 + "@x.org", "ann@" + "x" * 64 + ".org", "ann@" + "é" * 300, "<ann@x.org> <bob@x.org>", "Ann <ann@x.org> extra",
            '"a\nb" <ann@x.org>', "ann\0@x.org", "ann@x.org bob@x.org", "javascript:alert(1)", '"odd name"@x.org',
            "ann b@x.org", "ann@ x.org",
        ],
    )  # fmt: skip
    def test_what_is_none_is_named(self, bad):
        with pytest.raises(BadAddressError) as caught:
            builder.parse_addresses(f"good@example.org, {bad}")
        assert caught.value.value
        assert "good@example.org" not in caught.value.value

    def test_what_was_understood_can_be_built(self):
        found = builder.parse_addresses('zoe@exämple.org, "q, q" <q@x.org>, Ann (x) <ann@x.org>')
        assert [a.email for a in headers.envelope(built(to=found)).to] == ["zoe@xn--exmple-cua.org", "q@x.org", "ann@x.org"]


@pytest.mark.parametrize(
    ("subject", "reply", "forward"),
    [
        ("Hello", "Re: Hello", "Fwd: Hello"),
        ("Re: Hello", "Re: Hello", "Fwd: Hello"),
        ("RE : Re: re:Hello", "Re: Hello", "Fwd: Hello"),
        ("Réf : TR: Fwd: FW: Hello", "Re: Hello", "Fwd: Hello"),
        ("Re[2]: AW: Hello", "Re: Hello", "Fwd: Hello"),
        ("Regarding: us", "Re: Regarding: us", "Fwd: Regarding: us"),
        ("", "Re:", "Fwd:"),
        ("Re:", "Re:", "Fwd:"),
    ],
)
def test_prefixes_do_not_pile_up(subject, reply, forward):
    assert (builder.reply_subject(subject), builder.forward_subject(subject)) == (reply, forward)


def test_message_ids_differ_and_are_safe():
    one, two = builder.new_message_id("example.org"), builder.new_message_id("exämple.org")
    assert one != two
    assert one.endswith("@example.org>")
    assert two.endswith("@xn--exmple-cua.org>")
    assert builder.new_message_id("a b>").endswith("@localhost>")
    with pytest.raises(UnsafeValueError):
        builder.new_message_id("a\r\nb")
