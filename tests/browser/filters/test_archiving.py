"""Automatic archiving with scripts and without: a rule, its preview, a night, the line about it, and undo."""

from __future__ import annotations

import imaplib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from deploy.demo.services import Services
from tests.support.browsing import overflow
from tests.support.messages import message
from tests.support.waiting import eventually

OpenBrowser = Callable[..., Page]
_CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture
def person(demo: Services) -> str:
    """Somebody with three old messages and a new one."""
    address = f"tidy-{time.time_ns()}@lycee.example"
    demo.add_account(address, "Nora Petit", 10**8)
    client = imaplib.IMAP4("127.0.0.1", demo.ports.imap)
    client.login(address, demo.password)
    for year in (2019, 2020, 2020):
        when = imaplib.Time2Internaldate(datetime(year, 5, 4, tzinfo=UTC).timestamp())
        client.append("INBOX", "(\\Seen)", when, bytes(message(f"Conseil {year}", "Bonjour")))
    client.append("INBOX", "(\\Seen)", "", bytes(message("Demain", "Bonjour")))
    client.logout()
    return address


def a_night(demo: Services, person: str) -> str:
    """What the worker does at night, by the administrator's command."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "archive", "run", person]
    environment = {**os.environ, **demo.settings()}
    return subprocess.run(command, cwd=_CHECKOUT, env=environment, check=True, capture_output=True, text=True).stdout


def test_a_rule_is_tried_out_saved_and_undone_after_its_night(
    open_browser: OpenBrowser, demo: Services, person: str, scripts: bool
) -> None:
    page = open_browser(person, language="en", at="/settings")
    page.get_by_role("link", name="Automatic archiving").first.click()
    page.get_by_role("link", name="New rule").click()
    page.fill("[name=amount]", "30")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview")).to_contain_text("This rule currently applies to 3 messages.")
    expect(page.locator("#preview tbody tr").first).to_contain_text("2020")
    expect(page.locator("[name=amount]")).to_have_value("30")
    page.click("main button.btn-primary")
    expect(page.locator("[data-rule] h2")).to_have_text("Inbox: messages older than 30 months")
    assert "3 archived" in a_night(demo, person)
    page.goto("/mailbox/INBOX")
    expect(page.locator("#archived")).to_contain_text("3 messages were archived last night.")
    expect(page.locator("[data-row]")).to_have_count(1)
    page.locator("#archived").get_by_role("button", name="Undo").click()
    expect(page.locator("#notices")).to_contain_text("The rules that had moved these messages are now off.")
    expect(page.locator("#archived form")).to_have_count(0)
    rows = page.locator("[data-row]")
    eventually(lambda: page.goto("/mailbox/INBOX") and rows.count() == 4, step=0.3, what="four rows", found=rows.count)


@pytest.mark.parametrize("dark", [False, True])
def test_the_pages_fit_a_telephone_and_are_accessible(
    open_browser: OpenBrowser, person: str, scripts: bool, dark: bool, check_accessibility: Callable[[Page], None]
) -> None:
    if not scripts:
        pytest.skip("axe needs scripts")
    page = open_browser(person, width=360, dark=dark, at="/archiving/new")
    page.check("[value=delete]")
    page.click("main button.btn-primary")  # refused: said at the field
    expect(page.locator(".field-error")).to_be_visible()
    check_accessibility(page)
    assert overflow(page) <= 0
    page.check("[value=archive]")
    page.locator("button[value=preview] >> visible=true").click()
    expect(page.locator("#preview")).to_be_visible()
    check_accessibility(page)
    page.click("main button.btn-primary")
    expect(page.locator("[data-rule]")).to_have_count(1)
    check_accessibility(page)
    assert overflow(page) <= 0
