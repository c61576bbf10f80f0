"""Style sheets of letters: what stays for the frame, and that nothing else can."""

from __future__ import annotations

import pytest

from tests.support.cpu_time import cpu_seconds
from tests.support.html_inspection import Inspection
from webmail.mime.html.sanitizer import TAGS, clean
from webmail.mime.html.stylesheets import cleaned, found_in

USES = "<td class=\"a b\"><p CLASS=c><div class='wide b'>"


def css(text: str) -> str:
    return cleaned(text, USES, TAGS, "m-", lambda url: "/image/1").css


@pytest.mark.parametrize(
    ("sheet", "kept"),
    [
        ("p.a{color:red}", ".mail p.m-a{color:red}"),
        ("TD.a, #x > .b + .c{color:red}", ".mail td.m-a,.mail #m-x>.m-b+.m-c{color:red}"),
        ("a:link, a:visited, a:hover{color:red}", ".mail a:link{color:red}"),
        ('table[class="wide"], *[class=b]{color:red}', ".mail table.m-wide,.mail *.m-b{color:red}"),
        ("body{margin:0}", ".mail :where(.m--body-){margin:0}"),
        ("html body td, :root .a{color:red}", ".mail :where(.m--body-) td,.mail :where(.m--body-) .m-a{color:red}"),
        ("<!-- p{color:red} -->", ".mail p{color:red}"),
        ("p{color:red", ".mail p{color:red}"),
        ("/* {} */ p{color:red/* } */}", ".mail p{color:red}"),
        ("@import 'x;y'; p{color:red}", ".mail p{color:red}"),
        ("@font-face{font-family:x;src:url(https://x/)} p{color:red}", ".mail p{color:red}"),
        ("@media screen{.a{color:red}} @media all, print{.b{color:red}}", ".mail .m-a{color:red}.mail .m-b{color:red}"),
        (
            "@media only screen and (max-width: 480px){.a{width:100%!important} .b{display:none}} .c{color:red}",
            "@media (max-width:480px){.mail .m-a{width:100%!important}.mail .m-b{display:none}}.mail .m-c{color:red}",
        ),
        (
            "@media (min-width:20em) and (max-device-width:480.5px), print{p{color:red}}",
            "@media (min-width:20em) and (max-width:480.5px){.mail p{color:red}}",
        ),
        (".a{background:url(https://x/1) red}", ".mail .m-a{background:url(/image/1) red}"),
    ],
)
def test_what_stays(sheet: str, kept: str) -> None:
    assert css(sheet) == kept


@pytest.mark.parametrize(
    "sheet",
    [
        ".nobody{color:red}", "p.a.nobody{color:red}", "a:hover{color:red}", "p::before{color:red}", "p ~ p{color:red}", "u + .nobody p{color:red}",
        "input{color:red}", "o\\:p{color:red}", ".a .b .c .a .b .c .a .b{color:red}", "p body{color:red}", "[href]{color:red}", "p:not(.a){color:red}",
        "p:has(a){color:red}", "@media print{p{color:red}}", "@media (prefers-color-scheme:dark){p{color:red}}", "@media (max-width:9px) and (hover){p{color:red}}",
        "@media not all{p{color:red}}", "@supports (color:red){p{color:red}}", "@layer x{p{color:red}}", "@page{margin:0}", "p{position:fixed}",
        "p{content:'x'}", "@media (max-width:9px){.a{background-image:url(https://x/1)}}", "@media (max-width:9px){@media (max-width:9px){p{color:red}}}",
        "p{a{color:red}}", "@keyframes x{from{color:red}}", "p{--x:red}", "p{}", "{color:red}", "}}{{", "@media", "@media (max-width:9px)",
    ],
)  # fmt: skip
def test_what_goes(sheet: str) -> None:
    assert css(sheet) == ""


def test_pictures_of_conditional_rules_are_neither_shown_nor_counted() -> None:
    sheet = ".a{background:url(https://x/1)} @media (max-width:9px){.a{color:red;background:url(https://x/2)}}"
    found = cleaned(sheet, USES, TAGS, "m-", lambda url: None)
    assert found.remote == {"https://x/1"}
    assert "url" not in found.css


def test_sheets_are_found_where_a_browser_sees_them() -> None:
    html = (
        "<!--[if mso]><style>no1</style><![endif]--><!--[if !mso]><!--><STYLE type='text/css'>yes1</STYLE><!--<![endif]-->"
        "<title><style>no2</style></title><style media=\"only screen and (max-width:9px)\">yes2</style><script>'<style>no3'</script><style>yes3"
    )
    found = found_in(html)
    assert [word for word in ("yes1", "yes2", "yes3", "no1", "no2", "no3") if word in found] == ["yes1", "yes2", "yes3"]
    assert "@media only screen and (max-width:9px){yes2" in found


def test_classes_stay_where_a_rule_names_them() -> None:
    html = clean("<style>.a{color:red}</style><p class='x a y'>x</p><p class='x'>y</p>", lambda cid: None).html
    assert html == '<style>.mail .m-a{color:red}</style><p class="m-a">x</p><p>y</p>'
    assert clean("<style>.a{position:fixed}</style><p class=a>x</p>", lambda cid: None).html == "<p>x</p>"


def test_the_body_of_a_letter_is_an_element_of_its_own() -> None:
    html = clean("<style>body{margin:0} .k{color:red}</style><body class=k dir=rtl bgcolor=#eee><p>x", lambda cid: None).html
    assert html.startswith(
        "<style>.mail :where(.m--body-){background-color:#eee}.mail :where(.m--body-){margin:0}.mail .m-k{color:red}</style>"
    )
    assert Inspection(html).elements[0] == ("div", {"dir": "rtl", "class": "m-k m--body-"})
    assert clean("<body>x", lambda cid: None).html == "x"


@pytest.mark.parametrize(
    "sheet",
    [
        "p{color:red}</style><script>alert(1)</script>", "p{color:'</style><img src=x onerror=alert(1)>'}", "</style/><img src=x>",
        "p{font-family:'\\3c/style>'}", "p\\3c /style>{color:red}", ".a</style>{color:red}", "<!--</style>--><p title='<style>'>",
        "@media (max-width:9px){</style>}", "p{color:red;}.mail{display:none}", "*{color:red}body,html,.mail,.blocked{display:none}",
        "@charset 'x';p{background:url('javascript:x')}", "p{color:red}\0</style\0>",
    ],
)  # fmt: skip
def test_nothing_leaves_the_sheet_or_its_letter(sheet: str) -> None:
    for html in (
        f"<style>{sheet}</style><p class='a mail blocked'>x",
        f"<p class=a>x<style media='{sheet}'>p{{color:red}}</style>",
    ):
        found = clean(html, lambda cid: None).html
        assert Inspection(found).faults == []
        assert ".mail{" not in found
        assert ".blocked" not in found.replace(".m-blocked", "")


@pytest.mark.parametrize(
    "html",
    [
        "<style>" + "a," * 75_000 + "a{color:red}</style>", "<style>" + "".join(f"p{{color:#{i:06x}}}" for i in range(8_000)) + "</style>",
        "<style>" + "{" * 150_000, "<style>" + "@media (max-width:9px){" * 6_000, "<style>" + "url(" * 40_000, "<style>" + "'" * 150_000,
        "<style>p{}" * 100_000, "<style>p" + " > p" * 35_000 + "{color:red}", "<style>@media " + "(a) and " * 18_000 + "{p{color:red}}",
        "<style>.a{color:red}</style>" + "class=" * 160_000, "<style>.a{color:red}</style>" + "<p class='" + "a " * 400_000 + "'>",
        "<!--<style>" * 90_000, "<title><style>" * 70_000,
        "<style>" + "".join(f"p{{margin:{i}px;color:#{i:06x};font:{i % 99}px/1 a{i}}}" for i in range(3_500)) + "</style>" + "<p>" * 9_000,
    ],
)  # fmt: skip
def test_hostile_sheets_take_less_than_a_second(html: str) -> None:
    with cpu_seconds(1):
        found = clean(html, lambda cid: None).html
    assert len(found) < 3 * len(html) + 1000


def test_a_sheet_that_would_keep_a_browser_busy_goes() -> None:
    sheet = "".join(f"*{{color:#{i:06x}}}" for i in range(3_000))
    assert cleaned(sheet, "<p>" * 100, TAGS, "m-", None).css
    assert not cleaned(sheet, "<p>" * 10_000, TAGS, "m-", None).css


def test_backgrounds_are_fetched_however_wide_the_window_is() -> None:
    html = (
        "<style>.a{background:url(https://t.example/1)} @media (max-width:600px){.a,.c{display:none} p{background:none}}</style>"
        '<p class=a>x<p class=c style="background-image:url(https://t.example/2)">y<table background="https://t.example/3">'
    )
    made = clean(html, lambda _cid: None, link_for_image=lambda url: f"/image/{url[-1]}").html
    always = [image for image in Inspection(made).images if image["style"] == "display:none!important"]
    assert [image["src"] for image in always] == ["/image/1", "/image/2", "/image/3"]
    assert "<img" not in clean(html, lambda _cid: None).html
    assert "<img" not in clean(html.replace("@media", "@nothing"), lambda _cid: None, link_for_image=lambda _url: "/image/1").html
