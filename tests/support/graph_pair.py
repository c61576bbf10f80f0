"""A calendar or book at the fake Graph and its twin here."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from tests.support.fakes.graph_mailbox import BASE, GraphMailbox
from tests.support.other_dav import card, event
from webmail.collections.store import BOOK, CALENDAR
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.dav import item_writes
from webmail.dav.item_writes import CheckedItem
from webmail.dav.remote import accounts, local, service_accounts, sync
from webmail.dav.remote.answers import FoundCollection
from webmail.dav.remote.graph.graph_client import GraphClient
from webmail.dav.remote.graph.graph_server import GraphServer
from webmail.dav.remote.item_comparison import meaning
from webmail.dav.remote.side import Side
from webmail.models import CalendarObject, Collection, ConnectedService, Contact, RemoteAccount, RemoteItem, RemoteLink, User, now
from webmail.services.providers import MICROSOFT

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)  # when it is asked, whatever the day: what tests write is around it


class GraphPair:
    """`sync` is one round, in this process."""

    def __init__(self, mailbox: GraphMailbox, settings: Settings, user: User, kind: str = CALENDAR) -> None:
        self.mailbox, self.settings, self.user, self.kind = mailbox, settings, user, kind
        url = f"{BASE}/me/calendars/AAMkCal%3D" if kind == CALENDAR else f"{BASE}/me/contacts"
        login = "marie@school.example"
        self.service = ConnectedService.create(user=user, provider=MICROSOFT, title="Office", login=login, secret=b"")
        self.account = RemoteAccount.create(user=user, url=BASE, login=login, secret=b"", service=self.service)
        found = FoundCollection(url, kind, "Office", components="VEVENT" if kind == CALENDAR else "", syncs=True)
        accounts.link(self.account, [found], settings)
        self.link_id = RemoteLink.get(RemoteLink.url == url, RemoteLink.account == self.account).id
        self.reads_settings = True

    @property
    def link(self) -> RemoteLink:
        return RemoteLink.get_by_id(self.link_id)

    @property
    def collection(self) -> Collection:
        return self.link.collection

    @property
    def server(self) -> GraphServer:
        server = GraphServer(GraphClient(BASE, self.mailbox.ask), self.settings.timezone, self.reads_settings, lambda: NOON)
        server.card_here = partial(service_accounts.card_here, self.service)
        return server

    def sync(self, *, whole: bool = False) -> RemoteLink:
        if whole:
            RemoteLink.update(whole=None).where(RemoteLink.id == self.link_id).execute()
        assert not db.in_transaction()
        sync.run(Side(self.link, self.user, self.settings, "graph.microsoft.com"), self.server)
        return self.link

    def text(self, uid: str, title: str, *lines: str) -> str:
        return card(uid, title, *lines) if self.kind == BOOK else event(uid, title, *lines)

    def write_here(self, href: str, text: str) -> None:
        side = Side(self.link, self.user, self.settings, "")
        checked = local._arrived(side, text).checked
        assert isinstance(checked, CheckedItem), text
        with db.atomic():
            item_writes.write(self.collection, href, checked, item_writes.row_at(self.collection, href), self.settings)

    def delete_here(self, href: str) -> None:
        row = item_writes.row_at(self.collection, href)
        assert row is not None
        with db.atomic():
            item_writes.trash(self.collection, [row], self.user.address)

    def here(self) -> dict[str, str]:
        table: Any = Contact if self.kind == BOOK else CalendarObject
        text = Contact.vcard if self.kind == BOOK else CalendarObject.text
        return dict(table.select(table.href, text).where(table.collection == self.collection).tuples())

    def there(self) -> dict[str, str]:
        """By the names there, as they are read."""
        url = self.link.url
        found = self.server.items(url, self.kind, sorted(self.server.listing(url).there))
        return {name: read[1] for name, read in found.items() if read is not None}

    def equal(self) -> Counter[str]:
        """The titles of what both sides have, which must mean the same."""
        here, there = self.here(), self.there()
        said = [Counter(map(meaning, found.values())) for found in (here, there)]
        if said[0] != said[1]:
            only_here = [text for text in here.values() if meaning(text) not in said[1]]
            only_there = [text for text in there.values() if meaning(text) not in said[0]]
            raise AssertionError(
                "\n".join([f"only here ({len(only_here)}):", *only_here[:2], f"only there ({len(only_there)}):", *only_there[:2]])
            )
        return Counter(title_of(text) for text in here.values())

    def make_older(self) -> None:
        """What the server broke on was two hours ago."""
        RemoteItem.update(at=now() - timedelta(hours=2)).where(RemoteItem.link == self.link_id).execute()

    def notes(self) -> list[tuple[str, str]]:
        mine = (RemoteItem.link == self.link_id) & (RemoteItem.note != "")
        return [(row.note, row.title) for row in RemoteItem.select().where(mine).order_by(RemoteItem.id)]


def title_of(text: str) -> str:
    return next(line.partition(":")[2] for line in text.split("\r\n") if line.startswith(("SUMMARY:", "FN:")))
