"""Sharing folders: alice shares with bob, who sees what he may; charlie of another establishment never does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from tests.support.messages import message
from tests.support.visits import Page, Visitor
from tests.support.waiting import eventually
from webmail import imap
from webmail.account import Account
from webmail.errors import NotAllowedError
from webmail.models import User

Fill = Callable[..., list[int]]


@pytest.fixture
def alice(app: Flask, make_account: Callable[..., str]) -> Visitor:
    return Visitor(app, make_account("alice")).sign_in()


@pytest.fixture
def bob(app: Flask, make_account: Callable[..., str]) -> Visitor:
    return Visitor(app, make_account("bob")).sign_in()


@pytest.fixture
def charlie(app: Flask) -> Iterator[Visitor]:
    """Of another establishment, on the same server."""
    visitor = Visitor(app, "charlie@autre.example").sign_in()
    yield visitor
    imap.close_all()


def make(person: Visitor, name: str) -> None:
    person.submit(person.get("/folders"), "#new-folder", name=name)


def share(owner: Visitor, name: str, who: str, level: str = "read", **fields: Any) -> Page:
    return owner.submit(owner.get(f"/folder/{quote(name)}"), "#share", who=who, level=level, action="give", **fields)


def revoke(owner: Visitor, name: str) -> Page:
    return owner.submit(owner.get(f"/folder/{quote(name)}"), "#sharing td form", action="revoke")


def shared_with(person: Visitor) -> list[str]:
    """The words under "Shared with me" beside the list, after a reload."""
    page = person.get("/folders", reload=True)
    for title in page.all("nav[aria-label=Folders] h2"):
        if title.get_text() == "Shared with me":
            return [a.get_text(" ", strip=True) for a in title.find_next("ul").select("a span")]
    return []


def name_of(owner: Visitor, name: str) -> str:
    return f"shared/{owner.address}/{name}"


def test_what_alice_shares_bob_sees_and_reads_but_may_not_change(alice: Visitor, bob: Visitor, fill: Fill, imap_of: Any) -> None:
    make(alice, "Team")
    uids = fill(alice, message("Plans"), mailbox="Team")
    assert shared_with(bob) == []
    told = share(alice, "Team", bob.address)
    assert f"{bob.address} can read this folder" in told.notices
    assert "Shared with me" in told.notices
    local = alice.address.partition("@")[0]
    assert shared_with(bob) == [f"Team ({local})"]
    team = quote(name_of(alice, "Team"))
    listed = bob.get(f"/mailbox/{team}")
    assert listed.rows == ["Plans"]
    for action in ("delete", "archive", "junk"):
        assert not listed.all(f"button[value={action}]"), action
    read = bob.get(listed.link("Plans"))
    assert read.status == 200
    assert not read.all("button[value=delete], button[value=archive], button[value=junk]")
    for shown in (listed, read):
        assert not shown.all("[name=star], [value=flag], [value=tags], [value=later], [value=report]")
        assert shown.all("[value=copyto]") and not shown.all("[value=moveto]")
    page = bob.get(f"/folder/{team}")
    assert not page.all("#rename, #move, #share, [value=delete]")
    for action in ("rename", "delete", "destroy"):
        assert bob.submit(page, "form.toolbar", action=action, name="x").status == 403, action
    assert bob.post(f"/share/{team}", {"action": "give", "who": bob.address, "level": "manage"}).status in (400, 403)
    client = imap_of(alice.address)
    client.select_folder("Team")
    assert client.search() == uids
    assert b"\\Seen" not in client.get_flags(uids)[uids[0]], "bob's reading is bob's alone"


def test_without_the_right_nothing_is_said_to_be_done(
    alice: Visitor, bob: Visitor, fill: Fill, imap_of: Any, account_of: Callable[..., Account]
) -> None:
    make(alice, "Team")
    uids = fill(alice, message("Plans"), mailbox="Team")
    share(alice, "Team", bob.address)
    team = name_of(alice, "Team")
    page = bob.get(f"/mailbox/{quote(team)}")
    client = imap_of(alice.address)
    for action in ("delete", "flag", "move"):
        answer = bob.submit(page, "#messages", action=action, uids=str(uids[0]), to="Archive")
        assert answer.status == 403, (action, answer.notices)
        assert answer.all("a[href]"), "a way back"
    for action in ("tag:urgent", "tags"):
        answer = bob.submit(page, "#messages", action=action, uids=str(uids[0]))
        assert answer.status == 403 and "have permission to do this" in answer.text and "support tags" not in answer.text, action
    with imap.connect(account_of(bob.address)) as connection, pytest.raises(NotAllowedError):
        imap.actions.delete(connection, team, uids)
    client.select_folder("Team")
    assert client.search() == uids
    assert b"\\Flagged" not in client.get_flags(uids)[uids[0]]


def test_what_is_revoked_is_gone_and_undo_gives_it_back(alice: Visitor, bob: Visitor, fill: Fill) -> None:
    make(alice, "Team")
    fill(alice, message("Plans"), mailbox="Team")
    share(alice, "Team", bob.address)
    team = quote(name_of(alice, "Team"))
    assert bob.get(f"/mailbox/{team}").rows == ["Plans"]
    revoked = revoke(alice, "Team")
    assert "can no longer see this folder" in revoked.notices
    for url in (f"/mailbox/{team}", f"/folder/{team}"):
        page = bob.get(url, reload=True)
        assert page.status == 404, url
        assert page.link("inbox") or page.all("a[href]"), "a way back"
    assert shared_with(bob) == []
    assert "can see this folder again" in alice.submit(revoked, ".notice form").notices
    assert len(shared_with(bob)) == 1


def test_charlie_never_sees_it(alice: Visitor, charlie: Visitor) -> None:
    make(alice, "Team")
    refused = share(alice, "Team", charlie.address)
    assert refused.status == 422
    assert "Nobody in your organisation" in refused.one("#who-error").get_text()
    assert refused.one("#who")["value"] == charlie.address
    assert shared_with(charlie) == []
    assert charlie.get(f"/mailbox/{quote(name_of(alice, 'Team'))}").status == 404


@pytest.mark.parametrize(
    ("who", "told"),
    [
        ("", "Type the address"),
        ("nobody", "Nobody in your organisation"),
        ("anyone", "a person’s address"),
        ("-bob", "a person’s address"),
        ("$lycee.example", "a person’s address"),
        ("#global", "a person’s address"),
        ("two words", "a person’s address"),
        ('x"\r\nA1 SETACL INBOX anyone lrs', "a person’s address"),
        ("x" * 300, "a person’s address"),
    ],
)
def test_nobody_else_is_let_in(alice: Visitor, who: str, told: str, imap_of: Any) -> None:
    make(alice, "Team")
    page = share(alice, "Team", who)
    assert page.status == 422
    assert told in page.one("#who-error").get_text()
    assert len(page.all("#sharing tbody tr")) == 1


def test_own_rights_are_not_removable(alice: Visitor) -> None:
    make(alice, "Team")
    assert not alice.get("/folder/Team").all("[value=revoke]")
    for action in ("revoke", "give", "restore"):
        page = alice.submit(alice.get("/folder/Team"), "#share", who=alice.address, action=action, rights="l", level="read")
        assert page.status == 422, action
        assert "change your own access" in page.text
    assert alice.get("/mailbox/Team").status == 200


def test_levels_and_their_change(alice: Visitor, bob: Visitor, fill: Fill) -> None:
    make(alice, "Team")
    fill(alice, message("Plans"), message("Old"), mailbox="Team")
    team = name_of(alice, "Team")
    offered = alice.get("/folder/Team").all("#share [name=level]")
    assert [(field["value"], field.has_attr("checked")) for field in offered] == [
        ("read", True),
        ("write", False),
        ("manage", False),
    ]
    share(alice, "Team", bob.address, "read")
    assert shared_with(bob)
    assert bob.get(f"/folder/{quote(team)}").status == 200
    page = share(alice, "Team", bob.address.partition("@")[0], "write")
    assert "Read and edit" in [td.get_text(strip=True) for td in page.all("#sharing td")]
    assert len(page.all("#sharing tbody tr")) == 2
    shared_with(bob)
    listed = bob.get(f"/mailbox/{quote(team)}")
    assert listed.all("button[value=delete]")
    assert not bob.get(f"/folder/{quote(team)}").all("#share, #rename")
    share(alice, "Team", bob.address, "manage")
    shared_with(bob)
    page = bob.get(f"/folder/{quote(team)}")
    assert page.all("#share")
    asked = bob.submit(page, "form.toolbar", action="delete")
    assert "Delete the folder Team for good?" in asked.text
    assert "deleted for good" in bob.submit(asked, "main form", action="destroy").notices
    assert alice.get("/mailbox/Team", reload=True).status == 404


def test_bob_who_manages_may_not_shut_out_alice_or_himself(alice: Visitor, bob: Visitor) -> None:
    make(alice, "Team")
    share(alice, "Team", bob.address, "manage")
    assert shared_with(bob)
    page = bob.get(f"/folder/{quote(name_of(alice, 'Team'))}")
    assert not page.all("[value=revoke]")
    for who in (alice.address, bob.address):
        assert bob.submit(page, "#share", who=who, action="revoke").status == 422
    local, domain = alice.address.split("@")
    for who in (alice.address.upper(), local, local.title(), f" {alice.address}", f"{local}@{domain.title()}", "owner"):
        for action in ("revoke", "restore"):
            fields = {"who": who, "action": action, "rights": "l", "level": "read"}
            assert bob.submit(page, "#share", **fields).status == 422, (who, action)
    assert alice.get("/mailbox/Team").status == 200
    assert alice.get("/folder/Team", reload=True).all("#share")


def test_the_inbox_is_shared_too_and_by_itself(alice: Visitor, bob: Visitor, fill: Fill) -> None:
    make(alice, "Private")
    fill(alice, message("Hello"))
    share(alice, "INBOX", bob.address)
    local = alice.address.partition("@")[0]
    assert shared_with(bob) == [f"Inbox ({local})"]
    page = bob.get("/folders")
    assert "Subfolders" not in bob.get(f"/folder/{quote(f'shared/{alice.address}')}").text
    listed = bob.get(page.link(f"Inbox ({local})"))
    assert listed.rows == ["Hello"]
    assert bob.get(f"/mailbox/{quote(name_of(alice, 'Private'))}").status == 404


def test_the_folders_inside_are_shared_when_asked_for(alice: Visitor, bob: Visitor) -> None:
    make(alice, "Team")
    alice.submit(alice.get("/folders"), "#new-folder", name="2026", parent="Team")
    share(alice, "Team", bob.address)
    assert len(shared_with(bob)) == 1
    share(alice, "Team", bob.address, inside="1")
    assert len(shared_with(bob)) == 2


def test_a_name_that_needs_care_is_shared(alice: Visitor, bob: Visitor) -> None:
    name = 'été "100 %" & 🎉'
    make(alice, name)
    assert share(alice, name, bob.address).status == 200
    local = alice.address.partition("@")[0]
    assert shared_with(bob) == [f"{name} ({local})"]
    assert bob.get(bob.get("/folders").link(f"{name} ({local})")).status == 200


def test_all_of_the_establishment_see_what_is_shared_with_everyone(alice: Visitor, bob: Visitor, charlie: Visitor) -> None:
    make(alice, "Notices")
    page = share(alice, "Notices", "", kind="everyone")
    assert "Everyone at lycee.example can read this folder" in page.notices
    assert "Everyone at lycee.example" in page.one("#sharing table").get_text(" ")
    local = alice.address.partition("@")[0]
    assert f"Notices ({local})" in shared_with(bob)
    assert shared_with(charlie) == []
    assert charlie.get(f"/mailbox/{quote(name_of(alice, 'Notices'))}").status == 404
    forged = share(alice, "Notices", "$autre.example", kind="everyone")
    assert "autre" not in forged.one("#sharing").get_text()
    revoked = revoke(alice, "Notices")
    assert f"Notices ({local})" not in shared_with(bob)
    alice.submit(revoked, ".notice form")
    assert f"Notices ({local})" in shared_with(bob)
    revoke(alice, "Notices")


def test_what_a_closed_account_shared_stays_until_the_account_is_gone(alice: Visitor, bob: Visitor) -> None:
    make(alice, "Team")
    share(alice, "Team", bob.address)
    assert len(shared_with(bob)) == 1
    User.update(active=0).where(User.address == alice.address).execute()
    imap.close_all()  # Dovecot looks for shared folders as a connection begins
    assert len(shared_with(bob)) == 1 and bob.get("/mailbox/INBOX").status == 200
    User.delete().where(User.address == alice.address).execute()

    def is_hidden() -> bool:
        imap.close_all()
        return shared_with(bob) == []

    eventually(is_hidden, step=0.1)  # Dovecot remembers an account for a moment
    assert bob.get("/mailbox/INBOX").status == 200


def test_nobody_who_shares_nothing_pays_for_it(alice: Visitor) -> None:
    page = alice.get("/mailbox/INBOX")
    assert "Shared with me" not in page.html
    assert "Favourites" not in page.html
