"""One of each thing that belongs to one person and that an address or a form names by its number: for tests with another's."""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from webmail.models import (
    AppPassword,
    ArchiveRule,
    Authenticator,
    CalendarObject,
    CalendarSubscription,
    Collection,
    Contact,
    Deputy,
    DraftRow,
    FileRequest,
    GroupMember,
    Outbox,
    PeopleGroup,
    PhishingReport,
    ReadyText,
    RemoteAccount,
    RemoteLink,
    SavedSearch,
    SecurityKey,
    Signature,
    Snoozed,
    Task,
    Transfer,
    TrustedDevice,
    User,
    WritingIdentity,
    now,
)

EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x\r\nBEGIN:VEVENT\r\nUID:private\r\nDTSTAMP:20261101T000000Z\r\n"
    "DTSTART:20261127T090000Z\r\nSUMMARY:Private\r\nATTACH:cid:private\r\nATTACH;ENCODING=BASE64;VALUE=BINARY:eA==\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
Snapshot = dict[str, set[tuple[Any, ...]]]
_NOT_COUNTED = {"session": {"data", "seen"}}  # columns that say only that a session was used, or which notices wait


def furnish(user: User) -> dict[str, str]:
    """The identifiers of what is made for `user`, as they stand in addresses, by the words of the table of routes."""
    task, draft = secrets.token_hex(16), secrets.token_hex(16)
    Task.create(id=task, user=user, kind="own-data")
    DraftRow.create(id=draft, user=user, message_id="<1@lycee.example>", subject="private")
    waits = Outbox.create(
        user=user, draft=secrets.token_hex(16), message_id="<2@lycee.example>", sender=user.address, recipients='["x@y.example"]',
        content=b"", due=now() + timedelta(hours=1), scheduled=now() + timedelta(hours=1),
    )  # fmt: skip
    made = {
        "saved search": SavedSearch.create(user=user, name="private", query="private"),
        "snoozed": Snoozed.create(user=user, folder="Snoozed", due=now() + timedelta(days=1), subject="private"),
        "identity": WritingIdentity.create(user=user, name="private", address=user.address),
        "signature": Signature.create(user=user, name="private", text="private"),
        "template": ReadyText.create(user=user, name="private"),
        "report": PhishingReport.create(user=user, subject="private"),
        "authenticator": Authenticator.create(user=user, name="private", secret=b"x", confirmed=True),
        "security key": SecurityKey.create(
            user=user, name="private", credential_hash=secrets.token_hex(32), credential_id=b"x", public_key=b"x"
        ),
        "outbox": waits,
        "archive rule": ArchiveRule.create(user=user, position=1, mailbox="Private", unit="months", amount=1, action="archive"),
        "file request": FileRequest.create(
            owner=user, nonce=secrets.token_hex(16), link_hash=secrets.token_hex(32), title="private"
        ),
        "transfer": Transfer.create(
            owner=user,
            nonce=secrets.token_hex(16),
            link_hash=secrets.token_hex(32),
            subject="private",
            state="closed",
            closed=now(),
            closed_by="owner",
            expires=now(),
            published=now(),
        ),
        "app password": AppPassword.create(user=user, name="private", sha=secrets.token_hex(32), imap=1),
    }
    contact = Contact.create(
        user=user, uid=secrets.token_hex(16), card_uid="private", name="Private", sort="private", words=" private", revision="1",
        vcard="BEGIN:VCARD\r\nVERSION:4.0\r\nUID:private\r\nFN:Private\r\nEND:VCARD\r\n",
    )  # fmt: skip
    calendar = Collection.create(user=user, name="private", kind="calendar", components="VEVENT")
    CalendarObject.create(
        collection=calendar,
        href="0" * 32,
        uid="private",
        component="VEVENT",
        etag="1",
        size=1,
        first=0,
        last=0,
        seq=1,
        text=EVENT,
    )
    helped = User.create(address=f"helped@{user.domain}", local="helped", domain=user.domain, password="x")
    group = PeopleGroup.create(identifier=f"private@{user.domain}", name="Private", sort="private", domain=user.domain)
    GroupMember.create(group=group, user=helped)
    Deputy.create(user=user, group=group)
    server = RemoteAccount.create(user=user, url="https://cloud.example/", login="private", secret=b"x")
    linked = Collection.create(user=user, name="linked", kind="addressbook")
    link = RemoteLink.create(account=server, collection=linked, url="https://cloud.example/private/")
    followed = Collection.create(user=user, name="followed", kind="calendar", derived="subscription")
    CalendarSubscription.create(user=user, collection=followed, secret=b"x", host="cal.example")
    trusted = TrustedDevice.create(token_hash=secrets.token_hex(32), user=user, expires=now() + timedelta(days=1))
    named = {
        "task": task,
        "draft": draft,
        "contact": contact.uid,
        "calendar": str(calendar.id),
        "trusted browser": trusted.token_hash,
        "helped person": str(helped.id),
        "other server": str(server.id),
        "other server link": str(link.id),
        "subscription": str(followed.id),
    }
    return {name: str(row.id) for name, row in made.items()} | named


def snapshot(file: Path) -> Snapshot:
    """All rows of all tables of an SQLite database, but for what says only that somebody looked at a page."""
    with closing(sqlite3.connect(file)) as copy:
        tables = [name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: _rows(copy, table) for table in tables}


def changed(before: Snapshot, after: Snapshot) -> set[str]:
    """The names of tables whose rows are not the same."""
    return {table for table in before.keys() | after.keys() if before.get(table) != after.get(table)}


def _rows(copy: sqlite3.Connection, table: str) -> set[tuple[Any, ...]]:
    names = [row[1] for row in copy.execute(f"PRAGMA table_info({table})")]
    counted = ", ".join(f'"{name}"' for name in names if name not in _NOT_COUNTED.get(table, ()))
    return set(copy.execute(f"SELECT {counted} FROM {table}"))
