"""What is said of a handover: its days as they were chosen."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from tests.support import calendar_ground as ground
from tests.support import people_ground as people
from webmail.handover import handover_texts
from webmail.models import HandoverKind, MailboxHandover
from webmail.web.formatting import written_in


def test_a_handover_ends_on_the_day_that_was_chosen(tmp_path: Path) -> None:
    with people.application_on("sqlite", tmp_path / "instance") as app, app.test_request_context(), written_in("fr"):
        terms = {
            "kind": HandoverKind.ABSENCE,
            "answers": False,
            "since": None,
            "asked_by": "",
            "agreed_by": "",
            "reason": "",
            "ended": None,
        }
        root = ground.add("root@lycee.example")
        days = MailboxHandover(
            owner=root, person=root, start=datetime(2026, 11, 30, 23), until=datetime(2026, 12, 18, 23), **terms
        )
        facts = [value for _label, value in handover_texts.terms_of(days)]
        assert facts[3:5] == ["mardi 1er décembre 2026", "vendredi 18 décembre 2026"]  # in Paris days begin at 23 h
        now = MailboxHandover(owner=root, person=root, start=datetime(2026, 12, 1, 9, 2), until=None, **terms)
        assert handover_texts.terms_of(now)[3][1] == "mardi 1er décembre 2026 à 10\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}02"
