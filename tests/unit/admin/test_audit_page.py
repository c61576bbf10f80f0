"""The audit log as a page: what administrators look for, of their own establishments alone, and as a table without formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support import people_ground
from tests.support.visits import Visitor
from webmail import audit
from webmail.admin.watching import audit_texts
from webmail.models import AuditAct, AuditEntry, User, now


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with people_ground.of_two_establishments(tmp_path / "instance") as made:
        yield made


def of(address: str) -> User:
    return User.get(User.address == address)


def signed_in(app: Flask, local: str) -> Visitor:
    visitor = people_ground.of_nord(app, local)
    AuditEntry.delete().execute()
    return visitor


def acts(page) -> list[str]:
    return [row.th.get_text(" ", strip=True) for row in page.all("[data-entry]")]


def test_it_is_found_by_person_kind_day_and_network(app):
    root, alice = signed_in(app, "root"), of("alice@nord.example")
    audit.record(AuditAct.SIGN_IN, actor=alice, network="192.0.2.1", target="Firefox")
    audit.record(AuditAct.ACCOUNT_QUOTA_SET, target="alice@nord.example", room="2G", by="command")
    audit.record(AuditAct.SIGN_OUT, actor=of("bruno@sud.example"), network="192.0.2.2")
    AuditEntry.update(at=now() - timedelta(days=40)).where(AuditEntry.act == "sign-out").execute()
    assert acts(root.get("/admin/audit")) == ["Set an account’s quota space: 2G · by: command", "Signed in", "Signed out"]
    assert len(acts(root.get("/admin/audit?who=ALICE@nord.example"))) == 2
    assert acts(root.get("/admin/audit?act=sign-in")) == ["Signed in"]
    assert acts(root.get("/admin/audit?about=Firefox")) == ["Signed in"]
    assert acts(root.get("/admin/audit?network=192.0.2.2")) == []  # a month back, which the form says
    day = (now() - timedelta(days=50)).date()
    assert acts(root.get(f"/admin/audit?network=192.0.2.2&since={day}")) == ["Signed out"]
    assert acts(root.get(f"/admin/audit?until={day + timedelta(days=20)}")) == ["Signed out"]
    assert root.get("/admin/audit?since=2026-02-31&act=nonsense&before=x_y&who=%00").status == 200


def test_pages_go_on_where_the_last_one_ended_though_others_write(app):
    root, alice = signed_in(app, "root"), of("alice@nord.example")
    for number in range(60):
        audit.record(AuditAct.IDENTITY_ADDED, actor=alice, target=f"{number}")
    first = root.get("/admin/audit")
    audit.record(AuditAct.SIGN_IN, actor=alice)
    second = root.get(first.link("Older"))
    assert [row.select("td")[2].get_text(strip=True) for row in second.all("[data-entry]")] == [str(n) for n in range(9, -1, -1)]
    assert not second.all("a[rel=next]")


def test_an_administrator_of_one_establishment_sees_what_concerns_it_alone(app):
    chief, alice, bruno, root = (
        signed_in(app, "chief"),
        of("alice@nord.example"),
        of("bruno@sud.example"),
        of("root@nord.example"),
    )
    audit.record(AuditAct.SIGN_IN, actor=alice, network="192.0.2.1")
    audit.record(AuditAct.SIGN_IN, actor=bruno, network="192.0.2.2", target="SECRET")
    audit.record(AuditAct.SIGN_IN, actor=root, network="192.0.2.3", target="SECRET")
    audit.record(AuditAct.SHARE_GIVEN, actor=bruno, target="alice@nord.example", network="192.0.2.4")
    audit.record(AuditAct.ACCOUNT_DELETED, target="gone@nord.example", by="command")
    audit.record(AuditAct.ACCOUNT_DELETED, target="gone@sud.example", by="command")
    page = chief.get("/admin/audit")
    assert acts(page) == ["Deleted an account by: command", "Shared", "Signed in"]
    assert "SECRET" not in page.html and "192.0.2.1" in page.text
    assert "192.0.2.4" not in page.text  # where somebody of another establishment was
    assert acts(chief.get("/admin/audit?who=root@nord.example")) == acts(chief.get("/admin/audit?who=gone@sud.example")) == []
    table = chief.client.get("/admin/audit.csv").text
    assert "alice@nord.example" in table and "SECRET" not in table and "192.0.2.4" not in table
    other = Visitor(app, "bruno@sud.example", ground.PASSWORD)
    other.submit(other.get("/login"), "form[action='/login']", follow=False, username=other.address, password=ground.PASSWORD)
    assert other.get("/admin/audit").status == other.get("/admin/audit.csv").status == 403


def test_the_table_has_all_that_is_found_and_no_formula(app):
    root, alice = signed_in(app, "root"), of("alice@nord.example")
    audit.record(AuditAct.GROUP_CHANGED, actor=alice, target="=HYPERLINK(1)", change="made")
    for number in range(70):
        audit.record(AuditAct.IDENTITY_ADDED, actor=alice, target=f"{number}")
    answer = root.client.get("/admin/audit.csv?who=alice@nord.example")
    rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert len(rows) == 72 and rows[-1][1:4] == ["group-changed", "alice@nord.example", "'=HYPERLINK(1)"]
    assert "attachment" in answer.headers["Content-Disposition"]


def test_each_act_and_its_details_are_told_in_words(app):
    assert [act for act, words in audit_texts.act_choices() if act == words] == []
    root, alice = signed_in(app, "root"), of("alice@nord.example")
    audit.record(AuditAct.GROUP_CHANGED, actor=alice, target="6A", change="removed", by="import-undo")
    audit.record(AuditAct.CONFIRMED, actor=alice, factor="code")
    page = root.get("/admin/audit?who=alice@nord.example")
    assert "change: taken out" in page.text and "by: undoing an import" in page.text and "method: recovery code" in page.text


def test_the_search_box_of_the_top_bar_stays_empty(app):
    page = signed_in(app, "root").get("/admin/audit?who=alice@nord.example")
    assert "AuditQuery" not in page.html and page.one("#who")["value"] == "alice@nord.example"


def test_no_page_changes_an_entry(app):
    root = signed_in(app, "root")
    audit.record(AuditAct.SIGN_OUT, actor=of("alice@nord.example"))
    page = root.get("/admin/audit")
    assert not page.all("main form[method=post]")
    assert root.post("/admin/audit", {"delete": "1"}).status in (400, 405)
    assert AuditEntry.select().where(AuditEntry.act == "sign-out").count() == 1
