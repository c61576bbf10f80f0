"""Signing in with what the establishment has: a real provider of OpenID Connect, with scripts and without."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from deploy.demo.accounts import DOMAIN
from deploy.demo.child import HOST, free_ports
from deploy.demo.services import Services
from tests.browser.test_w3m import Terminal, terminal  # noqa: F401 - a fixture
from tests.support.browsing import wait_for_path
from tests.support.real_provider import config_of, real_provider
from tests.support.second_web import second_web


@pytest.fixture(scope="module")
def webmail(demo: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Traboule that people sign in to by a provider."""
    people = {
        name: {"email": f"{name}@{DOMAIN}", "email_verified": True, "name": f"{name.capitalize()} Petit"}
        for name in ("emma", "hugo", "lea")
    }
    [port] = free_ports(1)
    base, folder = f"http://{HOST}:{port}", tmp_path_factory.mktemp("instance")
    with real_provider(base, people, create=True) as provider:
        (folder / "config.toml").write_text(config_of(provider))
        with second_web(demo, port=port, instance=folder, public_url=base, recovery_address="off") as address:
            yield address


@pytest.fixture
def look(screenshots: Path | None, scripts: bool) -> Callable[[Page, str], None]:
    """Keep a picture, where pictures are wanted."""

    def keep(page: Page, name: str) -> None:
        if screenshots:
            page.screenshot(path=screenshots / f"providers-{name}-{'scripts' if scripts else 'plain'}.png", full_page=True)

    return keep


@pytest.fixture
def open_browser(open_browser: Callable[..., Page]) -> Callable[..., Page]:
    """The provider's page asks another site for a typeface, which is not asked."""

    def open_one(**values: Any) -> Page:
        page = open_browser(**values)
        page.context.route(re.compile("fonts"), lambda route: route.fulfill(body="", content_type="text/css"))
        return page

    return open_one


def there(page: Page, name: str) -> None:
    """The provider's own page."""
    page.fill("[name=login]", name)
    page.fill("[name=password]", "any")
    page.click("[type=submit]")


def test_the_first_sign_in_makes_the_account_and_signing_out_leads_on(
    open_browser: Callable[..., Page], webmail: str, scripts: bool, look: Callable[[Page, str], None]
) -> None:
    name = "emma" if scripts else "hugo"
    page = open_browser(width=360 if scripts else 1280, dark=scripts)
    page.goto(f"{webmail}/login?next=/contacts")
    look(page, "login")
    page.click("text=Se connecter avec ENT Lyon")
    there(page, name)
    wait_for_path(page, "/contacts")
    page.goto(f"{webmail}/account")
    expect(page.locator("#providers")).to_contain_text("ENT Lyon")
    look(page, "account")
    page.click("#providers a")
    expect(page.locator("[data-provider='oidc:real']")).to_contain_text(f"{name}@{DOMAIN}")
    expect(page.locator("[data-provider='oidc:real'] button")).to_have_count(0)  # the only way in
    look(page, "only")
    page.goto(f"{webmail}/account/keys")
    look(page, "confirm")
    page.click("main a:has-text('ENT Lyon')")
    there(page, name)
    wait_for_path(page, "/account/keys")
    page.goto(f"{webmail}/account/password")
    look(page, "password")
    page.click("details.account > summary")
    page.locator("form[action='/logout'] button").first.click()
    notice = page.locator("[role=status]")
    expect(notice).to_contain_text("ENT Lyon")
    look(page, "signed-out")
    notice.locator("a").click()
    page.wait_for_url(re.compile("/session/end"))


def test_an_account_with_a_password_is_connected_by_its_owner(
    open_browser: Callable[..., Page], webmail: str, demo: Services, scripts: bool, look: Callable[[Page, str], None]
) -> None:
    address, name = f"david-{'scripts' if scripts else 'plain'}@{DOMAIN}", f"david.roche.{int(scripts)}"
    demo.add_account(address, "David Roche")
    page = open_browser(width=360)
    page.goto(f"{webmail}/login")
    page.fill("[name=username]", address)
    page.fill("[name=password]", demo.password)
    page.keyboard.press("Enter")
    wait_for_path(page, "/mailbox/INBOX")
    page.goto(f"{webmail}/account/providers")
    look(page, "none")
    page.click("[data-provider='oidc:real'] a")
    page.fill("[name=password]", demo.password)
    page.click("form[action='/account/confirm'] button")
    there(page, name)
    look(page, "whose")
    expect(page.locator("main")).to_contain_text(name)
    page.click("form[action='/account/providers/connect'] .btn-primary")
    expect(page.locator("[data-provider='oidc:real'] button")).to_have_count(1)
    look(page, "connected")
    page.click("[data-provider='oidc:real'] button")
    expect(page.locator("[data-provider='oidc:real'] a")).to_have_count(1)


def test_somebody_signs_in_in_w3m(webmail: str, terminal: Callable[[str], Terminal]) -> None:  # noqa: F811
    window = terminal(f"{webmail}/login?next=/account")
    window.until("ENT Lyon")
    window.find("ENT Lyon")
    window.keys("Enter")
    window.until("Sign-in")
    window.keys("Tab")
    window.fill_in("lea")
    window.keys("Tab")
    window.fill_in("any", "Password:")
    window.keys("Tab", "Enter")
    window.until("My account")
    window.find("Connected accounts")
    window.until("ENT Lyon")
