"""Puts the made-up mail into the mail server's own folders, once; later runs find it there."""

from __future__ import annotations

import imaplib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from deploy.demo import accounts
from deploy.demo.child import HOST
from deploy.demo.place import Owner
from deploy.demo.services import Services
from tests.bench.letters import Letter, conversation, large_letter, letter
from webmail import models

READER, ARCHIVIST = f"lectrice@{accounts.DOMAIN}", f"archiviste@{accounts.DOMAIN}"
SMALL, LARGE = "Mille", "CentMille"
SIZES = {SMALL: 1_000, LARGE: 100_000}
OWNERS = {SMALL: READER, LARGE: ARCHIVIST}  # two people: all mailboxes of a person weigh on each of her pages
INBOX_SIZE, INBOX_DELIVERED = 1_000, 300  # of them by APPEND, as a delivery would
PEOPLE = tuple(f"personne{number:02d}@{accounts.DOMAIN}" for number in range(1, 51))
CLIENTS = 8  # the first of the people, who have more than a page of mail: the throughput is measured with them
PEOPLES_MAIL, CLIENTS_MAIL = 8, 60
TALKER = f"bavarde@{accounts.DOMAIN}"  # who has one message of 20 MB, and conversations, each in a mailbox of its own
LARGE_MAIL = "Envois"
TALKS = tuple(f"Fil{number:02d}" for number in range(1, 17))
TURNS = 100  # messages of a conversation
WRITER = f"redactrice@{accounts.DOMAIN}"
_EDITION = "5"  # another value makes the mail anew


def fill(services: Services) -> bool:
    """Accounts and mail, where they are missing. Returns whether they were made now. About 40 s."""
    stamp = services.base / "filled"
    if stamp.exists() and stamp.read_text() == _EDITION:
        return False
    for address in (*OWNERS.values(), *PEOPLE, TALKER, WRITER):
        _account(services, address)
        shutil.rmtree(maildir(services, address).parent, ignore_errors=True)  # with its indexes
    for number, address in enumerate(PEOPLE):
        write(services.owner, maildir(services, address), address, CLIENTS_MAIL if number < CLIENTS else PEOPLES_MAIL)
    write(services.owner, maildir(services, ARCHIVIST), ARCHIVIST, CLIENTS_MAIL)
    write(services.owner, maildir(services, READER), READER, INBOX_SIZE, newest=INBOX_DELIVERED)
    for name, size in SIZES.items():
        write(services.owner, maildir(services, OWNERS[name]) / name, OWNERS[name], size)
    write(services.owner, maildir(services, WRITER), WRITER, CLIENTS_MAIL)
    _talks(services)
    _deliver(services)
    for name, size in SIZES.items():
        _look(services, OWNERS[name], name, size)
    stamp.write_text(_EDITION)
    return True


def write(owner: Owner, folder: Path, to: str, total: int, newest: int = 0) -> None:
    """Write a Maildir of `total` messages less the `newest` ones."""
    write_letters(owner, folder, (letter(total - uid, to) for uid in range(1, total - newest + 1)))


def write_letters(owner: Owner, folder: Path, letters: Iterable[Letter]) -> None:
    """Write a Maildir with the UIDs, flags and keywords Dovecot would give.

    Sizes stand in the file names (S=, W=), so that the server need not read each file to know them.
    """
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    lines = []
    for uid, message in enumerate(letters, 1):
        name = f"{int(message.when.timestamp())}.M{uid}P1.bench,S={len(message.content)},W={len(message.content)}"
        _write_message(folder / "cur" / f"{name}:2,{_flags(message)}", message, owner)
        lines.append(f"{uid} :{name}")
    lines.insert(0, f"3 V1790000000 N{len(lines) + 1}")
    (folder / "dovecot-uidlist").write_text("\n".join(lines) + "\n")
    (folder / "dovecot-keywords").write_text("0 $HasAttachment\n1 $HasNoAttachment\n")
    owner.own(*_up_to_mail(folder), *(folder / name for name in ("cur", "new", "tmp", "dovecot-uidlist", "dovecot-keywords")))


def _write_message(file: Path, message: Letter, owner: Owner) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, message.content)
        when = message.when.timestamp()  # the date of arrival
        os.utime(descriptor, (when, when))
        if os.geteuid() == 0:
            os.fchown(descriptor, owner.uid, owner.gid)
    finally:
        os.close(descriptor)


def _flags(message: Letter) -> str:
    """Of the Maildir: S is \\Seen, the small letters are the keywords in the order of dovecot-keywords."""
    return ("S" if message.seen else "") + ("a" if message.attachment else "b")


def _up_to_mail(folder: Path) -> list[Path]:
    """The folder and those above it, up to the one of all mail."""
    above = [folder, *folder.parents]
    return above[: next(place for place, path in enumerate(above) if path.name == "mail")]


def maildir(services: Services, address: str) -> Path:
    local, domain = address.split("@")
    return services.base / "mail" / domain / local / "Maildir"


def _account(services: Services, address: str) -> None:
    with accounts.tables(services.database):
        there = models.User.select().where(models.User.address == address).exists()
    if not there:
        services.add_account(address, address.partition("@")[0].capitalize(), quota=10 * 1024**3)


def _deliver(services: Services) -> None:
    """The newest messages of the INBOX, by APPEND; then one search, which builds its word index."""
    client = imaplib.IMAP4(HOST, services.ports.imap)
    client.login(READER, services.password)
    for back in range(INBOX_DELIVERED - 1, -1, -1):
        message = letter(back, READER)
        stamp = imaplib.Time2Internaldate(message.when)
        answer, words = client.append("INBOX", "(\\Seen)" if message.seen else "()", stamp, message.content)
        if answer != "OK":
            raise RuntimeError(f"APPEND: {words!r}")
    client.select("INBOX")
    client.search(None, "TEXT", "timetable")
    client.logout()
    _look(services, READER, "INBOX", INBOX_SIZE)


def _talks(services: Services) -> None:
    folder = maildir(services, TALKER)
    write(services.owner, folder, TALKER, PEOPLES_MAIL)
    write_letters(services.owner, folder / LARGE_MAIL, [large_letter(TALKER)])
    for number, name in enumerate(TALKS):
        write_letters(services.owner, folder / name, conversation(number, TURNS, TALKER))


def _look(services: Services, address: str, name: str, size: int) -> None:
    """One look at a mailbox, so that the server indexes it now."""
    client = imaplib.IMAP4(HOST, services.ports.imap)
    client.login(address, services.password)
    answer, found = client.select(name)
    if answer != "OK" or found[0] is None or int(found[0]) != size:
        raise RuntimeError(f"{name} should hold {size} messages: {answer} {found!r}")
    client.logout()
