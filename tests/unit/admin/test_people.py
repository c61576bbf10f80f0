"""People as administrators see and change them: lists, one account, many at once, undo; nobody locks all out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.auth_app import PASSWORD
from tests.support.visits import Page, Visitor
from webmail import audit
from webmail.admin.people import changes, endings
from webmail.admin.people.changes import Act, ChangeRefusal, Step
from webmail.admin.people.record import COMMAND
from webmail.auth import account_management, aliases
from webmail.auth.devices import app_passwords
from webmail.auth.factors import requirement
from webmail.auth.passwords import hashing
from webmail.config.settings import Settings
from webmail.dav import sign_in as devices
from webmail.establishments import establishments
from webmail.models import AllowedAddress, AuditAct, AuditEntry, CollectionShare, MailAlias, RestedAddress, Session, User, now
from webmail.people import groups, memberships, policies, visibility
from webmail.people.policies import Policy


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", recovery_address="off", language="en") as made:
        for name in ("alice", "bob", "carol", "root"):
            ground.add(f"{name}@lycee.example")
        account_management.set_role(of("root"), "admin")
        yield made


@pytest.fixture
def settings(app: Flask) -> Settings:
    return app.extensions["settings"]


@pytest.fixture
def root(app: Flask) -> Visitor:
    return ground.signed_in(app, "root").confirm()


@pytest.fixture
def chief(app: Flask) -> Visitor:
    """Of another establishment, with one person beside."""
    ground.add("chief@college.example")
    ground.add("zoe@college.example")
    school = establishments.make("Collège")
    establishments.set_domains(school, ["college.example"])
    establishments.add_administrator(school, User.get(User.address == "chief@college.example"))
    visitor = Visitor(app, "chief@college.example", PASSWORD)
    form = {"username": visitor.address, "password": PASSWORD}
    visitor.submit(visitor.get("/login"), "form[action='/login']", follow=False, **form)
    return visitor.confirm()


def of(local: str) -> User:
    return User.get(User.local == local)


def shown(page: Page) -> list[str]:
    return [str(row["data-address"]).partition("@")[0] for row in page.all("[data-person]")]


def acts(act: AuditAct) -> list[str]:
    return [row.target for row in AuditEntry.select().where(AuditEntry.act == act).order_by(AuditEntry.id)]


def change(visitor: Visitor, action: str, *people: str, **fields: str) -> Page:
    chosen = [str(of(name).id) for name in people]
    return visitor.submit(visitor.get("/admin/people"), "main form[method=post]", action=action, person=chosen, **fields)


# --- the list --------------------------------------------------------------------------------------------------------


def test_people_are_found_by_words_and_by_what_they_lack(root):
    assert shown(root.get("/admin/people")) == ["alice", "bob", "carol", "root"]
    assert shown(root.get("/admin/people?query=ALI lycee")) == ["alice"]
    assert shown(root.get("/admin/people?state=never")) == ["alice", "bob", "carol"]
    User.update(used_bytes=95, quota_bytes=100, used_at=now()).where(User.local == "bob").execute()
    User.update(used_bytes=100, quota_bytes=100).where(User.local == "carol").execute()
    assert shown(root.get("/admin/people?state=nearly&sort=used")) == ["carol", "bob"]
    assert shown(root.get("/admin/people?state=full")) == ["carol"]
    assert shown(root.get("/admin/people?state=administrators")) == ["root"]
    assert "95\xa0bytes / 100\xa0bytes" in root.get("/admin/people?query=bob").one("[data-person]").get_text(" ", strip=True)


def test_people_are_found_by_group_and_by_establishment(root, chief):
    for name, domain, people in (("4e B", "lycee.example", ("alice", "bob")), ("4e B", "college.example", ("zoe",))):
        made = groups.create(domain, name)
        for person in people:
            memberships.join(of(person).id, [made.id])
    south = establishments.make("South")
    establishments.set_domains(south, ["lycee.example"])
    school = next(one for one in establishments.listed() if one.name == "Collège")
    assert shown(root.get("/admin/people?group=4e+B")) == ["alice", "bob", "zoe"]
    assert shown(chief.get("/admin/people?group=4e+B")) == ["zoe"]
    assert shown(root.get("/admin/people?group=4e+C")) == []
    assert shown(root.get(f"/admin/people?establishment={school.id}")) == ["chief", "zoe"]
    assert shown(root.get(f"/admin/people?establishment={south.id}&group=4e+B&query=bo")) == ["bob"]
    User.create(address="guest@elsewhere.example", local="guest", domain="elsewhere.example")
    assert shown(root.get("/admin/people?establishment=-1")) == ["guest"]
    for typed in (south.id, -1, 99_999):
        assert not {"alice", "bob", "guest"} & set(shown(chief.get(f"/admin/people?establishment={typed}")))


def test_pages_have_fifty_and_lead_on(root):
    for number in range(60):
        User.create(address=f"p{number:02}@lycee.example", local=f"p{number:02}", domain="lycee.example")
    page = root.get("/admin/people?query=lycee")
    assert len(shown(page)) == 50 and "64 people" in page.text
    last = root.get(str(page.one("a[rel=next]")["href"]))
    assert len(shown(last)) == 14 and not last.all("a[rel=next]")
    assert root.get("/admin/people?page=9").address == "/admin/people?page=2"


def test_an_administrator_of_one_establishment_sees_and_changes_theirs_alone(chief, root):
    assert shown(chief.get("/admin/people")) == ["chief", "zoe"]
    alice = of("alice")
    for path in ("", "/edit"):
        assert chief.get(f"/admin/people/{alice.id}{path}").status == 404
    page = chief.get("/admin/people")
    token = page.all("[name=csrf_token]")[0]["value"]
    chief.post("/admin/people/change", {"csrf_token": token, "action": "disable", "person": str(alice.id)})
    assert chief.post(f"/admin/people/{alice.id}/edit", {"csrf_token": token, "name": "x", "quota": "1G"}).status == 404
    assert of("alice").active == 1
    page = chief.submit(chief.get("/admin/people/new"), "main form", address="alice2@lycee.example", name="x")
    assert page.status == 422 and "not one of yours" in page.text
    page = chief.submit(chief.get("/admin/people/new"), "main form", address="yan", role="admin")
    assert User.get(User.address == "yan@college.example").role == "person"
    assert "college" in root.get("/admin/people").text


# --- new accounts ----------------------------------------------------------------------------------------------------


def test_a_new_account_shows_its_password_once(app, root):
    page = root.submit(root.get("/admin/people/new"), "main form", address="Dora", name="Dora  Diaz", quota="2G")
    letters = page.one("[data-temporary-password]").get_text()
    dora = of("dora")
    assert (dora.address, dora.name, dora.quota_bytes, dora.must_change) == ("dora@lycee.example", "Dora Diaz", 2 * 1024**3, 1)
    assert hashing.verify(dora.password, letters.replace(" ", ""))
    assert acts(AuditAct.ACCOUNT_ADDED) == ["dora@lycee.example"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"address": "alice"}, "in use"),
        ({"address": "two words"}, "Enter an address"),
        ({"address": "x@foreign.example"}, "not one of yours"),
        ({"address": "eve", "quota": "much"}, "Enter a size"),
        ({"address": "gone"}, "somebody else’s not long ago"),
    ],
)
def test_what_can_be_no_account_keeps_what_was_typed(root, fields, words):
    account_management.rest("gone@lycee.example", "lycee.example/gone", now() + timedelta(days=9))
    page = root.submit(root.get("/admin/people/new"), "main form", name="Somebody", **fields)
    assert page.status == 422 and words in page.text and page.one("[name=name]")["value"] == "Somebody"


# --- one account -----------------------------------------------------------------------------------------------------


def test_an_account_is_changed_with_its_other_addresses(root):
    alice = of("alice")
    fields = {"name": "Alice Leroy", "quota": "500M", "aliases": "direction@lycee.example", "allowed": "cpe@lycee.example"}
    page = root.submit(root.get(f"/admin/people/{alice.id}/edit"), "main form", **fields)
    assert page.address == f"/admin/people/{alice.id}" and "Saved." in page.notices
    alice = of("alice")
    assert (alice.name, alice.quota_bytes) == ("Alice Leroy", 500 * 1024**2)
    assert [row.address for row in aliases.of_account(alice)] == ["direction@lycee.example"]
    assert {row.address for row in AllowedAddress.select()} == {"direction@lycee.example", "cpe@lycee.example"}
    root.submit(root.get(f"/admin/people/{alice.id}/edit"), "main form", aliases="", allowed="")
    assert not MailAlias.select().exists() and not AllowedAddress.select().exists()
    page = root.submit(root.get(f"/admin/people/{alice.id}/edit"), "main form", aliases="bob@lycee.example")
    assert page.status == 422 and "in use" in page.text


def test_a_catch_all_for_somebody_who_gets_mail_from_inside_only_is_refused_and_stays_typed(root):
    alice, typed = of("alice"), {"name": "Alice Leroy", "aliases": "@lycee.example"}
    policies.set_own(alice, Policy(written_by="inside"))
    page = root.submit(root.get(f"/admin/people/{alice.id}/edit"), "main form", **typed)
    assert page.status == 422 and "gets mail from inside only" in page.text
    assert page.one("[name=aliases]").get_text().strip() == "@lycee.example" and page.one("[name=name]")["value"] == "Alice Leroy"
    assert aliases.of_account(alice) == [] and of("alice").name != "Alice Leroy"
    policies.set_own(alice, Policy())
    assert root.submit(page, "main form").status == 200 and [row.address for row in aliases.of_account(alice)] == [
        "@lycee.example"
    ]


def test_how_many_messages_a_mailbox_holds_is_a_value_of_their_own(root):
    """It wins over what the groups give, which counts again where the field is empty."""
    alice = of("alice")
    group = groups.create("lycee.example", "6A")
    memberships.join(alice.id, [group.id])
    policies.set_group(group, Policy(quota_messages=500))
    form = f"/admin/people/{alice.id}/edit"
    assert "500 messages" in root.get(form).text
    for typed, holds, shown_again in (("2000", 2000, "2000"), ("0", 0, "0"), ("", 500, "")):
        assert "Saved." in root.submit(root.get(form), "main form", messages=typed).notices
        assert of("alice").quota_messages == holds and root.get(form).one("[name=messages]")["value"] == shown_again
    assert audit.details_of(AuditEntry.select().where(AuditEntry.act == AuditAct.ACCOUNT_QUOTA_SET).get())["messages"] == 2000
    page = root.submit(root.get(form), "main form", messages="many")
    assert page.status == 422 and page.one("[name=messages]")["value"] == "many" and of("alice").quota_messages == 500


def test_the_second_of_two_administrators_is_told_and_keeps_what_they_typed(root):
    alice = of("alice")
    mine, other = root.get(f"/admin/people/{alice.id}/edit"), root.get(f"/admin/people/{alice.id}/edit")
    root.submit(mine, "main form", name="First", quota="1G")
    page = root.submit(other, "main form", name="Second", quota="3G")
    assert page.status == 409 and "First" in page.one("[role=alert] dl").get_text()
    assert page.one("main form [name=name]")["value"] == "Second" and of("alice").name == "First"
    root.submit(page, "main form")
    assert (of("alice").name, of("alice").quota_bytes) == ("Second", 3 * 1024**3)


def test_one_persons_page_tells_of_devices_and_never_of_mail(root, app):
    alice = of("alice")
    _letters, row = app_passwords.add(alice, "Telephone", ["imap"])
    ground.signed_in(app, "alice")
    page = root.get(f"/admin/people/{alice.id}")
    assert "Telephone" in page.text and "Last sign-ins" in page.text
    page = root.submit(page, "form[action$='/device']", app_password=str(row.id))
    assert "can no longer connect" in page.notices and not app_passwords.for_user(alice)
    root.submit(page, "form[action$='/sign-out']")
    assert not Session.select().where(Session.user == alice).exists()


# --- many ------------------------------------------------------------------------------------------------------------


def test_several_are_disabled_and_taken_back_as_one(root, app):
    ground.signed_in(app, "alice")
    page = change(root, "disable", "alice", "bob")
    assert "2 accounts disabled." in page.notices and (of("alice").active, of("bob").active, of("carol").active) == (0, 0, 1)
    assert not Session.select().where(Session.user == of("alice")).exists()
    assert acts(AuditAct.ACCOUNT_DISABLED) == ["alice@lycee.example", "bob@lycee.example"]
    change(root, "enable", "bob")
    page = root.submit(page, "#notices form, .notice form")
    assert "Undone for 1 of 2" in page.notices and of("alice").active == 1


def test_all_of_a_list_means_its_other_pages_too(root):
    for number in range(60):
        User.create(address=f"pupil{number:02}@lycee.example", local=f"pupil{number:02}", domain="lycee.example")
    page = root.get("/admin/people?query=pupil")
    root.submit(page, "main form[method=post]", action="quota", quota="3G", all="1")
    assert User.select().where(User.quota_bytes == 3 * 1024**3, User.local.startswith("pupil")).count() == 60
    assert of("alice").quota_bytes != 3 * 1024**3


def test_the_last_administrator_stays_and_nobody_locks_themselves_out(root, settings):
    page = change(root, "disable", "root", "alice")
    assert "1 account disabled." in page.notices and "lock yourself out" in page.notices and of("root").active == 1
    for act, value in ((Act.DISABLE, None), (Act.REMOVE, None), (Act.END, now())):
        outcome = changes.apply([of("root")], Step(act, value), COMMAND, settings)
        assert outcome.refused[0][1] is ChangeRefusal.LAST
    account_management.set_role(of("bob"), "admin")
    outcome = changes.apply([of("root"), of("bob")], Step(Act.DISABLE), COMMAND, settings)
    assert [len(outcome.changed), len(outcome.refused)] == [1, 1]


def test_nobody_takes_the_role_from_the_last_administrator_nor_from_themselves(root):
    page = root.submit(root.get(f"/admin/people/{of('root').id}/edit"), "main form", role="person")
    assert page.status == 409 and "the last administrator stays one" in page.text
    account_management.set_role(of("bob"), "admin")
    page = root.submit(root.get(f"/admin/people/{of('root').id}/edit"), "main form", role="person")
    assert page.status == 409 and "lock yourself out" in page.text
    root.submit(root.get(f"/admin/people/{of('bob').id}/edit"), "main form", role="person")
    assert of("bob").role == "person" and of("root").role == "admin"


def test_new_passwords_are_shown_once_and_the_person_is_told(root):
    page = change(root, "passwords", "alice", "bob")
    letters = [one.get_text().replace(" ", "") for one in page.all("[data-temporary-password]")]
    assert [hashing.verify(of(name).password, one) for name, one in zip(("alice", "bob"), letters, strict=True)] == [True, True]
    assert of("alice").must_change == 1


def test_a_second_factor_is_required_of_one(root, settings):
    assert not requirement.is_required(of("alice"), settings)
    change(root, "factor", "alice")
    assert requirement.is_required(of("alice"), settings)
    root.submit(root.get(f"/admin/people/{of('alice').id}"), "form[action$='/change']", action="no-factor")
    assert not requirement.is_required(of("alice"), settings)


# --- ends ------------------------------------------------------------------------------------------------------------


def test_an_account_ends_when_its_last_day_is_over(root, settings):
    change(root, "end", "alice", until="2027-07-31")
    assert of("alice").ends_on.isoformat() == "2027-07-31T22:00:00"  # midnight in Paris
    assert "disabled from Sunday 1 August 2027 on" in root.get(f"/admin/people/{of('alice').id}").text
    assert endings.close_ended(settings) == 0
    User.update(ends_on=now() + timedelta(days=3)).where(User.local == "alice").execute()
    told: list[str] = []
    endings.warn(settings, lambda user, _settings: told.append(user.local) or [])
    endings.warn(settings, lambda user, _settings: told.append(user.local) or [])
    assert told == ["alice"]
    User.update(ends_on=now()).where(User.local == "alice").execute()
    assert endings.close_ended(settings) == 1 and of("alice").active == 0
    change(root, "enable", "alice")
    assert of("alice").active == 1 and of("alice").ends_on is None


def test_a_deleted_account_can_be_restored_until_it_is_gone_for_good(root, settings):
    calendar = ground.calendar_of("alice", "sorties", title="Sorties")
    CollectionShare.create(collection=calendar, user=of("bob"), rights="read")
    page = change(root, "remove", "alice", "bob")
    assert of("alice").active == 1 and "Sorties" in page.text and "shared with 1 person" in page.text
    root.submit(page, "main form", action="remove")
    assert of("alice").active == 0 and shown(root.get("/admin/people?state=removed")) == ["alice", "bob"]
    page = root.get("/admin/people?state=removed")
    assert [button["value"] for button in page.all(".bulk button")] == ["restore"]  # nothing else can be done with them
    root.submit(page, "main form[method=post]", action="restore", person=[str(of("bob").id)])
    assert of("bob").active == 1 and of("bob").removal_due is None
    assert endings.delete_due(settings) == 0
    User.update(removal_due=now()).where(User.local == "alice").execute()
    assert endings.delete_due(settings) == 1
    assert not User.select().where(User.local == "alice").exists()
    assert RestedAddress.get().address == "alice@lycee.example"
    made = account_management.create("alice@lycee.example", "", role="person", password="", must_change=False, quota_bytes=1)
    assert made.home.startswith("lycee.example/alice.")  # the new one never finds the mail of the former


def test_enabling_a_deleted_account_is_refused(root, settings):
    changes.apply([of("alice")], Step(Act.REMOVE), COMMAND, settings)
    assert changes.apply([of("alice")], Step(Act.ENABLE), COMMAND, settings).refused[0][1] is ChangeRefusal.REMOVED


# --- another address -------------------------------------------------------------------------------------------------


def test_the_former_address_goes_on_after_another_is_given(root, app, settings):
    alice = of("alice")
    letters, _row = app_passwords.add(alice, "Telephone", ["caldav"])
    page = root.submit(root.get(f"/admin/people/{alice.id}/address"), "main form", address="Alice.Leroy")
    assert "is now alice.leroy@lycee.example" in page.notices
    now_called = User.get(User.id == alice.id)
    assert (now_called.address, now_called.home) == ("alice.leroy@lycee.example", "lycee.example/alice")
    assert aliases.account_of("alice@lycee.example") == now_called
    assert [row.address for row in AllowedAddress.select()] == ["alice@lycee.example"]
    visitor = ground.signed_in(app, "alice")  # by the former one, in a browser
    assert visitor.get("/account").status == 200
    for name in ("alice@lycee.example", "alice.leroy@lycee.example"):
        device = devices.sign_in(name, letters, "192.0.2.1", settings, lambda _account: None)
        assert device.user.id == alice.id and device.user.address == name  # its calendars are where it knows them
    assert acts(AuditAct.ACCOUNT_RENAMED) == ["alice.leroy@lycee.example"]
    page = root.submit(root.get(f"/admin/people/{alice.id}/address"), "main form", address="bob")
    assert page.status == 422 and "in use" in page.text
    root.submit(root.get(f"/admin/people/{alice.id}/address"), "main form", address="alice@lycee.example")
    assert User.get(User.id == alice.id).address == "alice@lycee.example"


def test_another_address_is_taken_back_with_the_alias_that_it_made(root, app):
    alice = of("alice")
    page = root.submit(root.get(f"/admin/people/{alice.id}/address"), "main form", address="Alice.Leroyy")
    page = root.submit(page, "form[action='/admin/people/address/undo']")
    assert "alice@lycee.example has the former address again" in page.notices
    assert (of("alice").address, aliases.of_account(of("alice"))) == ("alice@lycee.example", [])
    assert not AllowedAddress.select().where(AllowedAddress.user == alice).exists()
    assert acts(AuditAct.ACCOUNT_RENAMED) == ["alice.leroyy@lycee.example", "alice@lycee.example"]


def test_what_was_an_alias_before_stays_one_and_a_second_click_changes_nothing(root, app):
    alice = of("alice")
    aliases.add(alice, "al@lycee.example")
    page = root.submit(root.get(f"/admin/people/{alice.id}/address"), "main form", address="al")
    assert of("al").address == "al@lycee.example"
    root.submit(page, "form[action='/admin/people/address/undo']")
    assert [(row.address, row.former) for row in aliases.of_account(of("alice"))] == [("al@lycee.example", 0)]
    again = root.submit(page, "form[action='/admin/people/address/undo']")
    assert "no longer be undone" in again.notices and of("alice").address == "alice@lycee.example"


def test_an_address_that_was_changed_again_is_not_undone(root, app):
    alice = of("alice")
    page = root.submit(root.get(f"/admin/people/{alice.id}/address"), "main form", address="alix")
    root.submit(root.get(f"/admin/people/{alice.id}/address"), "main form", address="alixe")
    assert "no longer be undone" in root.submit(page, "form[action='/admin/people/address/undo']").notices
    assert User.get(User.id == alice.id).address == "alixe@lycee.example"


# --- establishments --------------------------------------------------------------------------------------------------


def test_an_establishment_is_made_with_its_administrators(root, settings):
    ground.add("zoe@college.example")
    page = root.submit(root.get("/admin/establishments"), "main form", name="Collège")
    fields = {"domains": "college.example", "administrators": "zoe@college.example", "directory": "own"}
    page = root.submit(page, "main form:not([action$=delete])", **fields)
    assert "was saved" in page.notices and of("zoe").role == "establishment"
    assert not visibility.sees(of("alice"), "zoe@college.example", settings)
    page = root.get(page.link("Collège"))
    bad = root.submit(page, "main form:not([action$=delete])", domains="no domain!", administrators="nobody@lycee.example")
    assert bad.status == 422 and "has no account" in bad.text and "no domain!" in bad.one("[name=domains]").get_text()
    root.submit(page, "main form:not([action$=delete])", administrators="")
    assert of("zoe").role == "person"
    assert "tick the box" in root.submit(page, "form[action$=delete]").notices
    root.submit(page, "form[action$=delete]", sure="1")
    assert not establishments.listed() and of("zoe")


def test_people_find_those_of_their_own_establishment_or_of_all_that_allow_it(app, settings):
    made = {}
    for name in ("nord", "sud", "est"):
        ground.add(f"p@{name}.example")
        made[name] = establishments.make(name)
        establishments.set_domains(made[name], [f"{name}.example"])
    nord, sud, est = (User.get(User.address == f"p@{name}.example") for name in made)
    assert not visibility.sees(nord, sud.address, settings)
    for name in ("nord", "sud"):
        establishments.show_directory(made[name], "all")
    assert visibility.sees(nord, sud.address, settings) and not visibility.sees(nord, est.address, settings)
    assert visibility.sees(est, est.address, settings) and not visibility.sees(est, sud.address, settings)
