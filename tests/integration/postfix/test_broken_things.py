"""Twenty broken things on a real Dovecot and a real Postfix: each is broken for real, and the doctor finds it with the next step.

Nothing else turns red with it. One start of the servers for all; what files, databases and DNS alone can show:
tests/unit/doctor/test_broken_things.py.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale

from deploy.demo import dovecot
from deploy.demo import postfix as demo_postfix
from deploy.demo.child import Child, greets
from deploy.demo.services import Services
from tests.support import servers
from tests.support.waiting import eventually
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.doctor import checks, encryption
from webmail.doctor.mail_servers import arrived, forgery, postfix, round_trip
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult

pytestmark = pytest.mark.skipif(bool(demo_postfix.door_missing()), reason=demo_postfix.door_missing() or "it is there")
OUTSIDE = "127.0.0.2"  # an address that Postfix does not trust


@dataclass
class Patient:
    """The servers, and an application on them whose settings a test may break too."""

    services: Services
    settings: Settings
    address: str
    folder: Path

    @property
    def configuration(self) -> Path:
        return self.services.base / "etc" / "dovecot.conf"

    @property
    def postfix(self) -> Path:
        return self.services.base / "postfix" / "etc"

    def child(self, name: str) -> Child:
        return next(one for one in self.services.children if one.name == name)

    def postconf(self, *words: str) -> None:
        done = subprocess.run(
            ["/usr/sbin/postconf", "-c", str(self.postfix), *words], capture_output=True, text=True, env=demo_postfix.ENVIRONMENT
        )
        assert done.returncode == 0, done.stderr

    def reload(self, name: str) -> None:
        if name == "dovecot":
            os.kill(self.child(name).process.pid, signal.SIGHUP)
        else:
            subprocess.run([str(demo_postfix.PROGRAM), "-c", str(self.postfix), "reload"], check=True, capture_output=True)

    def stop(self, name: str) -> None:
        child = self.child(name)
        self.services.children.remove(child)
        child.stop()

    def start_dovecot(self) -> None:
        ports = self.services.ports
        mail = self.services._start("dovecot", dovecot.command(self.services.base, self.services.owner), ports.imap)
        mail.wait_for(greets(b"* OK"))
        for port, greeting in ((ports.lmtp, b"220"), (ports.sieve, b'"IMPLEMENTATION"')):
            replace(mail, port=port).wait_for(greets(greeting))

    def start_postfix(self) -> None:
        child = self.services._start("postfix", demo_postfix.command(self.services.base), self.services.ports.submission)
        child.wait_for(greets(b"220"))
        replace(child, port=self.services.ports.relay).wait_for(greets(b"220"))

    def looks(self, **changed: object) -> list[CheckResult]:
        return list(checks.examine(replace(self.settings, **changed), self.address, dns_found=[]))

    def sends(self) -> list[CheckResult]:
        return list(round_trip.examine(self.address, self.settings, self.services.ports.relay, OUTSIDE))

    def sends_directly(self, **changed: object) -> CheckResult:
        """By LMTP alone, which is the first way."""
        return next(round_trip.examine(self.address, replace(self.settings, **changed), self.services.ports.relay, OUTSIDE))


@pytest.fixture(scope="module")
def whole(app: Flask, services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    address = "doctor.patient@lycee.example"
    services.add_account(address, "Doctor Patient")
    settings = replace(
        app.extensions["settings"],
        lmtp_address=f"127.0.0.1:{services.ports.lmtp}",
        public_url="",
        mail_server="",
        server_timeout=5.0,
    )
    patch = pytest.MonkeyPatch()
    patch.setattr(postfix, "FOLDER", services.base / "postfix" / "etc")
    patch.setattr(encryption, "examine", lambda: ())  # programs that no server knows of
    patch.setattr(arrived, "PATIENCE", 1.5)
    with app.app_context(), force_locale("en"):
        yield Patient(services, settings, address, tmp_path_factory.mktemp("patient"))
    patch.undo()


@pytest.fixture(scope="module")
def usual(whole: Patient) -> set[tuple[str, str]]:
    """What is not well in these tests' servers anyway, such as that no phone reaches them."""
    return {(check.name, check.state) for check in whole.looks() if check.state != OK}


@contextlib.contextmanager
def changed_file(file: Path, old: str, new: str) -> Iterator[None]:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    try:
        yield
    finally:
        file.write_text(text)


@contextlib.contextmanager
def dovecot_says(one: Patient, old: str, new: str) -> Iterator[None]:
    """With another configuration, by a reload."""
    with changed_file(one.configuration, old, new):
        one.reload("dovecot")
        yield
    one.reload("dovecot")


@contextlib.contextmanager
def postfix_says(one: Patient, *options: str) -> Iterator[None]:
    """With other values in main.cf or master.cf."""
    kept = {file: file.read_bytes() for file in (one.postfix / "main.cf", one.postfix / "master.cf")}
    one.postconf(*options)
    one.reload("postfix")
    try:
        yield
    finally:
        for file, content in kept.items():
            file.write_bytes(content)
        one.reload("postfix")


# --- what is broken: each breaks it, and mends it at its end -----------------------------------------------------------


@contextlib.contextmanager
def dovecot_stopped(one: Patient) -> Iterator[None]:
    one.stop("dovecot")
    try:
        yield
    finally:
        one.start_dovecot()


@contextlib.contextmanager
def postfix_stopped(one: Patient) -> Iterator[None]:
    one.stop("postfix")
    try:
        yield
    finally:
        one.start_postfix()


@contextlib.contextmanager
def milter_stopped(one: Patient) -> Iterator[None]:
    one.stop("milter")
    try:
        yield
    finally:
        one.services.start_door()


def managesieve_off(one: Patient) -> AbstractContextManager[None]:
    return dovecot_says(one, "  sieve = yes\n}", "}")


def quota_off(one: Patient) -> AbstractContextManager[None]:
    return dovecot_says(one, "    imap_quota = yes\n", "")


def database_hidden_from_dovecot(one: Patient) -> AbstractContextManager[None]:
    return dovecot_says(one, f"sqlite_path = {one.services.database}", "sqlite_path = /nonexistent/traboule.sqlite")


def tokens_not_taken(one: Patient) -> AbstractContextManager[None]:
    return dovecot_says(one, "auth_mechanisms = plain login oauthbearer xoauth2", "auth_mechanisms = plain login")


@contextlib.contextmanager
def token_key_unknown(one: Patient) -> Iterator[None]:
    """Its public half is not where Dovecot looks for it."""
    folder = one.services.base / "etc" / "oauth"
    folder.rename(folder.with_name("oauth.away"))
    one.reload("dovecot")
    try:
        yield
    finally:
        folder.with_name("oauth.away").rename(folder)
        one.reload("dovecot")


@contextlib.contextmanager
def _certificate(one: Patient, pem: str) -> Iterator[None]:
    place = one.services.base / "postfix"
    names = {place / "certificate.pem": Path(pem), place / "key.pem": Path(pem).with_suffix(".key")}
    kept = {file: file.read_bytes() for file in names}
    try:
        for file, source in names.items():
            shutil.copyfile(source, file)
        one.reload("postfix")
        yield
    finally:
        for file, content in kept.items():
            file.write_bytes(content)
        one.reload("postfix")


def certificate_expired(one: Patient) -> AbstractContextManager[None]:
    return _certificate(one, servers.certificate(one.folder, days=-1, since=30)[1])


def certificate_soon_expired(one: Patient) -> AbstractContextManager[None]:
    return _certificate(one, servers.certificate(one.folder, days=3)[1])


def certificate_of_another_name(one: Patient) -> AbstractContextManager[None]:
    return _certificate(one, servers.certificate(one.folder, "mail.elsewhere.example")[1])


@contextlib.contextmanager
def senders_map_missing(one: Patient) -> Iterator[None]:
    file = one.postfix / "traboule-senders.cf"
    file.rename(one.folder / file.name)
    try:
        yield
    finally:
        (one.folder / file.name).rename(file)


@contextlib.contextmanager
def people_map_unreadable(one: Patient) -> Iterator[None]:
    file = one.postfix / "traboule-people.cf"
    mode, group = file.stat().st_mode, file.stat().st_gid
    os.chown(file, -1, 0)
    file.chmod(0o600)
    try:
        yield
    finally:
        os.chown(file, -1, group)
        file.chmod(mode & 0o777)


def senders_not_held(one: Patient) -> AbstractContextManager[None]:
    return postfix_says(one, "-P", f"{one.services.ports.smtp}/inet/smtpd_sender_restrictions=permit")


def submissions_missing(one: Patient) -> AbstractContextManager[None]:
    return postfix_says(one, "-MX", f"{one.services.ports.smtp}/inet")


def message_size_small(one: Patient) -> AbstractContextManager[None]:
    return postfix_says(one, "-e", "message_size_limit = 1000000")


def submission_without_sign_in(one: Patient) -> AbstractContextManager[None]:
    return postfix_says(one, "-P", f"{one.services.ports.smtp}/inet/smtpd_sasl_auth_enable=no")


@contextlib.contextmanager
def database_read_only(_one: Patient) -> Iterator[None]:
    db.obj.pragma("query_only", 1, permanent=True)  # of each connection: root writes where it may not
    db.close()
    try:
        yield
    finally:
        db.obj.pragma("query_only", 0, permanent=True)


def as_it_is(_one: Patient) -> AbstractContextManager[None]:
    """Where the settings alone are wrong."""
    return contextlib.nullcontext()


Broken = Callable[[Patient], AbstractContextManager[None]]
# what is broken; the settings with it; what the doctor says: check, state and words; what else goes with it
BROKEN: list[tuple[Broken, dict[str, object], str, str, str, set[str]]] = [
    (managesieve_off, {}, "ManageSieve", PROBLEM, "Check sieve_host and sieve_port", set()),
    (quota_off, {}, "IMAP QUOTA", WARNING, "people don’t see how much room is left", set()),
    (database_hidden_from_dovecot, {}, "Mail passwords", PROBLEM, "Its log names the table or file",
     {"IMAP sign-in", "SMTP sign-in", "ManageSieve sign-in", "IMAP", "SMTP", "ManageSieve"}),
    (tokens_not_taken, {}, "IMAP sign-in offered", PROBLEM, "Allow it in the server’s configuration",
     {"IMAP", "SMTP", "ManageSieve", "IMAP sign-in", "SMTP sign-in", "SMTP sign-in offered", "ManageSieve sign-in"}),
    (token_key_unknown, {}, "IMAP sign-in", PROBLEM, "does the server know the public key under token_key_id",
     {"SMTP sign-in", "ManageSieve sign-in"}),
    (certificate_expired, {"ca_file": "127.0.0.1.-1.pem"}, "SMTP", PROBLEM, "has expired", set()),
    (certificate_soon_expired, {"ca_file": "127.0.0.1.3.pem"}, "SMTP", WARNING, "renew it", set()),
    (certificate_of_another_name, {"ca_file": "mail.elsewhere.example.90.pem"}, "SMTP", PROBLEM, "smtp_host or ca_file", set()),
    (senders_map_missing, {}, "Postfix", PROBLEM, "Run `sh deploy/postfix.sh DOMAIN` again", {"SMTP", "SMTP sign-in"}),
    (people_map_unreadable, {}, "Postfix", PROBLEM, "`chgrp postfix", {"SMTP", "SMTP sign-in"}),
    (senders_not_held, {}, "Sender rights", PROBLEM, "anyone who can sign in may write in anybody’s name", set()),
    (submissions_missing, {}, "SMTP", PROBLEM, "Is the server running?", set()),
    (message_size_small, {}, "SMTP size", PROBLEM, "raise the server’s limit", set()),
    (submission_without_sign_in, {}, "SMTP sign-in offered", PROBLEM, "Allow it in the server’s configuration", set()),
    (database_read_only, {}, "Database", PROBLEM, "give the file and its folder to the user", {"Storage"}),
    (as_it_is, {"doveadm_key": "wrong" * 8}, "Mail programs", PROBLEM, "Check doveadm_url and doveadm_key", set()),
    (as_it_is, {"token_issuer": "https://elsewhere.example"}, "IMAP sign-in", PROBLEM, "do issuer, client and both",
     {"SMTP sign-in", "ManageSieve sign-in"}),
    (milter_stopped, {}, "Postfix", PROBLEM, "systemctl restart traboule-milter", {"SMTP sign-in"}),
    (postfix_stopped, {}, "SMTP", PROBLEM, "Is the server running?", {"Postfix"}),
    (dovecot_stopped, {}, "IMAP", PROBLEM, "Is the server running?", {"ManageSieve", "SMTP", "SMTP sign-in", "Mail programs"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("broken", "changed", "name", "state", "words", "also"),
    BROKEN,
    ids=[f"{number}-{case[0].__name__}" for number, case in enumerate(BROKEN, 1)],
)
def test_it_is_found_with_the_next_step_and_nothing_else_turns_red(
    whole: Patient,
    usual: set[tuple[str, str]],
    broken: Broken,
    changed: dict[str, object],
    name: str,
    state: str,
    words: str,
    also: set[str],
) -> None:
    if "ca_file" in changed:
        changed = {"ca_file": str(whole.folder / str(changed["ca_file"]))}
    looked: list[CheckResult] = []

    def is_found() -> bool:
        looked[:] = whole.looks(**changed)
        red = {one.name for one in looked if one.state == PROBLEM and (one.name, one.state) not in usual}
        named = any((one.name, one.state) == (name, state) and words in one.words for one in looked)
        return named and red <= {name, *also}

    with broken(whole):
        assert eventually(
            is_found,
            step=0.2,
            what=f"{name}: {words}, and nothing else but {also}",
            found=lambda: [f"{each.state} {each.name}: {each.words}" for each in looked if (each.name, each.state) not in usual],
        )
    assert eventually(
        lambda: {(one.name, one.state) for one in whole.looks() if one.state != OK} <= usual, step=0.2, what="all is well"
    )


# --- on the ways that mail takes ---------------------------------------------------------------------------------------


def test_messages_arrive_on_all_three_ways(whole: Patient) -> None:
    told = whole.sends()
    assert [(one.state, one.words.split(":")[0]) for one in told] == [
        (OK, "directly by LMTP"),
        (OK, "by submission"),
        (OK, f"by port {whole.services.ports.relay}"),
    ], told


def test_a_queue_that_is_stuck_is_found_since_lmtp_itself_works(whole: Patient) -> None:
    """Postfix delivers to a port where nobody listens."""
    with postfix_says(whole, "-e", f"virtual_transport = lmtp:inet:127.0.0.1:{servers.closed_port()}"):
        told = whole.sends()
    assert [one.state for one in told] == [OK, PROBLEM, PROBLEM], told
    assert "Look at the queue (postqueue -p)" in told[1].words


def test_an_lmtp_that_is_away_is_named_with_its_address(whole: Patient) -> None:
    with dovecot_says(whole, "  lmtp = yes\n", ""):
        told = eventually(lambda: (found := whole.sends_directly()).state == PROBLEM and found, step=0.2)
    assert "Is Dovecot running, with its service lmtp?" in told.words and whole.settings.lmtp_address in told.words
    socket = whole.sends_directly(lmtp_address=str(whole.folder / "no-socket"))
    assert socket.state == PROBLEM and "no such file or directory" in socket.words
    eventually(lambda: whole.sends_directly().state == OK, step=0.2)


def test_a_milter_that_is_away_holds_all_mail_up_but_what_goes_directly(whole: Patient) -> None:
    with milter_stopped(whole):
        told = whole.sends()
        [forged] = forgery.examine(whole.address, whole.settings, whole.services.ports.relay, OUTSIDE)
    assert [one.state for one in told] == [OK, PROBLEM, WARNING] and "later" in told[1].words, told  # 451 or 454
    assert forged.state == WARNING and "Is the service traboule-milter running?" in forged.words


def test_a_forgery_that_nobody_asks_about_passes_and_is_told(whole: Patient) -> None:
    """Postfix no longer asks the milter, so that the forger's own results of checks are believed."""
    with postfix_says(whole, "-e", "smtpd_milters ="):
        [forged] = forgery.examine(whole.address, whole.settings, whole.services.ports.relay, OUTSIDE)
    assert forged.state == PROBLEM and "anyone can send messages in your name" in forged.words, forged
