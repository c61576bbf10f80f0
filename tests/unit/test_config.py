"""Settings: where they come from, what is refused, and that the manual lists them all."""

import re
import stat
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from webmail.config import ConfigError, Settings, load

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "administrator.md"


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
        ("page_size = 'many'", "page_size"),
        ("secure_cookies = 'perhaps'", "secure_cookies"),
        ("sign_in = 'ldap'", "sign_in"),
        ("imap_security = 'ssl'", "imap_security"),
        ("imap_host = 'mail.example'\nimap_security = 'none'", "imap_security"),
        ("language = 'de'", "language"),
        ("this is not toml", "config.toml"),
    ],
)
def test_what_is_wrong_is_named(instance, text, word):
    with pytest.raises(ConfigError, match=word):
        load(write(instance, text))


def test_the_secret_is_made_once_and_readable_by_its_owner_only(instance):
    first, second = load(instance), load(instance)
    assert len(first.secret_key) >= 43
    assert first.secret_key == second.secret_key
    assert stat.S_IMODE((instance / "secret_key").stat().st_mode) == 0o600
    assert load(instance.with_name("other")).secret_key != first.secret_key


def test_secrets_do_not_show_in_a_log(instance):
    assert load(instance, secret_key="very secret").secret_key not in repr(load(instance, secret_key="very secret"))


def test_an_account_needs_a_password_where_there_is_no_key(instance):
    settings = load(instance)
    with pytest.raises(ConfigError):
        settings.account("alice@lycee.example")
    assert settings.account("alice@lycee.example", password="x").credential.username == "alice@lycee.example"


def rows() -> dict[str, str]:
    """The manual's table: setting -> default as it is written in config.toml."""
    return dict(re.findall(r"^\| `(\w+)` \| `([^`]*)` \|", MANUAL.read_text(encoding="utf-8"), re.MULTILINE))


def toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value:g}"


@pytest.mark.parametrize("field", fields(Settings), ids=lambda field: field.name)
def test_the_manual_lists_it_with_its_default(field):
    assert field.default is not MISSING
    assert rows().get(field.name) == toml(field.default)


def test_the_manual_lists_nothing_else():
    assert set(rows()) == {field.name for field in fields(Settings)}
