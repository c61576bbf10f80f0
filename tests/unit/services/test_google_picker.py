"""Google's own page for choosing files, by redirect: what is chosen there may be read here, and nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support.fakes.google_drive import FakeGoogleDrive
from tests.support.visits import Visitor
from tests.unit.services.test_service_pages import CALENDAR, alice, app, connect, person
from webmail.models import ConnectedService

__all__ = ["alice", "app"]


@pytest.fixture
def google() -> Iterator[FakeGoogleDrive]:
    with FakeGoogleDrive().serving() as fake:
        yield fake


def test_files_are_chosen_on_googles_own_page_and_the_tokens_stay(app: Flask, alice: Visitor, google: FakeGoogleDrive) -> None:
    connect(alice, google, "drive", "calendar")
    made = ConnectedService.get()
    before, file = bytes(made.secret), google.add("plan.pdf", b"%PDF", chosen=False)
    google.picks = [file.id]
    sent = alice.get(f"/services/{made.id}/choose?next=/settings")
    page = alice.get(google.agree(str(sent.one("main a.btn-primary")["href"])), follow=False)
    assert page.location == "/settings" and file.chosen
    assert "1 file was chosen in Google Drive." in alice.get("/settings").notices
    made = ConnectedService.get()
    assert bytes(made.secret) == before and CALENDAR in made.scopes
    nobody = alice.get(google.agree(str(sent.one("main a.btn-primary")["href"])))  # an answer is good once
    assert "did not begin here" in nobody.notices
    other = person(app, "bob")
    assert other.get(f"/services/{made.id}/choose").status == 404
