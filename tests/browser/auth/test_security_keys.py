"""Security keys and passkeys in Chromium, with its virtual authenticator: added, asked for, removed, and left aside."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from deploy.demo.services import Services
from tests.support.browsing import overflow, wait_for_path

_numbers = itertools.count(1)
ADD, STEP, PASSKEY = "Ajouter la clé", "Utiliser une clé de sécurité", "Se connecter avec une clé d’accès"


@dataclass
class Desk:
    """A person's browser at the address that keys answer for, and what they can put into it."""

    page: Page
    address: str
    password: str
    authenticator: str = ""

    def plug_in(self, **options: object) -> None:
        """A key that holds passkeys and checks a fingerprint, unless `options` say otherwise."""
        devtools = self._devtools()
        devtools.send("WebAuthn.enable")
        usual = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": True,
        }  # fmt: skip
        self.authenticator = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": usual | options})["authenticatorId"]

    def verify(self, can: bool) -> None:
        """Whether the next fingerprint is the right one."""
        self._devtools().send("WebAuthn.setUserVerified", {"authenticatorId": self.authenticator, "isUserVerified": can})

    def credentials(self) -> list[dict[str, object]]:
        told = self._devtools().send("WebAuthn.getCredentials", {"authenticatorId": self.authenticator})
        return list(told["credentials"])

    _session: CDPSession | None = None

    def _devtools(self) -> CDPSession:
        self._session = self._session or self.page.context.new_cdp_session(self.page)
        return self._session

    def touch_by_itself(self, does: bool) -> None:
        self._devtools().send("WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": self.authenticator, "enabled": does})

    def sign_in(self) -> None:
        """With the password, though the page offers a passkey meanwhile."""
        if self.authenticator:
            self.touch_by_itself(False)
        self.page.goto("/login")
        self.page.fill("[name=username]", self.address)
        self.page.fill("[name=password]", self.password)
        self.page.click("main button[type=submit] >> nth=0")
        self.page.wait_for_url(lambda url: "/login?" not in url and not url.endswith("/login"))
        if self.authenticator:
            self.touch_by_itself(True)

    def sign_out(self) -> None:
        self.page.context.clear_cookies()

    def add_key(self, name: str = "Clé bleue") -> None:
        """From a new sign-in to a key that is there."""
        self.sign_in()
        self.page.wait_for_url("**/mailbox/**")
        self.page.goto("/account/keys")
        self.page.fill("[name=password]", self.password)
        self.page.click("main form button[type=submit], main form button:not([type])")
        wait_for_path(self.page, "/account/keys")
        self.page.fill("[name=name]", name)
        self.page.click(f"text={ADD}")
        wait_for_path(self.page, "/account/recovery-codes")
        self.page.goto("/account/keys")
        expect(self.page.locator("[data-factor=key]")).to_contain_text(name)


@pytest.fixture
def look(check_accessibility: Callable[[Page], None], screenshots: Path | None) -> Callable[[Page, str], None]:
    """No page is wider than a telephone, and no checker finds anything in it."""

    def check(page: Page, name: str) -> None:
        for width in (320, 360, 1280):
            page.set_viewport_size({"width": width, "height": 740})
            assert overflow(page) <= 0, f"{name} at {width}"
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                if width == 360:
                    check_accessibility(page)
                if screenshots:
                    screenshots.mkdir(parents=True, exist_ok=True)
                    page.screenshot(path=screenshots / f"keys-{name}-{width}-{scheme}.png", full_page=True)

    return check


@pytest.fixture
def open_desk(chromium: Browser, demo: Services) -> Iterator[Callable[..., Desk]]:
    """`open_desk()`: somebody new at a browser of their own, which fails on script errors."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_one(base: str = f"http://localhost:{demo.ports.web}", scripts: bool = True, address: str = "") -> Desk:
        if not address:
            address = f"key-{next(_numbers)}@lycee.example"
            demo.add_account(address, "Camille")
        context = chromium.new_context(base_url=base, locale="fr", java_script_enabled=scripts)
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
        return Desk(page, address, demo.password)

    yield open_one
    for context in contexts:
        context.close()
    assert problems == []


def test_a_key_is_added_asked_for_and_removed(open_desk: Callable[..., Desk], look: Callable[[Page, str], None]) -> None:
    desk = open_desk()
    desk.plug_in()
    desk.add_key("Clé de mon trousseau, celle de la salle des professeurs")
    assert len(desk.credentials()) == 1
    page = desk.page
    expect(page.locator("[data-factor=key]")).to_contain_text("Clé d’accès")
    look(page, "list")
    page.click("[data-factor=key] a >> text=Renommer")
    page.fill("#new-name", "Clé rouge")
    look(page, "rename")
    page.click("[data-factor=key] .btn-primary")
    expect(page.locator("#notices")).to_contain_text("Clé rouge")

    desk.sign_out()
    desk.sign_in()
    page.wait_for_url("**/login/code**")
    expect(page.get_by_text(STEP)).to_be_visible()
    look(page, "step")
    page.click(f"text={STEP}")
    page.wait_for_url("**/mailbox/**")

    page.goto("/account/keys")
    page.wait_for_url("**/account/confirm**")
    expect(page.get_by_text(STEP)).to_be_visible()
    look(page, "confirm")
    page.click(f"text={STEP}")
    wait_for_path(page, "/account/keys")
    page.click("[data-factor=key] a >> text=Retirer")
    page.wait_for_url("**/remove*")
    look(page, "remove")
    page.click("main form button")
    page.wait_for_url(re.compile(r"\d/account$"))
    expect(page.locator("[data-factor=key]")).to_have_count(0)

    desk.sign_out()
    desk.sign_in()
    page.wait_for_url("**/mailbox/**")


def test_the_same_key_is_not_added_twice(open_desk: Callable[..., Desk], look: Callable[[Page, str], None]) -> None:
    desk = open_desk()
    desk.plug_in()
    desk.add_key()
    desk.page.click(f"text={ADD}")
    expect(desk.page.locator("[data-key] [role=alert]")).to_have_text("Vous avez déjà ajouté cette clé.")
    assert len(desk.credentials()) == 1
    look(desk.page, "twice")


def test_a_small_key_without_a_pin_is_a_second_step_but_no_passkey(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    desk.plug_in(protocol="u2f", transport="usb", hasResidentKey=False, hasUserVerification=False)
    desk.add_key()
    page = desk.page
    expect(page.locator("[data-factor=key]")).to_contain_text("Clé de sécurité")
    desk.sign_out()
    desk.sign_in()
    page.click(f"text={STEP}")
    page.wait_for_url("**/mailbox/**")


def test_a_passkey_signs_in_alone_and_not_without_the_fingerprint(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    desk.plug_in()
    desk.add_key()
    page = desk.page
    desk.sign_out()
    desk.verify(False)
    page.goto("/login?next=/account")
    page.click(f"text={PASSKEY}")
    expect(page.locator("[data-key] [role=alert]")).to_be_visible()
    desk.verify(True)
    page.click(f"text={PASSKEY}")
    page.wait_for_url(re.compile(r"\d/account$"))
    page.goto("/mailbox/INBOX")
    expect(page.locator("main")).to_be_visible()


def test_a_passkey_is_offered_while_the_name_is_typed(open_desk: Callable[..., Desk]) -> None:
    """Chromium's virtual authenticator takes what is offered so at once."""
    desk = open_desk()
    desk.plug_in()
    desk.add_key()
    desk.sign_out()
    desk.page.goto("/login")
    desk.page.wait_for_url("**/mailbox/**")


def test_elsewhere_the_page_says_where_the_key_works(open_desk: Callable[..., Desk], demo: Services) -> None:
    desk = open_desk()
    desk.plug_in()
    desk.add_key()
    other = open_desk(base=demo.address, address=desk.address)
    other.page.goto("/login")
    expect(other.page.locator("[data-key]")).to_have_count(1)
    expect(other.page.get_by_text(PASSKEY)).to_have_count(0)
    other.sign_in()
    expect(other.page.locator("[data-without]")).to_contain_text(f"http://localhost:{demo.ports.web}")
    expect(other.page.get_by_text(STEP)).to_have_count(0)


def test_without_scripts_other_ways_are_there(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    desk.plug_in()
    desk.add_key()
    other = open_desk(scripts=False, address=desk.address)
    other.sign_in()
    expect(other.page.locator("[data-without]")).to_be_visible()
    expect(other.page.get_by_text(STEP)).to_have_count(0)
    expect(other.page.locator("[name=code]")).to_be_visible()


def test_without_scripts_no_name_is_asked_for_a_key_that_cannot_be_added(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(scripts=False)
    desk.sign_in()
    desk.page.goto("/account/keys")
    desk.page.fill("[name=password]", desk.password)
    desk.page.click("main form button >> nth=0")
    expect(desk.page.locator("[data-without]")).to_contain_text("avec JavaScript")
    expect(desk.page.locator("main [name=name]")).to_be_hidden()
    expect(desk.page.locator("main a", has_text="Autres solutions")).to_be_visible()
