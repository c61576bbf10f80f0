"""Lists to act on: of one's own people alone, the ticked ones at once, undone for an hour; nothing of others is touched."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from tests.support import people_ground
from tests.support.visits import Visitor
from webmail.auth.devices import app_passwords
from webmail.calendar import links
from webmail.collections import store as collections
from webmail.establishments import establishments
from webmail.filters.forwarding import forward_change
from webmail.filters.forwarding.forwarding import Forwarding
from webmail.models import AppPassword, AuditAct, AuditEntry, CalendarLink, ForwardTarget, SystemMessage, User, now

LISTS = ("forwards", "published", "app-passwords", "no-recovery")
OLD = timedelta(days=400)


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with people_ground.of_two_establishments(
        tmp_path / "instance", system_address="info@nord.example", system_password="x"
    ) as made:
        yield made


def of(address: str) -> User:
    return User.get(User.address == address)


def signed_in(app: Flask, local: str) -> Visitor:
    return people_ground.of_nord(app, local)


def listed(page) -> list[str]:
    return [row.th.get_text(strip=True) for row in page.all("[data-entry]")]


def act(visitor: Visitor, name: str, *numbers: int):
    return visitor.submit(
        visitor.get(f"/admin/lists/{name}"), f"form[action='/admin/lists/{name}']", chosen=[str(one) for one in numbers]
    )


def undo(visitor: Visitor, page):
    return visitor.submit(page, "form[action*='/undo']")


def unused(address: str) -> AppPassword:
    _letters, row = app_passwords.add(of(address), "Old phone", ["imap"])
    AppPassword.update(created=now() - OLD, used=now() - OLD).where(AppPassword.id == row.id).execute()
    return row


def published(address: str) -> CalendarLink:
    user = of(address)
    links.make(user, collections.default_collection(user, collections.CALENDAR).id, links.FEED, whole=True)
    return CalendarLink.get(CalendarLink.user == user)


def test_each_administrator_sees_and_changes_their_own_people_alone(app):
    mine, other = unused("alice@nord.example"), unused("bruno@sud.example")
    chief, root = signed_in(app, "chief"), signed_in(app, "root")
    assert listed(chief.get("/admin/lists/app-passwords")) == ["alice@nord.example"]
    assert listed(root.get("/admin/lists/app-passwords")) == ["alice@nord.example", "bruno@sud.example"]
    page = act(chief, "app-passwords", mine.id, other.id)
    assert [row.id for row in AppPassword.select()] == [other.id]
    assert "1 entry" in page.notices
    entry = AuditEntry.get(AuditEntry.act == AuditAct.APP_PASSWORD_REVOKED)
    assert entry.target == "alice@nord.example" and entry.actor_address == "chief@nord.example"


def test_an_app_password_that_is_given_back_is_the_same(app):
    row, root = unused("alice@nord.example"), signed_in(app, "root")
    page = undo(root, act(root, "app-passwords", row.id))
    back = AppPassword.get_by_id(row.id)
    assert (back.sha, back.imap, back.name) == (row.sha, 1, "Old phone")
    assert listed(page) == ["alice@nord.example"]


def test_one_that_is_used_or_young_is_not_listed(app):
    row = unused("alice@nord.example")
    AppPassword.update(used=now()).where(AppPassword.id == row.id).execute()
    app_passwords.add(of("alice@nord.example"), "New", ["imap"])
    assert listed(signed_in(app, "root").get("/admin/lists/app-passwords")) == []


def test_a_published_calendar_is_closed_and_opened_again(app):
    link, root = published("alice@nord.example"), signed_in(app, "root")
    page = act(root, "published", link.id)
    assert not CalendarLink.select().exists() and listed(page) == []
    undo(root, page)
    assert CalendarLink.get().token_hash == link.token_hash


def test_an_address_of_busy_times_alone_is_told_apart(app):
    user, root = of("alice@nord.example"), signed_in(app, "root")
    published(user.address)
    links.make(user, collections.default_collection(user, collections.CALENDAR).id, links.PAGE, whole=False)
    page = root.get("/admin/lists/published")
    assert len(listed(page)) == 2 and page.text.count("Busy times only") == 1


def test_who_has_no_recovery_address_is_asked_at_the_next_sign_in(app):
    alice, root = of("alice@nord.example"), signed_in(app, "root")
    User.update(recovery_address="x@y.example").where(User.id != alice.id).execute()
    User.update(recovery_asked=now()).where(User.id == alice.id).execute()
    page = act(root, "no-recovery", alice.id)
    assert of(alice.address).recovery_asked is None
    undo(root, page)
    assert of(alice.address).recovery_asked is not None


def test_forwarding_is_stopped_on_the_mail_server_and_put_back(app, monkeypatch):
    alice, root, asked = of("alice@nord.example"), signed_in(app, "root"), []
    row = ForwardTarget.create(user=alice, address="alice@ailleurs.example", active=True, confirmed=now())
    before = Forwarding(on=True, addresses=("alice@ailleurs.example",))
    monkeypatch.setattr("webmail.admin.watching.lists._account", lambda user, _settings: user)
    monkeypatch.setattr(forward_change, "without", lambda user, *_more: asked.append(("stop", user.address)) or before)
    monkeypatch.setattr(forward_change, "save", lambda user, _account, _settings, wanted: asked.append(("save", wanted)))
    page = root.get("/admin/lists/forwards")
    assert listed(page) == ["alice@nord.example"] and "alice@ailleurs.example" in page.text
    undo(root, act(root, "forwards", row.id))
    assert asked == [("stop", alice.address), ("save", before)]
    [told] = SystemMessage.select().where(SystemMessage.kind == "forwarding")
    assert told.recipient == alice.address and "alice@ailleurs.example" in told.body


def test_a_mail_server_that_can_not_be_asked_is_told(app):
    row = ForwardTarget.create(user=of("alice@nord.example"), address="alice@ailleurs.example", active=True, confirmed=now())
    page = act(signed_in(app, "root"), "forwards", row.id)  # there is no token to sign in as her by
    assert "alice@nord.example" in page.notices and ForwardTarget.get_by_id(row.id).active


def test_nobody_else_comes_in_and_no_other_name_leads_anywhere(app):
    alice, root = signed_in(app, "alice"), signed_in(app, "root")
    for name in LISTS:
        assert alice.get(f"/admin/lists/{name}").status == 403
        assert root.get(f"/admin/lists/{name}").status == 200
    assert root.get("/admin/lists/passwords").status == 404


def test_an_undo_of_somebody_who_left_the_scope_does_nothing(app):
    row, chief = unused("alice@nord.example"), signed_in(app, "chief")
    page = act(chief, "app-passwords", row.id)
    establishments.set_domains(establishments.of_domain("nord.example"), ["elsewhere.example"])
    undo(chief, page)
    assert not AppPassword.select().exists()


def test_a_page_has_fifty_and_leads_on(app):
    alice = of("alice@nord.example")
    for number in range(53):
        ForwardTarget.create(user=alice, address=f"a{number}@ailleurs.example", active=True)
    root = signed_in(app, "root")
    first = root.get("/admin/lists/forwards")
    assert len(listed(first)) == 50 and len(listed(root.get(first.link("Next")))) == 3
