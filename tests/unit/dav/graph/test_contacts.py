"""Contacts of Microsoft 365 as cards and back, by tables."""

from __future__ import annotations

from typing import Any

import pytest

from webmail.contacts import device_cards
from webmail.dav.remote import item_comparison
from webmail.dav.remote.graph import extra_lines
from webmail.dav.remote.graph.contact_cards import card_from, contact_from, differing, extra_of


def card_of(*lines: str) -> str:
    return "\r\n".join(("BEGIN:VCARD", "VERSION:3.0", "UID:c1", *lines, "END:VCARD", ""))


def there_and_back(card: str) -> str:
    return card_from({**contact_from(card), "singleValueExtendedProperties": extra_lines.as_property(extra_of(card))})


_PLAIN = card_of("FN:Élodie Cœur", "N:Cœur;Élodie;;Dr;", "EMAIL;TYPE=INTERNET:elodie@x.example", "TEL;TYPE=CELL:+33 6 12")
_RICH = card_of(
    "FN:Élodie Cœur", "N:Cœur;Élodie;Marie;Dr;Jr", "NICKNAME:Lolo", "EMAIL;TYPE=WORK:a@x.example", "EMAIL;TYPE=HOME:b@x.example",
    "EMAIL:c@x.example", "EMAIL:d@x.example", "TEL;TYPE=CELL:1", "TEL;TYPE=CELL:2", "TEL;TYPE=HOME:3", "TEL;TYPE=FAX,WORK:4", "TEL:5",
    "ADR;TYPE=HOME:;;1 rue des Écoles;Lyon;;69005;France", "ADR:;Bât. 2;2 rue;Lyon;;69001;France", "ORG:Lycée;Lettres;Sixième", "TITLE:Professeure",
    "URL:https://x.example/", "BDAY:1980-05-17", "NOTE:deux\\n lignes\\, et", "CATEGORIES:Amis,Cours", "X-OWN:1", "item1.X-ABDATE:2001-01-01",
    "item1.X-ABLabel:Mariage", "IMPP:xmpp:e@x.example",
)  # fmt: skip


@pytest.mark.parametrize(
    "card",
    [_PLAIN, _RICH, card_of("FN:x", "N:;;;;", "BDAY:--0517"), card_of("FN:Group", "N:;;;;", "X-ADDRESSBOOKSERVER-KIND:group")],
)
def test_cards_come_back_with_all_that_they_said(card: str) -> None:
    found = there_and_back(card)
    device_cards.read(found)
    assert item_comparison.meaning(found) == item_comparison.meaning(card), found


def test_what_graph_has_is_written() -> None:
    found = contact_from(_RICH)
    assert [one["address"] for one in found["emailAddresses"]] == ["a@x.example", "b@x.example", "c@x.example"]
    assert (found["mobilePhone"], found["homePhones"], found["businessPhones"]) == ("1", ["3"], ["2", "5"])
    assert found["homeAddress"] == {
        "street": "1 rue des Écoles",
        "city": "Lyon",
        "postalCode": "69005",
        "countryOrRegion": "France",
    }
    assert found["otherAddress"]["street"] == "2 rue" and found["businessAddress"] == {}
    assert (found["companyName"], found["department"], found["birthday"]) == ("Lycée", "Lettres", "1980-05-17T00:00:00Z")
    assert (found["title"], found["generation"], found["personalNotes"]) == ("Dr", "Jr", "deux\n lignes, et")


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ({"displayName": "", "companyName": "Mairie"}, ["FN:Mairie", "ORG:Mairie"]),
        ({"emailAddresses": [{"address": "a@x.example", "name": "A"}]}, ["FN:a@x.example", "EMAIL;TYPE=INTERNET:a@x.example"]),
        ({"displayName": "A", "birthday": "1980-05-17T00:00:00Z"}, ["BDAY:1980-05-17"]),
        ({"displayName": "A\r\nX-EVIL:1", "personalNotes": "a\r\nb"}, ["FN:A X-EVIL:1", "NOTE:a\\nb"]),
    ],
)  # fmt: skip
def test_contacts_are_read(values: dict[str, Any], lines: list[str]) -> None:
    card = card_from({"id": "AAMk=", **values})
    device_cards.read(card)
    assert [line for line in lines if line not in card.split("\r\n")] == []


def test_what_is_changed_there_counts_and_the_rest_stays() -> None:
    contact = {**contact_from(_RICH), "singleValueExtendedProperties": extra_lines.as_property(extra_of(_RICH))}
    found = card_from({**contact, "mobilePhone": "9", "jobTitle": "Proviseure"})
    assert (
        "TEL;TYPE=CELL:9" in found and "TITLE:Proviseure" in found and "X-OWN:1" in found and "ORG:Lycée;Lettres;Sixième" in found
    )
    assert "FAX" not in found  # telephones were changed there


def test_only_what_differs_is_written() -> None:
    assert differing(contact_from(_PLAIN.replace("+33 6 12", "+33 6 13")), contact_from(_PLAIN)) == {"mobilePhone": "+33 6 13"}
