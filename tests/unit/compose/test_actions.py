"""Every button of the form and of the outbox has its record, and the reverse."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from webmail.compose.views.actions import _OLD_SPELLING, ACTIONS
from webmail.compose.views.outbox.outbox_page import OUTBOX_ACTIONS

TEMPLATES = Path(__file__).resolve().parents[3] / "templates" / "compose"
FORM = (
    "show", "_coming", "_format", "_identity", "_large_files", "_later_menu", "_original", "_protection", "_protection_asked", "_protection_missing", "_protection_plan", "_recipients_caution", "_recipients_choose", "_signature",
    "_template", "_whom",
)  # fmt: skip
BY_SCRIPTS = {"autosave", "links"}


def buttons(*names: str) -> set[str]:
    """The values of the buttons and hidden fields named "action" in these templates, up to the colon."""
    found: set[str] = set()
    for name in names:
        for tag in re.findall(r"<(?:button|input)[^>]*>", (TEMPLATES / f"{name}.html").read_text()):
            if 'name="action"' in tag and (value := re.search(r' value="([^":{]+)', tag)):
                found.add(value[1])
    return found


def test_every_button_of_the_form_has_a_record_and_every_record_a_button() -> None:
    assert buttons(*FORM) == ACTIONS.keys() - BY_SCRIPTS


def test_every_button_of_the_outbox_has_a_record_and_every_record_a_button() -> None:
    assert buttons("outbox", "_outbox_row", "_scheduled") == OUTBOX_ACTIONS.keys()


@pytest.mark.parametrize(
    ("old", "new"),
    [("remove-3", "remove:3"), ("picture-12", "picture:12"), ("later-at", "later:at"), ("send-anyway", "send-anyway"),
     ("discard-now", "discard-now"), ("from-mail", "from-mail"), ("remove:3", "remove:3")],
)  # fmt: skip
def test_buttons_of_pages_opened_before_an_update_still_work(old: str, new: str) -> None:
    assert _OLD_SPELLING.sub(r"\1:\2", old) == new
