"""Sending, as far as no mail server is needed: who may not be written to is named before anything leaves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.compose_form import FORM
from tests.support.visits import Visitor
from webmail.compose.attachments import attachments
from webmail.models import DraftRow, Outbox, User
from webmail.people import groups, policies
from webmail.people.policies import Policy


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", language="en") as made:
        yield made


@pytest.fixture
def pupil(app: Flask) -> Visitor:
    for local in ("ines", "prof", "stranger"):
        ground.add(f"{local}@lycee.example")
    klass, teachers = groups.create("lycee.example", "6A"), groups.create("lycee.example", "Teachers")
    groups.add(klass, [User.get(User.local == "ines")])
    groups.add(teachers, [User.get(User.local == "prof")])
    policies.set_group(klass, Policy(writes_to="groups", reach=(teachers.identifier,)))
    return ground.signed_in(app, "ines")


TYPED = {
    "to": "Prof <prof@lycee.example>, stranger@lycee.example",
    "cc": "ann@far.example",
    "subject": "Devoir",
    "body": "Bonjour à tous",
}


@pytest.mark.parametrize("htmx", ["", "main"])
def test_recipients_who_may_not_be_written_to_are_named_and_the_text_stays(pupil: Visitor, htmx: str) -> None:
    page = pupil.submit(pupil.get("/compose"), FORM, htmx=htmx, action="send", **TYPED)
    assert page.status == 422
    told = " ".join(one.get_text(" ", strip=True) for one in page.all(".field-error"))
    assert "stranger@lycee.example" in told and "ann@far.example" in told and "prof@lycee.example" not in told
    for name in ("to", "cc"):
        assert page.one(f"[name={name}]").get("aria-invalid") == "true"
        assert TYPED[name] in (page.one(f"[name={name}]").get("value") or page.one(f"[name={name}]").get_text())
    assert page.one("[name=subject]")["value"] == "Devoir" and "Bonjour à tous" in page.one("[name=body]").get_text()
    assert not Outbox.select().exists()
    sent = pupil.submit(page, FORM, action="send", to="prof@lycee.example", cc="")
    assert sent.status != 422 and Outbox.select().count() == 1


def test_a_file_that_is_larger_than_one_may_be_does_not_leave_however_it_came(pupil: Visitor, app: Flask) -> None:
    page = pupil.submit(pupil.get("/compose"), FORM, action="save", to="prof@lycee.example", subject="Photos", body="Voici")
    row = DraftRow.get()
    attachments.add(row, [b"x" * 2_000_000], "photos.zip", "application/zip", app.extensions["settings"])  # as from a message
    policies.set_own(User.get(User.local == "ines"), Policy(attachment_bytes=1_000_000))
    page = pupil.submit(pupil.get(f"/compose/{row.id}"), FORM, action="send", sure="1")
    assert page.status == 422 and "“photos.zip” (" in page.text and "is too large" in page.text
    assert page.one("[name=subject]")["value"] == "Photos" and not Outbox.select().exists()
    policies.set_own(User.get(User.local == "ines"), Policy())
    assert pupil.submit(page, FORM, action="send").status != 422 and Outbox.select().exists()
