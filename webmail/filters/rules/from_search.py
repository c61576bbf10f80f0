"""Filter from a search: the conditions that ask of arriving mail what a search asks of mail that is there. No Flask here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from webmail.filters.rules.rules import ConditionField, MatchKind
from webmail.imap.searching.search import Search, SearchTerm, means_attachment
from webmail.imap.searching.search_values import size_in_bytes

_TEXTS = {
    "": ConditionField.SUBJECT, "from": ConditionField.FROM, "to": ConditionField.TO, "cc": ConditionField.CC,
    "subject": ConditionField.SUBJECT, "body": ConditionField.BODY, "list": ConditionField.LIST,
    "filename": ConditionField.ATTACHMENT,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SearchIdea:
    """`arguments` of the link that fills the form in (`views/rules.py`); `left`: terms that no filter can ask for, as typed."""

    arguments: Mapping[str, list[str]]
    left: tuple[str, ...] = ()


def conditions_of(found: Search, query: str) -> SearchIdea:
    """The conditions that a search stands for. Words alone are looked for in the subject; one with OR or parentheses has none."""
    if not found.terms:
        return SearchIdea({}, (query,) if query.strip() else ())
    arguments: dict[str, list[str]] = {"field": [], "match": [], "value": []}
    left = [f"in:{found.mailbox}"] if found.mailbox else []
    for term in found.terms:
        condition = _condition(term)
        if condition is None:
            left.append(term.source)
            continue
        field, match, value = condition
        arguments["field"].append(field)
        arguments["match"].append(f"!{match}" if term.minus and field is not ConditionField.SIZE else match)
        arguments["value"].append(value)
    return SearchIdea(arguments, tuple(left))


def _condition(term: SearchTerm) -> tuple[ConditionField, MatchKind, str] | None:
    if term.operator == "has" and means_attachment(term.value):
        return ConditionField.ATTACHMENT, MatchKind.PRESENT, ""
    if term.operator in ("larger", "smaller"):
        size = size_in_bytes(term.value)
        larger = (term.operator == "larger") != term.minus
        return None if size is None else (ConditionField.SIZE, MatchKind.LEAST if larger else MatchKind.MOST, str(size))
    if term.operator in _TEXTS and term.value and not (term.named and not term.operator):
        return _TEXTS[term.operator], MatchKind.CONTAINS, term.value
    return None
