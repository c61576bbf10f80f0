"""Filters follow folders and contacts, on a real Pigeonhole."""

from __future__ import annotations

import pytest

from tests.support.contact_pages import add, group
from webmail import managesieve
from webmail.filters import store
from webmail.filters.absence import absence_change
from webmail.filters.absence.absence import Absence, Audience
from webmail.filters.rules import contact_rules
from webmail.filters.rules.rules import ActionKind, ConditionField
from webmail.models import User
from webmail.preferences import for_user

FORM = "form.rule-form"


@pytest.fixture
def account(person, account_of):
    return account_of(person.address)


def make(person, **more):
    page = person.submit(person.get("/filters/new"), FORM, **({"name": "n", "conditions-0-values": "x", "action": "save"} | more))
    assert page.status == 200, page.text


def send(person, url: str, **fields: str):
    """What a button does whose form is not what this is about."""
    token = person.get("/folders").all("[name=csrf_token]")[0]["value"]
    return person.post(url, {"csrf_token": token, **fields})


def folder_of(account) -> tuple[str, bool]:
    [rule] = store.load(account).filters.rules
    return next(one.value for one in rule.actions if one.kind is ActionKind.MOVE), rule.on


def script(account) -> str:
    with managesieve.connect(account) as connection:
        return connection.read(store.NAME)


def test_a_rule_follows_its_folder_and_is_off_when_that_is_gone(person, account):
    person.submit(person.get("/folders"), "#new-folder", name="Lettres")
    make(person, **{"actions-0-value": "Lettres"})
    send(person, "/folder/Lettres", action="rename", name="Courrier")
    assert folder_of(account) == ("Courrier", True)
    page = send(person, "/folder/Courrier", action="delete")
    assert folder_of(account) == ("Trash/Courrier", False) and "“n” used this folder. It is now off" in page.notices
    page = send(person, "/folder/Trash/Courrier", action="destroy")
    assert folder_of(account) == ("Trash/Courrier", False)
    assert "no longer exists" in person.get("/filters").one("[data-rule]").get_text()


def test_a_rule_for_folders_inside_follows_too(person, account):
    person.submit(person.get("/folders"), "#new-folder", name="Classes/4e B")
    make(person, **{"actions-0-value": "Classes/4e B"})
    send(person, "/folder/Classes", action="rename", name="Élèves")
    assert folder_of(account) == ("Élèves/4e B", True)


def test_what_names_no_folder_follows_the_special_folders(person, account):
    make(person, **{"actions-0-kind": "delete"})
    person.submit(person.get("/filters/senders"), "#sender-form", sender="bad@outside.example", action="blocked")
    for name in ("Poubelle", "Autres/Pourriel"):
        person.submit(person.get("/folders"), "#new-folder", name=name)
    page = person.submit(person.get("/folders"), "#roles", trash="Poubelle", junk="Autres/Pourriel")
    assert "Special folders saved" in page.notices
    assert 'fileinto "Poubelle"' in script(account) and 'fileinto "Autres/Pourriel"' in script(account)
    send(person, "/folder/Autres", action="rename", name="Divers")
    assert 'fileinto "Poubelle"' in script(account) and 'fileinto "Divers/Pourriel"' in script(account)


def test_contacts_are_written_into_the_script_and_renewed(person, account):
    add(person, "Anna Petit", "anna@outside.example")
    make(person, **{"conditions-0-field": "contacts", "conditions-0-values": "", "actions-0-kind": "flag"})
    assert "anna@outside.example" in script(account)
    add(person, "Zoé Grand", "zoe@outside.example")
    assert "zoe@outside.example" in script(account)
    user = User.get(User.address == person.address)
    assert for_user(user).contacts_in_filters == contact_rules.FRESH
    page = person.get("/contacts")
    send(person, page.link("Zoé Grand") + "/remove")
    assert "zoe@outside.example" not in script(account) and "anna@outside.example" in script(account)


def test_a_worker_renews_what_a_request_could_not(person, account, app):
    make(person, **{"conditions-0-field": "contacts", "conditions-0-values": "", "actions-0-kind": "flag"})
    user = User.get(User.address == person.address)
    from webmail.contacts import store as contacts
    from webmail.mime.formats.cards.vcard_edit import ContactDetails, ContactPoint

    contacts.add(user, ContactDetails(name="Léo", emails=(ContactPoint("leo@outside.example"),)))
    assert "leo@outside.example" not in script(account)
    contact_rules.sweep(app.extensions["settings"])
    assert "leo@outside.example" in script(account)


def test_an_absence_for_contacts_is_renewed_too(person, account, app):
    user = User.get(User.address == person.address)
    wanted = Absence(True, text="Absente", audience=Audience.CONTACTS)
    absence_change.save(user, account, app.extensions["settings"], wanted)
    add(person, "Zoé Grand", "zoe@outside.example")
    assert "zoe@outside.example" in script(account)


def test_nobody_else_is_asked(person, account):
    add(person, "Anna Petit", "anna@outside.example")
    user = User.get(User.address == person.address)
    assert for_user(user).contacts_in_filters == "" and not store.load(account).text


def test_a_group_of_contacts(person, account):
    add(person, "Anna Petit", "anna@outside.example")
    add(person, "Léo Petit", "leo@outside.example")
    uid = group(person, "Maths", "anna@outside.example").address.rpartition("/")[2]
    page = person.submit(person.get("/filters/new?field=contacts"), FORM, action="adapt")
    assert uid in [one["value"] for one in page.all("[name='conditions-0-values'] option")]
    chosen = {"conditions-0-field": "contacts", "conditions-0-was": "contacts", "conditions-0-values": uid}
    make(person, **chosen, **{"actions-0-kind": "flag"})
    assert "anna@" in script(account) and "leo@" not in script(account)
    [rule] = store.load(account).filters.rules
    assert rule.conditions[0].field is ConditionField.CONTACTS
    assert "in your group “Maths”" in person.get("/filters").text
