"""Styles of elements: what stays, what goes."""

from __future__ import annotations

import pytest

from webmail.mime.html.inline_css import clean_style


class TestStyles:
    @pytest.mark.parametrize(
        ("style", "kept"),
        [
            ("color: RED; font: 12px/1.5 'Gill Sans', serif", "color:RED;font:12px/1.5 'Gill Sans', serif"),
            ("COLOR:rgba(1, 2, 3, .5)!important", "color:rgba(1, 2, 3, 0.5)!important"),
            ("width:600px;max-width:100%;margin:0 auto", "width:600px;max-width:100%;margin:0 auto"),
            ("background:#fff url(http://x) no-repeat", "background:#fff  no-repeat"),
            ('font-family:"Segoe UI",Arial', "font-family:'Segoe UI',Arial"),
            ("color:red;}*{color:blue", "color:red"),
            ("/* a; */color:red", "color:red"),
            ("letter-spacing:-1px", "letter-spacing:-1px"),
            ("box-shadow:0 -4px 30px rgba(0,0,0,0.2)", "box-shadow:0 -4px 30px rgba(0,0,0,0.2)"),
            ("font-size:8px", "font-size:11px"),
            ("font-size:7.5pt!important", "font-size:11px!important"),
            ("font-size:1px;font-size:11.5px", "font-size:1px;font-size:11.5px"),
        ],
    )
    def test_what_stays(self, style, kept):
        assert clean_style(style)[0] == kept

    @pytest.mark.parametrize(
        "style",
        [
            "position:fixed", "position:absolute;top:0", "margin-left:-5000px", "text-indent:-9999px", "z-index:9", "width:99999px",
            "width:expression(alert(1))", "background:u\\72l(http://x)", "color:\\65xpression(1)", "background-image:url(http://x)",
            "list-style:url(//x)", "content:'x'", "-moz-binding:url(x)", "behavior:url(x)", "color:var(--x)", "--x:red", "width:calc(1px)",
            "width:100vh", "font-family:'a\\27 ;x'", "font-family:'</style><script>'", "background:image-set('http://x' 1x)", "cursor:url(x),auto",
            "text-shadow:0 -120px red", "box-shadow:0 0 0 9999px red", "text-shadow:0 -9em red", "box-shadow:0 -3in red",
            "animation:x 1s", "transform:scale(9)", "color:red blue()", "@import 'x'", "float:absolute", "filter:url(x)", "color", ":red", ";",
        ],
    )  # fmt: skip
    def test_what_goes(self, style):
        assert clean_style(style)[0] == ""

    def test_remote_addresses_are_named(self):
        style = "background:url(http://a/);list-style:url('//b/');cursor:url(cid:c);border-image:image-set('https://d/' 1x)"
        assert clean_style(style)[1] == {"http://a/", "//b/", "https://d/"}

    def test_nesting_does_not_recurse(self):
        assert clean_style("color:" + "(" * 3000) == ("", frozenset())
