"""Large files that FileSender sends: from our form to its link, on the way, stopped, refused, and what is done there later."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from tests.support.task_work import work_all
from tests.support.visits import Page, Visitor
from tests.unit.transfers.test_new_transfer import send
from webmail import system_mail
from webmail.database.connection import db
from webmail.filesender import handover, work
from webmail.models import (
    DeliveryState,
    FilesenderDelivery,
    StoredContent,
    SystemMessage,
    Task,
    Transfer,
    TransferState,
    User,
    now,
)
from webmail.people import policies
from webmail.people.policies import Policy

FILM = os.urandom(600_000)  # three of its chunks


def deliver(app) -> None:
    """What the worker does: begin what is checked, and bring it there."""
    settings = app.extensions["settings"]
    with app.app_context(), db.connection_context():
        handover.begin_all(settings)
    work_all(app)
    with app.app_context(), db.connection_context():
        FilesenderDelivery.update(changed=now() - timedelta(hours=1)).execute()
        handover.begin_all(settings)
        work.close_all(settings)


def sent(app, alice: Visitor, action: str = "send", **fields) -> Page:
    after = send(alice, alice.get("/transfers/new"), action, ("film.mp4", FILM), ("été.txt", b"Bonjour"), **fields)
    deliver(app)
    return after


def one() -> tuple[Transfer, FilesenderDelivery]:
    delivery = FilesenderDelivery.get()
    return delivery.transfer, delivery


def test_files_go_to_filesender_which_writes_to_the_recipients(app, alice, filesender):
    after = sent(app, alice, to="Bob <bob@lycee.example>, dora@x.example", subject="Le film", message="Voici")
    assert after.one("h1").get_text() == "Le film" and "Being sent to FileSender" in after.text
    (made,) = filesender.transfers.values()
    assert filesender.contents(made["id"]) == {"film.mp4": FILM, "été.txt": b"Bonjour"}
    assert filesender.mailed("transfer_available") == ["bob@lycee.example", "dora@x.example"]
    assert (made["subject"], made["message"], made["user_email"]) == ("Le film", "Voici", "alice@lycee.example")
    transfer, delivery = one()
    assert (transfer.state, delivery.state, delivery.remote) == (TransferState.HANDED, DeliveryState.SENT, made["id"])
    assert not StoredContent.select().exists(), "its bytes are there now, and not here"
    shown = alice.get(f"/transfers/{transfer.id}")
    assert shown.address == f"/transfers/filesender/{made['id']}"
    assert [tag.get_text() for tag in shown.all("[data-recipient] bdi")] == ["bob@lycee.example", "dora@x.example"]


def test_a_link_is_filesenders_own_and_ours_does_not_work(app, alice, filesender):
    sent(app, alice, "link")
    transfer, delivery = one()
    shown = alice.get(f"/transfers/{transfer.id}")
    assert shown.one("[data-transfer-link]")["href"].startswith(filesender.address)
    assert filesender.mail == []
    listed = alice.get("/transfers")
    assert "through another server, until" in listed.one(f'[data-transfer="{transfer.id}"]').get_text()
    assert bytes(delivery.secret).find(b"token") < 0, "a copy of the database has no link"


def test_one_can_stop_it_on_the_way_and_nothing_is_lost(app, alice, filesender):
    after = send(alice, alice.get("/transfers/new"), "send", ("film.mp4", FILM), to="bob@lycee.example", subject="Le film")
    back = alice.submit(after, "form.page-end", action="cancel")
    transfer, _delivery = one()
    assert back.address == f"/transfers/new?of={transfer.id}" and transfer.state == TransferState.OPEN
    assert back.one("#to")["value"] == "bob@lycee.example" and "film.mp4" in back.text
    deliver(app)
    assert not SystemMessage.select().where(SystemMessage.kind == "files-owner").exists(), "they know: they stopped it"
    assert filesender.transfers == {}


def test_what_is_stopped_in_the_middle_is_discarded_there(app, alice, filesender):
    after = send(alice, alice.get("/transfers/new"), "link", ("film.mp4", FILM))
    filesender.on_chunk = lambda count: _cancelled(app) if count == 2 else None
    deliver(app)
    assert after.address and filesender.transfers == {} and filesender.chunks == 2
    transfer, delivery = one()
    assert (transfer.state, delivery.state, delivery.problem) == (TransferState.OPEN, DeliveryState.STOPPED, "cancelled")
    assert StoredContent.select().count() == 1


def _cancelled(app) -> None:
    """By the person, while the worker is in the middle: in another thread, as they are."""
    with db.connection_context():
        Task.update(cancelling=True).execute()


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"banned": ("mp4",)}, "types"),
        ({"most_bytes": 500_000}, "too large"),
        ({"quota": 500_000}, "no room left"),
        ({"most_files": 1}, "too many files"),
        ({"secret": "another"}, "secret"),
        ({"ahead": 30.0}, "clocks"),
    ],
)
def test_what_filesender_refuses_can_be_mended_and_sent_again(app, alice, filesender, limits, words):
    usual = {name: getattr(filesender, name) for name in limits}
    for name, value in limits.items():
        setattr(filesender, name, value)
    sent(app, alice, to="bob@lycee.example", subject="Le film")
    transfer, _delivery = one()
    assert transfer.state == TransferState.OPEN and filesender.mail == []
    form = alice.get(f"/transfers/new?of={transfer.id}")
    assert words in form.one(".notice-caution").get_text() and form.one("#to")["value"] == "bob@lycee.example"
    [mail] = SystemMessage.select().where(SystemMessage.kind == "files-owner")
    text = system_mail.text_of(mail, app.extensions["settings"].secret_key)
    assert mail.recipient == "alice@lycee.example" and mail.subject == "“Le film” was not sent"
    assert words in text and text.endswith(f"/transfers/{transfer.id}")
    deliver(app)
    assert SystemMessage.select().where(SystemMessage.kind == "files-owner").count() == 1, "once"
    for name, value in usual.items():
        setattr(filesender, name, value)
    send(alice, form, "send")
    deliver(app)
    assert filesender.mailed("transfer_available") == ["bob@lycee.example"]


def test_a_worker_that_is_killed_goes_on_where_it_was_and_nobody_gets_two_mails(app, alice, filesender):
    send(alice, alice.get("/transfers/new"), "send", ("film.mp4", FILM), ("b.txt", b"b"), to="bob@lycee.example")
    parts = (
        "POST /rest.php/transfer",
        "chunk/0",
        "chunk/262144",
        "chunk/524288",
        "PUT /rest.php/file/2",
        "PUT /rest.php/transfer",
    )
    filesender.faults += [(part, 503) for part in parts]
    for _turn in range(len(parts) + 1):
        deliver(app)
    (made,) = filesender.transfers.values()
    assert filesender.contents(made["id"]) == {"film.mp4": FILM, "b.txt": b"b"}
    assert filesender.chunks == 4, "no chunk that was there went again"
    assert filesender.mailed("transfer_available") == ["bob@lycee.example"]


def test_names_that_it_does_not_take_get_underscores(app, alice, filesender):
    send(alice, alice.get("/transfers/new"), "link", ("l'été.txt", b"a"), ("l’été.txt", b"bc"))
    deliver(app)
    (made,) = filesender.transfers.values()
    assert filesender.contents(made["id"]) == {"l_été.txt": b"a", "l_été_2.txt": b"bc"}
    told = [tag.get_text() for tag in alice.get(f"/transfers/filesender/{made['id']}").all("[data-renamed]")]
    assert [words.split("”")[0] for words in told] == ["“l'été.txt", "“l’été.txt"]


def test_what_filesender_does_not_know_is_refused_before_anything_is_sent(app, alice, filesender):
    form = send(alice, alice.get("/transfers/new"), "save", ("a.txt", b"a"), password="a long password", once="1")
    assert form.one("#password") is not None
    refused = send(alice, form, "link", password="a long password", follow=True)
    assert refused.status == 422 and "asks for no password" in refused.text and filesender.asked == []


def test_its_page_extends_reminds_adds_removes_and_closes(app, alice, filesender):
    sent(app, alice, to="bob@lycee.example, dora@x.example")
    transfer, delivery = one()
    here = f"/transfers/filesender/{delivery.remote}"
    before = filesender.transfers[delivery.remote]["expires"]
    alice.submit(alice.get(here), "#until form", action="extend")
    assert filesender.transfers[delivery.remote]["expires"] == before + 5 * 86_400
    alice.submit(alice.get(here), "form.all-of-them", action="remind")
    assert filesender.mailed("transfer_reminder") == ["bob@lycee.example", "dora@x.example"]
    bad = alice.submit(alice.get(here), "#people form.form", to="nobody", action="add")
    assert bad.status == 422 and "not an email address" in bad.one("#to-error").get_text()
    alice.submit(bad, "#people form.form", to="eve@x.example", action="add")
    assert [row["email"] for row in filesender.transfers[delivery.remote]["recipients"]][-1] == "eve@x.example"
    button = alice.get(here).all("[data-recipient] button")[0]
    alice.submit(alice.get(here), "[data-recipient]:first-child form", action=button["value"])
    assert len(filesender.transfers[delivery.remote]["recipients"]) == 2
    alice.submit(alice.get(here), "form.page-end", action="close")
    assert filesender.transfers[delivery.remote]["status"] == "closed"
    assert Transfer.get_by_id(transfer.id).state == TransferState.CLOSED
    assert alice.get("/transfers/filesender").all("[data-remote]") == []


def test_what_an_administrator_closes_here_ends_there_too(app, alice, filesender):
    from webmail.transfers import store

    sent(app, alice, "link")
    transfer, delivery = one()
    filesender.faults.append((f"PUT /rest.php/transfer/{delivery.remote}", 503))
    with app.app_context(), db.connection_context():
        store.close(transfer, "admin", "Copies")
    for _round in range(2):
        deliver(app)
    assert filesender.transfers[delivery.remote]["status"] == "closed"
    assert FilesenderDelivery.get().state == DeliveryState.CLOSED


def test_guests_are_invited_reminded_and_removed(app, alice, filesender):
    assert alice.get("/transfers/requests/new").address == "/transfers/filesender/guests"
    form = alice.get("/transfers/filesender/guests")
    bad = alice.submit(form, "main form.form", address="nobody", until="2020-01-01", action="invite")
    assert bad.status == 422 and {tag["id"] for tag in bad.all(".field-error")} == {"address-error", "until-error"}
    until = (now() + timedelta(days=5)).date().isoformat()
    after = alice.submit(bad, "main form.form", address="guest@x.example", subject="Photos", until=until, action="invite")
    (row,) = after.all("[data-guest]")
    assert "guest@x.example" in row.get_text() and filesender.mailed("guest_created") == ["guest@x.example"]
    alice.submit(after, "[data-guest] form", action="remind")
    assert filesender.mailed("guest_reminder") == ["guest@x.example"]
    gone = alice.submit(after, "[data-guest] form", action="remove")
    assert gone.all("[data-guest]") == []


def test_a_filesender_that_is_away_is_told_and_sends_later(app, alice, filesender):
    filesender.faults += [("GET /rest.php/transfer", 503), ("GET /rest.php/guest", 503)]
    assert "does not answer" in alice.get("/transfers/filesender").one("[role=alert]").get_text()
    assert "does not answer" in alice.get("/transfers/filesender/guests").one("[role=alert]").get_text()


def test_somebody_else_sees_nothing_of_it(app, alice, filesender):
    from tests.support import calendar_ground

    sent(app, alice, "link")
    transfer, delivery = one()
    bob = calendar_ground.person(app, "bob")
    for page in (f"/transfers/filesender/{delivery.remote}", f"/transfers/{transfer.id}/filesender"):
        assert bob.get(page).status == 404


def test_a_group_decides_who_sends(app, alice, settings):
    with db.connection_context():
        user = User.get(User.local == "alice")
        policies.set_own(user, Policy(files_by="here"))
    assert alice.get("/transfers/filesender").status == 404
    assert "FileSender" not in alice.get("/transfers/new").text


def test_of_several_groups_filesender_wins():
    assert policies.widest([Policy(files_by="here"), Policy(files_by="filesender")]).files_by == "filesender"
    assert policies.widest([Policy(files_by="here"), Policy()]).files_by == "here"


def test_scripts_and_the_command_line_are_told_that_filesender_sends(app, alice, filesender, tmp_path):
    file = tmp_path / "film.mp4"
    file.write_bytes(b"x")
    done = app.test_cli_runner().invoke(args=["transfers", "send", str(file), "--from", "alice@lycee.example"])
    assert done.exit_code == 1 and "sent by FileSender" in done.output
    assert filesender.transfers == {} and not Transfer.select().exists()
