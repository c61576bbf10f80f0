"""Contacts' vCards: what is kept, what a change touches, what two cards of one person make together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.mime.formats.cards import vcard_edit, vcard_import
from webmail.mime.formats.cards.vcard_edit import ContactDetails, ContactPoint

FULL = """BEGIN:VCARD
VERSION:4.0
UID:urn:uuid:1234
FN:Élodie Cœur
N:Cœur;Élodie;;Dr;
item1.EMAIL;TYPE=INTERNET;PREF=1:elodie@x.example
item1.X-ABLabel:Perso
EMAIL;TYPE=work:elodie@work.example
TEL;VALUE=uri;TYPE=cell:tel:+33-6-12-34-56-78
X-FOO;A="b;c":a,b;c\\,d
X-SOCIAL-PROFILE;x-user=el:https://social.example/el
PHOTO:data:image/jpeg;base64,AAAA
BDAY:19800102
NOTE:une longue note qui est pliée sur deux lignes comme les programmes le fo
 nt\\nseconde ligne
END:VCARD
"""
OLD = """BEGIN:VCARD
VERSION:2.1
N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:L=E9ger;Ren=E9
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Ren=C3=A9 L=
=C3=A9ger
TEL;HOME;VOICE:01 02 03 04 05
EMAIL;INTERNET:rene@x.example
NOTE;ENCODING=QUOTED-PRINTABLE:a=0D=0AEND:VCARD, b
PHOTO;JPEG;ENCODING=BASE64:
 AAAA
 BBBB

END:VCARD
"""


def one(text: str) -> str:
    [(card, _details)] = vcard_import.cards_in(text, 10).cards
    return card


def lines(card: str) -> list[str]:
    return card.replace("\r\n ", "").split("\r\n")


def test_a_card_is_kept_as_it_came() -> None:
    assert one(FULL).replace("\r\n", "\n") == FULL


def test_what_a_card_says() -> None:
    assert vcard_edit.read(one(FULL)) == ContactDetails(
        name="Élodie Cœur", given="Élodie", family="Cœur", uid="1234",
        emails=(ContactPoint("elodie@x.example"), ContactPoint("elodie@work.example", "work")), phones=(ContactPoint("+33-6-12-34-56-78", "cell"),),
        note="une longue note qui est pliée sur deux lignes comme les programmes le font\nseconde ligne",
    )  # fmt: skip


def test_saving_without_a_change_changes_nothing() -> None:
    card = one(FULL)
    assert vcard_edit.changed(card, vcard_edit.read(card)) == card


def test_a_change_touches_its_lines_alone() -> None:
    card = one(FULL)
    known = vcard_edit.read(card)
    changed = vcard_edit.changed(
        card, replace(known, family="Le;roy", emails=(ContactPoint("new@x.example", "home"), known.emails[1]))
    )
    gone, come = set(lines(card)) - set(lines(changed)), set(lines(changed)) - set(lines(card))
    assert gone == {"N:Cœur;Élodie;;Dr;", "item1.EMAIL;TYPE=INTERNET;PREF=1:elodie@x.example"}
    assert come == {"N:Le\\;roy;Élodie;;Dr;", "item1.EMAIL;PREF=1;TYPE=INTERNET,HOME:new@x.example"}
    assert vcard_edit.read(changed).family == "Le;roy"


def test_an_address_goes_with_its_label() -> None:
    card = one(FULL)
    known = vcard_edit.read(card)
    changed = vcard_edit.changed(card, replace(known, emails=known.emails[1:], phones=(), note=""))
    assert "item1" not in changed and "TEL" not in changed and "NOTE" not in changed
    assert "X-FOO" in changed and "PHOTO" in changed


def test_what_people_type_can_not_add_lines() -> None:
    evil = "x\r\nEND:VCARD\nBEGIN:VCARD\u2028X:y"
    card = vcard_edit.made(
        ContactDetails(name=evil, given=evil, emails=(ContactPoint(evil),), note=evil, organisation=evil, uid="u")
    )
    assert len(vcard_import.cards_in(card, 10).cards) == 1
    assert [line for line in lines(card) if line.startswith(("END", "X:"))] == ["END:VCARD"]


def test_a_new_card_is_complete() -> None:
    card = vcard_edit.made(ContactDetails(name="Ann", emails=(ContactPoint("ann@x.example", "work"),), uid="u-1"))
    assert lines(card)[:3] == ["BEGIN:VCARD", "VERSION:3.0", "UID:u-1"]
    assert {"FN:Ann", "N:;Ann;;;", "EMAIL;TYPE=WORK:ann@x.example"} < set(lines(card))


def test_an_old_card_becomes_one_of_today() -> None:
    card = one(OLD)
    known = vcard_edit.read(card)
    assert (known.name, known.given, known.family) == ("René Léger", "René", "Léger")
    assert (known.phones, known.note) == ((ContactPoint("01 02 03 04 05", "home"),), "a\nEND:VCARD, b")
    assert "VERSION:3.0" in card and "CHARSET" not in card and "PHOTO;ENCODING=b;TYPE=jpeg:AAAABBBB" in lines(card)


def test_two_cards_of_one_person_together_lose_nothing() -> None:
    card = one(FULL)
    other = one(
        "BEGIN:VCARD\nVERSION:3.0\nUID:other\nFN:E. Coeur\nEMAIL:ELODIE@x.example\nitem1.EMAIL:third@x.example\n"
        "item1.X-ABLabel:Trois\nTEL:06 12 34 56 78\nTEL:04 00 00 00 00\nNOTE:other\nTITLE:Proviseure\nX-NEW:1\nEND:VCARD\n"
    )
    merged = vcard_edit.merge_cards(card, other)
    assert set(lines(card)) < set(lines(merged))
    added = set(lines(merged)) - set(lines(card))
    assert added == {"item2.EMAIL:third@x.example", "item2.X-ABLabel:Trois", "TEL:04 00 00 00 00", "TITLE:Proviseure", "X-NEW:1"}
    assert vcard_edit.merge_cards(merged, other) == merged


def test_groups_of_both_kinds() -> None:
    apple = "BEGIN:VCARD\nVERSION:3.0\nFN:3B\nX-ADDRESSBOOKSERVER-KIND:group\nX-ADDRESSBOOKSERVER-MEMBER:urn:uuid:a\nEND:VCARD\n"
    new = "BEGIN:VCARD\nVERSION:4.0\nFN:3B\nKIND:group\nMEMBER:urn:uuid:a\nMEMBER:mailto:B@x.example\nEND:VCARD\n"
    assert vcard_edit.read(one(apple)).members == ("a",)
    assert vcard_edit.read(one(new)).members == ("a", "mailto:b@x.example")
    changed = vcard_edit.with_members(one(new), ["mailto:b@x.example", "c"])
    assert "MEMBER:urn:uuid:c" in lines(changed) and "urn:uuid:a" not in changed and "MEMBER:mailto:B@x.example" in lines(changed)
    assert "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:c" in lines(vcard_edit.with_members(one(apple), ["c"]))


def test_pictures_go_before_a_card_is_refused() -> None:
    picture = "PHOTO;ENCODING=b:" + "A" * 60_000
    found = vcard_import.cards_in(FULL.replace("PHOTO:data:image/jpeg;base64,AAAA", picture), 10)
    assert (len(found.cards), found.cut, found.refused) == (1, 1, 0)
    assert "PHOTO" not in found.cards[0][0] and "X-FOO" in found.cards[0][0]
    found = vcard_import.cards_in(FULL.replace("BDAY:19800102", "X-LONG:" + "a" * 30_000), 10)
    assert (found.cards, found.refused) == ((), 1)


@pytest.mark.parametrize(
    "text",
    [
        "", "BEGIN:VCARD", "BEGIN:VCARD\nEND:VCARD\n", "END:VCARD\n" * 50, "BEGIN:VCARD\nVERSION:3.0\nEND:VCARD\n",
        "BEGIN:VCARD\nFN\nEND:VCARD\n", "BEGIN:VCARD\nVERSION:2.1\nFN;ENCODING=QUOTED-PRINTABLE;CHARSET=nope:a=\nEND:VCARD\n",
        "BEGIN:VCARD\nEMAIL" + ";A=b" * 5000 + ":x\nEND:VCARD\n", "BEGIN:VCARD\n" + "X:1\n" * 100_000 + "END:VCARD\n",
        "BEGIN:VCARD\nFN:" + "\\" * 19_000 + "\nEMAIL:" + ",;" * 5_000 + "\nEND:VCARD\n", "\x00\ud800BEGIN:VCARD\nFN:\ud800\nEND:VCARD\n",
        "BEGIN:VCARD\n" * 20_000, "BEGIN:VCARD\nFN" + ";" * 9 + "A,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\nEND:VCARD\n",
        "BEGIN:VCARD\nVERSION:2.1\nFN:x\nN;A=" + "," * 40 + '"x:y\nEND:VCARD\n',
        "BEGIN:VCARD\nFN:x\nN;A=" + "," * 40 + '"x:y\nEND:VCARD\n', "BEGIN:VCARD\nFN:x\nN" + ';A="' * 4000 + ":y\nEND:VCARD\n",
        "BEGIN:VCARD\nFN:x\nN;" + "a" * 19_000 + "\nEND:VCARD\n",
        "BEGIN:VCARD\nVERSION:2.1\nN" + ";A=" + "," * 40 + "\nX\nEND:VCARD\n",
    ],
)  # fmt: skip
def test_hostile_cards_cost_little_and_do_no_harm(text: str) -> None:
    with cpu_seconds(2):
        for card, details in vcard_import.cards_in(text, 100).cards:
            assert details.name and vcard_edit.read(vcard_edit.changed(card, details)).name
            vcard_edit.merge_cards(card, card)


def test_a_long_file_takes_linear_time() -> None:
    with cpu_seconds(3):
        found = vcard_import.cards_in(FULL * 1000, 900)
        assert (len(found.cards), found.refused) == (900, 100)


@pytest.mark.parametrize("pieces", [":" + "a\n " * 800_000, ";ENCODING=QUOTED-PRINTABLE:" + "a=\n" * 150_000 + "a"])
def test_an_endless_line_of_an_old_card_takes_linear_time_and_is_left_out(pieces: str) -> None:
    with cpu_seconds(2):
        found = vcard_import.cards_in(f"BEGIN:VCARD\nVERSION:2.1\nFN:x\nNOTE{pieces}\nTEL:1\nEND:VCARD\n", 10)
    [(card, details)] = found.cards
    assert details.phones and "NOTE" not in card


@pytest.mark.parametrize(
    "text", ["+33 6 12 34 56 78", "tel:+33-6-12-34-56-78", "06.12.34.56.78", "0033612345678", "+33 (0)6 12 34 56 78"]
)
def test_one_telephone_written_in_several_ways(text: str) -> None:
    assert vcard_edit.phone_key(text) == "0612345678"
