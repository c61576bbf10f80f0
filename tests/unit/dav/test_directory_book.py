"""The directory on devices: read, never written, only what the person sees, and told of what changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.cpu_time import cpu_seconds
from tests.unit.dav.conftest import NAMES, Phone, card
from webmail import preferences
from webmail.config.directory import ListedAddress, SightRule
from webmail.database.connection import db
from webmail.models import CollectionShare, Contact, GroupMember, User
from webmail.people import directory_cards, groups

BOOK = "shared-directory/"
TEXTS = "<c:address-data xmlns:c='urn:ietf:params:xml:ns:carddav'/>"


def texts(phone: Phone) -> dict[str, str]:
    """All cards by the name in them."""
    root = phone.xml(
        "REPORT", BOOK, "<c:addressbook-query xmlns:c='urn:ietf:params:xml:ns:carddav' xmlns:d='DAV:'><d:prop><d:getetag/>"
        "<c:address-data/></d:prop></c:addressbook-query>",
    )  # fmt: skip
    found = [one.text or "" for one in root.iter(f"{{{NAMES['CR']}}}address-data")]
    return {next(line[3:] for line in text.splitlines() if line.startswith("FN:")): text for text in found}


def home(phone: Phone) -> str:
    body = "<d:propfind xmlns:d='DAV:'><d:prop><d:displayname/><d:sync-token/><d:resourcetype/></d:prop></d:propfind>"
    return phone.ask("PROPFIND", "", body, Depth="1").text


@pytest.fixture
def wanted(alice: User) -> User:
    preferences.change(alice, directory_on_devices=True)
    return alice


@pytest.fixture(autouse=True)
def _afresh():
    directory_cards.forget()


@pytest.fixture
def settings(app):
    """Changes the settings of the devices' side: `settings(directory_rules=...)`."""
    edge = app.extensions["dav"].edge()

    def change(**more):
        edge.settings = replace(edge.settings, **more)
        directory_cards.forget()

    return change


def test_it_is_there_for_those_who_want_it(phone: Phone, alice: User, bob: User) -> None:
    assert "shared-directory" not in home(phone)
    preferences.change(alice, directory_on_devices=True)
    assert "shared-directory" in home(phone)
    assert set(texts(phone)) == {"Alice", "Bob"}
    assert "EMAIL;TYPE=INTERNET:bob@lycee.example\r\n" in texts(phone)["Bob"].replace("\n", "\r\n").replace("\r\r", "\r")
    preferences.change(alice, directory_on_devices=False)
    assert "shared-directory" not in home(phone)
    assert phone.ask("PROPFIND", BOOK).status_code == 404


def test_groups_are_cards_with_their_people(phone: Phone, wanted: User, bob: User) -> None:
    User.update(name="Durand; Robert, dit Bob " + "é" * 60).where(User.id == bob.id).execute()
    group = groups.create("lycee.example", "Équipe de maths")
    groups.add(group, [bob])
    found = texts(phone)
    text, bobs = (
        found.pop("Équipe de maths"),
        next(text for name, text in found.items() if name.startswith("Durand\\; Robert\\, dit")),
    )
    uid = next(line[4:] for line in bobs.splitlines() if line.startswith("UID:"))
    assert "KIND:group" in text and f"MEMBER:urn:uuid:{uid}" in text and f"X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:{uid}" in text
    assert "CATEGORIES:Équipe de maths" in bobs
    assert all(len(line.encode()) <= 75 for one in found.values() for line in one.splitlines())


def test_nothing_of_it_can_be_written(phone: Phone, wanted: User, bob: User) -> None:
    [name, *_more] = phone.sync(BOOK)[1]
    assert phone.put(BOOK + name, card("x")).status_code == 403
    assert phone.put(BOOK + "new.vcf", card("x")).status_code == 403
    assert phone.put("contacts/mine.vcf", card("mine")).status_code == 201
    for method, path, more in (
        ("DELETE", BOOK + name, {}),
        ("DELETE", BOOK, {}),
        ("DELETE", BOOK + "none.vcf", {}),
        ("MOVE", BOOK + name, {"Destination": f"{phone.home}contacts/taken.vcf"}),
        ("MOVE", "contacts/mine.vcf", {"Destination": f"{phone.home}{BOOK}mine.vcf"}),
        ("MKCOL", BOOK, {}),
        ("PROPPATCH", BOOK, {}),
    ):
        assert phone.ask(method, path, **more).status_code == 403, (method, path)
    assert len(phone.sync(BOOK)[1]) == 2 and Contact.select().count() == 1 and not CollectionShare.select().exists()


def test_what_changes_is_told(phone: Phone, wanted: User, bob: User, person) -> None:
    token, first = phone.sync(BOOK)
    assert len(first) == 2 and phone.sync(BOOK, token) == (token, {})
    person("carol")
    User.update(name="Robert").where(User.id == bob.id).execute()
    directory_cards.forget()
    second, found = phone.sync(BOOK, token)
    assert second != token and len(found) == 2 and set(found.values()) == {"there"}
    User.update(active=0).where(User.id == bob.id).execute()
    directory_cards.forget()
    third, found = phone.sync(BOOK, second)
    assert list(found.values()) == ["gone"]
    assert len(phone.sync(BOOK, token)[1]) == 2 and phone.sync(BOOK, third)[1] == {}
    stranger = phone.ask(
        "REPORT", BOOK, f"<d:sync-collection xmlns:d='DAV:'><d:sync-token>{third}0</d:sync-token><d:prop/></d:sync-collection>"
    )
    assert stranger.status_code in (403, 409) and "valid-sync-token" in stranger.text


def test_only_whom_one_sees_is_in_it(phone: Phone, wanted: User, bob: User, person, settings) -> None:
    carol = person("carol")
    one, other = groups.create("lycee.example", "4e A"), groups.create("lycee.example", "4e B")
    groups.add(one, [wanted, carol])
    groups.add(other, [bob])
    before = texts(phone)
    assert set(before) == {"Alice", "Bob", "Carol", "4e A", "4e B"}
    secret = next(line[4:] for line in before["Bob"].splitlines() if line.startswith("UID:"))
    nurse = ListedAddress("Infirmerie", "infirmerie@lycee.example", "Room 12")
    settings(directory_rules=(SightRule("own groups"),), directory_addresses=(nurse,))
    found = texts(phone)
    assert set(found) == {"Alice", "Carol", "4e A", "Infirmerie"} and "NOTE:Room 12" in found["Infirmerie"]
    assert phone.ask("GET", f"{BOOK}{secret}.vcf").status_code == 404
    GroupMember.delete().where(GroupMember.user == carol).execute()
    directory_cards.forget()
    assert set(texts(phone)) == {"Alice", "4e A", "Infirmerie"}
    settings(directory_rules=(SightRule("nobody"),))
    assert "shared-directory" not in home(phone)


def test_nobody_elses_and_odd_names_do_no_harm(phone: Phone, phone_of, wanted: User, bob: User) -> None:
    User.update(name='Bob\r\nNOTE:x;"\u202e\x00').where(User.id == bob.id).execute()
    assert "\r\nNOTE" not in "".join(texts(phone).values())
    assert phone_of(bob).ask("PROPFIND", f"/dav/{wanted.address}/{BOOK}").status_code in (403, 404)
    assert phone_of(wanted, ("caldav",)).ask("PROPFIND", BOOK).status_code == 404


def test_two_thousand_accounts_are_listed_within_bounds(phone: Phone, wanted: User) -> None:
    rows = [
        {"address": f"p{n}@lycee.example", "local": f"p{n}", "domain": "lycee.example", "name": f"Élise Durand {n}"}
        for n in range(2_000)
    ]
    with db.atomic():
        for at in range(0, len(rows), 100):
            User.insert_many(rows[at : at + 100]).execute()
    directory_cards.forget()
    with cpu_seconds(0.4, "first"):
        home(phone)
    with cpu_seconds(1.5, "all"):
        token, found = phone.sync(BOOK)
    assert len(found) == 2_001
    with cpu_seconds(0.1, "again"):
        assert phone.sync(BOOK, token)[1] == {}
