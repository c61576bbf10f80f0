"""Mailbox filling: fills the demo's mailboxes on the first run, over IMAP."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from imapclient import IMAPClient

from deploy.demo.letters.boxes import boxes
from deploy.demo.letters.letter import Item
from deploy.demo.services import Services


def fill(services: Services) -> dict[str, int]:
    """Fill each person's mailboxes unless done already; returns how many messages were added for each person.

    Progress is recorded per mailbox, so an interrupted run continues where it stopped.
    """
    notes = services.base / "filled"
    done = set(notes.read_text(encoding="utf-8").splitlines()) if notes.exists() else set()
    if "all" in done:
        return {}
    counts: dict[str, int] = {}
    with notes.open("a", encoding="utf-8") as out:
        for address, items in boxes(datetime.now(ZoneInfo("Europe/Paris"))).items():
            with IMAPClient("127.0.0.1", services.ports.imap, ssl=False, timeout=60) as client:
                client.login(address, services.password)
                mailboxes = sorted({item.mailbox for item in items})
                _create(client, mailboxes)
                for mailbox in mailboxes:
                    if (note := f"{address} {mailbox}") not in done:
                        inside = [item for item in items if item.mailbox == mailbox]
                        _append(client, mailbox, inside)
                        print(note, file=out, flush=True)
                        counts[address] = counts.get(address, 0) + len(inside)
        print("all", file=out)
    return counts


def _create(client: IMAPClient, mailboxes: list[str]) -> None:
    existing = {name for _, _, name in client.list_folders()}
    for mailbox in mailboxes:
        if mailbox not in existing:
            client.create_folder(mailbox)
            client.subscribe_folder(mailbox)


def _append(client: IMAPClient, mailbox: str, items: list[Item]) -> None:
    """One MULTIAPPEND (RFC 3502), which is atomic."""
    client.multiappend(mailbox, [{"msg": item.content, "flags": item.flags, "date": item.when} for item in items])
