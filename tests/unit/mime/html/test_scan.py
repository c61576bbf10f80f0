"""The quick look at a letter for its page: how many images it would fetch, which links lie."""

from __future__ import annotations

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.mime.html.sanitizer import clean
from webmail.mime.html.scan import bare_words, scan


@pytest.mark.parametrize(
    ("html", "lies"),
    [
        ('<a href="https://evil.test/?a&amp;b">www.bank.example</a>', (("https://evil.test/?a&b", "www.bank.example"),)),
        ("<A title='>' HREF = 'https://evil.test/'><b>www.</b>bank.<i>example</i></A>", (("https://evil.test/", "www.bank.example"),)),
        ("<a\nhref=https://evil.test/>bank&#46;example", (("https://evil.test/", "bank.example"),)),
        ('<a href="https://evil.test/">https://bank.example/x</a>' * 2, (("https://evil.test/", "bank.example"),)),
        ('<a href="https://bank.example/login">www.bank.example</a>', ()),
        ('<a href="https://evil.test/">Lire la suite…</a><a href="https://evil.test/"><img src="https://bank.example/x.png"></a>', ()),
        ('<!-- <a href="https://evil.test/">www.bank.example</a> -->', ()),
        (
            '<style>/*<!--*/</style><a href="https://evil.test/">www.bank.example</a><!-- -->',
            (("https://evil.test/", "www.bank.example"),),
        ),
        ('<a href="mailto:x@evil.test">www.bank.example</a><a name="x">www.bank.example</a><abbr>www.bank.example</abbr>', ()),
    ],
)  # fmt: skip
def test_lying_links(html: str, lies: tuple[tuple[str, str], ...]) -> None:
    assert scan(html).lies == lies
    told: list[tuple[str, str]] = []
    clean(html, lambda cid: None, link_away=lambda url, said: told.append((url, said)) or "/leave?x")  # type: ignore[func-returns-value]
    assert set(told) == set(lies)  # the frame says the same


def test_a_link_in_a_link_is_seen_by_the_frame() -> None:
    html = '<a href="https://one.test/"><table><tr><td><a href="https://two.test/">www.bank.example</a></td></tr></table></a>'
    told: list[str] = []
    clean(html, lambda cid: None, link_away=lambda url, said: told.append(url) or "/leave?x")  # type: ignore[func-returns-value]
    assert "https://two.test/" in told


def test_fonts_and_links_are_no_pictures() -> None:
    html = (
        '<link href="https://f.test/css"><style>@import url("https://f.test/1");@font-face{src:local(x), url(https://f.test/2) format("woff2"),'
        "url(//f.test/3)}.a{background:url(https://p.test/1)}</style><a href='https://p.test/'><img src='https://p.test/2'></a>"
    )
    assert scan(html).remote == 2
    assert scan(f'<!--[if mso]><v:fill src="https://p.test/3"><![endif]-->{html}').remote == 2


@pytest.mark.parametrize(
    "html",
    ["<a href='" * 100_000, "<a " + "x" * 1_000_000, "<a href=//x>" + "<" * 1_000_000, "<a '\"" * 200_000, "<a>www." * 100_000, "//" * 500_000,
     "<a href='https://x.test/'>" + "www." * 200_000, "<a href=https://x.test>&" * 40_000, "</a" * 300_000, "<!--" * 250_000 + "<a href=//x.test>www.a.b"],
)  # fmt: skip
def test_it_takes_linear_time(html: str) -> None:
    with cpu_seconds(1):
        scan(html)


def test_words_stand_apart_as_they_are_seen() -> None:
    html = "<style>a</style><p>Votre <b>mot</b> de&nbsp;passe</p>R&amp;D<table><tr><td>oui<!-- x --><td>non</table><script>y</script><p title='z>'>a &lt;b&gt;"
    assert bare_words(html).split() == ["Votre", "mot", "de", "passe", "R&D", "oui", "non", "a", "<b>"]


@pytest.mark.parametrize("html", ["<div>" * 3_000, "<b x=1>" * 4_000, "<" * 16_000, "&" * 16_000, "\ud800<p", "<select>" * 2_000])
def test_words_of_the_beginning_of_a_hostile_letter_take_little_time(html: str) -> None:
    with cpu_seconds(0.3):
        bare_words(html)
