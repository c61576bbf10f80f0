"""What the administrator sees of what people reported."""

from __future__ import annotations

from dataclasses import replace

from tests.support.strangers import checking_app, message, report
from tests.support.visits import Visitor
from webmail.database.connection import db
from webmail.message import phishing_reports
from webmail.models import AuditAct, AuditEntry, PhishingReport, User


def test_only_the_administrator_sees_the_reports(services, tmp_path, fill, make_account):
    with checking_app(services, tmp_path / "instance") as app:
        alice = Visitor(app, make_account("alice")).sign_in()
        uids = fill(alice, message(subject="Gagnez <b>"))
        report(alice, alice.get(f"/message/{uids[-1]}/INBOX"))
        assert alice.get("/admin/reports").status == 403
        chief = Visitor(app, make_account("chief")).sign_in().confirm()
        with db.connection_context():
            User.update(role="admin").where(User.address == chief.address).execute()
        page = chief.get("/admin/reports")
        assert alice.address in page.text
        assert "Gagnez <b>" in page.text
        assert chief.get("/admin/reports?page=x").status == 200
        assert chief.get("/admin/reports", htmx="main").status == 200


def test_a_report_is_marked_as_handled_and_opened_again(services, tmp_path, fill, make_account):
    with checking_app(services, tmp_path / "instance") as app:
        alice, chief = (Visitor(app, make_account(name)).sign_in().confirm() for name in ("alice", "chief"))
        report(alice, alice.get(f"/message/{fill(alice, message(subject='Gagnez'))[-1]}/INBOX"))
        with db.connection_context():
            number = PhishingReport.get().id
        before = alice.get("/mailbox/INBOX")
        assert alice.post(f"/admin/reports/{number}", {"csrf_token": before.all("[name=csrf_token]")[0]["value"]}).status == 403
        with db.connection_context():
            User.update(role="admin").where(User.address == chief.address).execute()
        page = chief.get("/admin/reports")
        assert "1 report to review" in page.text and not page.all(".handled")
        page = chief.submit(page, ".reports form", action="handled")
        assert "All reports have been handled." in page.text
        assert f"Handled by {chief.address}" in page.one(".handled").get_text()
        page = chief.submit(page, ".reports form", action="reopen")
        assert "1 report to review" in page.text and not page.all(".handled")
        token = {"csrf_token": page.all("[name=csrf_token]")[0]["value"]}
        for unknown in (number + 1, 0):
            assert chief.post(f"/admin/reports/{unknown}", token).status == 404
        assert chief.get(f"/admin/reports/{2**63}").status == 404


def test_a_handled_message_that_is_reported_again_is_open(services, tmp_path, fill, make_account):
    with checking_app(services, tmp_path / "instance") as app:
        alice = Visitor(app, make_account("alice")).sign_in()
        content = message(subject="Gagnez")
        report(alice, alice.get(f"/message/{fill(alice, content)[-1]}/INBOX"))
        with db.connection_context():
            phishing_reports.set_handled(PhishingReport.get().id, "chief@lycee.example")
            assert phishing_reports.count_open() == 0
        report(alice, alice.get(f"/message/{fill(alice, content)[-1]}/INBOX"))
        with db.connection_context():
            assert phishing_reports.count_open() == 1 == PhishingReport.select().count()


def test_who_gets_the_reports_finds_them_from_the_list(services, tmp_path, fill, make_account):
    with checking_app(services, tmp_path / "instance") as app:
        alice, chief = (Visitor(app, make_account(name)).sign_in().confirm() for name in ("alice", "chief"))
        report(alice, alice.get(f"/message/{fill(alice, message(subject='Gagnez vite'))[-1]}/INBOX"))
        with db.connection_context():
            User.update(role="admin").where(User.address == chief.address).execute()
        assert not chief.get("/admin/reports").all(".reports form a")  # the reports go to somebody else
        app.extensions["settings"] = replace(app.extensions["settings"], phishing_address=chief.address)
        fill(chief, message(subject="Phishing report: Gagnez vite"))
        found = chief.get(chief.get("/admin/reports").link("Find the message"))
        assert "Phishing report: Gagnez vite" in found.text


def test_who_looks_at_a_reported_message_is_in_the_audit_log(services, tmp_path, fill, make_account):
    """Once for each page, with its frame; neither for one's own report nor for the list, which shows no message."""
    with checking_app(services, tmp_path / "instance") as app:
        alice, chief = (Visitor(app, make_account(name)).sign_in().confirm() for name in ("alice", "chief"))
        with db.connection_context():
            User.update(role="admin").where(User.address == chief.address).execute()
            AuditEntry.delete().execute()
        for visitor in (alice, chief):
            report(visitor, visitor.get(f"/message/{fill(visitor, message(subject='Gagnez'))[-1]}/INBOX"))
        with db.connection_context():
            numbers = {row.user.address: row.id for row in PhishingReport.select()}

        def looked() -> list[tuple[str, str]]:
            with db.connection_context():
                rows = AuditEntry.select().where(AuditEntry.act == AuditAct.PHISHING_READ).order_by(AuditEntry.id)
                return [(row.actor.address, row.target) for row in rows]

        chief.get("/admin/reports")
        assert chief.get(f"/admin/reports/{numbers[chief.address]}").status == 200 and looked() == []
        assert chief.get(f"/admin/reports/{numbers[alice.address]}").status == 200
        chief.get(f"/admin/reports/{numbers[alice.address]}/body")
        assert looked() == [(chief.address, alice.address)]
        assert chief.get(f"/admin/reports/{numbers[alice.address]}").status == 200
        assert looked() == [(chief.address, alice.address)] * 2
        with db.connection_context():
            AuditEntry.delete().execute()
        chief.get(f"/admin/reports/{numbers[alice.address]}/body")  # the frame alone, without its page
        assert looked() == [(chief.address, alice.address)]
        assert alice.get(f"/admin/reports/{numbers[chief.address]}").status == 403 and len(looked()) == 1
