"""Somebody is kept waiting by others' guesses, has a code mailed to their recovery address, and gets in with it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.browsing import wait_for_path
from tests.support.http_visits import HttpVisitor
from tests.support.outside import mailed_code
from webmail.models import User

_numbers = itertools.count(1)


@pytest.fixture
def guessed(demo: Services) -> str:
    """The address of somebody whose password a program is guessing."""
    address = f"devinee-{next(_numbers)}@lycee.example"
    demo.add_account(address)
    with accounts.tables(demo.database):
        User.update(recovery_address=f"{address.partition('@')[0]}@ailleurs.example").where(User.address == address).execute()
    program = HttpVisitor(demo.address, "")
    page = program.get("/login")
    for _ in range(10):
        program.submit(page, "form[action='/login']", username=address, password="wrong")
    return address


def test_a_code_spares_the_wait(
    open_browser: Callable[..., Page],
    demo: Services,
    guessed: str,
    scripts: bool,
    screenshots: Path | None,
    check_accessibility: Callable[[Page], None],
) -> None:
    page, enter = open_browser(width=360), "form[action='/login'] .btn-primary"
    page.goto(f"{demo.address}/login")
    page.fill("[name=username]", guessed)
    page.fill("[name=password]", demo.password)
    page.click(enter)
    expect(page.get_by_role("alert")).to_contain_text("Trop de tentatives")
    if scripts:
        check_accessibility(page)
        if screenshots:
            screenshots.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=screenshots / "sign-in-waits.png", full_page=True)
    page.get_by_role("button", name="M’envoyer un code").click()
    expect(page.locator("[role=status]")).to_contain_text("un code vient d’y être envoyé")
    page.fill("[name=password]", demo.password)
    page.fill("[name=code]", mailed_code(demo, f"{guessed.partition('@')[0]}@ailleurs.example", r"\w{5}-\w{5}"))
    page.click(enter)
    wait_for_path(page, "/mailbox/INBOX")
