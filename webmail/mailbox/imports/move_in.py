"""Moving in: a worker copies all folders of a mailbox on another server, which is only read. It may be done again at any time:
what is here already is left out.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from webmail import imap
from webmail.account import Account, Password, Security, Server
from webmail.config.settings import Settings
from webmail.errors import ServerAwayError, SignInRefusedError
from webmail.http_fetch import is_global
from webmail.imap.bulk import remote_mailbox
from webmail.imap.bulk.remote_mailbox import RemoteFolder, RemoteMessage
from webmail.imap.connections.connection import Connection
from webmail.mail import Role
from webmail.mailbox.imports import import_kinds
from webmail.mailbox.imports.import_filing import Filing, kept_flags
from webmail.mailbox.imports.import_labels import IN_IMAP, by_labels
from webmail.mailbox.imports.incoming import LARGEST, Found, Incoming, Position, Unreadable, message_key
from webmail.mailbox.imports.mail_import import MailImport
from webmail.mime.formats.mbox import crlf
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun
from webmail.tasks.mail_account import account_of, other_password

NAME = import_kinds.MOVE_IN
_MOST_ADDRESSES = 4  # of a server that are tried
SECONDS = 20.0  # for each response: the server may be far away
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")

# where the mailbox of an address is; elsewhere people are asked
_KNOWN = {
    "imap.gmail.com": ("gmail.com", "googlemail.com"),
    "imap.orange.fr": ("orange.fr", "wanadoo.fr"),
    "imap.free.fr": ("free.fr", "aliceadsl.fr"),
    "imap.laposte.net": ("laposte.net",),
    "imap.sfr.fr": ("sfr.fr", "neuf.fr", "cegetel.net"),
    "imap4.bbox.fr": ("bbox.fr",),
    "imap.mail.yahoo.com": ("yahoo.com", "yahoo.fr", "ymail.com"),
    "imap.mail.me.com": ("icloud.com", "me.com", "mac.com"),
    "imap.gmx.net": ("gmx.fr", "gmx.de", "gmx.net", "gmx.com"),
    "mail.infomaniak.com": ("ik.me", "etik.com"),
}
_SERVER_OF = {domain: server for server, domains in _KNOWN.items() for domain in domains}
SERVERS = tuple(_KNOWN)


class BadServerError(ValueError):
    """Not the name of a server that one may move in from."""


@dataclass(frozen=True, slots=True)
class OldMailbox:
    """The mailbox to copy. The port is 993 (TLS) or 143 (STARTTLS)."""

    host: str
    port: int
    username: str

    def account(self, password: str, settings: Settings) -> Account:
        """Raises BadServerError for an address inside the establishment's network, unless the administrator allows those. The
        name is looked up here alone: what it means a moment later does not count."""
        addresses = () if settings.import_private_servers else _public_addresses(self.host, self.port)
        security: Security = "tls" if self.port == 993 else "none" if _is_loopback(self.host) else "starttls"
        server = Server(
            self.host, self.port, security, SECONDS, settings.ca_file if settings.import_private_servers else "", addresses
        )
        return Account(f"{self.username}@{self.host} (moving in)", server, server, Password(self.username, password))


def old_mailbox(username: str, server: str, settings: Settings) -> OldMailbox:
    """From what somebody typed; without a server, that of the address. Raises BadServerError."""
    text = server.strip().lower() or guessed_server(username)
    host, _colon, port = text.partition(":")
    ports = range(1, 65536) if settings.import_private_servers else (993, 143)
    if not _HOST.fullmatch(host) or (port and not port.isdigit()) or int(port or 993) not in ports:
        raise BadServerError(text[:100])
    return OldMailbox(host, int(port or 993), username.strip()[:320])


def guessed_server(address: str) -> str:
    """The IMAP server of a well-known address; "" for others."""
    return _SERVER_OF.get(address.rpartition("@")[2].strip().lower(), "")


def check(old: OldMailbox, password: str, settings: Settings) -> None:
    """Sign in there once. Raises SignInRefusedError, ServerAwayError, BadServerError."""
    imap.check(old.account(password, settings))


def _public_addresses(host: str, port: int) -> tuple[str, ...]:
    try:
        told = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ServerAwayError(f"{host} is not found") from error
    found = tuple(dict.fromkeys(str(entry[4][0]) for entry in told))
    if not all(is_global(ipaddress.ip_address(address.partition("%")[0])) for address in found):
        raise BadServerError(f"{host} is inside")
    return found[:_MOST_ADDRESSES]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def there() -> Iterator[None]:
    """A refused sign-in is that of the other server, not of ours."""
    try:
        yield
    except SignInRefusedError as error:
        raise TaskFailedError("old-sign-in") from error


class OldMail:
    """The messages of a mailbox on another server, folder by folder: a Source. Raises MailError, and TaskFailedError where that
    server no longer lets us in.
    """

    def __init__(self, account: Account) -> None:
        self.account = account

    def count(self) -> int:
        return sum(folder.messages for folder in self.folders())

    def messages(self, at: int, position: Position | None) -> Iterator[Found]:
        done, uid = (str(position[0]), int(position[1])) if position else ("", 0)
        for folder in self.folders():
            if folder.name >= done:
                yield from self.messages_in(folder, uid if folder.name == done else 0)

    def folders(self) -> list[RemoteFolder]:
        """Those to read, by name."""
        with there(), imap.connect(self.account) as connection:
            return remote_mailbox.folders(connection)

    def messages_in(self, folder: RemoteFolder, after: int) -> Iterator[Found]:
        """Those with a UID above `after`, in order."""
        with there(), closing(Connection(self.account)) as reading:  # its own: it is read on while others of the pool fetch
            for message in remote_mailbox.listing(reading, folder, after):
                yield found_in(folder, message)

    def size(self) -> int:
        with there(), imap.connect(self.account) as connection:
            return sum(remote_mailbox.size_of(connection, folder) for folder in remote_mailbox.folders(connection))

    def load(self, messages: Sequence[Incoming]) -> list[bytes | None]:
        found: dict[tuple[str, int], bytes] = {}
        for folder in dict.fromkeys(str(one.position[0]) for one in messages if one.position):
            asked = [(int(one.position[1]), one.size) for one in messages if one.position and one.position[0] == folder]
            with there(), imap.connect(self.account, folder) as connection:
                got = remote_mailbox.contents(connection, folder, asked)
            found |= {(folder, uid): crlf(content) for uid, content in got.items()}
        return [found.get((str(one.position[0]), int(one.position[1]))) if one.position else None for one in messages]


def found_in(folder: RemoteFolder, message: RemoteMessage) -> Found:
    """A message there, with where it goes here."""
    position: Position = [folder.name, message.uid]
    if message.size > LARGEST:
        return Unreadable(f"{folder.name}: {message.subject}", "too-large", position)
    key = message_key(message.message_id, message.subject, message.sender)
    return Incoming(filing_of(folder, message), message.size, key, None, position)


def filing_of(folder: RemoteFolder, message: RemoteMessage) -> Filing:
    """Where a message goes: into the folder of the same name or use; Gmail's by its labels."""
    flags, deleted = kept_flags(message.flags), "\\Deleted" in message.flags
    if message.labels is not None and folder.role not in (Role.JUNK, Role.TRASH):
        filing = by_labels(message.labels, IN_IMAP)
        marked = {flag for flag in filing.flags if flag != "\\Seen"}  # read or not is a flag here
        return Filing((*flags, *sorted(marked - set(flags))), message.received, filing.role, filing.path, filing.tags, deleted)
    return Filing(flags, message.received, folder.role, () if folder.role else folder.path, skip=deleted)


def _work(run: TaskRun) -> dict[str, Any]:
    given = run.arguments
    try:
        mine = account_of(run)
        other = OldMailbox(given["host"], given["port"], given["username"]).account(other_password(run), run.settings)
    except SignInRefusedError as error:
        raise TaskFailedError("sign-in") from error
    except BadServerError as error:
        raise TaskFailedError("bad-server") from error
    try:
        return asdict(MailImport(run, mine, OldMail(other), "", Filing(role=Role.ARCHIVE)).take())
    except SignInRefusedError as error:
        raise TaskFailedError("sign-in") from error
    finally:
        imap.close_all(other)


KIND = TaskKind(NAME, _work, in_turn=True)
