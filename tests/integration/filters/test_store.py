"""Filters on a real Pigeonhole: stored, activated, read back; beside another program's script; two at once; refused scripts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from webmail import managesieve
from webmail.filters import store
from webmail.filters.absence.absence import Absence, Audience
from webmail.filters.forwarding.forwarding import Forwarding
from webmail.filters.rules.compiler import SievePlace
from webmail.filters.rules.rules import MATCHES, ActionKind, ConditionField, FilterRule, MatchKind, RuleAction, RuleCondition
from webmail.filters.store import BESIDE, FOUND, Filters, FiltersChangedError
from webmail.managesieve import ScriptRefusedError

PLACE = SievePlace(
    frozenset(), ("example.org",), ("me@example.org",), authserv_id="mx", contacts=lambda _group: ("a@x.fr", "b@x.fr")
)
ALL_ACTIONS = (
    RuleAction(ActionKind.MOVE, 'Wo"rk/é'), RuleAction(ActionKind.COPY, "Copies"), RuleAction(ActionKind.TAG, "$label1"), RuleAction(ActionKind.FLAG),
    RuleAction(ActionKind.READ), RuleAction(ActionKind.FORWARD, "x@example.org"), RuleAction(ActionKind.REPLY, "Re: été", "Bonjour\n.\n"),
    RuleAction(ActionKind.SNOOZE, "3"), RuleAction(ActionKind.STOP),
)  # fmt: skip


@pytest.fixture
def account(make_account, account_of):
    return account_of(make_account())


def save(account, filters: Filters, version: str = "") -> None:
    with store.changing(1, account, version) as change:
        change.filters, change.place = filters, PLACE


def test_nothing_is_there_at_first(account):
    state = store.load(account)
    assert state.filters == Filters() and not state.is_active and not state.edited
    assert {"fileinto", "vacation", "imap4flags", "include"} <= state.extensions


@pytest.mark.parametrize("field", ConditionField)
def test_the_server_takes_every_condition(account, field):
    rules = []
    for match in MATCHES[field]:
        values = () if match is MatchKind.PRESENT else ("2026-12-24",) if field is ConditionField.DATE else ("3",)
        for negated in (False, True):
            conditions = (RuleCondition(field, match, values, "X-A" if field is ConditionField.HEADER else "", negated),)
            rules.append(FilterRule(f"{match} {negated}", conditions, (RuleAction(ActionKind.FLAG),), id=f"{match}{negated}"))
    if field is ConditionField.SPAM and "spamtestplus" not in store.load(account).extensions:
        pytest.skip("the server has no spamtest")
    save(account, Filters(tuple(rules)))
    assert store.load(account).filters.rules == tuple(rules)


def test_everything_comes_back_and_is_active(account):
    now = datetime.now(UTC).replace(microsecond=0)
    rules = (
        FilterRule('é "x"', (RuleCondition(ConditionField.SUBJECT, MatchKind.CONTAINS, ("été", "\\*?")),), ALL_ACTIONS, id="a"),
        FilterRule("refused", (), (RuleAction(ActionKind.REJECT, text="Non.\r\n.\r\n"),), on=False, id="b"),
    )
    absence = Absence(
        True,
        now,
        now + timedelta(days=3),
        "Absent",
        "Je suis **absent**.\nMerci.\n",
        "inside",
        formatted=True,
        audience=Audience.CONTACTS,
        days=1,
    )
    filters = Filters(rules, absence, Forwarding(True, ("x@example.org", "y@example.org"), False, now + timedelta(days=1)))
    save(account, filters)
    state = store.load(account)
    assert state.filters == filters
    assert state.is_active and not state.edited and not state.unreadable
    save(account, Filters(rules, absence, paused=True))
    assert store.load(account).filters == Filters(rules, absence, paused=True)


def test_two_tabs(account):
    version = store.load(account).version
    save(account, Filters((FilterRule("a", (), (RuleAction(ActionKind.FLAG),), id="a"),)), version)
    with pytest.raises(FiltersChangedError):
        save(account, Filters(), version)
    assert len(store.load(account).filters.rules) == 1


def test_another_program_s_script_stays_as_it_is(account):
    theirs = 'require "fileinto";\r\n# by hand\r\nif header :contains "subject" "x" { fileinto "X"; }\r\n'
    with managesieve.connect(account) as connection:
        connection.write("theirs", theirs)
        connection.activate("theirs")
    save(account, Filters((FilterRule("a", (), (RuleAction(ActionKind.FLAG),), id="a"),)))
    state = store.load(account)
    assert state.other == "theirs" and not state.is_active
    store.run_beside(1, account, "theirs")
    state = store.load(account)
    assert state.other == "theirs" and state.beside and state.is_active and len(state.filters.rules) == 1
    with managesieve.connect(account) as connection:
        assert connection.read("theirs") == theirs
        assert [script.name for script in connection.list() if script.active] == [BESIDE]
    store.run_alone(1, account)
    assert store.load(account).is_active and not store.load(account).other


def scripts_of(account) -> dict[str, str]:
    with managesieve.connect(account) as connection:
        return {script.name: connection.read(script.name) for script in connection.list()}


def test_what_another_program_wrote_into_ours_is_kept_under_another_name(account):
    save(account, Filters((FilterRule("a", (), (RuleAction(ActionKind.FLAG),), id="a"),)))
    written = []
    for more in ("discard;", "# traboule:rule 0123456789abcdef {}", "discard;"):
        with managesieve.connect(account) as connection:
            written.append(connection.read(store.NAME) + f"\r\n{more}\r\n")
            connection.write(store.NAME, written[-1])
        save(account, store.load(account).filters)
        assert store.load(account).is_ours
    found = scripts_of(account)
    assert {name: text for name, text in found.items() if name != store.NAME} == {FOUND: written[0], f"{FOUND}-2": written[1]}
    assert written[0] == written[2]


def test_what_the_server_refuses_is_told_with_its_line_and_replaces_nothing(account):
    save(account, Filters((FilterRule("a", (), (RuleAction(ActionKind.FLAG),), id="a"),)))
    with managesieve.connect(account) as connection:
        with pytest.raises(ScriptRefusedError) as refused:
            connection.write(store.NAME, "keep;\r\nexplode;\r\n")
        with pytest.raises(ScriptRefusedError):
            connection.check("if {")
        with pytest.raises(managesieve.NoSuchScriptError):
            connection.read("nothing")
    assert refused.value.faults[0][0] == 2 and "explode" in refused.value.faults[0][1]
    assert len(store.load(account).filters.rules) == 1
