"""The profile on the real database: of many telephones that come at once, one gets it; what it names is there."""

from __future__ import annotations

import plistlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import urlsplit

from flask import Flask

from webmail.auth.devices import app_passwords, apple_profile, handover
from webmail.auth.devices.apple_profile import ProfileOwner, ProfileWords
from webmail.database.connection import db
from webmail.models import AppPassword, User

_WHO = '<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>'


def test_of_many_at_once_one_gets_it(app: Flask, make_account: Callable[..., str]) -> None:
    settings = app.extensions["settings"]
    letters, row = app_passwords.add(User.get(User.address == make_account()), "Phone", ["imap", "smtp"], kind="iphone")
    key = handover.offer(row, letters, settings)

    def take(_number: int) -> str:
        try:
            with db.connection_context():
                return handover.take(key, "192.0.2.1", settings)[1]
        except handover.HandoverOverError:
            return ""

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(take, range(16))) == [""] * 15 + [letters]
    fresh = AppPassword.get_by_id(row.id)
    assert (fresh.profile_hash, fresh.profile_sealed, fresh.profile_network) == (None, None, "192.0.2.1")


def test_its_addresses_of_calendars_and_contacts_are_the_persons_own(app: Flask, make_account: Callable[..., str]) -> None:
    user = User.get(User.address == make_account())
    letters, row = app_passwords.add(user, "Phone", app_passwords.USES, kind="iphone")
    settings = replace(app.extensions["settings"], public_url="https://webmail.lycee.example")
    owner = ProfileOwner(user.address, "", row.id, letters, frozenset(app_passwords.USES))
    parts = plistlib.loads(apple_profile.unsigned(owner, ProfileWords("", ""), settings))["PayloadContent"]
    found = {key: value for part in parts for key, value in part.items() if key.endswith("DAVPrincipalURL")}
    assert found.keys() == {"CalDAVPrincipalURL", "CardDAVPrincipalURL"}
    for address in found.values():
        answer = app.test_client().open(
            urlsplit(address).path, method="PROPFIND", auth=(user.address, letters), headers={"Depth": "0"}, data=_WHO
        )
        assert answer.status_code == 207
        assert f"<href>{urlsplit(address).path}</href></current-user-principal>" in answer.text
