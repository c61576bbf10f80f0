"""Writing to groups of the establishment: offered, chosen, typed, delivered to each of their people once."""

from __future__ import annotations

import pytest

from tests.support.compose_form import FORM, value_of, write
from tests.support.groups import group, group_named
from tests.support.visits import Visitor
from webmail.database.connection import db
from webmail.models import Outbox, PeopleGroup, User
from webmail.people import groups


@pytest.fixture
def carol(app, make_account):
    return Visitor(app, make_account("carol")).sign_in()


@pytest.fixture(autouse=True)
def maths(app, alice, bob, carol):
    """Bob and Carol are of the group "Maths"; it is the only one, and nobody has written yet."""
    with db.connection_context():
        PeopleGroup.delete().execute()
        group("Maths", bob.address, carol.address)
    yield
    with db.connection_context():
        PeopleGroup.delete().execute()


@pytest.fixture
def charlie(app):
    return Visitor(app, "charlie@autre.example").sign_in()


def options(person):
    return person.get("/recipients?words=mat").all("[data-group]")


def both(*people):
    """What stands in a field for these people of the group."""
    return ", ".join(f"{User.get(User.address == person.address).name} <{person.address}>" for person in people)


def test_a_message_to_maths_reaches_each_of_its_people_once(alice, bob, carol, work, stored):
    write(alice, to=f"MATHS, {bob.address}", cc="maths", subject="Réunion", body="b", action="send")
    work()
    for person in (bob, carol):
        [got] = stored(person, "INBOX")
        assert got["Subject"] == "Réunion"
    assert stored(alice, "INBOX") == []


def test_the_group_is_offered_while_its_name_is_typed(alice, bob, carol, charlie):
    [option] = options(alice)
    assert option.get_text(" ", strip=True) == "Maths Group of 2 people at lycee.example"
    assert option["data-entry"] == both(bob, carol)
    assert options(charlie) == []


def test_the_group_is_chosen_and_left_on_the_page_of_people(alice, bob, carol):
    page = write(alice, action="choose", subject="s")
    token = page.one("[name=to][value^='people:']")["value"]
    page = alice.submit(page, "form.people", to=[token], action="done")
    assert value_of(page, "to") == both(bob, carol)
    page = alice.submit(page, FORM, action="choose")
    assert page.one(f"[name=to][value='{token}']").has_attr("checked")
    assert value_of(alice.submit(page, "form.people", to=[], action="done"), "to") == ""


def test_other_establishments_reach_nobody_by_it(alice, charlie):
    token = write(alice, action="choose", subject="s").one("[name=to][value^='people:']")["value"]
    page = charlie.submit(write(charlie, action="choose", subject="s"), "form.people", to=[token], action="done")
    assert value_of(page, "to") == ""
    page = write(charlie, to="Maths", subject="s", body="b", action="send")
    assert "Who do you mean by “Maths”?" in page.text and "lycee.example" not in page.one("#whom").get_text()
    assert Outbox.select().count() == 0


def test_without_a_directory_there_are_no_groups(app, alice):
    token = write(alice, action="choose", subject="s").one("[name=to][value^='people:']")["value"]
    object.__setattr__(app.extensions["settings"], "directory", False)
    assert options(alice) == []
    page = write(alice, action="choose", subject="s")
    assert page.all("[name=to][value^='people:']") == []
    assert value_of(alice.submit(page, "form.people", to=[token], action="done"), "to") == ""
    page = write(alice, to="Maths", subject="s", body="b", action="send")
    assert "Who do you mean by “Maths”?" in page.text
    assert Outbox.select().count() == 0


def test_the_user_name_of_a_colleague_stays_one(alice, make_account):
    name = make_account("maths").partition("@")[0]
    groups.rename(group_named("Maths"), name)
    write(alice, to=name, subject="s", body="b", action="send")
    assert Outbox.get().recipients == f'["{name}@lycee.example"]'


def test_a_closed_account_gets_nothing_and_an_empty_group_is_not_offered(alice, bob, carol):
    User.update(active=0).where(User.address == carol.address).execute()
    assert [option["data-entry"] for option in options(alice)] == [both(bob)]
    User.update(active=0).where(User.address == bob.address).execute()
    assert options(alice) == []


def test_limits_count_the_people_of_a_group(app, alice):
    User.update(recipients_per_hour=1).where(User.address == alice.address).execute()
    page = write(alice, to="Maths", subject="s", body="b", action="send")
    assert page.status == 422 and page.all("#to-error")
    assert Outbox.select().count() == 0


def test_a_link_to_write_to_the_group_opens_with_its_people(alice, bob, carol):
    assert value_of(alice.get("/compose?to=maths"), "to") == both(bob, carol)
    groups.rename(group_named("Maths"), "<b>Maths</b>".replace("<", "(").replace(">", ")"))
    assert value_of(alice.get("/compose?to=(b)Maths(/b)"), "to") == both(bob, carol)
