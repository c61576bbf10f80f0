"""One of each thing that belongs to one person and that an address or a form names by its number: for tests with another's."""

from __future__ import annotations

import json
import secrets
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from webmail.models import (
    AppointmentOffer,
    AppPassword,
    ArchiveRule,
    Authenticator,
    AwaitedReply,
    CalendarObject,
    CalendarSubscription,
    Collection,
    ConnectedService,
    Contact,
    Deputy,
    DeskCase,
    DraftRow,
    FileRequest,
    GroupMember,
    Keyring,
    KnownCertificateRow,
    MailboxHandover,
    Outbox,
    OwnKeyRow,
    PeopleGroup,
    PhishingReport,
    Poll,
    PollOption,
    ReadyText,
    RemoteAccount,
    RemoteLink,
    SavedSearch,
    SecurityKey,
    Signature,
    Snoozed,
    StagedCertificate,
    Task,
    Transfer,
    TrustedDevice,
    User,
    WritingIdentity,
    now,
)
from webmail.tasks import store

EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x\r\nBEGIN:VEVENT\r\nUID:private\r\nDTSTAMP:20261101T000000Z\r\n"
    "DTSTART:20261127T090000Z\r\nSUMMARY:Private\r\nATTACH:cid:private\r\nATTACH;ENCODING=BASE64;VALUE=BINARY:eA==\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
TODO = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x\r\nBEGIN:VTODO\r\nUID:private-todo\r\nDTSTAMP:20261101T000000Z\r\n"
    "SUMMARY:Private\r\nURL:mid:private@lycee.example\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
)
Snapshot = dict[str, set[tuple[Any, ...]]]
_NOT_COUNTED = {"session": {"data", "seen"}}  # columns that say only that a session was used, or which notices wait


def taken_out(user: User) -> str:
    """An archive of Google's that was looked through: the word of its address."""
    form = secrets.token_hex(16)
    calendar = {
        "entry": "Takeout/Calendar/x.ics",
        "title": "Chorale",
        "is_new": True,
        "fresh": 12,
        "changed": 1,
        "same": 2,
        "remarks": 1,
    }
    mail = {"messages": 340, "skipped": 1, "folders": [["inbox", 200], ["Projets/2026", 140]], "more": 0}
    contacts = {"fresh": 31, "changed": 2, "same": 4, "refused": 0}
    report = {"mail": mail, "contacts": contacts, "calendars": [calendar], "left_out": 1}
    Task.create(
        id=store.id_of_form(user, f"takeout {form}"), user=user, kind="takeout-check", state="done", finished=now(),
        arguments=json.dumps({"mail": form, "name": "takeout-001.zip", "form": form, "about": {}}),
        result=json.dumps({"report": report, "form": form, "name": "takeout-001.zip"}),
    )  # fmt: skip
    return form


def furnish(user: User) -> dict[str, str]:
    """The identifiers of what is made for `user`, as they stand in addresses, by the words of the table of routes."""
    task, draft = secrets.token_hex(16), secrets.token_hex(16)
    Task.create(id=task, user=user, kind="own-data")
    archive = taken_out(user)
    DraftRow.create(id=draft, user=user, message_id="<1@lycee.example>", subject="private")
    waits = Outbox.create(
        user=user, draft=secrets.token_hex(16), message_id="<2@lycee.example>", sender=user.address, recipients='["x@y.example"]',
        content=b"", due=now() + timedelta(hours=1), scheduled=now() + timedelta(hours=1),
    )  # fmt: skip
    made = {
        "saved search": SavedSearch.create(user=user, name="private", query="private"),
        "snoozed": Snoozed.create(user=user, folder="Snoozed", due=now() + timedelta(days=1), subject="private"),
        "awaited reply": AwaitedReply.create(user=user, message_id="<3@lycee.example>", subject="private", due=now(), sent=now()),
        "identity": WritingIdentity.create(user=user, name="private", address=user.address),
        "signature": Signature.create(user=user, name="private", text="private"),
        "template": ReadyText.create(user=user, name="private"),
        "handover": MailboxHandover.create(owner=user, person=user, kind="absence", asked_by=user.address, reason="private"),
        "case": DeskCase.create(
            user=user, kind="support", number=1, address=user.address, domain=user.domain, topic="password", text="private"
        ),
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
        "appointments": AppointmentOffer.create(
            owner=user, nonce=secrets.token_hex(16), link_hash=secrets.token_hex(32), title="private", ends=2**40
        ),
        "poll": Poll.create(
            owner=user,
            nonce=secrets.token_hex(16),
            link_hash=secrets.token_hex(32),
            title="private",
            zone="UTC",
            ends=now() + timedelta(days=1),
        ),
        "app password": AppPassword.create(user=user, name="private", sha=secrets.token_hex(32), imap=1),
    }
    PollOption.create(poll=made["poll"], start=now(), minutes=60)
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
    todos = Collection.create(user=user, name="private-list", kind="calendar", components="VTODO")
    CalendarObject.create(
        collection=todos, href="0" * 32, uid="private-todo", component="VTODO", etag="1", size=1, first=0, last=0, seq=1, text=TODO
    )  # fmt: skip
    helped = User.create(address=f"helped@{user.domain}", local="helped", domain=user.domain, password="x")
    group = PeopleGroup.create(identifier=f"private@{user.domain}", name="Private", sort="private", domain=user.domain)
    GroupMember.create(group=group, user=helped)
    Deputy.create(user=user, group=group)
    server = RemoteAccount.create(user=user, url="https://cloud.example/", login="private", secret=b"x")
    linked = Collection.create(user=user, name="linked", kind="addressbook")
    link = RemoteLink.create(account=server, collection=linked, url="https://cloud.example/private/")
    service = ConnectedService.create(user=user, provider="google", title="private", login="private", secret=b"x")
    files = {"provider": "nextcloud", "title": "private files", "state": "refused", "problem": "unreadable"}
    drive = ConnectedService.create(user=user, login="private", secret=b"x", **files)
    followed = Collection.create(user=user, name="followed", kind="calendar", derived="subscription")
    CalendarSubscription.create(user=user, collection=followed, secret=b"x", host="cal.example")
    Keyring.create(user=user)
    User.update(has_keys=1).where(User.id == user.id).execute()
    key = OwnKeyRow.create(
        user=user, kind="openpgp", fingerprint="A" * 40, addresses=user.address, certificate=b"private", sealed=b"private"
    )
    certificate = KnownCertificateRow.create(
        user=user, address="private@else.example", kind="openpgp", fingerprint="B" * 40, certificate=b"private", origin="met"
    )
    staged = StagedCertificate.create(user=user, digest="a" * 64, name="private.p12", sealed=b"private", told=now())
    trusted = TrustedDevice.create(token_hash=secrets.token_hex(32), user=user, expires=now() + timedelta(days=1))
    named = {
        "task": task,
        "takeout": archive,
        "draft": draft,
        "contact": contact.uid,
        "calendar": str(calendar.id),
        "task list": str(todos.id),
        "trusted browser": trusted.token_hash,
        "helped person": str(helped.id),
        "other server": str(server.id),
        "connected service": str(service.id),
        "drive": str(drive.id),
        "other server link": str(link.id),
        "subscription": str(followed.id),
        "key": str(key.id),
        "certificate": str(certificate.id),
        "staged certificate": str(staged.id),
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
