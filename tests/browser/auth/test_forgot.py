"""A forgotten password, as somebody without a computer of their own meets it: at 360 px, in both languages, with and without scripts."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.browsing import overflow, wait_for_path
from tests.support.outside import mailed_link, texted
from tests.support.second_step import give_codes
from webmail.models import User

NEW = "violon herbe cuivre lampe"
ENTER = "main form .btn-primary"
_numbers = itertools.count(1)


@pytest.fixture
def person(demo: Services) -> str:
    """Somebody with a recovery address and a telephone."""
    number = next(_numbers)
    address = f"oubli-{number}@lycee.example"
    demo.add_account(address, "Odile Oubli")
    with accounts.tables(demo.database):
        contact = {"recovery_address": private(address), "phone": phone(address)}
        User.update(contact).where(User.address == address).execute()
    return address


def private(address: str) -> str:
    return f"{address.partition('@')[0]}@ailleurs.example"


def phone(address: str) -> str:
    return f"+336{int(address.partition('@')[0].removeprefix('oubli-')):08}"


@pytest.fixture
def look(scripts: bool, screenshots: Path | None, check_accessibility: Callable[[Page], None]) -> Callable[[Page, str], None]:
    """Check a page as it stands, and keep a picture of it where pictures are kept."""

    def at(page: Page, name: str) -> None:
        assert overflow(page) <= 0
        if scripts:
            check_accessibility(page)
        if screenshots:
            screenshots.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=screenshots / f"{name}{'' if scripts else '-plain'}.png", full_page=True)

    return at


def choose(page: Page, look: Callable[[Page, str], None], name: str) -> None:
    look(page, name)
    page.fill("[name=new_password]", "azerty")
    page.fill("[name=new_password_again]", "azerty")
    page.click(ENTER)
    expect(page.locator(".field-error").first).to_be_visible()
    look(page, f"{name}-weak")
    page.fill("[name=new_password]", NEW)
    page.fill("[name=new_password_again]", NEW)
    page.click(ENTER)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_by_a_link(
    open_browser: Callable[..., Page], demo: Services, person: str, look: Callable[[Page, str], None], language: str
) -> None:
    page = open_browser(width=360, language=language)
    page.click("main a[href$='/forgot']")
    look(page, f"forgot-{language}")
    page.fill("[name=username]", person)
    page.click("main [name=action][value=mail]")
    wait_for_path(page, "/forgot/sent")
    look(page, f"forgot-sent-{language}")
    path = mailed_link(demo, private(person))
    page.goto(path)
    expect(page.locator("main")).to_contain_text(person)
    choose(page, look, f"forgot-new-{language}")
    wait_for_path(page, "/mailbox/INBOX")
    other = open_browser(width=360, language=language, dark=True, at=path)
    look(other, f"forgot-over-{language}")
    other.goto("/login")
    other.fill("[name=username]", person)
    other.fill("[name=password]", NEW)
    other.click(ENTER)
    wait_for_path(other, "/mailbox/INBOX")


def test_by_a_text_message_and_then_the_second_step(
    open_browser: Callable[..., Page], demo: Services, person: str, look: Callable[[Page, str], None], tmp_path: Path
) -> None:
    codes = give_codes(demo, person, tmp_path)
    page = open_browser(width=360, at="/forgot")
    page.fill("[name=username]", person)
    page.click("main [name=action][value=sms]")
    wait_for_path(page, "/forgot/code")
    page.fill("[name=code]", "000000")
    page.click(ENTER)
    look(page, "forgot-code")
    page.fill("[name=code]", texted(demo, phone(person)))
    page.click(ENTER)
    wait_for_path(page, "/forgot/new")
    choose(page, look, "forgot-new-sms")
    page.wait_for_url("**/login/code*")
    page.fill("[name=code]", codes[0])
    page.click("main form:has([name=code]) button >> nth=0")
    wait_for_path(page, "/mailbox/INBOX")
    assert texted(demo, phone(person), "nouveau mot de passe")


def test_a_disabled_account_is_told_whom_to_ask(open_browser: Callable[..., Page], demo: Services, person: str) -> None:
    with accounts.tables(demo.database):
        User.update(active=0).where(User.address == person).execute()
    page = open_browser(width=360, at="/forgot")
    page.fill("[name=username]", person)
    page.click("main [name=action][value=mail]")
    wait_for_path(page, "/forgot/sent")
    page.goto(mailed_link(demo, private(person)))
    assert page.url.endswith("/support")


def test_a_telephone_number_is_given_and_changed(
    open_browser: Callable[..., Page], demo: Services, person: str, look: Callable[[Page, str], None]
) -> None:
    page, new = open_browser(width=360), f"+337{next(_numbers):08}"
    page.goto("/login?next=/account/phone")
    page.fill("[name=username]", person)
    page.fill("[name=password]", demo.password)
    page.click(ENTER)
    wait_for_path(page, "/account/phone")
    look(page, "phone")
    page.click("main a[href*='change=1']")
    page.fill("[name=number]", f"0{new.removeprefix('+33')}")
    page.click("main form.form button")
    page.fill("main [name=password]", demo.password)  # the password is asked for again
    page.click("main form.form button")
    page.click("main form.toolbar button")  # go on with what was interrupted
    expect(page.locator("main [name=code]")).to_be_visible()
    look(page, "phone-code")
    page.fill("main [name=code]", texted(demo, new))
    page.click("main form.form button")
    expect(page.locator("main .card strong")).to_contain_text("+33 7")
    assert texted(demo, phone(person), person), "the old number is told"
