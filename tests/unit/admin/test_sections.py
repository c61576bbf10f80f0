"""The sections of administration, each with an icon that there is."""

from __future__ import annotations

import re
from pathlib import Path

from deploy.demo.services import CHECKOUT
from tests.support import calendar_ground as ground
from webmail.admin.sections import sections
from webmail.handover import access


def test_each_section_has_an_icon(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(access, "is_possible", lambda settings: True)
    there = set(re.findall(r'<symbol[^>]* id="([\w-]+)"|<symbol id="([\w-]+)"', (CHECKOUT / "static/icons.svg").read_text()))
    names = {one for pair in there for one in pair}
    with ground.application(tmp_path / "instance", language="en") as app, app.test_request_context():
        shown = sections(app.extensions["settings"], everything=True)
    assert {one.icon for one in shown} <= names
