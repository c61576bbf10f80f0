"""Actions on selections: all that match, several mailboxes, thousands of messages, files; what is said and taken back."""

from __future__ import annotations

import io
import mailbox as mailboxes
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from imapclient import IMAPClient

from tests.support.messages import message
from tests.support.settings_pages import choose
from tests.support.visits import Page, Visitor
from webmail import imap
from webmail.database.connection import db
from webmail.errors import ServerAwayError
from webmail.imap.connections.connection import Command, Connection
from webmail.mailbox import export
from webmail.models import Undo

Fill = Callable[..., list[int]]
ImapOf = Callable[[str], IMAPClient]
FORM = "form#messages"


def boxes(page: Page, *subjects: str) -> list[str]:
    """What the boxes of the rows with these subjects send."""
    rows = {row.select_one(".s a").get_text(): row.select_one("[name=uids]")["value"] for row in page.all("[data-row]")}
    return [str(rows[subject]) for subject in subjects]


def undo(person: Visitor, page: Page) -> Page:
    return person.submit(page, "#notices form")


def test_a_copy_is_made_and_taken_back(person: Visitor, fill: Fill, imap_of: ImapOf) -> None:
    imap_of(person.address).create_folder("Projets")
    fill(person, message("Un"), message("Deux"))
    inbox = person.get("/mailbox/INBOX")
    after = person.submit(inbox, FORM, action="copy", to="Projets", uids=boxes(inbox, "Un", "Deux"))
    assert "2 messages copied to Projets" in after.notices and len(after.rows) == 2
    assert set(person.get("/mailbox/Projets").rows) == {"Un", "Deux"}
    assert "Undone for 2 messages" in undo(person, after).notices
    assert person.get("/mailbox/Projets").rows == [] and len(person.get("/mailbox/INBOX").rows) == 2


@pytest.mark.parametrize("way", [{"action": "junk"}, {"action": "move", "to": "Junk"}])
def test_an_undone_junk_is_no_word_on_what_it_is(person: Visitor, fill: Fill, imap_of: ImapOf, way: dict[str, str]) -> None:
    uids = fill(person, message("Un"), message("Deux"))
    client = imap_of(person.address)
    client.select_folder("INBOX")
    client.add_flags(uids[1:], ["$NotJunk"])
    inbox = person.get("/mailbox/INBOX")
    moved = person.submit(inbox, FORM, uids=boxes(inbox, "Un", "Deux"), **way)
    assert "Undone for 2 messages" in undo(person, moved).notices
    client.select_folder("INBOX")
    flags = {
        values[b"ENVELOPE"].subject: set(values[b"FLAGS"])
        for values in client.fetch(client.search(), ["FLAGS", "ENVELOPE"]).values()
    }
    assert b"$NotJunk" not in flags[b"Un"] and b"$NotJunk" in flags[b"Deux"]
    assert all(b"$Junk" not in each for each in flags.values())


def test_a_selection_over_several_mailboxes_is_one_action_and_one_undo(person: Visitor, fill: Fill, imap_of: ImapOf) -> None:
    client = imap_of(person.address)
    client.create_folder("Classe 2.b")
    fill(person, message("Sortie un"), message("Autre"))
    fill(person, message("Sortie deux"), mailbox="Classe 2.b")
    person.get("/mailbox/INBOX", reload=True)  # a folder of another program is known then
    found = person.get("/mailbox/INBOX?query=subject:Sortie&scope=all")
    assert sorted(found.rows) == ["Sortie deux", "Sortie un"]
    after = person.submit(found, FORM, action="archive", uids=boxes(found, "Sortie un", "Sortie deux"))
    assert "2 messages archived" in after.notices
    assert sorted(person.get("/mailbox/Archive").rows) == ["Sortie deux", "Sortie un"]
    assert "Undone for 2 messages" in undo(person, after).notices
    assert person.get("/mailbox/Classe%202.b").rows == ["Sortie deux"]
    assert sorted(person.get("/mailbox/INBOX").rows) == ["Autre", "Sortie un"]


def test_all_that_match_everywhere(person: Visitor, fill: Fill, imap_of: ImapOf) -> None:
    imap_of(person.address).create_folder("Projets")
    fill(person, message("Sortie un"), message("Autre"))
    fill(person, message("Sortie deux"), mailbox="Projets")
    fill(person, message("Sortie jetée"), mailbox="Trash")
    person.get("/mailbox/INBOX", reload=True)
    found = person.get("/mailbox/INBOX?query=subject:Sortie&scope=all&select=all")
    after = person.submit(found, FORM, action="flag")
    assert "2 messages flagged" in after.notices
    assert person.get("/mailbox/Trash").all(".f .on") == []
    assert "Undone for 2 messages" in undo(person, after).notices


def test_everything_is_marked_as_read_at_once(person: Visitor, fill: Fill) -> None:
    fill(person, message("Un"), message("Deux"))
    inbox = person.get("/mailbox/INBOX")
    assert "Mark all as read" in inbox.text
    after = person.submit(inbox, FORM, action="readall")
    assert "2 messages marked as read" in after.notices and after.all("tr.u") == []
    assert "Mark all as read" not in after.text
    assert "already read" in person.submit(inbox, FORM, action="readall").notices
    assert len(undo(person, after).all("tr.u")) == 2


@pytest.mark.parametrize(
    ("by", "folders"), [("year", {"Archive/2025", "Archive/2026"}), ("month", {"Archive/2025/12", "Archive/2026/01"})]
)
def test_the_archive_by_date(person: Visitor, imap_of: ImapOf, by: str, folders: set[str]) -> None:
    client = imap_of(person.address)
    for subject, when in (("Ancien", datetime(2025, 12, 31, 12, tzinfo=UTC)), ("Nouveau", datetime(2026, 1, 1, 12, tzinfo=UTC))):
        client.append("INBOX", bytes(message(subject)), msg_time=when)
    choose(person, archive_by=by)
    inbox = person.get("/mailbox/INBOX")
    after = person.submit(inbox, FORM, action="archive", uids=boxes(inbox, "Ancien", "Nouveau"))
    assert "2 messages archived" in after.notices and after.rows == []
    assert folders <= {name for _flags, _delimiter, name in client.list_folders()}
    assert [person.get(f"/mailbox/{name}").rows for name in sorted(folders)] == [["Ancien"], ["Nouveau"]]
    assert set(undo(person, after).rows) == {"Ancien", "Nouveau"}
    again = person.submit(inbox, FORM, action="archive", uids=boxes(person.get("/mailbox/INBOX"), "Ancien", "Nouveau"))
    assert "2 messages archived" in again.notices  # the folders are there by now


def test_deleting_everything_from_the_trash_asks_without_naming_each(person: Visitor, fill: Fill) -> None:
    fill(person, *(message(f"M{n}") for n in range(60)), mailbox="Trash")
    trash = person.get("/mailbox/Trash?select=all")
    asked = person.submit(trash, FORM, action="delete")
    assert "Delete 60 messages for good?" in asked.text and asked.headers["HX-Push-Url"] == "false"
    assert asked.all("[name=uids]") == [] and asked.one("main [name=all]")
    fill(person, message("Arrivé entre-temps"), mailbox="Trash")
    again = person.submit(asked, "main form", action="destroy")  # nothing is deleted that was not asked about
    assert "Delete 61 messages for good?" in again.text
    after = person.submit(again, "main form", action="destroy")
    assert after.rows == [] and "61 messages deleted for good" in after.notices


@pytest.mark.parametrize("sure", ["", "x" * 32, None])
def test_nothing_is_deleted_for_good_that_was_not_asked_about(person: Visitor, fill: Fill, sure: str | None) -> None:
    fill(person, message("Un"))
    inbox = person.get("/mailbox/INBOX")
    asked = person.submit(inbox, FORM, action="destroy", sure=sure, uids=boxes(inbox, "Un"))
    assert "Delete 1 message for good?" in asked.text
    assert person.get("/mailbox/INBOX").rows == ["Un"]


def filled(person: Visitor, client: IMAPClient, number: int) -> Visitor:
    client.append("INBOX", bytes(message("Sortie")))
    client.select_folder("INBOX")
    client.create_folder("Projets")
    total = 1
    while total < number:  # doubled by copies: quicker than so many APPEND
        count = min(total, number - total)
        client._imap.uid("COPY", f"1:{count}", "INBOX")
        total += count
        client.noop()
    return person


@pytest.fixture
def five_thousand(person: Visitor, imap_of: ImapOf) -> Visitor:
    return filled(person, imap_of(person.address), 5_000)


@pytest.fixture
def thousand(person: Visitor, imap_of: ImapOf) -> Visitor:
    return filled(person, imap_of(person.address), 1_000)


@pytest.fixture
def moves(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The UID MOVE commands that are sent."""
    run, found = Connection.run, []

    def noted(self: Connection, *commands: Command) -> Any:
        found.extend(b" ".join(command) for command in commands if command[0] == b"UID MOVE")
        return run(self, *commands)

    monkeypatch.setattr(Connection, "run", noted)
    return found


def test_a_thousand_messages_go_and_come_back_by_one_command_each(thousand: Visitor, moves: list[bytes]) -> None:
    after = thousand.submit(thousand.get("/mailbox/INBOX?select=all"), FORM, action="move", to="Projets")
    assert "1000 messages moved to Projets" in after.notices and after.rows == []
    back = undo(thousand, after)
    assert "Undone for 1000 messages" in back.notices and len(back.rows) == 50
    assert thousand.get("/mailbox/Projets").rows == []
    assert [command.split()[2] for command in moves] == [b"1:1000", b"1:1000"]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the server's answer to each command that moves arrives; the command is carried out all the same. Pieces of 400."""
    run, coming = Connection.run, list[bool]()

    def heard(self: Connection, *commands: Command) -> Any:
        answer = run(self, *commands)
        if commands[0][0] == b"UID MOVE" and coming and not coming.pop(0):
            self.in_step = False
            raise ServerAwayError("timed out")
        return answer

    monkeypatch.setattr(Connection, "run", heard)
    monkeypatch.setattr(imap.actions, "_MOST_AT_ONCE", 400)
    return coming


def test_a_move_whose_answer_is_lost_is_not_said_to_have_failed(thousand: Visitor, answers: list[bool]) -> None:
    answers[:] = [True, False]
    after = thousand.submit(thousand.get("/mailbox/INBOX?select=all"), FORM, action="move", to="Projets")
    assert "400 messages moved to Projets. The mail server did not answer in time for the rest" in after.notices
    assert len(thousand.get("/mailbox/INBOX?select=all").rows) == 50  # the third piece was not begun: 200 are left
    assert "Undone for 400 messages" in undo(thousand, after).notices

    answers[:] = [False]
    page = thousand.get("/mailbox/INBOX?select=all")
    lost = thousand.submit(page, FORM, action="move", to="Projets")
    assert lost.status == 502 and "It may still do what you asked" in lost.text


def test_an_undo_that_stops_partway_says_so_and_is_offered_again(thousand: Visitor, answers: list[bool]) -> None:
    after = thousand.submit(thousand.get("/mailbox/INBOX?select=all"), FORM, action="move", to="Projets")
    answers[:] = [True, False]
    half = undo(thousand, after)
    assert "Undone for 400 messages. The mail server did not answer in time for the rest" in half.notices
    whole = undo(thousand, half)
    assert "Undone for 200 messages" in whole.notices  # the others had come back, unheard
    assert thousand.get("/mailbox/Projets").rows == []
    assert "nothing to undo" in undo(thousand, half).notices


def test_an_action_that_would_take_too_long_leaves_the_rest(thousand: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap.actions, "_MOST_AT_ONCE", 400)
    monkeypatch.setattr(imap.actions, "_ALTOGETHER", 0.001)
    after = thousand.submit(thousand.get("/mailbox/INBOX?select=all"), FORM, action="move", to="Projets")
    assert "400 messages moved to Projets. This takes the mail server a long time" in after.notices
    assert "Undone for 400 messages" in undo(thousand, after).notices


def test_five_thousand_messages_in_one_action(five_thousand: Visitor) -> None:
    person = five_thousand
    page = person.get("/mailbox/INBOX?select=all")
    for action, words in (("read", "5,000 messages|5000 messages"), ("move", "moved to Projets")):
        began = time.monotonic()
        after = person.submit(page, FORM, action=action, to="Projets")
        assert any(word in after.notices for word in words.split("|")), after.notices
        assert time.monotonic() - began < 60  # 1 on the machine it was written on
    fields = after.one("#notices form")
    assert len(str(fields)) < 1000
    assert after.rows == []
    back = undo(person, after)
    assert "Undone for 5000 messages" in back.notices and len(back.rows) == 50
    assert person.get("/mailbox/Projets").rows == []


def test_scattered_thousands_are_cut_into_commands(five_thousand: Visitor, imap_of: ImapOf) -> None:
    client = imap_of(five_thousand.address)
    client.select_folder("INBOX")
    client._imap.uid("STORE", ",".join(str(uid) for uid in range(1, 5001, 2)), "+FLAGS.SILENT", "(\\Flagged)")
    page = five_thousand.get("/mailbox/INBOX?query=is:flagged&select=all")
    after = five_thousand.submit(page, FORM, action="unflag")
    assert "Flag removed from 2500 messages" in after.notices
    assert "Undone for 2500 messages" in undo(five_thousand, after).notices


# --- what is taken back, and whose it is ----------------------------------------------------------------------------


def test_after_a_large_undo_the_list_is_still_newest_first(person: Visitor, imap_of: ImapOf) -> None:
    """What comes back has the highest UIDs, and more of it than a page could sort."""
    client = imap_of(person.address)
    for number in range(60):
        client.append("INBOX", bytes(message(f"Vieux {number:02}")), ["\\Seen"], datetime(2024, 3, 1, 12, number, tzinfo=UTC))
    client.append("INBOX", bytes(message("Neuf")), ["\\Seen"], datetime(2026, 3, 1, tzinfo=UTC))
    found = person.get("/mailbox/INBOX?query=subject:Vieux&select=all")
    undo(person, person.submit(found, FORM, action="archive"))
    rows = person.get("/mailbox/INBOX").rows
    assert rows[:3] == ["Neuf", "Vieux 59", "Vieux 58"] and len(rows) == 50
    assert person.get("/mailbox/INBOX?page=2").rows[-1] == "Vieux 00"


def test_somebody_elses_undo_does_nothing(app: Flask, person: Visitor, make_account: Callable[..., str], fill: Fill) -> None:
    fill(person, message("Un"))
    inbox = person.get("/mailbox/INBOX")
    after = person.submit(inbox, FORM, action="archive", uids=boxes(inbox, "Un"))
    name = after.one("#notices [name=undo]")["value"]
    other = Visitor(app, make_account()).sign_in()
    token = other.get("/mailbox/INBOX").soup.select_one("[name=csrf_token]")["value"]
    page = other.post("/undo", {"undo": name, "csrf_token": token})
    assert "nothing to undo" in page.notices
    assert undo(person, after).rows == ["Un"]
    assert "nothing to undo" in undo(person, after).notices  # twice does nothing


@pytest.mark.parametrize("name", ["", "x", "0" * 32, "../../etc"])
def test_an_unknown_undo_does_nothing(person: Visitor, name: str) -> None:
    token = person.get("/mailbox/INBOX").soup.select_one("[name=csrf_token]")["value"]
    assert "nothing to undo" in person.post("/undo", {"undo": name, "csrf_token": token}).notices


def test_only_the_last_few_are_kept(app: Flask, person: Visitor, fill: Fill) -> None:
    fill(person, message("Un"))
    inbox = person.get("/mailbox/INBOX")
    for action in ("flag", "unflag") * 4:
        person.submit(inbox, FORM, action=action, uids=boxes(inbox, "Un"))
    with db.connection_context():
        kept = [row for row in Undo.select() if row.user.address == person.address]
    assert len(kept) == 5


def test_what_failed_half_way_is_said_and_the_done_half_can_be_undone(person: Visitor, fill: Fill, imap_of: ImapOf) -> None:
    imap_of(person.address).create_folder("Projets")
    (uid,) = fill(person, message("Un"))
    inbox = person.get("/mailbox/INBOX")
    here = boxes(inbox, "Un")[0]
    gone = f"{uid}.1234567.Projets"  # a mailbox that was made anew since
    after = person.submit(inbox, FORM, action="archive", uids=[here, gone])
    assert "1 message archived. The mail server stopped partway: 2 messages were selected." in after.notices
    assert undo(person, after).rows == ["Un"]


# --- files ----------------------------------------------------------------------------------------------------------


def saved(person: Visitor, page: Page, kind: str, *subjects: str) -> bytes:
    asked = person.submit(page, FORM, action="export", uids=boxes(page, *subjects))
    assert asked.one("main form")["hx-boost"] == "false"
    answer = person.submit(asked, "main form", kind=kind).response
    assert answer.status_code == 200 and answer.headers["Content-Disposition"].startswith(
        f'attachment; filename="messages.{kind}"'
    )
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    return bytes(answer.data)


@pytest.mark.parametrize("compressed", [0, export.MOST_COMPRESSED])
def test_a_zip_holds_each_message_as_it_is(
    person: Visitor, fill: Fill, imap_of: ImapOf, monkeypatch: pytest.MonkeyPatch, compressed: int
) -> None:
    monkeypatch.setattr(export, "MOST_COMPRESSED", compressed)
    big = message("Gros/.. <dossier>", "x" * 1_500_000)
    uids = fill(person, message("Un"), big)
    archive = zipfile.ZipFile(io.BytesIO(saved(person, person.get("/mailbox/INBOX"), "zip", "Un", "Gros/.. <dossier>")))
    client = imap_of(person.address)
    client.select_folder("INBOX", readonly=True)
    raw = {values[b"BODY[]"] for values in client.fetch(uids, ["BODY.PEEK[]"]).values()}
    assert {archive.read(name) for name in archive.namelist()} == raw
    assert archive.testzip() is None
    assert all(bool(entry.compress_type) == bool(compressed) for entry in archive.infolist())
    assert all("/" not in name and ".." not in name and name.endswith(".eml") for name in archive.namelist())


def test_an_mbox_is_read_by_other_programs(person: Visitor, fill: Fill, tmp_path: Path) -> None:
    fill(person, message("Un", "From here\nto there\n>From x"), message("Deux"))
    file = tmp_path / "mbox"
    file.write_bytes(saved(person, person.get("/mailbox/INBOX"), "mbox", "Un", "Deux"))
    found = list(mailboxes.mbox(str(file)))
    assert sorted(one["Subject"] for one in found) == ["Deux", "Un"]
    assert b"\n>From here\nto there\n>>From x" in file.read_bytes() and b"\r" not in file.read_bytes()


def test_what_takes_long_is_left_to_a_worker(person: Visitor, fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(person, message("Un"), message("Deux"))
    asked = person.submit(person.get("/mailbox/INBOX?select=all"), FORM, action="export")
    for name, value in (("MOST_MESSAGES", 1), ("MOST_BYTES", 100)):
        with monkeypatch.context() as patch:
            patch.setattr(export, name, value)
            assert "continues in the background" in person.submit(asked, "main form", kind="zip").notices
    assert "Select messages first" in person.submit(asked, "main form", kind="exe").notices


def test_a_full_disk_is_said(person: Visitor, fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    fill(person, message("Un"))
    asked = person.submit(person.get("/mailbox/INBOX?select=all"), FORM, action="export")
    monkeypatch.setattr(export, "write", full)
    assert "have enough space for this file" in person.submit(asked, "main form", kind="zip").notices


def test_what_is_gone_already_is_not_said_to_be_done(person: Visitor, fill: Fill) -> None:
    fill(person, message("Un"), message("Deux"))
    inbox = person.get("/mailbox/INBOX")
    person.submit(inbox, FORM, action="archive", uids=boxes(inbox, "Un"))
    after = person.submit(inbox, FORM, action="delete", uids=boxes(inbox, "Un"))
    assert "Nothing to change" in after.notices
    after = person.submit(inbox, FORM, action="delete", uids=boxes(inbox, "Un", "Deux"))
    assert "1 message moved to the trash" in after.notices


def test_the_memory_stays_small_whatever_the_file(person: Visitor, fill: Fill) -> None:
    import tracemalloc

    fill(person, *(message(f"Gros {n}", "y" * 3_000_000) for n in range(8)))
    asked = person.submit(person.get("/mailbox/INBOX?select=all"), FORM, action="export")
    tracemalloc.start()
    try:
        form = asked.one("main form")
        data = {field["name"]: field.get("value", "") for field in form.select("input[type=hidden]")} | {"kind": "mbox"}
        answer = person.client.post(form["action"], data=data)
        peak = tracemalloc.get_traced_memory()[1]
        assert answer.content_length > 24_000_000
        answer.close()
    finally:
        tracemalloc.stop()
    assert peak < 12_000_000, peak
