"""One's own transfers: the list, the page of one, what is changed there; another's are not there."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.transfer_ground import published, put_file
from tests.support.visits import Page, Visitor
from webmail.accounts import exported_tables
from webmail.config.settings import Settings
from webmail.models import (
    ContentState,
    FileRequest,
    StoredContent,
    SystemMessage,
    Transfer,
    TransferFile,
    TransferRecipient,
    User,
    now,
)
from webmail.people import policies
from webmail.people.policies import Policy
from webmail.transfers import store, trail
from webmail.transfers.options import TransferOptions
from webmail.transfers.requests import requests
from webmail.transfers.requests.requests import Wishes
from webmail.transfers.trail import EventKind
from webmail.transfers.views import transfer_page as one_page

ZOE, TOM = ("Zoé Petit", "zoe@ailleurs.example"), ("", "tom@ailleurs.example")
MAIL = {"system_address": "Lycée <info@lycee.example>", "system_password": "x", "public_url": "https://mail.lycee.example"}


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", recovery_address="off", language="en", **MAIL) as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return ground.person(app)


@pytest.fixture
def settings(app: Flask) -> Settings:
    return app.extensions["settings"]


def user(local: str = "alice") -> User:
    return User.get(User.address == f"{local}@lycee.example")


def sent(settings: Settings, *, subject: str = "", local: str = "alice", recipients=(ZOE, TOM), **how: object) -> Transfer:
    files = how.pop("files", {"photos/plage.jpg": b"x" * 3000, "b.txt": b"b"})
    made = published(user(local), files, settings, recipients=recipients, **how)
    Transfer.update(subject=subject).where(Transfer.id == made.id).execute()
    return Transfer.get_by_id(made.id)


def arrived(settings: Settings, name: str = "Léa", title: str = "Devoir 3") -> Transfer:
    asked = FileRequest.get_or_none(FileRequest.title == title)
    asked = asked or requests.make(user(), Wishes(title), "fr", settings)
    asked = asked[0] if isinstance(asked, tuple) else asked
    transfer = store.create(user(), settings, request=asked)
    put_file(transfer, "devoir.pdf", b"%PDF", settings)
    Transfer.update(guest_name=name, guest_address="lea@ailleurs.example").where(Transfer.id == transfer.id).execute()
    transfer = Transfer.get_by_id(transfer.id)
    store.publish(transfer, TransferOptions(), now() + timedelta(days=9), [], settings)
    return transfer


def act(visitor: Visitor, path: str, action: str) -> Page:
    """A form of another page, sent to this address."""
    token = visitor.get("/transfers").all("[name=csrf_token]")[0]["value"]
    return visitor.post(path, {"csrf_token": token, "action": action})


def titles(page) -> list[str]:
    return [one.get_text(" ", strip=True) for one in page.all(".transfer-list .what > a")]


# --- the list --------------------------------------------------------------------------------------------------------


def test_an_empty_list_says_what_it_is_for(alice):
    page = alice.get("/transfers")
    assert "too large for a message" in page.one(".empty").get_text() and page.link("Send files") == "/transfers/new"
    assert "Nothing has arrived" in alice.get("/transfers?show=received").one(".empty").get_text()


def test_each_part_of_the_list_has_its_own(alice, settings):
    sent(settings, subject="Sortie")
    open_one = store.create(user(), settings)
    put_file(open_one, "film.mp4", b"f", settings)
    arrived(settings)
    assert titles(alice.get("/transfers")) == ["Sortie"]
    received = alice.get("/transfers?show=received")
    assert titles(received) == ["Léa"] and "Devoir 3" in received.one(".transfer-list").get_text()
    unfinished = alice.get("/transfers?show=unfinished")
    assert titles(unfinished) == ["film.mp4"]
    assert unfinished.one(".transfer-list .what a")["href"] == f"/transfers/new?of={open_one.id}"


def test_without_a_subject_the_files_name_it(alice, settings):
    sent(settings, files={f"{number}.txt": b"1" for number in range(5)})
    assert titles(alice.get("/transfers")) == ["0.txt, 1.txt, 2.txt and 2 others"]


def test_it_is_searched_and_sorted(alice, settings):
    sent(settings, subject="Zèbres", recipients=[ZOE], files={"a.bin": b"1"})
    sent(settings, subject="Anes", recipients=[TOM], files={"foin.txt": b"1" * 500})
    for words, found in (
        ("foin", ["Anes"]),
        ("ZOE@", ["Zèbres"]),
        ("zèbres", ["Zèbres"]),
        ("100%", []),
        ("es", ["Anes", "Zèbres"]),
    ):
        assert sorted(titles(alice.get(f"/transfers?words={words.replace('%', '%25')}"))) == found
    assert titles(alice.get("/transfers?sort=name")) == ["Anes", "Zèbres"]
    assert titles(alice.get("/transfers?sort=size"))[0] == "Anes"
    assert titles(alice.get("/transfers?sort=date")) == ["Anes", "Zèbres"] == titles(alice.get("/transfers?sort=<x>"))
    assert titles(alice.get("/transfers?sort=end")) == ["Zèbres", "Anes"]


def test_a_page_beyond_the_last_leads_to_it(alice, settings):
    for subject in ("Zèbres", "Anes"):
        sent(settings, subject=subject)
    assert titles(alice.get("/transfers?page=9&sort=name")) == ["Anes", "Zèbres"]
    assert titles(alice.get("/transfers?page=9&sort=end&words=bres")) == ["Zèbres"]


def test_how_each_stands_is_said(alice, settings):
    ready, held, coming, over = (sent(settings, files={f"{name}.txt": name.encode()}) for name in "abcd")
    for transfer, state in ((held, ContentState.REFUSED), (coming, ContentState.UPLOADING)):
        contents = TransferFile.select(TransferFile.content).where(TransferFile.transfer == transfer)
        StoredContent.update(state=state).where(StoredContent.id << contents).execute()
    store.close(over, "date")
    TransferRecipient.update(downloads=1).where(TransferRecipient.transfer == ready).execute()
    page = alice.get("/transfers")
    words = {one["data-transfer"]: one.get_text(" ", strip=True) for one in page.all("[data-transfer]")}
    assert "until" in words[str(ready.id)] and "2 have downloaded" in words[str(ready.id)]
    assert "a file was refused" in words[str(held.id)] and "being uploaded" in words[str(coming.id)]
    assert "ended on" in words[str(over.id)]


def test_what_is_used_is_told(alice, settings):
    sent(settings, files={"a.bin": b"x" * 2048})
    assert alice.get("/transfers").one(".used").get_text(strip=True).replace("\xa0", " ") == "2 KB of 50 GB used."


def test_files_in_mail_and_behind_links_stand_side_by_side(alice):
    assert [one.get_text(strip=True) for one in alice.get("/transfers").all("nav.tabs a")] == ["Attachments", "Large files"]


# --- one -------------------------------------------------------------------------------------------------------------


def test_one_shows_its_link_files_and_people(alice, settings):
    transfer = sent(settings, subject="Sortie")
    page = alice.get(f"/transfers/{transfer.id}")
    link = f"https://mail.lycee.example/t/{store.link_token(transfer, settings)}"
    assert page.one("[data-transfer-link]").get_text(strip=True) == link == page.one("[data-transfer-link]")["href"]
    text = page.one("main").get_text(" ", strip=True)
    assert "photos/plage.jpg" in text and TOM[1] in text
    assert TransferFile.get().content.sha256 in [one.get_text() for one in page.all("details:not([open]) .hash")]


@pytest.mark.parametrize("path", ["", "/trail", "/trail.csv"])
def test_another_persons_is_not_there(alice, app, settings, path):
    ground.add("bob@lycee.example")
    theirs = sent(settings, local="bob")
    assert alice.get(f"/transfers/{theirs.id}{path}").status == 404


def test_nobody_changes_another_persons(alice, app, settings):
    ground.add("bob@lycee.example")
    theirs, mine = sent(settings, local="bob"), sent(settings)
    person, file = TransferRecipient.get(TransferRecipient.transfer == theirs), TransferFile.get(TransferFile.transfer == theirs)
    for number in (theirs.id, mine.id):
        if number == theirs.id:
            assert act(alice, f"/transfers/{number}", "close").status == 404
        assert act(alice, f"/transfers/{number}/people/{person.id}", "remove").status == 404
        assert act(alice, f"/transfers/{number}/files/{file.upload}", "remove").status == 404
    assert store.is_offered(Transfer.get_by_id(theirs.id))


def test_it_is_closed_and_that_is_taken_back(alice, settings):
    transfer = sent(settings)
    page = alice.submit(alice.get(f"/transfers/{transfer.id}"), ".page-end", action="close")
    assert not store.is_offered(Transfer.get_by_id(transfer.id)) and "closed" in page.notices
    page = alice.submit(page, "#notices form")
    assert store.is_offered(Transfer.get_by_id(transfer.id)) and "reopened" in page.notices


def test_what_is_gone_does_not_come_back(alice, settings):
    transfer = sent(settings)
    store.close(transfer, "owner")
    Transfer.update(closed=now() - timedelta(minutes=12)).execute()
    store.sweep(settings)
    page = alice.get(f"/transfers/{transfer.id}")
    assert "files are deleted" in page.one(".notice-plain").get_text() and not page.all("[data-transfer-link]")
    assert "already been deleted" in act(alice, f"/transfers/{transfer.id}", "reopen").notices


def test_the_date_is_changed_within_bounds(alice, settings):
    transfer = sent(settings)
    page = alice.get(f"/transfers/{transfer.id}")
    later = (now() + timedelta(days=30)).date().isoformat()
    page = alice.submit(page, "#until form", until=later, action="extend")
    assert Transfer.get().expires.date().isoformat() in (later, (now() + timedelta(days=29)).date().isoformat())
    day = f"{date.fromisoformat(later):%A %-d %B %Y}"  # not the day after, which begins as it ends
    assert f"until {day}" in page.notices and f"Date changed to {day}" in page.one(".trail").get_text()
    assert page.one("#until-day")["value"] == later
    for bad in ("2020-01-01", "2099-01-01", "soon", ""):
        page = alice.submit(page, "#until form", until=bad, action="extend")
        assert page.status == 422 and page.one("#until-error").get_text()
        assert "Nothing has been saved yet." in page.one("main > .notice-danger").get_text()


def test_people_are_added_removed_and_put_back(alice, settings):
    transfer = sent(settings, recipients=[ZOE])
    page = alice.submit(alice.get(f"/transfers/{transfer.id}"), "#people form.form", to="Ida <ida@ailleurs.example>, ZOE@ailleurs.example",
                        action="add")  # fmt: skip
    assert "1 person" in page.notices
    assert {row.recipient for row in SystemMessage.select()} == {ZOE[1], "ida@ailleurs.example"}
    ida = TransferRecipient.get(TransferRecipient.address == "ida@ailleurs.example")
    assert ida.name == "Ida"
    page = alice.submit(page, f"[data-recipient='{ida.id}'] form", action="remove")
    token = store.recipient_token(ida, settings)
    assert store.by_token(token) is None and "no longer works" in page.notices
    alice.submit(page, "#notices form")
    assert store.by_token(token) is not None


def test_nobody_is_told_that_a_link_works_which_is_over(alice, settings):
    transfer = sent(settings, recipients=[ZOE])
    page = alice.submit(alice.get(f"/transfers/{transfer.id}"), "[data-recipient] form", action="remove")
    store.close(transfer, "date")
    assert "works again" not in alice.submit(page, "#notices form").notices


def test_nobody_gets_a_link_whom_its_sender_may_not_write_to(alice, settings):
    policies.set_own(User.get(User.address == "alice@lycee.example"), Policy(writes_to="inside"))
    transfer, typed = sent(settings), "alice@lycee.example, ida@ailleurs.example"
    page = alice.submit(alice.get(f"/transfers/{transfer.id}"), "#people form.form", to=typed, action="add")
    assert page.status == 422 and page.one("#to")["value"] == typed
    assert "Remove ida@ailleurs.example" in page.one("#to-error").get_text() and not SystemMessage.select().exists()


def test_a_bad_address_keeps_what_was_typed(alice, settings):
    transfer = sent(settings)
    page = alice.submit(
        alice.get(f"/transfers/{transfer.id}"), "#people form.form", to="ida@ailleurs.example, nobody", action="add"
    )
    assert (
        page.status == 422
        and page.one("#to")["value"] == "ida@ailleurs.example, nobody"
        and "nobody" in page.one("#to-error").get_text()
    )


def test_the_link_is_sent_again_and_people_are_reminded(alice, settings):
    transfer = sent(settings, recipients=[ZOE])
    TransferRecipient.update(notified=now() - timedelta(days=2)).execute()
    page = alice.get(f"/transfers/{transfer.id}")
    page = alice.submit(page, "[data-recipient] form", action="remind")
    assert "Reminder sent to" in page.notices
    page = alice.submit(page, "[data-recipient] form", action="remind")
    assert "less than a day ago" in page.notices
    page = alice.submit(page, "[data-recipient] form", action="again")
    assert "Link sent to" in page.notices and SystemMessage.select().count() == 2


def test_a_file_is_removed_but_not_the_last(alice, settings):
    transfer = sent(settings)
    trail.note(transfer, EventKind.DOWNLOADED, file=store.files(transfer)[0])
    page = alice.submit(alice.get(f"/transfers/{transfer.id}"), ".file-list li:first-child form", action="remove")
    assert "Somebody who has the link downloaded photos/plage.jpg" in page.one("main").get_text()
    assert [one.path for one in store.files(transfer)] == ["b.txt"] and "plage.jpg" in page.notices
    assert not page.all(".file-list form")
    last = TransferFile.get().upload
    assert "only file" in act(alice, f"/transfers/{transfer.id}/files/{last}", "remove").notices


def test_a_refused_file_stands_first_where_it_can_be_removed(alice, settings, monkeypatch):
    monkeypatch.setattr(one_page, "_MOST_FILES", 2)
    transfer = sent(settings, files={"a.txt": b"a", "b.txt": b"b", "c.txt": b"c"})
    bad = store.files(transfer)[2]
    StoredContent.update(state=ContentState.REFUSED).where(StoredContent.id == bad.content_id).execute()
    page = alice.get(f"/transfers/{transfer.id}")
    assert [row.get_text(strip=True) for row in page.all(".file-list .what > span")] == ["c.txt", "a.txt"]


def test_what_is_over_says_since_when(alice, settings):
    transfer = sent(settings)
    store.close(transfer, "date")
    Transfer.update(closed=datetime(2026, 11, 3, 12)).execute()
    assert "Ended on 3 Nov." in alice.get(f"/transfers/{transfer.id}").one(".notice").get_text()


def test_what_arrived_says_who_claims_to_have_sent_it(alice, settings):
    transfer = arrived(settings)
    page = alice.get(f"/transfers/{transfer.id}")
    text = page.one("main").get_text(" ", strip=True)
    assert "From Léa" in text and "not verified" in text and "Devoir 3" in text and not page.all("#people")
    assert page.one("#files form")["action"] == f"/t/{store.link_token(transfer, settings)}"  # one file: one button for it
    put_file(transfer, "b.txt", b"b", settings)
    page = alice.get(f"/transfers/{transfer.id}")
    assert len(page.all(".file-list form button[name=file]")) == 2 and page.one("#files button[value=all]")


def test_the_trail_is_a_page_and_a_table_without_formulas(alice, settings):
    transfer = sent(settings, files={"=cmd|x.txt": b"1", "b.txt": b"2"})
    file = store.files(transfer)[0]
    trail.note(transfer, EventKind.DOWNLOADED, recipient=TransferRecipient.get(TransferRecipient.address == ZOE[1]), file=file)
    for kind in EventKind:
        trail.note(transfer, kind, detail="=1+1")
    page = alice.get(f"/transfers/{transfer.id}/trail")
    assert f"{ZOE[1]} downloaded =cmd_x.txt" in page.one(".trail").get_text()
    answer = alice.get(f"/transfers/{transfer.id}/trail.csv")
    rows = list(csv.reader(io.StringIO(answer.response.get_data(as_text=True).removeprefix("\ufeff"), newline="")))
    assert rows[2][1:4] == ["downloaded", ZOE[1], "'=cmd_x.txt"] and rows[2][0].endswith("Z")
    assert not [cell for row in rows for cell in row if cell.startswith("=")]


def test_a_file_that_was_removed_keeps_its_name_in_the_column_of_files(alice, settings):
    transfer = sent(settings)
    trail.note(transfer, EventKind.DOWNLOADED, detail="plage.jpg")
    trail.note(transfer, EventKind.FILE_REMOVED, detail="plage.jpg")
    answer = alice.get(f"/transfers/{transfer.id}/trail.csv")
    rows = list(csv.reader(io.StringIO(answer.response.get_data(as_text=True), newline="")))
    assert [(row[1], row[3], row[4]) for row in rows[2:]] == [("downloaded", "plage.jpg", ""), ("file-removed", "plage.jpg", "")]


def test_a_search_without_a_find_and_a_draft_without_files_count_nothing(alice, settings):
    sent(settings, subject="Sortie")
    store.create(user(), settings)
    found = alice.get("/transfers?words=zzz").one("main [role=status]").get_text(" ", strip=True)
    assert "No transfer with “zzz”" in found and "0" not in found
    row = alice.get("/transfers?show=unfinished").one(".transfer-list .what").get_text(" ", strip=True)
    assert "not sent yet" in row and "0 files" not in row


def test_a_day_that_ends_with_a_full_stop_gets_no_second_one(app, alice, settings):
    transfer = sent(settings)
    store.close(transfer, "owner")
    Transfer.update(closed=datetime(2026, 11, 28, 9, 0)).where(Transfer.id == transfer.id).execute()
    told = ground.signed_in(app, language="fr").get(f"/transfers/{transfer.id}").one("main .notice").get_text(" ", strip=True)
    assert "Fermé le 28 nov. Plus personne" in " ".join(told.split())


@pytest.mark.parametrize(
    ("form", "typed", "field"),
    [
        ("#people form.form", {"to": "zoe at home", "action": "add"}, "to"),
        ("#until form", {"until": "2020-01-01", "action": "extend"}, "until-day"),
    ],
)
def test_a_refused_form_leads_to_the_field(alice, settings, form, typed, field):
    page = alice.submit(alice.get(f"/transfers/{sent(settings).id}"), form, **typed)
    assert page.status == 422 and [one["id"] for one in page.all("[autofocus]")] == [field]


def test_a_link_that_holds_the_key_is_not_shown_again(alice, settings):
    transfer = sent(settings, link_key=b"k" * 32)
    page = alice.get(f"/transfers/{transfer.id}")
    assert not page.all("[data-transfer-link]") and "can’t be shown again" in page.one("main").get_text()
    assert not page.all("button[value=remind]")


def test_an_unfinished_one_leads_to_where_it_is_put_together(alice, settings):
    made = store.create(user(), settings)
    assert alice.get(f"/transfers/{made.id}", follow=False).headers["Location"] == f"/transfers/new?of={made.id}"


def test_nothing_of_it_is_there_where_it_is_off(tmp_path):
    with ground.application(tmp_path / "instance", recovery_address="off", language="en", transfers={"on": False}) as app:
        alice = ground.person(app)
        assert alice.get("/transfers").status == 404 == alice.get("/transfers/1").status


def test_ones_own_data_has_names_people_and_what_happened_but_no_link(alice, app, settings):
    transfer = sent(settings, subject="Sortie")
    ground.add("bob@lycee.example")
    sent(settings, subject="Autre", local="bob")
    trail.note(transfer, EventKind.DOWNLOADED, recipient=TransferRecipient.get(), file=store.files(transfer)[0])
    text = "".join(exported_tables.transfers_of(user()))
    (told,) = json.loads(text)
    assert told["subject"] == "Sortie" and [one["path"] for one in told["files"]] == ["photos/plage.jpg", "b.txt"]
    assert {one["address"] for one in told["recipients"]} == {ZOE[1], TOM[1]}
    assert (told["trail"][-1]["recipient"], told["trail"][-1]["file"]) == (ZOE[1], "photos/plage.jpg")
    secrets = {row.nonce for row in Transfer.select()} | {row.link_hash for row in TransferRecipient.select()}
    assert not any(secret in text for secret in secrets)
