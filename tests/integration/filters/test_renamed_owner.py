"""Filters of others follow somebody who gets another address, and come back with it, on a real Dovecot with Pigeonhole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.support.messages import message
from tests.support.user_rows import user_of
from webmail import imap, managesieve
from webmail.account import Account
from webmail.admin.people import renaming
from webmail.admin.people.record import ChangedBy
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.filters import store
from webmail.filters.notifications.renamed_owners import tell
from webmail.filters.rules import renamed_owners
from webmail.filters.rules.rules import ActionKind, ConditionField, FilterRule, MatchKind, RuleAction, RuleCondition
from webmail.filters.rules.script_context import place_of
from webmail.models import SystemMessage, User
from webmail.preferences import for_user


@pytest.fixture
def settings(app: Flask) -> Settings:
    found: Settings = app.extensions["settings"]
    return found


def share(account: Account, name: str, reader: str) -> None:
    with imap.connect(account) as connection:
        imap.acl.grant(connection, [name], reader, "lrswipkxte")


def filter_into(reader: User, account: Account, folder: str, settings: Settings) -> None:
    """A rule of theirs: what has "bill" in its subject goes there."""
    conditions = (RuleCondition(ConditionField.SUBJECT, MatchKind.CONTAINS, ("bill",)),)
    rule = FilterRule("bills", conditions, (RuleAction(ActionKind.MOVE, folder), RuleAction(ActionKind.STOP)))
    with db.connection_context(), store.changing(reader.id, account, "") as change:
        change.filters = store.Filters(rules=(rule.identified(),))
        change.place = place_of(reader, account, settings)


def follow(app: Flask, settings: Settings) -> list[SystemMessage]:
    with app.app_context(), db.connection_context():
        return renamed_owners.sweep(settings, tell)


def folder_of(account: Account) -> str:
    [rule] = store.load(account).filters.rules
    return rule.actions[0].value


def subjects(client: Any, folder: str) -> int:
    client.select_folder(folder)
    return len(client.search(["SUBJECT", "bill"]))


def test_filters_of_others_follow_an_address_and_its_way_back(
    app: Flask, settings: Settings, make_account: Callable[..., str], imap_of: Any, account_of: Callable[..., Account],
    deliver: Callable[..., None],
) -> None:  # fmt: skip
    desk, bob, cleo = make_account("desk"), make_account("bob"), make_account("cleo")
    imap_of(desk).create_folder("Bills")
    for reader in (bob, cleo):
        share(account_of(desk), "Bills", reader)
    filter_into(user_of(bob), account_of(bob), f"shared/{desk}/Bills", settings)
    with managesieve.connect(account_of(cleo)) as connection:
        text = f'require ["fileinto"];\r\nif header :contains "subject" "bill" {{ fileinto "shared/{desk}/Bills"; }}\r\n'
        connection.write("mine", text)
        connection.activate("mine")
    deliver(bob, message(subject="bill one"))
    assert subjects(imap_of(desk), "Bills") == 1

    root = user_of(make_account("root"))
    by = ChangedBy(root)
    new = desk.replace("desk-", "office-")
    with db.connection_context():
        done = renaming.rename(User.get(User.address == desk), new, by, settings)
        undo = renaming.keep_undo(User.get(User.address == new), done, by)
    letters = follow(app, settings)
    assert folder_of(account_of(bob)) == f"shared/{new}/Bills"
    deliver(bob, message(subject="bill two"))
    assert subjects(imap_of(new), "Bills") == 2
    assert [row.recipient for row in letters] == [cleo], "she alone has a script of another program"
    with managesieve.connect(account_of(cleo)) as connection:
        assert connection.read("mine") == text
    assert not follow(app, settings) and not for_user(user_of(bob)).renamed_shares

    with db.connection_context():
        assert renaming.undo(undo, by, User.id > 0, settings) is not None
    follow(app, settings)
    assert folder_of(account_of(bob)) == f"shared/{desk}/Bills"
    deliver(bob, message(subject="bill three"))
    assert subjects(imap_of(desk), "Bills") == 3
    imap.close_all()


def test_there_and_back_before_the_worker_came_changes_nothing(
    app: Flask, settings: Settings, make_account: Callable[..., str]
) -> None:
    reader = user_of(make_account("reader"))
    with db.connection_context():
        renamed_owners.note([reader], "old@x.example", "new@x.example")
        renamed_owners.note([reader], "new@x.example", "newer@x.example")
        assert set(for_user(User.get_by_id(reader.id)).renamed_shares) == {
            "old@x.example newer@x.example", "new@x.example newer@x.example",
        }  # fmt: skip
        renamed_owners.note([reader], "newer@x.example", "old@x.example")
        assert "old@x.example" not in {one.split()[0] for one in for_user(User.get_by_id(reader.id)).renamed_shares}
