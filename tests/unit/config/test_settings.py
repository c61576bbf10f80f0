"""Settings: where they come from, and what is refused."""

import math
import os
import stat
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from tests.support import servers
from webmail.config.settings import ConfigError, Settings, load
from webmail.config.values import RANGES
from webmail.database.connection import open_database
from webmail.database.migrate import migrate

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def instance(tmp_path, monkeypatch):
    for field in fields(Settings):
        monkeypatch.delenv(f"WEBMAIL_{field.name.upper()}", raising=False)
    return tmp_path / "instance"


def write(instance: Path, text: str) -> Path:
    instance.mkdir(exist_ok=True)
    (instance / "config.toml").write_text(text, encoding="utf-8")
    return instance


def test_without_a_file_the_defaults_hold(instance):
    settings = load(instance)
    assert (settings.page_size, settings.sign_in, settings.secure_cookies) == (50, "imap", True)
    assert settings.database_url == f"sqlite:///{instance}/traboule.sqlite"


def test_the_environment_wins_over_the_file_and_overrides_over_both(instance, monkeypatch):
    write(instance, 'name = "Lycée Ampère"\npage_size = 20\nimap_port = 1143')
    monkeypatch.setenv("WEBMAIL_PAGE_SIZE", "30")
    monkeypatch.setenv("WEBMAIL_SECURE_COOKIES", "false")
    settings = load(instance, imap_port=2143)
    assert (settings.name, settings.page_size, settings.imap_port, settings.secure_cookies) == ("Lycée Ampère", 30, 2143, False)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("colour = 1", "colour"),
        ("login_name = 'local'", "login_name may be local only with a domain"),
        ("page_size = 'many'", "page_size"),
        ("imap_port = '993'", "imap_port must be a whole number, without quotes"),
        ("page_size = 20.5", "page_size must be a whole number"),
        ("page_size = true", "page_size must be a whole number"),
        ("secure_cookies = 'true'", "secure_cookies must be true or false"),
        ("name = 5", "name must be text, in quotes"),
        ("instance = '/srv'", "WEBMAIL_INSTANCE"),
        ("imap_host = ''", "imap_host must not be empty"),
        ("smtp_host = ' '", "smtp_host must not be empty"),
        ("timezone = 'Europe/Lyon'", "timezone 'Europe/Lyon' is unknown"),
        ("database_url = 'mysql://user:secret@host/traboule'", "database_url must begin with"),
        ("database_url = '/var/lib/traboule.sqlite'", "database_url must begin with"),
        ("token_key_file = 'token.pem'", "token_key_file .*token.pem is missing"),
        ("token_key_file = 'config.toml'", "must be a private key for ES256"),
        ("token_key_file = '.'", "token_key_file .* is a directory"),
        ("ca_file = 'ca.pem'", "ca_file .*ca.pem can’t be used: no such file"),
        ("ca_file = 'config.toml'", "ca_file .* holds no certificate"),
        ("secure_cookies = 'perhaps'", "secure_cookies"),
        ("sign_in = 'ldap'", "sign_in"),
        ("imap_security = 'ssl'", "imap_security"),
        ("imap_host = 'mail.example'\nimap_security = 'none'", "imap_security"),
        ("language = 'de'", "language"),
        ("this is not toml", "config.toml, line 1: this is no setting .* name = value"),
        ("# servers\nimap_host = 127.0.0.1", 'config.toml, line 2: the value of imap_host can.t be read. .* imap_host = "..."'),
        ('name = "x"\n# y\nname = "y"\n', "config.toml, line 3: name is set twice: lines 1 and 3. Remove one"),
        ('[[links]]\nname = "x"\n\n[[links]]\nname = "y"\nname="z"', "line 6: name is set twice: lines 5 and 6. Remove one"),
        (
            "name = “Lycée Ampère”",
            r"line 1: the value of name stands in curly quotation marks. Write straight ones: name = \"...\"",
        ),
        ('name = "Lycée Ampère”', "line 1: the value of name stands in curly quotation marks. Write straight ones"),
        ("page_size = 20\nname = « Lycée »", "line 2: the value of name stands in curly quotation marks. Write straight ones"),
        ("domain = 'https://lycee.example/'", "domain must be a domain such as lycee.example, not 'https://lycee.example/'"),
        ("domain = 'alice@lycee.example'", "domain must be a domain such as lycee.example"),
        ("system_password = hunter2", "line 1: the value of system_password can.t be read"),
        (
            "public_url = 'http://webmail.lycee.example'",
            "public_url must be an address that begins with https:// .http:// is for",
        ),
        ("video_link = 'https://visio.example/'", "video_link must be an address with {room} once behind its host"),
        ("video_link = 'https://visio.example/{room}{room}'", "video_link must be an address with {room} once"),
        ("video_link = 'https://{room}.visio.example/{room}'", "video_link must be an address with {room} once"),
        ("video_link = 'http://visio.example/{room}'", "video_link must be an address that begins with https://"),
        ("public_url = 'webmail.lycee.example'", "public_url must be an address that begins with https://"),
        ("public_url = 'https://webmail.lycee.example/?a'", "public_url must end with the name of the host or a path"),
        ("system_address = 'noreply'", "system_address must be one address such as"),
        ("system_address = 'a@b.example, c@d.example'", "system_address must be one address such as"),
        ("system_address = 'a@b.example'", "system_address needs system_password .or token_key_file."),
        ('system_address = "a@b.example\\nBcc: c@d.example"', "system_address must be one address such as"),
        ("terms_file = 'terms.txt'", "terms_file and terms_version go together"),
        (f"terms_file = 'terms.txt'\nterms_version = '{'1' * 41}'", "terms_version is a word or date of at most 40 characters"),
        ("recovery_address = 'required'", "recovery_address is required only with system_address"),
        ("doveadm_url = 'http://127.0.0.1:8895'", "doveadm_url needs doveadm_key"),
        ("dovecot_sockets = '/run/dovecot/srv.imap'", "dovecot_sockets is a folder"),
        ("doveadm_url = 'http://192.0.2.1:8895'\ndoveadm_key = '0123456789abcdef'", "doveadm_url must be an address"),
        ("doveadm_key = 'short'", "doveadm_key must have at least 16"),
        ("doveadm_key = '0123456789abcdef\u00e9'", "doveadm_key must have at least 16"),
        ("mail_server = 'https://mail.lycee.example'", "mail_server must be a domain"),
    ],
)
def test_what_is_wrong_is_named(instance, text, word):
    with pytest.raises(ConfigError, match=word):
        load(write(instance, text))


def test_what_is_said_of_a_file_holds_no_value(instance):
    with pytest.raises(ConfigError) as raised:
        load(write(instance, "system_password = hunter2\n"))
    assert "hunter2" not in str(raised.value)


def test_a_file_in_another_encoding_is_told_as_such(instance):
    instance.mkdir(exist_ok=True)
    (instance / "config.toml").write_bytes("name = 'Lycée'".encode("latin-1"))
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load(instance)


@pytest.mark.parametrize(("name", "low", "high"), [(name, *ends) for name, ends in RANGES.items()], ids=list(RANGES))
def test_numbers_have_ends(instance, name, low, high):
    kept = load(write(instance, f"{name} = {high}"))
    assert getattr(kept, name) == high
    for senseless in (low - 1, high + 1):
        with pytest.raises(ConfigError, match=rf"{name} must be .* {high}, not {senseless:.10g}"):
            load(write(instance, f"{name} = {senseless}"))


@pytest.mark.parametrize("value", ["0", "nan", "inf", "-inf"])
def test_a_session_lasts_some_time_and_not_for_ever(instance, value):
    with pytest.raises(ConfigError, match="session_idle_hours must be more than 0"):
        load(write(instance, f"session_idle_hours = {value}.0" if value == "0" else f"session_idle_hours = {value}"))


def test_a_whole_number_is_a_number(instance):
    assert math.isclose(load(write(instance, "server_timeout = 3")).server_timeout, 3.0)


def test_an_unknown_name_in_the_environment_is_told(instance, monkeypatch):
    monkeypatch.setenv("WEBMAIL_INSTANCE", "anywhere")
    load(instance)
    monkeypatch.setenv("WEBMAIL_PAGESIZE", "30")
    with pytest.raises(ConfigError, match="WEBMAIL_PAGESIZE"):
        load(instance)


def test_a_certificate_authority_stands_in_the_instance_folder(instance, tmp_path):
    _, pem = servers.certificate(tmp_path)
    write(instance, "ca_file = 'ca.pem'")
    (instance / "ca.pem").write_bytes(Path(pem).read_bytes())
    assert load(instance).imap.ca_file == str(instance / "ca.pem")


def test_so_does_that_of_a_provider(instance):
    ent = {"name": "ent", "title": "ENT", "issuer": "https://ent.example", "client_id": "traboule", "ca_file": "ent.pem"}
    known = load(instance, sign_in="accounts", token_key_file="key.pem", public_url="https://mail.example", oidc=[ent])
    assert known.oidc[0].ca_file == str(instance / "ent.pem")


def test_an_instance_folder_that_is_none(tmp_path):
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ConfigError, match="the instance folder .* a file stands where a folder is needed"):
            load(place)


def test_an_empty_secret_is_refused(instance):
    load(instance)
    (instance / "secret_key").write_text("\n")
    with pytest.raises(ConfigError, match="secret_key is empty"):
        load(instance)


def test_the_start_is_refused_without_a_traceback(instance):
    write(instance, "page_size = 1")
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "accounts", "list"]
    environment = {**os.environ, "WEBMAIL_INSTANCE": str(instance)}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (1, "Traboule can't start: page_size must be from 5 to 500, not 1\n")


@pytest.fixture
def umask():
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.mark.parametrize(("mask", "database"), [(0o022, 0o600), (0o000, 0o660), (0o007, 0o660), (0o077, 0o600)])
def test_what_is_made_is_closed_to_others(instance, umask, mask, database):
    """The database is the group's too where the umask says so: one process of Dovecot is in it."""
    umask(mask)
    settings = load(instance)
    opened = open_database(settings.database_url)
    migrate()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in instance.iterdir()}
    opened.close()
    assert modes["traboule.sqlite"] == database
    assert (modes["jobs.sqlite"], modes["secret_key"], modes["uploads"]) == (0o600, 0o600, 0o700)
    assert {mode for name, mode in modes.items() if name.startswith("traboule.sqlite")} == {database}


def test_the_secret_is_made_once_and_readable_by_its_owner_only(instance):
    first, second = load(instance), load(instance)
    assert len(first.secret_key) >= 43
    assert first.secret_key == second.secret_key
    assert stat.S_IMODE((instance / "secret_key").stat().st_mode) == 0o600
    assert load(instance.with_name("other")).secret_key != first.secret_key


@pytest.mark.parametrize("name", ["secret_key", "system_password"])
def test_secrets_do_not_show_in_a_log(instance, name):
    settings = load(instance, **{name: "very secret"})
    assert getattr(settings, name) == "very secret"
    assert "very secret" not in repr(settings)


def test_an_account_needs_a_password_where_there_is_no_key(instance):
    settings = load(instance)
    with pytest.raises(ConfigError):
        settings.account("alice@lycee.example")
    assert settings.account("alice@lycee.example", password="x").credential.username == "alice@lycee.example"
