"""Domains and names that pretend to be others."""

from __future__ import annotations

import pytest

from webmail.mime.threats import lookalike

OURS = "lycee-ampere.example"


@pytest.mark.parametrize(
    "domain",
    [
        "lycee-arnpere.example",  # rn for m
        "lyceeampere.example",  # the hyphen is gone
        "ly-cee-ampere.example",  # one more
        "1ycee-ampere.example",  # 1 for l
        "iycee-ampere.example",
        "lycee-anpere.example",  # one letter
        "lycee-ampeer.example",  # two have changed places
        "lycee-amppere.example",  # one too many
        "lycee-ampre.example",  # one is missing
        "lycée-ampère.example",
        "xn--lyce-ampre-66ag.example",
        "lусее-ampere.example",  # Cyrillic
        "LYCEE-ARNPERE.EXAMPLE",
        "lycee-ampere.test",  # another top
        "lycee-ampere.example.evil.test",
        "lycee-ampere-example.test",
    ],
)
def test_what_looks_like_ours(domain: str) -> None:
    assert lookalike.resembles(domain, [], OURS) == OURS


@pytest.mark.parametrize(
    "domain",
    ["lycee-ampere.example", "mail.lycee-ampere.example", "lycee-jumele.example", "lycee-pascal.example", "mairie.example", "",
     "parents-lycee-ampere.example", "ampere.example", "courrier.example", "example"],
)  # fmt: skip
def test_what_does_not(domain: str) -> None:
    assert lookalike.resembles(domain, [], OURS) == ""


@pytest.mark.parametrize(
    ("domain", "real"),
    [("college-hugo.test", "college-hugo.example"), ("lycee-ampere.test", OURS), (OURS, ""), ("college-hugo.example", "")],
)
def test_several_domains_are_ours(domain: str, real: str) -> None:
    assert lookalike.resembles(domain, [], OURS, "college-hugo.example") == real


@pytest.mark.parametrize(
    ("domain", "known", "real"),
    [
        ("gооgle.test", ["google.test"], "google.test"),
        ("g00gle.test", ["google.test"], "google.test"),
        ("shop.de", ["shop.fr"], ""),  # firms have several tops
        ("amazon.de", ["amazon.fr"], ""),
        ("sncf.test", ["sncf.test"], ""),
        ("sncb.test", ["sncf.test"], ""),  # short names are near each other by chance
        ("paypa1.test", ["other.test", "paypal.test"], "paypal.test"),
        ("news.paypal.test", ["paypal.test"], ""),
        ("paypal.test", ["news.paypal.test"], ""),
    ],
)
def test_domains_of_people_one_writes_to(domain: str, known: list[str], real: str) -> None:
    assert lookalike.resembles(domain, known) == real


@pytest.mark.parametrize(
    ("domain", "bad"),
    [
        ("pаypal.test", True),  # one Cyrillic letter
        ("аррӏе.test", True),  # all of them
        ("xn--80ak6aa92e.test", True),
        ("россия.test", False),
        ("ελλάδα.test", False),
        ("lycée.test", False),
        ("日本ニュース.test", False),
        ("straße.test", False),
        ("plain.test", False),
        ("", False),
        ("xn--zzzzzzzzzzzzzz", False),
    ],
)
def test_letters_of_another_alphabet(domain: str, bad: bool) -> None:
    assert lookalike.deceives(domain) is bad


def test_a_deceiving_domain_is_shown_as_dns_has_it() -> None:
    assert lookalike.wire("аррӏе.test") == "xn--80ak6aa92e.test"
    assert lookalike.readable("xn--80ak6aa92e.test") == "аррӏе.test"
    assert lookalike.readable("xn--\udcff.test") == "xn--\udcff.test"


@pytest.mark.parametrize(
    ("one", "other", "off"),
    [("abc", "abc", False), ("abc", "abd", True), ("abc", "ab", True), ("abc", "acb", True), ("abc", "a", False),
     ("abcd", "badc", False), ("", "a", True), ("abc", "xbc", True), ("abcd", "abXc", False)],
)  # fmt: skip
def test_one_letter_off(one: str, other: str, off: bool) -> None:
    assert lookalike.one_off(one, other) is off
    assert lookalike.one_off(other, one) is off
