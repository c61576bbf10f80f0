"""Files that are added to a transfer after it was sent: seen all at once when each is checked, told only if that is wanted."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.postgresql import fresh_database, server_url
from tests.support.transfer_ground import published, put_file
from tests.support.visits import Page, Visitor
from webmail import system_mail
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import (
    ContentState,
    StoredContent,
    SystemMessage,
    Transfer,
    TransferEvent,
    TransferFile,
    TransferRecipient,
    TransferState,
    User,
    now,
)
from webmail.transfers import additions, assembly, changes, content, limits, links, protection, store, trail
from webmail.transfers.additions import CannotAddError, Fault
from webmail.transfers.limits import Limit, OverLimitError
from webmail.transfers.notifications import recipients
from webmail.transfers.options import TransferOptions
from webmail.transfers.trail import EventKind
from webmail.transfers.uploads import checking, sealed_sizes

ZOE, TOM = ("Zoé Petit", "zoe@ailleurs.example"), ("", "tom@ailleurs.example")
MAIL = {"system_address": "Lycée <info@lycee.example>", "system_password": "x", "public_url": "https://mail.lycee.example"}
LIMITS = {"file_mb": 2, "transfer_mb": 3, "files": 4, "forbidden_types": "exe", "reserve_mb": 0}
KEY = b"k" * 32
FORM = "form#addition"


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", recovery_address="off", language="en", transfers=LIMITS, **MAIL) as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return ground.person(app)


@pytest.fixture
def settings(app: Flask) -> Settings:
    return app.extensions["settings"]


def user(local: str = "alice") -> User:
    return User.get(User.address == f"{local}@lycee.example")


def sent(settings: Settings, *, told: bool = True, files: dict[str, bytes] | None = None, **how: Any) -> Transfer:
    """A transfer, and its people have their links."""
    made = published(user(), files or {"plan.pdf": b"%PDF"}, settings, **{"recipients": [ZOE, TOM], **how})
    if told:
        TransferRecipient.update(notified=now() - timedelta(hours=2)).execute()
        TransferEvent.update(told=1).execute()
    return Transfer.get_by_id(made.id)


def begun(alice: Visitor, transfer: Transfer, **fields: str) -> Page:
    """The page where files are chosen, from the button of the transfer's page."""
    return alice.submit(alice.get(f"/transfers/{transfer.id}"), "form[action$='/additions']", **fields)


def add(alice: Visitor, page: Page, *files: tuple[str, bytes], action: str = "send", **fields: Any) -> Page:
    chosen = [(BytesIO(data), name) for name, data in files]
    return alice.submit(page, FORM, action=action, files=chosen, **fields)


def gathered(transfer: Transfer, settings: Settings, *files: str, key: bytes | None = None) -> Transfer:
    """An addition with files that are checked."""
    addition = additions.begin(transfer, settings, key)
    for name in files:
        put_file(addition, name, name.encode(), settings, link_key=key)
    return addition


def names(transfer: Transfer) -> list[str]:
    return [file.path for file in store.files(transfer)]


def settle(app: Flask, transfer: Transfer) -> list[SystemMessage]:
    with app.app_context():
        return recipients.settle(transfer, app.extensions["settings"])


def sweep(app: Flask) -> list[int]:
    with app.app_context():
        return recipients.sweep(app.extensions["settings"])


def unchecked(addition: Transfer) -> None:
    """As where a scanner has still to look."""
    of = TransferFile.select(TransferFile.content).where(TransferFile.transfer == addition)
    StoredContent.update(state=ContentState.CHECKING).where(StoredContent.id.in_(of)).execute()


def events(transfer: Transfer, kind: EventKind) -> list[TransferEvent]:
    return list(TransferEvent.select().where((TransferEvent.transfer == transfer) & (TransferEvent.kind == kind)))


# --- by its page -----------------------------------------------------------------------------------------------------


def test_files_are_added_where_the_link_leads(app, alice, settings):
    transfer = sent(settings)
    page = begun(alice, transfer)
    assert "keeps its list of files" in page.text and page.one("[name=tell]").has_attr("checked")
    after = add(alice, page, ("été.txt", b"Bonjour"), ("plan.pdf", b"another"), tell=None)
    assert after.address == f"/transfers/{transfer.id}" and "2 files were added." in after.notices
    assert names(transfer) == ["plan.pdf", "été.txt", "plan (2).pdf"]
    public = app.test_client().get(f"/t/{store.link_token(transfer, settings)}").get_data(as_text=True)
    assert "été.txt" in public and "added on" in public
    assert all(file.content.sha256 for file in store.files(transfer))
    assert "2 files added: été.txt, plan (2).pdf" in after.one(".trail").get_text()
    rows = list(csv.reader(io.StringIO(alice.get(f"/transfers/{transfer.id}/trail.csv").response.get_data(as_text=True))))
    assert rows[-1][1:] == ["files-added", "", "", "2, été.txt, plan (2).pdf", "2 files added: été.txt, plan (2).pdf"]
    assert not sweep(app) and Transfer.select().count() == 1  # nobody is told, nothing else is left


def test_recipients_are_told_of_what_is_new(app, alice, settings):
    transfer = sent(settings)
    add(alice, begun(alice, transfer), ("neu.txt", b"1"))
    told = list(SystemMessage.select().order_by(SystemMessage.id))
    assert [row.recipient for row in told] == [ZOE[1], TOM[1]] and not sweep(app)
    zoe, body = TransferRecipient.get(address=ZOE[1]), system_mail.text_of(told[0], settings.secret_key)
    assert store.recipient_token(zoe, settings) in body and "neu.txt" in body and "plan.pdf" not in body
    assert told[0].subject == "alice@lycee.example added a file" and zoe.news is None
    assert len(events(transfer, EventKind.NEWS_MAILED)) == 2


def test_without_recipients_nobody_is_told(alice, settings):
    page = begun(alice, sent(settings, recipients=[]))
    assert not page.all("[name=tell]") and "No message is sent" in page.text
    add(alice, page, ("a.txt", b"1"))
    assert not SystemMessage.select().exists()


def test_whoever_has_no_link_yet_gets_it_with_all_files(app, alice, settings):
    transfer = sent(settings, told=False)
    additions.set_tells(addition := gathered(transfer, settings, "neu.txt"), True)
    assert additions.submit(addition) and additions.settle(addition)
    first = settle(app, transfer)
    assert len(first) == 2 and not settle(app, transfer)
    assert "plan.pdf" in (body := system_mail.text_of(first[0], settings.secret_key)) and "neu.txt" in body


def test_what_is_removed_before_the_letter_is_not_told(app, alice, settings):
    transfer = sent(settings)
    additions.set_tells(addition := gathered(transfer, settings, "neu.txt"), True)
    assert additions.submit(addition) and additions.settle(addition)
    changes.remove_file(transfer, TransferFile.get(path="neu.txt"), settings)
    assert not settle(app, transfer) and not sweep(app)
    assert not TransferRecipient.select().where(TransferRecipient.news.is_null(False)).exists()


def test_nothing_is_seen_before_all_of_it_is_checked(app, alice, settings, monkeypatch):
    monkeypatch.setattr(assembly.checking, "finish", lambda file, *_args, **_key: file.content.state)  # the worker has to
    transfer = sent(settings)
    after = add(alice, begun(alice, transfer), ("a.txt", b"1"), ("b.txt", b"2"))
    assert (
        "2 files will be added once all have been checked." in after.notices
        and "will be added once" in after.one("#files").get_text()
    )
    link = f"/t/{store.link_token(transfer, settings)}"
    for row in list(StoredContent.select().where(StoredContent.state == ContentState.CHECKING)):
        assert "a.txt" not in (page := app.test_client().get(link).get_data(as_text=True)) and "b.txt" not in page
        assert names(transfer) == ["plan.pdf"] and not SystemMessage.select().exists()
        checking.check(row, settings)
        additions.sweep()
    assert names(transfer) == ["plan.pdf", "a.txt", "b.txt"]
    assert len(sweep(app)) == 2


def test_a_refused_file_holds_the_others_back_until_it_is_removed(app, alice, settings):
    transfer = sent(settings)
    addition = gathered(transfer, settings, "good.txt", "bad.txt")
    assert additions.submit(addition)
    bad = TransferFile.get(path="bad.txt")
    StoredContent.update(state=ContentState.CHECKING).where(StoredContent.id == bad.content_id).execute()
    checking._settle(StoredContent.get_by_id(bad.content_id), {"state": "refused", "scan": "infected", "finding": "Eicar"})
    additions.sweep()
    assert names(transfer) == ["plan.pdf"]
    page = alice.get(f"/transfers/{transfer.id}")
    assert "a file was refused" in page.one(".is-held").get_text() and "File refused: bad.txt" in page.one(".trail").get_text()
    assert "added once you have removed it" in system_mail.text_of(settle(app, transfer)[0], settings.secret_key)
    page = alice.get(str(page.one(".is-held a")["href"]))
    after = alice.submit(page, FORM, action=f"remove:{bad.upload}")
    assert "1 file was added." in after.notices and names(transfer) == ["plan.pdf", "good.txt"]


def test_what_is_unfinished_is_found_gone_on_with_or_discarded(alice, settings):
    transfer = sent(settings)
    assert add(alice, begun(alice, transfer)).status == 422  # nothing was chosen
    page = add(alice, begun(alice, transfer), ("a.txt", b"1"), action="save")
    assert "not added yet" in page.one("#files").get_text() and names(transfer) == ["plan.pdf"]
    assert not alice.get("/transfers?show=unfinished").all(".transfer-list")
    page = alice.get(page.link("a.txt"))
    gone = add(alice, page, action="drop")
    assert "Nothing was added" in gone.notices and not gone.all("#files a[href*=additions]")
    back = alice.submit(gone, ".notice form, form.notice, [role=status] form", action="reopen")
    assert "a.txt" in back.one(FORM).get_text()
    add(alice, back)
    assert names(transfer) == ["plan.pdf", "a.txt"]


# --- whose, and when -------------------------------------------------------------------------------------------------


def test_only_its_owner_adds(app, alice, settings):
    transfer = sent(settings)
    addition = gathered(transfer, settings, "a.txt")
    bob = ground.person(app, "bob")
    token = bob.get("/transfers/new").all("[name=csrf_token]")[0]["value"]
    page = f"/transfers/{transfer.id}/additions/{addition.id}"
    assert bob.get(page).status == 404 == bob.post(f"/transfers/{transfer.id}/additions", {"csrf_token": token}).status
    assert bob.post(page, {"action": "send"}).status == 400  # without the token in the address
    theirs = published(user("bob"), {"b.txt": b"b"}, settings)
    query = begun(bob, theirs).one(FORM)["action"].partition("?")[2]  # Bob's own token
    assert bob.post(f"{page}?{query}", {"action": "send"}).status == 404
    answer = bob.client.post(
        f"/transfers/uploads?of={addition.id}",
        headers={"Tus-Resumable": "1.0.0", "Upload-Length": "1", "X-CSRFToken": token},
    )
    assert answer.status_code == 404
    nobody = Visitor(app)
    assert "/login" in nobody.get(page, follow=False).location
    assert names(transfer) == ["plan.pdf"]


def test_an_addition_is_no_transfer(app, alice, settings):
    transfer = sent(settings)
    addition = gathered(transfer, settings, "a.txt")
    page = f"/transfers/{transfer.id}/additions/{addition.id}"
    assert alice.get(f"/transfers/{addition.id}").address == page == alice.get(f"/transfers/new?of={addition.id}").address
    token = alice.get("/transfers").all("[name=csrf_token]")[0]["value"]
    for action in ("close", "extend", "add"):
        assert alice.post(f"/transfers/{addition.id}", {"csrf_token": token, "action": action}).status == 404
    assert alice.get(f"/transfers/{addition.id}/trail").status == 404
    for _ in range(2):
        assert app.test_client().get(f"/t/{store.link_token(addition, settings)}").status_code in (404, 410)
        additions.submit(addition)
        unchecked(addition)


def test_nothing_is_added_to_what_is_over_or_came_from_others(alice, settings):
    transfer = sent(settings)
    page = begun(alice, transfer)
    addition = additions.find(transfer, int(page.address.rpartition("/")[2]))
    put_file(addition, "a.txt", b"1", settings)
    assert additions.submit(addition)
    unchecked(addition)
    store.close(transfer, "owner")
    assert "transfer has ended" in add(alice, page, ("b.txt", b"1")).notices
    with pytest.raises(store.TransferClosedError):
        store.add_file(addition, "c.txt", 1, "", settings)
    StoredContent.update(state=ContentState.READY).execute()
    additions.sweep()
    assert names(transfer) == ["plan.pdf"]
    store.reopen(transfer)  # soon after
    additions.sweep()
    assert names(transfer) == ["plan.pdf", "a.txt"]
    Transfer.update(expires=now()).where(Transfer.id == transfer.id).execute()
    assert not alice.get(f"/transfers/{transfer.id}").all("form[action$='/additions']")
    with pytest.raises(CannotAddError):
        additions.begin(Transfer.get_by_id(transfer.id), settings)


def test_what_is_left_ends_with_its_transfer_or_after_days(alice, settings):
    transfer = sent(settings)
    idle, kept = gathered(transfer, settings, "a.txt"), gathered(transfer, settings, "b.txt")
    old = now() - store.ABANDONED - timedelta(hours=1)
    Transfer.update(created=old).where(Transfer.adds_to == transfer).execute()
    StoredContent.update(touched=old).where(StoredContent.id == store.files(idle)[0].content_id).execute()
    for _ in range(3):
        additions.sweep()
        store.sweep(settings)
    assert [row.id for row in Transfer.select().where(Transfer.adds_to == transfer)] == [kept.id]
    store.close(transfer, "admin")
    for _ in range(3):
        store.sweep(settings)
        additions.sweep()
    assert not Transfer.select().where(Transfer.adds_to == transfer) and not StoredContent.select().exists()


# --- limits and protection -------------------------------------------------------------------------------------------


def test_the_limits_are_those_of_the_whole_transfer(alice, settings):
    transfer = sent(settings, files={"a.bin": b"a" * limits.MB * 2})
    page = begun(alice, transfer)
    words = add(alice, page, ("b.bin", b"b" * (limits.MB + limits.MB // 2)), ("virus.exe", b"1")).notices
    assert "all files can be at most 3\xa0MB in total" in words and "files of this type" in words
    addition, other = additions.begin(transfer, settings), additions.begin(transfer, settings)
    store.add_file(addition, "1", limits.MB // 2, "", settings)
    store.add_file(other, "2", limits.MB // 4, "", settings)
    with pytest.raises(OverLimitError) as refused:  # what another window has begun counts too
        store.add_file(other, "3", limits.MB // 2, "", settings)
    assert refused.value.limit is Limit.TRANSFER
    store.add_file(other, "3", 1, "", settings)
    with pytest.raises(OverLimitError) as refused:
        store.add_file(addition, "4", 1, "", settings)
    assert refused.value.limit is Limit.FILES


def test_only_so_many_windows_add_at_once(app, alice, settings):
    transfer = sent(replace(settings, transfers=replace(settings.transfers, files=50)))
    first = additions.begin(transfer, settings)
    for _ in range(additions.MOST):
        additions.begin(transfer, settings)  # the oldest without files gives way
    assert additions.find(transfer, first.id) is None
    for number, row in enumerate(list(Transfer.select().where(Transfer.adds_to == transfer))):
        wide = replace(settings, transfers=replace(settings.transfers, files=50))
        put_file(row, f"{number}.txt", b"1", wide)
    with pytest.raises(CannotAddError) as refused:
        additions.begin(transfer, settings)
    assert refused.value.fault is Fault.MANY


def test_new_files_need_the_link_that_holds_the_key(app, alice, settings):
    transfer = sent(settings, link_key=KEY)
    link = f"https://mail.lycee.example/t/{store.link_token(transfer, settings)}"
    wrong = begun(alice, transfer, link=f"{link}.{links.packed_key(b'x' * 32)}")
    assert "does not open these files" in wrong.notices and not Transfer.select().where(Transfer.adds_to == transfer).exists()
    assert "does not open these files" in begun(alice, transfer, link=link).notices
    page = begun(alice, transfer, link=f" {link}.{links.packed_key(KEY)} ")
    add(alice, page, ("neu.txt", b"secret"))
    fresh = store.files(transfer)[1]
    with pytest.raises(content.WrongKeyError):
        content.read(fresh.content, settings)
    assert b"".join(content.read(fresh.content, settings, link_key=KEY)) == b"secret"
    told = system_mail.text_of(SystemMessage.select().first(), settings.secret_key)
    assert f".{links.packed_key(KEY)}\n" in told  # the letters are written while the key is here


def test_sealed_files_are_added_with_their_names(alice, settings):
    transfer = sent(settings, recipients=[])
    protection.set_sealed_names(transfer, "salt.names")
    page = begun(alice, transfer)
    assert page.one("[data-seals]")["data-names"] == "salt.names"
    assert "must be encrypted first" in add(alice, page, ("plain.txt", b"1")).notices  # only the script encrypts
    addition = additions.find(transfer, int(page.address.rpartition("/")[2]))
    put_file(addition, "anything", b"TRABOULE\x01", settings)
    add(alice, page, sealed_names="more.names")
    assert names(transfer) == ["plan.pdf", "2.sealed"]
    assert protection.sealed_names(Transfer.get_by_id(transfer.id)) == "salt.names more.names"


def test_what_is_less_protected_than_required_takes_no_more(alice, settings):
    transfer = sent(settings)
    strict = replace(settings, transfers=replace(settings.transfers, key="link"))
    assert additions.fault(transfer, strict) is Fault.PROTECTION
    unnamed = sent(settings, recipients=[])
    Transfer.update(end_to_end='{"form": 1}').where(Transfer.id == unnamed.id).execute()
    assert "impossible to tell whether a link" in alice.get(f"/transfers/{unnamed.id}").text


# --- what counts -----------------------------------------------------------------------------------------------------


def test_who_had_everything_can_have_what_is_new_once(app, alice, settings):
    transfer = sent(settings, recipients=[ZOE], options=TransferOptions(once=True))
    link = f"/t/{store.recipient_token(TransferRecipient.get(), settings)}"
    guest = app.test_client()

    def press(**form: str) -> bytes:
        with guest.post(link, data=form, follow_redirects=True) as answer:
            return answer.get_data()

    assert press(action="all")
    addition = gathered(transfer, settings, "neu.txt")
    assert additions.submit(addition) and additions.settle(addition)
    old, fresh = store.files(transfer)
    assert press(file=fresh.upload) == b"neu.txt"
    assert press(file=old.upload) != b"%PDF" and press(file=fresh.upload) != b"neu.txt"
    assert [file.downloads for file in store.files(transfer)] == [1, 1]


def test_everybody_has_everything_no_more_and_is_said_again(app, alice, settings):
    transfer = sent(settings, recipients=[ZOE], options=TransferOptions(tell_all=True))
    zoe = TransferRecipient.get()

    def download(file: TransferFile | None) -> None:
        event = trail.note(transfer, EventKind.DOWNLOADED, recipient=zoe, file=file)
        TransferEvent.update(at=now() - timedelta(minutes=5)).where(TransferEvent.id == event.id).execute()
        TransferRecipient.update(downloads=TransferRecipient.downloads + 1).execute()

    download(None)
    assert [row.subject for row in settle(app, transfer)] == ["Everyone has downloaded “plan.pdf”"]
    additions.set_tells(addition := gathered(transfer, settings, "neu.txt"), False)
    assert additions.submit(addition) and additions.settle(addition)
    assert not settle(app, transfer)
    download(store.files(transfer)[0])
    assert not settle(app, transfer)
    download(store.files(transfer)[1])
    assert len(settle(app, transfer)) == 1


# --- at once, or killed ----------------------------------------------------------------------------------------------


def test_a_process_that_was_killed_leaves_all_or_nothing(app, alice, settings, monkeypatch):
    transfer = sent(settings)
    addition = gathered(transfer, settings, "a.txt", "b.txt")
    assert additions.submit(addition)  # and then it was killed

    def killed(*_args: object, **_more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(trail, "note", killed)
        additions.settle(addition)
    assert names(transfer) == ["plan.pdf"] and names(addition) == ["a.txt", "b.txt"]
    assert additions.settle_all() == 1 and additions.settle_all() == 0
    assert names(transfer) == ["plan.pdf", "a.txt", "b.txt"]


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path) -> Iterator[Settings]:
    """The settings of an application on each database."""
    if request.param == "postgresql" and not server_url():
        pytest.skip("no PostgreSQL server")
    database = fresh_database() if request.param == "postgresql" else nullcontext("")
    with database as url, ground.application(tmp_path / "instance", database_url=url) as made:
        ground.add("alice@lycee.example")
        yield made.extensions["settings"]


def at_once(*acts: Any) -> list[Any]:
    """What each brings, or raises, all begun in one moment."""
    found: list[Any] = [None] * len(acts)
    start = threading.Barrier(len(acts))

    def run(place: int) -> None:
        with db.connection_context():
            start.wait()
            try:
                found[place] = acts[place]()
            except Exception as error:
                found[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return found


def test_two_windows_add_at_once(shared):
    transfer = sent(shared)
    both = [gathered(transfer, shared, "plan.pdf", f"{number}.txt") for number in range(2)]
    assert all(additions.submit(one) for one in both)
    done = at_once(*(lambda one=one: additions.settle(one) for one in both * 2))
    assert sorted(map(str, done)) == ["False", "False", "True", "True"]
    assert sorted(names(transfer)) == ["0.txt", "1.txt", "plan (2).pdf", "plan (3).pdf", "plan.pdf"]
    assert len(events(transfer, EventKind.FILES_ADDED)) == 2 and Transfer.select().count() == 1


def test_a_file_that_begins_as_the_others_are_asked_to_join_is_not_lost_among_them(shared):
    transfer = sent(shared)
    addition = gathered(transfer, shared, "a.txt")
    at_once(lambda: additions.submit(addition), lambda: store.add_file(addition, "late.txt", 9, "", shared))
    state, there = Transfer.get_by_id(addition.id).state, names(addition)
    assert (state, there) in ((TransferState.JOINING, ["a.txt"]), (TransferState.OPEN, ["a.txt", "late.txt"]))


def test_the_last_two_files_removed_from_two_windows_leave_one(shared):
    transfer = sent(shared, files={"a.txt": b"a", "b.txt": b"b"})
    done = at_once(*(lambda one=one: changes.remove_file(transfer, one, shared) for one in store.files(transfer)))
    assert sorted(type(one).__name__ for one in done) == ["LastFileError", "bool"], done
    assert len(store.files(transfer)) == 1 == len(events(transfer, EventKind.FILE_REMOVED))


# --- sizes of what a browser encrypted -------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 2**20 - 1, 2**20, 2**20 + 1, 5 * 2**20 + 7])
def test_sizes_are_those_of_the_files_within(size):
    sealed = 27 + 256 + 16 + size + 16 * max(1, -(-size // 2**20))  # static/js/transfers/sealed.js
    assert sealed_sizes.plain_size(sealed) == size == sealed_sizes.plain_total(sealed, 1)
    assert abs(sealed_sizes.plain_total(3 * sealed, 3) - 3 * size) <= 48


def test_pages_show_the_size_that_recipients_will_have(app, alice, settings):
    transfer = sent(settings, recipients=[], files={"1.sealed": b"x" * (27 + 256 + 16 + 100 + 16)})
    protection.set_sealed_names(transfer, "salt.names")
    for page in (f"/transfers/{transfer.id}", "/transfers", f"/t/{store.link_token(transfer, settings)}"):
        assert "100 bytes" in alice.get(page).text, page
