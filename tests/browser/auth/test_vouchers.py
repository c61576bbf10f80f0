"""A colleague's voucher, as two people in two browsers live it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.browsing import overflow, wait_for_path
from tests.support.second_step import give_codes

_numbers = itertools.count(1)


@pytest.fixture
def two(demo: Services, tmp_path: Path) -> dict[str, list[str]]:
    """Two people with two-step verification: their addresses, Zoé's first, and the recovery codes of each."""
    number = next(_numbers)
    people = [accounts.Person(f"{name}-{number}@lycee.example", f"{name.title()} Petit") for name in ("zoe", "yann")]
    for person in people:
        accounts.add(demo.database, person, demo.password)
    return {person.address: give_codes(demo, person.address, tmp_path) for person in people}


def _sign_in(page: Page, address: str, password: str) -> None:
    page.fill("[name=username]", address)
    page.fill("[name=password]", password)
    page.click("main button >> nth=0")
    page.wait_for_selector("[name=code]")


def test_a_colleague_vouches(open_browser: Callable[..., Page], demo: Services, two: dict[str, list[str]], scripts: bool) -> None:
    (zoe, _), (yann, codes) = two.items()
    colleague = open_browser()
    _sign_in(colleague, yann, demo.password)
    colleague.fill("[name=code]", codes[0])
    colleague.click("main button >> nth=0")
    colleague.goto("/mailbox/INBOX")

    door = open_browser(width=360, at="/login?next=/settings")
    _sign_in(door, zoe, demo.password)
    door.click("a[href*='/login/code/voucher']")
    door.fill("[name=colleague]", yann.partition("@")[0])
    door.click("main button >> nth=0")
    number = door.locator("[data-check-number]").inner_text()
    expect(door.locator("#wish")).to_contain_text(yann)
    door.click("#wish button")
    expect(door.locator("#notices")).to_contain_text("Personne ne s’est encore porté garant")

    colleague.goto("/mailbox/INBOX")
    colleague.click("#wishes a")
    wish = colleague.locator("[data-wish]")
    expect(wish).to_contain_text("Zoe Petit")
    assert number not in wish.inner_text()
    wish.locator("a.btn-primary").click()
    colleague.fill("[name=code]", codes[1])
    colleague.locator("main button").first.click()
    wish = colleague.locator("[data-wish]")
    wish.locator("[name=number]").fill(f"{(int(number) + 1) % 10_000:04d}")
    wish.locator("button.btn-primary").click()
    expect(wish.locator(".field-error")).to_contain_text("Ce n’est pas le nombre")
    wish.locator("[name=number]").fill(number)
    wish.locator("button.btn-primary").click()
    expect(colleague.locator("#notices")).to_contain_text("Vous vous êtes porté garant : Zoe Petit")
    expect(colleague.locator("#wishes a")).to_have_count(0)

    if not scripts:
        door.reload()
    expect(door.locator("#wish")).to_contain_text("s’est porté garant de vous")
    door.click("#wish button")
    wait_for_path(door, "/settings")
    colleague.goto("/account/vouchers")
    expect(colleague.locator("[data-wish]")).to_have_count(0)


def test_a_colleague_refuses(open_browser: Callable[..., Page], demo: Services, two: dict[str, list[str]], scripts: bool) -> None:
    (zoe, _), (yann, codes) = two.items()
    door = open_browser()
    _sign_in(door, zoe, demo.password)
    door.goto("/login/code/voucher")
    door.fill("[name=colleague]", yann)
    door.click("main button >> nth=0")
    colleague = open_browser()
    _sign_in(colleague, yann, demo.password)
    colleague.fill("[name=code]", codes[0])
    colleague.click("main button >> nth=0")
    colleague.goto("/account/vouchers")
    colleague.locator("[data-wish] form button").last.click()
    expect(colleague.locator("#notices")).to_contain_text("C’est refusé")
    if not scripts:
        door.reload()
    expect(door.locator("#wish")).to_contain_text("ne s’est pas porté garant")
    expect(door.locator("#wish button")).to_have_count(0)


def test_the_pages_are_accessible(
    open_browser: Callable[..., Page], demo: Services, two: dict[str, list[str]], scripts: bool,
    check_accessibility: Callable[[Page], None],
) -> None:  # fmt: skip
    if not scripts:
        pytest.skip("axe is a script")
    (zoe, _), (yann, codes) = two.items()
    door = open_browser(width=320)
    _sign_in(door, zoe, demo.password)
    door.goto("/login/code/voucher")
    check_accessibility(door)
    door.fill("[name=colleague]", yann)
    door.click("main button >> nth=0")
    expect(door.locator("#wish")).to_be_visible()
    check_accessibility(door)
    colleague = open_browser(width=320)
    _sign_in(colleague, yann, demo.password)
    colleague.fill("[name=code]", codes[0])
    colleague.click("main button >> nth=0")
    colleague.goto("/account/vouchers/confirm")
    colleague.fill("[name=code]", codes[1])
    colleague.locator("main button").first.click()
    expect(colleague.locator("[name=number]")).to_be_visible()
    for page in (door, colleague):
        check_accessibility(page)
        assert overflow(page) <= 0
