"""An account that is deleted while it is in use: nobody gets in any more, and its mail stays on the mail server."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from imapclient.exceptions import LoginError

from tests.support.compose_form import FORM
from tests.support.messages import message
from tests.support.visits import Visitor
from webmail.admin.account_deletion import delete
from webmail.auth.account_management import LastAdministratorError
from webmail.database.connection import db
from webmail.models import Outbox, Task, User
from webmail.web.current import settings as current_settings


def run(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=list(words))
    return result.exit_code, result.output


def test_it_goes_with_all_that_is_open(
    person: Visitor, app: Flask, services: Any, fill: Callable[..., list[int]], imap_of: Callable[[str], Any]
) -> None:
    fill(person, message("Kept on the server"))
    person.submit(person.get("/compose"), FORM, to="bob@lycee.example", subject="Not yet", body="x", action="send")
    person.confirm().submit(person.get("/account/data"), "form[action='/account/data']")
    with db.connection_context():
        user = User.get(User.address == person.address)
        assert Outbox.select().where(Outbox.user == user).count() == 1 and Task.select().where(Task.user == user).count() == 1
    code, told = run(app, "accounts", "delete", person.address, "--yes")
    assert code == 0, told
    assert "1 message that had not left will not be sent" in told
    assert person.get("/mailbox/INBOX", follow=False).location.startswith("/login")
    stranger = Visitor(app)
    page = stranger.submit(stranger.get("/login"), "form[action='/login']", username=person.address, password="demo")
    assert "Wrong user name or password." in page.text
    with pytest.raises(LoginError):
        imap_of(person.address)
    local, domain = person.address.split("@")
    assert f"{domain}/{local}" in told and (services.base / "mail" / domain / local / "Maildir").is_dir()
    with db.connection_context():
        assert not Outbox.select().where(Outbox.subject == "Not yet").count()


def test_of_two_last_administrators_who_delete_each_other_one_stays(app: Flask, make_account: Callable[..., str]) -> None:
    with db.connection_context():
        others = [row.id for row in User.select(User.id).where((User.role == "admin") & (User.active == 1))]
        User.update(active=0).where(User.id.in_(others)).execute()
        two = [make_account("chief") for _ in range(2)]
        User.update(role="admin").where(User.address.in_(two)).execute()

    def end(address: str) -> bool:
        with app.app_context(), db.connection_context():
            try:
                delete(User.get(User.address == address), current_settings())
            except LastAdministratorError:
                return False
            return True

    try:
        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(end, two)) == [False, True]
    finally:
        with db.connection_context():
            User.update(active=1).where(User.id.in_(others)).execute()
            User.delete().where(User.address.in_(two)).execute()
