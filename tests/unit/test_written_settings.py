"""What administrators read of settings is true: the manual's tables, and instance/config.example.toml, which can be used as it is."""

from __future__ import annotations

import subprocess
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from deploy.dovecot import render
from tests.support import written_settings
from tests.support.written_settings import EXAMPLE, NONE, ROOT
from webmail.config.settings import ConfigError, Settings, load
from webmail.config.tables import TABLES
from webmail.config.values import RANGES

NOT_IN_THE_FILE = {"instance", "presentation"}
WAYS_IN = ("oidc", "ldap", "cas", "proxy_sign_in")  # need what nobody has by default: see _check_ways_in


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for field in fields(Settings):
        monkeypatch.delenv(f"WEBMAIL_{field.name.upper()}", raising=False)
    return tmp_path


def loaded(folder: Path, text: str) -> Settings:
    (folder / "config.toml").write_text(text, encoding="utf-8")
    return load(folder)


# --- the manual ------------------------------------------------------------------------------------------------------


def test_the_manual_lists_every_setting_with_its_default_and_nothing_else():
    listed = written_settings.in_the_manual()
    assert len({one.name for one in listed}) == len(listed)
    assert {one.name: one.default for one in listed} == written_settings.defaults()


def test_the_manual_tells_the_ends_of_numbers():
    told = {one.name: one.about for one in written_settings.in_the_manual()}
    ends = {name: [f"{end:g}" if end < 1e5 else str(end) for end in pair] for name, pair in RANGES.items()}
    missing = [
        n
        for n, (low, high) in ends.items()
        if f"{low} to {high}" not in told[n] and f"more than 0, at most {high}" not in told[n]
    ]
    assert missing == []


def test_the_manual_shows_the_heading_of_each_table_and_how_many_there_may_be():
    text = written_settings.manual()
    assert set(TABLES) <= {field.name for field in fields(Settings)}
    assert [name for name, table in TABLES.items() if table.heading.format(name) not in text or str(table.most) not in text] == []


# --- the example -----------------------------------------------------------------------------------------------------


def test_the_example_has_every_setting_with_its_default_and_nothing_else():
    listed = written_settings.in_the_example()
    assert len({one.name for one in listed}) == len(listed)
    meant = {name: default for name, default in written_settings.defaults().items() if name not in {*TABLES, *NOT_IN_THE_FILE}}
    assert {one.name: one.default for one in listed} == meant


def test_the_example_says_in_a_line_what_each_is_for():
    assert [one.name for one in written_settings.in_the_example() if not 5 <= len(one.about) <= 125] == []


def test_the_example_has_the_groups_of_the_manual_in_their_order():
    left_out = {*TABLES, *NOT_IN_THE_FILE}
    manual = [(one.group, one.name) for one in written_settings.in_the_manual() if one.name not in left_out]
    example = [(one.group, one.name) for one in written_settings.in_the_example()]
    assert [pair for pair in example if "." not in pair[1]] == [pair for pair in manual if "." not in pair[1]]
    assert {name for group, name in example if group == "Tables"} == {name for name in written_settings.defaults() if "." in name}
    assert list(dict.fromkeys(name.split(".")[0] for group, name in example if group == "Tables")) == list(
        dict.fromkeys(name.split(".")[0] for _group, name in manual if "." in name)
    )


def test_the_example_as_it_is_changes_nothing(here):
    assert tomllib.loads(EXAMPLE.read_text(encoding="utf-8")) == {}
    nothing, all_of_it = loaded(here, ""), loaded(here, EXAMPLE.read_text(encoding="utf-8"))
    assert nothing == all_of_it


def test_uncommented_it_is_read_and_says_what_held_before(here):
    plain = dict(written_settings.uncommented())
    top = plain.pop("")
    before = loaded(here, "")
    assert loaded(here, top) == before
    tables = "\n".join(text for name, text in plain.items() if name not in WAYS_IN)
    assert sorted(plain) == sorted(TABLES)
    (here / "s3_secret").write_text("secret\n")
    (here / "s3_secret").chmod(0o600)
    text = f"{top}\n{tables}".replace('\nsecret_file = ""', '\nsecret_file = "s3_secret"')
    settings = loaded(here, text.replace('\napplication = ""', '\napplication = "traboule"'))  # FileSender: both, or neither
    assert all(getattr(settings, name) for name in plain if name not in WAYS_IN)
    assert (settings.transfers, settings.devices, settings.support) == (before.transfers, before.devices, before.support)


def test_ways_to_sign_in_are_read_where_what_they_need_is_set(here):
    pytest.importorskip("ldap")
    render.make_keys(here / "token.pem", here / "oauth", "traboule", "wm1")
    text = dict(written_settings.uncommented())
    needed = {
        "sign_in": ("imap", "accounts"),
        "token_key_file": ("", "token.pem"),
        "public_url": ("", "https://webmail.lycee.example"),
    }
    top = text[""]
    for name, (default, value) in needed.items():
        assert f'\n{name} = "{default}"\n' in top
        top = top.replace(f'\n{name} = "{default}"\n', f'\n{name} = "{value}"\n')
    settings = loaded(here, "\n".join([top, *(text[name] for name in WAYS_IN)]))
    assert all(getattr(settings, name) for name in WAYS_IN)


def test_an_example_that_says_what_is_not_so_is_found(tmp_path, monkeypatch):
    text = EXAMPLE.read_text(encoding="utf-8")
    (tmp_path / "wrong.toml").write_text(
        text.replace("#page_size = 50", "#page_size = 49\n# Nothing\n#nothing = 1"), encoding="utf-8"
    )
    monkeypatch.setattr(written_settings, "EXAMPLE", tmp_path / "wrong.toml")
    found = {one.name: one.default for one in written_settings.in_the_example()}
    assert found["page_size"] == "49" and "nothing" in found and found["links.url"] == NONE
    with pytest.raises(ConfigError, match="unknown setting nothing"):
        loaded(tmp_path, dict(written_settings.uncommented())[""])


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a clone")
def test_git_knows_these_two_files_of_the_folder_and_no_other():
    def ignored(*names: str) -> set[str]:
        asked = subprocess.run(
            ["git", "check-ignore", "--no-index", *(f"instance/{name}" for name in names)],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return {line.removeprefix("instance/") for line in asked.stdout.splitlines()}

    secrets = {"config.toml", "secret_key", "token.pem", "traboule.sqlite", "demo/services.json", "config.example.toml.orig"}
    assert ignored(*secrets, "README.md", "config.example.toml") == secrets
