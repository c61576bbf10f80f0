"""Two-step verification for people of a demo, set up as the pages do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.browsing import wait_for_path
from webmail.auth.factors import authenticator, recovery_codes, second_step
from webmail.config import settings as config
from webmail.models import Authenticator, User

_PAGES = {
    "account-on": "/account",
    "totp": "/account/totp",
    "security-keys": "/account/keys",
    "mail-codes": "/account/mail-codes",
    "recovery-codes": "/account/recovery-codes",
}


def give_codes(demo: Services, address: str, folder: Path) -> list[str]:
    """Give somebody an authenticator app; returns their ten recovery codes, which a test can type. `folder` is one for tests."""
    settings = config.load(folder / "second-step", secret_key=demo.settings()["WEBMAIL_SECRET_KEY"])
    with accounts.tables(demo.database):
        user = User.get(User.address == address)
        with second_step.changing(user):
            authenticator.add(user, "Phone", authenticator.new_secret(), 0, settings)
            return recovery_codes.make(user, settings)


def walk_second_step(page: Page, demo: Services, folder: Path) -> Iterator[str]:
    """Open the pages of somebody new who has an authenticator app, from the door on, in this visitor's browser; their names."""
    address = f"second-step-{time.time_ns()}@lycee.example"
    accounts.add(demo.database, accounts.Person(address, "Paule Petit"), demo.password)
    codes = give_codes(demo, address, folder)
    page.goto("/login?next=/account/confirm")
    page.fill("[name=username]", address)
    page.fill("[name=password]", demo.password)
    page.click("main button >> nth=0")
    page.wait_for_selector("main [name=code]")
    yield "second-step"
    _say(page, "000000")
    page.wait_for_selector("#problem")
    yield "second-step-wrong"
    page.goto("/login/code/voucher")
    yield "ask-colleague"
    page.goto("/login/code?next=/account/confirm")
    _say(page, codes[0])
    wait_for_path(page, "/account/confirm")
    yield "confirm-code"
    _say(page, codes[1])
    wait_for_path(page, "/account")
    for name, where in _PAGES.items():
        page.goto(where)
        yield name
    page.click("main form.form button")
    page.wait_for_selector("[data-recovery-codes]")
    yield "recovery-codes-new"
    with accounts.tables(demo.database):
        app = Authenticator.get(Authenticator.user == User.get(User.address == address))
    page.goto(f"/account/totp/{app.id}/remove")
    yield "totp-remove"


def _say(page: Page, code: str) -> None:
    page.fill("main [name=code]", code)
    page.click("main form:has([name=code]) button >> nth=0")
