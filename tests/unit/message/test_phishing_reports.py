"""Reports of phishing on the desk: one case for a message, and not more from one person in a day than somebody can look at."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from webmail.message import phishing_reports
from webmail.models import DeskCase, PhishingReport, User


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance") as made:
        yield made


def reports(user: User, name: str, sender: str = "bank@evil.example") -> PhishingReport:
    envelope = SimpleNamespace(sender=[SimpleNamespace(email=sender)], message_id=f"<{name}>", subject=f"About {name}")
    message: Any = SimpleNamespace(envelope=envelope)
    return phishing_reports.note(user, message, 0)


def open_cases() -> list[str]:
    return [str(case.text) for case in DeskCase.select().order_by(DeskCase.id)]


@pytest.mark.usefixtures("app")
def test_a_message_that_several_report_is_one_case_for_each_domain() -> None:
    ines, jules, far = (ground.add(address) for address in ("ines@lycee.example", "jules@lycee.example", "far@college.example"))
    first = reports(ines, "a")
    reports(jules, "a")
    assert open_cases() == ["About a"]
    reports(far, "a")
    assert open_cases() == ["About a"] * 2
    phishing_reports.withdraw(first)
    assert DeskCase.select().where(DeskCase.user == jules).exists()
    assert PhishingReport.select().count() == 2


@pytest.mark.usefixtures("app")
def test_one_person_opens_so_many_cases_a_day_and_all_reports_are_kept() -> None:
    ines, jules = ground.add("ines@lycee.example"), ground.add("jules@lycee.example")
    for number in range(phishing_reports.MOST_CASES + 5):
        reports(ines, str(number))
    assert len(open_cases()) == phishing_reports.MOST_CASES
    assert phishing_reports.count_open() == phishing_reports.MOST_CASES + 5
    reports(jules, "from another")
    assert open_cases()[-1] == "About from another"
