"""Folders shared with groups of the establishment, on the real Dovecot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from tests.support.groups import group, group_named
from tests.support.messages import message
from tests.support.visits import Page, Visitor
from tests.support.waiting import eventually
from webmail import imap
from webmail.database.connection import db
from webmail.models import PeopleGroup, User
from webmail.people import groups

Fill = Callable[..., list[int]]


@pytest.fixture
def alice(app: Flask, make_account: Callable[..., str]) -> Visitor:
    return Visitor(app, make_account("alice")).sign_in()


@pytest.fixture
def bob(app: Flask, make_account: Callable[..., str]) -> Visitor:
    return Visitor(app, make_account("bob")).sign_in()


@pytest.fixture
def carol(app: Flask, make_account: Callable[..., str]) -> Visitor:
    """Of the same establishment, and in no group."""
    return Visitor(app, make_account("carol")).sign_in()


@pytest.fixture
def charlie(app: Flask) -> Visitor:
    """Of another establishment, on the same server."""
    return Visitor(app, "charlie@autre.example").sign_in()


@pytest.fixture(autouse=True)
def _clean(app: Flask) -> Iterator[None]:
    """All tests share the database, and pages show all groups of the domain."""
    yield
    with db.connection_context():
        PeopleGroup.delete().execute()
    imap.close_all()


def make(name: str, *people: Visitor) -> str:
    """A group; its identifier in access lists."""
    with db.connection_context():
        return f"${group(name, *(person.address for person in people)).identifier}"


def folder(owner: Visitor, name: str) -> None:
    owner.submit(owner.get("/folders"), "#new-folder", name=name)


def share(owner: Visitor, name: str, identifier: str, **fields: Any) -> Page:
    page = owner.get(f"/folder/{quote(name)}")
    return owner.submit(page, "#share", **{"kind": "group", "group": identifier, "action": "give", **fields})


def revoke(owner: Visitor, name: str) -> Page:
    return owner.submit(owner.get(f"/folder/{quote(name)}"), "#sharing td form", action="revoke")


def eventually_sees(person: Visitor, owner: Visitor, name: str, sees: bool = True) -> None:
    """The shared folder is among the folders and can be opened, or neither, by connections that begin now.

    Dovecot caches accounts, and so the groups of a person, for a second.
    """
    address = f"/mailbox/{quote(f'shared/{owner.address}/{name}')}"

    def settled() -> bool:
        imap.close_all_of(person.address)
        opened = person.get(address, reload=True).status == 200
        return opened == (address in person.get("/folders", reload=True).html) == sees

    eventually(settled, step=0.2, what=f"{person.address} and {name}")


def test_what_alice_shares_with_maths_bob_reads_and_nobody_else(
    alice: Visitor, bob: Visitor, carol: Visitor, charlie: Visitor, fill: Fill
) -> None:
    maths = make("Maths", alice, bob)
    make("4e B", carol)
    folder(alice, "Exams")
    fill(alice, message("Fractions"), mailbox="Exams")
    page = alice.get("/folder/Exams")
    offered = [option.get_text() for option in page.all("[name=group] option")]
    assert offered[0] == "Choose a group" and {"4e B", "Maths"} <= set(offered)
    told = share(alice, "Exams", maths)
    assert "Maths can read this folder" in told.notices
    assert "Maths Group" in told.one("#sharing table").get_text(" ", strip=True)
    eventually_sees(bob, alice, "Exams")
    listed = bob.get(f"/mailbox/{quote(f'shared/{alice.address}/Exams')}")
    assert listed.rows == ["Fractions"]
    assert bob.get(listed.link("Fractions")).status == 200
    assert not listed.all("button[value=delete]"), "read means read"
    eventually_sees(carol, alice, "Exams", False)
    eventually_sees(charlie, alice, "Exams", False)
    assert alice.get("/mailbox/Exams").rows == ["Fractions"], "in the group herself, she keeps all of her rights"
    assert alice.get("/folder/Exams").all("#rename")


def test_bob_who_leaves_the_group_sees_it_no_longer(alice: Visitor, bob: Visitor, carol: Visitor) -> None:
    maths = make("Maths", bob)
    folder(alice, "Exams")
    share(alice, "Exams", maths, level="write")
    eventually_sees(bob, alice, "Exams")
    with db.connection_context():
        maths_now = group_named("Maths")
        groups.remove(maths_now, [User.get(User.address == bob.address)])
        groups.add(maths_now, [User.get(User.address == carol.address)])
    eventually_sees(bob, alice, "Exams", False)
    eventually_sees(carol, alice, "Exams")


def test_a_share_with_a_group_is_revoked_and_given_back(alice: Visitor, bob: Visitor) -> None:
    maths = make("Maths", bob)
    folder(alice, "Exams")
    share(alice, "Exams", maths)
    eventually_sees(bob, alice, "Exams")
    with db.connection_context():
        groups.rename(group_named("Maths"), "Mathématiques")
    revoked = revoke(alice, "Exams")
    assert "Mathématiques can no longer see this folder" in revoked.notices
    eventually_sees(bob, alice, "Exams", False)
    assert "Mathématiques can see this folder again" in alice.submit(revoked, ".notice form").notices
    eventually_sees(bob, alice, "Exams")


def test_the_share_of_a_deleted_group_opens_to_nobody_and_can_be_revoked(alice: Visitor, bob: Visitor, carol: Visitor) -> None:
    maths = make("Maths", bob)
    folder(alice, "Exams")
    share(alice, "Exams", maths)
    eventually_sees(bob, alice, "Exams")
    with db.connection_context():
        groups.delete(group_named("Maths"))
    make("Maths", carol)
    eventually_sees(bob, alice, "Exams", False)
    eventually_sees(carol, alice, "Exams", False)  # another group of this name is another group
    assert "A deleted group" in alice.get("/folder/Exams").one("#sharing table").get_text()
    forged = alice.submit(alice.get("/folder/Exams"), "#share", action="restore", who=maths, rights="lr")
    assert forged.status == 422 and "no longer exists" in forged.text
    revoked = revoke(alice, "Exams")
    assert "A deleted group can no longer see" in revoked.notices
    assert revoked.all(".notice form") == [], "it can't be given back"
    assert maths not in revoked.one("#sharing table").get_text()


def test_only_groups_of_the_establishment_are_shared_with(alice: Visitor, bob: Visitor) -> None:
    make("Maths", bob)
    with db.connection_context():
        strange = f"${groups.create('autre.example', 'Lettres').identifier}"
    folder(alice, "Exams")
    assert "Lettres" not in alice.get("/folder/Exams").html
    for identifier, words in ((strange, "no longer exists"), ("$nothing@x", "no longer exists"), ("", "Choose a group")):
        refused = share(alice, "Exams", identifier)
        assert refused.status == 422
        assert words in refused.one("#group-error").get_text()
    assert len(refused.all("#sharing tbody tr")) == 1


def test_a_group_chosen_without_an_address_is_meant(alice: Visitor, bob: Visitor) -> None:
    maths = make("Maths", bob)
    folder(alice, "Exams")
    assert "Maths can read" in share(alice, "Exams", maths, kind="person", who=" ").notices


def test_a_group_named_in_the_form_is_the_one_that_sees_the_folder(alice: Visitor, bob: Visitor, carol: Visitor) -> None:
    make("Maths", bob)
    folder(alice, "Exams")
    for unknown in ("Lettres", "$autre.example", "lycee.example", "x" * 300, bob.address):
        refused = share(alice, "Exams", "", who=unknown)
        assert refused.status == 422 and refused.one("#group-error").get_text() == "Choose a group.", unknown
        assert len(refused.all("#sharing tbody tr")) == 1, "nobody has got in"
    told = share(alice, "Exams", "", who=" MATHS ")
    assert "Maths can read this folder" in told.notices
    assert "Everyone" not in told.one("#sharing table").get_text()
    eventually_sees(bob, alice, "Exams")
    eventually_sees(carol, alice, "Exams", False)


def test_a_name_typed_beside_another_group_shares_with_nobody(alice: Visitor, bob: Visitor) -> None:
    maths = make("Maths", bob)
    folder(alice, "Exams")
    for typed in (bob.address, "Lettres"):
        refused = share(alice, "Exams", maths, who=typed)
        assert refused.status == 422
        assert "You typed a name and chose a different group." in refused.one("#group-error").get_text()
        assert len(refused.all("#sharing tbody tr")) == 1
    assert "Maths can read" in share(alice, "Exams", maths, who="Maths").notices


def test_undo_gives_a_folder_to_everyone_only_if_everyone_is_named(alice: Visitor, bob: Visitor) -> None:
    make("Maths", bob)
    folder(alice, "Exams")
    for forged in ("$Lettres", "$autre.example", "$"):
        page = alice.submit(alice.get("/folder/Exams"), "#share", action="restore", who=forged, rights="lr")
        assert page.status == 422, forged
        assert len(page.all("#sharing tbody tr")) == 1


def test_a_kind_of_its_own_invention_is_refused(alice: Visitor) -> None:
    folder(alice, "Exams")
    assert share(alice, "Exams", "", kind="all", who="").status == 400
    assert len(alice.get("/folder/Exams").all("#sharing tbody tr")) == 1


def test_without_groups_nothing_but_everyone_is_offered(alice: Visitor) -> None:
    folder(alice, "Exams")
    page = alice.get("/folder/Exams")
    assert page.all("[name=group]") == []
    assert [field["value"] for field in page.all("#share [name=kind]")] == ["person", "everyone"]
