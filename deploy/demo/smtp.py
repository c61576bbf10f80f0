"""Demo SMTP server: submission with sign-in, and a relay without, for mail from Dovecot and from the outside world.

Nothing leaves this machine: mail for local domains goes to Dovecot over LMTP, all other mail is stored as files.
Where Postfix is installed and the demo is started by root (postfix.py), the relay is only what Postfix sends the other mail to.
Dovecot itself checks credentials (sasl.py), so the sign-in rules are not duplicated.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import re
import secrets
import signal
import sqlite3
import sys
import warnings
from contextlib import closing, suppress
from dataclasses import dataclass
from email.policy import SMTP as CRLF
from email.utils import formatdate
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from deploy.demo.delivery import Answer, bounce, deliver, keep, may_receive
from deploy.demo.sasl import ask_dovecot, initial_response, user_of
from webmail.mime.headers import headers
from webmail.mime.headers.addresses import addresses

LARGEST = 30 * 1024 * 1024
MOST_HOPS = 30  # Received headers: more mean a mail loop
HOSTNAME = "mail.lycee.example"
AUTHSERV = "lycee.example"  # under this name it writes Authentication-Results
log = logging.getLogger("smtp")


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Ports of Dovecot on loopback, and paths."""

    auth: int
    lmtp: int
    database: str  # its address
    outside: Path

    def is_local(self, address: str) -> bool:
        return self._finds("SELECT 1 FROM accounts WHERE domain = ? LIMIT 1", address.rpartition("@")[2].lower())

    def account(self, address: str) -> str:
        """Where mail for an address goes: to the account whose alias it is, as in Postfix (deploy/postfix.sh)."""
        asked = (
            "SELECT accounts.address FROM mail_aliases JOIN accounts ON accounts.id = mail_aliases.user_id "
            "WHERE accounts.active = 1 AND mail_aliases.address = ?"
        )
        local, _, domain = address.lower().rpartition("@")
        name, _, detail = local.partition("+")
        if self._finds("SELECT 1 FROM accounts WHERE address = ?", f"{name}@{domain}"):
            return address
        found = self._row(asked, f"{name}@{domain}") or self._row(asked, f"@{domain}")
        return (f"+{detail}@" if detail else "@").join(found[0].split("@")) if found else address

    def may_write_as(self, person: str, address: str) -> bool:
        """Whether a person may use a sender address: their own or an allowed one, as in Postfix (deploy/postfix.sh)."""
        asked = (
            "SELECT 1 FROM allowed_addresses JOIN accounts ON accounts.id = allowed_addresses.user_id "
            "WHERE accounts.address = ? AND allowed_addresses.address = ?"
        )
        return address.lower() == person or self._finds(asked, person, address.lower())

    def _finds(self, query: str, *values: str) -> bool:
        return self._row(query, *values) is not None

    def _row(self, query: str, *values: str) -> tuple[Any, ...] | None:
        if self.database.startswith("postgresql:"):
            import psycopg

            with psycopg.connect(self.database) as connection:
                found: Any = connection.execute(query.replace("?", "%s"), values).fetchone()  # type: ignore[call-overload]
                return found
        file = self.database.removeprefix("sqlite:///")
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5)) as database:
            return database.execute(query, values).fetchone()


class Relay:
    """Accepts mail without sign-in. aiosmtpd calls the methods by name."""

    def __init__(self, neighbours: Neighbours) -> None:
        self.neighbours = neighbours

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        """Check a local recipient with Dovecot, whose reply is passed on: 550 for an unknown user, 552 for a full mailbox."""
        if await asyncio.to_thread(self.neighbours.is_local, address):
            address = await asyncio.to_thread(self.neighbours.account, address)
            answer = await asyncio.to_thread(may_receive, self.neighbours.lmtp, envelope.mail_from or "", address)
            if not answer.good:
                return answer.line
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = _content(envelope)
        head = content.partition(b"\r\n\r\n")[0].lower()
        if (b"\r\n" + head).count(b"\r\nreceived:") > MOST_HOPS:
            return "554 5.4.6 Too many hops"
        identity = secrets.token_hex(8)
        content = self._results(session, envelope, content) + self._received(session, identity) + _without_claims(content)
        answers = {address: await self._hand_on(envelope, address, content) for address in envelope.rcpt_tos}
        for address, answer in answers.items():
            log.info("%s: <%s> -> <%s>: %s", identity, envelope.mail_from, address, answer.line)
        refused = {address: answer for address, answer in answers.items() if not answer.good}
        if len(refused) == len(answers):
            return next(iter(refused.values())).line
        if refused and envelope.mail_from and self.neighbours.is_local(envelope.mail_from):
            report = bounce(HOSTNAME, envelope.mail_from, refused, content).as_bytes(policy=CRLF)
            await asyncio.to_thread(deliver, self.neighbours.lmtp, "", envelope.mail_from, report, [])
        return f"250 2.0.0 Ok: queued as {identity}"

    async def _hand_on(self, envelope: Envelope, address: str, content: bytes) -> Answer:
        options = [option for option in envelope.mail_options if option.upper() in ("SMTPUTF8", "BODY=8BITMIME")]
        if await asyncio.to_thread(self.neighbours.is_local, address):
            return await asyncio.to_thread(deliver, self.neighbours.lmtp, envelope.mail_from or "", address, content, options)
        return await asyncio.to_thread(keep, self.neighbours.outside, envelope.mail_from or "", address, content)

    def _results(self, session: Session, envelope: Envelope, content: bytes) -> bytes:
        """Our Authentication-Results, to be above Received; none here, where nothing is checked."""
        return b""

    def _received(self, session: Session, identity: str) -> bytes:
        """The Received header (RFC 5321 section 4.4; "with" as in RFC 3848)."""
        kind = "ESMTPA" if session.authenticated else "ESMTP"
        helo = "".join(c for c in session.host_name or "unknown" if c.isalnum() or c in ".-:[]")
        origin = f"Received: from {helo} ([127.0.0.1])"
        return f"{origin}\r\n\tby {HOSTNAME} with {kind} id {identity};\r\n\t{formatdate(localtime=True)}\r\n".encode()


def _content(envelope: Envelope) -> bytes:
    return envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()


def _without_claims(content: bytes) -> bytes:
    """The message without Authentication-Results: this server checks nothing, so all are forged (RFC 8601 section 5)."""
    head, empty, body = content.partition(b"\r\n\r\n")
    return re.sub(rb"(?im)^authentication-results[ \t]*:.*\r?\n?(?:[ \t].*\r?\n?)*", b"", head + b"\r\n") + empty[2:] + body


class Submission(Relay):
    """Accepts mail from signed-in people, from their own address or an allowed one."""

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        """553 for somebody else's address. The null sender is allowed: read receipts need it (RFC 8098 section 3)."""
        # aiosmtpd passes the null sender as "<>"
        if address not in ("", "<>") and not await asyncio.to_thread(
            self.neighbours.may_write_as, session.auth_data or "", address
        ):
            return f"553 5.7.1 <{address}>: Sender address rejected: not owned by user {session.auth_data}"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """550 unless whoever signed in owns the From that people will read, or resends it under an address of theirs."""
        person = session.auth_data or ""
        found = headers.fields(_content(envelope))
        fields = found.get("resent-from") or found.get("from", [])
        authors = addresses(fields)
        if (
            len(fields) != 1
            or len(authors) != 1
            or not await asyncio.to_thread(self.neighbours.may_write_as, person, authors[0].email)
        ):
            return f"550 5.7.1 From: not an address of user {person}"
        return await super().handle_DATA(server, session, envelope)

    def _results(self, session: Session, envelope: Envelope, content: bytes) -> bytes:
        """The proof of a submission (RFC 8601 section 2.7.4), as the milter of production writes it."""
        author = next((one.email for one in addresses(headers.fields(content).get("from", []))), "")
        sender = "" if envelope.mail_from in ("", "<>", None) else f" smtp.mailfrom={envelope.mail_from}"
        words = f"auth=pass (login) smtp.auth={session.auth_data}{sender}"
        if re.fullmatch(r"[\w.+-]+@[\w.-]+", author):  # that of a resent message may be anything
            words += f" header.from={author}"
        return f"Authentication-Results: {AUTHSERV}; {words}\r\n".encode()

    async def auth_PLAIN(self, server: SMTP, args: list[str]) -> AuthResult:
        return await self._with_one_answer(server, args)

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:
        return await self._with_one_answer(server, args)

    async def auth_OAUTHBEARER(self, server: SMTP, args: list[str]) -> AuthResult:
        return await self._with_one_answer(server, args)

    async def auth_LOGIN(self, server: SMTP, args: list[str]) -> AuthResult:
        words = []
        for question in ("Username:", "Password:"):
            word = await server.challenge_auth(question)
            if not isinstance(word, bytes):
                return AuthResult(success=False)
            words.append(word)
        return await self._check(server, "PLAIN", b"\0" + words[0] + b"\0" + words[1])

    async def _with_one_answer(self, server: SMTP, args: list[str]) -> AuthResult:
        """A mechanism with a single response, sent with the command or after an empty challenge."""
        if len(args) > 1:
            try:
                credential: Any = initial_response(args[1])
            except ValueError:
                return AuthResult(success=False, handled=False, message="501 5.5.2 Can't decode base64")
        else:
            credential = await server.challenge_auth("")
        if not isinstance(credential, bytes):
            return AuthResult(success=False)
        return await self._check(server, args[0].upper(), credential)

    async def _check(self, server: SMTP, mechanism: str, credential: bytes) -> AuthResult:
        try:
            verdict = await ask_dovecot(self.neighbours.auth, mechanism, credential)
        except OSError as error:
            log.warning("Dovecot does not answer about a sign-in: %s", error)
            return AuthResult(success=False, handled=False, message="454 4.7.0 Temporary authentication failure")
        if verdict.good:
            return AuthResult(success=True, auth_data=user_of(mechanism, credential))
        if verdict.explanation:  # RFC 7628 section 3.2.3: the client responds to this before it gets 535
            await server.challenge_auth(verdict.explanation)
        return AuthResult(success=False, handled=False, message="535 5.7.8 Authentication credentials invalid")


async def serve(neighbours: Neighbours, submission: int, relay: int) -> None:
    """Run both servers until SIGTERM or SIGINT; only the relay if `submission` is 0."""
    common: dict[str, Any] = {"data_size_limit": LARGEST, "enable_SMTPUTF8": True, "hostname": HOSTNAME, "ident": "Traboule demo"}
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    servers = [await loop.create_server(lambda: SMTP(Relay(neighbours), **common), "127.0.0.1", relay)]
    if submission:
        servers.append(
            await loop.create_server(
                lambda: SMTP(Submission(neighbours), auth_required=True, auth_require_tls=False, **common),
                "127.0.0.1",
                submission,
            )
        )
    await stop.wait()
    for server in servers:
        server.close()


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo.smtp")
    parser.add_argument("base", type=Path)
    parser.add_argument("--database", required=True)
    for name in ("smtp", "relay", "auth", "lmtp"):
        parser.add_argument(f"--{name}", type=int, required=name != "smtp", default=0)
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # it warns about sign-in without TLS, which is fine on loopback
    warnings.filterwarnings("ignore", module="aiosmtpd")
    outside = given.base / "outside"
    outside.mkdir(exist_ok=True)
    neighbours = Neighbours(given.auth, given.lmtp, given.database, outside)
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(neighbours, given.smtp, given.relay))


if __name__ == "__main__":
    main(sys.argv[1:])
