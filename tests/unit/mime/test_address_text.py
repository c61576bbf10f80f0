"""Addresses as a form shows them, read back."""

import pytest

from webmail.mail import Address
from webmail.mime import builder
from webmail.mime.headers.address_text import address_text


@pytest.mark.parametrize(
    "name", ["Bob", "Bob Girard", "Girard, Bob", 'Bob "le grand" G', "Bob (CPE)", "é@ü; x", "back\\slash", ""]
)
def test_an_address_survives_the_form(name):
    address = Address(name, "bob@x.example")
    assert builder.parse_addresses(address_text([address, address])) == (address, address)


def test_a_name_can_not_look_like_another_address():
    text = address_text([Address("<boss@lycee.example>", "eve@x.example"), Address("a <b", "c@x.example")])
    assert [a.email for a in builder.parse_addresses(text)] == ["eve@x.example", "c@x.example"]
    assert "<boss" not in text
