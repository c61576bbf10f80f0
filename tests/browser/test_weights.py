"""What pages weigh on the way to a browser, counted as the bench does: compressed bodies and the answers' headers."""

from __future__ import annotations

import imaplib
import re
import time
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Browser, Page

from deploy.demo import accounts
from deploy.demo.child import HOST
from deploy.demo.services import Services
from tests.bench import browser as counting
from tests.bench.letters import letter
from tests.support.every_page import ADMIN, ADMIN_PAGES, ALICE, confirm_administrator
from tests.support.http_visits import HttpVisitor
from webmail.models import User

OpenBrowser = Callable[..., Page]
KIB = 1024
FIRST_VIEW, WITH_SCRIPTS = 14 * KIB, 40 * KIB
SIGN_IN = 6 * KIB  # its HTML with its styles, for who comes for the first time
PAGE, WRITING_PAGE = 12 * KIB, 16 * KIB  # a page's HTML and the style sheets that it adds to the frame's
FRAME = "css/base.css"
WRITES = {"compose", "draft", "reply", "forward"}
LISTS = {"inbox", "found"}  # the first view has its own measure: with the frame's sheet
_SHEET = re.compile(r'<link rel="stylesheet" href="([^"]+)"')


@pytest.fixture
def scripts() -> bool:
    return True


@pytest.fixture
def reader(demo: Services) -> str:
    """The address of somebody new, whose inbox has a page of the bench's mail, and the first card for newcomers above it."""
    address = f"weights-{time.time_ns()}@lycee.example"
    demo.add_account(address, "Lectrice", 10**9)
    with accounts.tables(demo.database):
        User.update(preferences=None).where(User.address == address).execute()
    client = imaplib.IMAP4(HOST, demo.ports.imap)
    client.login(address, demo.password)
    for back in range(59, -1, -1):
        one = letter(back, address)
        client.append("INBOX", "(\\Seen)" if one.seen else "()", imaplib.Time2Internaldate(one.when), one.content)
    client.logout()
    return address


def test_the_first_view_of_the_inbox(open_browser: OpenBrowser, chromium: Browser, demo: Services, reader: str) -> None:
    page = open_browser(reader)
    cookies = {str(one["name"]): str(one["value"]) for one in page.context.cookies()}
    seen = counting.view(chromium, demo.address, "/mailbox/INBOX", cookies, "[data-row] >> nth=49")
    all_of_it = [(one.url, one.wire) for one in seen.fetched]
    assert page.locator("#first-card section").count() == 1
    assert seen.wire("Document", "Stylesheet") <= FIRST_VIEW, all_of_it
    assert seen.wire() <= WITH_SCRIPTS, all_of_it


def test_the_sign_in_page(demo: Services) -> None:
    with httpx.Client(base_url=demo.address, headers={"Accept-Language": "fr"}) as http:
        html, size = _fetched(http, "/login")
        sheets = _SHEET.findall(html)
        assert size + sum(_fetched(http, sheet)[1] for sheet in sheets) <= SIGN_IN, (size, sheets)


def test_every_other_page(demo: Services, every_page: dict[str, str]) -> None:
    heavy = {}
    for person, pages in ((ALICE, every_page), (ADMIN, ADMIN_PAGES)):
        http = HttpVisitor(demo.address, "", person, demo.password, "fr").sign_in().http
        confirm_administrator(demo)
        for name, place in pages.items():
            html, size = _fetched(http, place)
            added = [sheet for sheet in _SHEET.findall(html) if FRAME not in sheet]
            size += sum(_fetched(http, sheet)[1] for sheet in added)
            if name not in LISTS and size > (WRITING_PAGE if name in WRITES else PAGE):
                heavy[name] = size
    assert heavy == {}


def _fetched(http: httpx.Client, place: str) -> tuple[str, int]:
    """What is there, and its bytes on the wire."""
    with http.stream("GET", place, headers={"Accept-Encoding": "br"}) as answer:
        text = answer.read().decode()
        assert answer.headers.get("Content-Encoding") == "br" or len(text) < 600, place
        headers = sum(len(name) + len(value) + len(": \r\n") for name, value in answer.headers.raw)
        return text, answer.num_bytes_downloaded + headers
