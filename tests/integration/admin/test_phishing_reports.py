"""What the administrator sees of what people reported."""

from __future__ import annotations

from tests.support.strangers import checking_app, message, report
from tests.support.visits import Visitor
from webmail.database.connection import db
from webmail.models import User


def test_only_the_administrator_sees_the_reports(services, tmp_path, fill, make_account):
    with checking_app(services, tmp_path / "instance") as app:
        alice = Visitor(app, make_account("alice")).sign_in()
        uids = fill(alice, message(subject="Gagnez <b>"))
        report(alice, alice.get(f"/message/{uids[-1]}/INBOX"))
        assert alice.get("/admin/reports").status == 403
        chief = Visitor(app, make_account("chief")).sign_in()
        with db.connection_context():
            User.update(role="admin").where(User.address == chief.address).execute()
        page = chief.get("/admin/reports")
        assert alice.address in page.text
        assert "Gagnez <b>" in page.text
        assert chief.get("/admin/reports?page=x").status == 200
        assert chief.get("/admin/reports", htmx="main").status == 200
