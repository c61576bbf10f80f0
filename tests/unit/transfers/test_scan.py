"""Scanning: what clamd says is understood, and what it did not look at is never called clean."""

from __future__ import annotations

import os
import socket
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from flask import current_app

from tests.support import calendar_ground as ground
from tests.support import clamd
from tests.support.clamd import EICAR
from tests.support.transfer_ground import pieces_of, published, put_file
from tests.support.visits import Visitor
from webmail.config.settings import ConfigError, Settings
from webmail.config.transfers import Transfers
from webmail.models import ContentState, StoredContent, Transfer, TransferEvent, User, now
from webmail.transfers import content, store
from webmail.transfers.trail import EventKind
from webmail.transfers.uploads import checking, scan
from webmail.transfers.uploads.scan import Scan, ScanVerdict, Unscanned

SKIPPED = ScanVerdict.SKIPPED


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with ground.application(tmp_path / "instance") as app, app.app_context():
        ground.add("alice@lycee.example")
        yield app.extensions["settings"]


@pytest.fixture
def alice(settings: Settings) -> User:
    return User.get(User.address == "alice@lycee.example")


def at(settings: Settings, where: str, **values: object) -> Settings:
    return replace(settings, transfers=replace(settings.transfers, clamd=where, **values))


@pytest.fixture(scope="module")
def real() -> Iterator[str]:
    if not clamd.INSTALLED:
        pytest.skip("clamav-daemon is not installed")
    with clamd.real() as where:
        yield where


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """Paths of sockets are short."""
    folder = Path(os.path.relpath(tmp_path))
    return tmp_path if len(str(tmp_path)) < 90 else folder


def test_the_real_one_finds_what_it_knows_also_in_an_archive(settings, real):
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/harmless.txt", b"harmless")
        archive.writestr("folder/test.com", EICAR)
    given = at(settings, real)
    for data in (EICAR, packed.getvalue()):
        assert scan.scan(pieces_of(data, 20), len(data), given) == Scan(ScanVerdict.INFECTED, "Test.Eicar.UNOFFICIAL")
    assert scan.scan([b"harmless"], 8, given) == scan.scan([], 0, given) == Scan(ScanVerdict.CLEAN)


def test_what_the_real_one_does_not_look_at_is_not_clean(settings, real):
    given = at(settings, real)
    for size in (clamd.FILE_MB * 1024 * 1024 + 1, clamd.STREAM_MB * 1024 * 1024 + 1, 9_000_000):
        assert scan.scan(pieces_of(bytes(size)), size, given) == Scan(SKIPPED, Unscanned.LARGE), size
    assert scan.ask(real, "PING") == "PONG"


def test_what_is_over_the_limit_is_not_even_sent(settings, short):
    with clamd.fake(short) as fake:
        assert scan.scan([b"x"], 2 * 1024 * 1024, at(settings, fake.where, scan_mb=1)) == Scan(SKIPPED, Unscanned.LARGE)
        assert fake.received == b""


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"stream: OK\0", Scan(ScanVerdict.CLEAN)),
        (b"stream: Win.Test.EICAR_HDB-1 FOUND\0", Scan(ScanVerdict.INFECTED, "Win.Test.EICAR_HDB-1")),
        (b"stream: OK FOUND\0", Scan(ScanVerdict.INFECTED, "OK")),
        (b"stream: Heuristics.Limits.Exceeded.MaxScanSize FOUND\0", Scan(SKIPPED, Unscanned.LARGE)),
        (b"stream: Heuristics.Encrypted.Zip FOUND\0", Scan(SKIPPED, Unscanned.LOCKED)),
        (b"INSTREAM size limit exceeded. ERROR\0", Scan(SKIPPED, Unscanned.LARGE)),
        (b"stream: Can't allocate memory ERROR\0", Scan(SKIPPED, Unscanned.FAULT)),
        (b"UNKNOWN COMMAND\0", Scan(SKIPPED, Unscanned.FAULT)),
        (b"<html>OK\0", Scan(SKIPPED, Unscanned.FAULT)),
        (b"", Scan(SKIPPED, Unscanned.AWAY)),
        (b"stream: " + b"x" * 9000 + b" FOUND", Scan(SKIPPED, Unscanned.FAULT)),
    ],
)
def test_every_answer_is_understood(settings, short, answer, expected):
    with clamd.fake(short, answer) as fake:
        assert scan.scan([b"one", b"two"], 6, at(settings, fake.where)) == expected
        assert fake.received == b"onetwo"


def test_an_answer_before_the_end_counts(settings, short):
    with clamd.fake(short, b"INSTREAM size limit exceeded. ERROR\0", most=1_000_000) as fake:
        assert scan.scan(pieces_of(bytes(9_000_000)), 9_000_000, at(settings, fake.where)) == Scan(SKIPPED, Unscanned.LARGE)
    with clamd.fake(short / "..", b"", most=1_000_000) as fake:
        assert scan.scan(pieces_of(bytes(9_000_000)), 9_000_000, at(settings, fake.where)) == Scan(SKIPPED, Unscanned.AWAY)


def test_one_that_is_silent_or_away_is_not_waited_for(settings, short):
    with clamd.fake(short, silent=True) as fake:
        assert scan.scan([b"one"], 3, at(settings, fake.where), seconds=0.1) == Scan(SKIPPED, Unscanned.SLOW)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for where in ("/nowhere/clamd.ctl", str(short), f"127.0.0.1:{port}", f"[::1]:{port}"):
        assert scan.scan(_never(), 3, at(settings, where)) == Scan(SKIPPED, Unscanned.AWAY), where
        assert scan.ask(where, "PING") == ""


def _never() -> Iterator[bytes]:
    raise AssertionError("read for nobody")
    yield b""


def test_a_fault_of_the_storage_is_not_the_scanners(settings, short):
    def damaged() -> Iterator[bytes]:
        yield b"one"
        raise content.ContentDamagedError("gone")

    with clamd.fake(short) as fake, pytest.raises(content.ContentDamagedError):
        scan.scan(damaged(), 6, at(settings, fake.where))


# --- what becomes of files ---


def uploaded(alice: User, data: bytes, settings: Settings, **how: bytes) -> StoredContent:
    transfer = store.create(alice, settings, **how)
    file = store.add_file(transfer, "a.bin", len(data), "", settings, **how)
    content.append(file.content, 0, pieces_of(data), settings, how.get("link_key"))
    return file.content


def events(kind: EventKind) -> list[str]:
    return [one.detail for one in TransferEvent.select().where(TransferEvent.kind == kind)]


def test_malware_is_refused_and_its_owner_is_told_of_each_place(alice, settings, real):
    given = at(settings, real)
    stored = uploaded(alice, EICAR, given)
    assert checking.finish(stored.files[0], given) == ContentState.CHECKING  # by the worker
    assert checking.check(stored, given) == ContentState.REFUSED
    again = StoredContent.get_by_id(stored.id)
    assert (again.state, again.scan, again.finding) == ("refused", "infected", "Test.Eicar.UNOFFICIAL")
    assert events(EventKind.FILE_REFUSED) == ["Test.Eicar.UNOFFICIAL"]
    assert checking.check(uploaded(alice, EICAR, given), given) == ContentState.REFUSED  # never shared with another
    clean = uploaded(alice, b"harmless", given)
    assert checking.check(clean, given) == ContentState.READY
    assert StoredContent.get_by_id(clean.id).scan == "clean"


def test_of_two_workers_one_tells(alice, settings, real):
    given = at(settings, real)
    one = uploaded(alice, EICAR, given)
    other = StoredContent.get_by_id(one.id)
    checking.check(one, given)
    checking.check(other, given)
    assert len(events(EventKind.FILE_REFUSED)) == 1


def test_what_was_not_scanned_is_offered_or_refused_as_the_setting_says(alice, settings, short):
    with clamd.fake(short, b"stream: Heuristics.Encrypted.PDF FOUND\0") as fake:
        offered = uploaded(alice, b"one", settings)
        assert checking.check(offered, at(settings, fake.where)) == ContentState.READY
        assert (offered.scan, offered.finding) == ("skipped", "locked")
        refused = uploaded(alice, b"two", settings)
        assert checking.check(refused, at(settings, fake.where, unscanned="refuse")) == ContentState.REFUSED
        assert events(EventKind.FILE_REFUSED) == ["unscanned: locked"]


@pytest.mark.parametrize(("policy", "patience", "end"), [("offer", 11, "ready"), ("refuse", 24 * 60 + 1, "refused")])
def test_one_that_is_away_is_asked_again_for_a_while(alice, settings, policy, patience, end):
    given = at(settings, "/nowhere/clamd.ctl", unscanned=policy)
    stored = uploaded(alice, b"one", given)
    assert checking.check(stored, given) == ContentState.CHECKING
    assert StoredContent.get_by_id(stored.id).state == ContentState.CHECKING
    assert StoredContent.get_by_id(stored.id).sha256  # it is not hashed again
    StoredContent.update(touched=now() - timedelta(minutes=patience)).execute()
    stored = StoredContent.get_by_id(stored.id)
    assert checking.check(stored, given) == end
    assert StoredContent.get_by_id(stored.id).finding == "away"


def test_where_only_the_link_holds_the_key_it_is_scanned_in_the_request_or_not_at_all(alice, settings, real, monkeypatch):
    key, given = os.urandom(32), at(settings, real)
    stored = uploaded(alice, EICAR, given, link_key=key)
    assert checking.finish(stored.files[0], given, link_key=key) == ContentState.REFUSED
    monkeypatch.setattr(checking, "_SCANNED_AT_ONCE", 2)
    stored = uploaded(alice, EICAR, given, link_key=key)
    assert checking.finish(stored.files[0], given, link_key=key) == ContentState.READY
    stored = StoredContent.get_by_id(stored.id)
    assert (stored.scan, stored.finding) == ("skipped", "large")
    away = at(settings, "/nowhere/clamd.ctl", unscanned="refuse")
    stored = uploaded(alice, b"1", away, link_key=key)
    assert checking.finish(stored.files[0], away, link_key=key) == ContentState.REFUSED  # nobody can try again


def test_what_the_browser_encrypted_is_not_scanned_and_says_so(alice, settings):
    given = at(settings, "/nowhere/clamd.ctl")
    transfer = store.create(alice, settings)
    Transfer.update(end_to_end="{}").where(Transfer.id == transfer.id).execute()
    file = put_file(transfer, "a.bin", b"sealed", given)
    assert (file.content.state, file.content.scan, file.content.finding) == ("ready", "skipped", "sealed")


def test_without_a_scanner_nothing_is_said(alice, settings):
    [file] = store.files(published(alice, {"a.bin": EICAR}, settings))
    assert (file.content.state, file.content.scan) == ("ready", "")


def test_settings_that_would_refuse_everything_are_refused():
    with pytest.raises(ConfigError):
        Transfers(key="browser", clamd="/run/clamav/clamd.ctl", unscanned="refuse")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"stream: OK\0", "Scanned for viruses: none found"),
        (b"INSTREAM size limit exceeded. ERROR\0", "Not scanned for viruses: too large"),
        (b"stream: Heuristics.Encrypted.Zip FOUND\0", "Not scanned for viruses: locked with a password"),
        (b"stream: Can't open file ERROR\0", "Not scanned for viruses"),
    ],
)
def test_the_page_of_a_link_says_so(alice, settings, short, answer, said):
    with clamd.fake(short, answer) as fake:
        transfer = published(alice, {"a.txt": b"one"}, at(settings, fake.where))
    page = Visitor(current_app._get_current_object()).get(f"/t/{store.link_token(transfer, settings)}")
    assert said in page.text


def test_malware_is_given_to_nobody(alice, settings, short):
    with clamd.fake(short, b"stream: Eicar FOUND\0") as fake:
        transfer = published(alice, {"evil.com": EICAR, "other.txt": b"one"}, at(settings, fake.where))
    [file, _other] = store.files(transfer)
    address = f"/t/{store.link_token(transfer, settings)}"
    visitor = Visitor(current_app._get_current_object())
    assert visitor.get(f"{address}/{file.upload}/evil.com").status == 410
    assert EICAR not in visitor.get(f"{address}/all.zip").response.get_data()
