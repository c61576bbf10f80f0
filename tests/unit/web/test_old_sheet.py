"""What engines get that know no "gap" between flex items: margins, in a sheet of its own that only they load."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import tinycss2

STATIC = Path(__file__).resolve().parents[3] / "static"
OLD = STATIC / "css/old.css"


def test_every_row_with_a_gap_has_margins_there() -> None:
    known = {selector for rule in _rules(OLD.read_text()) for selector in rule[0]}
    rows = {
        selector
        for sheet in STATIC.glob("css/*.css")
        if sheet != OLD
        for selectors, told in _rules(sheet.read_text())
        if "flex" in told.get("display", "")
        and told.get("gap", "0") not in ("0", "inherit")
        and told.get("flex-direction") != "column"
        for selector in selectors
    }
    assert len(rows) > 30
    assert {row for row in rows if not {f"{row} > *", f"{row} > * + *"} & known} == set()


def test_its_address_changes_with_it() -> None:
    named = re.search(r"old\.css\?v=(\w+)", (STATIC / "js/app.js").read_text())
    assert named and named[1] == hashlib.sha256(OLD.read_bytes()).hexdigest()[:8], (
        "browsers keep it for a year: name it in app.js"
    )


def _rules(text: str) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Each rule's selectors and declarations, those within @media and @supports too."""
    for rule in tinycss2.parse_rule_list(text, skip_comments=True, skip_whitespace=True):
        if rule.type == "at-rule" and rule.content is not None:
            yield from _rules(tinycss2.serialize(rule.content))
        elif rule.type == "qualified-rule":
            selectors = " ".join(tinycss2.serialize(rule.prelude).split())
            declared = tinycss2.parse_declaration_list(rule.content, skip_comments=True, skip_whitespace=True)
            told = {one.name: tinycss2.serialize(one.value).strip() for one in declared if one.type == "declaration"}
            yield re.split(r", (?![^(]*\))", selectors), told
