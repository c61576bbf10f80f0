"""Signing in at a real CAS server, with scripts and without: there, back, a change that is confirmed there, and out of both."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from deploy.demo.child import HOST, free_ports
from deploy.demo.services import Services
from tests.support.browsing import wait_for_path
from tests.support.real_cas import NAME, PASSWORD, real_cas
from tests.support.second_web import second_web


@pytest.fixture(scope="module")
def webmail(demo: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Traboule that people sign in to by CAS; Alice's account is the demo's, and is found by its address."""
    [port] = free_ports(1)
    base, folder = f"http://{HOST}:{port}", tmp_path_factory.mktemp("instance")
    with real_cas(base, match_address=True) as cas:
        lines = [f"{name} = {json.dumps(value)}" for name, value in asdict(cas).items()]
        (folder / "config.toml").write_text("\n".join(["[cas]", *lines]) + "\n")
        with second_web(demo, port=port, instance=folder, public_url=base, recovery_address="off") as address:
            yield address


@pytest.fixture
def open_browser(open_browser: Callable[..., Page]) -> Callable[..., Page]:
    """The server's page asks other sites for its styles and scripts: they are not asked, and nothing is in them."""

    def nothing(route: Route) -> None:
        kind = "text/css" if ".css" in route.request.url else "text/javascript"
        route.fulfill(body="" if kind == "text/css" else "var jQuery = function () {};", content_type=kind)

    def open_one(**values: Any) -> Page:
        page = open_browser(**values)
        page.context.route(re.compile("jsdelivr|jquery"), nothing)
        return page

    return open_one


def there(page: Page) -> None:
    """The server's own page."""
    page.fill("#id_username", NAME)
    page.fill("#id_password", PASSWORD)
    page.click("#login_form [type=submit]")


def test_in_and_out_again(open_browser: Callable[..., Page], webmail: str, scripts: bool) -> None:
    page = open_browser(width=360 if scripts else 1280, dark=scripts)
    page.goto(f"{webmail}/login?next=/contacts")
    page.click("text=Se connecter avec ENT Lyon")
    there(page)
    wait_for_path(page, "/contacts")
    page.click("details.account > summary")
    page.locator("form[action='/logout'] button").first.click()
    notice = page.locator("[role=status]")
    expect(notice).to_contain_text("Se déconnecter aussi de ENT Lyon")
    with page.expect_response(re.compile("/cas/logout")):  # which leads back here
        notice.locator("a").click()
    page.goto(f"{webmail}/login")
    page.click("text=Se connecter avec ENT Lyon")
    expect(page.locator("#login_form")).to_have_count(1)  # asked for the password again


def test_on_a_shared_computer(open_browser: Callable[..., Page], webmail: str) -> None:
    page = open_browser(width=360)
    page.goto(f"{webmail}/login?next=/contacts")
    page.click("text=Sur un ordinateur partagé")
    expect(page.locator("#shared")).to_be_checked()
    page.click("text=Se connecter avec ENT Lyon")
    there(page)
    wait_for_path(page, "/contacts")
    expect(page.locator("#shared-computer")).to_have_count(1)


def test_a_text_that_was_being_written_comes_along(open_browser: Callable[..., Page], webmail: str, scripts: bool) -> None:
    page = open_browser(width=1280)
    page.goto(f"{webmail}/login")
    page.click("text=Se connecter avec ENT Lyon")
    there(page)
    wait_for_path(page, "/mailbox/INBOX")
    page.goto(f"{webmail}/compose")
    page.fill("[name=subject]", "Sortie du 12")
    page.context.clear_cookies(name="traboule")
    if scripts:
        return  # the page stays, and says so: tests/integration/auth/test_lost_session.py
    page.click("[value=save]")
    page.click(".ways button")
    page.wait_for_url("**/compose/*")
    expect(page.locator("[name=subject]")).to_have_value("Sortie du 12")
