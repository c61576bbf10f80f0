"""Settings of the door while it runs: read anew where their files changed; the ones of before where they can't be read."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from deploy.milter.live import LiveRules
from deploy.milter.settings import SettingsError

CONFIG = 'authserv_id = "mail.lycee.example"\ndomain = "lycee.example"\nforwarding = "{}"\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "senders.cf").write_text("dbpath = accounts.db\nquery = SELECT '%s'\n")
    file = tmp_path / "config.toml"
    file.write_text(CONFIG.format("inside"))
    return file


@pytest.fixture
def live(config: Path) -> LiveRules:
    return LiveRules([f"--settings={config}", f"--senders={config.parent / 'senders.cf'}"])


def replaced(file: Path, text: str) -> None:
    """As editors do it: the new file takes the name of the old one."""
    new = file.with_suffix(".new")
    new.write_text(text)
    os.replace(new, file)


def test_a_changed_setting_is_seen_without_a_restart(live: LiveRules, config: Path) -> None:
    before = live.now()
    assert before.settings.forwarding.mode == "inside" and live.now() is before
    replaced(config, CONFIG.format("off") + 'domains = [{ name = "college.example" }]\n')
    assert live.now().settings.forwarding.mode == "off"
    assert live.now().settings.domains == {"lycee.example", "college.example"}
    assert before.settings.forwarding.mode == "inside"  # a session that has begun ends by the rules it began with


def test_so_are_the_key_and_the_map_of_senders(live: LiveRules, config: Path) -> None:
    (config.parent / "secret_key").write_text("k" * 32)
    assert live.now().settings.secret == "k" * 32
    replaced(config.parent / "senders.cf", "dbpath = other.db\nquery = SELECT '%s'\n")
    assert live.now().owners._values["dbpath"] == "other.db"


@pytest.mark.parametrize("text", ["forwarding = [", CONFIG.format("nowhere"), 'domain = "lycee.example"\n', None])
def test_settings_that_can_not_be_read_leave_those_of_before(
    live: LiveRules, config: Path, text: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    if text is None:
        config.unlink()
    else:
        replaced(config, text)
    with caplog.at_level(logging.ERROR, "milter"):
        assert live.now().settings.forwarding.mode == live.now().settings.forwarding.mode == "inside"
    assert len(caplog.records) == 1 and "of before" in caplog.text  # told once, not for each message
    replaced(config, CONFIG.format("anywhere"))
    assert live.now().settings.forwarding.mode == "anywhere"


def test_it_does_not_begin_without_settings(config: Path) -> None:
    config.write_text("")
    with pytest.raises(SettingsError):
        LiveRules([f"--settings={config}", f"--senders={config.parent / 'senders.cf'}"])
