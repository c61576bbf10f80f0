"""A telephone in one hand: where the text and the days begin, what moves under the thumb, and what a thumb can hit."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browsing import styled
from tests.support.every_page import ALICE
from tests.support.messages import message

OpenBrowser = Callable[..., Page]
only_scripts = pytest.mark.parametrize("scripts", [True], ids=["scripts"])
WIDTH, HEIGHT, WITH_KEYBOARD = 360, 740, 400
TEXT_FROM, MONTH_FROM, FINGER = 330, 170, 44  # pixels
LINE = 26  # of text that is written
PAGES = (
    "inbox", "found", "message-files", "reply", "draft", "calendar-month", "calendar-week", "calendar-agenda", "event", "contacts",
    "contact", "people", "files", "search", "folders", "settings", "settings-reading", "tags", "filters", "collections", "devices",
)  # fmt: skip

# what of a page a finger can't hit: the room around its middle that is its own, its label's, or of what it holds
_SMALL = """finger => Array.from(document.querySelectorAll("button:not(.skip), summary, select, input:not([type=hidden]), nav a, a.btn, .rows a")).filter(one => {
    const box = one.getBoundingClientRect();
    return one.checkVisibility({visibilityProperty: true, opacityProperty: true}) && !one.disabled && one.tabIndex >= 0
        && box.width > 2 && box.height > 2 && getComputedStyle(one).clip === "auto" && !one.dataset.of;  // beside people the row is the field
}).filter(one => {
    const label = one.labels && one.labels[0];
    one.scrollIntoView({block: "center", inline: "center"});
    const box = one.getBoundingClientRect(), beside = label && label.getBoundingClientRect();
    if (beside && /checkbox|radio/.test(one.type) && beside.height >= finger - 1 && beside.width + box.width >= finger) return false;
    const x = box.left + box.width / 2, y = box.top + box.height / 2;
    const hit = (right, down) => {
        const at = document.elementFromPoint(x + right, y + down);
        return at && (one.contains(at) || label && label.contains(at));
    };
    const reach = (right, down) => { let far = 0; while (far < finger && hit(right * (far + 1), down * (far + 1))) far++; return far; };
    const enough = finger - 2;  // the middle itself, and half pixels
    return box.width < finger - 1 && reach(1, 0) + reach(-1, 0) < enough || box.height < finger - 1 && reach(0, 1) + reach(0, -1) < enough;
}).map(one => one.outerHTML.slice(0, 120))"""

_PRESS = "one => one.click()"  # where it is: Playwright scrolls before it clicks

_CONTRAST = """one => {
    const part = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    const light = colour => { const [r, g, b] = colour.match(/[\\d.]+/g).map(Number); return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b); };
    const style = getComputedStyle(one), [low, high] = [light(style.color), light(style.backgroundColor)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
}"""


def top(what: Locator) -> float:
    return float(what.evaluate("one => one.getBoundingClientRect().top"))


def text_top(page: Page, scripts: bool) -> float:
    """Where the first line of what is written stands."""
    text = page.locator("#editor" if scripts else "#body")
    return float(text.evaluate("one => one.getBoundingClientRect().top + parseFloat(getComputedStyle(one).paddingTop)"))


@pytest.fixture
def to_twelve(newcomer: Callable[..., str]) -> str:
    """The address of somebody whose newest message went to twelve people."""
    people = [f"Prénom Nom-de-Famille {number} <p{number}@lycee.example>" for number in range(11)]
    return newcomer(
        "twelve",
        message(
            "Conseil de classe de la 4e B : ordre du jour", sender="Marie-Claire Fontaine-Dubois <bob@lycee.example>",
            To=", ".join(people[:7]), Cc=", ".join(people[7:]),
        ),
    )  # fmt: skip


def reply_with_two_files(page: Page, scripts: bool, folder: Path) -> None:
    files = [folder / "compte-rendu.pdf", folder / "photo-de-classe.jpg"]
    for file in files:
        file.write_bytes(b"x" * 200_000)
    page.goto("/reply/1/INBOX?all=1")
    if scripts:
        expect(page.locator("#editor")).to_be_visible()
    page.set_input_files("[name=attachments]", files)
    if not scripts:
        page.click("button[value=attach]")
    expect(page.locator("#attachments li")).to_have_count(2)
    page.evaluate("scrollTo(0, 0)")


def test_the_text_of_a_reply_to_twelve_with_two_files(
    open_browser: OpenBrowser, to_twelve: str, scripts: bool, tmp_path: Path
) -> None:
    page = open_browser(to_twelve, width=WIDTH, height=HEIGHT)
    reply_with_two_files(page, scripts, tmp_path)
    assert text_top(page, scripts) <= TEXT_FROM
    for row in page.locator(".compose-people:visible").all():
        assert row.evaluate("one => one.offsetHeight") <= 45  # one line, however long a name is
    page.set_viewport_size({"width": WIDTH, "height": WITH_KEYBOARD})
    assert text_top(page, scripts) + 3 * LINE <= WITH_KEYBOARD
    recipients = page.locator("#cc-typing" if scripts else "#cc")
    recipients.click() if not scripts else page.locator(".compose-row:has(#cc) .people-more").click()
    expect(recipients).to_be_focused()  # touched, they are all there
    if scripts:
        expect(page.locator(".compose-row:has(#cc) .person:visible")).to_have_count(11)
    page.locator(".compose-whom summary").click()
    expect(page.locator("#bcc-typing" if scripts else "#bcc")).to_be_visible()


@only_scripts
def test_the_formatting_comes_when_asked_for(open_browser: OpenBrowser, to_twelve: str, tmp_path: Path) -> None:
    page = open_browser(to_twelve, width=WIDTH, height=HEIGHT)
    reply_with_two_files(page, True, tmp_path)
    bar, button = page.locator(".compose-format"), page.locator("[data-formatting]")
    expect(bar).to_be_hidden()
    button.click()
    expect(bar).to_be_visible()
    expect(button).to_have_attribute("aria-expanded", "true")
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(button).to_be_hidden()
    page.goto("/compose")
    expect(page.locator(".compose-format")).to_be_visible()


def test_nothing_moves_as_a_draft_is_saved(open_browser: OpenBrowser, to_twelve: str, tmp_path: Path, scripts: bool) -> None:
    if not scripts:
        return  # nothing is saved by itself
    page = open_browser(to_twelve, width=WIDTH, height=HEIGHT, at="/reply/1/INBOX?all=1")
    expect(page.locator("#editor")).to_be_visible()
    before = top(page.locator("#editor"))
    page.fill("#subject", "Autre")
    expect(page.locator("#saved > span")).to_be_visible()
    assert top(page.locator("#editor")) == before


def test_the_month_begins_high_and_today_can_be_read(open_browser: OpenBrowser, every_page: dict[str, str]) -> None:
    page = open_browser(ALICE, width=WIDTH, height=HEIGHT, at=every_page["calendar-month"])
    styled(page)
    assert top(page.locator(".cal-month")) <= MONTH_FROM
    bar = page.locator(".cal-bar").bounding_box()
    assert bar and bar["height"] <= 54  # one row
    page.locator(".cal-menu > summary").click()
    expect(page.locator(".cal-menu a:visible")).to_have_count(7)  # six views, and today
    today = date.today()
    first = today.replace(day=1)
    neighbour = first - timedelta(days=1) if today.day < 8 else first + timedelta(days=31)
    for dark in (False, True):
        page.emulate_media(color_scheme="dark" if dark else "light")
        for month in (today, neighbour):
            page.goto(f"/calendar/month/{month.replace(day=1)}")
            for number in page.locator(".cal-month [aria-current] .n").all():
                assert number.evaluate(_CONTRAST) >= 4.5, (month, dark)


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
@only_scripts
def test_ticking_moves_nothing(open_browser: OpenBrowser, newcomer: Callable[..., str], width: int) -> None:
    more_than_a_page = [message(f"Cours {number}") for number in range(51)]
    page = open_browser(newcomer("ticks", *more_than_a_page), width=width, height=HEIGHT)
    row = page.locator("[data-row]").nth(2)
    before = top(row)
    page.locator("[data-row] [name=uids]").first.check()
    assert top(row) == before
    page.locator("[data-select-all]").check()
    assert top(row) == before
    expect(page.locator("[data-all-matching]")).to_be_visible()


@only_scripts
def test_the_actions_of_ticked_rows_are_under_the_thumb(open_browser: OpenBrowser, to_twelve: str) -> None:
    page = open_browser(to_twelve, width=WIDTH, height=HEIGHT)
    page.locator("[data-row] [name=uids]").check()
    button = page.locator(".list-bar button[value=archive]")
    assert top(button) > HEIGHT * 3 / 4
    button.click()
    undo = page.locator("#notices form button")
    expect(undo).to_be_in_viewport()
    assert top(undo) > HEIGHT * 3 / 4


@only_scripts
@pytest.mark.parametrize("width", [WIDTH, 1280])
def test_the_list_stays_put_whatever_is_done_to_its_rows(
    open_browser: OpenBrowser, as_on_the_first_day: None, width: int
) -> None:
    page = open_browser(ALICE, width=width, height=HEIGHT)
    styled(page)
    row, above = page.locator("[data-row]").nth(30), page.locator("[data-row]").nth(28)
    row.evaluate("one => one.scrollIntoView({block: 'center'})")
    subject, before = row.locator(".s a[id]").text_content() or "", top(above)
    row.locator(".f button").evaluate(_PRESS)
    star = page.locator("[data-row]").nth(30).locator(".f button")
    expect(star).to_have_text("★")
    assert top(above) == before
    star.evaluate(_PRESS)
    expect(star).to_have_text("☆")
    row.locator("[name=uids]").evaluate(_PRESS)
    page.locator(".list-bar button[value=archive]").evaluate(_PRESS)
    expect(row.locator(".s a[id]")).not_to_have_text(subject)
    assert top(above) == before
    page.locator("#notices form button").evaluate(_PRESS)
    expect(row.locator(".s a[id]")).to_have_text(subject)
    assert top(above) == before


@only_scripts
def test_what_acts_on_ticked_rows_is_as_large_as_a_finger(open_browser: OpenBrowser, to_twelve: str) -> None:
    page = open_browser(to_twelve, width=WIDTH, height=HEIGHT)
    page.locator("[data-row] [name=uids]").check()
    styled(page)
    assert page.evaluate(_SMALL, FINGER) == []


@only_scripts
def test_a_folder_is_chosen_above_the_keyboard(open_browser: OpenBrowser, to_twelve: str) -> None:
    page = open_browser(to_twelve, width=WIDTH, height=WITH_KEYBOARD)
    page.locator("[data-row] [name=uids]").check()
    page.locator(".list-bar button[value=moveto]").click()
    expect(page.locator("#chooser [name=find]")).to_be_focused()
    expect(page.locator(".chooser-list button").nth(1)).to_be_in_viewport(ratio=1)
    page.keyboard.type("Nouveau")
    chooser, cancel = page.locator(".chooser-pop"), page.locator(".chooser-pop .toolbar .btn").last
    expect(page.locator(".chooser-new button")).to_be_in_viewport()
    cancel.scroll_into_view_if_needed()
    assert top(chooser) >= 0
    assert top(cancel) + FINGER <= float(chooser.evaluate("one => one.getBoundingClientRect().bottom"))


@only_scripts
def test_what_the_search_box_offers_lies_over_the_list(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE, width=WIDTH, height=HEIGHT)
    page.locator("#query").click()
    page.keyboard.type("sorties")
    folder = page.locator(".suggestions [role=option]", has_text="Sorties").first  # what was searched lately may be above it
    expect(folder).to_be_visible()
    folder.click()
    expect(page).to_have_url(re.compile("/mailbox/Sorties"))


def test_a_contact_is_saved_without_scrolling(open_browser: OpenBrowser, to_twelve: str, scripts: bool) -> None:
    page = open_browser(to_twelve, width=WIDTH, height=HEIGHT, at="/contacts/new")
    styled(page)
    save = page.locator("main .btn-primary").first
    expect(save).to_be_in_viewport()
    page.locator("[name=given]").fill("Zoé")
    save.click()
    expect(page.locator("main h1")).to_have_text("Zoé")


@only_scripts
def test_every_target_is_as_large_as_a_finger(open_browser: OpenBrowser, every_page: dict[str, str]) -> None:
    page = open_browser(ALICE, width=WIDTH, height=HEIGHT)
    small = []
    for name in PAGES:
        page.goto(every_page[name])
        styled(page)
        if found := page.evaluate(_SMALL, FINGER):
            small += [f"{name}: {one}" for one in found]
    assert not small, "\n".join(small)


@only_scripts
def test_one_place_of_the_bar_is_lit(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE, width=WIDTH, height=HEIGHT)
    lit = "all => all.filter(one => getComputedStyle(one).fontWeight === '600').map(one => one.textContent.trim())"
    for address, name in (("/folders", "Dossiers"), ("/mailbox/INBOX", "Courrier"), ("/contacts/people", "Contacts")):
        page.goto(address)
        styled(page)
        assert page.locator("nav.areas a").evaluate_all(lit) == [name]
