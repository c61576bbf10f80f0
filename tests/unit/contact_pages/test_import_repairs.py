"""Importing what devices are refused: each kind of repair is told in one line, and the contacts are whole."""

from __future__ import annotations

from tests.support.contact_pages import cards_of, import_file, send_file
from tests.support.visits import Visitor
from tests.unit.dav.conftest import card
from webmail.contacts import device_cards

OLD = (
    "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:C=C5=93ur;=C3=89lodie\r\n"
    "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=89lodie C=C5=93ur\r\nTEL;CELL:+33 6 12\r\nNOTE:a\x07b\r\nEND:VCARD\r\n"
)


def test_old_cards_are_repaired_and_told_in_a_line_each(alice: Visitor) -> None:
    file = (OLD + card("known", "Bob")).encode()
    page = send_file(alice, file)
    assert [" ".join(one.get_text().split()) for one in page.all("[data-repairs] li")] == [
        "1 contact in an old format (vCard 2.1) was converted.",
        "1 contact had characters that can’t be stored. They were left out.",
        "1 contact had no identifier and got one.",
    ]
    import_file(alice, file)
    kept = cards_of(alice)
    assert set(kept) == {"Élodie Cœur", "Bob"}
    assert "NOTE:ab\r\n" in kept["Élodie Cœur"] and "TEL;TYPE=cell:+33 6 12\r\n" in kept["Élodie Cœur"]
    assert device_cards.read(kept["Élodie Cœur"]).uid  # a telephone may send it back as it is
    assert not send_file(alice, card("known", "Bob").encode()).all("[data-repairs]")
