"""HTML as plain text."""

from __future__ import annotations

import pytest

from webmail.mime.text import plain_text


class TestHtmlToText:
    def test_a_letter(self):
        html = """<html><head><style>p{color:red}</style><title>t</title></head><body><h1>Dear  all</h1>
        <p>First<br>second &amp; <b>third</b>, see <a href="https://example.org/x">the page</a> or
        <a href="https://example.org/">https://example.org/</a>.</p><ul><li>one<li>two<ol><li>deep</ol></ul>
        <table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table><script>alert(1)</script>
        <blockquote>quoted<p>more<blockquote>inner</blockquote></blockquote><pre>  kept
   as is</pre><img alt="A picture" src="cid:x">bye</body></html>"""
        assert plain_text.html_to_text(html) == (
            "Dear all\n\nFirst\nsecond & third, see the page <https://example.org/x> or https://example.org/.\n\n"
            "- one\n- two\n  1. deep\n\na  b\nc\n\n> quoted\n>\n> more\n>\n>> inner\n\n  kept\n   as is\n\n[A picture]bye\n"
        )

    def test_links_that_are_none_leave_their_words(self):
        assert plain_text.html_to_text("<a href='javascript:alert(1)'>x</a><a name=y>z</a>") == "xz\n"

    @pytest.mark.parametrize("html", ["", "<", "<p", "<!--", "\0", "\ud800", "plain", "&#xD800;", "<p>" * 3])
    def test_odd_input(self, html):
        assert isinstance(plain_text.html_to_text(html).encode(), bytes)
