"""Draft of a rule: the rows of its form as they were typed, right or wrong, and the rule that they stand for. No Flask here.

The form's fields: `id`, `name`, `any` ("any" or "all"), `conditions-N-field`, `-match` ("contains", or "!contains" for not),
`-values` (a line each, or several fields), `-header`, `-unit`; `actions-N-kind`, `-value`, `-text`; `stop`. `-was` says for which
field or kind a row's control was made: what stands in a control of another sort is not taken for a value of this one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from webmail.filters.rules.rules import (
    LONGEST_DATA,
    LONGEST_NAME,
    MATCHES,
    MOST_ACTIONS,
    MOST_CONDITIONS,
    ActionKind,
    BadRuleError,
    ConditionField,
    FilterRule,
    MatchKind,
    RuleAction,
    RuleCondition,
    check,
    check_action,
    check_condition,
)

UNITS = {"mb": 1024**2, "kb": 1024, "b": 1}
_ROW = re.compile(r"(conditions|actions)-(\d{1,3})-(?:field|kind)")
_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_ONE_LINE = re.compile(r"[\r\n]+")

# which control a field's or an action's value is typed into
TEXTS, NUMBER, SIZE, DAY, DAYS, GROUP, NOTHING = "texts", "number", "size", "day", "days", "group", ""
FOLDER, TAG, ADDRESS, REPLY, TEXT = "folder", "tag", "address", "reply", "text"
_CONTROLS = {
    ConditionField.SIZE: SIZE, ConditionField.DATE: DAY, ConditionField.WEEKDAY: DAYS, ConditionField.HOUR: NUMBER,
    ConditionField.SPAM: NUMBER, ConditionField.CONTACTS: GROUP, ConditionField.INSIDE: NOTHING, ConditionField.UNPROVEN: NOTHING,
}  # fmt: skip
_ACTION_CONTROLS = {
    ActionKind.MOVE: FOLDER, ActionKind.COPY: FOLDER, ActionKind.TAG: TAG, ActionKind.FORWARD: ADDRESS, ActionKind.REPLY: REPLY,
    ActionKind.SNOOZE: NUMBER, ActionKind.REJECT: TEXT,
}  # fmt: skip
_PLAIN_ONLY = (ConditionField.SIZE, ConditionField.DATE, ConditionField.HOUR, ConditionField.SPAM)  # at least is not at most


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """`match`: a MatchKind, with "!" before it for not. `values`: a line each; of a size the number in `unit`."""

    field: str = ConditionField.FROM
    match: str = MatchKind.CONTAINS
    values: str = ""
    header: str = ""
    unit: str = "mb"

    @property
    def control(self) -> str:
        kind = _as(ConditionField, self.field)
        if kind is None or self.match.removeprefix("!") == MatchKind.PRESENT and kind is not ConditionField.CONTACTS:
            return NOTHING
        control = _CONTROLS.get(kind, TEXTS)
        several = control in (DAY, NUMBER) and len(lines(self.values)) > 1
        return TEXTS if several else control

    @property
    def lines(self) -> list[str]:
        return lines(self.values)

    @property
    def matches(self) -> list[str]:
        """The matches that this row offers, and the one it has."""
        kind = _as(ConditionField, self.field)
        if kind is None:
            return [self.match]
        found = list(matches_of(kind))
        return found if self.match in found else [*found, self.match]


@dataclass(frozen=True, slots=True)
class ActionRow:
    """`template`: chosen for the text of a reply, which it becomes where none was typed."""

    kind: str = ActionKind.MOVE
    value: str = ""
    text: str = ""
    template: str = ""

    @property
    def control(self) -> str:
        kind = _as(ActionKind, self.kind)
        return NOTHING if kind is None else _ACTION_CONTROLS.get(kind, NOTHING)


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """What the form holds. `stop` is a box of its own, not a row."""

    id: str = ""
    name: str = ""
    any: bool = False
    on: bool = True
    conditions: tuple[ConditionRow, ...] = ()
    actions: tuple[ActionRow, ...] = ()
    stop: bool = False
    errors: Mapping[str, str] = field(default_factory=dict)  # by the field they belong to (BadRuleError.what)


def matches_of(kind: ConditionField) -> Iterable[str]:
    for match in MATCHES[kind]:
        yield match
        if kind not in _PLAIN_ONLY:
            yield f"!{match}"


def draft_of(rule: FilterRule) -> RuleDraft:
    actions = tuple(ActionRow(one.kind, one.value, one.text) for one in rule.actions if one.kind is not ActionKind.STOP)
    stop = any(one.kind is ActionKind.STOP for one in rule.actions)
    return RuleDraft(rule.id, rule.name, rule.any, rule.on, tuple(_row_of(one) for one in rule.conditions), actions, stop)


def _row_of(condition: RuleCondition) -> ConditionRow:
    match = ("!" if condition.negated else "") + condition.match
    if condition.field is ConditionField.SIZE:
        size = int(condition.values[0])
        unit = next(name for name, factor in UNITS.items() if size % factor == 0)
        return ConditionRow(condition.field, match, str(size // UNITS[unit]), unit=unit)
    return ConditionRow(condition.field, match, "\n".join(condition.values), condition.header)


def read(form: Any) -> RuleDraft:
    """The draft in a form (a MultiDict). What can't be a field or an action is none; nothing is ever refused here."""
    names = [found for name in list(form)[:2000] if (found := _ROW.fullmatch(name))]
    numbers = {part: sorted({int(one[2]) for one in names if one[1] == part}) for part in ("conditions", "actions")}
    return RuleDraft(
        id=sent if _ID.fullmatch(sent := form.get("id", "")) else "",
        name=_line(form.get("name", ""))[: LONGEST_NAME + 1],
        any=form.get("any") == "any",
        on=form.get("on") != "0",
        conditions=tuple(_condition_row(form, f"conditions-{n}") for n in numbers["conditions"][: MOST_CONDITIONS + 1]),
        actions=tuple(_action_row(form, f"actions-{n}") for n in numbers["actions"][: MOST_ACTIONS + 1]),
        stop="stop" in form,
    )


def _condition_row(form: Any, where: str) -> ConditionRow:
    kind = _as(ConditionField, form.get(f"{where}-field", "")) or ConditionField.FROM
    match = form.get(f"{where}-match", "")
    if _as(MatchKind, match.removeprefix("!")) not in MATCHES[kind]:
        match = ("!" if match.startswith("!") and kind not in _PLAIN_ONLY else "") + _usual(kind)
    values = "\n".join(form.getlist(f"{where}-values"))[:LONGEST_DATA]
    row = ConditionRow(kind, match, values, form.get(f"{where}-header", "")[:200].strip(), form.get(f"{where}-unit", "mb"))
    was = _as(ConditionField, form.get(f"{where}-was", kind))
    if was is not None and _CONTROLS.get(was, TEXTS) != _CONTROLS.get(kind, TEXTS):
        row = replace(row, values="", match=_usual(kind) if match == _usual(was) else match)
    return row if row.unit in UNITS else replace(row, unit="mb")


def _usual(kind: ConditionField) -> MatchKind:
    """The match of a row whose field was just chosen."""
    return MatchKind.CONTAINS if MatchKind.CONTAINS in MATCHES[kind] else MATCHES[kind][0]


def _action_row(form: Any, where: str) -> ActionRow:
    kind = _as(ActionKind, form.get(f"{where}-kind", "")) or ActionKind.MOVE
    value, text = form.get(f"{where}-value", "")[:2000], form.get(f"{where}-text", "")[:LONGEST_DATA]
    row = ActionRow(kind, value, text, form.get(f"{where}-template", ""))
    was = _as(ActionKind, form.get(f"{where}-was", kind))
    if was is not None and _ACTION_CONTROLS.get(was) != _ACTION_CONTROLS.get(kind):
        row = replace(row, value="")
    return row


def rule_of(draft: RuleDraft) -> FilterRule:
    """The rule that the draft stands for. Raises BadRuleError, whose `what` is the field it belongs to."""
    actions = [RuleAction(ActionKind(row.kind), *_filled(row)) for row in draft.actions]
    if draft.stop:
        actions.append(RuleAction(ActionKind.STOP))
    conditions = tuple(_condition(row, f"conditions-{number}") for number, row in enumerate(draft.conditions))
    rule = FilterRule(draft.name.strip(), conditions, tuple(actions), draft.any, draft.on, draft.id)
    check(rule)
    return rule


def faults(draft: RuleDraft) -> list[BadRuleError]:
    """What is wrong in each row, at most one fault a row."""
    found: list[BadRuleError] = []
    for number, condition in enumerate(draft.conditions):
        try:
            check_condition(_condition(condition, where := f"conditions-{number}"), where)
        except BadRuleError as fault:
            found.append(fault)
    for number, action in enumerate(draft.actions):
        try:
            check_action(RuleAction(ActionKind(action.kind), *_filled(action)), f"actions-{number}")
        except BadRuleError as fault:
            found.append(fault)
    return found


def _condition(row: ConditionRow, where: str) -> RuleCondition:
    kind, match = ConditionField(row.field), MatchKind(row.match.removeprefix("!"))
    values = tuple(lines(row.values))
    if row.control == NOTHING:
        values = ()
    if kind is ConditionField.CONTACTS:
        values = values[:1]
    if kind is ConditionField.SIZE and values:
        values = (_bytes(values[0], row.unit, f"{where}-values"),)
    header = row.header if kind is ConditionField.HEADER else ""
    return RuleCondition(kind, match, values, header, row.match.startswith("!"))


def _bytes(typed: str, unit: str, where: str) -> str:
    try:
        return str(round(float(typed.replace(",", ".")) * UNITS[unit]))
    except (ValueError, OverflowError) as error:
        raise BadRuleError(where, "number") from error


def _filled(row: ActionRow) -> tuple[str, str]:
    """The value and the text that this kind of action has, and no others."""
    match row.control:
        case control if control in (FOLDER, TAG):
            return row.value, ""
        case control if control in (ADDRESS, NUMBER):
            return row.value.strip(), ""
        case control if control == REPLY:
            return _line(row.value).strip(), row.text
        case control if control == TEXT:
            return "", row.text
    return "", ""


def prefilled(arguments: Any) -> RuleDraft:
    """The draft that a link asks for; see `views/rules.py`. Anything in it that makes no sense is left out."""
    fields, matches = arguments.getlist("field")[:MOST_CONDITIONS], arguments.getlist("match")
    values, headers = arguments.getlist("value"), arguments.getlist("header")
    conditions = []
    for number, name in enumerate(fields):
        kind = _as(ConditionField, name)
        if kind is None:
            continue
        match = _nth(matches, number) or (MatchKind.CONTAINS if MatchKind.CONTAINS in MATCHES[kind] else MATCHES[kind][0])
        if _as(MatchKind, match.removeprefix("!")) not in MATCHES[kind]:
            match = MATCHES[kind][0]
        row = ConditionRow(kind, match, _nth(values, number)[:LONGEST_DATA], _nth(headers, number)[:100])
        if kind is ConditionField.SIZE and row.values.isascii() and row.values.isdigit():
            row = _row_of(RuleCondition(kind, MatchKind(match.removeprefix("!")), (row.values[:20],)))
        conditions.append(row)
    targets, texts = arguments.getlist("to"), arguments.getlist("text")
    kinds = [_as(ActionKind, name) for name in arguments.getlist("action")[:MOST_ACTIONS]]
    actions = [
        ActionRow(kind, _nth(targets, number)[:2000], _nth(texts, number)[:LONGEST_DATA])
        for number, kind in enumerate(kinds)
        if kind not in (None, ActionKind.STOP)
    ]
    return RuleDraft(
        name=_line(arguments.get("name", ""))[:LONGEST_NAME],
        any=arguments.get("any") == "any",
        conditions=tuple(conditions) or (ConditionRow(),),
        actions=tuple(actions) or (ActionRow(),),
        stop=ActionKind.STOP in kinds,
    )


def lines(text: str) -> list[str]:
    return [line.strip() for line in _ONE_LINE.split(text) if line.strip()]


def _line(text: str) -> str:
    return _ONE_LINE.sub(" ", text)


def _nth(values: Sequence[str], number: int) -> str:
    return values[number] if number < len(values) else ""


def _as(kind: type[Any], word: str) -> Any:
    try:
        return kind(word)
    except ValueError:
        return None
