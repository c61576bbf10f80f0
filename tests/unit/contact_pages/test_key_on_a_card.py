"""A key on a contact's card: shown with its fingerprint, taken by one button, and then used for messages to its address."""

from __future__ import annotations

import base64

from tests.support.contacts import card
from tests.support.smime_people import needs_openssl, smime_person
from tests.support.visits import Visitor
from tests.unit.contact_pages.conftest import user_of
from webmail.contacts import card_keys, store
from webmail.keys import known_certificates
from webmail.models import KeyOrigin

pytestmark = needs_openssl
SECTION = "section[aria-labelledby=card-keys]"


def with_keys(address: str, *people: str) -> str:
    keys = [f"KEY;ENCODING=b;TYPE=X509:{base64.b64encode(smime_person(one).certificate).decode()}" for one in people]
    return card("Anna Roux", f"EMAIL:{address}", *keys, uid="77")


def test_it_is_shown_and_taken(alice: Visitor) -> None:
    user = user_of(alice)
    row = store.put(user, with_keys("anna@lycee.example", "anna", "gerda"))
    page = alice.get(f"/contacts/{row.uid}")
    said = page.one(SECTION).get_text(" ", strip=True)
    assert "S/MIME" in said and "not in your list yet" in said and "names no address of this contact" in said
    page = alice.submit(page, f"{SECTION} form")
    assert "The key is in your list" in page.text
    assert "not checked" in page.text and not page.all(f"{SECTION} form")
    found = known_certificates.certificates_for(user.id, ["anna@lycee.example", "gerda@lycee.example"])
    assert set(found) == {"anna@lycee.example"}
    [known] = found["anna@lycee.example"]
    assert (known.origin, known.certificate) == (KeyOrigin.CARD, smime_person("anna").certificate)


def test_ones_own_book_is_looked_in_when_writing(alice: Visitor, bob: Visitor) -> None:
    user, asked = user_of(alice), ["anna@lycee.example", "berta@lycee.example"]
    store.put(user, with_keys("berta@lycee.example", "berta", "anna"))
    assert card_keys.take_for(user_of(bob), asked) == set()
    assert card_keys.take_for(user, asked) == {"berta@lycee.example"}
    assert set(known_certificates.certificates_for(user.id, asked)) == {"berta@lycee.example"}


def test_a_card_without_keys_shows_none(alice: Visitor) -> None:
    row = store.put(user_of(alice), with_keys("anna@lycee.example"))
    assert not alice.get(f"/contacts/{row.uid}").all(SECTION)
