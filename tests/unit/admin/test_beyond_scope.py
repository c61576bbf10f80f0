"""What administrators of one establishment try beyond it: of the installation, of another one, of who administers all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support import people_ground as people
from tests.support.task_work import work_all
from tests.support.visits import Page, Visitor
from webmail import audit
from webmail.admin import account_deletion
from webmail.admin.groups import group_changes
from webmail.admin.imports import import_task, password_sheets, people_changes
from webmail.admin.imports.people_plan import LineOutcome, PlannedPerson
from webmail.admin.people import renaming
from webmail.admin.people.creation import NewFault, NewPerson, fault_of
from webmail.admin.people.record import COMMAND
from webmail.auth import account_management, aliases
from webmail.config.settings import Settings
from webmail.desk import cases
from webmail.establishments import establishments
from webmail.handover import steps
from webmail.models import (
    AllowedAddress,
    AuditAct,
    AuditEntry,
    DeskCase,
    DeskKind,
    GroupMember,
    HandoverKind,
    HandoverState,
    MailAlias,
    MailboxHandover,
    Task,
    User,
    now,
)
from webmail.people import groups, handovers, policies
from webmail.people.handovers import HandoverRefusedError, HandoverTerms
from webmail.people.policies import Policy
from webmail.tasks import store


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", recovery_address="off", language="en") as made:
        yield made


@pytest.fixture
def settings(app: Flask) -> Settings:
    return app.extensions["settings"]


@pytest.fixture
def head(app: Flask) -> Visitor:
    """Of the establishment of lycee.example, in which an administrator of all has an address too."""
    visitor = people.headmaster(app)
    for local in ("ann", "boss"):
        ground.add(f"{local}@lycee.example")
    User.update(role="admin").where(User.local == "boss").execute()
    ground.add("zoe@college.example")
    return visitor


def of(local: str) -> User:
    return User.get(User.local == local)


def edited(head: Visitor, local: str, **fields: str) -> Page:
    return head.submit(head.get(f"/admin/people/{of(local).id}/edit"), "main form[method=post]", **fields)


def imported(app: Flask, person: PlannedPerson) -> Task:
    about = {"name": "pupils.csv", "passwords": True, "days_valid": 30}
    settings = app.extensions["settings"]
    task = import_task.start(of("head"), import_task.IMPORT, [person], about, settings, form=person.address)
    work_all(app)
    return task


@pytest.mark.parametrize("local", ["../lycee.example/ann", "..", ".", "a/b", "ann+x", "-x", "a\\b", "a%u"])
def test_no_new_address_names_another_folder_or_a_detail_of_somebodys(head: Visitor, local: str) -> None:
    address = f"{local}@lycee.example"
    assert fault_of(NewPerson(address)) is NewFault.ADDRESS
    page = people.chosen(head, f"Email;Name\n{address};Eve\n")
    assert people.lines_of(page) == {address: "refused"}


@pytest.mark.parametrize("address", ["jean-luc.o'neil@lycee.example", "élodie@lycee.example", "_x@lycee.example"])
def test_usual_addresses_can_be_given(head: Visitor, address: str) -> None:
    assert fault_of(NewPerson(address)) is None


def test_nobody_is_let_write_as_who_administers_all(head: Visitor) -> None:
    aliases.add(of("boss"), "direction@lycee.example")
    for address in ("boss@lycee.example", "direction@lycee.example"):
        assert edited(head, "ann", allowed=address).status == 422
    assert not AllowedAddress.select().exists()
    edited(head, "ann", allowed="head@lycee.example")
    assert AllowedAddress.get().address == "head@lycee.example"


def test_an_address_elsewhere_that_somebody_may_write_as_does_not_become_theirs(head: Visitor) -> None:
    account_management.allow(of("ann"), address="office@college.example")
    assert edited(head, "ann", allowed="", aliases="office@college.example").status == 422
    assert edited(head, "ann", name="Ann", allowed="office@college.example").status == 200
    assert not MailAlias.select().exists() and AllowedAddress.select().exists()


def test_who_administers_all_is_put_into_no_group_and_taken_out_of_none(head: Visitor) -> None:
    group, other = groups.create("lycee.example", "Small"), groups.create("lycee.example", "Staff")
    groups.add(other, [of("boss")])
    form = "form[action$='/people']:has(textarea)"
    page = head.submit(head.get(f"/admin/groups/{group.id}"), form, action="add", people="boss ann")
    assert "boss" in page.notices and [one.local for one in groups.members(group)] == ["ann"]
    token = page.all("main [name=csrf_token]")[0]["value"]
    fields = {"csrf_token": token, "action": "remove", "person": str(of("boss").id)}
    head.post(f"/admin/groups/{other.id}/people", fields)
    assert GroupMember.select().where(GroupMember.group == other).count() == 1


def test_the_undo_of_a_file_leaves_who_administers_all_by_now(app: Flask, head: Visitor, settings: Settings) -> None:
    made = imported(app, PlannedPerson(1, LineOutcome.CREATED, "max@lycee.example", values={"name": "Max"}))
    ann = of("ann")
    values, before = {"recovery_address": "ann@home.example"}, {"recovery_address": ""}
    changed = imported(app, PlannedPerson(1, LineOutcome.CHANGED, ann.address, ann.id, values, before))
    User.update(role="admin").where(User.local.in_(["max", "ann"])).execute()
    for task in (made, changed):
        store.start(of("head"), import_task.UNDO, {"task": task.id})
        work_all(app)
    assert of("max").active == 1 and of("ann").recovery_address == "ann@home.example"
    User.update(role="person").where(User.local.in_(["ann", "head"])).execute()
    steps = [["set", ann.id, before, values, {}]]
    assert people_changes.take_back(User(id=of("zoe").id, role="person"), steps, settings) == 0


def test_a_sheet_shows_no_password_of_who_administers_all_by_now(app: Flask, head: Visitor) -> None:
    imported(app, PlannedPerson(1, LineOutcome.CREATED, "max@lycee.example", values={"name": "Max"}))
    User.update(role="admin").where(User.local == "max").execute()
    (sheet,) = password_sheets.waiting(of("head"))
    password_sheets.ask(sheet)
    page = head.get(f"/admin/people/sheets/{sheet.id}")
    assert page.status == 200 and "max@lycee.example" not in page.text


def test_no_address_of_a_deleted_account_goes_to_somebody_else_at_once(head: Visitor, settings: Settings) -> None:
    ann = of("ann")
    aliases.add(ann, "former@lycee.example", former=True)
    ground.add("bob@lycee.example")
    account_deletion.delete(ann, settings)
    group = groups.create("lycee.example", "List")
    for address in ("ann@lycee.example", "former@lycee.example"):
        assert fault_of(NewPerson(address)) is NewFault.RESTS
        with pytest.raises(aliases.AliasTakenError):
            aliases.add(of("bob"), address)
        with pytest.raises(group_changes.AddressInUseError):
            group_changes.give_address(group, address, "members")
        assert edited(head, "bob", allowed=address).status == 422


def test_who_asked_for_a_mailbox_does_not_agree_under_another_address(head: Visitor, settings: Settings) -> None:
    ann, me = of("ann"), of("head")
    ground.add("bob@lycee.example")
    terms = HandoverTerms(HandoverKind.SUCCESSION, reason="She left")
    asked = handovers.ask(ann, of("bob"), me, terms, ("lycee.example",))
    User.update(active=0).where(User.id == ann.id).execute()
    renaming.rename(me, "chef", COMMAND, settings)
    again = handovers.find(asked.id)
    assert again is not None and again.asked_by == "chef@lycee.example"
    with pytest.raises(HandoverRefusedError):
        handovers.agree(again, of("chef"), owner_away=True)


@pytest.mark.parametrize(("giver", "receiver"), [("head", "chef2"), ("chef2", "head")])
def test_two_who_had_a_password_from_one_another_are_perhaps_one_and_do_not_agree(
    head: Visitor, settings: Settings, giver: str, receiver: str
) -> None:
    for local in ("bob", "chef2", "chef3"):
        ground.add(f"{local}@lycee.example")
    school = establishments.of_domain("lycee.example")
    assert school is not None
    for local in ("chef2", "chef3"):
        establishments.add_administrator(school, of(local))
    User.update(active=0).where(User.local == "ann").execute()
    aliases.add(of(receiver), "known-as@lycee.example")
    audit.record(AuditAct.ACCOUNT_PASSWORD_SET, actor=of(giver), target="known-as@lycee.example")
    terms = HandoverTerms(HandoverKind.SUCCESSION, reason="She left")
    asked = handovers.ask(of("ann"), of("bob"), of("head"), terms, ("lycee.example",))
    with pytest.raises(HandoverRefusedError, match="password"):
        steps.agree(asked, of("chef2"), settings)
    assert steps.why_not(asked, of("chef3")) is None
    AuditEntry.update(at=now() - timedelta(days=31)).where(AuditEntry.act == AuditAct.ACCOUNT_PASSWORD_SET).execute()
    assert steps.why_not(asked, of("chef2")) is None


def test_requests_of_who_administers_all_are_not_for_one_establishment(head: Visitor) -> None:
    for number, local in enumerate(("ann", "boss"), 1):
        cases.open_case(DeskKind.DELETION, number, user=of(local), text=f"Request of {local}")
    cases.open_case(DeskKind.SUPPORT, 3, address="stranger@lycee.example", text="Of nobody here")
    assert "ann@lycee.example" in (page := head.get("/admin/desk")).text and "boss@lycee.example" not in page.text
    assert "stranger@lycee.example" in page.text
    asked = {case.address: head.get(f"/admin/desk/{case.id}").status for case in DeskCase.select()}
    assert asked == {"ann@lycee.example": 200, "boss@lycee.example": 404, "stranger@lycee.example": 200}


def test_what_a_group_gave_ends_with_the_move_to_another_domain(head: Visitor, settings: Settings) -> None:
    group = groups.create("lycee.example", "Pupils")
    groups.add(group, [of("ann")])
    policies.set_group(group, Policy(recipients_per_day=1))
    assert policies.for_user(of("ann")).recipients_per_day == 1
    renaming.rename(of("ann"), "ann@college.example", COMMAND, settings)
    assert policies.for_user(of("ann")).recipients_per_day is None


def test_a_colleague_is_not_flooded_with_mail_of_handovers(head: Visitor) -> None:
    ann, zoe = of("ann"), of("zoe")
    terms = HandoverTerms(HandoverKind.SUCCESSION)
    for _time in range(handovers.MOST_A_DAY):
        handovers.end(handovers.ask(ann, zoe, ann, terms, (zoe.domain,)), ann)
        MailboxHandover.update(state=HandoverState.ENDED).execute()
    with pytest.raises(HandoverRefusedError, match="often"):
        handovers.ask(ann, zoe, ann, terms, (zoe.domain,))
    MailboxHandover.update(asked_at=now() - timedelta(days=2)).execute()
    assert handovers.ask(ann, zoe, ann, terms, (zoe.domain,))


def test_the_audit_log_does_not_tell_where_who_administers_all_was(head: Visitor) -> None:
    audit.record(AuditAct.ACCOUNT_NAMED, actor=of("boss"), target="ann@lycee.example", network="203.0.113.0/24")
    audit.record(AuditAct.ACCOUNT_NAMED, actor=of("ann"), target="ann@lycee.example", network="198.51.100.0/24")
    text = head.get("/admin/audit?about=ann@lycee.example").text
    assert "boss@lycee.example" in text and "198.51.100" in text and "203.0.113" not in text
    assert "203.0.113" not in head.get("/admin/audit.csv").text
    assert "boss@lycee.example" not in head.get("/admin/audit?network=203.0.113.0/24&since=2020-01-01").text
    assert (
        "198.51.100" in head.get("/admin/audit?network=198.51.100.0/24&since=2020-01-01").one("main table, main ul, main ol").text
    )
