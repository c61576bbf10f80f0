"""The body of an HTML message for the dark theme: what asks for it, and what stays as it was."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.messages import message
from tests.support.settings_pages import choose
from tests.support.visits import Page, Visitor

Fill = Callable[..., list[int]]


def opened(person: Visitor, fill: Fill) -> Page:
    made = message("Lettre", "texte")
    made.add_alternative("<p style='color:#333'>Bonjour</p>", subtype="html")
    uid = fill(person, made)[-1]
    return person.get(f"/message/{uid}/INBOX")


def source(page: Page) -> str:
    return str(page.one("[data-message-body] iframe")["src"]).partition("#")[0]


def test_the_theme_decides_what_is_asked_for(person: Visitor, fill: Fill) -> None:
    asked = {}
    opened(person, fill)
    for theme in ("", "dark", "light", "contrast"):
        choose(person, theme=theme)
        asked[theme] = source(person.get("/message/1/INBOX")).partition("scheme=")[2]
    assert asked == {"": "auto", "dark": "dark", "light": "", "contrast": ""}
    choose(person, theme="dark", dark_mail=None)
    page = person.get("/message/1/INBOX")
    assert "scheme=" not in source(page) and page.all("body[data-original]")


def test_both_colours_come_and_a_way_back(person: Visitor, fill: Fill) -> None:
    address = source(opened(person, fill))
    body = person.get(address)
    assert "var(--light,#333) var(--dark,#" in body.html
    assert body.one("link[href*=frame-dark]")["media"] == "(prefers-color-scheme: dark)"
    assert not person.get(address.replace("=auto", "=dark")).one("link[href*=frame-dark]").has_attr("media")
    own = person.get(body.link("Original colours"))
    assert "var(" not in own.html and not own.all("link[href*=frame-dark]")
    assert person.get(own.link("Dark colours")).html == body.html
    assert "sandbox" in body.headers["Content-Security-Policy"]


def test_without_it_the_body_says_nothing_of_it(person: Visitor, fill: Fill) -> None:
    plain = source(opened(person, fill)).replace("&scheme=auto", "")
    for more in ("", "&scheme=", "&scheme=%22%3E%3Cb%3E", "&scheme=light"):
        html = person.get(plain + more).html
        assert "dark" not in html and "scheme" not in html and "var(" not in html


def test_texts_of_a_conversation_page_are_dark_too_and_paper_is_not(person: Visitor, fill: Fill) -> None:
    opened(person, fill)
    for kind in ("html", "text"):
        bare = person.get(f"/print/1/INBOX?bare=1&scheme=dark&as={kind}")
        assert bare.all("link[href*=frame-dark]"), kind
    assert not person.get("/print/1/INBOX").all("link[href*=frame-dark]")
