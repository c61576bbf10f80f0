"""Signing in with the directory's password, with scripts and without: first visit, confirming, and while it is away."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from deploy.demo.services import Services
from tests.support import directory as support
from tests.support.directory import PASSWORD, Directory
from tests.support.second_web import second_web


@pytest.fixture(scope="module")
def slapd() -> Iterator[Directory]:
    with support.running() as running:
        yield running


@pytest.fixture(scope="module")
def webmail(demo: Services, slapd: Directory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Traboule that people sign in to by a directory."""
    with second_web(demo, instance=_instance(tmp_path_factory, slapd.as_table()), recovery_address="off") as address:
        yield address


@pytest.fixture(scope="module")
def without(demo: Services, slapd: Directory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same, while the directory is away."""
    table = slapd.as_table(url="ldap://127.0.0.1:1")
    with second_web(demo, instance=_instance(tmp_path_factory, table), recovery_address="off") as address:
        yield address


def _instance(factory: pytest.TempPathFactory, table: dict[str, object]) -> Path:
    folder = factory.mktemp("instance")
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in table.items()]
    words = '[support]\npassword_url = "https://annuaire.lycee.example/mot-de-passe"\n'
    (folder / "config.toml").write_text("\n".join(["[ldap]", *lines, words]))
    return folder


@pytest.fixture
def look(screenshots: Path | None, scripts: bool) -> Callable[[Page, str], None]:
    """Keep a picture, where pictures are wanted."""

    def keep(page: Page, name: str) -> None:
        if screenshots:
            page.screenshot(path=screenshots / f"directory-{name}-{'scripts' if scripts else 'plain'}.png", full_page=True)

    return keep


def sign_in(page: Page, name: str, password: str) -> None:
    page.fill("[name=username]", name)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")


def test_the_first_visit_and_a_change_that_asks_for_the_password_again(
    open_browser: Callable[..., Page], webmail: str, scripts: bool, look: Callable[[Page, str], None]
) -> None:
    page = open_browser(width=360 if scripts else 1280, dark=scripts, at=f"{webmail}/login")
    sign_in(page, "ann", "faux")
    expect(page.get_by_role("alert")).to_contain_text("incorrect")
    sign_in(page, "ann", PASSWORD)
    expect(page.locator("[data-row], .empty").first).to_be_visible()
    page.goto(f"{webmail}/account")
    look(page, "account")
    expect(page.locator("main").get_by_text("Ann Martin").first).to_be_visible()
    page.goto(f"{webmail}/account/password")
    look(page, "password")
    expect(page.locator("main a[href='https://annuaire.lycee.example/mot-de-passe']")).to_be_visible()
    page.goto(f"{webmail}/account/totp")
    look(page, "confirm")
    page.fill("main [name=password]", PASSWORD)
    page.press("main [name=password]", "Enter")
    expect(page.locator("[data-totp-key]")).to_be_visible()


def test_a_directory_that_is_away_is_said_and_local_people_get_in(
    chromium: Browser, without: str, demo: Services, scripts: bool, look: Callable[[Page, str], None]
) -> None:
    """A browser of its own: Chromium notes the status 502 in its console, as it should."""
    view = {"width": 1280 if scripts else 360, "height": 800}
    context = chromium.new_context(viewport=view, locale="fr", java_script_enabled=scripts, color_scheme="light")
    try:
        page = context.new_page()
        page.goto(f"{without}/login")
        sign_in(page, "ben", PASSWORD)
        expect(page.get_by_role("alert")).to_contain_text("L’annuaire ne répond pas")
        expect(page.locator("[name=username]")).to_have_value("ben")
        look(page, "away")
        sign_in(page, "alice", demo.password)
        expect(page.locator("[data-row]").first).to_be_visible()
    finally:
        context.close()
