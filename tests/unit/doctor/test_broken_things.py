"""Broken things: an installation in which one thing is broken by hand, and the line in which the doctor names it with the next step.

On files, sockets and databases of the test's own. What is broken on real servers besides: tests/integration/test_doctor.py,
tests/integration/postfix/; the records of DNS one by one: test_dns.py.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import dns.resolver
import pytest

from tests.support import servers
from tests.support.dns_zone import Zone
from webmail import translations
from webmail.config import settings as config
from webmail.config.settings import Settings
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.doctor import backup, checks, encryption, machine, public
from webmail.doctor import dns as doctor_dns
from webmail.doctor.mail_servers import postfix, protocols
from webmail.doctor.result import PROBLEM, WARNING, CheckResult
from webmail.models import DailyFigure, PeriodicJob, SystemMessage, Worker, now
from webmail.tasks import heartbeat


@dataclass
class Patient:
    """An installation that is broken by hand."""

    settings: Settings
    folder: Path
    monkeypatch: pytest.MonkeyPatch

    @property
    def instance(self) -> Path:
        return Path(self.settings.instance)

    def with_servers(self, **changed: object) -> Iterator[CheckResult]:
        return checks.examine(replace(self.settings, **changed), dns_found=[])


@pytest.fixture
def patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Patient]:
    tmp_path.parent.chmod(0o755)
    away = servers.closed_port()
    loaded = config.load(tmp_path / "instance", domain="school.fr", imap_port=away, smtp_port=away, server_timeout=0.5)
    database = open_database(loaded.database_url)
    migrate()
    yield Patient(loaded, tmp_path, monkeypatch)
    database.close()


Broken = Callable[[Patient], Iterable[CheckResult]]


def imap_stopped(one: Patient) -> Iterable[CheckResult]:
    return one.with_servers()


def managesieve_stopped(one: Patient) -> Iterable[CheckResult]:
    return one.with_servers(sieve_host="127.0.0.1", sieve_port=servers.closed_port())


def name_of_the_server_is_wrong(one: Patient) -> Iterable[CheckResult]:
    return one.with_servers(imap_host="mail.invalid")


def server_takes_connections_and_is_silent(one: Patient) -> Iterable[CheckResult]:
    with servers.silent() as port:
        return list(one.with_servers(imap_port=port))


def certificate_of_the_mail_server_is_unknown(one: Patient) -> Iterable[CheckResult]:
    context, _pem = servers.certificate(one.folder, days=90)
    with servers.serving(b"* OK ready\r\n", lambda line: b"", context) as port:
        return list(one.with_servers(imap_port=port))


def certificate_of_the_mail_server_has_expired(one: Patient) -> Iterable[CheckResult]:
    context, pem = servers.certificate(one.folder, days=-1, since=9)
    with servers.serving(b"* OK ready\r\n", lambda line: b"", context) as port:
        return list(one.with_servers(imap_port=port, ca_file=pem))


def nginx_stopped(one: Patient) -> Iterable[CheckResult]:
    return public.examine(replace(one.settings, public_url=f"https://127.0.0.1:{servers.closed_port()}"))


def pages_stopped_behind_nginx(one: Patient) -> Iterable[CheckResult]:
    answer = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
    with servers.serving(b"", lambda line: b"" if line else answer.encode()) as port:
        return list(public.examine(replace(one.settings, public_url=f"http://127.0.0.1:{port}")))


def milter_stopped(one: Patient) -> Iterable[CheckResult]:
    one.monkeypatch.setattr(postfix, "FOLDER", one.folder)
    for name in ("traboule-people.cf", "traboule-senders.cf"):
        (one.folder / name).touch()
    (one.folder / "main.cf").write_text(f"traboule_milter = {{ inet:127.0.0.1:{servers.closed_port()}, protocol=6 }}\n")
    return postfix.examine(one.settings)


def map_of_postfix_is_missing(one: Patient) -> Iterable[CheckResult]:
    one.monkeypatch.setattr(postfix, "FOLDER", one.folder)
    (one.folder / "traboule-people.cf").touch()
    return postfix.examine(one.settings)


def worker_dead(one: Patient) -> Iterable[CheckResult]:
    heartbeat.beat("a" * 32, now())
    Worker.update(seen=now() - timedelta(hours=3)).execute()
    return machine.background(one.settings)


def worker_never_started(one: Patient) -> Iterable[CheckResult]:
    return machine.background(one.settings)


def mail_of_the_establishment_is_late(one: Patient) -> Iterable[CheckResult]:
    SystemMessage.create(
        recipient="a@school.fr", kind="x", subject="x", body="x", language="fr", dedup="x", due=now() - timedelta(hours=1)
    )
    return machine.background(one.settings)


def migration_missing(one: Patient) -> Iterable[CheckResult]:
    newest = sorted(path.stem for path in machine.MIGRATIONS.glob("[0-9]*.py"))[-1]
    (table,) = [name for name in db.get_tables() if "migration" in name]
    db.execute_sql(f'DELETE FROM "{table}" WHERE name = ?', (newest,))
    return machine.database(one.settings)


def database_is_damaged(one: Patient) -> Iterable[CheckResult]:
    db.close()
    file = one.instance / "traboule.sqlite"
    for each in one.instance.glob("traboule.sqlite-*"):
        each.unlink()
    file.write_bytes(b"no database" * 1000)
    found = list(machine.database(one.settings))
    file.unlink()
    sqlite3.connect(file).close()
    return found


def backup_never_made(one: Patient) -> Iterable[CheckResult]:
    return backup.examine(one.settings)


def backup_old(one: Patient) -> Iterable[CheckResult]:
    heartbeat.note(backup.NOTE)
    PeriodicJob.update(begun=now() - timedelta(days=9)).execute()
    return backup.examine(one.settings)


def secret_readable_by_all(one: Patient) -> Iterable[CheckResult]:
    one.instance.chmod(0o755)
    for folder in one.instance.absolute().parents:
        if str(folder).startswith("/tmp/") and os.access(folder, os.W_OK):
            folder.chmod(0o755)
    (one.instance / "secret_key").chmod(0o644)
    return machine.permissions(one.settings)


def secret_missing(one: Patient) -> Iterable[CheckResult]:
    (one.instance / "secret_key").unlink()
    return machine.permissions(one.settings)


def token_key_missing(one: Patient) -> Iterable[CheckResult]:
    return machine.permissions(replace(one.settings, token_key_file="token.pem"))


def uploads_are_no_folder(one: Patient) -> Iterable[CheckResult]:
    shutil.rmtree(one.settings.uploads_folder)
    Path(one.settings.uploads_folder).touch()
    return machine.disk(one.settings)


def storage_can_not_be_written(one: Patient) -> Iterable[CheckResult]:
    shutil.rmtree(one.settings.uploads_folder)
    Path(one.settings.uploads_folder).touch()
    return machine.background(one.settings)


_Usage = namedtuple("_Usage", "total used free")


def disk_full(one: Patient) -> Iterable[CheckResult]:
    one.monkeypatch.setattr(shutil, "disk_usage", lambda place: _Usage(10**10, 10**10 - 1000, 1000))
    return machine.disk(one.settings)


def disk_fills(one: Patient) -> Iterable[CheckResult]:
    for day in range(10):
        free = 100 * 10**9 - day * 5 * 10**9
        DailyFigure.create(day=(date(2026, 3, 1) + timedelta(days=day)).isoformat(), name="disk_free", value=free)
    one.monkeypatch.setattr(shutil, "disk_usage", lambda place: _Usage(10**12, 10**12 - 55 * 10**9, 55 * 10**9))
    return machine.disk(one.settings)


def clock_wrong(one: Patient) -> Iterable[CheckResult]:
    return machine.clock(one.settings, time.time() - 400 * 86400)


def quota_plugin_missing(_one: Patient) -> Iterable[CheckResult]:
    return protocols.capabilities(set(protocols._CAPABILITIES) - {"QUOTA"})


def sqop_missing(one: Patient) -> Iterable[CheckResult]:
    one.monkeypatch.setenv("PATH", "/nowhere")
    return encryption.examine()


def catalogue_not_built(one: Patient) -> Iterable[CheckResult]:
    one.monkeypatch.setattr(translations, "to_build", lambda: [one.folder / "messages.mo"])
    return machine.catalogues(one.settings)


def dns_leads_nowhere(one: Patient) -> Iterable[CheckResult]:
    with Zone() as zone:
        one.monkeypatch.setattr(dns.resolver, "default_resolver", zone.resolver())
        zone["school.fr", "MX"] = ["10 gone.school.fr."]
        return list(doctor_dns.examine(replace(one.settings, mail_server="mail.school.fr", server_timeout=3.0)))


# what is broken; the line of the doctor, its state, and words of the next step
BROKEN: list[tuple[Broken, str, str, str]] = [
    (imap_stopped, "IMAP", PROBLEM, "Is the server running?"),
    (imap_stopped, "SMTP", PROBLEM, "Is the server running?"),
    (managesieve_stopped, "ManageSieve", PROBLEM, "Check sieve_host and sieve_port"),
    (name_of_the_server_is_wrong, "IMAP", PROBLEM, "Check imap_host and this machine’s DNS"),
    (server_takes_connections_and_is_silent, "IMAP", PROBLEM, "look at its log"),
    (certificate_of_the_mail_server_is_unknown, "IMAP", PROBLEM, "is not trusted"),
    (certificate_of_the_mail_server_has_expired, "IMAP", PROBLEM, "has expired. Renew it"),
    (nginx_stopped, "Public address", PROBLEM, "systemctl status nginx"),
    (pages_stopped_behind_nginx, "Public address", PROBLEM, "systemctl status traboule-web"),
    (milter_stopped, "Postfix", PROBLEM, "systemctl restart traboule-milter"),
    (map_of_postfix_is_missing, "Postfix", PROBLEM, "sh deploy/postfix.sh"),
    (worker_dead, "Worker", PROBLEM, "Start `flask --app wsgi jobs`"),
    (worker_never_started, "Worker", WARNING, "Start `flask --app wsgi jobs`"),
    (mail_of_the_establishment_is_late, "System mail", PROBLEM, "Check the worker and its log"),
    (migration_missing, "Database", PROBLEM, "run `flask --app wsgi migrate`"),
    (database_is_damaged, "Database", PROBLEM, "restore a backup"),
    (backup_never_made, "Backup", WARNING, "Make one each night"),
    (backup_old, "Backup", WARNING, "make one now"),
    (secret_readable_by_all, "File permissions", PROBLEM, "chmod 600"),
    (secret_missing, "File permissions", PROBLEM, "put back the copy"),
    (token_key_missing, "File permissions", PROBLEM, "deploy.dovecot.render --token-key"),
    (uploads_are_no_folder, "Uploads folder", PROBLEM, "create a folder in its place"),
    (storage_can_not_be_written, "Storage", PROBLEM, "Check its folder, its owner and the disk"),
    (disk_full, "Disk", PROBLEM, "free up space"),
    (disk_fills, "Disk", WARNING, "make the disk larger"),
    (clock_wrong, "Clock", PROBLEM, "run a time service"),
    (quota_plugin_missing, "IMAP QUOTA", WARNING, "people don’t see how much room is left"),
    (sqop_missing, "Encryption", WARNING, "apt install sqop"),
    (catalogue_not_built, "Translations", WARNING, "webmail.translations"),
    (dns_leads_nowhere, "DNS, MX school.fr", PROBLEM, "correct the MX"),
]


@pytest.mark.parametrize(("broken", "name", "state", "words"), BROKEN, ids=lambda each: getattr(each, "__name__", None))
def test_it_is_found_with_the_next_step(patient: Patient, broken: Broken, name: str, state: str, words: str) -> None:
    found = [check for check in broken(patient) if check.name == name and check.state == state]
    assert [check for check in found if words in check.words], [str(check.words) for check in found]
