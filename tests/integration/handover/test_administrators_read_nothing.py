"""No page gives an administrator, or anybody else, what stands in somebody's mail, and none gives a right to it alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from tests.support.messages import message
from tests.support.route_table import routes
from tests.support.visits import Visitor
from webmail.auth.recovery import deputies
from webmail.database.connection import db
from webmail.establishments import establishments
from webmail.models import Establishment, User
from webmail.people import groups

WORD = "Zwetschgenkompott"
pytestmark = pytest.mark.usefixtures("opened")


@pytest.fixture
def opened(app: Flask) -> Iterator[None]:
    db.connect(reuse_if_open=True)
    yield
    db.connect(reuse_if_open=True)
    Establishment.delete().execute()
    db.close()


def test_no_page_shows_it(app: Flask, make_account: Callable[..., str], fill: Any) -> None:
    alice, *others = (make_account(name) for name in ("alice", "root", "chief", "deputy", "bob"))
    owner, root, chief, deputy, _bob = (User.get(User.address == one) for one in (alice, *others))
    User.update(role="admin").where(User.id == root.id).execute()
    school = establishments.make("School of the walk")
    establishments.set_domains(school, [owner.domain])
    establishments.add_administrator(school, chief)
    group = groups.create(owner.domain, "Walked")
    groups.add(group, [owner])
    deputies.add(deputy, group)
    try:
        visitor = Visitor(app, alice).sign_in()
        written = message(f"Subject {WORD}", f"Text {WORD}", sender=f"{WORD} <eve@elsewhere.example>", To=alice)
        uids = fill(visitor, written)
        assert WORD in visitor.get("/mailbox/INBOX").text
        own = [url.replace(quote(f"shared/{alice}"), "INBOX") for url in addresses(owner, uids[-1], group.id, of_mail)]
        assert len([url for url in own if WORD in visitor.get(url).text]) > 5, "the walk would find it"
        found = []
        for address in others:
            person = Visitor(app, address).sign_in().confirm()
            for url in addresses(owner, uids[-1], group.id, everything if address == root.address else of_mail):
                if WORD in person.get(url).text:
                    found.append((address, url))
        assert found == []
    finally:
        db.connect(reuse_if_open=True)
        User.update(role="person").where(User.id == root.id).execute()
        groups.delete(group)


def everything(_rule: str) -> bool:
    return True


def of_mail(rule: str) -> bool:
    """A page of a folder or message, or of those who look after people."""
    return "<path:mailbox>" in rule or rule.startswith(("/admin", "/deputy", "/account/substitutes"))


def addresses(owner: User, uid: int, group: int, wanted: Callable[[str], bool]) -> Iterator[str]:
    """Each page there is, of the owner's folders where one is named, about the owner, their group and their message."""
    for route in routes():
        if route.method != "GET" or route.who in ("Dovecot", "provider"):
            continue
        if not wanted(route.rule):
            continue
        url = route.rule
        folder = quote(f"shared/{owner.address}")
        for name, value in (("<path:mailbox>", folder), ("<int:uid>", str(uid)), ("<int:uidvalidity>", "1")):
            url = url.replace(name, value)
        about = group if "/groups/" in url else owner.id
        url = url.replace("<int:number>", str(about)).replace("<int:user_id>", str(owner.id))
        yield route.__class__(route.method, url, route.who, route.first, route.asks_again, route.changes, "").url()
