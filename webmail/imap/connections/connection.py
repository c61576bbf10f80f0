"""IMAP connection: signs in, pipelines commands (several in one round trip), tracks the state of the selected mailbox.

imapclient parses; this class adds what a pooled connection needs: pipelining (RFC 3501 section 5.5), the number of messages
as EXISTS and EXPUNGE change it, and whether it is still in step with the server.
"""

from __future__ import annotations

import imaplib
import logging
import re
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import IO, Any

from imapclient import IMAPClient

from webmail.account import Account, MasterPassword, Password
from webmail.errors import (
    MailboxChangedError,
    MailError,
    NoSuchMailboxError,
    ServerAwayError,
    SignInRefusedError,
    TokenRefusedError,
)
from webmail.imap.connections import circuit_breaker
from webmail.imap.connections.commands import mailbox_name, refusal, translated
from webmail.imap.connections.dialling import dial

log = logging.getLogger(__name__)

# SEARCH returns all UIDs on one line: 8 bytes each, and mailboxes hold up to a million
imaplib._MAXLINE = 20_000_000  # type: ignore[attr-defined]

Command = tuple[bytes, ...]  # (b"UID FETCH", b"1:3", b"(FLAGS)"): already escaped, see commands.py


class Spare(tuple[bytes, ...]):
    """A command that others can do without: a refusal is logged, and spoils nothing that was asked together with it."""


_DELETED = "deleted under us"  # Dovecot's words for a mailbox that another program deleted
_LOST = "state is inconsistent"  # and those with which it hangs up where that one was selected
_PIECE = 256 * 1024  # bytes of a message sent at once
_LARGEST_ANSWER = 400_000_000  # bytes that answer one command: people may name any server to move in from
_LINE = 200  # bytes that each line of an answer takes besides its own
_HARMLESS = (b"NOOP", b"SELECT", b"LIST", b"STATUS", b"GETQUOTAROOT", b"FETCH", b"UID FETCH", b"UID SEARCH")

_ANYWHERE = (b"SELECT", b"LIST", b"STATUS", b"GETQUOTAROOT")  # that mean the same whatever is selected


class Connection:
    """A signed-in connection. Not thread-safe: the pool lends it to one thread at a time."""

    def __init__(self, account: Account, seconds: float | None = None) -> None:
        """Connect and sign in, within `seconds` if given, else the server's timeout. Raises ServerAwayError,
        SignInRefusedError."""
        self.account = account
        self.mailbox = ""  # the selected one
        self.uidvalidity = 0
        self.exists = 0
        self.flags: frozenset[str] = frozenset()  # known in the selected mailbox
        self.read_only = False
        self.permanent: frozenset[str] | None = None  # flags that may be changed in it; None: unknown
        self.namespaces: Any = None  # NAMESPACE, set by mailboxes.py once per connection
        self.opened = time.monotonic()
        self.round_trips = 0
        self.last_used = time.monotonic()
        self.in_step = True  # false while a response is pending, and for good if it never came
        self.counts_all = True  # of the commands sent last for the folders beside a page, see mailboxes.py
        self.asks_quota = True  # of the same
        self._verified = False  # the mailbox's state was refreshed during this loan
        self._untried = False  # no command was sent yet during this loan
        self._room = _LARGEST_ANSWER  # bytes that the answer to this command may still have
        self._patience: float | None = None  # seconds for each response during this loan; None: the server's timeout
        self._times = 1.0  # as long, see `waiting`
        self._open(seconds)

    # --- lifecycle ---------------------------------------------------------------------------------------------------

    def _open(self, seconds: float | None = None) -> None:
        """Connect and sign in: 1 round trip after the greeting (2 with STARTTLS, 1 more if capabilities aren't announced)."""
        self.mailbox, self.in_step = "", False
        server = self.account.imap
        allowed = min(seconds or server.timeout, server.timeout)
        deadline = time.monotonic() + allowed
        with translated():
            with circuit_breaker.dialling(server, telling=allowed >= server.timeout / 2):
                self.client = dial(server, allowed)
            try:
                self.client.socket().settimeout(max(deadline - time.monotonic(), 0.1))
                authenticate(self.client, self.account)
                imap = self.client._imap
                imap.debug = 0  # imapclient sets 5, which formats each line for a log nobody reads
                self._remember = imap._append_untagged
                imap._append_untagged = self._append_untagged
                self._read_all, imap.read = imap.read, self._read
                self.capabilities = _capabilities(self.client)
                self.client.socket().settimeout(self._timeout)
            except BaseException:
                self.client.shutdown()
                raise
            self.in_step = True

    def lend(self, patience: float | None = None) -> None:
        """Start a loan: the known state of the mailbox may be stale. `patience`: seconds to wait for each response."""
        self._verified, self._untried = False, True
        if patience != self._patience:
            self._patience = patience
            self.client.socket().settimeout(self._timeout)

    @contextmanager
    def waiting(self, times: float) -> Iterator[None]:
        """Wait so many times as long for each response within the block: less for what a page can do without, more for what
        must not be given up while the server does it."""
        self._times = times
        self.client.socket().settimeout(self._timeout)
        try:
            yield
        finally:
            self._times = 1.0
            if self.in_step:
                self.client.socket().settimeout(self._timeout)

    @property
    def _timeout(self) -> float:
        """Seconds to wait for each response."""
        return min(self._patience or self.account.imap.timeout, self.account.imap.timeout) * self._times

    def reopen(self) -> None:
        """Reconnect within a loan, after the connection was lost, and select the same mailbox: round trips of both.

        Raises ServerAwayError, SignInRefusedError, MailboxChangedError.
        """
        mailbox, uidvalidity = self.mailbox, self.uidvalidity
        self._reconnect()
        if mailbox:
            self.select(mailbox, uidvalidity)

    def _reconnect(self) -> None:
        self.close()
        self._open(self._patience)
        self._verified = self._untried = False

    @property
    def dead(self) -> bool:
        """Whether the server disconnected or sent something unsolicited (BYE): no round trip."""
        if not self.in_step:
            return True
        try:
            poll = select.poll()  # select() is limited to 1024 open files
            poll.register(self.client.socket(), select.POLLIN)
            return bool(poll.poll(0))
        except (OSError, ValueError):
            return True

    def close(self) -> None:
        """Disconnect. LOGOUT is sent without waiting for its response."""
        try:
            if self.in_step:
                self.client._imap.send(b"bye LOGOUT\r\n")
            self.client.shutdown()
        except (OSError, imaplib.IMAP4.error, ValueError):
            self.in_step = False  # already closed
        self.in_step = False

    # --- commands ----------------------------------------------------------------------------------------------------

    def run(self, *commands: Command) -> dict[str, list[Any]]:
        """Send all commands at once and wait for all responses: 1 round trip. Returns the untagged responses by kind.

        Raises the MailError of the first NO or BAD (after all responses have arrived), or ServerAwayError.
        If the server closed the connection while idle, reconnects and retries once, for the loan's first command only.
        """
        try:
            return self._run(commands)
        except ServerAwayError as error:
            if not (self._untried and isinstance(error.__cause__, imaplib.IMAP4.abort | ConnectionError)):
                raise
            if any(command[0] not in _HARMLESS for command in commands):
                raise  # not idempotent: a retry could do it twice
            mailbox, uidvalidity = self.mailbox, self.uidvalidity
            self.close()
            self._open()
            self._untried = False
            if mailbox and not all(command[0] in _ANYWHERE for command in commands):
                self.select(mailbox, uidvalidity)
            return self._run(commands)

    def run_apart(self, *commands: Command) -> list[dict[str, list[Any]] | MailError]:
        """Send all commands at once, as `run` does, and return the responses to each separately: 1 round trip.

        The result of a refused command is its error; the others are not affected. Only for commands that the server must
        execute in order (RFC 3501 section 5.5), such as SELECT and what follows: only then the untagged responses of each come
        before its tagged one. Afterwards no mailbox counts as selected. Raises ServerAwayError.
        """
        if self._untried:
            self.run((b"NOOP",))  # reconnects if closed while idle
        apart: list[tuple[dict[str, list[Any]], Any]] = []
        self.mailbox = ""
        self._run(commands, apart)
        return [
            untagged if answer[0] == "OK" else refusal(command[0].decode(), answer[1])
            for command, (untagged, answer) in zip(commands, apart, strict=True)
        ]

    def _run(self, commands: Any, apart: list[tuple[dict[str, list[Any]], Any]] | None = None) -> dict[str, list[Any]]:
        imap = self.client._imap
        imap.untagged_responses.clear()
        self.in_step, self._room = False, _LARGEST_ANSWER
        with translated():
            tags = [imap._new_tag() for _ in commands]
            lines = [tag + b" " + b" ".join(command) + b"\r\n" for tag, command in zip(tags, commands, strict=True)]
            if self.has("LITERAL+") or self.has("LITERAL-"):
                imap.send(b"".join(lines))
            else:
                for tag, line in zip(tags, lines, strict=True):
                    self._send_waiting(tag, line)
            # imaplib's _command_complete drops responses if one command is refused: wait for each tag ourselves
            answers = []
            for tag in tags:
                answers.append(imap._get_tagged_response(tag, expect_bye=False))
                if apart is not None:
                    apart.append((dict(imap.untagged_responses), answers[-1]))
                    imap.untagged_responses.clear()
        return self._taken(commands, answers if apart is None else [("OK", None)] * len(answers))

    def _taken(self, commands: Any, answers: list[Any]) -> dict[str, list[Any]]:
        """All responses have arrived: back in step. Raises the error of the first refusal."""
        imap = self.client._imap
        self.in_step, self._untried = True, False
        self.round_trips += 1
        untagged = dict(imap.untagged_responses)
        imap.untagged_responses.clear()
        for command, (kind, data) in zip(commands, answers, strict=True):
            if kind == "OK":
                continue
            if not isinstance(command, Spare):
                raise refusal(command[0].decode(), data)
            log.info("done without: %s", refusal(command[0].decode(), data))
        return untagged

    def _send_waiting(self, tag: bytes, line: bytes) -> None:
        """Send a command to a server without LITERAL+: each literal waits for a continuation request (RFC 3501 section 4.3)."""
        imap = self.client._imap
        pieces = re.split(rb"\{(\d+)\+\}\r\n", line)
        imap.send(pieces[0])
        for size, rest in zip(pieces[1::2], pieces[2::2], strict=True):
            imap.send(b"{" + size + b"}\r\n")
            while imap._get_response() is not None:
                if imap.tagged_commands[tag]:
                    return  # refused before the literal was sent
            imap.send(rest)

    def run_append(self, data: bytes, content: bytes | IO[bytes], top: bytes = b"") -> dict[str, list[Any]]:
        """APPEND: the command, then `top` and the content as one literal: 1 round trip (2 without LITERAL+).

        A file is sent from its start, in chunks.
        """
        source = BytesIO(content) if isinstance(content, bytes) else content
        size = len(top) + source.seek(0, 2)
        source.seek(0)
        imap = self.client._imap
        imap.untagged_responses.clear()
        self.in_step, self._room = False, _LARGEST_ANSWER
        with translated():
            tag = imap._new_tag()
            if self.has("LITERAL+"):
                imap.send(tag + b" " + data + b" {%d+}\r\n" % size)
            else:
                imap.send(tag + b" " + data + b" {%d}\r\n" % size)
                while imap._get_response() is not None and not imap.tagged_commands[tag]:
                    continue
            if not imap.tagged_commands[tag]:
                imap.send(top)
                for piece in iter(lambda: source.read(_PIECE), b""):
                    imap.send(piece)
                imap.send(b"\r\n")
            answer = imap._get_tagged_response(tag, expect_bye=False)
        return self._taken([(b"APPEND",)], [answer])

    def _read(self, size: int) -> bytes:
        """A literal. Raises imaplib's abort if the answer becomes too large for the memory."""
        self._room -= size
        if self._room < 0:
            raise imaplib.IMAP4.abort(f"more than {_LARGEST_ANSWER} bytes")
        return bytes(self._read_all(size))

    def _append_untagged(self, kind: str, data: Any) -> None:
        self._room -= _LINE + (len(data) if isinstance(data, bytes) else 0)
        if self._room < 0:
            raise imaplib.IMAP4.abort(f"more than {_LARGEST_ANSWER} bytes of lines")
        if kind == "EXISTS":
            self.exists = int(data)
        elif kind == "EXPUNGE":
            self.exists -= 1
        elif kind == "FLAGS" and isinstance(data, bytes):  # a new keyword in the mailbox (RFC 3501 section 7.2.6)
            self.flags = frozenset(data.decode("ascii", "replace").strip("()").split())
        self._remember(kind, data)

    def select(self, mailbox: str, uidvalidity: int | None = None, *also: Command) -> dict[str, list[Any]]:
        """Select `mailbox` and bring its state up to date: 1 round trip, 0 if done in this loan. Signs in anew where another
        program has deleted it since, and may have made one of that name: Dovecot shows that one on new connections only.

        Commands in `also` (which must be harmless under another UIDVALIDITY) are sent in the same round trip; their responses
        are returned. Raises NoSuchMailboxError, and MailboxChangedError if `uidvalidity` is given and is not the current one.
        """
        answers: dict[str, list[Any]] | None = None
        if self.mailbox == mailbox and self._verified:
            answers = self.run(*also) if also else {}
        elif self.mailbox == mailbox and not self._is_others(mailbox):
            answers = self._still_there(also)
            if answers is None or (uidvalidity and uidvalidity != self.uidvalidity):
                self._reconnect()
                answers = None
        if answers is None:
            try:
                answers = self._select(mailbox, also)
            except NoSuchMailboxError as error:
                if _DELETED not in str(error):
                    raise
                self._reconnect()
                answers = self._select(mailbox, also)
        self._verified = True
        if uidvalidity and uidvalidity != self.uidvalidity:
            raise MailboxChangedError(f"{mailbox}: UIDVALIDITY was {uidvalidity}, is {self.uidvalidity}")
        return answers

    def is_refreshed_by_select(self, mailbox: str) -> bool:
        """Whether `select` will ask about this mailbox, and its state until now may still be the right one."""
        return self.mailbox == mailbox and not self._verified and not self._is_others(mailbox)

    def _still_there(self, also: tuple[Command, ...]) -> dict[str, list[Any]] | None:
        """Bring the state of the selected mailbox up to date; None if it is gone."""
        try:
            return self.run((b"NOOP",), *also)
        except (NoSuchMailboxError, MailboxChangedError):
            return None
        except ServerAwayError as error:
            if _LOST in str(error):
                return None
            raise

    def _select(self, mailbox: str, also: tuple[Command, ...]) -> dict[str, list[Any]]:
        name = mailbox_name(mailbox)
        self.mailbox = ""  # a failed SELECT leaves none selected (RFC 3501 section 6.3.1)
        answers = self.run((b"SELECT", name), *also)
        self.uidvalidity = _uidvalidity(answers)
        self.mailbox = mailbox  # only now: never a mailbox with the UIDVALIDITY of another
        self.flags = frozenset((answers.get("FLAGS") or [b""])[0].decode("ascii", "replace").strip("()").split())
        self.read_only = "READ-ONLY" in answers
        told = answers.get("PERMANENTFLAGS")
        self.permanent = frozenset(told[-1].decode("ascii", "replace").strip("()").split()) if told else None
        return answers

    def _is_others(self, mailbox: str) -> bool:
        """Whether the mailbox is somebody else's: it may no longer be shared, but a server keeps a selected mailbox readable."""
        return self.namespaces is not None and bool(self.namespaces.owner_of(mailbox)[0])

    def has(self, capability: str) -> bool:
        return capability in self.capabilities

    def keeps(self, flag: str) -> bool:
        """Whether a flag set in the selected mailbox is permanent; assumed without PERMANENTFLAGS (RFC 3501 section 6.3.1)."""
        permanent = self.permanent
        return permanent is None or "\\*" in permanent or flag.lower() in {known.lower() for known in permanent}


def _capabilities(client: IMAPClient) -> frozenset[str]:
    try:
        return frozenset(c.decode("ascii", "replace") for c in client.capabilities())
    except AttributeError as error:  # imapclient's, where a server says OK without telling any
        raise imaplib.IMAP4.abort("the server tells no capabilities (RFC 3501 section 6.1.1)") from error


def _uidvalidity(answers: dict[str, list[Any]]) -> int:
    try:
        return int(answers["UIDVALIDITY"][-1])
    except (LookupError, ValueError, TypeError) as error:
        raise ServerAwayError("the IMAP server tells no UIDVALIDITY (RFC 3501 section 2.3.1.1)") from error


def authenticate(client: IMAPClient, account: Account) -> None:
    """Sign in: 1 round trip. Raises SignInRefusedError, TokenRefusedError, ServerAwayError if the server says it is unavailable,
    and imaplib's abort or OSError if the connection is lost."""
    credential = account.credential
    try:
        if isinstance(credential, MasterPassword):
            _sign_in_for(client, credential)
        elif isinstance(credential, Password):
            if client.has_capability("AUTH=PLAIN"):
                client.plain_login(credential.username, credential.password)
            else:
                client.login(credential.username, credential.password)
        else:
            client.oauthbearer_login(credential.username, credential.make())
    except imaplib.IMAP4.error as error:
        if isinstance(error.__context__, imaplib.IMAP4.abort):  # imapclient raises LoginError for a lost connection too
            raise error.__context__ from None
        words = str(error)
        if "UNAVAILABLE" in words or "temporar" in words.lower():
            raise ServerAwayError(words) from error
        raise (SignInRefusedError if isinstance(credential, Password) else TokenRefusedError)(words) from error


def _sign_in_for(client: IMAPClient, credential: MasterPassword) -> None:
    if not credential.by_proxyauth:
        client.plain_login(credential.username, credential.password, credential.person)
        return
    client.login(credential.username, credential.password)
    name = credential.person.replace("\\", "\\\\").replace('"', '\\"')
    if client._imap.xatom("PROXYAUTH", f'"{name}"')[0] != "OK":
        raise imaplib.IMAP4.error("PROXYAUTH is refused")
