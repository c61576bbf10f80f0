"""Links whose text names another site than they lead to."""

from __future__ import annotations

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.mime.html.link_claims import claimed_host, claims, host_of, pretends, site_of


@pytest.mark.parametrize(
    ("text", "url", "said"),
    [
        ("www.bank.example", "https://evil.test/", "www.bank.example"),
        ("https://bank.example/login", "https://evil.test/", "bank.example"),
        ("bank.example", "https://evil.test/", "bank.example"),
        ("« Bank.Example »", "https://evil.test/", "bank.example"),
        ("bank.example/login?a=1", "https://evil.test/", "bank.example"),
        ("See https://bank.example now", "https://evil.test/", "bank.example"),
        ("See www.bank.example now", "https://bank.example.evil.test/", "www.bank.example"),
        ("https:bank.example", "https://evil.test/", "bank.example"),
        ("https://good.fr@bank.example/", "https://good.fr/", "bank.example"),
        ("b\u00ada\u200bnk.example", "https://evil.test/", "bank.example"),
        ("ｂank．example", "https://evil.test/", "bank.example"),
        ("paypal.com", "http://p\u0430ypal.com/", "paypal.com"),
        ("moc\u202e.knab", "https://evil.test/", "moc.knab"),
        ("bank.example", "https://bank.example@evil.test/", "bank.example"),
        ("bank.example", "https://evil.test\\@bank.example/", "bank.example"),
        ("a.co.uk", "https://b.co.uk/", "a.co.uk"),
        ("a.github.io", "https://b.github.io/", "a.github.io"),
        ("www.bank.example", "https://127.0.0.1/", "www.bank.example"),
        ("www.a.fr", "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fevil.test&data=1", "www.a.fr"),
        ("www.google.com", "https://www.google.com/url?q=https://evil.test/", "www.google.com"),
        ("www.a.fr", "https://safelinks.protection.outlook.com.evil.test/?url=https%3A%2F%2Fwww.a.fr", "www.a.fr"),
        ("www.a.fr", "https://urldefense.com@evil.test/v3/__https://www.a.fr/__;", "www.a.fr"),
    ],
)
def test_it_names_the_site_that_the_text_claims(text: str, url: str, said: str) -> None:
    assert claimed_host(text, url) == said


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("www.bank.example", "https://bank.example/x"), ("bank.example", "https://click.bank.example/"), ("Click here", "https://evil.test/"),
        ("https://BANK.example:443/", "http://bank.example/"), ("README.md", "https://forge.test/"), ("Node.js", "https://nodejs.test/"),
        ("M. Dupont", "https://x.test/"), ("bob@bank.example", "https://x.test/"), ("12.5 %", "https://x.test/"), ("", "https://x.test/"),
        ("lycée.example", "https://xn--lyce-dpa.example/"), ("b.a.co.uk", "https://www.a.co.uk/"), ("Le 24.11.2026", "https://x.test/"),
        ("www.a.fr", "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.a.fr%2Fx&data=1"),
        ("www.a.fr", "https://urldefense.com/v3/__https://www.a.fr/x__;!!abc"),
        ("www.a.fr", "https://urldefense.proofpoint.com/v2/url?u=https-3A__www.a.fr_x&d=1"),
        ("www.a.fr", "https://www.google.com/url?q=https://www.a.fr/x&sa=D"),
        ("www.", "https://x.test/"), ("and www.", "https://x.test/"), ("10.0.0.1", "https://x.test/"), ("e.g. this", "https://x.test/"),
    ],
)  # fmt: skip
def test_ordinary_links_name_nothing_else(text: str, url: str) -> None:
    assert claimed_host(text, url) == ""


def test_hosts_are_read_as_browsers_do() -> None:
    assert host_of("HTTPS://Bank.Example.:443/x") == "bank.example"
    assert host_of("https://evil.test\\@bank.example/") == "evil.test"
    assert host_of("https://bank.example@evil.test:80/") == "evil.test"
    assert host_of("https://b%C3%BCcher.example/") == host_of("https://bücher.example") == "xn--bcher-kva.example"
    assert host_of("mailto:a@b.c") == ""
    assert pretends("https://bank.example@evil.test/") == "bank.example"
    assert pretends("https://bank.example/@x") == ""


def test_sites() -> None:
    assert [site_of(h) for h in ("a.b.example", "example", "a.gouv.fr", "b.a.gouv.fr", "1.2.3.4", "x.y.github.io")] == [
        "b.example", "example", "a.gouv.fr", "a.gouv.fr", "1.2.3.4", "y.github.io",
    ]  # fmt: skip


def test_links_are_found_in_hostile_html() -> None:
    html = '<table><td><a href="https://evil.test/?a=1&amp;b"><b>www.<i>bank</i>.example</b></a><A HREF=https://ok.test>x</A><a href=x>bank.example</a>'
    assert claims(html) == {"https://evil.test/?a=1&b": "www.bank.example"}


@pytest.mark.parametrize(
    "html",
    [
        "<a href='https://x.test/'>" * 50_000,
        "<a href='https://x.test/'>" + "www." * 200_000,
        "<a>" * 100_000,
        ("<a href='https://x.test/'>a.fr/" + "." * 400 + " y</a>") * 2_000,
        ("<a href='https://x.test/'>" + "a." * 240 + "</a>") * 2_000,
        ("<a href='https://x.test/'>" + "«" * 480 + "</a>") * 2_000,
    ],
)
def test_it_takes_linear_time(html: str) -> None:
    with cpu_seconds(1):
        claims(html[:1_000_000])


@pytest.mark.parametrize("padding", ["<b></b>" * 4000, " " * 2000, "\n&nbsp;" * 900, "&zwnj;" * 900])
def test_padding_hides_no_name(padding: str) -> None:
    html = f'<a href="https://evil.test/">{padding}www.bank.example</a>'
    assert claims(html) == {"https://evil.test/": "www.bank.example"}
