"""What the pointer or the focus rests on comes ahead: it opens without a second request, is marked as read, and is never stale."""

from __future__ import annotations

import imaplib
import json
import re
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, Request, Route, expect

from deploy.demo.services import Services
from tests.support.messages import message
from tests.support.settings_pages import choose_in_browser
from tests.support.waiting import eventually

OpenBrowser = Callable[..., Page]
only_scripts = pytest.mark.parametrize("scripts", [True], ids=["scripts"])
LINK = "[data-row] .s a[id]"
HTML = "<h1>Programme</h1><p>De la rentrée</p><img src='https://track.example/o.gif' alt='suivi'>"


class Reader:
    """Somebody new with 55 messages, of which "Lettre 54" is the newest and HTML; what another program sees of their inbox."""

    def __init__(self, demo: Services) -> None:
        self.address = f"ahead-{time.time_ns()}@lycee.example"
        demo.add_account(self.address, "Anne", 10**8)
        self._client = imaplib.IMAP4("127.0.0.1", demo.ports.imap)
        self._client.login(self.address, demo.password)
        for number in range(55):
            made = message(f"Lettre {number:02d}", f"Texte {number}")
            if number == 54:
                made.add_alternative(HTML, subtype="html")
            self._client.append("INBOX", "", f'"26-Mar-2026 10:{number:02d}:00 +0100"', bytes(made))

    def unread(self, subject: str) -> bool:
        self._client.select("INBOX", readonly=True)
        return bool(self._client.search(None, "UNSEEN", "SUBJECT", f'"{subject}"')[1][0])

    def close(self) -> None:
        self._client.logout()


@pytest.fixture
def reader(demo: Services) -> Iterator[Reader]:
    made = Reader(demo)
    yield made
    made.close()


@pytest.fixture
def asked() -> list[Request]:
    """Every request of the page given to `watch`."""
    return []


def watch(page: Page, asked: list[Request]) -> None:
    page.wait_for_selector("script[src*=ahead]", state="attached")
    page.wait_for_load_state("networkidle")
    page.on("request", lambda request: asked.append(request))


def gets(asked: list[Request], part: str = "/message/") -> list[Request]:
    return [one for one in asked if one.method == "GET" and part in one.url]


def rest_on(page: Page, selector: str, part: str = "/message/") -> None:
    """Let the pointer rest until what it is on has come."""
    with page.expect_response(lambda answer: part in answer.url and answer.status == 200) as found:
        page.hover(selector)
    found.value.finished()
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")  # the script has it too


def until(page: Page, condition: Callable[[], bool]) -> None:
    """Wait as the browser's driver does, which then hears of requests."""
    eventually(condition, seconds=30, step=0.1, sleep=lambda seconds: page.wait_for_timeout(seconds * 1000))


def pass_time(page: Page) -> None:
    """Two seconds for the scripts of a page whose clock is installed; what they ask for then is known."""
    page.clock.run_for(2000)
    page.evaluate("() => fetch('/healthz')")


def becomes_read(page: Page, reader: Reader, subject: str) -> None:
    until(page, lambda: not reader.unread(subject))


def title(page: Page, words: str) -> None:
    expect(page.locator("article.reading h1")).to_have_text(words)


@only_scripts
def test_a_message_under_the_pointer_opens_without_a_second_request(
    open_browser: OpenBrowser, reader: Reader, asked: list[Request]
) -> None:
    page = open_browser(reader.address)
    watch(page, asked)
    inbox, link = page.url, f"{LINK} >> nth=1"
    rest_on(page, link)
    assert reader.unread("Lettre 53") and page.url == inbox
    page.click(link)
    title(page, "Lettre 53")
    page.wait_for_url(re.compile("/message/"))
    becomes_read(page, reader, "Lettre 53")
    assert len(gets(asked)) == 1 and gets(asked)[0].headers["x-traboule-prefetch"] == "1"
    expect(page.locator("#folders a[aria-current=page] b")).to_have_text("54")
    page.go_back()
    expect(page.locator("tr.u")).to_have_count(49)
    page.go_forward()
    title(page, "Lettre 53")


@only_scripts
def test_what_has_the_focus_opens_so_too_and_so_does_the_next_page(
    open_browser: OpenBrowser, reader: Reader, asked: list[Request]
) -> None:
    page = open_browser(reader.address)
    watch(page, asked)
    rest_on(page, "a[rel=next]", "page=2")
    page.click("a[rel=next]")
    expect(page.locator("[data-row]")).to_have_count(5)
    page.wait_for_url(re.compile("page=2"))
    assert len(gets(asked, "page=2")) == 1
    with page.expect_response(re.compile("/message/")) as found:
        page.focus(f"{LINK} >> nth=2")
    found.value.finished()
    page.keyboard.press("Enter")
    title(page, "Lettre 02")
    assert len(gets(asked, "/message/3/")) == 1  # and perhaps the next, on whose button the pointer rests
    becomes_read(page, reader, "Lettre 02")


@only_scripts
def test_whatever_changes_empties_what_is_held(open_browser: OpenBrowser, reader: Reader, asked: list[Request]) -> None:
    page = open_browser(reader.address)
    watch(page, asked)
    rest_on(page, f"{LINK} >> nth=3")
    page.locator("[name=uids]").nth(0).check()
    page.click(".list-bar [value=delete]")
    expect(page.locator(f"{LINK} >> nth=0")).to_have_text("Lettre 53")
    del asked[:]
    page.locator(LINK, has_text="Lettre 51").evaluate("link => link.click()")  # at once, where no pointer rested
    title(page, "Lettre 51")
    assert [one.headers.get("x-traboule-prefetch") for one in gets(asked)] == [None]
    expect(page.locator("#notices form")).to_have_count(1)  # its undo
    becomes_read(page, reader, "Lettre 51")


@only_scripts
def test_an_undo_stays_beside_a_page_that_was_held(open_browser: OpenBrowser, reader: Reader, asked: list[Request]) -> None:
    page = open_browser(reader.address)
    page.locator("[name=uids]").nth(0).check()
    page.click(".list-bar [value=delete]")
    expect(page.locator("#notices form")).to_have_count(1)
    watch(page, asked)
    page.mouse.move(5, 5)
    rest_on(page, f"{LINK} >> nth=4")
    page.click(f"{LINK} >> nth=4")
    title(page, "Lettre 49")
    assert len(gets(asked)) == 1
    page.click("#notices form button")
    expect(page.locator(f"{LINK} >> nth=0")).to_have_text("Lettre 54")


@only_scripts
@pytest.mark.parametrize("spared", [True, False], ids=["saving data", "not saving data"])
def test_a_line_that_is_to_be_spared_is(open_browser: OpenBrowser, reader: Reader, asked: list[Request], spared: bool) -> None:
    page = open_browser(reader.address)
    page.add_init_script(f"Object.defineProperty(navigator, 'connection', {{ value: {{ saveData: {str(spared).lower()} }} }})")
    page.clock.install()
    page.reload()
    watch(page, asked)
    page.hover(f"{LINK} >> nth=1")
    if spared:
        pass_time(page)
    else:
        until(page, lambda: bool(gets(asked)))
    assert bool(gets(asked)) is not spared


def on_a_line(page: Page, **told: object) -> None:
    """The page anew, with a clock of its own, in a browser that says this of its line."""
    page.add_init_script(f"Object.defineProperty(navigator, 'connection', {{ value: {json.dumps(told)} }})")
    page.clock.install()
    page.reload()


@only_scripts
def test_where_answers_are_long_in_coming_the_next_page_comes_to_who_looks_at_a_list(
    open_browser: OpenBrowser, reader: Reader, asked: list[Request]
) -> None:
    page = open_browser(reader.address)
    on_a_line(page, rtt=400)
    watch(page, asked)
    assert gets(asked, "page=2") == []
    with page.expect_response(lambda answer: "page=2" in answer.url and answer.status == 200) as found:
        pass_time(page)
    found.value.finished()
    assert found.value.request.headers["x-traboule-prefetch"] == "1"
    page.clock.run_for(20_000)  # once, however long somebody looks at the list
    page.click(".pager a >> nth=-1")  # the other link to it
    expect(page.locator("[data-row]")).to_have_count(5)
    page.wait_for_url(re.compile("page=2"))
    assert len(gets(asked, "page=2")) == 1
    assert all(reader.unread(f"Lettre {number:02d}") for number in (0, 4, 54))
    pass_time(page)  # the last page has none after it
    assert len(gets(asked, "page=")) == 1


@only_scripts
@pytest.mark.parametrize(
    "told", [{"rtt": 400, "saveData": True}, {"rtt": 400, "type": "cellular"}, {"rtt": 25}], ids=["saved", "paid for", "near"]
)
def test_no_page_comes_that_nobody_pointed_at_where_bytes_count_or_answers_are_near(
    open_browser: OpenBrowser, reader: Reader, asked: list[Request], told: dict[str, object]
) -> None:
    page = open_browser(reader.address)
    on_a_line(page, **told)
    watch(page, asked)
    pass_time(page)
    pass_time(page)
    assert gets(asked, "page=2") == []


@only_scripts
def test_nothing_comes_ahead_on_a_shared_computer(open_browser: OpenBrowser, reader: Reader, demo: Services) -> None:
    page, asked = open_browser(), list[Request]()
    page.add_init_script("Object.defineProperty(navigator, 'connection', { value: { rtt: 400 } })")
    page.clock.install()
    page.fill("[name=username]", reader.address)
    page.fill("[name=password]", demo.password)
    page.check("[name=shared]")
    page.click("main form button[type=submit] >> nth=0")
    page.wait_for_selector("[data-row]")
    page.wait_for_load_state("networkidle")
    page.on("request", lambda request: asked.append(request))
    page.hover(f"{LINK} >> nth=1")
    pass_time(page)
    assert gets(asked) + gets(asked, "page=2") + gets(asked, "/body/") == []


@only_scripts
def test_rows_that_the_pointer_only_passes_are_not_fetched(
    open_browser: OpenBrowser, reader: Reader, asked: list[Request]
) -> None:
    page = open_browser(reader.address)
    page.clock.install()
    page.reload()
    watch(page, asked)
    page.evaluate(f"""() => {{
        document.querySelectorAll("{LINK}").forEach(link => link.dispatchEvent(new MouseEvent("mouseover", {{ bubbles: true }})));
        document.querySelector("h1").dispatchEvent(new MouseEvent("mouseover", {{ bubbles: true }}));
    }}""")
    pass_time(page)
    assert gets(asked) == []


@only_scripts
def test_the_frame_is_asked_for_at_the_click_and_once(open_browser: OpenBrowser, reader: Reader, asked: list[Request]) -> None:
    page = open_browser(reader.address)
    watch(page, asked)
    frames: set[str] = set()
    bytes_of: dict[str, float] = {}  # on the wire: a second request that waits for the first has none, nor one from the cache
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.on(
        "Network.responseReceived", lambda told: frames.add(told["requestId"]) if "/body/" in told["response"]["url"] else None
    )
    network.on("Network.loadingFinished", lambda told: bytes_of.update({told["requestId"]: told["encodedDataLength"]}))
    page.locator(LINK).first.evaluate("link => link.click()")
    expect(page.frame_locator("[data-message-body] iframe").locator("h1")).to_have_text("Programme")
    expect(page.frame_locator("[data-message-body] iframe").locator(".blocked")).to_be_hidden()  # the page around it says it
    expect(page.locator("main")).to_contain_text(re.compile("image distante|remote image"))
    order = [one.url for one in asked if "/message/" in one.url or "/body/" in one.url]
    assert "/body/" in order[0] and "/message/" in order[1]  # beside the page, not after it
    until(page, lambda: len(frames & bytes_of.keys()) == 2)
    assert len([one for one in frames if bytes_of[one]]) == 1
    becomes_read(page, reader, "Lettre 54")


@only_scripts
def test_what_cannot_be_marked_at_first_is_marked_later(open_browser: OpenBrowser, reader: Reader, asked: list[Request]) -> None:
    page = open_browser(reader.address)
    watch(page, asked)
    refused: list[str] = []

    def refuse_once(route: Route) -> None:
        refused.append(route.request.url)
        if len(refused) == 1:
            route.fulfill(status=429)
        else:
            route.continue_()

    page.route("**/seen/**", refuse_once)
    rest_on(page, f"{LINK} >> nth=1")
    # whether it is said: another answer that comes at once takes the words away again
    page.evaluate("() => new MutationObserver(() => window.said ||= document.querySelector('[data-unanswered]'))"
                  ".observe(document.body, { childList: true, subtree: true })")  # fmt: skip
    page.click(f"{LINK} >> nth=1")
    becomes_read(page, reader, "Lettre 53")
    assert len(refused) == 2 and page.evaluate("() => Boolean(window.said)")


@only_scripts
def test_a_message_opens_from_what_is_held_in_panes_too(open_browser: OpenBrowser, reader: Reader, asked: list[Request]) -> None:
    page = open_browser(reader.address)
    choose_in_browser(page, "layout", "right")
    page.goto("/mailbox/INBOX")
    watch(page, asked)
    rest_on(page, f"{LINK} >> nth=1")
    page.click(f"{LINK} >> nth=1")
    title(page, "Lettre 53")
    assert len(gets(asked)) == 1 and "/mailbox/" in page.url
    becomes_read(page, reader, "Lettre 53")


def test_a_message_is_read_once_it_is_opened(open_browser: OpenBrowser, reader: Reader, scripts: bool) -> None:
    page = open_browser(reader.address)
    if scripts:
        watch(page, [])
        rest_on(page, f"{LINK} >> nth=1")
    assert reader.unread("Lettre 53")
    page.click(f"{LINK} >> nth=1")
    title(page, "Lettre 53")
    becomes_read(page, reader, "Lettre 53")
