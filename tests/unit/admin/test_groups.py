"""Groups in administration: made, filled, given rules and an address, deleted and brought back; each administrator sees their own."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.visits import Page, Visitor
from webmail.auth.recovery import deputies
from webmail.establishments import establishments
from webmail.models import AuditAct, AuditEntry, GroupMember, PeopleGroup, User
from webmail.people import groups, lists, policies
from webmail.people.policies import Policy

GIB = 1024**3


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", language="en") as made:
        yield made


@pytest.fixture
def root(app: Flask) -> Visitor:
    ground.add("root@lycee.example")
    User.update(role="admin").where(User.address == "root@lycee.example").execute()
    return ground.signed_in(app, "root").confirm()


def post(visitor: Visitor, path: str, fields: dict[str, object]) -> Page:
    """What nobody could send by a form that was shown to them."""
    token = visitor.get("/admin/groups").all("main [name=csrf_token]")[0]["value"]
    return visitor.post(path, {"csrf_token": token, **fields})


def people(count: int, domain: str = "lycee.example") -> list[User]:
    rows = [{"address": f"p{n}@{domain}", "local": f"p{n}", "domain": domain, "name": f"Person {n:03d}"} for n in range(count)]
    User.insert_many(rows).execute()
    return list(User.select().where(User.domain == domain, User.local.startswith("p")))


def test_a_group_is_made_and_filled_with_what_was_pasted(root: Visitor) -> None:
    people(3)
    page = root.submit(root.get("/admin/groups"), "form[action$='/groups'][method=post]", name="4e B")
    assert "4e B" in page.text and page.status == 200
    group = PeopleGroup.get()
    page = root.submit(
        page,
        "form[action$='/people']:has(textarea)",
        people="Roy <P0@lycee.example>; p1@lycee.example\nnobody@lycee.example",
        action="add",
    )
    assert "2 people were added" in page.notices and "nobody@lycee.example" in page.notices
    page = root.submit(root.get(f"/admin/groups/{group.id}"), "form[action$='/people']:has(textarea)", people="p2", action="add")
    assert {one.user.address for one in GroupMember.select()} == {f"p{n}@lycee.example" for n in range(3)}
    assert AuditEntry.select().where(AuditEntry.act == AuditAct.GROUP_CHANGED).count() == 4
    page = root.submit(root.get(f"/admin/groups/{group.id}"), "form[action$='/people']:has(textarea)", people="xx", action="add")
    assert page.status == 422 and "Nobody was added" in page.text


def test_people_are_taken_out_and_put_back_but_not_those_of_a_provider(root: Visitor) -> None:
    one, two = people(2)
    group = groups.create("lycee.example", "Maths")
    groups.add(group, [one])
    groups.join(two, [group.id], "ldap")
    page = root.get(f"/admin/groups/{group.id}")
    assert "from ldap: changed there" in page.text
    page = post(root, f"/admin/groups/{group.id}/people", {"action": "remove", "person": [one.id, two.id]})
    assert [row.user for row in GroupMember.select()] == [two]
    root.submit(root.get(f"/admin/groups/{group.id}"), "form[action$='/groups/undo']")
    assert {row.user for row in GroupMember.select()} == {one, two}


def test_a_group_gives_what_was_typed(root: Visitor) -> None:
    one = people(1)[0]
    teachers, group = groups.create("lycee.example", "Teachers"), groups.create("lycee.example", "4e B")
    groups.add(group, [one])
    address = f"/admin/groups/{group.id}/policy"
    page = root.submit(root.get(address), "main form", quota_bytes="2,5", writes_to="groups", reach="teachers", written_by="inside",
                       forwarding="domains", forwarding_domains="ac-lyon.example", second_step="1", hidden="polls")  # fmt: skip
    assert "It changes something for 1 person" in page.notices and "Room for mail" in root.get(address).text
    nobody = groups.create("lycee.example", "Empty")
    page = root.submit(root.get(f"/admin/groups/{nobody.id}/policy"), "main form", quota_bytes="2")
    assert "Saved." in page.notices and "changes something" not in page.notices
    found = User.get_by_id(one.id)
    assert found.quota_bytes == 2.5 * GIB and set(policies.for_user(found).to_groups) == {group.id, teachers.id}
    assert policies.of_group(PeopleGroup.get_by_id(group.id)).reach == (teachers.identifier,)
    assert "Teachers" in root.get(address).text and root.get(address).one("[name=quota_bytes]")["value"] == "2.5"
    for typed, words in (({"quota_bytes": "much"}, "Enter a number"), ({"reach": "Nobody"}, "no group called"),
                         ({"forwarding_domains": "not a domain!"}, "is not a domain")):  # fmt: skip
        page = root.submit(root.get(address), "main form", **typed)
        assert page.status == 422 and words in page.text


def test_the_second_of_two_who_change_a_group_is_told(root: Visitor) -> None:
    group = groups.create("lycee.example", "Maths")
    for where, form in (
        (f"/admin/groups/{group.id}/policy", "main form"),
        (f"/admin/groups/{group.id}", f"form[action$='/groups/{group.id}'][method=post]"),
    ):
        first, second = root.get(where), root.get(where)
        values = {"recipients_per_hour": "10"} if "policy" in where else {"name": "Maths 2"}
        root.submit(first, form, **values)
        mine = {"recipients_per_hour": "20"} if "policy" in where else {"name": "Maths 3"}
        told = root.submit(second, form, **mine)
        assert told.status == 409 and "Somebody else changed this group" in told.text
        assert root.submit(told, form).status == 200
    assert PeopleGroup.get().name == "Maths 3" and policies.of_group(PeopleGroup.get()).recipients_per_hour == 20


def test_a_group_gets_an_address_and_those_who_look_after_it(root: Visitor) -> None:
    one = people(1)[0]
    group = groups.create("lycee.example", "Maths")
    form, where = f"form[action$='/groups/{group.id}'][method=post]", f"/admin/groups/{group.id}"
    root.submit(root.get(where), form, address="maths@lycee.example", writers="owners", owners="p0")
    fresh = PeopleGroup.get()
    assert (fresh.address, fresh.writers, lists.owners_of(fresh)) == ("maths@lycee.example", "owners", [one])
    assert "This address is in use" in root.submit(root.get(where), form, address=one.address).text
    assert "ends with @lycee.example" in root.submit(root.get(where), form, address="maths@far.example").text


def test_those_who_help_its_people_sign_in_are_named_on_its_page_and_told(root: Visitor) -> None:
    people(2)
    group = groups.create("lycee.example", "4e B")
    form, path = "form:has([name=deputies])", f"/admin/groups/{group.id}"
    page = root.submit(root.get(path), form, deputies="p0@lycee.example nobody@lycee.example")
    assert page.status == 422 and "Nobody here is called nobody@lycee.example" in page.text and "p0@lycee.example" in page.text
    assert not deputies.listed()
    root.submit(root.get(path), form, deputies="p0@lycee.example p1@lycee.example")
    root.submit(root.get(path), form, deputies="p1@lycee.example")
    assert [one.address for one in deputies.of_group(group)] == ["p1@lycee.example"]
    acts = AuditEntry.select().where(AuditEntry.act == AuditAct.DEPUTY_CHANGED).order_by(AuditEntry.id)
    told = [(one.target, json.loads(one.details)["change"]) for one in acts]
    assert told == [("p0@lycee.example", "added"), ("p1@lycee.example", "added"), ("p0@lycee.example", "removed")]
    root.submit(root.get(path), "form[action$='/delete']")
    root.submit(root.get("/admin/groups"), "form[action$='/undo']")
    assert [one.address for one in deputies.of_group(groups.find("lycee.example", "4e B"))] == ["p1@lycee.example"]


def test_a_deleted_group_comes_back_with_its_people_rules_and_address(root: Visitor) -> None:
    members = people(3)
    group = groups.create("lycee.example", "Maths")
    groups.add(group, members)
    policies.set_group(group, Policy(quota_bytes=2 * GIB))
    lists.set_address(group, "maths@lycee.example")
    page = root.submit(root.get(f"/admin/groups/{group.id}"), "form[action$='/delete']")
    assert not PeopleGroup.select().exists() and User.get_by_id(members[0].id).quota_bytes == GIB
    root.submit(page, "form[action$='/groups/undo']")
    again = PeopleGroup.get()
    assert (again.identifier, again.address, again.members.count()) == (group.identifier, "maths@lycee.example", 3)
    assert User.get_by_id(members[0].id).quota_bytes == 2 * GIB


def test_the_administrator_of_one_establishment_sees_its_groups_alone(app: Flask, root: Visitor) -> None:
    mine, other = groups.create("lycee.example", "Mine"), groups.create("college.example", "Other")
    lycee, college = establishments.make("Lycée"), establishments.make("Collège")
    establishments.set_domains(lycee, ["lycee.example"])
    establishments.set_domains(college, ["college.example"])
    ground.add("head@lycee.example")
    establishments.add_administrator(lycee, User.get(User.address == "head@lycee.example"))
    head = ground.signed_in(app, "head").confirm()
    assert "Mine" in head.get("/admin/groups").text and "Other" not in head.get("/admin/groups").text
    assert head.get(f"/admin/groups/{mine.id}").status == 200
    assert head.get(f"/admin/groups/{other.id}").status == head.get(f"/admin/groups/{other.id}/policy").status == 404
    for path in ("", "/people", "/policy", "/delete"):
        assert post(head, f"/admin/groups/{other.id}{path}", {"name": "x", "action": "add", "people": "p"}).status == 404
    assert post(head, "/admin/groups", {"name": "x", "domain": "college.example"}).status == 422
    page = head.submit(head.get(f"/admin/groups/{mine.id}/policy"), "main form", writes_to="groups", reach="Other")
    assert page.status == 422 and PeopleGroup.select().count() == 2


def test_pages_of_three_hundred_groups_ask_as_much_as_those_of_three(root: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    def statements(path: str) -> int:
        caplog.clear()
        with caplog.at_level(logging.DEBUG, "peewee"):
            assert root.get(path).status == 200
        return sum(record.name == "peewee" for record in caplog.records)

    few = groups.create("lycee.example", "Few")
    paths = ("/admin/groups", f"/admin/groups/{few.id}", f"/admin/groups/{few.id}/policy")
    for path in paths:
        root.get(path)
    before = [statements(path) for path in paths]
    rows = [{"identifier": f"g{n}@x", "name": f"G {n}", "sort": f"g {n}", "domain": "lycee.example"} for n in range(300)]
    PeopleGroup.insert_many(rows).execute()
    GroupMember.insert_many([{"group": few, "user": one} for one in people(400)]).execute()
    assert [statements(path) for path in paths] == before
