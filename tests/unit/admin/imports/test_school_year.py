"""The school year: classes move up, leavers leave, new ones come; seen before, done as one, undone as one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.support import people_ground as people
from tests.support.task_work import work_all
from tests.support.visits import Page, Visitor
from webmail.admin.imports import school_year
from webmail.models import GroupMember, LinkedAccount, PeopleGroup, User
from webmail.people import groups, memberships
from webmail.tasks import kinds

DOMAIN = "lycee.example"


@pytest.fixture(params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    with people.application_on(request.param, tmp_path / "instance") as made:
        yield made


@pytest.fixture
def root(app: Flask) -> Visitor:
    return people.root(app)


def a_class(name: str, *locals_: str) -> PeopleGroup:
    group = groups.create(DOMAIN, name)
    found = [
        User.get_or_none(User.local == local) or User.create(address=f"{local}@{DOMAIN}", local=local, domain=DOMAIN)
        for local in locals_
    ]
    groups.add(group, found)
    return group


def state() -> dict[str, tuple[int, list[str]]]:
    """Of each account whether it is active, and its groups."""
    people_ = list(User.select())
    inside = memberships.of_people([user.id for user in people_])
    return {user.local: (user.active, [one.name for one in inside.get(user.id, [])]) for user in people_}


def planned(root: Visitor, **fields: object) -> Page:
    return root.submit(root.get("/admin/people/school-year"), "form[enctype]", **fields)


def begun(root: Visitor, page: Page) -> Page:
    return root.submit(page, "main form", action="import")


def test_names_of_classes_are_understood() -> None:
    assert school_year.guessed(["6A", "5A", "4A", "3A", "Maths", "6B"]) == {
        "6A": "5A", "5A": "4A", "4A": "3A", "3A": "-", "Maths": "", "6B": "5B",
    }  # fmt: skip
    assert school_year.guessed(["6ème C", "2nde 1", "1re 1", "Terminale 1", "Club 6"]) == {
        "6ème C": "5ème C", "2nde 1": "1re 1", "1re 1": "Terminale 1", "Terminale 1": "-", "Club 6": "",
    }  # fmt: skip
    assert school_year.guessed(["Year 7 Blue", "Year 8 Blue", "CM2", "CP"]) == {
        "Year 7 Blue": "Year 8 Blue", "Year 8 Blue": "Year 9 Blue", "CM2": "-", "CP": "CE1",
    }  # fmt: skip
    assert school_year.guessed(["3D printing", "Termites", "Teachers"]) == {"3D printing": "", "Termites": "", "Teachers": ""}


def test_everybody_moves_up_at_once_and_leavers_leave(app, root):
    a_class("6A", "sixt"), a_class("5A", "fift"), a_class("3A", "leaver"), a_class("Choir", "sixt", "leaver")
    before = state()
    page = planned(root)
    assert people.lines_of(page) == {f"sixt@{DOMAIN}": "changed", f"fift@{DOMAIN}": "changed", f"leaver@{DOMAIN}": "disabled"}
    assert state() == before
    begun(root, page)
    work_all(app)
    after = state()
    assert after["sixt"] == (1, ["5A", "Choir"])
    assert after["fift"] == (1, ["4A"])
    assert after["leaver"] == (0, ["Choir"])
    assert after["root"] == (1, [])
    root.submit(root.get("/tasks"), "form[action='/admin/people/import/undo']")
    assert state() == before
    assert not PeopleGroup.select().where(PeopleGroup.name == "4A").exists()


def test_a_file_brings_new_people_and_decides_of_whom_it_names(app, root):
    a_class("6A", "repeats", "moves")
    content = f"Nom;Prénom;Classe;E-mail\nNew;Nina;6A;\nR;R;6A;repeats@{DOMAIN}\n"
    page = planned(root, file=(io.BytesIO(content.encode()), "new.csv"))
    begun(root, page)
    work_all(app)
    after = state()
    assert after["repeats"][1] == ["6A"]
    assert after["moves"][1] == ["5A"]
    assert after["nina.new"] == (1, ["6A"])


def test_who_is_not_in_a_file_of_everybody_leaves(app, root):
    a_class("6A", "stays", "goes"), a_class("Choir", "singer")
    content = f"E-mail;Classe\nstays@{DOMAIN};5A\n"
    page = planned(root, file=(io.BytesIO(content.encode()), "all.csv"), is_whole="1")
    assert people.lines_of(page) == {f"stays@{DOMAIN}": "changed", f"goes@{DOMAIN}": "disabled"}
    begun(root, page)
    work_all(app)
    assert state()["stays"] == (1, ["5A"])
    assert state()["goes"] == (0, [])
    assert state()["singer"][0] == 1


def test_teachers_the_directory_and_administrators_stay(app, root):
    group = a_class("3A", "pupil", "teacher", "root")
    a_class("Teachers", "teacher")
    dora = User.create(address=f"dora@{DOMAIN}", local="dora", domain=DOMAIN)
    LinkedAccount.create(user=dora, provider="ldap", subject="d")
    groups.join(dora, [group.id], "ldap")
    assert planned(root, not_moved="Teechers").status == 422
    page = planned(root, not_moved="teachers")
    assert people.lines_of(page) == {f"pupil@{DOMAIN}": "disabled", f"dora@{DOMAIN}": "refused", f"root@{DOMAIN}": "refused"}


def test_an_administrator_of_one_establishment_moves_only_theirs(app):
    head = people.headmaster(app, "college.example")
    a_class("6A", "sixt")
    page = head.get("/admin/people/school-year")
    assert "6A" not in page.text
    page = head.submit(page, "form[enctype]", domain=DOMAIN)
    assert page.status == 422


def test_a_year_of_six_hundred_is_turned_and_turned_back(app, root, monkeypatch):
    monkeypatch.setattr(kinds, "give_way", lambda _took: None)  # nobody else waits here
    levels = [(name, f"{name}{letter}") for name in "6543" for letter in "ABCDE"]
    for _level, name in levels:
        group = groups.create(DOMAIN, name)
        User.insert_many(
            [{"address": f"{name}.{n}@{DOMAIN}".lower(), "local": f"{name}.{n}".lower(), "domain": DOMAIN} for n in range(30)]
        ).execute()
        groups.add(group, list(User.select().where(User.local.startswith(f"{name}.".lower()))))
    before = state()
    assert len(before) == 601
    page = planned(root)
    assert [tag.b.get_text() for tag in page.all("[data-count]")] == ["450", "150"]
    begun(root, page)
    work_all(app)
    after = state()
    assert sum(1 - active for active, _groups in after.values()) == 150
    assert all(
        after[f"{6 - number}{letter}.0".lower()][1] == [f"{5 - number}{letter}"] for number in range(3) for letter in "ABCDE"
    )
    assert GroupMember.select().count() == 450
    root.submit(root.get("/tasks"), "form[action='/admin/people/import/undo']")
    work_all(app)
    assert state() == before
