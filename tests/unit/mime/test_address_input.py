"""Addresses as keys: letters of a language and those of DNS are one domain, and what stands in a message is never too much."""

from __future__ import annotations

import pytest

from webmail.mime.headers.address_input import address_key


@pytest.mark.parametrize("email", ["Info@Bücher.example", "info@bücher.example", "INFO@xn--bcher-kva.example"])
def test_one_domain_has_one_key(email):
    assert address_key(email) == "info@xn--bcher-kva.example"


@pytest.mark.parametrize("email", ["a@" + "é" * 80, "a@" + "ß" * 80, "a@é.." + "é" * 64, "", "@", "a@"])
def test_an_address_that_can_not_be_still_has_one(email):
    assert address_key(email).casefold() == email.casefold()
