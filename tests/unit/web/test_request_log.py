"""The log of requests: a line each, with a number that the error page shows too, and with nothing that is private."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import calendar_ground as ground
from tests.support.visits import Visitor
from webmail.database.connection import db
from webmail.web import request_log


@pytest.fixture
def made(tmp_path: Path) -> Iterator:
    def make(**settings):
        context = ground.application(tmp_path / "instance", recovery_address="off", **settings)
        opened.append(context)
        return context.__enter__()

    opened: list = []
    handlers = logging.getLogger().handlers[:]
    yield make
    logging.getLogger().handlers[:] = handlers
    for context in opened:
        context.__exit__(None, None, None)


def test_a_line_has_the_rule_of_an_address_and_nothing_that_stands_in_it(made, capfd):
    visitor = Visitor(made())
    visitor.get("/t/abcdefSECRET?query=SEARCH")
    visitor.get("/mailbox/Divorce?query=SEARCH", follow=False)
    told = capfd.readouterr().err
    assert "GET /t/<link>" in told and "GET /mailbox/<path:mailbox> 302" in told
    assert not any(word in told for word in ("SECRET", "SEARCH", "Divorce"))


def test_the_number_of_an_error_is_on_its_page_in_its_header_and_in_its_line(made, capfd):
    page = Visitor(made()).get("/nothing/here")
    number = page.headers["X-Request-ID"]
    assert page.status == 404 and f"Reference: {number}" in page.text
    assert f"{number} GET - 404" in capfd.readouterr().err


def test_a_fault_of_ours_leaves_its_kind_and_no_address(made, capfd, caplog):
    app = made()

    def broken(**_named):
        raise ZeroDivisionError

    app.view_functions["auth.login"] = broken
    broken.needs_sign_in = False
    page = Visitor(app).get("/login?next=/mailbox/Divorce")
    assert page.status == 500
    lines = [record.getMessage() for record in caplog.records]
    number = page.headers["X-Request-ID"]
    assert f"GET /login broke: ZeroDivisionError [{number}]" in lines
    assert f"500 for GET auth.login: ZeroDivisionError [{number}]" in lines
    assert "Divorce" not in caplog.text


def test_a_device_that_is_refused_by_the_server_leaves_its_reason(made, caplog):
    app = made()
    db.close()
    visitor, before = Visitor(app), app.extensions["dav"].edge()
    before.prepare = lambda: (_ for _ in ()).throw(request_log_away())
    answer = visitor.client.open("/dav/alice/", method="PROPFIND", headers={"Authorization": "Basic YTpi"})
    assert answer.status_code == 503 and answer.headers["X-Request-ID"]
    assert any(line.startswith("503 for PROPFIND /dav/: ") and "the disk" in line for line in caplog.messages)


def request_log_away() -> Exception:
    import peewee as pw

    return pw.OperationalError("the disk is gone")


def test_a_trusted_proxys_number_is_taken_another_one_is_not(made):
    visitor = Visitor(made())
    assert visitor.client.get("/nope", headers={"X-Request-ID": "from-nginx-1"}).headers["X-Request-ID"] != "from-nginx-1"


def test_behind_a_proxy_its_number_is_taken_where_it_is_one(made):
    visitor = Visitor(made(proxies=1))
    assert visitor.client.get("/nope", headers={"X-Request-ID": "from-nginx-1"}).headers["X-Request-ID"] == "from-nginx-1"
    assert visitor.client.get("/nope", headers={"X-Request-ID": "a b\x7f"}).headers["X-Request-ID"] != "a b\x7f"


def test_json_lines_can_be_read_by_programs(made, capfd):
    visitor = Visitor(made(log_format="json"))
    capfd.readouterr()
    page = visitor.get("/nope")
    found = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    line = next(one for one in found if one["logger"] == "traboule.access")
    assert (line["route"], line["status"], line["request"]) == ("-", 404, page.headers["X-Request-ID"])


def test_lines_can_be_turned_off(made, capfd):
    Visitor(made(access_log=False)).get("/nope")
    assert "GET -" not in capfd.readouterr().err
    assert request_log.reference() == ""
