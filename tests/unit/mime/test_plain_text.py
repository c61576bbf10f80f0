"""Plain text: flowed paragraphs, quotes, and the HTML made of it."""

from __future__ import annotations

import random
from html.parser import HTMLParser

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.imap.reading.body_texts import of_whole
from webmail.mail import Part
from webmail.mime import structure
from webmail.mime.structure import classify
from webmail.mime.text import plain_text

RANDOM = random.Random(3676)


class TestFlowed:
    def test_soft_line_ends_are_joined(self):
        assert plain_text.unflow("one \ntwo\nthree") == "one two\nthree"

    def test_delsp_takes_the_blank_away(self):
        assert plain_text.unflow("one \ntwo", delsp=True) == "onetwo"

    def test_stuffing_is_undone(self):
        assert plain_text.unflow(" From me\n  two blanks\n >no quote") == "From me\n two blanks\n>no quote"

    def test_another_depth_ends_a_paragraph(self):
        assert plain_text.unflow("> a \n>> b \n> c") == "> a \n>> b \n> c"

    @pytest.mark.parametrize(
        ("received", "read"),
        [
            ("> > a\n> b", ">> a\n> b"),  # "> " was put before a line that was quoted already
            ("> >> a\n> > > b", ">>> a\n>>> b"),
            ("> > one \n> > two", ">> one two"),
            ("> see \n> >b", "> see >b"),  # but this is the rest of a paragraph, stuffed (section 4.4)
            (" > a", "> a"),
        ],
    )
    def test_a_stuffed_quote_leaves_no_mark(self, received, read):
        assert plain_text.unflow(received) == read

    def test_the_signature_line_is_no_soft_line_end(self):
        assert plain_text.unflow("end \n-- \nAnn") == "end \n-- \nAnn"

    @pytest.mark.parametrize(
        "written",
        [
            "short",
            "word " * 60 + "end",
            "From me\n From us\n.dot\n\n\n  two blanks before",
            "> quoted " + "again " * 40 + "end\n>> deeper " + "and " * 50 + "end",
            "x" * 500 + " " + "y" * 500,
            "a -- b " * 30 + "end",
            "-- \nAnn\nDirector of something with a long name that goes on and on until it does not fit into one line",
            "é" * 200 + " 😀 " * 60 + "end",
            "two  blanks " * 30 + "end",
            "a\n\n\nb\n",
            "",
        ],
    )
    def test_what_flow_writes_unflow_reads(self, written):
        flowed = plain_text.flow(written)
        assert plain_text.unflow(flowed) == written
        assert all(len(line) <= 79 or " " not in line.strip(" >") for line in flowed.split("\n"))

    def test_any_words_make_the_round_trip(self):
        for _ in range(300):
            words = (RANDOM.choice(["-- ", "--", "From", ">", "a", "  ", " ", "é" * 9, "word", "."]) for _ in range(60))
            line = f"x{' '.join(words)}".rstrip(" ")
            assert plain_text.unflow(plain_text.flow(line)) == line
            assert plain_text.unflow(plain_text.flow(f"> {line}")) == f"> {line}"


class TestQuoting:
    def test_what_is_quoted_already_gets_no_blank(self):
        assert plain_text.quote("a\n\n> b\n>> c\n") == "> a\n>\n>> b\n>>> c"

    def test_wrapping_repeats_the_marks(self):
        wrapped = plain_text.wrap("> " + "word " * 40).split("\n")
        assert all(line.startswith("> word") and len(line) <= 72 for line in wrapped)

    def test_wrapping_leaves_long_addresses_whole(self):
        address = "https://example.org/" + "x" * 200
        assert address in plain_text.wrap(f"see {address} there").split("\n")


class Tree(HTMLParser):
    """The elements of a piece of HTML, to look at what a browser would see."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[dict[str, str | None]] = []
        self.tags: list[str] = []
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "a":
            self.links.append(dict(attrs))

    def handle_data(self, data):
        self.words += data


class TestShowing:
    def test_everything_is_escaped(self):
        shown = Tree(plain_text.to_html("<script>alert(1)</script> & \"quotes\" 'and' &lt;"))
        assert shown.tags == []
        assert shown.words == "<script>alert(1)</script> & \"quotes\" 'and' &lt;"

    def test_a_lone_surrogate_can_be_sent(self):
        assert plain_text.to_html("a\ud800@example.org").encode().startswith("a\ufffd".encode())

    def test_quotes_nest(self):
        assert plain_text.to_html("a\n> b\n>> c\n> > d\n> e\nf") == (
            "a<blockquote>b<blockquote>c<br>d</blockquote>e</blockquote>f"
        )  # fmt: skip

    def test_a_long_quote_at_the_end_is_folded_away(self):
        shown = plain_text.to_html("Yes.\n" + "> line\n" * 8 + "\n-- \nAnn", quote_label="Quoted & text")
        assert '<details class="quote"><summary>Quoted &amp; text</summary><blockquote>' in shown
        assert shown.endswith('<div class="signature">-- <br>Ann</div>')

    @pytest.mark.parametrize(
        "written", ["Yes.\n> a\n> b", "> line\n" * 8, "> line\n" * 8 + "And so on.", "a\n" + "> l\n" * 8 + "b"]
    )
    def test_short_answered_or_forwarded_quotes_are_not(self, written):
        assert "<details" not in plain_text.to_html(written)

    def test_flowed_paragraphs_are_one_line(self):
        assert plain_text.to_html("one \ntwo\n> three \n> four", flowed=True) == "one two<blockquote>three four</blockquote>"

    def test_a_flowed_quote_of_a_quote_shows_no_mark(self):
        shown = plain_text.to_html("> > a\n> b", flowed=True)
        assert shown == "<blockquote><blockquote>a</blockquote>b</blockquote>"

    def test_web_addresses_become_links(self):
        shown = Tree(plain_text.to_html("see https://example.org/a?b=1&c=2, (http://example.org/x_(y)) or www.example.com."))
        assert [link["href"] for link in shown.links] == [
            "https://example.org/a?b=1&c=2",
            "http://example.org/x_(y)",
            "http://www.example.com",
        ]
        assert all(link["target"] == "_blank" and link["rel"] == "noopener noreferrer nofollow" for link in shown.links)
        assert shown.words == "see https://example.org/a?b=1&c=2, (http://example.org/x_(y)) or www.example.com."

    def test_mail_addresses_lead_to_the_compose_page(self):
        shown = Tree(plain_text.to_html("ann@example.org or mailto:bob@example.org?subject=hi&bcc=thief@example.net"))
        assert shown.links == [{"href": "/compose?to=ann%40example.org"}, {"href": "/compose?to=bob%40example.org&subject=hi"}]

    @pytest.mark.parametrize(
        "written",
        ["javascript:alert(1)", "data:text/html,x", "ftp://example.org/x", "//example.org/", "notes.md", "file:///etc/passwd"],
    )
    def test_nothing_else_becomes_a_link(self, written):
        assert Tree(plain_text.to_html(written)).links == []

    def test_quotes_in_an_address_stay_in_the_attribute(self):
        shown = Tree(plain_text.to_html('https://example.org/"onmouseover="alert(1)\'x'))
        assert all(set(link) == {"href", "target", "rel"} for link in shown.links)

    def test_ten_megabytes_are_cut_and_say_so(self):
        with cpu_seconds(2):
            shown = plain_text.to_html("word https://example.org/ @ > \n" * 400_000, cut_label="The rest is left out")
        assert shown.endswith('<p class="cut">The rest is left out</p>')
        assert len(shown) < 4_000_000

    @pytest.mark.parametrize(
        "piece", ["a@", ">", "> x\n", "www.", "http://", "http://a/(", "x" * 1000, "@\n", "-- \n", " ", "\n"]
    )
    def test_hostile_repetition_takes_no_time(self, piece):
        written = (piece * 300_000)[:300_000]  # quadratic time would be minutes
        with cpu_seconds(2):
            plain_text.to_html(written)
            plain_text.to_html(written, flowed=True)
            plain_text.unflow(plain_text.flow(written))
            plain_text.wrap(plain_text.quote(written))


def test_html_may_name_its_charset_itself(sample):
    whole = structure.read(sample("charset-in-html.eml"))
    [shown] = of_whole(whole, classify(whole.root).html).values()
    assert "Привет" in shown
    told = Part("1", "text/html", 9, charset="utf-8")
    assert plain_text.content('<meta charset="iso-8859-1">é'.encode(), told).endswith("é")
    assert plain_text.content('<meta charset="utf-8">é'.encode(), Part("1", "text/html", 9, charset="US-ASCII")).endswith("é")
    equiv = b'<META http-equiv=Content-Type content="text/html; charset=koi8-r">\xf0'
    assert plain_text.content(equiv, Part("1", "text/html", 9)).endswith("П")
    assert plain_text.content(b'<meta charset="rot13">a', Part("1", "text/html", 9)).endswith("a")


LONG = "\n".join(f"ligne {n}" for n in range(9))


@pytest.mark.parametrize(
    ("before", "folded"),
    [
        ("Oui.\n\n-----Message d'origine-----\nDe : Bob\n", True), ("Yes.\n\n-----Original Message-----\nFrom: Bob\n", True),
        ("Oui.\n\n________________________________\nDe : Bob <b@x.fr>\n", True), ("-----Original Message-----\nFrom: Bob\n", False),
        ("Oui.\n\n----- Message transféré -----\nDe : Bob\n", False), ("Oui.\n\n________________________________\nLycée\n", False),
        ("Oui.\n\nDe : Bob\n", False), ("\n________________________________\nDe : Bob\n", False),
    ],
)  # fmt: skip
def test_what_outlook_answers_is_folded(before, folded):
    shown = plain_text.to_html(before + LONG)
    assert ('<details class="quote">' in shown) is folded and "ligne 8" in shown
