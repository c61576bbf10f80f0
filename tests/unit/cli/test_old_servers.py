"""Coming from Roundcube, as typed: twice, for people who are here and who are not, and what they may not use."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.test_main import database, run, settings  # noqa: F401 - fixtures
from webmail.models import Contact, ContactMember, Signature, User, WritingIdentity

# columns as Roundcube 1.6 has them (SQL/sqlite.initial.sql), as far as they are read
_TABLES = """
CREATE TABLE users (user_id integer NOT NULL PRIMARY KEY, username varchar(128) NOT NULL default '', mail_host varchar(128) NOT NULL default '');
CREATE TABLE contacts (contact_id integer NOT NULL PRIMARY KEY, user_id integer NOT NULL, changed datetime NOT NULL default '', del tinyint NOT NULL default '0',
  name varchar(128) NOT NULL default '', email text NOT NULL default '', firstname varchar(128) NOT NULL default '', surname varchar(128) NOT NULL default '',
  vcard text NOT NULL default '', words text NOT NULL default '');
CREATE TABLE identities (identity_id integer NOT NULL PRIMARY KEY, user_id integer NOT NULL, changed datetime NOT NULL default '', del tinyint NOT NULL default '0',
  standard tinyint NOT NULL default '0', name varchar(128) NOT NULL default '', organization varchar(128) default '', email varchar(128) NOT NULL default '',
  "reply-to" varchar(128) NOT NULL default '', bcc varchar(128) NOT NULL default '', signature text NOT NULL default '', html_signature tinyint NOT NULL default '0');
CREATE TABLE contactgroups (contactgroup_id integer NOT NULL PRIMARY KEY, user_id integer NOT NULL, changed datetime NOT NULL default '', del tinyint NOT NULL default '0',
  name varchar(128) NOT NULL default '');
CREATE TABLE contactgroupmembers (contactgroup_id integer NOT NULL, contact_id integer NOT NULL, created datetime NOT NULL default '');
INSERT INTO contactgroups (contactgroup_id, user_id, del, name) VALUES (1, 1, 0, 'Parents'), (2, 1, 1, 'Deleted'), (3, 1, 0, 'Empty');
INSERT INTO contactgroupmembers (contactgroup_id, contact_id) VALUES (1, 1), (1, 2), (1, 3), (1, 4), (2, 1);
INSERT INTO users (user_id, username) VALUES (1, 'alice@lycee.example'), (2, 'gone@lycee.example');
INSERT INTO contacts (user_id, del, name, email, vcard) VALUES
  (1, 0, 'Anne Martin', 'anne@example.org', 'BEGIN:VCARD' || char(13, 10) || 'VERSION:3.0' || char(13, 10) || 'FN:Anne Martin' || char(13, 10)
    || 'EMAIL:anne@example.org' || char(13, 10) || 'TEL:+33123456789' || char(13, 10) || 'END:VCARD'),
  (1, 0, 'Zoé, née "Petit"', 'zoe@example.org,z@example.org', ''), (1, 1, 'Deleted', 'deleted@example.org', ''), (2, 0, 'Other', 'other@example.org', '');
INSERT INTO identities (user_id, del, standard, name, organization, email, "reply-to", signature, html_signature) VALUES
  (1, 0, 1, 'Alice', 'Lycée', 'alice@lycee.example', '', '<p>Alice <b>Leroy</b></p>', 1),
  (1, 0, 0, 'Library', '', 'library@lycee.example', 'desk@lycee.example', 'The library', 0),
  (1, 0, 0, 'The head', '', 'head@lycee.example', '', '', 0), (1, 1, 0, 'Old', '', 'alice@lycee.example', '', 'old', 0);
"""


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    made = tmp_path / "roundcube.sqlite"
    with sqlite3.connect(made) as opened:
        opened.executescript(_TABLES)
    yield made


def test_contacts_identities_and_signatures_come_once(run, file: Path) -> None:  # noqa: F811
    run("accounts add alice --name Alice --no-password")
    run("accounts allow alice library@lycee.example --name Library")
    for time in range(2):
        code, said = run(f"import roundcube {file}")
        assert code == 1  # somebody has no account
        assert "gone@lycee.example: there is no such account here" in said
        assert ("contacts 3 new" in said) is (time == 0)  # and a group
    alice = User.get()
    assert sorted(row.name for row in Contact.select()) == ["Anne Martin", "Parents", 'Zoé, née "Petit"']
    group = Contact.get(Contact.name == "Parents")
    assert (group.kind, sorted(row.member for row in ContactMember.select())) == (
        "group", ["mailto:anne@example.org", "mailto:zoe@example.org"],
    )  # fmt: skip
    assert "TEL:+33123456789" in Contact.get(Contact.name == "Anne Martin").vcard
    assert sorted(row.text for row in Signature.select().where(Signature.user == alice)) == ["Alice Leroy", "The library"]
    found = {row.address: (row.name, row.reply_to, row.signature.text) for row in WritingIdentity.select()}
    assert found == {
        "alice@lycee.example": ("Alice", "", "Alice Leroy"), "library@lycee.example": ("Library", "desk@lycee.example", "The library"),
    }  # fmt: skip


def test_one_person_alone_and_no_database(run, file: Path, tmp_path: Path) -> None:  # noqa: F811
    run("accounts add alice --no-password")
    assert run(f"import roundcube {file} --only alice")[0] == 0
    other = tmp_path / "other"
    other.write_text("no database at all, but long enough to be read as one" * 20)
    code, said = run(f"import roundcube {other}")
    assert (code, "is no database of Roundcube's" in said) == (1, True)
