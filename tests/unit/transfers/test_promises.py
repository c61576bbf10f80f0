"""Room that is promised to uploads: whoever declares much and sends nothing keeps nobody from sending; what really comes is bounded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.auth_app import add
from tests.support.visits import Visitor
from webmail.config.settings import Settings
from webmail.doctor import transfers
from webmail.models import FileRequest, StoredContent, Transfer, TransferAllowance, TransferFile, TransferState, User, now
from webmail.transfers import content, limits, overview, store
from webmail.transfers.limits import Limit, OverLimitError
from webmail.transfers.requests import guests, requests, unfinished
from webmail.transfers.requests.guests import Guest
from webmail.transfers.requests.requests import Wishes
from webmail.transfers.uploads import promises

MB = promises.MB
GB = 1024 * MB


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", language="en", transfers={"reserve_mb": 0, "total_mb": 60 * 1024}) as made:
        yield made


@pytest.fixture
def settings(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(limits, "free_bytes", lambda _files: 55 * GB)  # whatever this machine has
    monkeypatch.setattr(overview, "free_bytes", lambda _files: 55 * GB)
    return app.extensions["settings"]


@pytest.fixture
def alice(app: Flask) -> User:
    return add("alice@lycee.example")


@pytest.fixture
def dropbox(alice: User, settings: Settings) -> FileRequest:
    return requests.make(alice, Wishes("Homework"), "en", settings)[0]


def began(dropbox: FileRequest, settings: Settings, size: int, name: str = "Zoé") -> TransferFile:
    """What a stranger with the link declares."""
    found = guests.find_request(requests.token(dropbox, settings))
    assert found is not None
    transfer = guests.begin(found, Guest(name), settings)
    return guests.add(transfer, settings, lambda _most: store.add_file(transfer, "a.bin", size, "", settings))


def may_send(owner: User, size: int, settings: Settings) -> bool:
    """Whether somebody can begin a file of so many bytes; it is forgotten again."""
    transfer = store.create(owner, settings)
    try:
        store.remove_file(store.add_file(transfer, "mine", size, "", settings), settings)
    except OverLimitError:
        return False
    finally:
        transfer.delete_instance()
    return True


def quiet_for(minutes: int) -> None:
    StoredContent.update(touched=now() - timedelta(minutes=minutes)).execute()


def test_who_declares_much_by_a_link_keeps_neither_its_owner_nor_others_from_sending(alice, dropbox, settings):
    bob = add("bob@lycee.example")
    for number in range(6):
        began(dropbox, settings, 15 * GB, f"visitor {number}")
    assert may_send(alice, 20 * GB, settings) and may_send(bob, 20 * GB, settings)
    assert limits.used_by(alice, 0) <= promises.OF_REQUEST
    assert guests.add(began(dropbox, settings, MB).transfer, settings, lambda _most: True)


def test_who_declares_much_with_an_account_keeps_nobody_else_from_sending(alice, settings):
    bob = add("bob@lycee.example")
    for _number in range(20):
        store.add_file(store.create(alice, settings), "a.bin", 20 * GB, "", settings)
    assert may_send(bob, 20 * GB, settings) and may_send(alice, 20 * GB, settings)


def test_a_crowd_that_declares_much_leaves_half_of_the_room(alice, settings):
    for number in range(12):
        mallory = add(f"mallory{number}@lycee.example")
        for _file in range(8):
            store.add_file(store.create(mallory, settings), "a.bin", 20 * GB, "", settings)
    assert promises.of_all(40 * GB) == 20 * GB
    assert may_send(alice, 15 * GB, settings)


def test_a_promise_grows_with_what_arrives_and_lapses_without_a_byte(alice, dropbox, settings):
    file = began(dropbox, settings, 10 * GB)
    assert limits.used_by(alice, 0) == GB
    StoredContent.update(received=3 * GB).where(StoredContent.id == file.content_id).execute()
    assert limits.used_by(alice, 0) == 4 * GB
    StoredContent.update(received=10 * GB - MB).where(StoredContent.id == file.content_id).execute()
    assert limits.used_by(alice, 0) == 10 * GB  # never more than it has
    quiet_for(14)
    assert limits.used_by(alice, 0) == 10 * GB
    quiet_for(16)
    assert limits.used_by(alice, 0) == 10 * GB - MB


def test_what_really_comes_is_bounded_by_the_room_whatever_was_promised(alice, settings, monkeypatch):
    monkeypatch.setattr(limits, "_STEP", 1000)
    first, second = (store.add_file(store.create(alice, settings), "a", 3000, "", settings) for _ in range(2))
    TransferAllowance.create(user=alice, limit_bytes=5000)
    chunks = [b"x" * 500] * 6
    content.append(first.content, 0, limits.as_there_is_room(first.content, chunks, settings), settings)
    with pytest.raises(OverLimitError) as refused:
        content.append(second.content, 0, limits.as_there_is_room(second.content, chunks, settings), settings)
    assert refused.value.limit is Limit.PERSON
    assert second.content.received == 2000  # what there was room for stays, to be gone on with
    assert promises.arrived(alice) == 5000


def test_the_disk_is_not_filled_beyond_its_reserve_by_what_was_declared(alice, settings, monkeypatch):
    file = store.add_file(store.create(alice, settings), "a", 3000, "", settings)
    monkeypatch.setattr(limits, "free_bytes", lambda _files: 100)
    with pytest.raises(OverLimitError) as refused:
        content.append(file.content, 0, limits.as_there_is_room(file.content, [b"x" * 3000], settings), settings)
    assert (refused.value.limit, refused.value.status) == (Limit.TOTAL, 507)


def test_a_file_larger_than_what_is_left_is_refused_at_once(alice, settings):
    TransferAllowance.create(user=alice, limit_bytes=5000)
    with pytest.raises(OverLimitError):
        store.add_file(store.create(alice, settings), "a", 5001, "", settings)


def test_the_doctor_and_the_totals_tell_what_is_only_promised(alice, dropbox, settings, monkeypatch):
    assert not list(transfers.examine(settings))
    began(dropbox, settings, 15 * GB)
    [found] = transfers.examine(settings)
    assert (found.state, "0 MB are stored; 1024 MB are only promised to 1 upload" in found.words) == ("ok", True)
    assert "15360 MB were announced" in found.words
    monkeypatch.setattr(overview, "free_bytes", lambda _files: 2 * GB)
    [found] = transfers.examine(settings)
    assert found.state == "warning" and "lapse 15 minutes after the last byte" in found.words
    quiet_for(16)
    assert not list(transfers.examine(settings))


# --- what the owner of a request sees and does ----------------------------------------------------------------------


@pytest.fixture
def browser(app: Flask, alice: User) -> Visitor:
    return ground.signed_in(app)


def test_unfinished_deliveries_are_listed_and_removed_and_brought_back(browser, alice, dropbox, settings):
    file = began(dropbox, settings, 15 * GB, "Zoé Martin")
    quiet_for(1)
    here = f"/transfers/requests/{dropbox.id}"
    seen = browser.get(here)
    assert "Zoé Martin" in seen.text and "0 bytes of 15 GB arrived" in seen.text.replace("\xa0", " ")
    after = browser.submit(seen, "#unfinished form", action="remove")
    assert "The unfinished delivery was removed." in after.notices and "Zoé Martin" not in after.text
    assert limits.used_by(alice, 0) == 0
    back = browser.submit(after, "form:has([value=put-back])")
    assert "Zoé Martin" in back.one("#unfinished").get_text()
    assert guests.may_go_on(Transfer.get_by_id(file.transfer_id), settings) is None


def test_only_unfinished_deliveries_of_this_request_are_removed(alice, dropbox, settings):
    other = requests.make(alice, Wishes("Other"), "en", settings)[0]
    theirs, own = began(other, settings, 1000).transfer, store.create(alice, settings)
    assert not any(unfinished.remove(dropbox, one.id) or unfinished.put_back(dropbox, one.id) for one in (theirs, own))
    assert {row.state for row in Transfer.select()} == {TransferState.OPEN}


def test_closing_a_request_drops_what_is_unfinished_and_undo_brings_it_back(alice, dropbox, settings):
    file = began(dropbox, settings, 15 * GB)
    requests.close(dropbox)
    assert Transfer.get_by_id(file.transfer_id).state == TransferState.CLOSED
    assert limits.used_by(alice, 0) == 0 and promises.of_all(0) == 0
    requests.reopen(FileRequest.get_by_id(dropbox.id))
    assert Transfer.get_by_id(file.transfer_id).state == TransferState.OPEN


def test_what_was_removed_by_itself_does_not_come_back_with_the_request(dropbox, settings):
    file = began(dropbox, settings, 1000)
    unfinished.remove(dropbox, file.transfer_id)
    Transfer.update(closed=now() - timedelta(minutes=2)).execute()
    requests.close(dropbox)
    requests.reopen(FileRequest.get_by_id(dropbox.id))
    assert Transfer.get_by_id(file.transfer_id).state == TransferState.CLOSED
