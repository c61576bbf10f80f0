"""Values of page settings on both databases: the newest row holds, by establishment, and takes over in the process that looks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgresql import fresh_database, server_url
from webmail.config import settings as config
from webmail.config.checks import ConfigError
from webmail.config.settings import Settings
from webmail.config.values import RANGES
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.establishments import establishments, setting_values
from webmail.establishments.live_settings import LiveSettings
from webmail.establishments.page_settings import ALL, ValueKind
from webmail.establishments.setting_values import SettingChangedMeanwhileError


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'x.sqlite'}"
        return
    if not server_url():
        pytest.skip("no PostgreSQL server: TRABOULE_TEST_POSTGRESQL is not set")
    with fresh_database() as made:
        yield made


@pytest.fixture
def settings(tmp_path: Path, url: str) -> Iterator[Settings]:
    found = config.load(tmp_path / "instance", database_url=url)
    open_database(url)
    migrate()
    with db.connection_context():
        yield found
    db.obj.close()


def test_the_newest_holds_for_each_establishment(settings):
    north = establishments.make("Nord")
    establishments.set_domains(north, ["nord.example"])
    for name in ("A", "B"):
        setting_values.save(None, {"name": name}, "root@x.example")
    setting_values.save(north.id, {"support.hours": "8-12"}, "root@x.example")
    assert setting_values.everything() == {None: {"name": "B"}, north.id: {"support.hours": "8-12"}}
    live = LiveSettings(settings)
    live.refresh()
    own = settings.presentation.of_domain["nord.example"]
    assert (settings.name, own.name, settings.support.hours, own.support.hours) == ("B", "Nord", "", "8-12")
    establishments.rename(north, "Grand Nord")
    live.refresh()
    assert settings.presentation.of_domain["nord.example"].name == "Grand Nord"
    establishments.remove(north)
    live.refresh()
    assert settings.presentation.of_domain == {} and setting_values.everything() == {None: {"name": "B"}}


def test_who_comes_second_is_told(settings):
    seen = setting_values.version_of(None, ["trust_days"])
    setting_values.save(None, {"trust_days": 1}, "first@x.example", seen=seen, names=["trust_days"])
    with pytest.raises(SettingChangedMeanwhileError) as told:
        setting_values.save(None, {"trust_days": 2}, "second@x.example", seen=seen, names=["trust_days"])
    assert [row.by for row in told.value.rows] == ["first@x.example"]


def test_bounds_are_never_wider_than_those_of_the_file(settings):
    for name, (low, high) in RANGES.items():
        if (found := ALL.get(name)) and found.kind is ValueKind.NUMBER:
            assert low <= found.low <= found.high <= high, name
    with pytest.raises(ConfigError):
        setting_values.save(None, {"trust_days": 900}, "root@x.example")
