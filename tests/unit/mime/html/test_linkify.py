"""Links in plain text: where they begin and end, and how long the worst text takes."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup

from tests.support.cpu_time import cpu_seconds
from webmail.mime.html.linkify import linkify

LONG = 300_000


def links(text: str) -> list[tuple[str, dict[str, str]]]:
    """What each mail link shows, and the fields of the form it opens. The text stays as it was."""
    soup = BeautifulSoup(linkify(text), "html.parser")
    assert soup.get_text() == text
    assert all(urlsplit(a["href"]).path == "/compose" for a in soup.select("a"))
    return [(a.get_text(), {k: v[0] for k, v in parse_qs(urlsplit(a["href"]).query).items()}) for a in soup.select("a")]


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("write to ann@x.example.", ["ann@x.example"]),
        ("(ann@x.example), <bob@y.museum>; carl@z.bzh!", ["ann@x.example", "bob@y.museum", "carl@z.bzh"]),
        ('"Ann" <ann.b+tag@sub.x.example>:', ["ann.b+tag@sub.x.example"]),
        ("« ann@x.example », ann@x.example… 'ann@x.example'", ["ann@x.example"] * 3),
        ("**ann@x.example**, e-mail:ann@x.example, to=ann@x.example", ["ann@x.example"] * 3),
        ("ann@x.example's, ann@x.example/path, ann@x.example?", ["ann@x.example"] * 3),
        ("o'neil@x.example,zoe@x.example", ["o'neil@x.example", "zoe@x.example"]),
        ("élodie@école.fr", ["élodie@école.fr"]),
        ("zoe@bücher.example, user@пример.рф, a@xn--bcher-kva.example", ["zoe@bücher.example", "user@пример.рф", "a@xn--bcher-kva.example"]),
        ("a%41b@x.example", ["41b@x.example"]),
        ("1" * 64 + "@x.example", ["1" * 64 + "@x.example"]),
    ],
)  # fmt: skip
def test_addresses_lead_to_the_form(text: str, addresses: list[str]) -> None:
    assert links(text) == [(address, {"to": address}) for address in addresses]


@pytest.mark.parametrize(
    "text",
    ["a@b", "ann@localhost", "@x.example", "ann@", "a@b@c.example", "a@b.example@c.example", "a..b@x.example", "a.@x.example",
     "a@x..example", "a@-x.example", "a@x-.example", "a@x_y.example", "a@x.e", "a@192.0.2.1", "a@[192.0.2.1]", "ftp://ann@x.example/",
     "1" * 65 + "@x.example", "a@" + "x" * 64 + ".example", "ann@x.ba\u0301d", "mailto:", "mailto:nobody", "mailto:?to=ann"],
)  # fmt: skip
def test_what_is_no_address_stays_text(text: str) -> None:
    assert links(text) == []


@pytest.mark.parametrize(
    ("text", "shown", "fields"),
    [
        ("(mailto:ann@x.example?subject=Class%20trip&bcc=thief@y.example)", "mailto:ann@x.example?subject=Class%20trip&bcc=thief@y.example",
         {"to": "ann@x.example", "subject": "Class trip"}),
        ("Mailto:ann@x.example,bob@x.example.", "Mailto:ann@x.example,bob@x.example", {"to": "ann@x.example,bob@x.example"}),
        ("[mailto:ann@x.example]", "mailto:ann@x.example", {"to": "ann@x.example"}),
        ("mailto:ann@x.example?subject=(a)", "mailto:ann@x.example?subject=(a)", {"to": "ann@x.example", "subject": "(a)"}),
    ],
)  # fmt: skip
def test_a_mailto_address_opens_the_form_with_its_fields(text: str, shown: str, fields: dict[str, str]) -> None:
    assert links(text) == [(shown, fields)]


@pytest.mark.parametrize("text", ["http://ann@x.example/", "https://x.example/?m=ann@x.example", "www.x.org/ann@x.example"])
def test_an_address_in_a_web_address_belongs_to_it(text: str) -> None:
    found = BeautifulSoup(linkify(text), "html.parser").select("a")
    assert [a.get_text() for a in found] == [text]
    assert re.match("https?://", found[0]["href"])


def test_a_web_address_beside_a_mail_address() -> None:
    found = BeautifulSoup(linkify("ann@www.x.example,https://x.example/ bob@y.example"), "html.parser").select("a")
    assert [a.get_text() for a in found] == ["ann@www.x.example", "https://x.example/", "bob@y.example"]


@pytest.mark.parametrize(
    "piece",
    ["a@", "a@ ", "a@a@a@" * 400 + " ", "ann@x.example ", "ann@x.example,", "a." * 1400 + "@ ", "mailto:" * 400 + " ", "mailto:a@b.cd?" * 200 + " ",
     "a@" + "b." * 1400 + " ", "a" * 1400 + "@" + "b." * 700 + "c ", "-" * 2900 + "@x.example ", "a@b.cd(" * 400 + " ", "a@x.example" + ")" * 2900 + " "],
)  # fmt: skip
def test_a_text_that_was_made_to_be_slow_is_not(piece: str) -> None:
    # each piece a little different, or the memory of words would answer
    copies = LONG // (len(piece) + 4)
    text = (
        "".join(f"{piece[:-1]}{number}{piece[-1]}" for number in range(copies))
        if piece[-1] == " "
        else piece * (LONG // len(piece))
    )
    with cpu_seconds(2):  # 0.01 to 0.4 s; quadratic time would be minutes
        linkify(text)
