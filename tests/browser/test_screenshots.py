"""`make screenshots`, of two pages: one that hears of new mail, so that its network is never quiet, and one that there is not."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.screenshots import Picture, take


def test_a_page_that_fails_costs_its_picture_alone(chromium: Browser, demo: Services, tmp_path: Path) -> None:
    pages = {accounts.ALICE.address: {"gone": "http://127.0.0.1:9/", "inbox": "/mailbox/INBOX"}}
    failed = take(chromium, demo.address, demo.password, pages, tmp_path, ("fr",), (360,))
    assert [one.partition(": ")[0] for one in failed] == ["fr, gone, 360"], failed
    for theme in ("light", "dark"):
        assert Picture("fr", theme, 360, "inbox").path(tmp_path).stat().st_size > 10_000
        assert not Picture("fr", theme, 360, "gone").path(tmp_path).exists()
