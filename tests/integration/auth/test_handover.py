"""The address of a profile on the real database: of many telephones that come at once, one gets the app password."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

from webmail.auth import app_passwords
from webmail.auth.devices import handover
from webmail.database.connection import db
from webmail.models import AppPassword, User


def test_of_many_at_once_one_gets_it(app: Flask, make_account: Callable[..., str]) -> None:
    settings = app.extensions["settings"]
    letters, row = app_passwords.add(User.get(User.address == make_account()), "Phone", ["imap", "smtp"], kind="iphone")
    key = handover.offer(row, letters, settings)

    def take(_number: int) -> str:
        try:
            with db.connection_context():
                return handover.take(key, "192.0.2.1", settings)[1]
        except handover.HandoverOver:
            return ""

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(take, range(16))) == [""] * 15 + [letters]
    fresh = AppPassword.get_by_id(row.id)
    assert (fresh.profile_hash, fresh.profile_sealed, fresh.profile_network) == (None, None, "192.0.2.1")
