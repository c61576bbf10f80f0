"""Archiving without a server: what is old on which day, whose turn it is, given rules and one's own, what is told and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from webmail import preferences
from webmail.config.settings import ConfigError, Settings
from webmail.config.tables import GivenArchiving
from webmail.filters.archiving import archive_log, archive_rules, archive_task, archive_undo, batches, nights
from webmail.filters.archiving.archive_rules import AgeUnit, ArchiveAction, ArchivePlan, BadPlanError
from webmail.imap.bulk import ageing
from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.mail import Mailbox, Role
from webmail.models import ArchiveBatch, ArchiveRule, ArchiveRun, BatchState, Task, User, now

FOLDERS = Overview((Mailbox("INBOX", role=Role.INBOX), Mailbox("Spam", role=Role.JUNK), Mailbox("Poubelle", role=Role.TRASH),
    Mailbox("Cours"), Mailbox("Brouillons", role=Role.DRAFTS), Mailbox("shared/bob", owner="bob")))  # fmt: skip


@pytest.fixture
def alice(here):
    return User.create(address="alice@lycee.example", local="alice", domain="lycee.example")


def plan(**values) -> ArchivePlan:
    return ArchivePlan(**{"mailbox": "INBOX", **values})


@pytest.mark.parametrize(
    ("unit", "amount", "today", "before"),
    [
        (AgeUnit.DAYS, 30, date(2026, 3, 1), date(2026, 1, 30)),
        (AgeUnit.MONTHS, 1, date(2026, 3, 31), date(2026, 2, 28)),  # there is no 31st
        (AgeUnit.MONTHS, 12, date(2024, 2, 29), date(2023, 2, 28)),
        (AgeUnit.MONTHS, 3, date(2026, 3, 15), date(2025, 12, 15)),
        (AgeUnit.SCHOOL_YEAR, 0, date(2026, 8, 31), date(2025, 9, 1)),
        (AgeUnit.SCHOOL_YEAR, 0, date(2026, 9, 1), date(2026, 9, 1)),
        (AgeUnit.SCHOOL_YEAR, 0, date(2027, 1, 5), date(2026, 9, 1)),
    ],
)
def test_what_is_old_on_a_day(unit, amount, today, before):
    assert archive_rules.cutoff(plan(unit=unit, amount=amount), today, "09-01") == before


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"mailbox": "gone"}, "mailbox"),
        ({"mailbox": "Brouillons"}, "mailbox"),
        ({"mailbox": "shared/bob"}, "mailbox"),
        ({"amount": 0}, "amount"),
        ({"amount": 601}, "amount"),
        ({"action": ArchiveAction.DELETE}, "action"),
        ({"mailbox": "Spam"}, "action"),  # it would be learned as no spam
        ({"action": ArchiveAction.TAG}, "keyword"),
    ],
)
def test_rules_that_can_not_be(values, what):
    with pytest.raises(BadPlanError) as refused:
        archive_rules.check(plan(**values), FOLDERS)
    assert refused.value.what == what


@pytest.mark.parametrize(
    "values", [{}, {"mailbox": "Spam", "action": ArchiveAction.DELETE}, {"unit": AgeUnit.SCHOOL_YEAR, "amount": 0}]
)
def test_rules_that_can_be(values):
    archive_rules.check(plan(**values), FOLDERS)


def given(**values) -> Settings:
    one = {"name": "Junk", "folder": "junk", "older_than": "2 months", "action": "delete", **values}
    return Settings(archive=(GivenArchiving(**one),))


def test_a_given_rule_is_for_who_has_not_chosen_otherwise(alice):
    settings = given()
    [rule] = archive_rules.in_force(alice, settings, FOLDERS)
    assert (rule.mailbox, rule.unit, rule.amount, rule.given) == ("Spam", AgeUnit.MONTHS, 2, "Junk")
    assert archive_rules.switch(alice, settings, "given-Junk", False)
    alice = User.get_by_id(alice.id)
    assert archive_rules.in_force(alice, settings, FOLDERS) == []
    assert archive_rules.switch(alice, settings, "given-Junk", True)
    alice = User.get_by_id(alice.id)
    archive_rules.save(alice, plan(mailbox="Spam", unit=AgeUnit.DAYS, amount=400, action=ArchiveAction.DELETE, on=False))
    assert archive_rules.in_force(alice, settings, FOLDERS) == []  # one's own, which is off, takes its place


def test_a_given_rule_that_is_not_optional_stays(alice):
    settings = given(optional=False)
    assert not archive_rules.switch(alice, settings, "given-Junk", False)
    preferences.change(alice, archive_off=["Junk"])  # as if it had been optional once
    archive_rules.save(alice, plan(mailbox="Spam", action=ArchiveAction.DELETE))
    assert [one.given for one in archive_rules.in_force(alice, settings, FOLDERS)] == ["", "Junk"]


@pytest.mark.parametrize("optional", [True, False])
def test_undo_says_which_rules_will_do_it_again(alice, optional):
    run = ArchiveRun.create(user=alice, night="2026-11-27", trashed=3)
    ArchiveBatch.create(
        user=alice, run=run, rule="given-Junk", action="trashed", state=BatchState.DONE, mailbox="Junk", uidvalidity=1, uids="1:3"
    )
    begun = archive_undo.begin(alice, run, given(optional=optional))
    assert begun.task and (begun.off, begun.again) == (optional, not optional)


@pytest.mark.parametrize("killed_in", ["switch", "choice", "log"])
def test_an_undo_that_is_killed_leaves_no_rule_on_behind_it(alice, monkeypatch, killed_in):
    """Whatever moment it is killed at: the rules are off, or nothing was undone yet and the button is still there."""

    class Killed(BaseException):
        pass

    def killed(*_args, **_values):
        raise Killed

    archive_rules.save(alice, plan())
    [rule] = archive_rules.own(alice)
    run = ArchiveRun.create(user=alice, night="2026-11-27", archived=3)
    for key in (rule.key, "given-Junk"):  # the second one is switched off among the preferences
        ArchiveBatch.create(
            user=alice, run=run, rule=key, action="archived", state=BatchState.DONE, mailbox="INBOX", uidvalidity=1, uids="1:3"
        )
    step = {"switch": (archive_rules, "switch"), "choice": (preferences, "change"), "log": (ArchiveRun, "update")}[killed_in]
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(*step, killed)
        archive_undo.begin(alice, run, given(optional=True))
    run = ArchiveRun.get_by_id(run.id)
    assert run.undone is None and archive_log.reversible(run) and not Task.select().where(Task.user == alice).exists()
    assert [one.on for one in archive_rules.own(alice)] == [True]
    assert archive_undo.begin(alice, run, given(optional=True)).off
    assert [one.on for one in archive_rules.own(alice)] == [False]
    assert preferences.for_user(User.get_by_id(alice.id)).archive_off == ("Junk",)


def test_a_given_rule_for_a_folder_that_somebody_does_not_have(alice):
    assert archive_rules.in_force(alice, given(folder="Stages", action="archive"), FOLDERS) == []


@pytest.mark.parametrize(("folder", "action"), [("junk", "archive"), ("inbox", "delete"), ("Cours", "delete")])
def test_given_rules_delete_junk_and_trash_alone(folder, action):
    with pytest.raises(ConfigError, match="deleted"):
        given(folder=folder, action=action)


def test_rules_change_places_are_saved_once_and_come_back(alice):
    for amount in (1, 2, 3, 3):
        archive_rules.save(alice, plan(amount=amount))
    first, second, third = archive_rules.own(alice)
    archive_rules.put_beside(alice, archive_rules.number_of(third), archive_rules.number_of(first), after=False)
    archive_rules.put_beside(alice, archive_rules.number_of(third), archive_rules.number_of(first), after=False)  # a double click
    assert [one.amount for one in archive_rules.own(alice)] == [3, 1, 2]
    number = archive_rules.number_of(first)
    position = archive_rules.position_of(alice, number)
    removed = archive_rules.remove(alice, number)
    assert archive_rules.remove(alice, number) is None
    archive_rules.put_back(alice, removed, position)
    assert [one.amount for one in archive_rules.own(alice)] == [3, 1, 2]


def test_nobody_changes_the_rule_of_somebody_else(alice):
    bob = User.create(address="bob@lycee.example", local="bob", domain="lycee.example")
    archive_rules.save(alice, plan())
    [rule] = archive_rules.own(alice)
    assert archive_rules.remove(bob, archive_rules.number_of(rule)) is None
    assert not archive_rules.switch(bob, Settings(), rule.key, False)
    archive_rules.save(bob, replace(rule, amount=1))
    assert archive_rules.own(alice) == [rule]


def test_what_is_no_number_is_no_rule(alice):
    assert not archive_rules.switch(alice, Settings(), "own-²", False)


@pytest.mark.parametrize(
    ("at", "night"),
    [
        (datetime(2026, 11, 27, 0, 59, tzinfo=UTC), None),  # 1:59 in Paris
        (datetime(2026, 11, 27, 1, 0, tzinfo=UTC), (date(2026, 11, 27), timedelta(0))),
        (datetime(2026, 11, 27, 6, 59, tzinfo=UTC), (date(2026, 11, 27), timedelta(hours=5, minutes=59))),
        (datetime(2026, 11, 27, 7, 0, tzinfo=UTC), None),
        (datetime(2026, 11, 27, 15, 0, tzinfo=UTC), None),
    ],
)
def test_when_it_is_night(at, night):
    assert nights.night_of(Settings(), at) == night


def test_a_night_that_reaches_past_midnight_is_one():
    settings = Settings(archive_time="23:00")
    assert nights.night_of(settings, datetime(2026, 11, 28, 1, 0, tzinfo=UTC)) == (date(2026, 11, 27), timedelta(hours=3))


def test_people_have_their_turns_one_after_another_and_once(here):
    at = datetime.combine(now().date(), datetime.min.time(), UTC) + timedelta(hours=1)  # 2:00 or 3:00 in Paris
    people = [User.create(address=f"p{number}@lycee.example", local=f"p{number}", domain="lycee.example") for number in range(20)]
    for user in people[:10]:
        ArchiveRule.create(user=user, position=1, mailbox="INBOX", unit="months", amount=1, action="archive")
    ArchiveRule.create(user=people[10], position=1, mailbox="INBOX", unit="months", amount=1, action="archive", on=False)
    settings = Settings(token_key_file="key.pem", archive_spread_minutes=300, timezone="UTC", archive_time="01:00")
    Task.delete().execute()
    begun = [nights.sweep(settings, at + timedelta(minutes=minutes)) for minutes in (0, 100, 200, 300, 300)]
    assert sum(begun) == 10 and begun[-1] == 0
    assert max(begun) < 10
    Task.delete().execute()  # everybody takes the ended tasks off their list
    assert nights.sweep(settings, at + timedelta(minutes=310)) == 0
    assert nights.sweep(settings, at + timedelta(hours=24, minutes=300)) == 10
    assert nights.sweep(replace(settings, token_key_file=""), at + timedelta(minutes=300)) == 0


def test_what_is_told_and_until_when(alice):
    run = ArchiveRun.create(user=alice, night="2026-11-27", archived=412)
    assert archive_log.end(run, []) is not None
    kept = preferences.for_user(User.get_by_id(alice.id)).archived
    night = archive_log.told(kept, date(2026, 11, 28))
    assert night and (night.run, night.count, night.mixed) == (run.id, 412, False)
    assert archive_log.told(kept, date(2026, 12, 28)) is None
    assert archive_log.told("1/2/2026-13-45", date(2026, 12, 28)) is None
    archive_log.seen(User.get_by_id(alice.id))
    assert preferences.for_user(User.get_by_id(alice.id)).archived == ""


def test_a_night_with_nothing_leaves_nothing_but_trouble_is_told(alice):
    assert archive_log.end(ArchiveRun.create(user=alice, night="2026-11-27"), []) is None
    assert archive_log.nights(alice) == []
    told = archive_log.end(ArchiveRun.create(user=alice, night="2026-11-27"), [("over-quota", "INBOX")])
    assert told and archive_log.troubles_of(told) == [("over-quota", "INBOX")]


def test_after_a_week_nothing_is_known_of_where_messages_are(alice):
    for days in (6, 8, 40):
        run = ArchiveRun.create(user=alice, night="2026-11-27", archived=3, began=now() - timedelta(days=days))
        ArchiveBatch.create(
            user=alice, run=run, action="archived", state=BatchState.DONE, mailbox="INBOX", uidvalidity=1, uids="1:3"
        )
        assert archive_log.reversible(run) == (3 if days < 7 else 0)
    archive_log.expire()
    assert len(archive_log.nights(alice)) == 2
    assert ArchiveBatch.select().where(ArchiveBatch.user == alice).count() == 1


def test_from_the_trash_goes_only_what_no_undo_brings_back_any_more(monkeypatch):
    """What a command put there at noon can be brought back until noon a week later, wherever the server's midnight is."""
    monkeypatch.setattr(archive_task.imap.mailboxes, "for_role", lambda _connection, _role: "Trash")
    looked = archive_task.search_of(plan(mailbox="Trash", action=ArchiveAction.DELETE), None, date(2026, 11, 27), Settings())
    assert looked.saved_before == date(2026, 11, 19)


def test_pieces_for_one_command_each():
    assert [len(piece) for piece in batches.pieces(range(1, 1202))] == [500, 500, 201]
    assert list(ageing.windows(12_000, newest_first=True)) == [(10_001, 12_000), (5_001, 10_000), (1, 5_000)]
    assert list(ageing.windows(0, newest_first=True)) == []
