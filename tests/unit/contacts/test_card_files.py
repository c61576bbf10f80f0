"""Files of contacts: what they are, what importing them would do; and the public samples in and out."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest

from tests.support.contacts import card, new, take
from tests.support.cpu_time import cpu_seconds
from webmail.contacts import store
from webmail.contacts.imports import card_files, merge
from webmail.contacts.imports.card_files import CsvColumns, ExportStyle, FileKind
from webmail.contacts.imports.import_report import ImportReport, report_of
from webmail.mime.formats.address_books.entry import BookEntry, RemarkKind, entry_of
from webmail.mime.formats.cards import vcard_import
from webmail.models import Contact, User

CORPORA = Path(os.environ.get("TRABOULE_CORPORA", Path(__file__).resolve().parents[4] / "shared" / "corpora"))
SAMPLES = sorted(CORPORA.glob("vcf-*/**/*.vcf"))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"BEGIN:VCARD\n", FileKind.CARDS), (b"version: 1\ndn: cn=x\ncn: x\n", FileKind.LDIF), (b"#x\n\ndn: cn=x\n", FileKind.LDIF),
        (b"Name,Email\nAnn,a@x.example\n", FileKind.TABLE), (b"a@x.example\n", FileKind.TABLE), (b"hello", FileKind.UNKNOWN),
        (b"", FileKind.UNKNOWN), (b"\x89PNG\r\n\x1a\n\0\0\0", FileKind.UNKNOWN), (b"%PDF-1.7\nobj", FileKind.UNKNOWN),
    ],
)  # fmt: skip
def test_a_file_is_known_by_its_beginning(data: bytes, kind: FileKind) -> None:
    assert card_files.look(data).kind is kind


def test_columns_that_nobody_knows_are_shown_with_the_first_rows() -> None:
    look = card_files.look("Qui;Où\nAnn;ann@x.example\nBob;bob@x.example\n".encode())
    assert not look.known and [(one.name, one.values) for one in look.columns] == [
        ("Qui", ("Ann", "Bob")), ("Où", ("ann@x.example", "bob@x.example")),
    ]  # fmt: skip
    nameless = card_files.look(b"Ann;ann@x.example\n")
    assert not nameless.has_header and [one.name for one in nameless.columns] == ["", ""]
    [(kept, _details)] = card_files.read(b"Ann;ann@x.example\n", CsvColumns(("name", "email"), has_header=False)).cards
    assert "FN:Ann" in kept and "EMAIL:ann@x.example" in kept


@pytest.mark.parametrize("data", [
    b"Name,Email\nA," + b" ::: ".join(b"%x@" % number for number in range(6_000)),
    b'Name,Categories\nA,"' + b",".join(b"%x" % number for number in range(11_000)) + b'"',
    b"dn: cn=a\ncn: a\n" + b"".join(b"mail: %x@\n" % number for number in range(20_000)),
], ids=["addresses", "categories", "ldif"])  # fmt: skip
def test_thousands_of_values_of_one_person_are_read_at_once(data: bytes) -> None:
    with cpu_seconds(0.5):
        card_files.read(data)


@pytest.mark.parametrize("data", [
    b"dn: cn=a\ncn: a\n" + b"?\n" * 30_000, b"Name,Email\n" + (b"A," + b" ::: ".join(b"%x" % n for n in range(3_000)) + b"\n") * 10,
], ids=["ldif", "csv"])  # fmt: skip
def test_what_is_told_of_a_file_is_bounded(data: bytes) -> None:
    assert len(card_files.read(data).remarks) <= 10_100


def test_a_separator_that_cannot_be_one_is_not_believed() -> None:
    [(kept, _details)] = card_files.read(b'sep="\r\nName,Email\r\nAnn,ann@x.example\r\n').cards
    assert "FN:Ann" in kept


def test_the_same_person_twice_in_a_file_is_one(alice: User) -> None:
    text = "Name,Email,Phone\nAnn,ann@x.example,1234567\nann,ANN@x.example,7654321\nAnn,other@x.example,\n"
    planned = merge.plan_cards(alice, card_files.read(text.encode()))
    assert (len(planned.fresh), planned.doubled) == (2, 1)
    assert "7654321" in planned.fresh[0] and "other@x.example" in planned.fresh[1]


def test_cards_with_uids_of_their_own_stay_two(alice: User) -> None:
    planned = merge.plan(alice, card("Ann", "TEL:1234567", uid="a") + card("Ann", "TEL:1234567", uid="b"))
    assert (len(planned.fresh), planned.doubled) == (2, 0)


def test_a_report_tells_and_writes_nothing(alice: User) -> None:
    new(alice, "Ann", "ann@x.example")
    planned = merge.plan(alice, card("Ann", "EMAIL:ann@x.example", "TEL:1234567") + card("Bob") + "BEGIN:VCARD\nFN:x\n")
    report = report_of(planned, store.count(alice))
    assert (report.fresh, report.changed, report.refused, report.names) == (1, 1, 1, ["Bob"])
    assert report.changes == [("Ann", ["1234567"])] and report.is_useful
    assert [(one.line, one.kind) for one in report.remarks] == [(11, RemarkKind.UNFINISHED)]
    assert ImportReport.from_json(report.to_json()) == report
    assert Contact.select().where(Contact.user == alice).count() == 1


def test_groups_that_contain_each_other_come_in_and_go_out(alice: User) -> None:
    one = card("A", "X-ADDRESSBOOKSERVER-KIND:group", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:b", uid="a")
    other = card("B", "X-ADDRESSBOOKSERVER-KIND:group", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:a", uid="b")
    take(alice, one + other)
    assert "member: cn=B" in "".join(card_files.saved_as(card_files.of_user(alice), ExportStyle.LDIF))
    assert len(merge.plan(alice, one + other).present) == 2


def test_a_photo_that_is_too_large_is_made_smaller_or_told_of() -> None:
    PIL = pytest.importorskip("PIL.Image")
    import base64
    import io
    import random

    into = io.BytesIO()
    noise = random.Random(1).randbytes(900 * 900 * 3)
    PIL.frombytes("RGB", (900, 900), noise).save(into, "JPEG", quality=95, exif=b"Exif\0\0secret place")
    photo = base64.b64encode(into.getvalue()).decode()
    assert len(photo) > 300_000
    found = vcard_import.cards_in(card("Ann", f"PHOTO;ENCODING=b;TYPE=JPEG:{photo}"), 10)
    [(kept, _details)] = found.cards
    data = entry_of(kept).photo
    with PIL.open(io.BytesIO(data)) as picture:
        assert max(picture.size) == 512 and not picture.getexif() and b"secret" not in data
    found = vcard_import.cards_in(card("Ann", "PHOTO;ENCODING=b;TYPE=JPEG:" + "AAAA" * 100_000), 10)
    assert [one.kind for one in found.remarks] == [RemarkKind.PICTURE] and "PHOTO" not in found.cards[0][0]


@pytest.mark.parametrize("folded", [False, True])
def test_a_photo_of_five_megabytes_costs_little(folded: bool) -> None:
    photo = "\r\n ".join(["A" * 74] * 70_000) if folded else "A" * 5_000_000
    with cpu_seconds(2):
        found = card_files.read(card("Ann", f"PHOTO;ENCODING=b;TYPE=JPEG:{photo}", "EMAIL:ann@x.example").encode())
    assert [one.kind for one in found.remarks] == [RemarkKind.PICTURE]
    assert "EMAIL:ann@x.example" in found.cards[0][0]


def test_ten_thousand_cards_are_the_most() -> None:
    with cpu_seconds(12):
        found = card_files.read(b"Name,Email\n" + b"".join(b"P%d,p%d@x.example\n" % (n, n) for n in range(10_050)))
    assert len(found.cards) == store.MOST and [one.kind for one in found.remarks] == [RemarkKind.TOO_MANY]


@pytest.mark.skipif(not SAMPLES, reason="no corpora beside the checkout or in TRABOULE_CORPORA")
@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_public_samples_go_in_and_out_property_by_property(alice: User, file: Path) -> None:
    found = card_files.read(file.read_bytes())
    planned = merge.plan_cards(alice, found)
    merge.apply(alice, planned)
    kept = card_files.of_user(alice)
    assert "".join(sorted(planned.fresh)) == "".join(sorted(kept)), "as it is kept it goes out"
    before = sorted(map(_facts, kept))
    for style in (ExportStyle.VCARD_3, ExportStyle.VCARD_4):
        again = card_files.read("".join(card_files.saved_as(kept, style)).encode())
        assert sorted(_facts(text) for text, _details in again.cards) == before, style
        assert again.remarks == ()
    for one in found.remarks:
        assert one.kind in (RemarkKind.LINE, RemarkKind.PICTURE) and one.line, "what was not understood is told"


def _facts(text: str) -> str:
    one = entry_of(text)
    one.gender = {"f": "female", "m": "male"}.get(one.gender.lower(), one.gender.lower())
    one.uid = one.uid.removeprefix("urn:uuid:")
    return repr([(each.name, getattr(one, each.name)) for each in fields(BookEntry)])
