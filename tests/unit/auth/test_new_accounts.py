"""New accounts: the welcome message, by every way in which they come, and addresses that nobody gets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support import people_ground as people
from tests.support.task_work import work_all
from tests.support.visits import Visitor
from webmail import system_mail
from webmail.admin.people import changes, creation, renaming
from webmail.admin.people.changes import Act, Step
from webmail.admin.people.creation import NewPerson
from webmail.admin.people.record import COMMAND
from webmail.auth import account_management, aliases, new_accounts
from webmail.auth.providers import accounts
from webmail.auth.providers.accounts import Claims, NotLetInError, Refusal
from webmail.auth.sign_in import authentication
from webmail.config.providers import Cas
from webmail.config.settings import Settings
from webmail.establishments import establishments, setting_values
from webmail.models import SystemMessage, User, now

MAIL = {"system_address": "Lycée <info@lycee.example>", "system_password": "x", "public_url": "https://mail.lycee.example/"}
NINA = Claims("cas", "nina", "nina@lycee.example", proven=True, name="Nina Olivier")
CAS = Cas("https://cas.lycee.example", "CAS", create=True)


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", language="en", recovery_address="off", **MAIL) as made:
        yield made


@pytest.fixture
def root(app: Flask) -> Visitor:
    return people.root(app)


def settings_of(app: Flask) -> Settings:
    found: Settings = app.extensions["settings"]
    return found


def welcomes() -> list[SystemMessage]:
    return list(SystemMessage.select().where(SystemMessage.kind == new_accounts.WELCOME).order_by(SystemMessage.id))


def welcomed() -> list[str]:
    return [row.recipient for row in welcomes()]


def make(app: Flask, address: str, name: str = "") -> User:
    (user,) = creation.create([NewPerson(address, name)], COMMAND, settings_of(app))
    return user


def put(app: Flask, establishment: int | None = None, **texts: dict[str, str]) -> None:
    setting_values.save(establishment, {f"presentation.{name}": text for name, text in texts.items()}, "test")
    app.extensions["live_settings"].refresh()


def command(app: Flask, *words: str, typed: str = "") -> Any:
    return app.test_cli_runner().invoke(args=["accounts", *words], input=typed)


# --- the ways in -----------------------------------------------------------------------------------------------------


def test_a_page_welcomes_whom_it_makes(root):
    root.submit(root.get("/admin/people/new"), "main form", address="nina@lycee.example", name="Nina Olivier")
    assert welcomed() == ["nina@lycee.example"]


def test_commands_do(app):
    assert command(app, "add", "nina", "--password-stdin", typed="a password of hers\n").exit_code == 0
    assert command(app, "add-many", typed="oskar\tOskar\npaula\tPaula\n").exit_code == 0
    assert welcomed() == [f"{name}@lycee.example" for name in ("nina", "oskar", "paula")]


def test_a_file_of_people_does_one_after_another_and_its_undo_takes_back_what_has_not_left(app, root):
    lines = "".join(f"Olivier;N{number};;n{number}@lycee.example\n" for number in range(5))
    people.imported(root, people.chosen(root, people.HEAD + lines))
    work_all(app)
    dues = [row.due for row in welcomes()]
    assert len(dues) == 5 and [after - before for before, after in zip(dues, dues[1:], strict=False)] == [new_accounts.PACE] * 4
    other = system_mail.send("alice@lycee.example", "test", "Now", "Now", "en")
    assert other is not None and other.due <= now(), "nobody waits for them"
    root.submit(root.get("/tasks"), "form[action='/admin/people/import/undo']")
    work_all(app)
    assert welcomed() == []


def test_a_provider_does_at_the_first_sign_in_only(app):
    for _again in range(2):
        accounts.account_for(NINA, CAS, settings_of(app))
    assert welcomed() == ["nina@lycee.example"]


def test_so_does_the_first_sign_in_where_the_mail_server_has_the_passwords(tmp_path):
    with ground.application(tmp_path / "other", **{**MAIL, "sign_in": "imap"}) as made, made.app_context():
        for _again in range(2):
            authentication.sign_in("nina", "a password", "", settings_of(made), lambda _account: None)
        assert welcomed() == ["nina@lycee.example"]


def test_who_is_restored_or_gets_another_address_is_not_welcomed_again(app):
    nina = make(app, "nina@lycee.example")
    changes.apply([nina], Step(Act.REMOVE), COMMAND, settings_of(app))
    changes.apply([nina], Step(Act.RESTORE), COMMAND, settings_of(app))
    renaming.rename(nina, "nina.olivier@lycee.example", COMMAND, settings_of(app))
    assert welcomed() == ["nina@lycee.example"]


# --- what it says ----------------------------------------------------------------------------------------------------


def test_it_says_who_one_is_and_where_help_is_in_the_language_of_the_person(app):
    make(app, "nina@lycee.example", "Nina Olivier")
    account_management.set_language(make(app, "oskar@lycee.example"), "fr")
    english = welcomes()[0]
    assert (english.subject, english.language) == ("Welcome to your mailbox", "en")
    for words in ("Hello Nina Olivier,", "Your address is nina@lycee.example", "https://mail.lycee.example/help", "Traboule"):
        assert words in english.body
    assert "{" not in english.body
    put(app, welcome={"fr": "Bonjour {name} ; {help}\nÀ bientôt", "en": ""})
    make(app, "paula@lycee.example")
    assert welcomes()[2].body == "Bonjour paula@lycee.example ; https://mail.lycee.example/help\nÀ bientôt\n"


def test_a_file_says_the_language_of_each(app, root):
    people.imported(root, people.chosen(root, "Nom;Prénom;Adresse e-mail;Langue\nOlivier;Nina;nina@lycee.example;fr\n"))
    work_all(app)
    assert [row.language for row in welcomes()] == ["fr"] and welcomes()[0].body.startswith("Bonjour Nina Olivier,")


def test_a_line_with_what_is_not_set_up_is_left_out():
    values = {"name": "Nina", "help": ""}
    assert new_accounts.filled("Hello {name}\nHelp: {help}\n{other}", values) == "Hello Nina\n{other}"


def test_each_establishment_has_its_own_and_an_empty_one_is_none(app):
    north = establishments.make("Nord")
    establishments.set_domains(north, ["nord.example"])
    put(app, north.id, welcome={"fr": "", "en": "{name} at {establishment}"}, welcome_subject={"fr": "", "en": "Nord\n!"})
    put(app, welcome={"fr": "", "en": ""})
    make(app, "nina@lycee.example", "Nina")
    make(app, "oskar@nord.example", "Oskar")
    assert [(row.subject, row.body) for row in welcomes()] == [("Nord !", "Oskar at Nord\n")]


def test_none_leaves_where_the_establishment_sends_no_mail(tmp_path):
    with ground.application(tmp_path / "other") as made:
        make(made, "nina@lycee.example")
        assert welcomed() == []


def test_what_nothing_is_filled_in_for_is_refused_in_words(root):
    page = root.submit(
        root.get("/admin/settings/welcome"), "main form.form",
        **{"presentation-welcome-fr": "Bonjour {nom}", "presentation-welcome-en": "Hello {name}"},
    )  # fmt: skip
    assert page.status == 422 and "{nom} is not filled in here, only {name}, {address}, {establishment}, {help}." in page.text
    page = root.submit(page, "main form.form", **{"presentation-welcome-fr": "Bonjour {name}"})
    assert page.status == 200 and "Bonjour {name}" in root.get("/admin/settings/welcome").text


# --- addresses that nobody gets --------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["../alice@lycee.example", "a/b@lycee.example", "a..b@lycee.example", "nina+x@lycee.example"])
def test_commands_make_no_account_whose_address_is_no_folder(app, address):
    done = command(app, "add", address, "--no-password")
    assert done.exit_code == 1 and "can't be the address of an account" in done.output
    assert not User.select().where(User.address == address).exists()


def test_an_address_that_rests_is_given_to_nobody(app):
    account_management.rest("nina@lycee.example", "lycee.example/nina", now() + timedelta(days=30))
    assert "not long ago" in command(app, "add", "nina", "--no-password").output
    with pytest.raises(NotLetInError) as refused:
        accounts.account_for(NINA, CAS, settings_of(app))
    assert refused.value.refusal is Refusal.RESTS and not User.select().exists()
    account_management.rest("nina@lycee.example", "lycee.example/nina", now() - timedelta(days=1))
    assert accounts.account_for(NINA, CAS, settings_of(app)).address == "nina@lycee.example"


def test_an_alias_is_given_to_nobody_either(app):
    aliases.add(make(app, "oskar@lycee.example"), "nina@lycee.example")
    assert "another address" in command(app, "add", "nina", "--no-password").output
    with pytest.raises(NotLetInError) as refused:
        accounts.account_for(NINA, CAS, settings_of(app))
    assert refused.value.refusal is Refusal.RESERVED
