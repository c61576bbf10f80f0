"""What the doctor says of an installation in which one thing was broken by hand: what it is, and what to do next."""

from __future__ import annotations

import gc
import runpy
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.postgresql import fresh_database, server_url
from tests.unit.cli.test_main import typing
from webmail.config import settings as config
from webmail.config.settings import Settings
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.doctor import backup, machine, public
from webmail.doctor import checks as doctor
from webmail.doctor.mail_servers import lookup, milter, roles
from webmail.doctor.mail_servers import postfix as doctor_postfix
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult
from webmail.models import PeriodicJob, now

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    loaded = config.load(tmp_path / "instance", domain="school.fr", server_timeout=2.0, sign_in="accounts")
    database = open_database(loaded.database_url)
    migrate()
    yield loaded
    database.close()


# --- the pages as people reach them ----------------------------------------------------------------------------------


def page(status: str, text: str) -> servers.Answer:
    return lambda line: b"" if line else f"HTTP/1.1 {status}\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()


def publicly(settings: Settings, port: int, **changed: object) -> list[CheckResult]:
    return list(public.examine(replace(settings, public_url=f"https://127.0.0.1:{port}", **{"proxies": 1, **changed})))


@pytest.fixture
def known(tmp_path, monkeypatch):
    """Makes certificates of an authority that browsers know."""

    def make(days: int):
        context, pem = servers.certificate(tmp_path, days=days)
        monkeypatch.setenv("SSL_CERT_FILE", pem)
        return context

    return make


def test_pages_that_answer(settings, known):
    with servers.serving(b"", page("200 OK", "ok\n"), known(90)) as port:
        assert [check.state for check in publicly(settings, port)] == [OK, OK]


def test_nginx_is_stopped(settings):
    [check] = publicly(settings, servers.closed_port())
    assert check.state == PROBLEM and "is nginx running" in check.words


@pytest.mark.parametrize(
    ("status", "text", "words"),
    [
        ("503 Service Unavailable", "<p>", "is traboule-web running"),
        ("404 Not Found", "?", "something else answers than Traboule"),
    ],
)
def test_behind_nginx_something_is_wrong(settings, known, status, text, words):
    with servers.serving(b"", page(status, text), known(90)) as port:
        [check, _certificate] = publicly(settings, port)
    assert check.state == PROBLEM and words in check.words


def test_the_certificate_of_nginx_ends_soon_or_is_nobody_s(settings, known, monkeypatch):
    context = known(5)
    with servers.serving(b"", page("200 OK", "ok\n"), context) as port:
        [_answers, check] = publicly(settings, port)
        assert (check.name, check.state) == ("Web certificate", WARNING) and "expires in" in check.words
        monkeypatch.delenv("SSL_CERT_FILE")
        [check] = publicly(settings, port)
        assert check.state == PROBLEM and "browsers do not trust the certificate" in check.words


def test_nobody_said_that_nginx_is_in_front(settings, known):
    with servers.serving(b"", page("200 OK", "ok\n"), known(90)) as port:
        check = publicly(settings, port, proxies=0)[-1]
    assert check.state == PROBLEM and "Set proxies = 1, and restart traboule-web" in check.words


@pytest.mark.parametrize(
    ("status", "service", "state", "words"),
    [
        ("200 OK", "bodies", OK, "have a service of their own"),
        ("200 OK", "pages", WARNING, "copy deploy/nginx.conf again"),
        ("200 OK", "everything", WARNING, "share one service with the pages"),
        ("503 Service Unavailable", "", PROBLEM, "Is traboule-bodies running"),
    ],
)
def test_who_answers_for_bodies(settings, monkeypatch, status, service, state, words):
    here = replace(settings, public_url="https://webmail.lycee.example", proxies=1)
    healthz = public._Answer(200, "ok\n", "pages", {})
    dav = public._Answer(int(status[:3]), "", service, {})
    monkeypatch.setattr(public, "_fetch", lambda _settings, _method="GET", path="/healthz": dav if path == "/dav/" else healthz)
    check = list(public.examine(here))[-1]
    assert (check.name, check.state) == ("Uploads, downloads and devices", state) and words in check.words


def test_a_name_that_is_not_in_dns(settings, monkeypatch):
    def nothing(*_address: object, **_options: object) -> None:
        raise public.socket.gaierror

    monkeypatch.setattr(public.socket, "create_connection", nothing)
    [check] = public.examine(replace(settings, public_url="https://webmail.school.fr"))
    assert check.state == PROBLEM and "add an A record" in check.words
    [check] = public.examine(replace(settings, public_url="https://webmail.lycee.example"))
    assert check.state == OK


# --- Postfix and the milter ------------------------------------------------------------------------------------------


@pytest.fixture
def postfix(monkeypatch) -> Iterator[Path]:
    """The folder that deploy/postfix.sh filled, on a machine where Postfix's user is `nobody`."""
    with tempfile.TemporaryDirectory(prefix="traboule-postfix-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        monkeypatch.setattr(doctor_postfix, "FOLDER", folder)
        monkeypatch.setattr(doctor_postfix, "USER", "nobody")
        for name in ("people", "senders"):
            (folder / f"traboule-{name}.cf").write_text("dbpath = x\n")
            (folder / f"traboule-{name}.cf").chmod(0o644)
        (folder / "main.cf").write_text("mydestination = localhost\n")
        yield folder


def of_postfix(settings: Settings, **changed: object) -> list[CheckResult]:
    return list(doctor_postfix.examine(replace(settings, database_url="postgresql://x", **changed)))


def test_a_postfix_that_is_well_and_none(settings, postfix):
    assert [check.state for check in of_postfix(settings)] == [OK]
    for file in postfix.iterdir():
        file.unlink()
    assert of_postfix(settings) == []


def test_the_map_of_senders_that_postfix_cannot_read(settings, postfix):
    file = postfix / "traboule-senders.cf"
    file.chmod(0o600)
    [check] = of_postfix(settings)
    assert check.state == PROBLEM
    assert check.words.startswith(f"can’t read {file}: ports 465 and 587 do not answer") and f"chmod 640 {file}" in check.words
    file.unlink()
    [check] = of_postfix(settings)
    assert "is missing" in check.words and "deploy/postfix.sh" in check.words


def test_a_database_that_postfix_cannot_read(settings, postfix, tmp_path):
    [check] = doctor_postfix.examine(settings)
    assert check.state == PROBLEM and "usermod -a -G" in check.words and "systemctl restart postfix" in check.words


def test_a_dead_milter_is_named_wherever_it_shows(settings, postfix, tmp_path):
    port = servers.closed_port()
    (postfix / "main.cf").write_text(f"traboule_milter = {{ inet:127.0.0.1:{port}, protocol=6, default_action=tempfail }}\n")
    [check] = of_postfix(settings)
    assert check.state == PROBLEM and "systemctl restart traboule-milter" in check.words

    def busy(line: bytes) -> bytes | None:
        return (
            b"451 4.7.1 Service unavailable - try again later\r\n"
            if line.startswith(b"AUTH")
            else servers.smtp(b"AUTH PLAIN")(line)
        )

    context, pem = servers.certificate(tmp_path)
    with servers.serving(b"220 ready\r\n", busy, context) as smtp:
        away = replace(settings, imap_port=servers.closed_port(), smtp_port=smtp, ca_file=pem)
        said = {check.name: check for check in doctor.examine(away, "alice@school.fr", "secret")}
    assert "traboule-milter" in said["SMTP sign-in"].words and "Dovecot" not in said["SMTP sign-in"].words


def test_a_server_that_takes_connections_and_says_nothing_is_no_firewall(settings):
    with servers.silent() as port:
        away = replace(settings, imap_port=servers.closed_port(), smtp_port=port, server_timeout=0.3)
        check = next(check for check in doctor.examine(away) if check.name == "SMTP")
    assert "takes connections: look at its log" in check.words and "firewall" not in check.words


def test_what_is_no_milter_does_not_answer():
    with servers.serving(b"220 what?\r\n", lambda _line: None) as port:
        assert not milter.answers(("127.0.0.1", port), 1.0)


# --- who may read the tables -----------------------------------------------------------------------------------------


def test_a_dovecot_that_can_look_nobody_up(settings):
    def failing(line: bytes) -> bytes | None:
        tag = line.split(b" ")[0]
        return tag + b" NO [UNAVAILABLE] Temporary authentication failure.\r\n" if b"LOGIN" in line else servers.imap(line)

    with servers.serving(b"* OK ready\r\n", failing) as port:
        plain = replace(settings, imap_security="none", imap_host="127.0.0.1", imap_port=port)
        [check] = lookup.examine(plain, None)
    assert check.state == PROBLEM and "can’t look anybody up" in check.words and "SELECT on four tables" in check.words


def test_a_dovecot_that_knows_nobody_of_that_name_is_well(settings):
    def refusing(line: bytes) -> bytes | None:
        tag = line.split(b" ")[0]
        return tag + b" NO [AUTHENTICATIONFAILED] No.\r\n" if b"LOGIN" in line else servers.imap(line)

    with servers.serving(b"* OK ready\r\n", refusing) as port:
        [check] = lookup.examine(replace(settings, imap_security="none", imap_host="127.0.0.1", imap_port=port), None)
    assert check.state == OK


@pytest.mark.parametrize(
    ("role", "without", "words"),
    [
        ("dovecot", "app_passwords", "If Dovecot uses it, nobody can sign in to mail"),
        ("mailserver", "app_passwords", "If Dovecot uses it"),
        ("postfix", "allowed_addresses", "If Postfix uses it, nobody can send"),
    ],
)
def test_a_role_that_lacks_a_table(role, without, words):
    wanted = roles.POSTFIX if without == "allowed_addresses" else roles.DOVECOT
    told = roles.fault(role, set(wanted) - {without})
    assert words in told and told.endswith(f"`GRANT SELECT ON {without} TO {role}`.")
    assert roles.fault(role, set(wanted)) == ""


@pytest.mark.postgresql
def test_roles_are_looked_at_in_postgresql(settings):
    if not server_url():
        pytest.skip("no PostgreSQL server: TRABOULE_TEST_POSTGRESQL is not set")
    with fresh_database() as url:
        opened = open_database(url)
        try:
            migrate()
            with db.connection_context():
                db.execute_sql("CREATE ROLE dovecot_of_test")
                db.execute_sql("GRANT SELECT ON accounts, people_groups, group_members TO dovecot_of_test")
            [check] = roles.examine(settings)
            assert check.state == PROBLEM and check.words.startswith("dovecot_of_test may not read app_passwords")
            with db.connection_context():
                db.execute_sql(check.words.split("`")[1])
            [check] = roles.examine(settings)
            assert check.state == OK
        finally:
            with db.connection_context():
                db.execute_sql("DROP OWNED BY dovecot_of_test")
                db.execute_sql("DROP ROLE dovecot_of_test")
            opened.close()


# --- what must be kept, and from whom --------------------------------------------------------------------------------


def test_there_is_no_backup_and_then_an_old_one(settings, tmp_path):
    [check] = backup.examine(settings)
    assert check.state == WARNING and "none of the database was ever made" in check.words
    run = typing(settings)
    assert run(f"backup {tmp_path}/copy.sqlite")[0] == 0
    [check] = backup.examine(settings)
    assert check.state == OK
    PeriodicJob.update(begun=now() - timedelta(days=9)).execute()
    [check] = backup.examine(settings)
    assert check.state == WARNING and "is 9 days old" in check.words
    assert run("backup --made-elsewhere")[0] == 0
    [check] = backup.examine(settings)
    assert check.state == OK
    assert run("backup")[0] == 2


def test_settings_that_others_can_read(settings):
    """Postfix's user is in the group of Traboule's folder."""
    file = Path(settings.instance, "config.toml")
    file.touch(0o600)
    Path(settings.instance).chmod(0o750)
    assert [check.state for check in machine.permissions(settings)] == [OK]
    for mode in (0o644, 0o640):
        file.chmod(mode)
        [check] = machine.permissions(settings)
        assert check.state == PROBLEM and check.words.endswith(f"{file}: chmod 600 {file}")


def test_a_secret_key_that_is_gone_is_missed_and_not_made_anew(settings, monkeypatch):
    key = Path(settings.instance, "secret_key")
    key.unlink()
    monkeypatch.setenv("WEBMAIL_INSTANCE", settings.instance)
    monkeypatch.setenv("FLASK_RUN_FROM_CLI", "true")
    monkeypatch.setattr(sys, "argv", ["flask", "--app", "wsgi", "doctor"])
    monkeypatch.setattr(gc, "freeze", lambda: None)
    runpy.run_path(str(ROOT / "wsgi.py"))
    [check] = machine.permissions(settings)
    assert check.state == PROBLEM and check.words.startswith(f"{key} is missing: put back the copy that you keep")
    monkeypatch.setattr(sys, "argv", ["flask", "--app", "wsgi", "jobs"])
    runpy.run_path(str(ROOT / "wsgi.py"))
    assert key.exists()
    key.unlink()
    monkeypatch.setenv("WEBMAIL_SECRET_KEY", "written elsewhere")
    assert [check.state for check in machine.permissions(settings)] == [OK]


def test_a_database_that_nobody_uses_is_told(settings, tmp_path):
    """As it is left by `migrate` before database_url was set."""
    elsewhere = replace(settings, database_url=f"sqlite:///{tmp_path}/db/traboule.sqlite")
    [check] = machine.database_file(elsewhere)
    assert check.state == WARNING and f"{settings.instance}/traboule.sqlite is not used" in check.words
    assert list(machine.database_file(settings)) == []
