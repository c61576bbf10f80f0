"""What the doctor says of servers on real sockets, of this machine’s files and of the database."""

from __future__ import annotations

import imaplib
import smtplib
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.support import servers
from webmail import managesieve, models
from webmail.config import settings as config
from webmail.config.directory import SightRule
from webmail.config.tables import Link
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.doctor import checks as doctor
from webmail.doctor import clock, machine
from webmail.doctor.mail_servers import protocols
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, plain

IMAP_GREETING = b"* OK ready\r\n"


@pytest.fixture
def settings(tmp_path):
    """All servers away, everything else well."""
    away = servers.closed_port()
    loaded = config.load(tmp_path / "instance", imap_port=away, smtp_port=away, server_timeout=0.5)
    database = open_database(loaded.database_url)
    migrate()
    yield loaded
    database.close()


def found(settings, name: str, **who) -> CheckResult:
    return next(check for check in doctor.examine(settings, **who) if check.name == name)


# --- servers ---------------------------------------------------------------------------------------------------------


def test_with_every_server_away_all_is_examined_in_time(settings):
    with servers.silent() as silent, servers.silent() as other:
        start = time.monotonic()
        away = replace(settings, imap_port=silent, smtp_port=other, sieve_host="127.0.0.1", sieve_port=silent)
        checks = list(doctor.examine(away, "alice@lycee.example", "secret"))
        assert time.monotonic() - start < 20
    assert [check.name for check in checks if check.state == PROBLEM] == ["IMAP", "SMTP", "ManageSieve"]
    assert all("did not answer within 0.5 s" in check.words for check in checks if check.state == PROBLEM)
    assert {"Database", "Clock", "Time zone", "Disk", "File permissions", "Cookies"} <= {check.name for check in checks}


@pytest.mark.parametrize("name", ["IMAP", "SMTP"])
def test_a_closed_port(settings, name):
    check = found(settings, name)
    assert check.state == PROBLEM
    assert f"nothing listens on 127.0.0.1 port {settings.imap_port}" in check.words


def test_an_unknown_host(settings):
    check = found(replace(settings, imap_host="mail.invalid"), "IMAP")
    assert (check.state, "mail.invalid can’t be found" in check.words) == (PROBLEM, True)


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("name", ["IMAP", "SMTP", "ManageSieve"])
def test_certificates(settings, tmp_path, name, security):
    """Trusted, self-signed, for another host, and nearly at its end."""
    good, pem = servers.certificate(tmp_path)
    with _server(name, security, good) as port:
        trusting = _settings(settings, name, port, security)
        assert found(replace(trusting, ca_file=pem), name).state == OK
        stranger = found(trusting, name)
        assert stranger.state == PROBLEM
        assert "is not trusted" in stranger.words
        assert "self-signed" in stranger.words
    other, pem = servers.certificate(tmp_path, "mail.elsewhere.example")
    with _server(name, security, other) as port:
        check = found(replace(_settings(settings, name, port, security), ca_file=pem), name)
        assert (check.state, "mismatch" in check.words) == (PROBLEM, True)
    old, pem = servers.certificate(tmp_path, days=3)
    with _server(name, security, old) as port:
        ending = replace(_settings(settings, name, port, security), ca_file=pem)
        words = [check.words for check in doctor.examine(ending) if check.name.startswith(name) and check.state == WARNING]
    assert any("days: renew it" in sentence for sentence in words)


def test_a_missing_certificate_authority_is_named(settings, tmp_path):
    file = str(tmp_path / "ca.pem")
    for name in ("IMAP", "SMTP", "ManageSieve"):
        check = found(replace(settings, ca_file=file, sieve_host="127.0.0.1"), name)
        assert (check.state, check.words) == (
            PROBLEM,
            f"was not checked: ca_file {file} can’t be used: no such file or directory.",
        )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (smtplib.SMTPConnectError(554, b"go away"), "554 go away"),
        (imaplib.IMAP4.error(b"* BYE too many"), "* BYE too many"),
        (imaplib.IMAP4.error("b'[AUTHENTICATIONFAILED] No.'"), "[AUTHENTICATIONFAILED] No."),
        (imaplib.IMAP4.abort("unexpected response: b'HTTP/1.1 400\\r\\n'"), "unexpected response: HTTP/1.1 400"),
        (OSError(113, "No route to host"), "no route to host"),
        (FileNotFoundError(2, "No such file or directory", "/k.pem"), "no such file or directory: /k.pem"),
        (imaplib.IMAP4.error(), "error"),
    ],
)
def test_errors_are_told_in_plain_words(error, words):
    assert plain(error) == words


def test_a_server_that_refuses_at_the_door_is_quoted_plainly(settings):
    for name, greeting in (("SMTP", b"554 not today\r\n"), ("IMAP", b"* BYE not today\r\n")):
        with servers.serving(greeting, servers.imap) as port:
            check = found(_settings(settings, name, port, "none"), name)
        assert check.state == PROBLEM
        assert "not today" in check.words
        assert "b'" not in check.words


def test_an_expired_certificate_points_to_the_clock_too(settings, tmp_path):
    expired, pem = servers.certificate(tmp_path, days=-1, since=30)
    with _server("IMAP", "tls", expired) as port:
        check = found(replace(_settings(settings, "IMAP", port, "tls"), ca_file=pem), "IMAP")
    assert "expired" in check.words
    assert "clock" in check.words


@pytest.mark.parametrize("name", ["IMAP", "SMTP", "ManageSieve"])
def test_tls_expected_where_plain_is_spoken(settings, name):
    with _server(name, "none", None) as port:
        check = found(_settings(settings, name, port, "tls"), name)
    assert check.state == PROBLEM
    assert "does not speak TLS from the first byte" in check.words and 'starttls"' in check.words
    assert "WRONG_VERSION" not in check.words


def test_a_password_is_tried_at_smtp_too(settings):
    def smtp(line: bytes) -> bytes | None:
        if line.startswith(b"AUTH"):
            return b"535 5.7.8 no\r\n" if b"AGFsaWNlQGx5Y2VlLmV4YW1wbGUAd3Jvbmc" in line else b"235 in\r\n"
        return servers.smtp(b"AUTH PLAIN")(line)

    with servers.serving(b"220 test\r\n", smtp) as port:
        plain = _settings(settings, "SMTP", port, "none")
        right = found(plain, "SMTP sign-in", address="alice@lycee.example", password="right")
        wrong = found(plain, "SMTP sign-in", address="alice@lycee.example", password="wrong")
    assert (right.state, right.words) == (OK, "as alice@lycee.example.")
    assert (wrong.state, "the server refused us (535 5.7.8 no)" in wrong.words) == (PROBLEM, True)


@pytest.mark.parametrize(
    ("date", "words"),
    [
        (timedelta(days=1), "86400 s ahead of this machine"),
        (timedelta(minutes=-5), "300 s behind this machine"),
        (timedelta(seconds=20), ""),
        (None, ""),
    ],
)
def test_the_date_in_a_greeting_of_smtp_is_compared(settings, date, words):
    at = datetime(2026, 11, 26, 12, tzinfo=UTC)
    banner = b"mail.example ESMTP" + (b" " + format_datetime(at + date).encode() if date is not None else b"")
    told = [check.words for check in clock.greeting("SMTP", settings.smtp, banner, at)]
    assert [words in said for said in told] == ([True] if words else [])


def test_the_greeting_of_a_real_connection_is_looked_at(settings):
    tomorrow = format_datetime(datetime.now(UTC) + timedelta(days=1)).encode()
    with servers.serving(b"220 test ESMTP " + tomorrow + b"\r\n", servers.smtp(b"AUTH PLAIN")) as port:
        assert found(_settings(settings, "SMTP", port, "none"), "SMTP clock").state == WARNING


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["default"], "as ann@lycee.example: 0 scripts besides the default one."),
        (["default", "x"], "as ann@lycee.example: 1 script besides the default one."),
        (["x", "y"], "as ann@lycee.example: 2 scripts."),
        ([], "as ann@lycee.example: 0 scripts."),
    ],
)
def test_the_script_that_everybody_has_is_nobody_s_own(names, words):
    assert protocols._has_scripts("ann@lycee.example", [managesieve.Script(name, False) for name in names]) == words


def test_a_search_that_the_server_refuses_is_told_with_the_way_to_mend_it(settings):
    def answer(line: bytes) -> bytes | None:
        tag, _, rest = line.partition(b" ")
        if rest.startswith((b"EXAMINE", b"SELECT")):
            return b"* 1 EXISTS\r\n" + tag + b" OK done\r\n"
        if b"SEARCH" in rest:
            return tag + b" NO [INUSE] Timeout while waiting for indexing to finish\r\n"
        return servers.imap(line)

    with servers.serving(IMAP_GREETING, answer) as port:
        check = found(_settings(settings, "IMAP", port, "none"), "IMAP search", address="alice@lycee.example", password="x")
    assert check.state == PROBLEM and "docs/administrator/mail-servers.md" in check.words and "INUSE" in check.words


def test_imap_after_sign_in_tells_what_is_missing(settings):
    with _server("IMAP", "none", None) as port:
        plain = _settings(settings, "IMAP", port, "none")
        checks = {c.name: c for c in doctor.examine(plain, "alice@lycee.example", "secret")}
        assert checks["IMAP sign-in"].state == OK
        assert checks["IMAP SORT"].state == checks["IMAP QUOTA"].state == WARNING
        assert "IMAP MOVE" not in checks
        assert "--as" in found(plain, "IMAP capabilities").words


@pytest.mark.parametrize("offered", [b"AUTH=PLAIN", b"AUTH=LOGIN"])
def test_a_connection_cut_while_signing_in_is_no_wrong_password(settings, offered):
    def answer(line: bytes) -> bytes | None:
        tag, _, command = line.partition(b" ")
        capable = b"* CAPABILITY IMAP4rev1 " + offered + b"\r\n" + tag + b" OK done\r\n"
        return capable if command.upper().startswith(b"CAPABILITY") else None

    with servers.serving(IMAP_GREETING, answer) as port:
        plain = _settings(settings, "IMAP", port, "none")
        checks = {c.name: c for c in doctor.examine(plain, "alice@lycee.example", "secret")}
    assert "IMAP sign-in" not in checks
    assert (checks["IMAP"].state, "hung up" in checks["IMAP"].words) == (PROBLEM, True)


def test_a_wrong_password_is_told_as_such(settings):
    def answer(line: bytes) -> bytes | None:
        tag, _, command = line.partition(b" ")
        if command.upper().startswith(b"CAPABILITY"):
            return b"* CAPABILITY IMAP4rev1 AUTH=LOGIN\r\n" + tag + b" OK done\r\n"
        return tag + b" NO [AUTHENTICATIONFAILED] No.\r\n"

    with servers.serving(IMAP_GREETING, answer) as port:
        check = found(_settings(settings, "IMAP", port, "none"), "IMAP sign-in", address="alice@lycee.example", password="x")
    assert (check.state, "[AUTHENTICATIONFAILED] No" in check.words, "b'" in check.words) == (PROBLEM, True, False)


def test_a_full_set_of_capabilities_is_one_line():
    checks = list(protocols.capabilities(set(protocols._CAPABILITIES) | {"IMAP4REV1"}))
    assert [check.state for check in checks] == [OK]


def test_a_token_key_that_is_not_there(settings):
    check = found(replace(settings, token_key_file="token.pem"), "Sign-in key", address="alice@lycee.example")
    assert (check.state, "token.pem" in check.words) == (PROBLEM, True)


def test_a_server_without_our_way_to_sign_in(settings):
    with _server("SMTP", "none", None, b"SIZE 1000") as port:
        check = found(_settings(settings, "SMTP", port, "none"), "SMTP sign-in offered")
    assert (check.state, "PLAIN is needed" in check.words) == (PROBLEM, True)


@pytest.mark.parametrize(
    ("told", "state"), [(b"SIZE 1000000", PROBLEM), (b"SIZE 26214400", OK), (b"SIZE", OK), (b"SIZE 0", OK), (b"SIZE x", OK)]
)
def test_the_largest_message(settings, told, state):
    with _server("SMTP", "none", None, b"AUTH PLAIN", told) as port:
        assert found(_settings(settings, "SMTP", port, "none"), "SMTP size").state == state


def _server(name: str, security: str, context, *extensions: bytes):
    how = {"tls": {"tls": context}, "starttls": {"upgrade": context}, "none": {}}[security]
    if name == "IMAP":
        return servers.serving(IMAP_GREETING, servers.imap, **how)
    if name == "SMTP":
        return servers.serving(b"220 test\r\n", servers.smtp(*(extensions or (b"STARTTLS", b"AUTH PLAIN"))), **how)
    return servers.serving(servers.SIEVE_GREETING, servers.sieve, **how)


def _settings(settings, name: str, port: int, security: str):
    kind = {"IMAP": "imap", "SMTP": "smtp", "ManageSieve": "sieve"}[name]
    return replace(settings, **{f"{kind}_host": "127.0.0.1", f"{kind}_port": port, f"{kind}_security": security})


def test_a_server_that_answers_but_cannot_check_a_sign_in_is_not_sought_elsewhere(settings):
    def answer(line: bytes) -> bytes | None:
        if line.startswith(b"AUTH"):
            return b"454 4.7.0 Temporary authentication failure: Connection lost to authentication server\r\n"
        return servers.smtp(b"AUTH PLAIN")(line)

    with servers.serving(b"220 test\r\n", answer) as port:
        there = _settings(settings, "SMTP", port, "none")
        check = found(there, "SMTP sign-in", address="alice@lycee.example", password="secret")
        assert found(there, "SMTP", address="alice@lycee.example", password="secret").state == OK
    assert check.state == PROBLEM
    assert "454 4.7.0 Temporary authentication failure" in check.words and "could not check" in check.words
    assert "smtp_port" not in check.words and "smtp_security" not in check.words


# --- this machine ----------------------------------------------------------------------------------------------------


def test_a_database_that_is_well(settings):
    assert found(settings, "Database").state == OK


def test_a_database_without_its_tables(settings, tmp_path):
    open_database(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    check = found(settings, "Database")
    assert (check.state, "flask --app wsgi migrate" in check.words) == (PROBLEM, True)


def test_a_group_that_must_use_two_step_verification_exists(settings):
    name = "Two-step verification"
    models.PeopleGroup.create(identifier="maths", name="Maths", sort="maths", domain="lycee.example")
    right, wrong = (replace(settings, second_step_for=f"admin, {group}") for group in ("maths", "math"))
    assert [check for check in doctor.examine(right) if check.name == name] == []
    check = found(wrong, name)
    assert (check.state, "“math”" in check.words) == (PROBLEM, True)


def test_groups_in_the_rules_of_the_directory_exist(settings):
    models.PeopleGroup.create(identifier="maths", name="Maths", sort="maths", domain="lycee.example")
    right, wrong = (replace(settings, directory_rules=(SightRule("nobody", "MATHS", also),)) for also in ("maths", "staf"))
    assert [check for check in doctor.examine(right) if check.name == "Directory"] == []
    check = found(wrong, "Directory")
    assert (check.state, "“staf”" in check.words) == (PROBLEM, True)


def test_codes_by_mail_that_are_all_that_somebody_has_can_be_sent(settings):
    name = "Two-step verification"
    user = models.User.create(address="a@lycee.example", local="a", domain="lycee.example", mailed_step=1, second_step=1)
    can, cannot = (replace(settings, system_address=sender) for sender in ("info@lycee.example", ""))
    assert [check for check in doctor.examine(can) if check.name == name] == []
    check = found(cannot, name)
    assert (check.state, "1 account signs in" in check.words) == (PROBLEM, True)
    models.Authenticator.create(user=user, secret=b"x")
    assert [check for check in doctor.examine(cannot) if check.name == name] == []


def test_a_database_that_cannot_be_written(settings):
    db.obj.close()
    file = settings.database_url.removeprefix("sqlite:///")
    db.initialize(type(db.obj)(f"file:{file}?mode=ro", uri=True))
    check = found(settings, "Database")
    assert (check.state, "readonly" in check.words) == (PROBLEM, True)


def test_a_database_that_does_not_open(settings):
    open_database("sqlite:////nowhere/at/all.sqlite")
    assert found(settings, "Database").state == PROBLEM


def test_the_examination_changes_nothing(settings):
    models.User.create(address="alice@lycee.example", local="alice", domain="lycee.example")
    before = list(models.User.select().tuples())
    list(doctor.examine(settings))
    assert list(models.User.select().tuples()) == before


def test_a_clock_behind_its_own_files(settings):
    assert next(machine.clock(settings)).state == OK
    check = next(machine.clock(settings, time.time() - 86400))
    assert (check.state, "later files" in check.words) == (PROBLEM, True)


def test_an_unknown_time_zone(settings):
    assert found(replace(settings, timezone="Europe/Lyon"), "Time zone").state == PROBLEM
    assert found(replace(settings, timezone="../etc/passwd"), "Time zone").state == PROBLEM


def test_a_full_disk(settings, monkeypatch):
    for free, state in ((1000, PROBLEM), (60 * 1024**2, WARNING), (10 * 1024**3, OK)):
        monkeypatch.setattr(machine.shutil, "disk_usage", lambda _place, free=free: type("Usage", (), {"free": free}))
        assert found(settings, "Disk").state == state


def test_files_open_to_others(settings):
    instance = Path(settings.instance)
    assert found(settings, "File permissions").state == OK, "as they were made"
    (instance / "secret_key").chmod(0o644)
    instance.chmod(0o700)
    assert found(settings, "File permissions").state == OK, "the folder is closed"
    instance.chmod(0o755)
    check = found(settings, "File permissions")
    assert (check.state, "chmod 600" in check.words) == (PROBLEM, True)
    (instance / "secret_key").chmod(0o640)
    assert "its group" in found(settings, "File permissions").words


@pytest.fixture
def public():
    """A folder that everybody can get to."""
    with tempfile.TemporaryDirectory(prefix="traboule-doctor-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
def test_a_database_open_to_others_wherever_it_is(settings, public, suffix):
    elsewhere = public / "db" / "people.sqlite"
    elsewhere.parent.mkdir()
    elsewhere.parent.chmod(0o755)
    settings = replace(settings, database_url=f"sqlite:///{elsewhere}")
    open_database(settings.database_url)
    migrate()
    with db.connection_context():
        assert found(settings, "File permissions").state == OK, "as it was made"
        file = elsewhere.with_name(elsewhere.name + suffix)
        file.chmod(0o664)
        check = found(settings, "File permissions")
        assert (check.state, check.words) == (PROBLEM, f"everybody on this machine may read {file}: chmod o-rwx {file}")
        elsewhere.parent.chmod(0o770)
        assert found(settings, "File permissions").state == OK, "the folder is closed"


def test_folders_open_to_others(settings, public):
    for name in ("files", "db"):
        (public / name).mkdir()
    settings = replace(settings, uploads_folder=str(public / "files"), database_url=f"sqlite:///{public}/db/x.sqlite")
    for name, mode, what in (("files", 0o755, "read"), ("db", 0o773, "write")):
        (public / name).chmod(mode)
        check = found(settings, "File permissions")
        assert (check.state, check.words[:48]) == (PROBLEM, f"everybody on this machine may {what} {public}/{name}"[:48])
        (public / name).chmod(0o770)
    assert found(settings, "File permissions").state == OK


def test_a_missing_token_key(settings):
    check = found(replace(settings, token_key_file="token.pem"), "File permissions")
    assert (check.state, "token.pem is missing" in check.words) == (PROBLEM, True)


def test_cookies_without_tls(settings):
    assert found(settings, "Cookies").state == OK
    assert found(replace(settings, secure_cookies=False), "Cookies").state == WARNING


def test_a_link_with_an_icon_that_does_not_exist_is_named(settings):
    links = (Link("ENT", "https://ent.example", icon="book"), Link("Notes", "https://notes.example", icon="grades"))
    (told,) = [one for one in doctor.establishment(replace(settings, links=links)) if one.name == "Links"]
    assert told.state == WARNING and told.words.startswith("Notes (entry 2) has no icon, as none is called “grades”; there are ")
    assert " book, " in told.words


@pytest.mark.parametrize(
    ("content", "state", "words"),
    [
        (b"Be kind.", OK, "terms.txt, version 2026."),
        (None, PROBLEM, "can’t be read (No such file or directory); meanwhile nobody is asked"),
        (b"", PROBLEM, "is empty"),
        (b"\xe9t\xe9", PROBLEM, "is not UTF-8"),
        (b"x" * 200_001, PROBLEM, "is too large: 200000 bytes at most"),
    ],
)
def test_terms_that_can_not_be_shown_are_a_problem(settings, tmp_path, content, state, words):
    if content is not None:
        (tmp_path / "terms.txt").write_bytes(content)
    changed = replace(settings, instance=str(tmp_path), terms_file="terms.txt", terms_version="2026")
    (told,) = [one for one in doctor.establishment(changed) if one.name == "Terms of use"]
    assert told.state == state and words in told.words


def test_whether_dovecot_ends_what_mail_programs_have_open(settings):
    assert not [check for check in doctor.examine(settings) if check.name == "Mail programs"]
    ours = replace(settings, sign_in="accounts")
    assert found(ours, "Mail programs").state == WARNING
    away = replace(ours, doveadm_url=f"http://127.0.0.1:{servers.closed_port()}", doveadm_key="0123456789abcdef")
    assert found(away, "Mail programs").state == PROBLEM
