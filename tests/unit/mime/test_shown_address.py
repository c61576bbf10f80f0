"""Shown address: addresses as people read them."""

import pytest

from webmail.mime.headers.shown_address import readable_address


def test_a_domain_is_shown_in_its_own_letters():
    assert readable_address("info@xn--bcher-kva.example") == "info@bücher.example"
    assert readable_address("info@XN--BCHER-KVA.example") == "info@bücher.example"
    assert readable_address("info@bücher.example") == "info@bücher.example"


@pytest.mark.parametrize("email", ["a@xn--.example", "a@xn--99999999999.example", "a@xn--fsq\u0300.example", "a@xn--a-ecp.ru"])
def test_a_domain_that_stands_for_nothing_stays(email):
    assert readable_address(email) == email


@pytest.mark.parametrize("domain", ["pаypal.example", "аррӏе.example"])
def test_letters_that_look_latin_stay_encoded(domain):
    encoded = ".".join(label if label.isascii() else "xn--" + label.encode("punycode").decode() for label in domain.split("."))
    assert readable_address(f"a@{encoded}") == f"a@{encoded}"
