"""Mailboxes are copied while mail arrives, is moved and is marked."""

from __future__ import annotations

import os
from pathlib import Path

from deploy.backups import mail_copy, places


def maildir(mail: Path, *messages: str) -> Path:
    home = mail / "lycee.example" / "alice" / "mail"
    for folder in ("cur", "new", "tmp"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    for name in messages:
        (home / "cur" / name).write_text(f"message {name}")
    return home


def test_all_is_copied_but_indexes(tmp_path):
    home = maildir(tmp_path / "mail", "1.a:2,S", "2.b:2,")
    (home / "dovecot-uidlist").write_text("3 V1 N3")
    (home / "dovecot.index.log").write_text("index")
    (home / "tmp" / "half").write_text("half")
    (home.parent / "index").mkdir()
    assert mail_copy.copy(tmp_path / "mail", tmp_path / "copy") == 2
    copied = tmp_path / "copy/lycee.example/alice/mail"
    assert sorted(file.name for file in (copied / "cur").iterdir()) == ["1.a:2,S", "2.b:2,"]
    assert (copied / "cur/1.a:2,S").samefile(home / "cur/1.a:2,S"), "linked, so it takes no room"
    assert (copied / "dovecot-uidlist").read_text() == "3 V1 N3" and not (copied / "dovecot-uidlist").samefile(
        home / "dovecot-uidlist"
    )
    assert (
        not (copied / "dovecot.index.log").exists()
        and not list((copied / "tmp").iterdir())  # which a folder must have, or Dovecot does not know it
        and not (copied.parent / "index").exists()
    )
    assert len(places.messages(tmp_path / "copy")) == 2


def test_a_message_that_is_marked_meanwhile_is_there_once(tmp_path, monkeypatch):
    """Its file is renamed between the list of the folder and the link."""
    home = maildir(tmp_path / "mail", "1.a:2,", "2.b:2,")
    link, renamed = os.link, []

    def link_while_marked(source: Path, target: Path) -> None:
        if not renamed:
            renamed.append((home / "cur/1.a:2,").rename(home / "cur/1.a:2,S"))
        link(source, target)

    monkeypatch.setattr(mail_copy.os, "link", link_while_marked)
    assert mail_copy.copy(tmp_path / "mail", tmp_path / "copy") == 2
    assert sorted(file.name for file in (tmp_path / "copy/lycee.example/alice/mail/cur").iterdir()) == ["1.a:2,S", "2.b:2,"]


def test_what_arrives_and_goes_meanwhile(tmp_path, monkeypatch):
    home = maildir(tmp_path / "mail", "1.a:2,", "2.b:2,")
    link, done = os.link, []

    def link_while_mail_comes(source: Path, target: Path) -> None:
        link(source, target)
        if not done:
            done.append(True)
            (home / "cur/3.c:2,").write_text("new")
            (home / "cur" / Path(source).name).unlink()

    monkeypatch.setattr(mail_copy.os, "link", link_while_mail_comes)
    assert mail_copy.copy(tmp_path / "mail", tmp_path / "copy") == 2
    assert sorted(file.name for file in (tmp_path / "copy/lycee.example/alice/mail/cur").iterdir()) == ["2.b:2,", "3.c:2,"]


def test_folders_of_people_may_be_called_as_those_of_dovecot(tmp_path):
    home = maildir(tmp_path / "mail", "1.a:2,")
    for folder in ("cur", "new", "tmp"):
        (home / "index" / folder).mkdir(parents=True)
    (home / "index/cur/2.b:2,").write_text("in the folder index")
    assert mail_copy.copy(tmp_path / "mail", tmp_path / "copy") == 2
    assert (tmp_path / "copy/lycee.example/alice/mail/index/cur/2.b:2,").is_file()


def test_links_that_lead_elsewhere_are_left_out(tmp_path):
    home = maildir(tmp_path / "mail", "1.a:2,")
    (home / "elsewhere").symlink_to("/etc")
    (tmp_path / "mail/other.example").symlink_to("/etc")
    assert mail_copy.copy(tmp_path / "mail", tmp_path / "copy") == 1
    assert not (tmp_path / "copy/other.example").exists() and not (tmp_path / "copy/lycee.example/alice/mail/elsewhere").exists()


def test_the_filter_that_is_active_stays_so(tmp_path):
    home = maildir(tmp_path / "mail", "1.a:2,").parent
    (home / "sieve").mkdir()
    (home / "sieve/cantine.sieve").write_text("keep;")
    (home / ".dovecot.sieve").symlink_to("sieve/cantine.sieve")
    (home / "above").symlink_to("../../other.example")
    mail_copy.copy(tmp_path / "mail", tmp_path / "copy")
    copied = tmp_path / "copy/lycee.example/alice"
    assert os.readlink(copied / ".dovecot.sieve") == "sieve/cantine.sieve" and not (copied / "above").is_symlink()
