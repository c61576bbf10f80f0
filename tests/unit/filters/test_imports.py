"""Rules of other programs: what is taken means the same or says what differs; the rest is listed; hostile files are refused."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.filters.forwarding.forwarding import Forwarding
from webmail.filters.imports.detection import read_rules
from webmail.filters.imports.found import LARGEST, Difference, NotReadableError, WhyLeftOut
from webmail.filters.imports.own_json import rules_as_json
from webmail.filters.rules.compiler import SievePlace, compiled
from webmail.filters.rules.rules import (
    MATCHES,
    ActionKind,
    ConditionField,
    FilterRule,
    MatchKind,
    RuleAction,
    RuleCondition,
    check,
)
from webmail.filters.senders.senders import SenderLists
from webmail.filters.store import Filters, script_of
from webmail.sieve.extensions import with_require
from webmail.sieve.writer import write

SAMPLES = sorted((Path(__file__).parents[2] / "samples" / "filters").iterdir())
PLACE = SievePlace(frozenset())
OF_PLACE = (ConditionField.CONTACTS, ConditionField.INSIDE, ConditionField.UNPROVEN)  # what they mean depends on the person


def sample(name: str):
    return read_rules(next(path for path in SAMPLES if path.name == name).read_bytes())


def read(text: str):
    return read_rules(text.encode())


def value_of(field: ConditionField) -> str:
    numbers = {ConditionField.SIZE: "2000", ConditionField.SPAM: "50", ConditionField.WEEKDAY: "1", ConditionField.HOUR: "8"}
    return numbers.get(field, "2026-12-24" if field is ConditionField.DATE else "a@b*.?xample")


CONDITIONS = [
    RuleCondition(field, match, () if match is MatchKind.PRESENT else (value_of(field),), "x-a" if field is ConditionField.HEADER else "", no)
    for field, matches in MATCHES.items()
    if field not in OF_PLACE
    for match in matches
    for no in (False, True)
]  # fmt: skip


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda one: f"{one.field}-{one.match}-{one.negated}")
def test_what_we_compile_comes_back_with_the_same_meaning(condition):
    rule = FilterRule(
        "x", (condition,), (RuleAction(ActionKind.READ), RuleAction(ActionKind.MOVE, "A"), RuleAction(ActionKind.STOP))
    )
    commands = compiled(rule, PLACE)
    [found] = read(write(with_require(commands))).rules
    assert not found.differences
    assert compiled(found.rule, PLACE) == commands


@pytest.mark.parametrize(
    "test, condition",
    [
        ('header :is "subject" "x"', RuleCondition(ConditionField.SUBJECT, MatchKind.IS, ("x",))),
        ('header :matches "subject" "*x*"', RuleCondition(ConditionField.SUBJECT, MatchKind.CONTAINS, ("x",))),
        (r'header :matches "subject" "a\\*b*"', RuleCondition(ConditionField.SUBJECT, MatchKind.BEGINS, ("a*b",))),
        ('address :domain "from" "b.example"', RuleCondition(ConditionField.FROM, MatchKind.ENDS, ("@b.example",))),
        ('not exists "x-a"', RuleCondition(ConditionField.HEADER, MatchKind.PRESENT, (), "x-a", True)),
        ("size :over 5K", RuleCondition(ConditionField.SIZE, MatchKind.LEAST, ("5121",))),
        ('currentdate :value "lt" "hour" "09"', RuleCondition(ConditionField.HOUR, MatchKind.LEAST, ("9",), negated=True)),
    ],
)  # fmt: skip
def test_conditions_of_others(test, condition):
    [found] = read(f"if {test} {{ stop; }}").rules
    assert found.rule.conditions == (condition,) and not found.differences


@pytest.mark.parametrize(
    "script, reason",
    [
        ('if envelope "from" "x" { stop; }', WhyLeftOut.CONDITION),
        ('if header :regex "subject" "x" { stop; }', WhyLeftOut.CONDITION),
        ('if currentdate :zone "+0100" :is "weekday" "1" { stop; }', WhyLeftOut.CONDITION),
        ('if allof (header "a" "1", anyof (header "b" "2", header "c" "3")) { stop; }', WhyLeftOut.NESTED),
        ('if header "a" "1" { keep; notify "x"; }', WhyLeftOut.ACTION),
        ('if header "a" "1" { addflag "\\\\Deleted"; }', WhyLeftOut.ACTION),
        ('require "variables"; if header "a" "1" { fileinto "${x}"; }', WhyLeftOut.VARIABLES),
        ("if false { stop; }", WhyLeftOut.NEVER),
        ('if header "a" "1" { }', WhyLeftOut.NOTHING),
        ('redirect "x@y.example";', WhyLeftOut.FORWARDING),
    ],
)
def test_what_does_not_map_is_listed_whole(script, reason):
    found = read(script)
    assert found.rules == () and [one.reason for one in found.left_out] == [reason]
    assert found.left_out[0].words and found.left_out[0].place == 1


def test_branches_become_rules_that_exclude_each_other():
    found = read('if header "a" "1" { keep; } elsif header "b" "2" { discard; stop; } else { fileinto "C"; }')
    first, second, third = (one.rule for one in found.rules)
    not_a = RuleCondition(ConditionField.HEADER, MatchKind.IS, ("1",), "a", True)
    assert first.actions == (RuleAction(ActionKind.MOVE, "INBOX"),)
    assert second.conditions[0] == not_a and Difference.TRASH in found.rules[1].differences
    assert third.conditions == (not_a,)  # whoever came to the second never comes here


def test_programs_by_their_samples():
    assert [(one.rule.name, one.rule.on) for one in sample("roundcube.sieve").rules] == [
        ("Letters", True),
        ("Switched off", False),
    ]
    assert [one.reason for one in sample("roundcube.sieve").left_out] == [WhyLeftOut.NESTED]
    away = sample("sogo.sieve").absence
    assert away and away.text == "I am away." and not away.on
    assert (sample("ingo.sieve").program, sample("ingo.sieve").rules[0].rule.name) == ("Ingo", "Newsletters")
    assert [one.rule.on for one in sample("zimbra.sieve").rules] == [False]
    assert [one.name for one in sample("zimbra.xml").left_out] == ["Social"]
    assert sample("zimbra.json").rules[0].rule.actions == (RuleAction(ActionKind.REPLY, "", "hello"),)


def test_thunderbirds_quotes_folders_and_what_it_runs_by_hand():
    first, by_hand, everything = sample("msgFilterRules.dat").rules
    assert first.rule.conditions[1].values == ('news, (and" more)',) and first.rule.any
    assert RuleAction(ActionKind.MOVE, "INBOX/Réunions") in first.rule.actions
    assert not by_hand.rule.on and by_hand.left == ("Change priority High",)
    assert everything.rule.conditions == () and Difference.LOCAL in everything.differences


def test_gmails_searches():
    found = sample("mailFilters.xml")
    assert found.rules[0].rule.conditions == (
        RuleCondition(ConditionField.FROM, MatchKind.CONTAINS, ("news@x.example", "shop@y.example")),
    )
    assert found.rules[0].left == ("shouldNeverSpam: true",)
    assert found.rules[1].rule.conditions[0].field is ConditionField.LIST
    assert [one.place for one in found.left_out] == [4]


def gmail(**asked: str):
    told = "".join(f"<apps:property name='{name}' value='{value}'/>" for name, value in {**asked, "shouldTrash": "true"}.items())
    names = 'xmlns="http://www.w3.org/2005/Atom" xmlns:apps="http://schemas.google.com/apps/2006"'
    return read(f"<feed {names}><entry>{told}</entry></feed>")


FROM, SUBJECT, CONTAINS = ConditionField.FROM, ConditionField.SUBJECT, MatchKind.CONTAINS
LARGE = RuleCondition(ConditionField.SIZE, MatchKind.LEAST, ("5242881",))
ATTACHED = RuleCondition(ConditionField.ATTACHMENT, MatchKind.PRESENT)


@pytest.mark.parametrize(
    ("asked", "conditions"),
    [
        ({"from": "*@corp.example"}, (RuleCondition(FROM, CONTAINS, ("@corp.example",)),)),
        ({"hasTheWord": "has:attachment larger:5M"}, (ATTACHED, LARGE)),
        (
            {"hasTheWord": "from:(a) subject:(b OR c)"},
            (RuleCondition(FROM, CONTAINS, ("a",)), RuleCondition(SUBJECT, CONTAINS, ("b", "c"))),
        ),
        ({"hasTheWord": "from:a OR from:b"}, (RuleCondition(FROM, CONTAINS, ("a", "b")),)),
        (
            {"hasTheWord": '-from:a subject:"x y"'},
            (RuleCondition(FROM, CONTAINS, ("a",), negated=True), RuleCondition(SUBJECT, CONTAINS, ("x y",))),
        ),
    ],
)  # fmt: skip
def test_gmails_operators(asked, conditions):
    [found] = gmail(**asked).rules
    assert found.rule.conditions == conditions and not found.rule.any


@pytest.mark.parametrize("words", ["from:a OR subject:b", "(from:a subject:b) OR to:c", "in:inbox", "-from:(a b)", "from:a OR"])
def test_gmails_searches_that_have_no_equal_stay_there(words):
    found = gmail(hasTheWord=words)
    assert not found.rules and len(found.left_out) == 1


def test_ingos_blacklist():
    script = """# Blacklisted Addresses
if address :all :comparator "i;ascii-casemap" :is ["From", "Sender", "Resent-From"] ["spam@x.example", "b@y.example"]  {
    discard;
    stop;
}
"""
    [found] = read(script).rules
    assert found.rule.any and [one.header for one in found.rule.conditions] == ["", "sender", "resent-from"]
    assert set(found.differences) >= {Difference.NAMES, Difference.TRASH}


def test_a_second_answer_to_all_is_said():
    found = read('require "vacation";\nvacation "One";\nif true { vacation :days 7 "Two"; }\n')
    assert found.absence and found.absence.text == "One" and found.absence_differences == ()
    assert [(one.reason, "Two" in one.words) for one in found.left_out] == [(WhyLeftOut.SECOND, True)]


def test_what_an_absence_does_otherwise_is_said():
    found = read('require "vacation";\nvacation :days 3 :addresses ["a@x.example"] :from "b@x.example" "One";\n')
    assert found.absence and found.absence.days == 7
    assert found.absence_differences == (Difference.DAYS, Difference.ADDRESSES, Difference.FROM)


def test_of_our_own_script_what_has_pages_of_its_own_is_listed():
    kept = Filters(senders=SenderLists(("bad@x.example",), ("@y.example",)), forwarding=Forwarding(True, ("me@z.example",)))
    found = read(script_of(kept, PLACE))
    told = {one.reason: one.words for one in found.left_out}
    assert told == {WhyLeftOut.FORWARDING: "me@z.example", WhyLeftOut.BLOCKED: "bad@x.example", WhyLeftOut.SAFE: "@y.example"}


def test_own_file_comes_back():
    rules = [one.rule for one in sample("msgFilterRules.dat").rules]
    assert [one.rule for one in read_rules(rules_as_json(rules).encode()).rules] == rules


@pytest.mark.parametrize("data", [
    b"", b"\0", b"x" * (LARGEST + 1), b"<!DOCTYPE a [<!ENTITY b 'c'>]><feed>&b;</feed>", b"<a>" * 1000, b"[" * 100_000, b"if {",
    b"keep;" * 100_000, b'name="', b"if " + b"not " * 100 + b"true {}", b'{"a":' * 1000,
])  # fmt: skip
def test_hostile_files_are_refused_quickly(data):
    with cpu_seconds(5), pytest.raises(NotReadableError):
        read_rules(data)


def test_whatever_is_cut_or_mixed_is_read_or_refused():
    """Never another error, and never a rule that could not be."""
    chance = random.Random(17)
    seeds = [path.read_bytes() for path in SAMPLES]
    for _round in range(400):
        data = bytearray(chance.choice(seeds))
        for _cut in range(chance.randrange(4)):
            at, other = chance.randrange(len(data) + 1), chance.choice(seeds)
            start = chance.randrange(len(other))
            data[at : at + chance.randrange(20)] = chance.choice([b"", b'"', b"\\", b"(", b"\xff", other[start : start + 40]])
        try:
            found = read_rules(bytes(data[: chance.randrange(len(data) + 1)] if chance.random() < 0.3 else data))
        except NotReadableError:
            continue
        for one in found.rules:
            check(one.rule)
