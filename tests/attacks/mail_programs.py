"""Mail programs: app passwords and accounts' own at a real Dovecot and, where it can run, a real Postfix; what ends, and when."""

from __future__ import annotations

import contextlib
import secrets
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from imapclient import IMAPClient

from deploy.demo import accounts, postfix
from deploy.demo.accounts import DOMAIN
from deploy.demo.child import HOST
from deploy.demo.services import Services
from tests.attacks.ground import PASSWORD, Ground
from tests.attacks.report import Finding
from tests.support.passing_folder import passing_folder
from webmail import managesieve
from webmail.account import Account, Password, Server
from webmail.auth.devices import app_passwords
from webmail.auth.passwords import hashing
from webmail.auth.sessions import endings, mail_sessions
from webmail.config import settings as config
from webmail.config.settings import Settings
from webmail.errors import SignInRefusedError
from webmail.models import User, now

_PATIENCE = 10.0  # seconds to look whether something ends
_AT_ONCE = 3.0


@dataclass
class MailServers:
    """`postfix`: whether a real one answers at SMTP."""

    services: Services
    postfix: bool
    settings: Settings

    def imap(self, user: User, password: str) -> IMAPClient | None:
        """A connection that is signed in, None if it is refused."""
        client = IMAPClient(HOST, self.services.ports.imap, ssl=False, timeout=_PATIENCE)
        try:
            client.login(user.address, password)
        except IMAPClient.AbortError:
            raise
        except IMAPClient.Error:
            client.shutdown()
            return None
        return client

    def smtp(self, user: User, password: str) -> bool:
        with self._connection() as client:
            try:
                return client.login(user.address, password)[0] == 235
            except smtplib.SMTPAuthenticationError:
                return False

    def _connection(self) -> smtplib.SMTP:
        if not self.postfix:
            return smtplib.SMTP(HOST, self.services.ports.smtp, timeout=_PATIENCE)
        trust = ssl.create_default_context(cafile=str(postfix.certificate(self.services.base)))
        return smtplib.SMTP_SSL(HOST, self.services.ports.smtp, timeout=_PATIENCE, context=trust)

    def sieve(self, user: User, password: str) -> bool:
        imap, smtp, sieve = (Server(HOST, port, "none") for port in (0, 0, self.services.ports.sieve))
        try:
            with managesieve.connect(Account(user.address, imap, smtp, Password(user.address, password), sieve)):
                return True
        except SignInRefusedError:
            return False

    def opened(self, user: User, password: str) -> str:
        """What a password opens, in words."""
        ways: dict[str, Callable[[User, str], object]] = {"IMAP": self.imap, "SMTP": self.smtp, "ManageSieve": self.sieve}
        return ", ".join(name for name, way in ways.items() if way(user, password)) or "nothing"


def attacks(ground: Ground) -> list[Finding]:
    with _servers(ground) as servers, accounts.tables(servers.services.database):
        return [
            _right(servers),
            _guessed(ground, servers),
            _elsewhere(servers),
            _over(servers),
            _own_password(servers),
            _revoked(servers),
            _changed(servers),
            _disabled(servers),
        ]


@contextlib.contextmanager
def _servers(ground: Ground) -> Iterator[MailServers]:
    """Dovecot and Postfix of their own, or those of the ground where Postfix can't run."""
    if postfix.missing():
        yield MailServers(ground.services, False, ground.settings)
        return
    with passing_folder() as folder, Services(folder / "demo", web=False, postfix=True) as services:
        values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
        yield MailServers(services, True, config.load(values.pop("instance"), **values))


def _person() -> User:
    local = f"programs-{secrets.token_hex(4)}"
    hashed = hashing.hash_password(PASSWORD)
    return User.create(address=f"{local}@{DOMAIN}", local=local, domain=DOMAIN, password=hashed)


def _right(servers: MailServers) -> Finding:
    user = _person()
    found = []
    for uses in (["imap"], ["smtp"], ["imap", "smtp"]):
        letters, _row = app_passwords.add(user, "Phone", uses)
        for typed in (letters, " ".join(app_passwords.groups(letters)).upper()):
            found.append((", ".join(use.upper() for use in uses), servers.opened(user, typed)))
    who = "Postfix" if servers.postfix else "the demo's SMTP server"
    words = f"each opens what it is for, at Dovecot and {who}, also with spaces and capitals"
    return Finding("App passwords, rightly used", len(found), words, all(wanted == opened for wanted, opened in found))


def _guessed(ground: Ground, servers: MailServers) -> Finding:
    user = _person()
    letters, _row = app_passwords.add(user, "Phone", ["imap", "smtp"])
    count, opened = ground.times(200), 0
    for _ in range(count // 2):
        wrong = "".join(secrets.choice(app_passwords.ALPHABET) for _ in letters)
        opened += int(servers.imap(user, wrong) is not None) + int(servers.smtp(user, wrong))
    near = (letters[:-1], letters + "a", letters[::-1], _row.sha, "' OR 1=1 --")
    opened += sum(servers.opened(user, one) != "nothing" for one in near)
    return Finding("App passwords guessed at IMAP and SMTP", count + len(near), f"{opened} opened anything", opened == 0)


def _elsewhere(servers: MailServers) -> Finding:
    user, other = _person(), _person()
    reading, _row = app_passwords.add(user, "Reader", ["imap"])
    sending, _row = app_passwords.add(user, "Printer", ["smtp"])
    calendars, _row = app_passwords.add(user, "Calendar", ["caldav", "carddav"])
    scripts, _row = app_passwords.add(user, "Script", ["api"])
    found = [
        servers.opened(user, reading) == "IMAP",
        servers.opened(user, sending) == "SMTP",
        servers.opened(user, calendars) == "nothing",
        servers.opened(user, scripts) == "nothing",
        servers.opened(other, reading) == "nothing",
    ]
    words = "one for reading sends nothing, one for sending reads nothing, one for calendars or scripts does neither; a colleague's opens nothing"
    return Finding("An app password used for something else", len(found) * 3, words, all(found))


def _over(servers: MailServers) -> Finding:
    user = _person()
    letters, _row = app_passwords.add(user, "Course", ["imap", "smtp"], now() + timedelta(seconds=4))
    before = servers.opened(user, letters)
    time.sleep(4.5)
    after = servers.opened(user, letters)
    return Finding(
        "An app password after its last day", 3, f"opens {after}; before: {before}", (before, after) == ("IMAP, SMTP", "nothing")
    )


def _own_password(servers: MailServers) -> Finding:
    found = []
    for values in ({"second_step": 1}, {"must_change": 1}, {"active": 0}):
        user = _person()
        before = servers.opened(user, PASSWORD)
        User.update(**values).where(User.id == user.id).execute()
        found.append(before == "IMAP, SMTP, ManageSieve" and servers.opened(user, PASSWORD) == "nothing")
    words = "opens nothing from the next sign-in on, by IMAP, SMTP and ManageSieve; all three before"
    return Finding("The account's own password: with a second step, temporary, disabled", len(found) * 3, words, all(found))


def _revoked(servers: MailServers) -> Finding:
    user = _person()
    letters, row = app_passwords.add(user, "Phone", ["imap", "smtp"])
    client = servers.imap(user, letters)
    began = time.monotonic()
    app_passwords.revoke(user, row.id)
    opened = servers.opened(user, letters)
    refused = time.monotonic() - began
    mail_sessions.end_app_password_soon(row.id, row.user.address, servers.settings)
    ended = _ends(client, began)
    words = f"opens {opened} {refused:.1f} s later, the time that three refusals take; what was open ended after {ended:.1f} s"
    return Finding("An app password once it is revoked", 4, words, opened == "nothing" and ended < refused + _AT_ONCE)


def _changed(servers: MailServers) -> Finding:
    user = _person()
    client = servers.imap(user, PASSWORD)
    began = time.monotonic()
    User.update(password=hashing.hash_password(PASSWORD + "!")).where(User.id == user.id).execute()
    endings.end_everything_else(user, servers.settings, keep="this one")
    ended = _ends(client, began)
    opened = servers.opened(user, PASSWORD)
    words = f"opens {opened}; what was open ended after {ended:.1f} s"
    return Finding("The former password, after a change", 4, words, opened == "nothing" and ended < _AT_ONCE)


def _disabled(servers: MailServers) -> Finding:
    user = _person()
    letters, _row = app_passwords.add(user, "Phone", ["imap", "smtp"])
    client = servers.imap(user, letters)
    began = time.monotonic()
    User.update(active=0).where(User.id == user.id).execute()
    endings.end_everything(user, servers.settings)
    ended = _ends(client, began)
    opened = servers.opened(user, letters)
    words = f"opens {opened}; what was open ended after {ended:.1f} s"
    return Finding("An app password of an account that was disabled", 4, words, opened == "nothing" and ended < _AT_ONCE)


def _ends(client: IMAPClient | None, began: float) -> float:
    """After how many seconds the connection is over; infinity if it goes on."""
    assert client is not None
    while time.monotonic() < began + _PATIENCE:
        try:
            client.noop()
        except (IMAPClient.AbortError, OSError):
            return time.monotonic() - began
        time.sleep(0.02)
    return float("inf")
