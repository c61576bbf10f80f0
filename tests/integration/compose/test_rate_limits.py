"""How many people one may write to, as the form tells it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.compose_form import FORM, text_of, write
from webmail.models import Outbox, now


@pytest.fixture
def limited(app):
    def set_limits(**limits):
        app.extensions["settings"] = replace(app.extensions["settings"], **limits)

    return set_limits


def test_the_limit_is_told_before_and_refuses_with_a_way_out(alice, bob, limited):
    limited(recipients_per_hour=4)
    assert alice.get("/compose").all("#room") == []
    write(alice, to=f"{bob.address}, a@x.example, b@x.example, c@x.example", subject="s", body="b", action="send-anyway")
    told = alice.get("/compose").one("#room").get_text()
    assert "the hourly recipient limit" in told
    assert "You can send more from " in told and " 0 " not in told
    page = write(alice, to=bob.address, subject="t", body="kept", action="send")
    assert page.status == 422
    assert "can go out on" in page.one("#to-error").get_text()
    assert text_of(page) == "kept"
    assert page.one("#later").has_attr("open")
    alice.submit(page, FORM, action="later:at")
    assert Outbox.get(Outbox.subject == "t").scheduled > now() + timedelta(minutes=50)
