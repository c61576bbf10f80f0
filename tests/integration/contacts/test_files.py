"""Contacts from files and into files."""

from __future__ import annotations

import io

import pytest

from tests.support.contact_pages import CARD, cards_of
from tests.support.visits import Visitor


def test_a_file_is_imported_exported_and_taken_back(alice: Visitor, bob: Visitor) -> None:
    form = alice.get("/contacts/import")
    broken = "BEGIN:VCARD\nEND:VCARD\n"
    page = alice.submit(form, "form[enctype]", file=(io.BytesIO((CARD + broken).encode()), "zoe.vcf"))
    assert "1 contact added." in page.notices and "1 could not be read." in page.notices
    assert alice.get("/contacts/export").response.get_data(as_text=True) == CARD
    assert alice.get(f"{alice.get(page.link('Zoé Petit')).address}/card").response.get_data(as_text=True) == CARD
    again = alice.submit(form, "form[enctype]", file=(io.BytesIO(CARD.encode()), "zoe.vcf"))
    assert "1 was already there." in again.notices
    assert bob.get("/contacts/export").response.get_data() == b""
    alice.submit(page, "#notices form")
    assert cards_of(alice) == {}


@pytest.mark.parametrize("content", [b"", b"no card", b"\xff\xfe\x00\x00" * 50, b"BEGIN:VCARD\n" * 1000])
def test_a_file_that_is_none_is_refused(alice: Visitor, content: bytes) -> None:
    page = alice.submit(alice.get("/contacts/import"), "form[enctype]", file=(io.BytesIO(content), "x.vcf"))
    assert page.status == 422 and page.one(".field-error").get_text()
