"""Trying a rule out from its form, and applying it to mail already there: with progress, in the middle of a kill, and undone."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from tests.support.messages import message
from tests.support.task_work import worker_for
from tests.support.visits import Visitor
from webmail import imap
from webmail.filters import store
from webmail.filters.rules import apply_task, matching
from webmail.filters.rules.compiler import SievePlace
from webmail.filters.rules.rules import ActionKind, ConditionField, FilterRule, MatchKind, RuleCondition
from webmail.models import Task, TaskState

FORM, TRYOUT = "form.rule-form", "form.tryout"


@pytest.fixture
def account(person, account_of):
    return account_of(person.address)


@pytest.fixture
def worker(app):
    return worker_for(app)


@pytest.fixture
def letters(person, fill):
    """Four messages: the first and the third are about an estimate."""
    return fill(person, *(message(f"{words} {at}", "Bonjour") for at, words in enumerate(("Devis", "Autre", "devis", "Note"))))


def try_it(person, page=None, **fields):
    usual = {"conditions-0-field": "subject", "conditions-0-values": "facture\ndevis", "actions-0-value": "Archive"}
    return person.submit(page or person.get("/filters/new"), FORM, **(usual | fields), action="try")


def subjects(client, mailbox: str) -> list[str]:
    client.select_folder(mailbox, readonly=True)
    found = client.fetch(client.search(), ["ENVELOPE"])
    return sorted(one[b"ENVELOPE"].subject.decode() for one in found.values())


def flags(client, mailbox: str) -> list[set[bytes]]:
    client.select_folder(mailbox, readonly=True)
    found = client.fetch(client.search(), ["FLAGS"])
    return [set(one[b"FLAGS"]) - {b"\\Recent", b"$HasNoAttachment"} for _uid, one in sorted(found.items())]


def test_it_says_which_messages_and_why_and_changes_nothing(person, account, letters, imap_of):
    page = try_it(person, name="Devis")
    assert "applies to 2 of the newest 4 messages" in page.one("[data-tried]").get_text()
    assert [one.get_text() for one in page.all("[data-tried-row] a")] == ["devis 2", "Devis 0"]
    assert {one.get_text() for one in page.all("[data-reasons]")} == {"The subject contains “devis”"}
    client = imap_of(person.address)
    assert len(subjects(client, "INBOX")) == 4 and flags(client, "INBOX") == [set()] * 4
    assert store.load(account).filters.rules == ()


def test_the_form_goes_along_to_be_changed_or_saved(person, account, letters):
    page = try_it(person, name="Devis", stop="1")
    back = person.submit(page, TRYOUT, action="edit")
    assert back.one("[name=name]")["value"] == "Devis" and "facture" in back.one("[name=conditions-0-values]").get_text()
    page = person.submit(try_it(person, back, **{"conditions-0-values": "autre"}), TRYOUT, action="save")
    [rule] = store.load(account).filters.rules
    assert rule.conditions[0].values == ("autre",) and [one.kind for one in rule.actions] == [ActionKind.MOVE, ActionKind.STOP]
    edited = person.get(f"/filters/rule/{rule.id}")
    page = person.submit(try_it(person, edited, **{"conditions-0-values": "note"}), TRYOUT, action="save")
    assert page.address == "/filters" and store.load(account).filters.rules[0].conditions[0].values == ("note",)


def test_another_folder_and_one_that_is_gone(person, letters, fill):
    fill(person, message("Devis en archive", "x"), mailbox="Archive")
    page = person.submit(try_it(person), TRYOUT, action="try", **{"try-folder": "Archive"})
    assert "1 of the newest 1" in page.one("[data-tried]").get_text()
    page = person.submit(page, TRYOUT, action="try", **{"try-folder": "Nope"})
    assert page.status == 404 and "no longer exists" in page.one("main [role=alert]").get_text()
    assert page.all("[name=conditions-0-values]")


def test_what_is_not_complete_can_be_tried_and_what_is_wrong_is_said(person, letters):
    page = try_it(person, **{"actions-0-value": ""})
    assert page.one("[data-tried]")["data-tried"] == "2" and not page.all("main button[value=save]")
    assert "say what to do with these messages" in page.text
    page = try_it(person, **{"conditions-0-values": ""})
    assert page.status == 422 and page.one("#conditions-0-values-error")


def test_many_messages_cost_few_round_trips_and_texts_are_read_only_where_they_count(nobody_else):
    """A tenth of what a page looks at: the round trips are as many."""
    account, client = nobody_else
    text = "Bonjour " * 20
    letters = [bytes(message(f"Devis {at % 10}", text + ("réunion" if at % 50 == 0 else ""))) for at in range(105)]
    client.multiappend("INBOX", letters)
    subject = RuleCondition(ConditionField.SUBJECT, MatchKind.CONTAINS, ("devis 0",))
    body = RuleCondition(ConditionField.BODY, MatchKind.CONTAINS, ("réunion",))
    with imap.connect(account) as connection:
        connection.select("INBOX")
        for conditions, count, trips in (((subject,), 10, 1), ((subject, body), 2, 2), ((body,), 2, 2)):
            before = connection.round_trips
            tried = matching.try_newest(connection, FilterRule("x", conditions), SievePlace(frozenset()), 100)
            assert (len(tried.touched), tried.looked) == (count, 100)
            assert connection.round_trips - before <= trips


@pytest.fixture
def nobody_else(make_account, account_of, imap_of):
    account = account_of(make_account())
    return account, imap_of(account.address)


# --- applied ---------------------------------------------------------------------------------------------------------


def apply_it(person, **fields):
    return person.submit(try_it(person, **fields), TRYOUT, action="apply")


def task_of(person) -> Task:
    return Task.select().where(Task.kind == apply_task.NAME).order_by(Task.created.desc()).first()


def undo_it(person):
    page = person.get("/tasks")
    form = next(one for one in page.all("form[action$='/undo']") if "/filters/applied/" in one["action"])
    return person.submit(page, f"form[action='{form['action']}']")


def test_it_is_saved_and_applied_and_undone(person, account, letters, imap_of, worker):
    client = imap_of(person.address)
    client.select_folder("INBOX")
    client.add_flags([letters[0]], ["\\Flagged"])
    more = {
        "actions-1-kind": "flag",
        "actions-2-kind": "read",
        "actions-3-kind": "tag",
        "actions-3-value": "urgent",
        "actions-4-kind": "copy",
        "actions-4-value": "Drafts",
    }
    page = apply_it(person, name="Devis", **more)
    assert page.address == "/filters" and "saved" in page.notices and "Applying the filter “Devis” to “Inbox”" in page.notices
    assert len(store.load(account).filters.rules) == 1
    worker()
    assert subjects(client, "INBOX") == ["Autre 1", "Note 3"] and subjects(client, "Drafts") == ["Devis 0", "devis 2"]
    assert flags(client, "Archive") == [{b"\\Flagged", b"\\Seen", b"urgent"}] * 2
    assert "applied to 2 messages" in person.get("/tasks").text
    page = undo_it(person)
    assert "Undone for" in page.notices and not page.all("form[action*='/filters/applied/']")
    assert subjects(client, "INBOX") == ["Autre 1", "Devis 0", "Note 3", "devis 2"] and subjects(client, "Drafts") == []
    assert sorted(flags(client, "INBOX"), key=len) == [set(), set(), set(), {b"\\Flagged"}]


def test_nothing_goes_to_others_for_old_mail(person, account, letters, worker, outside):
    before = len(list(outside.glob("*.json")))
    page = apply_it(
        person,
        **{
            "actions-1-kind": "reply",
            "actions-1-value": "Re",
            "actions-1-text": "Bonjour",
            "actions-2-kind": "reject",
            "actions-2-text": "Non",
        },
    )
    worker()
    assert task_of(person).state == TaskState.DONE and len(list(outside.glob("*.json"))) == before
    page = try_it(person, **{"actions-0-kind": "reply", "actions-0-value": "Re", "actions-0-text": "Bonjour"})
    assert not page.all("button[value=apply]")


class Killed(BaseException):
    pass


@pytest.mark.parametrize("command", [b"UID COPY", b"UID MOVE", b"UID STORE"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_after_a_kill_nothing_is_done_twice_and_all_can_be_undone(person, fill, imap_of, worker, monkeypatch, command, after):
    fill(person, *(message(f"Devis {at}", "x") for at in range(5)), message("Autre", "x"))
    monkeypatch.setattr(apply_task, "BATCH", 2)
    apply_it(person, **{"actions-1-kind": "copy", "actions-1-value": "Drafts", "actions-2-kind": "flag"})
    genuine, seen = imap.actions._change, []

    def killing(connection, asked):
        seen.append(asked[0])
        here = asked[0] == command and seen.count(command) == 2
        if here and not after:
            raise Killed
        answer = genuine(connection, asked)
        if here:
            raise Killed
        return answer

    monkeypatch.setattr(imap.actions, "_change", killing)
    with pytest.raises(Killed):
        worker()
    Task.update(lease=datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)).where(Task.kind == apply_task.NAME).execute()
    worker()
    client, all_five = imap_of(person.address), [f"Devis {at}" for at in range(5)]
    assert (
        subjects(client, "Archive") == all_five
        and subjects(client, "Drafts") == all_five
        and subjects(client, "INBOX") == ["Autre"]
    )
    assert flags(client, "Archive") == [{b"\\Flagged"}] * 5
    undo_it(person)
    assert subjects(client, "INBOX") == ["Autre", *all_five] and subjects(client, "Drafts") == subjects(client, "Archive") == []
    assert flags(client, "INBOX") == [set()] * 6


def test_it_stops_when_it_is_cancelled(person, fill, imap_of, worker, monkeypatch):
    fill(person, *(message(f"Devis {at}", "x") for at in range(4)))
    monkeypatch.setattr(apply_task, "BATCH", 2)
    apply_it(person)
    genuine = apply_task.carry_out

    def cancelling(*arguments, **more):
        Task.update(cancelling=True).where(Task.kind == apply_task.NAME).execute()
        return genuine(*arguments, **more)

    monkeypatch.setattr(apply_task, "carry_out", cancelling)
    worker()
    assert task_of(person).state == TaskState.CANCELLED and len(subjects(imap_of(person.address), "Archive")) == 2
    undo_it(person)
    assert len(subjects(imap_of(person.address), "INBOX")) == 4


def test_a_folder_that_is_gone_meanwhile(person, letters, imap_of, worker):
    imap_of(person.address).create_folder("Weg")
    person.get("/mailbox/INBOX", reload=True)
    apply_it(person, **{"actions-0-value": "Weg", "actions-1-kind": "flag"})
    imap_of(person.address).delete_folder("Weg")
    worker()
    assert re.search("folder no longer exists", person.get("/tasks").text)


def test_two_at_once_a_folder_made_anew_and_undo_by_somebody_else(app, person, letters, make_account, imap_of, worker):
    client = imap_of(person.address)
    apply_it(person)
    apply_it(person, name="Again")
    worker()
    assert subjects(client, "INBOX") == ["Autre 1", "Note 3"] and subjects(client, "Archive") == ["Devis 0", "devis 2"]
    moved = next(one for one in Task.select().where(Task.kind == apply_task.NAME) if json.loads(one.result)["count"])
    eve = Visitor(app, make_account("eve")).sign_in()
    token = eve.get("/filters/new").all("[name=csrf_token]")[0]["value"]
    assert "nothing to undo" in eve.post(f"/filters/applied/{moved.id}/undo", {"csrf_token": token}).text
    client.select_folder("INBOX")
    client.rename_folder("Archive", "Other")
    client.create_folder("Archive")
    client.append("Archive", bytes(message("Not this")))
    token = person.get("/filters/new").all("[name=csrf_token]")[0]["value"]
    person.post(f"/filters/applied/{moved.id}/undo", {"csrf_token": token})
    assert subjects(client, "Archive") == ["Not this"] and subjects(client, "Other") == ["Devis 0", "devis 2"]


def test_a_flag_that_is_no_tag_is_not_set_on_old_mail(person, letters, imap_of, worker):
    for tag in ("\\Deleted", "\\Seen", "a b", "a)(b", "*"):
        page = try_it(person, **{"actions-0-kind": "tag", "actions-0-value": tag})
        assert not page.all("button[value=apply]") and person.submit(page, TRYOUT, action="apply").status == 422, tag
    worker()
    assert flags(imap_of(person.address), "INBOX") == [set()] * 4
