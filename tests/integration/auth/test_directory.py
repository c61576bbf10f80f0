"""Signing in by a real directory (slapd): who gets in, what comes along, what is said while it is away, and who left."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from imapclient import IMAPClient

from deploy.demo.services import Services
from tests.bench.instance import worker
from tests.support import directory as support
from tests.support.directory import BASE, PASSWORD, Directory
from tests.support.servers import certificate, silent
from tests.support.visits import Page, Visitor
from tests.support.waiting import eventually
from webmail import create_app, imap, jobs
from webmail.auth.devices import app_passwords
from webmail.auth.providers import directory as sign_in_directory
from webmail.auth.providers import directory_sweep, people_elsewhere
from webmail.config.settings import Settings
from webmail.errors import ServerAwayError
from webmail.imap.connections import circuit_breaker
from webmail.models import (
    AuditAct,
    AuditEntry,
    GroupMember,
    LimitUse,
    LinkedAccount,
    PeriodicJob,
    Session,
    SystemMessage,
    User,
    now,
)
from webmail.people.visibility import Sight

AWAY = "The directory is not responding. Please try again in a few minutes. People whose password is kept here can still sign in."
WRONG = "Wrong user name or password."


@pytest.fixture(scope="module")
def slapd() -> Iterator[Directory]:
    with support.running(support.CROWD) as running:
        yield running


@pytest.fixture
def app_with(services: Services) -> Iterator[Callable[..., Flask]]:
    """`app_with(entry_of_[ldap], setting=value)`: an application on these servers and on a directory."""

    def make(ldap: dict[str, object], **changed: object) -> Flask:
        values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
        return create_app(values.pop("instance"), **{**values, "new_browser_mail": False, "ldap": ldap, **changed})

    LimitUse.delete().execute()
    yield make
    for user in User.select().where((User.provider == "ldap") | (User.local << ["ann", "ben", "emma", "zed"])):
        user.delete_instance(recursive=True)
    imap.close_all()


@pytest.fixture
def app(app_with: Callable[..., Flask], slapd: Directory) -> Flask:
    return app_with(slapd.as_table(), admin_address="admin@lycee.example")


@pytest.fixture
def somebody(slapd: Directory) -> Iterator[Callable[..., str]]:
    """`somebody("zed", mail=...)`: a new entry, gone after the test; returns its DN."""
    made: list[str] = []

    def add(uid: str, **values: object) -> str:
        made.append(slapd.person(uid, **values))  # type: ignore[arg-type]
        return made[-1]

    yield add
    for dn in made:
        try:
            slapd.remove(dn)
        except Exception:  # the test did
            continue


def door(app: Flask, name: str, password: str = PASSWORD) -> Page:
    visitor = Visitor(app, name, password)
    return visitor.submit(visitor.get("/login"), "form[action='/login']", username=name, password=password)


def local(name: str, password: str = "demo") -> User:
    from webmail.auth.passwords import hashing

    hashed = hashing.hash_password(password)
    address = f"{name}@lycee.example"
    return User.create(address=address, local=name, domain="lycee.example", password=hashed, recovery_asked=now())


# --- who gets in -----------------------------------------------------------------------------------------------------


def test_the_first_sign_in_makes_the_account_with_name_quota_and_groups_and_opens_the_mailbox(app):
    page = door(app, "ann")
    assert page.status == 200 and page.address.startswith(("/mailbox/INBOX", "/account/recovery")), page.text
    user = User.get(User.address == "ann@lycee.example")
    assert (user.name, user.quota_bytes, user.password, user.provider, user.role) == (
        "Ann Martin", 500 * 1024**2, "", "ldap", "person",
    )  # fmt: skip
    assert {row.group.name for row in GroupMember.select().where(GroupMember.user == user)} == {"Teachers", "Science"}
    [session] = Session.select().where(Session.user == user)
    assert session.provider == "ldap" and session.credential is None  # the directory's password is not kept


def test_later_visits_follow_what_the_directory_says(app, slapd, somebody):
    dn = somebody("zed", mailQuota="1G")
    door(app, "zed")
    slapd.change(dn, displayName="Zed Renamed", mailQuota="2G", uid="zed")
    door(app, "ZED@lycee.example")
    user = User.get(User.address == "zed@lycee.example")
    assert (user.name, user.quota_bytes) == ("Zed Renamed", 2 * 1024**3)


@pytest.mark.parametrize("scheme", ["ldaps", "ldap with StartTLS"])
def test_both_ways_of_encryption(app_with, slapd, scheme):
    url = f"ldaps://127.0.0.1:{slapd.tls_port}" if scheme == "ldaps" else slapd.settings().url
    assert door(app_with(slapd.as_table(url=url)), "ben").status == 200


def test_a_tree_with_other_attributes(app_with, slapd):
    """As Active Directory has them, with groups as names and as DNs."""
    table = slapd.as_table(
        base="ou=staff,dc=college,dc=example", bind_dn="", bind_password="", filter="(sAMAccountName={name})",
        groups_attribute="group", name_attribute="cn", quota_attribute="",
    )  # fmt: skip
    assert door(app_with(table), "Emma").status == 200
    user = User.get(User.address == "emma@lycee.example")
    assert user.name == "Emma Petit"
    assert {row.group.name for row in GroupMember.select().where(GroupMember.user == user)} == {"6e B", "Chorale"}


def test_a_wrong_password_and_an_unknown_name_are_told_the_same(app):
    for name, password in (("ann", "wrong"), ("nobody", PASSWORD), ("dan", PASSWORD), ("ann@elsewhere.example", PASSWORD)):
        page = door(app, name, password)
        assert (page.status, WRONG in page.text) == (401, True), name
    assert User.get_or_none(User.address << ["dan@lycee.example", "nobody@lycee.example"]) is None


def test_wrong_passwords_count_as_those_that_are_kept_here(app):
    statuses = [door(app, "ben", "wrong").status for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    assert door(app, "ben").status == 429


def test_somebody_whom_the_directory_has_locked_stays_out(app, slapd, somebody):
    dn = somebody("zed")
    slapd.change(dn, pwdAccountLockedTime="000001010000Z")
    assert (door(app, "zed").status, User.get_or_none(User.address == "zed@lycee.example")) == (401, None)


def test_two_entries_for_one_name_are_nobody(app, somebody, slapd):
    somebody("zed")
    slapd.add(f"ou=more,{BASE}", objectClass="organizationalUnit", ou="more")
    try:
        slapd.add(f"uid=zed,ou=more,{BASE}", **support.person("zed"))
        assert door(app, "zed").status == 401
    finally:
        slapd.remove(f"uid=zed,ou=more,{BASE}")
        slapd.remove(f"ou=more,{BASE}")


def test_the_address_that_was_typed_is_taken_where_there_are_several(app):
    assert door(app, "ann.martin@lycee.example").status == 401  # the filter knows people by uid
    assert door(app, "ann").status == 200
    assert LinkedAccount.get(LinkedAccount.provider == "ldap").user.address == "ann@lycee.example"


# --- whose account it is ---------------------------------------------------------------------------------------------


def test_a_password_that_is_kept_here_wins(app):
    local("ann", "here")
    assert door(app, "ann", PASSWORD).status == 401
    assert door(app, "ann", "here").status == 200
    assert not LinkedAccount.select().join(User).where(User.local == "ann").exists()


def test_nobody_takes_an_account_by_writing_its_address_into_their_entry(app, somebody):
    user = local("ben", "here")
    somebody("zed", mail="ben@lycee.example")
    page = door(app, "zed")
    assert page.status == 403 and "There is already an account ben@lycee.example" in page.text
    assert not Session.select().where(Session.user == user).exists()


def test_nor_an_administrators_account_without_a_password(app, somebody):
    user = local("ben")
    User.update(password="", role="admin").where(User.id == user.id).execute()
    somebody("zed", mail="ben@lycee.example")
    assert door(app, "zed").status == 403


def test_an_address_of_another_domain_gets_no_account(app, somebody):
    somebody("zed", mail="zed@elsewhere.example")
    page = door(app, "zed")
    assert page.status == 403 and "gave no email address that can be used here" in page.text


def test_who_got_a_password_of_ours_since_no_longer_comes_by_the_directory(app, somebody):
    somebody("u1001", mail="zed@lycee.example")
    assert door(app, "u1001").status == 200
    from webmail.auth.passwords import hashing

    User.update(password=hashing.hash_password("here")).where(User.address == "zed@lycee.example").execute()
    assert door(app, "u1001").status == 403
    assert door(app, "zed", "here").status == 200


def test_a_known_browser_is_known_by_the_directorys_name_too(app, somebody):
    somebody("u1001", mail="zed@lycee.example")
    visitor = Visitor(app, "u1001", PASSWORD).sign_in()
    visitor.submit(visitor.get("/account"), "form[action='/logout']")
    assert [door(app, "u1001", "guess").status for _ in range(11)] == [401] * 10 + [429]
    assert visitor.sign_in().get("/mailbox/INBOX").status == 200


# --- confirming ------------------------------------------------------------------------------------------------------


def test_a_change_of_factors_asks_for_the_directorys_password(app, somebody):
    somebody("zed")
    visitor = Visitor(app, "zed", PASSWORD).sign_in()
    page = visitor.get("/account/totp")
    assert page.address.startswith("/account/confirm"), page.address
    refused = visitor.submit(page, "form[action*='/account/confirm']", password="wrong")
    assert refused.status == 401
    assert visitor.submit(page, "form[action*='/account/confirm']", password=PASSWORD).address.startswith("/account/totp")


# --- away ------------------------------------------------------------------------------------------------------------


def test_a_directory_that_is_away_is_said_and_not_counted_and_others_still_get_in(app_with, slapd):
    app = app_with(slapd.as_table(url="ldap://127.0.0.1:1"))
    local("ben")
    page = door(app, "ann")
    assert page.status == 502 and AWAY in page.text
    assert not LimitUse.select().exists()
    assert door(app, "ben", "demo").status == 200


def test_a_certificate_that_is_not_trusted_is_as_if_it_were_away(app_with, slapd, tmp_path):
    _context, other = certificate(tmp_path)
    for url in (slapd.settings().url, f"ldaps://127.0.0.1:{slapd.tls_port}"):
        assert door(app_with(slapd.as_table(url=url, ca_file=other)), "ann").status == 502
        circuit_breaker.forget_all()


def test_a_service_account_that_is_refused_is_no_wrong_password_of_the_person(app_with, slapd):
    assert door(app_with(slapd.as_table(bind_password="wrong")), "ann").status == 502


def test_who_has_a_password_here_is_not_slowed_by_a_silent_directory(app_with, slapd):
    """Forty people wait for a directory that never answers, on sixteen threads; somebody else signs in meanwhile."""
    local("ben")
    with silent() as port:
        app = app_with(slapd.as_table(url=f"ldap://127.0.0.1:{port}", timeout=3.0))
        began, told = time.monotonic(), []
        crowd = [threading.Thread(target=lambda n=number: told.append(door(app, f"zed{n}").status)) for number in range(12)]
        for one in crowd:
            one.start()
        time.sleep(0.2)
        before = time.monotonic()
        assert door(app, "ben", "demo").status == 200
        alone = time.monotonic() - before
        for one in crowd:
            one.join()
    assert set(told) == {502} and len(told) == 12
    assert alone < 3 and time.monotonic() - began < 9
    with app.app_context(), pytest.raises(ServerAwayError):  # at once: it is left alone for some seconds
        sign_in_directory.sign_in("zed@lycee.example", PASSWORD, app.extensions["settings"])


# --- who left --------------------------------------------------------------------------------------------------------


@pytest.fixture
def people(app, somebody) -> list[str]:
    """Six people who have signed in; the DN of each."""
    found = [somebody(f"zed{number}") for number in range(6)]
    for number in range(6):
        assert door(app, f"zed{number}").status == 200
    LinkedAccount.update(used=now() - timedelta(minutes=1)).execute()
    return found


def account(number: int) -> User:
    return User.get(User.address == f"zed{number}@lycee.example")


def signed_in(services: Services, address: str, secret: str) -> IMAPClient:
    client = IMAPClient("127.0.0.1", services.ports.imap, ssl=False, timeout=10)
    client.plain_login(address, secret)
    return client


def is_cut(client: IMAPClient) -> bool:
    try:
        client.noop()
    except (IMAPClient.AbortError, OSError):
        return True
    return False


def sweep(app: Flask) -> None:
    made = jobs.build(app.extensions["settings"])
    made.context = app.app_context
    made.do("directory")


def test_who_left_is_disabled_with_all_that_is_open_and_comes_back(app, people, slapd, services):
    user = account(0)
    secret, _row = app_passwords.add(user, "Phone", ["imap"])
    telephone = signed_in(services, user.address, secret)
    slapd.change(people[0], employeeType="gone")
    sweep(app)
    assert [account(number).active for number in range(6)] == [0, 1, 1, 1, 1, 1]
    assert not Session.select().where(Session.user == user).exists()
    assert AuditEntry.select().where(AuditEntry.act == AuditAct.DIRECTORY_LEFT, AuditEntry.target == user.address).exists()
    assert door(app, "zed0").status == 401
    eventually(lambda: is_cut(telephone), what="what the telephone had open is closed")
    with pytest.raises(IMAPClient.Error):
        signed_in(services, user.address, secret)
    slapd.change(people[0], employeeType="")
    sweep(app)
    assert account(0).active == 1 and door(app, "zed0").status == 200


def test_who_is_back_before_the_next_sweep_gets_in_by_signing_in(app, people, slapd):
    slapd.change(people[0], employeeType="gone")
    sweep(app)
    slapd.change(people[0], employeeType="")
    assert door(app, "zed0").status == 200 and account(0).active == 1


def test_who_was_disabled_by_hand_stays_so(app, people):
    User.update(active=0).where(User.address == account(1).address).execute()
    sweep(app)
    assert account(1).active == 0
    page = door(app, "zed1")
    assert page.status == 403 and "This account is disabled" in page.text


def test_many_at_once_are_asked_about_and_not_disabled(app, people, slapd):
    SystemMessage.delete().where(SystemMessage.kind == "directory").execute()
    for dn in people[:2]:
        slapd.change(dn, employeeType="gone")
    sweep(app)
    sweep(app)
    assert all(account(number).active for number in range(6))
    [letter] = SystemMessage.select().where(SystemMessage.kind == "directory")
    assert letter.recipient == "admin@lycee.example" and "accounts directory sweep --yes" in letter.body
    assert account(0).address in letter.body
    said = app.test_cli_runner().invoke(args=["accounts", "directory", "sweep"])
    assert said.exit_code == 1 and "add --yes" in said.output
    said = app.test_cli_runner().invoke(args=["accounts", "directory", "sweep", "--yes"])
    assert said.exit_code == 0 and "2 disabled" in said.output
    assert [account(number).active for number in range(3)] == [0, 0, 1]


def test_nothing_follows_from_a_directory_that_is_away_or_broken(app, people, slapd):
    settings = app.extensions["settings"]
    wrong = (
        {"url": "ldap://127.0.0.1:1"},
        {"bind_password": "wrong"},
        {"base": "ou=nowhere,dc=lycee,dc=example"},
        {"filter": "(uid={name}"},
    )
    for changed in wrong:
        circuit_breaker.forget_all()
        with pytest.raises(ServerAwayError):
            directory_sweep.look(replace(settings, ldap=slapd.settings(**changed)))
    assert all(account(number).active for number in range(6))


def test_an_empty_directory_disables_nobody(app, people, slapd):
    settings = app.extensions["settings"]
    found = directory_sweep.look(replace(settings, ldap=slapd.settings(active_filter="(employeeType=nobody)")))
    assert found.people == 0 and found.doubtful
    assert directory_sweep.carry_out(found, settings) == (0, 0)


def test_all_people_are_read_page_by_page(app, people):
    """1,200 and more, from a server that gives 600 at most without pages."""
    assert directory_sweep.look(app.extensions["settings"]).people > support.CROWD


def test_another_directory_than_before_disables_nobody(app, people, slapd):
    small = slapd.settings(bind_dn="", bind_password="", base="dc=college,dc=example")
    found = directory_sweep.look(replace(app.extensions["settings"], ldap=small))
    assert found.doubtful and len(found.gone) == 6


def test_one_of_two_workers_asks_the_directory(app, people, slapd, services, tmp_path):
    slapd.change(people[0], employeeType="gone")
    PeriodicJob.delete().where(PeriodicJob.name == "directory").execute()
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in slapd.as_table().items()]
    (tmp_path / "config.toml").write_text("\n".join(["[ldap]", *lines]))
    with worker(services, instance=str(tmp_path)), worker(services, instance=str(tmp_path)):
        eventually(lambda: not account(0).active, 60, what="who left is disabled")
    left = (
        (AuditEntry.act == AuditAct.DIRECTORY_LEFT)
        & (AuditEntry.target == account(0).address)
        & (AuditEntry.at > now() - timedelta(minutes=2))
    )
    assert [entry.times for entry in AuditEntry.select().where(left)][-1:] == [1] and account(1).active == 1


# --- commands --------------------------------------------------------------------------------------------------------


def test_the_commands_say_what_is_wrong(app, app_with, slapd):
    run = app.test_cli_runner().invoke
    assert run(args=["accounts", "directory", "check"]).exit_code == 0
    shown = run(args=["accounts", "directory", "show", "ann"])
    assert "ann@lycee.example" in shown.output and "Teachers, Science" in shown.output and "500M" in shown.output
    assert run(args=["accounts", "directory", "show", "dan"]).exit_code == 1
    for changed, words in (
        ({"url": "ldap://127.0.0.1:1"}, "could not be reached"),
        ({"base": "ou=nowhere,dc=lycee,dc=example"}, "is not there"),
        ({"bind_password": "wrong"}, "refused bind_dn and bind_password"),
        ({"active_filter": "(employeeType=nobody)"}, "nobody is found"),
    ):
        said = app_with(slapd.as_table(**changed)).test_cli_runner().invoke(args=["accounts", "directory", "check"])
        assert said.exit_code == 1 and words in said.output, said.output


def test_an_entry_that_was_made_anew_is_found_by_its_address_after_forgetting(app, slapd, somebody):
    dn = somebody("zed")
    door(app, "zed")
    slapd.remove(dn)
    somebody("zed")
    assert door(app, "zed").status == 403
    assert app.test_cli_runner().invoke(args=["accounts", "directory", "forget", "zed"]).exit_code == 0
    assert door(app, "zed").status == 200
    assert User.select().where(User.address == "zed@lycee.example").count() == 1


def test_accounts_can_be_added_beforehand(app_with, slapd, somebody):
    somebody("zed")
    app = app_with(slapd.as_table(create=False))
    assert door(app, "zed").status == 403
    added = app.test_cli_runner().invoke(args=["accounts", "add", "zed", "--no-password"])
    assert added.exit_code == 0 and "they sign in by a provider" in added.output
    assert door(app, "zed").status == 200


# --- searched by the page of the directory ---------------------------------------------------------------------------


def test_people_without_an_account_are_found_in_it_bounded_and_within_seconds(
    app: Flask, slapd: Directory, somebody: Callable[..., str]
) -> None:
    sight = Sight("lycee.example", ("lycee.example",), everyone=True)
    settings: Settings = app.extensions["settings"]
    assert people_elsewhere.find(sight, "martin", settings).people == [], "nobody is listed unless the settings say who"
    listed = slapd.settings(people_filter="(objectClass=inetOrgPerson)")
    settings = replace(settings, ldap=listed)
    somebody("zed", displayName="Zed (le *grand*) Cœur", title="Cook", ou="Kitchen")
    [zed] = people_elsewhere.find(sight, "(le *gr Cœur", settings).people
    assert (zed.name, zed.email, zed.about) == ("Zed (le *grand*) Cœur", "zed@lycee.example", "Cook, Kitchen")
    assert people_elsewhere.find(sight, "zed *)(uid=*", settings).people == []
    many = people_elsewhere.find(sight, "martin", settings)
    assert len(many.people) <= people_elsewhere.MOST and many.more and not many.away
    assert people_elsewhere.find(Sight("lycee.example", ("lycee.example",), groups=(1,)), "martin", settings).people == []
    with silent() as port:
        slow = replace(settings, ldap=replace(listed, url=f"ldap://127.0.0.1:{port}"))
        began = time.monotonic()
        assert people_elsewhere.find(sight, "martin", slow).away
        assert time.monotonic() - began < people_elsewhere.SECONDS + 1.5
