"""Matching without a server: what is asked, what is left unread, how values compare, and what applying a rule is planned to do."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from webmail.filters.rules import matching
from webmail.filters.rules.apply_steps import ApplyPlan, _joined, merged
from webmail.filters.rules.compiler import SievePlace, condition_test
from webmail.filters.rules.matching import CannotTellError, holds
from webmail.filters.rules.rules import ActionKind, ConditionField, FilterRule, MatchKind, RuleAction, RuleCondition
from webmail.imap.bulk.match_data import MessageEvidence, without_markup
from webmail.mailbox.undo import UndoSteps
from webmail.mime.headers import headers

F, M, A = ConditionField, MatchKind, ActionKind
PLACE = SievePlace(frozenset(), ("lycee.example",))


def seen(head: str, received: datetime = datetime(2026, 3, 1, 9, 30, tzinfo=UTC), **more) -> MessageEvidence:
    raw = head.encode()
    return MessageEvidence(1, 1000, received, raw, headers.fields(raw), **more)


def asked(field: ConditionField, match: MatchKind, *values: str, negated: bool = False, header: str = "") -> RuleCondition:
    return RuleCondition(field, match, values, header, negated)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (asked(F.SUBJECT, M.CONTAINS, "DEVIS"), True),
        (asked(F.SUBJECT, M.CONTAINS, "été"), True),
        (asked(F.SUBJECT, M.CONTAINS, "ete"), False),
        (asked(F.SUBJECT, M.BEGINS, "un devis"), True),
        (asked(F.SUBJECT, M.ENDS, "(2*)"), True),
        (asked(F.SUBJECT, M.MATCHES, "un*d?vis*"), True),
        (asked(F.SUBJECT, M.MATCHES, "un*d??vis*"), False),
        (asked(F.FROM, M.IS, "zoe@maths.example"), True),
        (asked(F.FROM, M.CONTAINS, "martin, zo"), True),
        (asked(F.HEADER, M.PRESENT, header="X-None"), False),
        (asked(F.HEADER, M.PRESENT, header="X-None", negated=True), True),
        (asked(F.INSIDE, M.PRESENT), False),
        (asked(F.SIZE, M.LEAST, "1000"), True),
        (asked(F.SIZE, M.MOST, "999"), False),
    ],
)
def test_values_compare_as_in_sieve(condition, expected):
    one = seen('From: "Martin, Zoé" <Zoe@Maths.example>\nSubject: Un =?utf-8?q?devis_d=27=C3=A9t=C3=A9?=\n (2*)\n')
    assert holds(condition_test(condition, PLACE), one) is expected


def test_now_is_when_it_arrived_where_the_server_is():
    one = seen("", datetime(2026, 3, 1, 23, 30, tzinfo=timezone(timedelta(hours=-5))))
    for condition in (asked(F.DATE, M.IS, "2026-03-01"), asked(F.HOUR, M.LEAST, "23"), asked(F.WEEKDAY, M.IS, "0")):
        assert holds(condition_test(condition, PLACE), one)


def test_what_only_the_server_knows_is_not_guessed():
    condition = asked(F.SPAM, M.LEAST, "50")
    assert not matching.can_tell(FilterRule("x", (condition,)))
    with pytest.raises(CannotTellError):
        holds(condition_test(condition, PLACE), seen(""))


def test_a_pattern_full_of_wildcards_takes_no_time():
    one = seen("Subject: " + "a" * 900)
    began = time.process_time()
    assert not holds(condition_test(asked(F.SUBJECT, M.MATCHES, "*a" * 400 + "*b"), PLACE), one)
    assert time.process_time() - began < 1


def test_one_message_and_one_condition_may_not_take_all_the_time(monkeypatch):
    """Long texts and 200 values of wildcards would take an hour."""
    monkeypatch.setattr(matching, "SLOWEST", 0.1)
    monkeypatch.setattr(matching.match_data, "add_texts", lambda _connection, _found: 0)
    rule = FilterRule("x", (asked(F.BODY, M.MATCHES, *(f"*{'?' * 100}{number}b" for number in range(200))),))
    slow, quick = (seen("", texts=("a" * size,) * 20) for size in (50_000, 1))
    began = time.process_time()
    tried = matching._judged(None, [slow, quick], rule, PLACE)
    assert (tried.looked, tried.unread, tried.touched) == (1, 1, ()) and time.process_time() - began < 2


def test_html_as_sieve_reads_it():
    html = (
        "<!-- none --><STYLE>p {color: red}</STYLE><p>Tout <b>gr</b>as &lt; &eacute;t&eacute;</p><script>var a = '<'</script> fin"
    )
    assert without_markup(html) == "Tout gras < été fin"
    assert without_markup("İİİ<SCRIPT>x</Script><p>fin") == "İİİfin"  # which is longer in small letters
    assert without_markup("a <b") == "a <b" and without_markup("vu <!-- jamais") == "vu "
    began = time.process_time()
    for bad in ("<" * 200_000, "<!--" * 50_000, "<style" * 40_000, "<!-->" * 50_000):
        without_markup(bad)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("actions", "plan"),
    [
        ([(A.MOVE, "A")], ((), (), "A")),
        ([(A.DELETE, "")], ((), (), "Trash")),
        ([(A.MOVE, "A"), (A.MOVE, "B"), (A.COPY, "B")], ((), ("A",), "B")),
        ([(A.MOVE, "INBOX"), (A.MOVE, "B")], ((), ("B",), "")),
        ([(A.COPY, "A"), (A.COPY, "A"), (A.FLAG, ""), (A.READ, ""), (A.TAG, "x")], (("\\Flagged", "\\Seen", "x"), ("A",), "")),
        ([(A.FORWARD, "a@b.example"), (A.REPLY, "x"), (A.REJECT, ""), (A.SNOOZE, "3"), (A.STOP, "")], ((), (), "")),
    ],
)
def test_what_a_rule_does_to_old_mail(actions, plan):
    rule = FilterRule("x", (), tuple(RuleAction(*one) for one in actions))
    assert ApplyPlan.for_rule(rule, "INBOX", "Trash") == ApplyPlan(*plan)


def test_steps_of_many_batches_stay_short():
    kept: list[list[object]] = []
    for at in range(0, 1000, 100):
        steps = UndoSteps()
        steps.move("A", 7, range(at + 1, at + 101), "INBOX")
        kept = merged(kept, steps)
    assert kept == [["move", "A", 7, "INBOX", "1:1000"]]
    assert _joined("1:3,5", "6,9:10") == "1:3,5:6,9:10" and _joined("4", "9") == "4,9"
