"""Formatted text: what is typed becomes HTML that runs nothing, fetches nothing and puts no words into anybody's mouth."""

import re

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.mime.html import markdown, sanitizer


def plain_of(html):
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


@pytest.mark.parametrize(
    ("typed", "made"),
    [
        ("**fort**", "<p><strong>fort</strong></p>"),
        ("a\nb", "<p>a<br>\nb</p>"),
        ("# Titre", "<h1>Titre</h1>"),
        ("- un\n- deux", "<ul>\n<li>un</li>\n<li>deux</li>\n</ul>"),
        ("3. trois", '<ol start="3">\n<li>trois</li>\n</ol>'),
        ("[ici](https://x.example/?a=1&b=2)", '<p><a href="https://x.example/?a=1&amp;b=2">ici</a></p>'),
        ("voir https://x.example/a", '<p>voir <a href="https://x.example/a">https://x.example/a</a></p>'),
        ("~~non~~", "<p><s>non</s></p>"),
    ],
)
def test_marks_become_html(typed, made):
    assert markdown.to_html(typed).strip() == made


def test_styles_are_attributes_for_programs_that_drop_style_sheets():
    html = markdown.to_html("> cité\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n```\nx <y>\n```")
    assert '<blockquote style="margin:8px 0;' in html
    assert '<td style="border:1px solid #d8d0c4;padding:4px 8px;text-align:right">2</td>' in html
    assert '<pre style="font-family:monospace;' in html
    assert "x &lt;y&gt;\n</pre>" in html


@pytest.mark.parametrize(
    "typed",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '<p style="position:fixed">x</p>',
        "<!-- x -->",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>)",
        "![x](https://tracker.example/p.png)",
        "<javascript:alert(1)>",
        '[x](https://a.example "onmouseover=1")',
        '```"><script>\nx\n```',
    ],
)
def test_nothing_runs_and_nothing_is_fetched(typed):
    html = markdown.to_html(typed)
    tags = " ".join(re.findall(r"<[^>]*>", html))
    for bad in ("script", "<img", "<!--", "data:", "position", "title=", "onmouseover", "onerror"):
        assert bad not in tags
    assert sanitizer.clean(html, lambda _cid: None).remote == 0


@pytest.mark.parametrize(
    ("typed", "theirs", "mine"),
    [("> Viens-tu ?\nOui", "Viens-tu ?", "Oui"), (">> a\n> b\nc", "a", "c"), ("> - point\nréponse", "point", "réponse")],
)
def test_an_answer_below_a_quoted_line_is_not_part_of_the_quotation(typed, theirs, mine):
    html = markdown.to_html(typed)
    assert theirs in html[: html.rindex("</blockquote>")]
    assert mine in html[html.rindex("</blockquote>") :]


def test_a_quotation_in_a_quotation_ends_where_its_marks_end():
    html = markdown.to_html(">> sie\n> er\nich")
    assert (
        html.index("sie") < html.index("</blockquote>") < html.index("er</p>") < html.rindex("</blockquote>") < html.index("ich")
    )


def test_the_lines_of_code_stay_as_they_are():
    assert "a\n&gt; b\nc\n</pre>" in markdown.to_html("```\na\n> b\nc\n```")


def test_no_words_are_lost():
    for typed in (">" * 60 + " tief", "> " * 60 + "tief", "[1]: https://x.example/tief", "Titre tief\n--\n", "    tief"):
        assert "tief" in plain_of(markdown.to_html(typed)), typed


def test_a_signature_makes_no_heading():
    assert "<h" not in markdown.to_html("Bonjour\n-- \nAlice")


@pytest.mark.parametrize(
    "piece",
    ["*a ", "> ", "[a](", "http://a.b ", "://", "<http://", "http://[", "[", "([", "http://a.b/(", "<", "`", "- ", "a@b.c "],
)
def test_no_text_takes_long(piece):
    often = markdown.MOST_LINKS // max(piece.count("://") + piece.count("["), 1)
    for typed in ((piece * markdown.LONGEST)[: markdown.LONGEST], piece * often + "(" * (markdown.LONGEST - len(piece) * often)):
        with cpu_seconds(1):
            markdown.to_html(typed)


def test_a_very_long_text_is_shown_as_it_is():
    html = markdown.to_html("**a** <b>\n" * 20_000)
    assert html.startswith("<pre ")
    assert "**a** &lt;b&gt;" in html


@pytest.mark.parametrize(
    ("tag", "good"), [("fr", True), ("pt-BR", True), ("", False), ('fr"><script>', False), ("f" * 40, False)]
)
def test_the_language_is_a_language(tag, good):
    assert markdown.is_language(tag) is good
    assert ("lang=" in markdown.document("x", tag)) is good


def test_a_scheme_before_brackets_and_another_within() -> None:
    assert "<p>" in markdown.to_html("photo.pngphoto.png[//a.x/)(|)**\\http://")


@pytest.mark.parametrize("address", ["/logout", "//evil.example", "#part", "photo.png", "?a=b", "https:///x"])
def test_addresses_that_mean_something_else_elsewhere_are_no_links(address: str) -> None:
    assert markdown.to_html(f"[words]({address})") == "<p><a>words</a></p>\n"


def test_a_link_that_names_another_site_shows_its_address() -> None:
    quoted = markdown.to_html(
        "> [**www.bank.example**](https://evil.example/a) [bank.example](https://www.bank.example/) [here](https://a.example)"
    )
    evil, bank, other = re.findall(r'<a href="([^"]*)">([^<]*)</a>', quoted)
    assert evil == ("https://evil.example/a", "https://evil.example/a")
    assert bank == ("https://www.bank.example/", "bank.example") and other[1] == "here"
    assert "<strong>www.bank.example</strong> &lt;<a " in quoted
