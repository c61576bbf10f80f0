"""What Dovecot's production configuration lets sign in: with and without tokens, with app passwords alone; Dovecot accepts each."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from deploy.dovecot import render


def values(etc: Path, **given: object) -> render.Values:
    return render.Values(
        **{  # type: ignore[arg-type]
            "production": True,
            "etc": etc,
            "mail": Path("/var/vmail"),
            "database": Path("/var/lib/traboule/traboule.sqlite"),
            "hostname": "mail.lycee.example",
            "domain": "lycee.example",
            "issuer": "https://webmail.lycee.example",
            "user": "nobody",
            "uid": 65534,
            "gid": 65534,
            "database_group": "nogroup",
            **given,
        }
    )


def accepted(made: render.Values) -> str:
    """The configuration as Dovecot reads it."""
    file = render.write(made)
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if not line.startswith("ssl_server_")))  # files that need not be here
    done = subprocess.run(["/usr/bin/doveconf", "-c", file, "-n"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_with_tokens_two_step_verification_closes_the_accounts_password(tmp_path):
    read = accepted(values(tmp_path))
    assert "must_change = 0 AND second_step = 0" in read
    assert "passdb app_passwords" in read
    assert "auth_policy" not in read  # nobody to tell
    assert "doveadm_api_key" not in read


def test_without_tokens_it_does_not_because_the_webmail_needs_it(tmp_path):
    assert "second_step" not in accepted(values(tmp_path, tokens=False))
    with pytest.raises(ValueError, match="--token-key"):
        render.configuration(values(tmp_path, tokens=False, app_passwords_only=True))


def test_app_passwords_alone(tmp_path):
    read = accepted(values(tmp_path, app_passwords_only=True))
    assert "passdb accounts" not in read
    assert "passdb app_passwords" in read
    assert "passdb oauth2" in read


@pytest.mark.parametrize("database", [Path("/var/lib/traboule/traboule.sqlite"), "postgresql://u:p@127.0.0.1/t"])
def test_it_talks_with_a_webmail_on_this_machine(tmp_path, database):
    read = accepted(values(tmp_path, web="http://127.0.0.1:8000", key="secret", database=database))
    for words in ("auth_policy {", "check_before_auth = no", "doveadm_allowed_commands = kick who", "srv.imap/", "port = 8895"):
        assert words in read
    assert "hashed_password" not in read
    assert (tmp_path / "dovecot.conf").stat().st_mode & 0o077 == 0  # the key is in it


@pytest.mark.parametrize(
    "url", ["https://webmail.lycee.example", "http://192.0.2.1:8000", "http://127.0.0.1:8000/\nlisten = *", "http://127.0.0.1"]
)
def test_a_webmail_elsewhere_is_not_told(tmp_path, url):
    with pytest.raises(ValueError, match="on this machine"):
        render.configuration(values(tmp_path, web=url, key="secret"))


def test_the_key_is_made_once(tmp_path):
    key = render.kept_key(tmp_path / "key")
    assert len(key) > 40
    assert render.kept_key(tmp_path / "key") == key
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0


def test_keys_of_tokens_are_found(tmp_path):
    assert not render.has_tokens(tmp_path / "oauth")
    render.make_keys(tmp_path / "token.pem", tmp_path / "oauth", "traboule", "wm1")
    assert render.has_tokens(tmp_path / "oauth")
