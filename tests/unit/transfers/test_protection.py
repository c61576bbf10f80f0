"""Protection of transfers: who holds the keys, and that the settings' least is never undercut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support import calendar_ground as ground
from tests.support.limits import let_pass, lower
from tests.support.transfer_ground import put_file
from webmail.config.settings import Settings
from webmail.models import Transfer, User
from webmail.transfers import content, limits, protection, store
from webmail.transfers.limits import Limit, OverLimitError
from webmail.transfers.protection import NotProtectedError, Protection


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with ground.application(tmp_path / "instance") as app:
        ground.add("alice@lycee.example")
        yield app.extensions["settings"]


@pytest.fixture
def alice(settings: Settings) -> User:
    return User.get(User.address == "alice@lycee.example")


def with_values(settings: Settings, **values: object) -> Settings:
    return replace(settings, transfers=replace(settings.transfers, **values))


def test_more_can_be_chosen_than_the_settings_ask_for_never_less(settings):
    assert protection.choices(settings) == ["server", "link", "browser"]
    assert protection.choices(with_values(settings, key="link")) == ["link", "browser"]
    assert protection.choices(with_values(settings, key="browser")) == ["browser"]
    assert protection.chosen("", with_values(settings, key="link")) == Protection.LINK
    for text, given in (
        ("server", with_values(settings, key="link")),
        ("none", settings),
        ("link", with_values(settings, key="browser")),
    ):
        with pytest.raises(NotProtectedError):
            protection.chosen(text, given)


def test_what_must_be_scanned_can_not_be_sealed_before(settings):
    given = with_values(settings, clamd="/run/clamd", unscanned="refuse")
    assert protection.choices(given) == ["server", "link"]
    assert "browser" in protection.choices(with_values(settings, clamd="/run/clamd"))


def test_each_kind_is_known_again(alice, settings):
    for kind in Protection:
        transfer, key = protection.begin(alice, kind, settings)
        assert protection.protection_of(Transfer.get_by_id(transfer.id)) == kind
        assert (key is not None) == (kind is Protection.LINK)
        if key is not None:
            assert protection.is_key_of(transfer, key) and not protection.is_key_of(transfer, bytes(32))
            file = put_file(transfer, "a.txt", b"secret", settings, link_key=key)
            with pytest.raises(content.WrongKeyError):
                content.read(file.content, settings)


def test_names_of_what_was_sealed_are_not_kept_as_they_are(alice, settings):
    transfer, _key = protection.begin(alice, Protection.BROWSER, settings)
    for path in ("Bulletins/Zoé.pdf", "a.txt"):
        put_file(transfer, path, b"sealed", settings, media_type="application/pdf")
    assert [(one.path, one.media_type) for one in store.files(transfer)] == [
        ("1.sealed", "application/octet-stream"),
        ("2.sealed", "application/octet-stream"),
    ]
    protection.set_sealed_names(transfer, "abc.def")
    assert protection.sealed_names(Transfer.get_by_id(transfer.id)) == "abc.def"
    protection.set_sealed_names(transfer, "x" * (protection.SEALED_NAMES + 1))
    assert protection.sealed_names(transfer) == "" and protection.protection_of(transfer) == Protection.BROWSER


def test_nobody_begins_transfers_without_end(alice, settings, monkeypatch):
    lower(monkeypatch, limits, "BEGUN", most=2)
    for _ in range(2):
        store.create(alice, settings)
    with pytest.raises(OverLimitError) as refused:
        store.create(alice, settings)
    assert refused.value.limit == Limit.PACE
    let_pass(timedelta(hours=2))
    assert store.create(alice, settings)
