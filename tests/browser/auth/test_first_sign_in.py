"""The first sign-in in a browser: temporary password, new one, terms, recovery address, and the page that was asked for at first."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.browsing import overflow, wait_for_path
from tests.support.outside import mailed_code
from tests.support.second_web import second_web
from webmail.auth.passwords import hashing
from webmail.models import SystemMessage, User

INITIAL = "NUMEN-12E3456789QRS"  # long enough to be found wherever it should not be
NEW = "cheval pile agrafe nuage"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def strict(demo: Services) -> Iterator[str]:
    """The address of a Traboule whose people accept terms first."""
    (demo.base / "web" / "terms.txt").write_text("# Conditions\n\nSoyez aimables.\n\n- un\n- deux\n", encoding="utf-8")
    with second_web(demo, terms_file="terms.txt", terms_version="2026") as address:
        yield address


@pytest.fixture
def newcomer(demo: Services) -> str:
    """The address of somebody whom the administrator has just given an account."""
    person = accounts.Person(f"nouvelle-{next(_numbers)}@lycee.example", "Nouvelle Personne")
    accounts.add(demo.database, person, INITIAL)
    with accounts.tables(demo.database):
        User.update(must_change=1, recovery_asked=None).where(User.address == person.address).execute()
    return person.address


def sign_in(page: Page, address: str, password: str) -> None:
    page.fill("[name=username]", address)
    page.fill("[name=password]", password)
    page.click("main form button[type=submit] >> nth=0")


def test_the_whole_way(
    open_browser: Callable[..., Page],
    demo: Services,
    strict: str,
    newcomer: str,
    scripts: bool,
    screenshots: Path | None,
    check_accessibility: Callable[[Page], None],
) -> None:
    page, private = open_browser(width=360), f"{newcomer.partition('@')[0]}@ailleurs.example"
    shown: list[str] = []

    def look(name: str) -> None:
        shown.append(page.content())
        if scripts:
            assert overflow(page) <= 0, name
            check_accessibility(page)
        if screenshots and scripts:
            screenshots.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=screenshots / f"first-{name}.png", full_page=True)

    page.goto(f"{strict}/settings")
    look("sign-in")
    sign_in(page, newcomer, INITIAL)
    expect(page.locator("h1, h2").filter(has_text="Choisissez votre mot de passe")).to_be_visible()
    look("password")
    for name, text in (("password", INITIAL), ("new_password", NEW), ("new_password_again", NEW)):
        page.fill(f"[name={name}]", text)
    page.click("main form.form button")
    expect(page.locator("main")).to_contain_text("Soyez aimables.")
    look("terms")
    page.click("button[name=action][value=accept]")
    page.fill("[name=address]", "pas une adresse")
    page.click("main form.form button")
    expect(page.locator(".field-error")).to_be_visible()
    look("recovery-bad")
    page.fill("[name=address]", private)
    page.click("main form.form button")
    expect(page.locator("[name=code]")).to_be_visible()
    look("recovery-code")
    page.fill("[name=code]", mailed_code(demo, private))
    page.click("main form.form button")
    page.wait_for_url(f"{strict}/settings")
    look("settings")
    page.goto(f"{strict}/account/terms")
    look("terms-again")
    with accounts.tables(demo.database):
        user = User.get(User.address == newcomer)
        mails = [row.body + row.subject for row in SystemMessage.select().where(SystemMessage.recipient.in_([newcomer, private]))]
    assert (user.must_change, user.terms, user.recovery_address) == (0, "2026", private)
    assert hashing.verify(user.password, NEW)
    assert mails, "the change of the password is told"
    _initial_secret_is_nowhere(demo, shown + mails)


def test_leaving_the_recovery_address_for_later(open_browser: Callable[..., Page], strict: str, newcomer: str) -> None:
    page = open_browser(at=f"{strict}/login")
    sign_in(page, newcomer, INITIAL)
    for name, text in (("password", INITIAL), ("new_password", NEW), ("new_password_again", NEW)):
        page.fill(f"[name={name}]", text)
    page.click("main form.form button")
    page.click("button[name=action][value=accept]")
    page.click(".later a")
    wait_for_path(page, "/mailbox/INBOX")


def _initial_secret_is_nowhere(demo: Services, texts: list[str]) -> None:
    """Not on a page, in a mail, in a log or in the database."""
    assert not [text for text in texts if INITIAL in text]
    files = [*(demo.base / "log").iterdir(), *demo.database.parent.iterdir(), *(demo.base / "web").glob("*")]  # type: ignore[union-attr]
    files += list((demo.base / "outside").glob("*"))
    written = [file.name for file in files if file.is_file() and INITIAL.encode() in file.read_bytes()]
    assert written == []
