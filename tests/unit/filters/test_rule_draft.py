"""What is typed into the form of a filter: each row that is wrong is told of, not one after the other."""

from __future__ import annotations

from webmail.filters.rules.rule_draft import ActionRow, ConditionRow, RuleDraft, faults
from webmail.filters.rules.rules import ActionKind, ConditionField, MatchKind


def test_what_is_wrong_in_each_row_is_found_at_once() -> None:
    draft = RuleDraft(
        conditions=(
            ConditionRow(),
            ConditionRow(ConditionField.SUBJECT, MatchKind.CONTAINS, "devoir"),
            ConditionRow(ConditionField.SIZE, MatchKind.LEAST, "big"),
        ),
        actions=(ActionRow(ActionKind.FLAG), ActionRow(), ActionRow(ActionKind.REPLY)),
    )
    assert [(fault.what, fault.why) for fault in faults(draft)] == [
        ("conditions-0-values", "missing"),
        ("conditions-2-values", "number"),
        ("actions-1-value", "missing"),
        ("actions-2-text", "missing"),
    ]
    assert faults(RuleDraft(conditions=(), actions=(ActionRow(ActionKind.READ),))) == []
