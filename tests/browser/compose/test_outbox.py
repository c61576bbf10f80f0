"""The outbox in a browser: a message that is tried again is followed by the page, and one that is kept is a draft again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from deploy.demo import accounts
from deploy.demo.services import Services
from webmail.models import Outbox, OutboxState, now

OpenBrowser = Callable[..., Page]
ALICE, BOB = "alice@lycee.example", "bob@lycee.example"


def sent(page: Page) -> str:
    """A message on its way; its subject."""
    words = f"Essai {time.time_ns()}"
    page.goto("/compose")
    page.fill("[name=to]", BOB)
    page.fill("[name=subject]", words)
    page.fill("[name=body]", "Bonjour")
    page.click("button[value=send]")
    page.wait_for_selector("[data-row]")
    return words


@contextmanager
def row_of(demo: Services, subject: str) -> Iterator[Callable[..., Any]]:
    """How a test changes its row, as a worker does."""

    def change(**values: Any) -> None:
        with accounts.tables(demo.database):
            assert Outbox.update(**values).where(Outbox.subject == subject).execute() == 1

    yield change
    with accounts.tables(demo.database):
        Outbox.delete().where(Outbox.subject == subject).execute()


@pytest.mark.parametrize("scripts", [True])
def test_a_message_that_is_tried_again_is_followed(open_browser: OpenBrowser, demo: Services) -> None:
    page = open_browser(ALICE)
    subject = sent(page)
    with row_of(demo, subject) as change:
        change(state=OutboxState.WAITING, error="not-reached: refused", due=now() + timedelta(hours=1), lease=None)
        page.goto("/outbox")
        row = page.locator(".outbox-row", has_text=subject)
        expect(row).to_contain_text("Impossible de joindre")
        change(state=OutboxState.SENDING, due=now(), lease=now() + timedelta(minutes=5))
        page.reload()
        expect(row).to_contain_text("Envoi en cours.")
        expect(row).not_to_contain_text("Impossible de joindre")
        expect(row.get_by_text("Actualisez")).not_to_be_visible()
        change(state=OutboxState.WAITING, error="no-answer: late", due=now() + timedelta(hours=1), lease=None)
        expect(row).to_contain_text("n’a pas répondu à temps")
        row.get_by_role("button", name="Réessayer maintenant").click()
        expect(row).to_contain_text("Envoyé", timeout=60_000)
        expect(row).not_to_contain_text("n’a pas répondu à temps")


def test_a_failed_message_that_is_kept_is_a_draft_again(open_browser: OpenBrowser, demo: Services) -> None:
    page = open_browser(ALICE)
    subject = sent(page)
    with row_of(demo, subject) as change:
        change(state=OutboxState.FAILED, error="refused: 550 no", lease=None)
        page.goto("/outbox")
        page.locator(".outbox-row", has_text=subject).locator("button[value=dismiss]").click()
        notice = page.locator("#notices .notice", has_text=f"« {subject} »")
        expect(notice).to_contain_text("de retour dans vos brouillons")
        notice.get_by_role("link").click()
        expect(page.locator("[name=subject]")).to_have_value(subject)
        page.click("button[value=discard]")
        page.click("button[value=discard-now]")
        expect(page.locator(".outbox-row", has_text=subject)).to_have_count(0)
