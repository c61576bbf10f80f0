"""A message on its page: how much of a telephone it gets, what danger looks like, what is reached where, what is printed."""

from __future__ import annotations

import imaplib
import re
import subprocess
import time
import zlib
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from deploy.demo.services import Services
from tests.support.browsing import overflow, until_true
from tests.support.http_visits import HttpVisitor
from tests.support.messages import message

OpenBrowser = Callable[..., Page]
only_with_scripts = pytest.mark.parametrize("scripts", [True])

_TEXT = "\n\n".join(f"Ligne {number} de la lettre, qui est assez longue pour deux lignes." for number in range(40))
_HTML = '<p>Bonjour</p><a href="https://evil.example/">https://portail.lycee.example/</a>' + "<p>Texte</p>" * 80
_NEWS = '<p>Soldes</p><img src="https://list.example/a.png">' + "<p>Texte</p>" * 80
_AROUND = """() => {
    const edge = selector => document.querySelector(selector).getBoundingClientRect();
    const body = edge("[data-message-body]");
    const fixed = [...document.querySelectorAll("body *")].filter(part => getComputedStyle(part).position === "fixed"
        && part.offsetHeight && part.getBoundingClientRect().top > innerHeight / 2).map(part => part.getBoundingClientRect().top);
    const end = Math.min(body.bottom, edge(".answers").top, innerHeight, ...fixed);
    return (innerHeight - (end - Math.max(body.top, 0))) / innerHeight;
}"""
_IN_SIGHT = """button => { const box = button.getBoundingClientRect(), bar = document.querySelector(".answers").getBoundingClientRect();
    return box.top >= 0 && box.bottom <= Math.min(innerHeight, bar.top); }"""

KINDS = ("plain", "two lines", "newsletter", "caution", "danger")
Letters = dict[str, str]


@pytest.fixture
def letters(demo: Services) -> tuple[str, Letters]:
    """The address of somebody new, and the pages of their messages, by kind."""
    address = f"letter-{time.time_ns()}@lycee.example"
    demo.add_account(address, "Lea", 10**8)
    client = imaplib.IMAP4("127.0.0.1", demo.ports.imap)
    client.login(address, demo.password)
    news = message("Les soldes", sender="Boutique <news@shop.example>", List_Unsubscribe="<https://list.example/leave?1>")
    news.set_content(_NEWS, subtype="html")
    danger = message("Votre compte", sender="Support <support@lycee.exarnple>", Reply_To="x@evil.example")
    danger.set_content(_HTML, subtype="html")
    made = (
        message("Sortie au musée", _TEXT, "Ann <ann@far.example>", To=f"{address}, carl@x.example, dora@x.example"),
        message("Compte rendu de la réunion du conseil pédagogique", _TEXT, "Ann Exemple <ann.exemple@academie.example>"),
        news,
        message("Facture", _TEXT, "Boutique <a@shop.example>", Reply_To="b@other.example"),
        danger,
    )
    pages = {}
    for number, (kind, one) in enumerate(zip(KINDS, made, strict=True), 1):
        client.append("INBOX", "", None, bytes(one))
        pages[kind] = f"/message/{number}/INBOX"
    client.logout()
    return address, pages


@only_with_scripts
@pytest.mark.parametrize("kind", ["plain", "two lines", "newsletter"])
def test_three_quarters_of_a_telephone_are_the_message(
    open_browser: OpenBrowser, letters: tuple[str, Letters], kind: str
) -> None:
    page = open_browser(letters[0], width=360, height=740, at=letters[1][kind])
    until_true(page, f"() => ({_AROUND})() <= 0.25")  # a formatted one is as high as it is once it has told so
    expect(page.locator(".list-bar").first).to_be_in_viewport()
    page.mouse.wheel(0, 700)
    expect(page.locator(".list-bar").first).not_to_be_in_viewport()
    expect(page.locator(".answers")).to_be_in_viewport()
    until_true(page, f"() => ({_AROUND})() <= 0.08")


@only_with_scripts
@pytest.mark.parametrize("width", [320, 360])
def test_the_answers_are_large_and_the_bar_of_the_page_is_at_its_end(
    open_browser: OpenBrowser, letters: tuple[str, Letters], width: int
) -> None:
    page = open_browser(letters[0], width=width, height=740, at=letters[1]["plain"])
    boxes = [one.bounding_box() for one in page.locator(".answers .btn").all()]
    assert len(boxes) == 3 and all(box and box["height"] >= 44 and box["width"] >= 44 for box in boxes)
    assert page.locator(".answers .btn span").all_inner_texts() == ["Répondre", "Répondre à tous", "Transférer"]
    page.locator("[name=query]").scroll_into_view_if_needed()
    expect(page.locator("[name=query]")).to_be_in_viewport()
    page.locator("summary .details-word").click()
    expect(page.locator(".letterhead .known")).to_be_visible()


@only_with_scripts
def test_danger_is_one_headline_and_the_way_out_is_in_sight(open_browser: OpenBrowser, letters: tuple[str, Letters]) -> None:
    page = open_browser(letters[0], width=360, height=740, at=letters[1]["danger"])
    expect(page.locator("[data-verdict]")).to_have_attribute("data-verdict", "danger")
    expect(page.locator(".verdict")).to_have_count(1)
    assert page.locator(".warning li").count() >= 3
    report = page.locator(".warning .btn-primary")
    assert report.evaluate(_IN_SIGHT)
    expect(page.locator(".answers .btn-primary")).to_have_count(0)
    report.click()
    expect(page.locator(".notice-done")).to_be_visible()
    expect(page.locator("[data-row]")).to_have_count(len(KINDS) - 1)


@only_with_scripts
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("width", "dark"), [(320, False), (360, True), (768, True), (1280, False)])
def test_messages_and_their_warnings_are_accessible(
    open_browser: OpenBrowser, letters: tuple[str, Letters], check_accessibility: Callable[[Page], None], width: int, dark: bool
) -> None:
    page = open_browser(letters[0], width=width, dark=dark)
    for kind in KINDS:
        page.goto(letters[1][kind])
        assert overflow(page) <= 0, kind
        page.locator(".letterhead summary").click()
        assert overflow(page) <= 0, kind
        if width in (360, 1280):  # as all pages are looked at
            check_accessibility(page)
    page.goto(str(page.frames[-1].get_attribute("a[href*='/leave']", "href")))
    expect(page.locator(".sheet-danger")).to_be_visible()
    check_accessibility(page)


def texts_by_page(pdf: bytes) -> list[int]:
    """How many pieces of text each page of a document shows, in order."""
    objects = {int(found[1]): found[2] for found in re.finditer(rb"(\d+) 0 obj(.*?)endobj", pdf, re.S)}
    pages = [one for _number, one in sorted(objects.items()) if re.search(rb"/Type\s*/Page\b", one)]
    contents = [objects[int(found[1])] for one in pages if (found := re.search(rb"/Contents\s+(\d+) 0 R", one))]
    streams = [one[one.index(b"stream") + 6 : one.rindex(b"endstream")].lstrip(b"\r\n") for one in contents]
    return [len(re.findall(rb"T[jJ]", zlib.decompress(one))) for one in streams]


@only_with_scripts
def test_a_printed_letter_begins_on_the_first_page_without_buttons(
    open_browser: OpenBrowser, letters: tuple[str, Letters]
) -> None:
    page = open_browser(letters[0], at=letters[1]["danger"])
    page.wait_for_load_state("networkidle")
    page.emulate_media(media="print")
    expect(page.locator(".warning .verdict")).to_be_visible()
    for hidden in (".warning form", ".answers", ".list-bar", ".images", "header.top"):
        for one in page.locator(hidden).all():
            expect(one).to_be_hidden()
    page.emulate_media(media="screen")
    page.goto(letters[1]["newsletter"])
    page.wait_for_load_state("networkidle")
    first, *others = texts_by_page(page.pdf(format="A4"))
    assert first >= 0.5 * max(others)  # the heading alone is a seventh


@pytest.mark.parametrize("scripts", [False])
@pytest.mark.parametrize(("kind", "words"), [("danger", "may be fraudulent"), ("caution", "Be careful")])
def test_text_browsers_show_who_wrote_and_what_is_wrong_before_the_text(
    demo: Services, letters: tuple[str, Letters], kind: str, words: str, scripts: bool
) -> None:
    person = HttpVisitor(demo.address, "", letters[0], demo.password, "en").sign_in()
    page = person.get(letters[1][kind])
    command = ["w3m", "-dump", "-T", "text/html", "-I", "utf-8", "-O", "utf-8"]
    shown = subprocess.run(command, input=str(page.html), capture_output=True, text=True, check=True).stdout
    body = "Ligne 0" if kind == "caution" else "Open the text"
    assert shown.index("Support" if kind == "danger" else "Boutique") < shown.index(words) < shown.index(body)
