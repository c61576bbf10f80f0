"""Large files for administrators: sums, reports, closing; nothing of what is in them, and nothing for anybody else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support import people_ground as people
from tests.support.transfer_ground import published
from tests.support.visits import Visitor
from webmail.admin import account_deletion
from webmail.config.settings import Settings
from webmail.models import AuditAct, AuditEntry, DeskCase, StoredContent, Transfer, TransferReport, User
from webmail.storage import StorageArea, open_storage
from webmail.transfers import store
from webmail.transfers.public import reports


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", recovery_address="off", language="en") as made:
        ground.add("alice@lycee.example")
        yield made


@pytest.fixture
def settings(app: Flask) -> Settings:
    return app.extensions["settings"]


@pytest.fixture
def root(app: Flask) -> Visitor:
    ground.add("root@lycee.example")
    User.update(role="admin").where(User.address == "root@lycee.example").execute()
    return ground.signed_in(app, "root").confirm()


@pytest.fixture
def transfer(settings: Settings) -> Transfer:
    alice = User.get(User.address == "alice@lycee.example")
    made = published(alice, {"secret-name.txt": b"x" * 5000}, settings, recipients=[("", "zoe@ailleurs.example")])
    Transfer.update(subject="secret-subject", message="secret-words").execute()
    return made


def test_an_administrator_sees_sums_and_owners_but_nothing_of_what_is_in_them(root, transfer, settings):
    page = root.get("/admin/transfers")
    assert "alice@lycee.example" in page.text and "4.9" in page.text
    hidden = ("secret-", "zoe@", store.link_token(transfer, settings), "/t/")
    assert not any(word in page.html for word in hidden)
    assert root.get(f"/transfers/{transfer.id}").status == 404


def test_nobody_else_comes_in(app, transfer):
    alice = ground.signed_in(app, "alice")
    assert alice.get("/admin/transfers").status == 403
    assert "/admin/transfers" not in alice.get("/transfers").html


def test_one_is_closed_with_a_reason(root, transfer, settings):
    row = f"#transfer{transfer.id} form"
    page = root.submit(root.get("/admin/transfers"), row, reason="  ")
    assert page.status == 422 and "Say why" in page.one(".field-error").get_text() and StoredContent.select().count() == 1
    again = root.get(f"/admin/transfers/{transfer.id}", follow=False)  # loaded again, it is the list
    assert (again.status, again.headers["Location"]) == (303, f"/admin/transfers#transfer{transfer.id}")
    page = root.submit(page, row, reason="Not ours")
    assert "told why" in page.notices and store.by_token(store.link_token(transfer, settings)) is None
    store.sweep(settings)  # of 10,000 files would take longer than anybody waits for a page
    assert StoredContent.select().count() == 0
    closed = Transfer.get()
    assert (closed.closed_by, closed.closed_reason) == ("admin", "Not ours")
    assert AuditEntry.get(AuditEntry.act == AuditAct.TRANSFER_CLOSED).target == "alice@lycee.example"


def test_reports_of_abuse_come_first_until_somebody_dealt_with_them(root, transfer):
    TransferReport.create(transfer=transfer, reason="fraud", text="<b>fake</b>", address="zoe@ailleurs.example")
    page = root.get("/admin/transfers")
    assert "<b>fake" not in page.html and "A fraud" in page.one(".reports h3").get_text() and "1 report" in page.text
    assert page.one(page.one(".reports .from a")["href"]).get_text().startswith("\nalice@")  # the row in which it can be closed
    page = root.submit(page, ".reports form")
    assert not page.all(".reports") and TransferReport.get().settled_by == "root@lycee.example"


def test_closing_settles_what_was_reported(root, transfer):
    for reason in ("fraud", "malware"):
        TransferReport.create(transfer=transfer, reason=reason)
    page = root.submit(root.get("/admin/transfers"), f"#transfer{transfer.id} form", reason="A fraud")
    assert not page.all(".reports") and {one.settled_by for one in TransferReport.select()} == {"root@lycee.example"}


def test_who_administers_one_establishment_closes_what_their_people_sent_from_the_desk(app, settings, transfer):
    far = ground.add("far@college.example")
    theirs = published(far, {"a.txt": b"x"}, settings)
    for one in (transfer, theirs):
        reports.add(one, reports.AbuseReason.FRAUD, "fake", "zoe@ailleurs.example", "192.0.2.1", settings)
    head = people.headmaster(app)
    case = DeskCase.get(DeskCase.domain == "lycee.example")
    page, form = head.get(f"/admin/desk/{case.id}"), f"form[action='/admin/transfers/{transfer.id}']"
    told = head.submit(page, form, reason=" ")
    assert "Say why" in told.notices and Transfer.get_by_id(transfer.id).state == "ready"
    told = head.submit(page, form, reason="A fraud")
    assert "Closed. alice@lycee.example is told why" in told.notices and not told.all(form)
    assert Transfer.get_by_id(transfer.id).state == "closed" and DeskCase.get_by_id(case.id).state == "closed"
    fields = {"csrf_token": page.all("[name=csrf_token]")[0]["value"], "reason": "x"}
    assert head.post(f"/admin/transfers/{theirs.id}", fields).status == 404
    assert Transfer.get_by_id(theirs.id).state != "closed" and head.get("/admin/transfers").status in (403, 404)


def test_what_its_owner_closed_first_leads_nowhere(root, transfer):
    TransferReport.create(transfer=transfer, reason="fraud")
    store.close(transfer, "owner")
    page = root.get("/admin/transfers")
    assert page.one(".reports .from").get_text(strip=True).startswith("Sent by alice@") and not page.all(".reports .from a")


def test_with_an_account_its_files_go(app, settings, transfer):
    ground.add("root@lycee.example")
    account_deletion.delete(transfer.owner, settings)
    assert not list(open_storage(settings, StorageArea.TRANSFERS).list()) and StoredContent.select().count() == 0
