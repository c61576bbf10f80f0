"""Moving in from another IMAP server: all folders, each message once, as often as one likes; from a Dovecot and from Gmail."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from imapclient import IMAPClient

from deploy.demo.services import Services
from tests.support import gmail, servers
from tests.support.passing_folder import passing_folder
from tests.support.task_work import worker_for
from tests.support.visits import Visitor
from webmail import create_app, imap
from webmail.database.connection import db
from webmail.errors import SignInRefusedError
from webmail.imap.bulk import append_many
from webmail.models import Tag, Task, User

ODD = ["Été/À relire", "Projets/2024/3e B", "Point. d'orgue", "a&b", "日本", "INBOX sans", "a~tilde", "Sent"]


@pytest.fixture(scope="module")
def app(services):
    """People may move in from this machine here."""
    values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    made = create_app(values.pop("instance"), **values, import_private_servers="true")
    yield made
    imap.close_all()


@pytest.fixture
def work(app):
    return worker_for(app)


@pytest.fixture(scope="module")
def old():
    """Another establishment's mail server, with a mailbox of many folders."""
    with passing_folder() as folder, Services(folder / "demo", web=False) as running:
        running.add_account("zoe@lycee.example", "Zoé")
        client = IMAPClient("127.0.0.1", running.ports.imap, ssl=False)
        client.login("zoe@lycee.example", running.password)
        for number, name in enumerate(["INBOX", *ODD, *(f"Dossier {n}" for n in range(40))]):
            if name not in ("INBOX", "Sent"):
                client.create_folder(name)
            for letter in range(3):
                flags = (b"\\Seen", b"\\Flagged", b"projet") if letter == 1 else ()
                client.append(name, raw(number * 10 + letter), flags, datetime(2019, 3, 1 + number % 28, 9, letter, tzinfo=UTC))
        client.logout()
        yield running


def raw(number: int, *more: str) -> bytes:
    head = [
        f"From: Zoé <z{number}@ailleurs.example>",
        f"Subject: lettre {number}",
        f"Message-ID: <{number}@ailleurs.example>",
        *more,
    ]
    return ("\r\n".join(head) + f"\r\n\r\nBonjour {number}\r\n").encode()


def ask(person: Visitor, username: str, password: str, server: str):
    return person.submit(
        person.get("/import"), "form[action='/import/server']", username=username, password=password, server=server
    )


def subjects(client: IMAPClient, mailbox: str) -> list[str]:
    client.select_folder(mailbox)
    found = client.fetch(client.search(), ["ENVELOPE"]) if client.search() else {}
    return [found[uid][b"ENVELOPE"].subject.decode() for uid in sorted(found)]


def test_all_folders_of_another_dovecot_come_once(person, imap_of, old, work):
    page = ask(person, "zoe@lycee.example", old.password, f"127.0.0.1:{old.ports.imap}")
    assert "Copying messages from zoe@lycee.example." in page.text
    assert work() == 1
    assert "147 messages were imported." in person.get("/tasks").text
    client = imap_of(person.address)
    names = {name for _, _, name in client.list_folders()}
    assert {"Été/À relire", "Projets/2024/3e B", "Point. d'orgue", "a&b", "日本", "INBOX sans", "a~tilde", "Dossier 39"} <= names
    assert subjects(client, "INBOX") == ["lettre 0", "lettre 1", "lettre 2"]
    told = client.fetch(client.search(), ["FLAGS", "INTERNALDATE"])
    flags = [set(told[uid][b"FLAGS"]) - {b"\\Recent", b"$HasNoAttachment"} for uid in sorted(told)]
    assert flags[0] == set() and flags[1] >= {b"\\Seen", b"\\Flagged", b"projet"}
    assert told[min(told)][b"INTERNALDATE"].replace(tzinfo=None).date().isoformat() == "2019-03-01"
    assert subjects(client, "Été/À relire") == ["lettre 10", "lettre 11", "lettre 12"]
    with db.connection_context():
        assert Task.select().where(Task.credential.is_null(False)).count() == 0  # the password is forgotten
    ask(person, "zoe@lycee.example", old.password, f"127.0.0.1:{old.ports.imap}")
    work()
    text = person.get("/tasks").text
    assert "0 messages were imported. 147 were already there." in text
    form = person.get("/tasks").all("form[action$='/undo']")[-1]
    person.submit(person.get("/tasks"), f"form[action='{form['action']}']")
    assert subjects(client, "INBOX") == []


LETTERS = [
    gmail.Letter(raw(1), ("\\Inbox",), ""),
    gmail.Letter(raw(2), ("\\Sent",)),
    gmail.Letter(raw(3), ("Travail/Été", "Amis", "\\Starred", "\\Important")),
    gmail.Letter(raw(4), ("\\Inbox", "Travail/Été")),
    gmail.Letter(raw(5), ()),
    gmail.Letter(raw(6), ("2024",)),
    *(gmail.Letter(raw(n), ("Beaucoup",)) for n in range(100, 350)),
]


def test_gmails_labels_become_folders_and_tags_and_nothing_is_doubled(person, imap_of, work):
    world = gmail.Gmail(list(LETTERS), [gmail.Letter(raw(8), ())], [gmail.Letter(raw(9), ())], hang_up_after=150)
    with gmail.serving(world):
        ask(person, "zoe@gmail.com", world.password, f"127.0.0.1:{world.port}")
        work()
        assert "The mail server is not responding. This will continue as soon as it does." in person.get("/tasks").text
        work()
        assert f"{len(LETTERS) + 2} messages were imported." in person.get("/tasks").text
        ask(person, "zoe@gmail.com", world.password, f"127.0.0.1:{world.port}")
        work()
        assert f"0 messages were imported. {len(LETTERS) + 2} were already there." in person.get("/tasks").text
    client = imap_of(person.address)
    assert subjects(client, "INBOX") == ["lettre 1"]
    assert b"\\Seen" not in client.fetch(client.search(), ["FLAGS"])[client.search()[0]][b"FLAGS"]
    assert subjects(client, "Sent") == ["lettre 2"]
    assert subjects(client, "Travail/Été") == ["lettre 3", "lettre 4"]
    first = client.search()[0]
    with db.connection_context():
        [tag] = Tag.select().join(User).where(User.address == person.address)
    assert tag.name == "Amis" and {tag.keyword.encode(), b"\\Flagged"} <= set(client.fetch([first], ["FLAGS"])[first][b"FLAGS"])
    assert subjects(client, "Archive") == ["lettre 5"] and subjects(client, "2024") == ["lettre 6"]
    assert len(subjects(client, "Beaucoup")) == 250
    assert subjects(client, "Junk") == ["lettre 8"] and subjects(client, "Trash") == ["lettre 9"]
    assert not {name for _, _, name in client.list_folders() if "Gmail" in name}


def test_a_wrong_password_is_told_and_what_was_typed_stays(person):
    with gmail.serving(gmail.Gmail()) as world:
        page = ask(person, "zoe@gmail.com", "wrong", f"127.0.0.1:{world.port}")
    assert page.status == 422 and "app password" in page.text
    assert page.one("#old-username")["value"] == "zoe@gmail.com" and "wrong" not in page.html


def test_nobody_guesses_passwords_of_other_servers_through_this_one(person):
    with gmail.serving(gmail.Gmail()) as world:
        pages = [ask(person, "zoe@gmail.com", f"guess {n}", f"127.0.0.1:{world.port}") for n in range(10)]
        assert {page.status for page in pages} == {422}
        page = ask(person, "zoe@gmail.com", world.password, f"127.0.0.1:{world.port}")
    assert page.status == 429 and "Please try again in 15 minutes" in page.text


def test_a_server_that_does_not_answer_and_one_that_is_no_name(person):
    page = ask(person, "zoe@x.example", "secret", f"127.0.0.1:{servers.closed_port()}")
    assert page.status == 422 and "responding" in page.text
    for name in ("", "http://x", "a b", "x:99999", "-x", "x" * 300):
        page = ask(person, "zoe@x.example", "secret", name)
        assert page.status == 422 and "other mailbox’s IMAP server" in page.text, name
    assert "address and password" in ask(person, "", "", "x.example").text


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "10.0.0.1", "192.168.1.1:143", "169.254.169.254", "[::1]", "127.1"])
def test_servers_inside_are_out_of_reach_unless_the_administrator_says_otherwise(services, make_account, name):
    values = {key.removeprefix("WEBMAIL_").lower(): value for key, value in services.settings().items()}
    careful = create_app(values.pop("instance"), **values)
    page = ask(Visitor(careful, make_account()).sign_in(), "zoe@x.example", "secret", name)
    assert page.status == 422 and "other mailbox’s IMAP server" in page.text


def test_a_kill_while_moving_in_doubles_nothing(person, imap_of, work, monkeypatch):
    world, real, calls = gmail.Gmail(list(LETTERS)), append_many.append_many, []

    class Killed(BaseException):
        pass

    def dies(connection, mailbox, new):
        taken = real(connection, mailbox, new)
        calls.append(mailbox)
        if calls.count("Beaucoup") == 1 and mailbox == "Beaucoup":
            raise Killed
        return taken

    monkeypatch.setattr(append_many, "append_many", dies)
    with gmail.serving(world):
        ask(person, "zoe@gmail.com", world.password, f"127.0.0.1:{world.port}")
        with pytest.raises(Killed):
            work()
        with db.connection_context():
            Task.update(lease=None, state="waiting").execute()
        work()
    assert f"{len(LETTERS)} messages were imported." in person.get("/tasks").text
    assert len(subjects(imap_of(person.address), "Beaucoup")) == 250


@pytest.mark.parametrize("whose", ["other", "own"])
def test_whose_password_is_refused_while_moving_in_is_told(person, work, monkeypatch, whose):
    real = imap.connect

    def connect(account, *more, **named):
        if whose == "own" and account.address == person.address:
            raise SignInRefusedError("changed")
        return real(account, *more, **named)

    with gmail.serving(world := gmail.Gmail(list(LETTERS))):
        ask(person, "zoe@gmail.com", world.password, f"127.0.0.1:{world.port}")
        imap.close_all()
        with monkeypatch.context() as patch:
            patch.setattr(imap, "connect", connect)
            if whose == "other":
                patch.setattr(world, "password", "changed")
            work()
    text = person.get("/tasks").text
    assert ("The other server no longer accepts the password." in text) == (whose == "other")
    assert ("Your password has changed since then. Start again" in text) == (whose == "own")
