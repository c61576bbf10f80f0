"""Rules come back from the script that does them, whatever stands in them; what others changed in it is noticed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from webmail.errors import OverQuotaError
from webmail.filters import own_script, store
from webmail.filters.own_script import ScriptPart
from webmail.filters.rules.compiler import SievePlace, compiled, missing
from webmail.filters.rules.rules import (
    MATCHES,
    ActionKind,
    BadRuleError,
    ConditionField,
    FilterRule,
    MatchKind,
    RuleAction,
    RuleCondition,
    check,
    from_json,
    to_json,
)
from webmail.filters.store import Filters, FilterState
from webmail.sieve.parser import parse

EVERYTHING = frozenset(
    [
        "body",
        "comparator-i;ascii-numeric",
        "comparator-i;unicode-casemap",
        "copy",
        "date",
        "fileinto",
        "imap4flags",
        "mailbox",
        "mime",
        "reject",
        "relational",
        "spamtestplus",
        "vacation",
    ]
)
PLACE = SievePlace(
    EVERYTHING, ("lycee.example",), ("ann@lycee.example",), authserv_id="mx.example", contacts=lambda group: (f"{group}@x.fr",)
)

ATTEMPTS = [
    '"; discard; #', '"]; redirect "eve@x.fr"; if header :is "x" ["', "\\", '\\"', "a\r\nkeep;\r\n", "a\n.\nredirect \"eve@x.fr\";\n", "text:\r\n.\r\n",
    "${x}", "${hex:22}; discard;", "*/ discard; /*", "# traboule:rule 0000000000000000 {}", "}\r\nstop;", '","x', "*?\\*", "\x01\x7f", "é\u2028x",
    "\u202eabc", "a" * 900, "]", ")", ";", "require \"fileinto\";", "\tx", "é", "\U0001f600", "'; DROP TABLE", "%s %(x)s {0}",
]  # fmt: skip


def rule(text: str = "x", **more) -> FilterRule:
    line = text.replace("\r", " ").replace("\n", " ")
    fields = {
        "name": "".join(mark for mark in text if mark.isprintable())[:100] or "x",
        "conditions": (
            RuleCondition(ConditionField.FROM, MatchKind.CONTAINS, (text, "b")),
            RuleCondition(ConditionField.HEADER, MatchKind.ENDS, (text,), "X-Spam", negated=True),
            RuleCondition(ConditionField.ATTACHMENT, MatchKind.BEGINS, (text,)),
        ),
        "actions": (
            RuleAction(ActionKind.MOVE, line),
            RuleAction(ActionKind.TAG, line),
            RuleAction(ActionKind.REPLY, line, text),
            RuleAction(ActionKind.REJECT, text=text),
            RuleAction(ActionKind.FORWARD, line),
        ),
        "id": "abc",
    }
    return FilterRule(**(fields | more))


def written(*rules: FilterRule, place: SievePlace = PLACE) -> str:
    return own_script.text_of([ScriptPart("rule", to_json(one), compiled(one, place) if one.on else ()) for one in rules])


@pytest.mark.parametrize("text", ATTEMPTS)
def test_no_text_becomes_sieve_and_the_rules_come_back_exactly(text):
    rules = [rule(text), rule("plain"), rule(text, on=False)]
    for one in rules:
        check(one)
    script = written(*rules)
    found = own_script.read(script)
    assert [from_json(part.data) for part in found.parts_of("rule")] == rules
    assert not found.foreign and not any(part.edited for part in found.parts)
    names = {command.name for command in parse(script).walk()} - {"stop"}
    assert names <= {"require", "if", "fileinto", "addflag", "vacation", "reject", "redirect"}
    addresses = [one.arguments[-1].value for one in parse(script).walk() if one.name == "redirect"]
    assert addresses == [text.replace("\r\n", "  ").replace("\n", " "), "plain"]


def test_a_rule_without_conditions_is_for_every_message():
    one = FilterRule("all", actions=(RuleAction(ActionKind.READ),))
    assert [command.name for command in compiled(one, PLACE)] == ["addflag"]
    assert [from_json(part.data) for part in own_script.read(written(one)).parts] == [one]


def test_what_another_program_changed_is_noticed():
    script = written(rule("a"), rule("b"))
    changed = script.replace('redirect :copy "b"', 'redirect :copy "eve@x.fr"')
    assert changed != script
    assert [part.edited for part in own_script.read(changed).parts] == [False, True]
    assert own_script.read("discard;\r\n" + script).foreign


def test_layout_and_line_ends_are_no_change():
    script = written(rule("a"))
    assert not any(part.edited for part in own_script.read(script.replace("\r\n", "\n").replace("    ", "\t")).parts)


@pytest.mark.parametrize("script", ["keep;", "", 'require "fileinto";\nfileinto "x";', "if {", "# traboule:rule xyz {}\r\nkeep;"])
def test_a_script_of_others_is_not_taken_for_ours(script):
    assert own_script.read(script) is None


def test_an_empty_script_of_ours_is_ours():
    assert own_script.read(own_script.text_of([])).parts == ()


@pytest.mark.parametrize("field", ConditionField)
@pytest.mark.parametrize("negated", [False, True])
def test_every_condition_compiles_and_comes_back(field, negated):
    for match in MATCHES[field]:
        value = {ConditionField.DATE: "2026-12-24"}.get(field, "3")
        values = () if match is MatchKind.PRESENT else (value,)
        one = rule(conditions=(RuleCondition(field, match, values, "X-A" if field is ConditionField.HEADER else "", negated),))
        check(one)
        assert missing(one, PLACE) == ()
        assert from_json(to_json(one)) == one
        assert own_script.read(written(one)).parts[0].edited is False


def test_what_the_server_lacks_is_named():
    bare = replace(PLACE, extensions=frozenset({"fileinto"}))
    one = FilterRule("x", (RuleCondition(ConditionField.BODY, MatchKind.CONTAINS, ("x",)),), (RuleAction(ActionKind.MOVE, "A"),))
    assert missing(one, bare) == ("body",)
    beyond = FilterRule(
        "x", (RuleCondition(ConditionField.SUBJECT, MatchKind.CONTAINS, ("été",)),), (RuleAction(ActionKind.MOVE, "A"),)
    )
    assert missing(beyond, bare) == ()


@pytest.mark.parametrize(
    ("one", "what"),
    [
        (rule(actions=()), "actions"),
        (rule(name="a\nb"), "name"),
        (rule(name="a" * 101), "name"),
        (rule(conditions=(RuleCondition(ConditionField.SIZE, MatchKind.IS, ("3",)),)), "conditions-0"),
        (rule(conditions=(RuleCondition(ConditionField.SIZE, MatchKind.LEAST, ("3k",)),)), "conditions-0-values"),
        (rule(conditions=(RuleCondition(ConditionField.HOUR, MatchKind.IS, ("24",)),)), "conditions-0-values"),
        (rule(conditions=(RuleCondition(ConditionField.DATE, MatchKind.IS, ("2026-02-30",)),)), "conditions-0-values"),
        (rule(conditions=(RuleCondition(ConditionField.HEADER, MatchKind.IS, ("x",), "a b"),)), "conditions-0-header"),
        (rule(conditions=(RuleCondition(ConditionField.SUBJECT, MatchKind.IS, ()),)), "conditions-0-values"),
        (rule(conditions=(RuleCondition(ConditionField.SUBJECT, MatchKind.IS, ("a\0",)),)), "conditions-0-values"),
        (rule(actions=(RuleAction(ActionKind.MOVE),)), "actions-0-value"),
        (rule(actions=(RuleAction(ActionKind.MOVE, "a\r\nb"),)), "actions-0"),
        (rule(actions=(RuleAction(ActionKind.REJECT),)), "actions-0-text"),
        (rule(actions=(RuleAction(ActionKind.SNOOZE, "0"),)), "actions-0-value"),
    ],
)  # fmt: skip
def test_a_rule_that_can_t_be_is_refused_at_its_field(one, what):
    with pytest.raises(BadRuleError) as refused:
        check(one)
    assert refused.value.what == what


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"name":1}', '{"name":"x","actions":{}}', '{"actions":[{"kind":"explode"}]}', "[" * 90_000]
)
def test_data_that_nobody_wrote_is_refused(text):
    with pytest.raises(BadRuleError):
        from_json(text)


def test_the_longest_reply_comes_back():
    one = FilterRule("x", actions=(RuleAction(ActionKind.REPLY, "Re", "é" * 10_000),))
    check(one)
    assert [from_json(part.data) for part in own_script.read(written(one)).parts] == [one]


def test_a_rule_that_would_fill_the_script_is_refused():
    many = tuple(
        RuleCondition(ConditionField.SUBJECT, MatchKind.IS, tuple(f"{n}{'x' * 990}" for n in range(200))) for _ in range(2)
    )
    with pytest.raises(BadRuleError):
        check(rule(conditions=many))


def test_a_script_that_could_not_be_read_again_is_not_written():
    """As with many conditions on thousands of contacts: it would be taken for another program's from then on."""
    people = tuple(f"{number}@x.fr" for number in range(2000))
    place = replace(PLACE, contacts=lambda _group: people)
    conditions = (RuleCondition(ConditionField.CONTACTS, MatchKind.PRESENT),) * 50
    one = FilterRule("x", conditions, (RuleAction(ActionKind.FLAG),), id="x")
    assert own_script.read(written(one, place=place)) is None
    with pytest.raises(OverQuotaError):
        store._write(None, FilterState(extensions=EVERYTHING), Filters((one,)), place)
