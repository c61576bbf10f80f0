"""The HTML of a message as it is kept below a reply: nothing that runs or leaks, and taken apart again from what was sent."""

import re
from pathlib import Path

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.mime.html import markdown, quoted_html

NEWSLETTERS = sorted((Path(__file__).parents[3] / "samples" / "newsletters").glob("*.eml"))
HOSTILE = (
    "<script>alert(1)</script><p>x</p>",
    "<p onclick=alert(1)>x</p><svg onload=alert(1)>",
    "</blockquote></div></body></html><p>out</p>",
    "<!--/original--><p>x</p><!--original-->",
    "<style>p{color:red} *{display:none}</style><p>x</p>",
    "<p style='position:fixed;top:0'>x</p>",
    "<form action=//evil.example><input name=a></form>x",
    "<a href='javascript:alert(1)'>x</a><iframe src=//evil.example></iframe>",
    "<base href=//evil.example><meta http-equiv=refresh content='0;//evil.example'>x",
    "<img src=x onerror=alert(1)>x",
    "<plaintext>x",
    "<table><tr><td><blockquote><p>x",
)


def cleaned(html, remote=False, picture=lambda name: None):
    return quoted_html.cleaned(html, picture, remote=remote)


@pytest.mark.parametrize("html", HOSTILE)
@pytest.mark.parametrize("remote", [False, True])
def test_hostile_html_stays_in_its_place(html, remote):
    kept = quoted_html.answered("Bob <b>wrote</b>:", cleaned(html, remote))
    assert not re.search(
        r"<(?:script|style|iframe|form|input|base|meta|svg|plaintext|body|html)|\bon\w+=|javascript:|fixed|<!--", kept
    )
    assert kept.count("<blockquote") == kept.count("</blockquote>") and kept.count("<div") == kept.count("</div>")
    assert "Bob &lt;b&gt;wrote&lt;/b&gt;:" in kept


def test_tables_bold_and_links_stay():
    kept = cleaned('<table border="1"><tr><td><b>Lundi</b></td></tr></table><a href="https://x.example/a">x</a>')
    assert '<table border="1">' in kept and "<b>Lundi</b>" in kept and 'href="https://x.example/a"' in kept


def test_mail_links_stay_mail_links():
    assert 'href="mailto:bob@x.example?subject=a"' in cleaned('<a href="mailto:bob@x.example?subject=a">Bob</a>')


def test_a_link_that_deceives_loses_its_address():
    assert "href" not in cleaned('<a href="https://evil.example/">www.bank.example</a>')


def test_pictures_of_the_message_get_their_new_names():
    kept = cleaned('<img src="cid:logo"><img src="cid:other">', picture={"logo": "1@x.example"}.get)
    assert kept.count("src=") == 1 and 'src="cid:1@x.example"' in kept


REMOTE = '<img src="https://x.example/a.png" alt="Photo">'
TRACKERS = (
    '<img src="https://x.example/t?alice" width="1" height="1">',
    "<img width=0 src=//x.example/t>",
    '<img src="https://x.example/t" style="display:none">',
    '<img style="height:1px;width:1px" src="http://x.example/t">',
    '<img alt="a>b" src="https://x.example/t" width="1">',
    '<img src="https://x.example/t" style="display&#58;none">',
    '<img srcset="https://x.example/t 1x" width="1">',
    '<img src="https://x.example/t" height="0.5px">',
    f'<img title="{"a" * 5000}" src="https://x.example/t" height="1">',
)
VISIBLE = (
    'style="border-width:0;line-height:1;min-width:0"',
    'alt="width=1, height: 2"',
    'style="width:100%;height:auto"',
    'style="opacity:0.9;max-width:200px"',
    'width="10%"',
    'height="24"',
)


def test_pictures_on_the_web_stay_in_a_forward_and_not_in_a_reply():
    assert 'src="https://x.example/a.png"' in cleaned(REMOTE, remote=True)
    assert "x.example" not in cleaned(REMOTE) and 'alt="Photo"' in cleaned(REMOTE)
    assert "x.example" not in cleaned('<td background="https://x.example/a.png" style="background:url(//x.example/b)">x</td>')


@pytest.mark.parametrize("tracker", TRACKERS)
def test_those_nobody_sees_go_nowhere(tracker):
    assert "x.example" not in cleaned(tracker, remote=True)
    assert "100" in cleaned('<img src="https://x.example/a" width="100" height="200">', remote=True)


@pytest.mark.parametrize("how", VISIBLE)
def test_those_that_are_seen_stay(how):
    html = f'<p>a</p><img {how} src="https://x.example/a?width=1&height=0"><img {how} src="cid:logo" width="1">'
    kept = cleaned(html, picture={"logo": "1@x.example"}.get, remote=True)
    assert "https://x.example/a?width=1&amp;height=0" in kept and "cid:1@x.example" in kept


@pytest.mark.parametrize("html", [*HOSTILE, REMOTE, "<p>a</p>\r\n<pre>b\n c</pre>", "é ✓ \ud800", ""])
def test_what_was_sent_is_found_again(html):
    kept = quoted_html.answered("On Monday, Bob wrote:", cleaned(html, remote=True))
    sent = markdown.document("Hello <!--original--> **you**", below=quoted_html.marked(kept))
    assert quoted_html.found_in(sent) == kept
    assert "Hello" in quoted_html.above(sent) and "Bob wrote" not in quoted_html.above(sent)
    assert quoted_html.found_in("<p>x</p>") == "" and quoted_html.marked("") == ""


def test_cleaning_again_changes_no_words():
    kept = quoted_html.answered("On Monday, Bob wrote:", cleaned("<table><tr><td>a</td><td>b</td></tr></table>" + REMOTE, True))
    again = quoted_html.cleaned(kept, lambda name: name, remote=True)
    assert quoted_html.as_text(again) == quoted_html.as_text(kept) and "border-left" in again


def test_the_plain_text_is_quoted_in_a_reply_and_not_in_a_forward():
    html = cleaned("<p>Oui.</p><table><tr><td>Lundi</td><td>9 h</td></tr></table>")
    assert quoted_html.as_text(quoted_html.answered("Bob wrote:", html)) == "Bob wrote:\n\n> Oui.\n>\n> Lundi  9 h"
    forwarded = quoted_html.as_text(quoted_html.forwarded("---------- Fwd ----------", [("From:", "Bob <b@x.example>")], html))
    assert forwarded == "---------- Fwd ----------\n\nFrom:  Bob <b@x.example>\n\nOui.\n\nLundi  9 h"


def test_a_long_text_is_cut():
    assert len(quoted_html.as_text("<p>" + "word " * 90_000)) < quoted_html.TEXT_LIMIT + 10


@pytest.mark.parametrize("path", NEWSLETTERS, ids=lambda path: path.stem)
def test_newsletters_are_kept_without_scripts_and_sheets(path):
    import email
    import email.policy

    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    body = message.get_body(("html",))
    if body is None:
        pytest.skip("no HTML")
    kept = cleaned(body.get_content(), remote=True)
    assert quoted_html.as_text(kept) and not re.search(r"<(?:script|style|iframe|form)|<!--|javascript:", kept)
    assert not re.search(r'<img[^>]*(?:width|height)="[01]"[^>]*src="http', kept)


@pytest.mark.parametrize(
    "html", ["<img " * 100_000, "<img src=//x width=" * 50_000, "<b>" * 100_000 + "x", "<blockquote>" * 100_000 + "x"]
)
def test_hostile_html_takes_no_time(html):
    with cpu_seconds(10):
        quoted_html.as_text(cleaned(html, remote=True))
