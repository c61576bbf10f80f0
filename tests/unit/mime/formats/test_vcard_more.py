"""Further fields of cards: read, changed, and everything else left as it was."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.mime.formats.address_books.entry import entry_of
from webmail.mime.formats.cards import vcard_edit, vcard_import
from webmail.mime.formats.cards.vcard_details import MoreDetails, PostalAddress, changed_more, read_more, with_photo
from webmail.mime.formats.cards.vcard_people import ImAddress, RelatedPerson

CORPORA = Path(os.environ.get("TRABOULE_CORPORA", Path(__file__).resolve().parents[5] / "shared" / "corpora"))
SAMPLES = sorted(CORPORA.glob("vcf-*/**/*.vcf"))
LINES = (
    "FN:Ann", "item1.ADR;TYPE=HOME;TYPE=pref;X-A=\"1;2\":;esc. 2;1\\, rue A;Lyon;Rhône;69001;France", "item1.X-ABADR:fr",
    "item2.ADR;TYPE=WORK:;;2 rue B;Paris;;75001;", "item2.X-ABLabel:school", "URL;X-B=1:https://a.example",
    "BDAY;VALUE=date:1990-01-02", "CATEGORIES:a\\,b,c", "X-ODD;Y=\"z;\":1\\,2;3", "PHOTO;ENCODING=b;TYPE=PNG:AAAA",
)  # fmt: skip
HOME = PostalAddress("esc. 2\n1, rue A", "69001", "Lyon", "Rhône", "France", "home")
WORK = PostalAddress("2 rue B", "75001", "Paris", "", "", "work")


def card(version: str, *lines: str) -> str:
    return "\r\n".join(["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""])


def changes(before: str, after: str) -> tuple[set[str], set[str]]:
    """Lines that are gone, and new ones."""
    old, new = before.split("\r\n"), after.split("\r\n")
    return set(old) - set(new), set(new) - set(old)


def test_every_field_is_read() -> None:
    found = read_more(card("3.0", *LINES))
    assert found == MoreDetails("", "1990-01-02", "", (HOME, WORK), ("https://a.example",), ("a,b", "c"))


PEOPLE = (
    "FN:Dr Ann Mary Roux", "N:Roux;Ann;Mary,Jane;Dr;PhD", "ORG:Lycée\\, annexe;Maths;Bureau 2", "X-JABBER:ann@jabber.example",
    "IMPP;X-SERVICE-TYPE=Skype;TYPE=HOME:skype:ann.roux", "IMPP:matrix:u/ann:m.example", "IMPP:icq:12345",
    "X-SOCIALPROFILE;TYPE=twitter:https://social.example/ann", "item1.X-ABRELATEDNAMES:Paul", "item1.X-ABLabel:_$!<Spouse>!$_",
    "item2.X-ABRELATEDNAMES:Zoé", "item2.X-ABLabel:godmother", "X-ASSISTANT:Luc",
)  # fmt: skip
SHOWN = MoreDetails(
    prefix="Dr", middle="Mary, Jane", suffix="PhD", organisation="Lycée, annexe", department="Maths, Bureau 2",
    ims=(
        ImAddress("jabber", "ann@jabber.example"), ImAddress("skype", "ann.roux"), ImAddress("matrix", "u/ann:m.example"),
        ImAddress("icq", "12345"),
    ),
    profiles=("https://social.example/ann",),
    related=(RelatedPerson("spouse", "Paul"), RelatedPerson("godmother", "Zoé"), RelatedPerson("assistant", "Luc")),
)  # fmt: skip


def test_names_departments_messages_and_people_are_read_and_kept() -> None:
    before = card("3.0", *PEOPLE)
    assert read_more(before) == SHOWN
    assert changed_more(before, SHOWN) == before


@pytest.mark.parametrize(
    ("change", "gone", "new"),
    [
        ({"suffix": "", "prefix": "Pr;"}, {PEOPLE[1]}, {"N:Roux;Ann;Mary,Jane;Pr\\;;"}),
        ({"organisation": "Collège"}, {PEOPLE[2]}, {"ORG:Collège;Maths;Bureau 2"}),
        ({"department": "Physique"}, {PEOPLE[2]}, {"ORG:Lycée\\, annexe;Physique"}),
        ({"organisation": "", "department": ""}, {PEOPLE[2]}, set()),
        ({"profiles": ("https://b.example",)}, {PEOPLE[7]}, {"X-SOCIALPROFILE;TYPE=twitter:https://b.example"}),
        ({"related": SHOWN.related[1:]}, {PEOPLE[8], PEOPLE[9]}, set()),
        (
            {"related": (*SHOWN.related, RelatedPerson("child", "Eve"), RelatedPerson("", "Max"))}, set(),
            {"item3.X-ABRELATEDNAMES:Eve", "item3.X-ABLabel:_$!<Child>!$_", "X-ABRELATEDNAMES:Max"},
        ),
        ({"ims": (ImAddress("jabber", "b@j.example"), *SHOWN.ims[1:])}, {PEOPLE[3]}, {"X-JABBER:b@j.example"}),
        ({"ims": (ImAddress("signal", "+33600"), *SHOWN.ims[1:])}, {PEOPLE[3]}, {"IMPP:signal:+33600"}),
        ({"ims": (*SHOWN.ims, ImAddress("", "ann"))}, set(), {"IMPP:x-apple:ann"}),
        (
            {"ims": (SHOWN.ims[0], ImAddress("skype", "other"), *SHOWN.ims[2:])}, {PEOPLE[4]},
            {"IMPP;X-SERVICE-TYPE=Skype;TYPE=HOME:skype:other"},
        ),
    ],
)  # fmt: skip
def test_only_what_was_changed_of_a_person_is_written(change: dict[str, object], gone: set[str], new: set[str]) -> None:
    before = card("3.0", *PEOPLE)
    after = changed_more(before, replace(SHOWN, **change))
    assert changes(before, after) == (gone, new)
    assert read_more(after) == replace(SHOWN, **change)


def test_cards_of_version_4_get_its_own_lines() -> None:
    new = MoreDetails(
        prefix="Dr", department="Maths", ims=(ImAddress("jabber", "a@b"),), profiles=("https://b.example",),
        related=(RelatedPerson("spouse", "Paul, dit Popaul"), RelatedPerson("", "Eve")),
    )  # fmt: skip
    after = changed_more(card("4.0", "FN:Ann"), new)
    assert set(after.split("\r\n")) >= {
        "N:;;;Dr;", "ORG:;Maths", "IMPP:xmpp:a@b", "SOCIALPROFILE:https://b.example",
        "RELATED;TYPE=spouse;VALUE=text:Paul\\, dit Popaul", "RELATED;VALUE=text:Eve",
    }  # fmt: skip
    assert read_more(after) == new


def test_what_does_not_change_stays_byte_for_byte() -> None:
    before = card("3.0", *LINES)
    assert changed_more(before, read_more(before)) == before


def test_only_the_line_that_changes_is_written_and_keeps_its_parameters() -> None:
    before = card("3.0", *LINES)
    known = read_more(before)
    gone, new = changes(before, changed_more(before, replace(known, postals=(replace(HOME, city="Bron"), WORK))))
    assert gone == {LINES[1]}
    assert (
        "".join(sorted(new, reverse=True))
        == 'item1.ADR;X-A="1;2";TYPE=PREF;TYPE=HOME:;esc. 2;1\\, rue A;Bron;Rhône;6900 1;France'
    )
    gone, new = changes(before, changed_more(before, replace(known, sites=("https://b.example",))))
    assert (gone, new) == ({LINES[5]}, {"URL;X-B=1:https://b.example"})
    gone, new = changes(before, changed_more(before, replace(known, categories=("c",), nickname="Nan;")))
    assert (gone, new) == ({LINES[7]}, {"CATEGORIES:c", "NICKNAME:Nan\\;"})


def test_an_address_that_goes_takes_its_label_along() -> None:
    before = card("3.0", *LINES)
    after = changed_more(before, replace(read_more(before), postals=(HOME,)))
    assert changes(before, after) == ({LINES[3], LINES[4]}, set())
    assert read_more(changed_more(after, replace(read_more(after), postals=()))).postals == ()


@pytest.mark.parametrize(
    ("version", "day", "line"),
    [
        ("3.0", "1980-02-03", "BDAY:1980-02-03"), ("4.0", "1980-02-03", "BDAY:19800203"), ("4.0", "--02-03", "BDAY:--0203"),
        ("3.0", "--02-03", "BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-03"), ("4.0", "spring", "BDAY;VALUE=text:spring"),
    ],
)  # fmt: skip
def test_days_are_written_as_each_version_has_them(version: str, day: str, line: str) -> None:
    after = changed_more(card(version, "FN:Ann"), MoreDetails(birthday=day))
    assert line in after.split("\r\n") and read_more(after).birthday == day and entry_of(after).birthday == day


@pytest.mark.parametrize(
    ("version", "line"), [("3.0", "PHOTO;ENCODING=b;TYPE=JPEG:/9j/AA=="), ("4.0", "PHOTO:data:image/jpeg;base64,/9j/AA==")]
)
def test_photos_are_written_as_each_version_has_them(version: str, line: str) -> None:
    before = card(version, "FN:Ann", "PHOTO;VALUE=uri:https://tracker.example/x.png", "X-A:1")
    after = with_photo(before, b"\xff\xd8\xff\x00")
    assert line in after and "tracker" not in after and entry_of(after).photo == b"\xff\xd8\xff\x00"
    assert with_photo(after, b"") == card(version, "FN:Ann", "X-A:1")


@pytest.mark.skipif(not SAMPLES, reason="no corpora beside the checkout or in TRABOULE_CORPORA")
@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_public_samples_are_edited_without_a_loss(file: Path) -> None:
    for before, details in vcard_import.cards_in(file.read_bytes().decode("utf-8", "replace"), 100).cards:
        known = read_more(before)
        assert changed_more(before, known) == before
        after = changed_more(vcard_edit.changed(before, replace(details, note="edited")), replace(known, nickname="edited"))
        names = ("NOTE", "NICKNAME", "FN")  # the last is added where there is none
        kept = [line for line in vcard_edit.lines_of(before.split("\r\n")) if line.name not in names]
        assert [line.raw for line in kept] == [
            line.raw for line in vcard_edit.lines_of(after.split("\r\n")) if line.name not in names
        ]
        more = changed_more(
            before, replace(known, postals=(*known.postals, PostalAddress("1 rue A")), sites=("https://x.example",))
        )
        assert read_more(more).postals[-1].street == "1 rue A" and read_more(more).sites == ("https://x.example",)


@pytest.mark.parametrize("mark", [";", ",", "\\;", ";\\,"])
@pytest.mark.parametrize("name", ["ORG", "N", "ADR"])
def test_a_value_of_very_many_parts_is_read_quickly_and_stays(name, mark):
    value = "École" + mark + mark.join(f"a{number}" for number in range(100_000))
    card = f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nFN:X\r\n{name}:{value}\r\nEND:VCARD\r\n"
    with cpu_seconds(0.5, (name, mark)):
        read, more = vcard_edit.read(card), read_more(card)
    assert len(read.organisation) <= 300 and len(more.department) <= 2 * 8_000
    edited = vcard_edit.changed(card, replace(read, note="Noted"))
    assert value[-2000:] in edited.replace("\r\n ", "") and "NOTE:Noted" in edited
