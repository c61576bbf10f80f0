"""A file of people: what it would do is shown, then a task does exactly that, and all of it can be undone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support import people_ground as people
from tests.support.task_work import work_all
from tests.support.visits import Visitor
from webmail.admin.imports import import_task
from webmail.admin.imports.people_columns import PeopleLine
from webmail.admin.imports.people_plan import ImportOptions, PeoplePlanner
from webmail.admin.people import renaming
from webmail.admin.people.record import COMMAND
from webmail.auth import account_management
from webmail.establishments.scope import EVERYTHING
from webmail.models import AllowedAddress, AuditEntry, LinkedAccount, MailAlias, PeopleGroup, Task, TaskState, User, now
from webmail.people import groups, policies
from webmail.people.policies import Policy

HEAD = people.HEAD


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", recovery_address="off", language="en") as made:
        yield made


@pytest.fixture
def root(app: Flask) -> Visitor:
    return people.root(app)


def groups_of(address: str) -> list[str]:
    return [group.name for group in groups.of_person(people.user(address))]


def undo(root: Visitor) -> str:
    return root.submit(root.get("/tasks"), "form[action='/admin/people/import/undo']").notices


def test_new_people_get_accounts_groups_and_passwords(app, root):
    page = people.chosen(root, HEAD + "Lefèvre;Élodie;6A;elodie@lycee.example\nGirard;Bob;6A;\n")
    assert people.lines_of(page) == {"elodie@lycee.example": "created", "bob.girard@lycee.example": "created"}
    assert User.select().count() == 1
    people.imported(root, page)
    assert work_all(app) == 1
    elodie = people.user("elodie@lycee.example")
    assert (elodie.name, elodie.must_change, elodie.role) == ("Élodie Lefèvre", 1, "person")
    assert elodie.temporary_until > now() + timedelta(days=29)
    assert groups_of("elodie@lycee.example") == ["6A"]
    assert "2 people created" in root.get("/tasks").text
    acts = [entry.act for entry in AuditEntry.select().where(AuditEntry.target == "elodie@lycee.example")]
    assert acts == ["account-added", "group-changed"]


def test_each_line_says_what_happens_and_why_not(app, root):
    alice, bob = ground.add("alice@lycee.example"), ground.add("bob@lycee.example")
    User.update(name="Alice").where(User.id == alice.id).execute()
    AllowedAddress.create(user=bob, address="office@lycee.example")
    page = people.chosen(
        root,
        "Name;Email;Quota;Language;End date\n"
        "Alice;alice@lycee.example;;;\nBob Girard;bob@lycee.example;2 GB;French;\nZoé;zoe@gmail.example;;;\n"
        "Root;root@lycee.example;;;\nOffice;office@lycee.example;;;\nNobody;not an address;;;\nBob;bob@lycee.example;;;\n"
        "Max;max@lycee.example;lots;Klingon;31/08/2001\n;;1G;;\n",
    )
    told = [" ".join(row.get_text(" ").split()) for row in page.all("[data-line]")]
    assert any("zoe@gmail.example Not possible Accounts here can’t have addresses in gmail.example" in one for one in told)
    assert any("office@lycee.example Not possible The address is already used" in one for one in told)
    assert any("“not an address” is not an address" in one for one in told)
    assert any("already on line 3" in one for one in told)
    assert any("“lots” is not a quota" in one and "“Klingon” is not" in one and "has passed" in one for one in told)
    assert any("neither an address nor a name" in one for one in told)
    assert any("bob@lycee.example To change" in one and "Quota: 2 GB (was 1 GB)" in one and "français" in one for one in told)
    assert "alice@lycee.example" not in people.lines_of(page)  # she stays as she is
    assert people.lines_of(root.get(page.address + "?outcome=same")) == {"alice@lycee.example": "same"}


def test_what_a_directory_gives_is_never_changed(app, root):
    dora = ground.add("dora@lycee.example")
    User.update(name="Dora", provider="ldap", quota_bytes=5 * 1024**3).where(User.id == dora.id).execute()
    LinkedAccount.create(user=dora, provider="ldap", subject="x")
    group = groups.create("lycee.example", "Given")
    groups.join(dora, [group.id], "ldap")
    page = people.chosen(root, "Name;Email;Quota;Class\nOther;dora@lycee.example;1 GB;6A\n")
    form = root.submit(page, "main form", action="look", replace_groups="1")
    people.imported(root, form)
    work_all(app)
    dora = people.user("dora@lycee.example")
    assert (dora.name, dora.quota_bytes) == ("Dora", 5 * 1024**3)
    assert groups_of("dora@lycee.example") == ["6A", "Given"]
    page = people.chosen(root, "Email;Class\nelse@lycee.example;6A\n")
    form = root.submit(page, "main form", action="look", missing="domain")
    assert people.lines_of(form)["dora@lycee.example"] == "refused"


def test_missing_people_leave_only_by_choice_and_below_a_ceiling(app, root):
    for local in ("a", "b", "c"):
        ground.add(f"{local}@lycee.example")
    page = people.chosen(root, "Email\na@lycee.example\n")
    assert not page.all("[data-line]")
    page = root.submit(page, "main form", action="look", missing="domain", ceiling="1")
    assert people.lines_of(page) == {"b@lycee.example": "disabled", "c@lycee.example": "disabled"}
    assert "more than the limit" in page.text
    assert not page.all("[name=action][value=import]")
    root.submit(page, "main form", action="import")
    assert not Task.select().exists()
    page = root.submit(page, "main form", action="look", ceiling="2")
    bob = ground.signed_in(app, "b")
    people.imported(root, page)
    work_all(app)
    assert [people.user(f"{local}@lycee.example").active for local in "abc"] == [1, 0, 0]
    assert bob.get("/account", follow=False).status == 302
    undo(root)
    assert [people.user(f"{local}@lycee.example").active for local in "abc"] == [1, 1, 1]


def test_undo_takes_all_of_it_back_but_not_what_was_changed_since(app, root):
    alice = ground.add("alice@lycee.example")
    User.update(name="Alice", quota_bytes=1024**3).where(User.id == alice.id).execute()
    content = (
        "Name;Email;Class;Quota\nAlice Leroy;alice@lycee.example;6A;2G\nNew;new@lycee.example;6A;\nUsed;used@lycee.example;6B;\n"
    )
    people.imported(root, people.chosen(root, content))
    work_all(app)
    User.update(must_change=0).where(User.address == "used@lycee.example").execute()  # came in, and chose a password
    User.update(quota_bytes=3 * 1024**3).where(User.id == alice.id).execute()
    assert "undone" in undo(root)
    alice = people.user("alice@lycee.example")
    assert (alice.name, alice.quota_bytes) == ("Alice", 3 * 1024**3)
    assert not User.select().where(User.address == "new@lycee.example").exists()
    assert people.user("used@lycee.example").active == 0  # whoever came in has mail: nothing is deleted
    assert not PeopleGroup.select().where(PeopleGroup.name == "6A").exists()


def test_somebody_who_was_changed_meanwhile_is_left_alone(app, root):
    alice = ground.add("alice@lycee.example")
    page = people.chosen(root, "Name;Email\nAlice Leroy;alice@lycee.example\n")
    people.imported(root, page)
    User.update(name="Alice Martin").where(User.id == alice.id).execute()
    work_all(app)
    assert people.user("alice@lycee.example").name == "Alice Martin"
    assert "1 person was left alone" in root.get("/tasks").text


def test_changed_choices_are_shown_before_they_are_carried_out(app, root):
    page = people.chosen(root, "Truc;Machin\nAlice Leroy;alice@lycee.example\n")
    assert page.one("#column-2 option[selected]")["value"] == "address"
    page = root.submit(page, "main form", action="import", column=["name", "address"])
    assert "look at it, then import" in page.notices
    assert not Task.select().exists()
    assert people.lines_of(page) == {"alice@lycee.example": "created"}


def test_choices_are_saved_by_name_and_found_again(app, root):
    page = people.chosen(root, "Truc;Machin\nAlice Leroy;alice@lycee.example\n")
    root.submit(page, "main form", action="save", column=["name", "address"], name="Our software", rule="gfamily")
    page = people.chosen(root, "Machin;Truc\n;Bob Girard\n")
    assert people.lines_of(page) == {"bgirard@lycee.example": "created"}
    assert "Our software" in root.get("/admin/people/import").text
    root.submit(root.get("/admin/people/import"), "form[action$=saved]", name="Our software")
    assert "Our software" not in root.get("/admin/people/import").text


def test_two_people_of_one_name_get_two_addresses_and_keep_them(app, root):
    content = "Prénom;Nom\nJean;Martin\nJean;Martin\n"
    page = people.chosen(root, content)
    assert set(people.lines_of(page)) == {"jean.martin@lycee.example", "jean.martin2@lycee.example"}
    people.imported(root, page)
    work_all(app)
    again = people.chosen(root, content)
    assert people.lines_of(root.get(again.address + "?outcome=same")) == {
        "jean.martin@lycee.example": "same", "jean.martin2@lycee.example": "same",
    }  # fmt: skip


def test_the_second_of_two_imports_is_told_of_the_first(app, root):
    other = ground.add("other@lycee.example")
    User.update(name="Olga").where(User.id == other.id).execute()
    page = people.chosen(root, "Email\na@lycee.example\n")
    Task.create(id="0" * 32, user=other, kind=import_task.IMPORT, state=TaskState.RUNNING)
    assert "Olga is importing people at the moment" in people.imported(root, page).notices
    assert Task.select().count() == 1


def test_an_administrator_of_one_establishment_reaches_no_other(app):
    ground.add("eva@college.example")
    head = people.headmaster(app)
    page = people.chosen(
        head, "Name;Email;Role\nEva;eva@college.example;\nNew;new@college.example;\nMax;max@lycee.example;admin\n"
    )
    assert set(people.lines_of(page).values()) == {"refused"}
    page = people.chosen(head, "Email\nnew@lycee.example\n")
    page = head.submit(page, "main form", action="look", missing="domain", domain="college.example")
    assert "eva@college.example" not in page.html
    assert b"eva@college.example" not in head.get("/admin/people/export.csv").response.data
    assert b"head@lycee.example" in head.get("/admin/people/export.csv").response.data


def test_nobody_else_comes_in_nor_sees_anothers_file(app, root):
    page = people.chosen(root, "Email\na@lycee.example\n")
    alice = ground.person(app, "alice")
    for address in (
        "/admin/people/import",
        page.address,
        "/admin/people/school-year",
        "/admin/people/export.csv",
        "/admin/people/sheets",
    ):
        assert alice.get(address).status == 403
    head = people.headmaster(app)
    assert "no longer here" in head.get(page.address).notices


def test_an_import_that_is_cancelled_leaves_nothing_waiting(app, root):
    page = people.chosen(root, "Email\na@lycee.example\n")
    assert "Nothing was imported" in root.submit(page, "main form", action="cancel").notices
    assert "no longer here" in root.get(page.address).notices


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [(b"PK\x03\x04", 422, "not a CSV file"), (b"", 422, "Choose a file"), (b"x" * 5_000_001, 413, "too large")],
)
def test_what_is_no_table_is_said_on_the_form(app, root, content, status, words):
    page = people.chosen(root, content)
    assert page.status == status
    assert words in page.text


def test_the_export_is_read_again_without_a_change_and_holds_no_formula(app, root):
    alice = ground.add("alice@lycee.example")
    User.update(name="=cmd()").where(User.id == alice.id).execute()
    groups.add(groups.create("lycee.example", "6A"), [alice])
    written = root.get("/admin/people/export.csv").response.data
    assert b"'=cmd()" in written
    page = people.chosen(root, written)
    assert set(people.lines_of(root.get(page.address + "?outcome=same"))) == {"alice@lycee.example", "root@lycee.example"}


def test_an_end_is_a_day_that_undo_takes_back(app, root):
    ground.add("alice@lycee.example")
    page = people.chosen(root, "Email;Fin\nalice@lycee.example;31/08/2127\n")
    assert "Last day: Sunday 31 August 2127" in page.text
    people.imported(root, page)
    work_all(app)
    assert people.user("alice@lycee.example").ends_on == datetime(2127, 8, 31, 22)  # in Paris the day is over then
    page = people.chosen(root, "Email;Fin\nalice@lycee.example;2127-08-31\n")
    assert people.lines_of(root.get(page.address + "?outcome=same")) == {"alice@lycee.example": "same"}
    undo(root)
    assert people.user("alice@lycee.example").ends_on is None


def test_who_has_another_address_by_now_is_not_made_again_without_a_word(app, root):
    ground.add("nina.olivier@lycee.example")
    User.update(name="Nina Olivier").where(User.local == "nina.olivier").execute()
    nina = people.user("nina.olivier@lycee.example")
    renaming.rename(nina, "nina.martin@lycee.example", COMMAND, app.extensions["settings"])
    User.update(name="Nina Martin").where(User.id == nina.id).execute()
    page = people.chosen(root, "Nom;Prénom\nOlivier;Nina\n")
    assert people.lines_of(page) == {"nina.olivier2@lycee.example": "created"}
    assert "This was the address of nina.martin@lycee.example before" in page.text
    page = people.chosen(root, "Nom;Prénom;Email\nMartin;Nina;nina.martin@lycee.example\n")
    assert people.lines_of(root.get(page.address + "?outcome=same")) == {"nina.martin@lycee.example": "same"}


def test_addresses_that_rest_or_are_aliases_are_given_to_nobody(app, root):
    bob = ground.add("bob@lycee.example")
    MailAlias.create(address="office@lycee.example", user=bob)
    account_management.rest("gone@lycee.example", "x", now() + timedelta(days=3))
    User.update(removal_due=now() + timedelta(days=3), active=0).where(User.id == bob.id).execute()
    page = people.chosen(root, "Name;Email\nOffice;office@lycee.example\nGone;gone@lycee.example\nBob;bob@lycee.example\n")
    assert set(people.lines_of(page).values()) == {"refused"}
    assert "it is free from" in page.text
    assert "restore it first" in page.text


def test_what_a_group_gives_holds_for_who_is_imported_into_it(app, root):
    group = groups.create("lycee.example", "6A")
    policies.set_group(group, Policy(quota_bytes=7 * 1024**2))
    people.imported(root, people.chosen(root, "Email;Class\na@lycee.example;6A\n"))
    work_all(app)
    assert people.user("a@lycee.example").quota_bytes == 7 * 1024**2


def test_passwords_that_were_shown_are_made_anew_for_who_has_not_come_in(app, root):
    people.imported(root, people.chosen(root, "Name;Email\nEva;eva@lycee.example\nMax;max@lycee.example\n"))
    work_all(app)
    sheets = root.get("/admin/people/sheets")
    shown = root.submit(sheets, "form[data-sheet]", action="print", style="list")
    first = [tag.get_text() for tag in shown.all("[data-temporary-password]")]
    assert len(first) == 2
    over = root.get(shown.address.partition("?")[0])
    assert over.status == 410
    User.update(must_change=0).where(User.address == "max@lycee.example").execute()
    root.submit(over, "main form", action="renew")
    work_all(app)
    again = root.submit(root.get("/admin/people/sheets"), "form[data-sheet]", action="print", style="a5")
    (made,) = [tag.get_text() for tag in again.all("[data-temporary-password]")]
    assert made not in first
    assert again.one("[data-person]")["data-person"] == "eva@lycee.example"


def test_thousands_of_one_name_are_not_counted_through_for_each(app, root, monkeypatch):
    for local, name in (("jean.martin", "Jean Martin"), ("jean.martin2", "Other"), ("jean.martin4", "Jean Martin")):
        User.update(name=name).where(User.id == ground.add(f"{local}@lycee.example").id).execute()
    looked, is_taken = [], PeoplePlanner._is_taken
    monkeypatch.setattr(PeoplePlanner, "_is_taken", lambda self, local: looked.append(local) or is_taken(self, local))
    settings = app.extensions["settings"]
    planner = PeoplePlanner(ImportOptions(domain="lycee.example"), EVERYTHING, settings, importer=None)
    lines = [PeopleLine(number, {"given": "Jean", "family": "Martin"}) for number in range(1, 301)]
    planned = planner.plan(lines)
    made = [one.address.partition("@")[0] for one in planned]
    assert made[:4] == ["jean.martin", "jean.martin3", "jean.martin4", "jean.martin5"] and len(set(made)) == 300
    assert [str(one.outcome) for one in planned[:4]] == ["same", "created", "same", "created"]
    assert len(looked) < 3 * len(lines)
