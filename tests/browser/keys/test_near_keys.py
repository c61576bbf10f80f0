"""Keys on cards of one's own book while one writes: the row says by itself that the message can be encrypted now."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.browser.auth.test_security_keys import Desk, open_desk
from tests.browser.keys.test_passkeys import with_keys
from tests.support.browsing import until_true
from tests.support.contacts import card
from tests.support.keys import made_key
from webmail.contacts import store
from webmail.models import User

__all__ = ["open_desk"]
pytestmark = pytest.mark.skipif(not shutil.which("sqop"), reason="sqop is not installed")
ERIK = "erik@elsewhere.example"


def test_the_row_asks_by_itself_and_keeps_what_was_chosen(open_desk: Callable[..., Desk], demo: Services) -> None:
    desk = open_desk()
    desk.plug_in()
    page = with_keys(desk)
    key = base64.b64encode(made_key("", ERIK).certificate).decode()
    with accounts.tables(demo.database):
        person = User.get(User.address == desk.address)
        store.put(person, card("Erik", f"EMAIL:{ERIK}", f"KEY:data:application/pgp-keys;base64,{key}", uid="erik"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/compose/keys/near") else None)
    page.goto("/compose")
    until_true(page, "window.composing")
    page.locator("[name=to]").fill(f"{ERIK}, ")
    page.locator("[name=subject]").fill("Bonjour")
    assert asked == []
    page.locator("#protection-choice").select_option("both")
    plan = page.locator(".compose-protection-plan")
    expect(plan).to_have_attribute("data-good", "")
    expect(plan).to_contain_text("1 destinataire")
    expect(page.locator("#protection-choice")).to_have_value("both")
    assert len(asked) == 1
    page.locator("[name=to]").fill(f"{ERIK}, personne@elsewhere.example, ")
    page.locator("[name=subject]").click()
    expect(plan).to_contain_text("personne@elsewhere.example")
    page.wait_for_load_state("networkidle")
    assert len(asked) == 2
    expect(plan.get_by_role("button", name="Chercher")).to_have_count(1)
