"""The manual's "Install", read and not typed (`make install-test` types it): its commands are shell, and name what there is."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from deploy.dovecot import render
from tests.install import manual
from webmail.config import settings

ROOT = Path(__file__).resolve().parents[2]
both = pytest.mark.parametrize("database", ["sqlite", "postgresql"])


def commands(database: str) -> str:
    return "\n".join(text for _name, text in manual.steps(database))


@both
def test_there_are_nine_steps_and_all_are_shell(database):
    assert len(manual.steps(database)) == 9
    checked = subprocess.run(["bash", "-n"], input=commands(database), capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


@both
def test_they_name_files_that_are_there(database):
    named = set(re.findall(r"(?<![\w/.-])(?:deploy/[\w./-]+|requirements[\w-]*\.txt)", commands(database)))
    assert {"deploy/flask", "deploy/postfix.sh", "deploy/nginx.conf", "deploy/traboule-milter.service"} <= named
    assert {name for name in named if not (ROOT / name).exists()} == set()


@both
def test_their_settings_are_settings(database, tmp_path):
    """As the shell writes them, with the names of the first step."""
    text = commands(database)
    names = text[text.index("domain=") : text.index("apt update")]
    document = re.search(r"config\.toml <<EOF\n.*?^EOF$", text, re.MULTILINE | re.DOTALL)
    assert document
    script = f"{names}\ncat {document[0].removeprefix('config.toml ')}".replace("/etc/dovecot/traboule.key", f"{tmp_path}/key")
    (tmp_path / "key").write_text("a-secret-of-both-of-them")
    written = subprocess.run(["bash", "-eu"], input=script, capture_output=True, text=True, check=True).stdout
    values = tomllib.loads(written)
    assert values["group_prefix"] == "$" and values["database_url"].startswith(
        f"{database}:///" if database == "sqlite" else database
    )
    (tmp_path / "config.toml").write_text(written)
    render.make_keys(tmp_path / "token.pem", tmp_path / "oauth", "traboule", "wm1")
    assert settings.load(tmp_path).proxies == 1


def test_dovecot_is_rendered_with_options_that_it_has(capsys):
    with pytest.raises(SystemExit):
        render.main(["--help"])
    known = set(re.findall(r"--[\w-]+", capsys.readouterr().out))
    block = re.search(r"-m deploy\.dovecot\.render(.*?)\n\S", commands("sqlite"), re.DOTALL)
    assert block and {"--tls-certificate", "--tls-key"} <= set(re.findall(r"--[\w-]+", block[1])) <= known


def test_the_database_is_shared_and_mail_is_not():
    text = commands("sqlite")
    assert "-m 2770 /var/lib/traboule/db" in text and "chmod 700 /var/vmail" in text


def test_a_renewal_reaches_every_program():
    assert "systemctl reload nginx dovecot postfix" in commands("sqlite")
    site = (ROOT / "deploy" / "nginx.conf").read_text()
    assert "location /.well-known/acme-challenge/ {" in site.partition("listen 443")[0]
