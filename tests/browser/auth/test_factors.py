"""Two-step verification in a browser, from the first app to the last, with and without scripts."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Page, expect

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.browsing import overflow, wait_for_path
from tests.support.outside import mailed_code
from tests.support.second_step import give_codes
from tests.support.second_web import second_web
from tests.support.waiting import eventually
from webmail.models import Session, User

_numbers = itertools.count(1)
_PRIMARY = "main .btn-primary >> nth=0"


@pytest.fixture
def person(demo: Services) -> str:
    """The address of somebody who has only a password yet."""
    someone = accounts.Person(f"etapes-{time.time_ns()}-{next(_numbers)}@lycee.example", "Paule Petit")
    accounts.add(demo.database, someone, demo.password)
    return someone.address


@pytest.fixture
def look(scripts: bool, check_accessibility: Callable[[Page], None], screenshots: Path | None) -> Callable[..., None]:
    """No page is wider than a telephone, and no checker finds anything in it."""

    def check(page: Page, name: str, shows: str = "main") -> None:
        page.wait_for_selector(shows)
        if not scripts:
            return
        size = page.viewport_size
        for width in (320, 360, 1280):
            page.set_viewport_size({"width": width, "height": 740})
            assert overflow(page) <= 0, f"{name} at {width}"
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                if width == 360:
                    check_accessibility(page)
                if screenshots:
                    screenshots.mkdir(parents=True, exist_ok=True)
                    page.screenshot(path=screenshots / f"factors-{name}-{width}-{scheme}.png", full_page=True)
        page.set_viewport_size(size or {"width": 1280, "height": 800})

    return check


def sign_in(page: Page, address: str, password: str, where: str = "/settings") -> None:
    """Give the password at the door, on the way to a page."""
    page.goto(f"/login?next={where}")
    page.fill("[name=username]", address)
    page.fill("[name=password]", password)
    page.click("main button >> nth=0")


def give_code(page: Page, code: str) -> None:
    page.fill("main [name=code]", code)
    page.click("main form:has([name=code]) button >> nth=0")


def confirm(page: Page, **fields: str) -> None:
    page.wait_for_url(re.compile("/account/confirm[?]"))
    for name, text in fields.items():
        page.fill(f"main [name={name}]", text)
    page.click("main form.form button >> nth=0")


def test_from_the_first_app_to_the_last(
    open_browser: Callable[..., Page], demo: Services, person: str, look: Callable[..., None]
) -> None:
    page = open_browser()
    sign_in(page, person, demo.password)
    wait_for_path(page, "/settings")
    page.goto("/account")
    look(page, "account", "#second-step")
    page.click("#second-step .btn-primary")
    look(page, "confirm", "main [name=password]")
    confirm(page, password=demo.password)
    wait_for_path(page, "/account/totp")
    look(page, "totp", "[data-totp-key]")
    key = page.locator("[data-totp-key]").inner_text().replace(" ", "")
    page.fill("[name=name]", "Mon téléphone")
    give_code(page, "000000" if pyotp.TOTP(key).now() != "000000" else "111111")
    expect(page.locator(".field-error")).to_contain_text("Ce code n’est pas le bon")
    expect(page.locator("[name=code]")).to_be_focused()
    assert page.locator("[data-totp-key]").inner_text().replace(" ", "") == key
    assert page.locator("[name=name]").input_value() == "Mon téléphone"
    give_code(page, pyotp.TOTP(key).now())

    wait_for_path(page, "/account/recovery-codes")
    look(page, "codes", "[data-recovery-codes]")
    codes = page.locator("[data-recovery-codes] li").all_inner_texts()
    with page.expect_download() as saved:
        page.click("main form button")
    text = Path(saved.value.path()).read_text(encoding="utf-8")
    assert len(codes) == 10 and all(code in text for code in codes)
    page.click("main form a.btn-primary")
    expect(page.locator("[data-factor=app]")).to_contain_text("Mon téléphone")
    expect(page.locator("[data-factor=codes]")).to_contain_text("10 codes restants")
    look(page, "account-on", "[data-factor=app]")

    other = open_browser(language="en")
    sign_in(other, person, demo.password)
    other.wait_for_url(re.compile("/login/code[?]"))
    look(other, "second-step", "main [name=code]")
    give_code(other, "000-000-00")
    expect(other.locator("#problem")).to_contain_text("This code is not right")
    other.check("[name=trust]")
    give_code(other, codes[0].upper().replace("-", " "))
    wait_for_path(other, "/settings")
    other.goto("/account")
    expect(other.locator("[data-factor=codes]")).to_contain_text("9 codes left")

    page.goto("/account")
    page.click("[data-factor=app] a")
    look(page, "remove", "main .btn-danger")
    page.click("main .btn-danger")
    expect(page.locator("#notices")).to_contain_text("« Mon téléphone » est retiré")
    expect(page.locator("[data-factor]")).to_have_count(0)
    other.goto("/settings")
    other.wait_for_url(re.compile("/login[?]"))


def test_a_trusted_device_is_not_asked_again(
    open_browser: Callable[..., Page], demo: Services, person: str, tmp_path: Path
) -> None:
    codes = give_codes(demo, person, tmp_path)
    page = open_browser()
    sign_in(page, person, demo.password)
    page.check("[name=trust]")
    give_code(page, codes[0])
    wait_for_path(page, "/settings")
    page.context.clear_cookies(name="traboule")
    sign_in(page, person, demo.password)
    wait_for_path(page, "/settings")


def test_what_was_interrupted_goes_on(
    open_browser: Callable[..., Page], demo: Services, person: str, tmp_path: Path, look: Callable[..., None]
) -> None:
    """A form that was open for longer than the answer holds is sent by one more click."""
    codes = give_codes(demo, person, tmp_path)
    page = open_browser()
    sign_in(page, person, demo.password, "/account/recovery-codes")
    give_code(page, codes[0])
    confirm(page, code=codes[1])
    wait_for_path(page, "/account/recovery-codes")
    with accounts.tables(demo.database):
        Session.update(confirmed=None).where(Session.user == User.get(User.address == person)).execute()
    page.click("main form.form button")
    confirm(page, code=codes[2])
    look(page, "go-on", "main form[action='/account/recovery-codes']")
    page.click(_PRIMARY)
    expect(page.locator("[data-recovery-codes] li")).to_have_count(10)


@pytest.fixture(scope="module")
def strict(demo: Services) -> Iterator[str]:
    """The address of a Traboule that requires a second factor at once."""
    with second_web(demo, second_step_for="all", second_step_grace_days=0) as address:
        yield address


def test_after_the_days_of_grace_it_comes_first(
    open_browser: Callable[..., Page], demo: Services, strict: str, person: str, look: Callable[..., None]
) -> None:
    page = open_browser(at=f"{strict}/login")
    page.fill("[name=username]", person)
    page.fill("[name=password]", demo.password)
    page.click("main button >> nth=0")
    page.wait_for_url(re.compile("/account[?]"))
    expect(page.locator("main")).to_contain_text("exige la validation en deux étapes")
    expect(page.locator("#folders")).to_have_count(0)
    look(page, "first", "#second-step")
    page.click("#second-step .btn-primary")
    page.fill("main [name=password]", demo.password)  # signing in was not typed for this
    page.click("main form.form button")
    key = page.locator("[data-totp-key]").inner_text().replace(" ", "")
    look(page, "first-totp", "[data-totp-key]")
    give_code(page, pyotp.TOTP(key).now())
    expect(page.locator("[data-recovery-codes] li")).to_have_count(10)
    page.goto(f"{strict}/mailbox/INBOX")
    wait_for_path(page, "/mailbox/INBOX")


def mailed_after(demo: Services, recipient: str, before: str) -> str:
    """The code of a mail that came after the one with this code."""

    def found() -> str:
        code = mailed_code(demo, recipient)
        return "" if code == before else code

    return eventually(found, what=f"another code for {recipient}")


def test_without_a_smartphone_and_a_key_one_gets_in(
    open_browser: Callable[..., Page], demo: Services, strict: str, person: str, look: Callable[..., None]
) -> None:
    """Where a second step is required: codes go to a private address, from the first sign-in on."""
    private = person.replace("@lycee", "@ailleurs")
    page = open_browser(at=f"{strict}/login?next=/settings")
    page.fill("[name=username]", person)
    page.fill("[name=password]", demo.password)
    page.click("main button >> nth=0")
    page.wait_for_url(re.compile("/account[?]"))
    page.click("text=Codes par e-mail")
    page.fill("main [name=password]", demo.password)
    page.click("main form.form button")
    look(page, "mail-codes-none", "main .btn-primary")
    page.click("main .btn-primary")
    page.fill("[name=address]", private)
    page.click("main form button >> nth=0")
    look(page, "mail-codes-address", "main [name=code]")
    first = mailed_code(demo, private)
    give_code(page, first)
    look(page, "mail-codes", "main [name=action]")
    page.click(_PRIMARY)
    expect(page.locator("[data-recovery-codes] li")).to_have_count(10)
    page.click("main form a.btn-primary")
    wait_for_path(page, "/settings")

    other = open_browser()
    sign_in(other, person, demo.password)
    expect(other.locator("main")).to_contain_text("e…@a….example")
    look(other, "second-step-mail", "main [name=code]")
    second = mailed_after(demo, private, first)
    give_code(other, second)
    wait_for_path(other, "/settings")
    other.goto("/account")
    other.click("[data-factor=mail] a")
    other.wait_for_url(re.compile("/account/confirm[?]"))
    look(other, "confirm-mail", "main [name=code]")
    other.click("main form.form button >> nth=0")
    expect(other.locator("main")).to_contain_text("Nous avons envoyé un code")
    look(other, "confirm-mailed", "main [name=code]")
    other.fill("main [name=code]", mailed_after(demo, private, second))
    other.click("main form.form button >> nth=0")
    look(other, "mail-codes-on", "main .btn-danger")
    other.click("main .btn-danger")
    expect(other.locator("[data-factor]")).to_have_count(0)
