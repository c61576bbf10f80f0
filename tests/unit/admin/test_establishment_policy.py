"""What an establishment gives everybody in its domains: beneath groups and own values, kept right as people and domains come and go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support import people_ground as people
from tests.support.visits import Page, Visitor
from webmail.admin.people import creation, renaming
from webmail.admin.people.creation import NewPerson
from webmail.admin.people.record import ChangedBy
from webmail.auth import account_management, aliases
from webmail.establishments import establishments
from webmail.models import AuditAct, AuditEntry, Establishment, User
from webmail.people import groups, policies
from webmail.people.policies import Policy

GIGABYTE = 1024**3
FORM = "main form[action$='/policy']"


@pytest.fixture(params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    with people.application_on(request.param, tmp_path / "instance") as made:
        for address in ("iris@lycee.example", "odile@college.example", "root@lycee.example", "head@lycee.example"):
            ground.add(address)
        account_management.set_role(of("root"), "admin")
        lycee = establishments.make("Lycée")
        establishments.set_domains(lycee, ["lycee.example"])
        establishments.add_administrator(lycee, of("head"))
        yield made


@pytest.fixture
def root(app: Flask) -> Visitor:
    return ground.signed_in(app, "root").confirm()


@pytest.fixture
def head(app: Flask) -> Visitor:
    return ground.signed_in(app, "head").confirm()


def of(local: str) -> User:
    return User.get(User.local == local)


def lycee() -> Establishment:
    return Establishment.get(Establishment.name == "Lycée")


def path() -> str:
    return f"/admin/establishments/{lycee().id}/policy"


def given(**said: object) -> None:
    establishments.set_policy(lycee(), Policy(**said), lycee().version or 0)  # type: ignore[arg-type]


def told(page: Page, name: str) -> list[str]:
    return [cell.get_text().strip() for cell in page.one(f"[data-limit={name}]").select("td")]


def test_everybody_in_its_domains_has_what_it_gives_and_a_person_is_told_so(root: Visitor) -> None:
    page = root.get(root.get(f"/admin/establishments/{lycee().id}").link("What it gives its people"))
    page = root.submit(page, FORM, quota_bytes="3", recipients_per_hour="70", hidden="polls")
    assert page.address == f"/admin/establishments/{lycee().id}" and "It changes something for 2 people." in page.notices
    assert of("iris").quota_bytes == 3 * GIGABYTE and policies.hidden(of("iris")) == {"polls"}
    assert (of("odile").quota_bytes, of("odile").policy) == (GIGABYTE, None), "of no establishment"
    page = root.get(f"/admin/people/{of('iris').id}")
    assert told(page, "quota_bytes")[1] == "from the establishment"
    assert told(page, "recipients_per_hour") == ["70", "from the establishment"]
    assert told(page, "forwarding")[1] == "setting"
    entry = AuditEntry.select().where(AuditEntry.act == AuditAct.ESTABLISHMENT_CHANGED).order_by(AuditEntry.id.desc()).get()
    assert entry.target == "Lycée" and "policy" in entry.details
    root.submit(root.get(path()), FORM, quota_bytes="", recipients_per_hour="", hidden=[])
    assert (of("iris").quota_bytes, of("iris").policy, lycee().policy) == (GIGABYTE, None, None)


def test_groups_win_over_it_and_a_person_over_both(root: Visitor) -> None:
    given(quota_bytes=2 * GIGABYTE, recipients_per_hour=70, recipients_per_day=200, forwarding="off", second_step=True)
    science = groups.create("lycee.example", "Sciences 2")
    policies.set_group(science, Policy(quota_bytes=GIGABYTE // 2, recipients_per_hour=20, forwarding="anywhere"))
    groups.add(science, [of("iris")])
    policies.set_own(of("iris"), Policy(recipients_per_hour=9))
    found = policies.for_user(of("iris"))
    assert of("iris").quota_bytes == GIGABYTE // 2 and found.forwarding == "anywhere" and found.second_step
    assert (found.recipients_per_hour, found.recipients_per_day) == (9, 200)
    page = root.get(f"/admin/people/{of('iris').id}")
    assert [told(page, name)[1] for name in ("recipients_per_hour", "forwarding", "recipients_per_day", "second_step")] == [
        "own value", "from Sciences 2", "from the establishment", "from the establishment"
    ]  # fmt: skip
    groups.remove(science, [of("iris")])
    assert of("iris").quota_bytes == 2 * GIGABYTE and policies.for_user(of("iris")).forwarding == "off"
    account_management.set_quota(of("iris"), 5 * GIGABYTE)
    given(quota_bytes=4 * GIGABYTE)
    assert of("iris").quota_bytes == 5 * GIGABYTE, "given by hand"


def test_whom_its_people_may_write_to_names_groups(app: Flask) -> None:
    staff = groups.create("lycee.example", "Staff room")
    klass = groups.create("lycee.example", "2nde 7")
    groups.add(klass, [of("iris")])
    given(writes_to="own", reach=(staff.identifier,))
    assert set(policies.for_user(of("iris")).to_groups) == {staff.id, klass.id}
    assert policies.for_user(of("head")).to_groups == (staff.id,)
    policies.set_group(klass, Policy(writes_to="anywhere"))
    assert (policies.for_user(of("iris")).writes_to, policies.for_user(of("iris")).to_groups) == ("anywhere", ())


def test_new_accounts_begin_with_it_and_an_address_in_another_domain_ends_it(app: Flask) -> None:
    given(quota_bytes=2 * GIGABYTE, forwarding="off")
    settings, by = app.extensions["settings"], ChangedBy(of("root"))
    made = creation.create([NewPerson("luc@lycee.example"), NewPerson("noe@college.example")], by, settings)
    assert [user.quota_bytes for user in made] == [2 * GIGABYTE, GIGABYTE], "in memory too"
    assert policies.for_user(of("luc")).forwarding == "off" and of("noe").policy is None
    renaming.rename(of("luc"), "luc@college.example", by, settings)
    assert (of("luc").quota_bytes, of("luc").policy) == (GIGABYTE, None)
    renaming.rename(of("noe"), "noe@lycee.example", by, settings)
    assert of("noe").quota_bytes == 2 * GIGABYTE and policies.for_user(of("noe")).forwarding == "off"


def test_administrators_of_all_have_none_of_it(root: Visitor) -> None:
    given(recipients_per_hour=70)
    assert of("root").policy is None
    assert told(root.get(f"/admin/people/{of('root').id}"), "recipients_per_hour") == ["no limit", "setting"]
    account_management.set_role(of("iris"), "admin")
    assert of("iris").policy is None
    account_management.set_role(of("iris"), "person")
    assert policies.for_user(of("iris")).recipients_per_hour == 70


def test_domains_that_it_gets_and_loses_follow(app: Flask) -> None:
    given(quota_bytes=2 * GIGABYTE)
    establishments.set_domains(lycee(), ["college.example"])
    assert (of("iris").quota_bytes, of("odile").quota_bytes) == (GIGABYTE, 2 * GIGABYTE)
    establishments.remove(lycee())
    assert of("odile").quota_bytes == GIGABYTE


def test_the_second_of_two_is_told_and_keeps_what_was_typed(root: Visitor, head: Visitor) -> None:
    first, second = root.get(path()), head.get(path())
    root.submit(first, FORM, recipients_per_day="10")
    page = head.submit(second, FORM, recipients_per_day="20")
    assert page.status == 409 and "Somebody else changed what it gives in the meantime" in page.text
    assert "Recipients in a day: 10" in page.text and page.one("[name=recipients_per_day]")["value"] == "20"
    assert policies.for_user(of("iris")).recipients_per_day == 10
    assert head.submit(page, FORM).status == 200 and policies.for_user(of("iris")).recipients_per_day == 20


def test_who_administers_it_finds_the_form_in_its_settings_and_no_other(app: Flask, head: Visitor) -> None:
    other = establishments.make("Collège")
    establishments.set_domains(other, ["college.example"])
    page = head.get(head.get("/admin/settings").link("What it gives its people"))
    assert page.address == path() and not page.all("option:-soup-contains('This group')")
    token = str(page.one(f"{FORM} [name=csrf_token]")["value"])
    page = head.submit(page, FORM, quota_messages="500")
    assert page.address == f"/admin/settings?establishment={lycee().id}" and of("iris").quota_messages == 500
    theirs = f"/admin/establishments/{other.id}/policy"
    assert head.get(theirs).status == head.post(theirs, {"csrf_token": token, "quota_messages": "1"}).status == 404
    assert of("odile").quota_messages is None


def test_mistakes_are_told_beside_the_field(root: Visitor) -> None:
    page = root.submit(root.get(path()), FORM, recipients_per_day="many", forwarding="domains", forwarding_domains="no domain")
    assert page.status == 422 and page.one("#recipients_per_day-error") and page.one("#domains-error")
    assert page.one("[name=recipients_per_day]")["value"] == "many" and lycee().policy is None
    aliases.add(of("iris"), "@lycee.example")
    page = root.submit(root.get(path()), FORM, written_by="inside")
    assert page.status == 422 and page.one("#written_by-error") and lycee().policy is None
    assert (lycee().version or 0) == 0


def test_it_is_said_in_french(app: Flask) -> None:
    account_management.set_language(of("head"), "fr")
    page = ground.signed_in(app, "head", "fr").confirm().get(path())
    assert page.one("h1").get_text() == "Ce que donne Lycée" and "toutes les personnes de ses domaines" in page.text
