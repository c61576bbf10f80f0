"""Card files of old telephones and programs (vCard 2.1): read right, and told how many were put right."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.contacts.imports import card_files
from webmail.mime.formats.cards import vcard_import
from webmail.mime.formats.cards.vcard_import import CardFile

CORPUS = Path(os.environ.get("TRABOULE_CORPORA", Path(__file__).resolve().parents[5] / "shared" / "corpora")) / "vcf-ezvcard"
PICTURE = base64.b64encode(b"\xff\xd8\xff\xe0" + b"x" * 90).decode()


def read(*lines: str, version: str = "2.1") -> CardFile:
    text = "\r\n".join(["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""])
    return vcard_import.cards_in(text, 10)


def lines_of(found: CardFile) -> list[str]:
    """Of the card, unfolded, without its frame."""
    [(card, _details)] = found.cards
    assert found.remarks == ()
    lines = card.replace("\r\n ", "").split("\r\n")
    assert lines[:2] == ["BEGIN:VCARD", "VERSION:3.0"]
    return lines[2:-2]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=89lodie C=C5=93ur"], ["FN:Élodie Cœur"]),
        (["FN;CHARSET=ISO-8859-1;QUOTED-PRINTABLE:=C9lodie"], ["FN:Élodie"]),
        (["FN;charset=windows-1252;encoding=quoted-printable:5 =80"], ["FN:5 €"]),
        (["FN;ENCODING=QUOTED-PRINTABLE:=C9lodie"], ["FN:Élodie"]),  # names no charset, and is not UTF-8
        (["FN;CHARSET=nonsense;ENCODING=QUOTED-PRINTABLE:=C3=89"], ["FN:É"]),
        (["FN:A", "N;ENCODING=QUOTED-PRINTABLE:Du=3Bpont;Jean=2C Luc"], ["FN:A", r"N:Du\;pont;Jean\, Luc"]),
        (["FN:A", "NOTE;ENCODING=QUOTED-PRINTABLE:tr=C3=A8s=", "longue=0D=0A=", "END:VCARD, b"], ["FN:A", r"NOTE:trèslongue\nEND:VCARD\, b"]),
        (["FN:A", "ADR;HOME;QUOTED-PRINTABLE:;;1 rue=0A2e;Lyon;;69001;"], ["FN:A", r"ADR;TYPE=home:;;1 rue\n2e;Lyon;;69001;"]),
        (["FN:A", "TEL;CELL;VOICE:1", "TEL;WORK;FAX:2", "EMAIL;INTERNET:a@b.c"],
         ["FN:A", "TEL;TYPE=cell,voice:1", "TEL;TYPE=work,fax:2", "EMAIL;TYPE=internet:a@b.c"]),
        (["FN:A", f"PHOTO;ENCODING=BASE64;JPEG:{PICTURE[:50]}", f" {PICTURE[50:]}", "", "TEL:1"],
         ["FN:A", f"PHOTO;ENCODING=b;TYPE=jpeg:{PICTURE}", "TEL:1"]),
        (["FN:A", f"PHOTO;JPEG;BASE64:{PICTURE[:50]}", PICTURE[50:100], PICTURE[100:], "", "TEL:1"],  # nothing is indented
         ["FN:A", f"PHOTO;ENCODING=b;TYPE=jpeg:{PICTURE}", "TEL:1"]),
        (["FN;ENCODING=QUOTED-PRINTABLE:a=0D=0ATEL:1=00=07"], [r"FN:a\nTEL:1"]),  # no line of its own
    ],
)  # fmt: skip
def test_what_old_telephones_write(old: list[str], new: list[str]) -> None:
    assert lines_of(read(*old)) == new


def test_an_assistants_card_within_a_card_is_left_out_and_told() -> None:
    found = read("FN:A", "AGENT:", "BEGIN:VCARD", "VERSION:2.1", "FN:B", "END:VCARD", "TEL:1")
    assert [card for card, _details in found.cards] == ["BEGIN:VCARD\r\nVERSION:3.0\r\nFN:A\r\nTEL:1\r\nEND:VCARD\r\n"]
    assert [(one.kind, one.detail) for one in found.remarks] == [("line", "AGENT")]


def test_the_samples_of_other_programs_are_read_whole() -> None:
    if not CORPUS.is_dir():
        pytest.skip("no samples: set TRABOULE_CORPORA")
    for sample in sorted(CORPUS.rglob("*.vcf")):
        found = card_files.read(sample.read_bytes())
        assert found.cards and (found.remarks, found.cut) == ((), 0), sample.name


def test_repairs_are_counted_by_card() -> None:
    old = "BEGIN:VCARD\nVERSION:2.1\nFN:A\x07\nNOTE:\x1b\nEND:VCARD\n"
    good = "BEGIN:VCARD\nVERSION:4.0\nUID:u\nFN:B\nEND:VCARD\n"
    assert dict(vcard_import.cards_in(f"\ufeff{old}{good}{old}", 10).repairs) == {"old": 2, "characters": 2, "uid": 2}
    assert not vcard_import.cards_in(f"\ufeff{good}", 10).repairs
    assert not card_files.read(b"Name,Email\nA,a@x.example\n").repairs  # a table has no identifiers


@pytest.mark.parametrize(
    "line", [";ENCODING=QUOTED-PRINTABLE:" + "a;" * 400_000, ";ENCODING=QUOTED-PRINTABLE" + ";" * 500_000 + ":a"]
)
def test_decoding_takes_linear_time(line: str) -> None:
    with cpu_seconds(3):
        read("FN:x", f"NOTE{line}")


def test_a_picture_in_many_lines_takes_linear_time() -> None:
    with cpu_seconds(3):
        read("FN:x", "PHOTO;BASE64:AAAA", *["A" * 70] * 100_000, "TEL:1")
