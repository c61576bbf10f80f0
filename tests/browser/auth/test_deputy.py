"""Help face to face, as two people live it: the deputy makes a sheet and prints it, the colleague signs in with what is on it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.browsing import overflow
from tests.support.groups import group
from tests.support.second_step import give_codes
from webmail.auth.recovery import deputies
from webmail.models import User

NEW = "cheval pile agrafe nuage"
_numbers = itertools.count(1)


@dataclass
class Pair:
    """A deputy with recovery codes, and a colleague of their group with an authenticator app that is lost."""

    deputy: str
    colleague: str
    codes: list[str]


@pytest.fixture
def pair(demo: Services, tmp_path: Path) -> Pair:
    number = next(_numbers)
    people = [accounts.Person(f"{name}-{number}@lycee.example", f"{name.title()} Petit") for name in ("dora", "colin")]
    for person in people:
        accounts.add(demo.database, person, demo.password)
    deputy, colleague = (person.address for person in people)
    with accounts.tables(demo.database):
        deputies.add(User.get(User.address == deputy), group(f"Classe {number}", colleague))
    codes = give_codes(demo, deputy, tmp_path)
    give_codes(demo, colleague, tmp_path)
    return Pair(deputy, colleague, codes)


@pytest.fixture
def helping(open_browser: Callable[..., Page], demo: Services, pair: Pair) -> Page:
    """The deputy's browser, on the page of the colleague."""
    page = open_browser(width=360)
    _sign_in(page, pair.deputy, demo.password)
    page.fill("[name=code]", pair.codes[0])
    page.click("main button >> nth=0")
    page.wait_for_selector(".list-bar, [data-row], .empty")
    page.click("details.account summary")
    page.click("details.account a[href='/deputy']")
    page.fill("#deputy-query", pair.colleague.partition("@")[0])
    page.press("#deputy-query", "Enter")
    page.wait_for_url("**/deputy?query=*")
    expect(page.locator("[data-person]")).to_have_count(1)
    page.click(f"[data-address='{pair.colleague}'] a")
    expect(page.locator("h1")).to_have_text("Colin Petit")
    return page


def _sign_in(page: Page, address: str, password: str) -> None:
    page.goto("/login")
    page.fill("[name=username]", address)
    page.fill("[name=password]", password)
    page.click("main button >> nth=0")


def _confirm(page: Page, code: str) -> None:
    page.fill("main [name=code]", code)
    page.click("main button >> nth=0")


def _make_sheet(page: Page, code: str) -> str:
    """The password on it."""
    page.click("[data-step=password] a.btn-primary")
    _confirm(page, code)
    page.click("button[value=make]")
    secret = page.locator("[data-temporary-password]")
    expect(secret).to_be_visible()
    return secret.inner_text()


def test_the_whole_way(
    open_browser: Callable[..., Page],
    demo: Services,
    pair: Pair,
    helping: Page,
    scripts: bool,
    check_accessibility: Callable[[Page], None],
) -> None:
    if scripts:
        check_accessibility(helping)
    shown = _make_sheet(helping, pair.codes[1])
    if scripts:
        assert overflow(helping) <= 0
        check_accessibility(helping)
        expect(helping.locator("[data-print]")).to_be_visible()
    helping.reload()
    expect(helping.locator("[role=alert]")).to_contain_text("qu’une fois")

    helping.click("[data-step=factors] a.btn")  # the second step, as both are lost
    helping.fill("[name=reason]", "Sac volé, carte vue")
    helping.click("button[value=remove]")
    expect(helping.locator("#notices")).to_contain_text("supprimé")

    colleague = open_browser(width=360)
    _sign_in(colleague, pair.colleague, shown.upper())
    for name, text in (("password", shown), ("new_password", NEW), ("new_password_again", NEW)):
        colleague.fill(f"[name={name}]", text)
    colleague.click("main form.form button")
    expect(colleague).not_to_have_url(re.compile("/account/password"))
    expect(colleague.locator(".list-bar, .empty, main form").first).to_be_visible()


def test_the_sheet_prints_on_one_page_and_nothing_else_does(helping: Page, pair: Pair, scripts: bool) -> None:
    if not scripts:
        pytest.skip("printing is the browser's own, with scripts or without")
    shown = _make_sheet(helping, pair.codes[1])
    for paper in ("A5", "A4"):
        assert len(re.findall(rb"/Type\s*/Page\b", helping.pdf(format=paper))) == 1, paper
    helping.emulate_media(media="print")
    words = " ".join(helping.inner_text("body").split())
    for needed in ("Lycée Ampère", "Colin Petit", pair.colleague, shown, "localhost"):
        assert needed in words, needed
    for other in ("Imprimer", "Terminé", "ne s’affiche", pair.deputy):
        assert other not in words, other
