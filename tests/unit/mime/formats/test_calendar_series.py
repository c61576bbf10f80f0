"""Series changed one by one, from one on and all: tables written from RFC 5545, and random rules beside the index's own library."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from tests.support.calendar_texts import calendar, takings, times
from webmail.mime.formats.calendars import calendar_object
from webmail.mime.formats.recurrence import recurrence_edit
from webmail.mime.formats.recurrence.recurrence_rules import UnboundedRuleError, check
from webmail.mime.formats.recurrence.series import (
    CannotChangeError,
    change_one,
    end_before,
    from_on,
    is_first,
    occurrence_fields,
    series_of,
    take_one,
)
from webmail.mime.formats.recurrence.whole_series import change_all

PARIS = ";TZID=Europe/Paris"
WEEKLY = f"DTSTART{PARIS}:20260302T090000|DTEND{PARIS}:20260302T100000|RRULE:FREQ=WEEKLY;COUNT=5|SUMMARY:Cours|X-KEPT:yes"
MOVED = f"RECURRENCE-ID{PARIS}:20260316T090000|DTSTART{PARIS}:20260317T110000|DTEND{PARIS}:20260317T120000|SUMMARY:Autre"
DAYS = "DTSTART;VALUE=DATE:20260302|RRULE:FREQ=DAILY;COUNT=4|SUMMARY:Stage"


def at(text: str, number: int) -> str:
    """The name of one of those that take place."""
    return sorted(takings(text), key=lambda one: one.start)[number].recurrence_id


def changed(scope, text: str, name: str, **changes):
    before = occurrence_fields(series_of(text), name)
    if "start" in changes and "end" not in changes:
        changes["end"] = changes["start"] + before.length
    after = replace(before, **changes)
    if scope == "following":
        new, lost = change_all(from_on(text, name, "new"), before, after)
        return end_before(text, name), new
    return change_one(text, name, before, after) if scope == "one" else change_all(text, before, after)[0]


# --- one -------------------------------------------------------------------------------------------------------------


def test_one_is_changed_and_the_rest_stays():
    text = calendar(WEEKLY)
    after = changed("one", text, at(text, 1), title="Sortie", start=datetime(2026, 3, 10, 14))
    assert times(after) == ["2026-03-02 09:00 Cours", "2026-03-10 14:00 Sortie", "2026-03-16 09:00 Cours",
                            "2026-03-23 09:00 Cours", "2026-03-30 09:00 Cours"]  # fmt: skip
    assert after.count("X-KEPT:yes") == 2 and "RECURRENCE-ID;TZID=Europe/Paris:20260309T090000" in after
    assert after.startswith(text[: text.index("END:VEVENT")])  # the series itself is as it was
    again = changed("one", after, at(after, 1), title="Sortie scolaire")
    assert times(again)[1] == "2026-03-10 14:00 Sortie scolaire" and again.count("BEGIN:VEVENT") == 2


def test_one_that_another_program_names_in_utc_is_found():
    text = calendar(WEEKLY, "RECURRENCE-ID:20260309T080000Z|DTSTART:20260309T120000Z|DTEND:20260309T130000Z|SUMMARY:Autre")
    after = changed("one", text, "20260309T090000", title="Mien")
    assert times(after)[1] == "2026-03-09 13:00 Mien" and after.count("BEGIN:VEVENT") == 2


@pytest.mark.parametrize("lines", [WEEKLY, DAYS, "DTSTART:20260302T090000|RRULE:FREQ=DAILY;COUNT=4|SUMMARY:x",
                                   "DTSTART:20260302T090000Z|RRULE:FREQ=DAILY;COUNT=4|SUMMARY:x"])  # fmt: skip
def test_one_is_taken_out(lines):
    text = calendar(lines)
    for number in (0, 1, 3):
        assert times(take_one(text, at(text, number))) == [one for n, one in enumerate(times(text)) if n != number]


def test_one_that_was_changed_is_taken_out_wholly():
    text = calendar(WEEKLY, MOVED)
    after = take_one(text, "20260316T090000")
    assert len(times(after)) == 4 and "Autre" not in after


def test_one_alone_can_have_no_rule():
    text = calendar(WEEKLY)
    with pytest.raises(CannotChangeError) as refused:
        changed("one", text, at(text, 1), rule="FREQ=DAILY")
    assert refused.value.reason == "rule"


def test_what_does_not_recur_is_changed_and_removed():
    text = calendar("DTSTART:20260302T090000Z|SUMMARY:x")
    assert times(changed("one", text, "", title="y")) == ["2026-03-02 10:00 y"] and take_one(text, "") == ""


def test_an_invitation_to_some_of_a_series():
    text = calendar("RECURRENCE-ID:20260309T080000Z|DTSTART:20260309T120000Z|SUMMARY:a",
                    "RECURRENCE-ID:20260316T080000Z|DTSTART:20260316T120000Z|SUMMARY:b")  # fmt: skip
    assert times(changed("one", text, "20260316T080000Z", title="c")) == ["2026-03-09 13:00 a", "2026-03-16 13:00 c"]
    assert times(take_one(text, "20260316T080000Z")) == ["2026-03-09 13:00 a"]
    assert take_one(take_one(text, "20260316T080000Z"), "20260309T080000Z") == ""


def test_an_hour_that_the_clock_skips():
    text = calendar(f"DTSTART{PARIS}:20260328T023000|DTEND{PARIS}:20260328T030000|RRULE:FREQ=DAILY;COUNT=3|SUMMARY:x")
    names = [one.recurrence_id for one in takings(text)]
    for number, name in enumerate(names):
        after = changed("one", text, name, title="y")
        assert [one.summary for one in takings(after)] == ["y" if n == number else "x" for n in range(3)]
        assert len(times(take_one(text, name))) == 2
    assert len(times(end_before(text, names[1]))) == 1


def test_an_hour_that_comes_twice():
    text = calendar(f"DTSTART{PARIS}:20261024T023000|DTEND{PARIS}:20261024T030000|RRULE:FREQ=DAILY;COUNT=3|SUMMARY:x")
    for number, one in enumerate(takings(text)):
        after = changed("one", text, one.recurrence_id, title="y")
        assert [each.summary for each in takings(after)] == ["y" if n == number else "x" for n in range(3)]


# --- this and the following ------------------------------------------------------------------------------------------


def test_this_and_the_following_are_changed():
    text = calendar(WEEKLY + f"|EXDATE{PARIS}:20260309T090000,20260330T090000", MOVED)
    old, new = changed("following", text, "20260316T090000", place="Salle 2")
    assert times(old) == ["2026-03-02 09:00 Cours"]
    assert times(new) == ["2026-03-17 11:00 Autre", "2026-03-23 09:00 Cours"]
    assert "UID:new" in new and "UID:one" not in new and new.count("LOCATION:Salle 2") == 2 and "X-KEPT:yes" in new
    assert "20260309" not in new and "20260330" not in old and "COUNT=2" in old and "COUNT=3" in new


@pytest.mark.parametrize("rule", ["FREQ=WEEKLY;COUNT=6", "FREQ=WEEKLY;UNTIL=20260407T000000Z", "FREQ=WEEKLY;BYDAY=MO;COUNT=6",
                                  "FREQ=MONTHLY;COUNT=3", "FREQ=WEEKLY;COUNT=3"])  # fmt: skip
@pytest.mark.parametrize("own", ["20260319T140000", "20260329T140000"])
def test_one_beside_the_rule_does_not_draw_the_following_to_its_day(rule, own):
    text = calendar(f"DTSTART{PARIS}:20260302T090000|DTEND{PARIS}:20260302T100000|RRULE:{rule}|RDATE{PARIS}:{own}|SUMMARY:Cours")
    number = times(text).index(f"2026-03-{own[6:8]} 14:00 Cours")
    name = at(text, number)
    assert times(end_before(text, name)) + times(from_on(text, name, "new")) == times(text)
    _old, new = changed("following", text, name, title="Sortie")
    assert [one[:16] for one in times(new)] == [one[:16] for one in times(text)[number:]]


def test_this_and_the_following_at_another_time():
    text = calendar(WEEKLY)
    old, new = changed("following", text, "20260316T090000", start=datetime(2026, 3, 17, 8, 30))
    assert times(old) == ["2026-03-02 09:00 Cours", "2026-03-09 09:00 Cours"]
    assert times(new) == ["2026-03-17 08:30 Cours", "2026-03-24 08:30 Cours", "2026-03-31 08:30 Cours"]


def test_an_end_by_a_day_stays():
    text = calendar(DAYS.replace("COUNT=4", "UNTIL=20260305"))
    old, new = changed("following", text, "20260304", title="Suite")
    assert times(old) == ["2026-03-02 Stage", "2026-03-03 Stage"] and times(new) == ["2026-03-04 Suite", "2026-03-05 Suite"]


def test_the_first_and_the_following_are_all():
    text = calendar(WEEKLY)
    assert is_first(text, at(text, 0)) and not is_first(text, at(text, 1))
    assert end_before(text, at(text, 0)) == ""


def test_what_others_changed_for_several_is_not_parted():
    text = calendar(WEEKLY, MOVED.replace("RECURRENCE-ID", "RECURRENCE-ID;RANGE=THISANDFUTURE"))
    with pytest.raises(CannotChangeError) as refused:
        end_before(text, "20260323T090000")
    assert refused.value.reason == "range"


# --- all -------------------------------------------------------------------------------------------------------------


def test_all_move_with_their_exceptions():
    text = calendar(
        WEEKLY + f"|EXDATE{PARIS}:20260309T090000",
        MOVED,
        MOVED.replace("20260316T09", "20260323T09").replace("20260317T11", "20260323T09").replace("T12", "T10"),
    )
    after = changed("all", text, "20260302T090000", start=datetime(2026, 3, 3, 14))
    assert times(after) == ["2026-03-03 14:00 Cours", "2026-03-17 11:00 Autre", "2026-03-24 14:00 Autre",
                            "2026-03-31 14:00 Cours"]  # fmt: skip


def test_the_last_one_stays_when_all_move():
    text = calendar(WEEKLY.replace("COUNT=5", "UNTIL=20260330T070000Z"))
    assert len(times(text)) == 5
    assert [one[11:16] for one in times(changed("all", text, at(text, 2), start=datetime(2026, 3, 16, 18)))] == ["18:00"] * 5
    assert [one[:10] for one in times(changed("all", text, at(text, 2), start=datetime(2026, 3, 18, 9)))][-1] == "2026-04-01"


def test_all_become_whole_days_and_back():
    text = calendar(WEEKLY + f"|EXDATE{PARIS}:20260309T090000")
    days = changed("all", text, "20260302T090000", start=date(2026, 3, 2), end=date(2026, 3, 2))
    assert times(days) == ["2026-03-02 Cours", "2026-03-16 Cours", "2026-03-23 Cours", "2026-03-30 Cours"]
    back = changed("all", days, "20260302", start=datetime(2026, 3, 2, 9), end=datetime(2026, 3, 2, 10), zone="Europe/Paris")
    assert times(back) == times(text)


def test_one_day_of_several_moves():
    text = calendar(
        f"DTSTART{PARIS}:20260302T090000|RRULE:FREQ=WEEKLY;BYDAY=MO,TH;COUNT=4|SUMMARY:x|EXDATE{PARIS}:20260305T090000"
    )
    after = changed("all", text, "20260309T090000", start=datetime(2026, 3, 10, 10))
    assert "BYDAY=TU,TH" in after
    assert times(after) == ["2026-03-03 10:00 x", "2026-03-10 10:00 x", "2026-03-12 10:00 x"]


@pytest.mark.parametrize(("number", "days"), [(0, 1), (0, 3), (0, 6), (2, 3), (2, 4), (1, -1), (1, 2)])
def test_those_of_other_days_stay_where_one_day_of_several_moves(number, days):
    text = calendar(f"DTSTART{PARIS}:20260302T090000|RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=6|SUMMARY:x")
    name = at(text, number)
    before = occurrence_fields(series_of(text), name)
    after, _lost = change_all(
        text, before, replace(before, start=before.start + timedelta(days=days), end=before.end + timedelta(days=days))
    )
    whole = [datetime.fromisoformat(one[:16]) for one in times(text)]
    wanted = sorted(one + timedelta(days=days * (one.weekday() == before.start.weekday())) for one in whole)
    assert times(after) == [f"{one:%Y-%m-%d %H:%M} x" for one in wanted]


def test_a_title_for_all_leaves_those_that_have_their_own():
    text = calendar(WEEKLY, MOVED, MOVED.replace("20260316T09", "20260323T09").replace("Autre", "Cours"))
    after = changed("all", text, "20260302T090000", title="Leçon")
    assert sorted(one[17:] for one in times(after)) == ["Autre", "Leçon", "Leçon", "Leçon", "Leçon"]


def test_a_new_rule_drops_what_it_does_not_know():
    text = calendar(WEEKLY + f"|EXDATE{PARIS}:20260309T090000", MOVED)
    before = occurrence_fields(series_of(text), "20260302T090000")
    after, lost = change_all(text, before, replace(before, rule="FREQ=WEEKLY;INTERVAL=2;COUNT=3"))
    assert lost == 0 and "EXDATE" not in after
    assert times(after) == ["2026-03-02 09:00 Cours", "2026-03-17 11:00 Autre", "2026-03-30 09:00 Cours"]
    after, lost = change_all(text, before, replace(before, rule="FREQ=MONTHLY;COUNT=2"))
    assert lost == 1 and times(after) == ["2026-03-02 09:00 Cours", "2026-04-02 09:00 Cours"]


def test_the_rule_may_go():
    text = calendar(WEEKLY + f"|EXDATE{PARIS}:20260309T090000", MOVED)
    before = occurrence_fields(series_of(text), "20260323T090000")
    after, lost = change_all(text, before, replace(before, rule=""))
    assert lost == 1 and times(after) == ["2026-03-23 09:00 Cours"] and "EXDATE" not in after


def test_a_day_of_a_rule_that_cannot_follow_is_refused():
    rule = "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3"
    text = calendar(f"DTSTART{PARIS}:20260331T090000|RRULE:{rule}|SUMMARY:x")
    with pytest.raises(CannotChangeError) as refused:
        changed("all", text, at(text, 1), start=datetime(2026, 4, 29, 9))
    assert refused.value.reason == "day"
    assert times(changed("all", text, at(text, 1), start=datetime(2026, 4, 30, 10))) == [
        "2026-03-31 10:00 x", "2026-04-30 10:00 x", "2026-05-29 10:00 x"]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "old", "new", "moved"),
    [
        ("FREQ=MONTHLY;BYDAY=-1FR", "2026-03-27", "2026-03-30", "FREQ=MONTHLY;BYDAY=-1MO"),
        ("FREQ=MONTHLY;BYDAY=2MO", "2026-03-09", "2026-03-17", "FREQ=MONTHLY;BYDAY=3TU"),
        ("FREQ=MONTHLY;BYDAY=2MO", "2026-03-16", "2026-03-17", None),
        ("FREQ=MONTHLY;BYMONTHDAY=15", "2026-03-15", "2026-03-16", "FREQ=MONTHLY;BYMONTHDAY=16"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-03-31", "2026-03-30", "FREQ=MONTHLY;BYMONTHDAY=30"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15", "2026-03-15", "2026-03-16", None),
        ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=15", "2026-03-15", "2026-04-16", "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=16"),
        ("FREQ=YEARLY", "2028-02-29", "2028-03-01", "FREQ=YEARLY"),
        ("FREQ=YEARLY;BYYEARDAY=60", "2026-03-01", "2026-03-02", None),
        ("FREQ=WEEKLY;BYDAY=MO", "2026-03-02", "2026-03-08", "FREQ=WEEKLY;BYDAY=SU"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE", "2026-03-02", "2026-03-05", "FREQ=WEEKLY;INTERVAL=2;BYDAY=WE,TH"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE", "2026-03-02", "2026-03-01", None),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=MO,WE", "2026-03-02", "2026-03-01", "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=WE,SU"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE", "2026-03-02", "2026-03-09", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE"),
        ("FREQ=DAILY;INTERVAL=3", "2026-03-02", "2026-03-08", "FREQ=DAILY;INTERVAL=3"),
    ],
)
def test_rules_move_with_their_day(rule, old, new, moved):
    assert recurrence_edit.moved(rule, date.fromisoformat(old), date.fromisoformat(new)) == moved


# --- tables of the RFC (3.8.5.3): cut where they are, both sides together are what they were -------------------------

RFC = [
    ("19970902T090000", "FREQ=DAILY;COUNT=10"),
    ("19970902T090000", "FREQ=DAILY;UNTIL=19971224T000000Z"),
    ("19970902T090000", "FREQ=DAILY;INTERVAL=10;COUNT=5"),
    ("19980101T090000", "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA"),
    ("19970902T090000", "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,TH;COUNT=8"),
    ("19970805T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO"),
    ("19970805T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU"),
    ("19970905T090000", "FREQ=MONTHLY;COUNT=10;BYDAY=1FR"),
    ("19970907T090000", "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU"),
    ("19970922T090000", "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO"),
    ("19970928T090000", "FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=6"),
    ("19970902T090000", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15"),
    ("19970930T090000", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1"),
    ("19970910T090000", "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15"),
    ("19970610T090000", "FREQ=YEARLY;COUNT=10;BYMONTH=6,7"),
    ("19970310T090000", "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3"),
    ("19970101T090000", "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200"),
    ("19970519T090000", "FREQ=YEARLY;BYDAY=20MO;COUNT=3"),
    ("19970512T090000", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=3"),
    ("19971104T090000", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3"),
    ("19970929T090000", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=7"),
    ("19960229T090000", "FREQ=YEARLY;COUNT=4"),
    ("19970131T090000", "FREQ=MONTHLY;COUNT=6"),
]


@pytest.mark.parametrize(("start", "rule"), RFC)
@pytest.mark.parametrize("kind", [";TZID=America/New_York:{}", ":{}Z", ";VALUE=DATE:{}"])
def test_both_sides_of_a_cut_are_the_whole(start, rule, kind):
    if "DATE" in kind:
        start, rule = start[:8], rule.replace("T000000Z", "").replace("T140000Z", "")
    text = calendar(f"DTSTART{kind.format(start)}|RRULE:{rule}|SUMMARY:x")
    whole = times(text, "1996-01-01", "2030-01-01")
    names = [one.recurrence_id for one in takings(text, "1996-01-01", "2030-01-01")]
    for number in {1, len(names) // 2, len(names) - 1}:
        old, new = end_before(text, names[number]), from_on(text, names[number], "new")
        assert times(old, "1996-01-01", "2030-01-01") == whole[:number]
        assert times(new, "1996-01-01", "2030-01-01") == whole[number:]


def _random_rule(chance: random.Random) -> str:
    parts = [f"FREQ={chance.choice(['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'])}"]
    if chance.random() < 0.4:
        parts.append(f"INTERVAL={chance.randint(1, 4)}")
    if chance.random() < 0.5:
        days = chance.sample(recurrence_edit.DAYS, chance.randint(1, 3))
        place = chance.choice(["", "1", "2", "-1"]) if parts[0] in ("FREQ=MONTHLY", "FREQ=YEARLY") else ""
        parts.append("BYDAY=" + ",".join(place + day for day in days))
    elif chance.random() < 0.4 and parts[0] == "FREQ=MONTHLY":
        parts.append("BYMONTHDAY=" + ",".join(str(chance.choice([1, 5, 15, 28, 31, -1])) for _ in range(2)))
    if chance.random() < 0.2:
        parts.append("WKST=SU")
    parts.append(f"COUNT={chance.randint(2, 12)}" if chance.random() < 0.5 else f"UNTIL=2027{chance.randint(1, 12):02}15T080000Z")
    return ";".join(parts)


def test_random_series_lose_nothing_by_changes():
    """A time for all, a cut, one taken out: beside what the index's library says of the series."""
    chance, done = random.Random(5545), 0
    for _try in range(60):
        start = datetime(2026, 1, 1, chance.randint(3, 21), 30) + timedelta(days=chance.randint(0, 300))
        rule = _random_rule(chance)
        first = recurrence_edit.dates(rule, start, datetime(2029, 1, 1), None)[:1]
        if not first:
            continue
        begins = f"{first[0]:%Y%m%dT%H%M%S}"
        text = calendar(f"DTSTART{PARIS}:{begins}|DTEND{PARIS}:{begins}|RRULE:{rule}|SUMMARY:x")
        try:
            check(rule, begins)
        except UnboundedRuleError:
            continue
        whole = takings(text, "2026-01-01", "2029-01-01")
        if len(whole) < 3:
            continue
        done += 1
        name = whole[chance.randrange(1, len(whole))].recurrence_id
        number = [one.recurrence_id for one in whole].index(name)
        listed = times(text, "2026-01-01", "2029-01-01")
        assert times(end_before(text, name), "2026-01-01", "2029-01-01") == listed[:number], (begins, rule, name)
        assert times(from_on(text, name, "n"), "2026-01-01", "2029-01-01") == listed[number:], (begins, rule, name)
        assert times(take_one(text, name), "2026-01-01", "2029-01-01") == listed[:number] + listed[number + 1 :]
        before = occurrence_fields(series_of(text), name)
        later = change_all(
            text, before, replace(before, start=before.start + timedelta(minutes=45), end=before.end + timedelta(minutes=45))
        )
        calendar_object.read(later[0])
        moved = [datetime.fromisoformat(one[:16]) - timedelta(minutes=45) for one in times(later[0], "2026-01-01", "2029-01-01")]
        assert moved == [datetime.fromisoformat(one[:16]) for one in listed], (begins, rule)
    assert done > 20


def test_earlier_versions_of_a_series_go_when_it_is_edited():
    old = "DTSTART;VALUE=DATE:20260302|RRULE:FREQ=WEEKLY;COUNT=3|SUMMARY:Ancien|SEQUENCE:1"
    text = calendar(old, old.replace("Ancien", "Nouveau").replace("SEQUENCE:1", "SEQUENCE:2"))
    after = changed("all", text, "20260302", title="Encore")
    assert times(after) == ["2026-03-02 Encore", "2026-03-09 Encore", "2026-03-16 Encore"] and "Ancien" not in after


def test_a_beginning_that_its_rule_does_not_know_stays_once():
    text = calendar(
        "DTSTART;VALUE=DATE:20260303|RRULE:FREQ=YEARLY;UNTIL=20281231;BYMONTH=2;BYDAY=2WE|SUMMARY:x",
        "RECURRENCE-ID;VALUE=DATE:20260303|DTSTART;VALUE=DATE:20260225|SUMMARY:y",
    )
    name = takings(text)[1].recurrence_id
    assert times(end_before(text, name)) + times(from_on(text, name, "n")) == times(text)


def test_times_of_their_own_ends_are_not_moved():
    text = calendar("DTSTART:20260302T090000Z|RDATE;VALUE=PERIOD:20260303T090000Z/PT2H|SUMMARY:x")
    with pytest.raises(CannotChangeError) as refused:
        changed("all", text, "", start=datetime(2026, 3, 2, 10))
    assert refused.value.reason == "range"
