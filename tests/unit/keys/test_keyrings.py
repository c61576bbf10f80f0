"""Keyrings: what opens one and what does not, for how long, and what a copy of the tables is worth."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from webmail import vault
from webmail.auth.sessions import sessions
from webmail.config.settings import Settings
from webmail.keys import keyring, open_keyring
from webmail.keys.key_errors import (
    KeyringExistsError,
    NoKeyringError,
    OtherInstallationError,
    WrongPassphraseError,
)
from webmail.models import Keyring, KeyringLock, OpenedKeyring, SecurityKey, User, now
from webmail.rate_limits import TooManyRequestsError

PASSPHRASE = "douze girafes lisent au lit"
TOKEN = "token-of-a-session"


def test_passphrase_and_sheet_open_the_same_keyring(odile: User, settings: Settings) -> None:
    ring, code = keyring.make(odile, PASSPHRASE, settings)
    assert keyring.by_passphrase(odile.id, PASSPHRASE, settings) == ring
    assert keyring.by_sheet(odile.id, code.lower().replace("-", " "), settings) == ring
    assert User.get_by_id(odile.id).has_keys == 1
    with pytest.raises(KeyringExistsError):
        keyring.make(odile, PASSPHRASE, settings)


def test_what_is_wrong_opens_nothing_and_counts(odile: User, settings: Settings) -> None:
    _ring, code = keyring.make(odile, PASSPHRASE, settings)
    other = code[:-1] + ("0" if code[-1] != "0" else "1")
    for attempt in (lambda: keyring.by_sheet(odile.id, other, settings), lambda: keyring.by_sheet(odile.id, "", settings)):
        with pytest.raises(WrongPassphraseError):
            attempt()
    for _ in range(keyring.GUESSES.most - 2):
        with pytest.raises(WrongPassphraseError):
            keyring.by_passphrase(odile.id, "", settings)
    with pytest.raises(TooManyRequestsError):
        keyring.by_passphrase(odile.id, PASSPHRASE, settings)


def test_right_passphrases_do_not_use_up_the_attempts(odile: User, settings: Settings, monkeypatch: Any) -> None:
    monkeypatch.setattr(keyring, "_MEMORY", 64)
    ring, _code = keyring.make(odile, PASSPHRASE, settings)
    for _ in range(keyring.GUESSES.most + 2):
        assert keyring.by_passphrase(odile.id, PASSPHRASE, settings) == ring


def test_another_secret_of_the_installation_is_told_from_a_wrong_passphrase(odile: User, settings: Settings) -> None:
    ring, code = keyring.make(odile, PASSPHRASE, settings)
    moved = replace(settings, secret_key="another secret of sixty-four characters and of no installation at all")
    with pytest.raises(OtherInstallationError):
        keyring.by_passphrase(odile.id, PASSPHRASE, moved)
    assert keyring.by_sheet(odile.id, code, moved) == ring
    keyring.change_passphrase(odile, ring, PASSPHRASE, moved)
    assert keyring.by_passphrase(odile.id, PASSPHRASE, moved) == ring


def test_a_new_passphrase_and_a_new_sheet_end_those_before(odile: User, settings: Settings) -> None:
    ring, code = keyring.make(odile, PASSPHRASE, settings)
    session: dict[str, Any] = {}
    open_keyring.open_in_session(odile, ring, session, TOKEN, settings, lasts=open_keyring.HOUR)
    keyring.change_passphrase(odile, ring, "treize autruches au marché", settings)
    with pytest.raises(WrongPassphraseError):
        keyring.by_passphrase(odile.id, PASSPHRASE, settings)
    assert open_keyring.opened(odile.id, session, TOKEN, settings) is None
    new = keyring.new_sheet(odile, ring)
    assert keyring.by_sheet(odile.id, new, settings) == ring
    with pytest.raises(WrongPassphraseError):
        keyring.by_sheet(odile.id, code, settings)


def test_a_passkey_opens_until_it_is_removed(odile: User, settings: Settings) -> None:
    ring, _code = keyring.make(odile, PASSPHRASE, settings)
    key = SecurityKey.create(user=odile, credential_hash=f"h{odile.id}", credential_id=b"1", public_key=b"2")
    computed, salt = b"c" * 32, keyring.new_salt()
    keyring.add_passkey(odile, ring, key, salt, computed)
    assert keyring.passkey_salts(odile.id) == [(key, salt)]
    assert keyring.by_passkey(odile.id, key.id, computed, settings) == ring
    with pytest.raises(WrongPassphraseError):
        keyring.by_passkey(odile.id, key.id, b"d" * 32, settings)
    key.delete_instance()
    with pytest.raises(NoKeyringError):
        keyring.by_passkey(odile.id, key.id, computed, settings)
    assert keyring.by_passphrase(odile.id, PASSPHRASE, settings) == ring


def test_it_is_open_in_its_session_alone_until_its_time_is_over(odile: User, settings: Settings, monkeypatch: Any) -> None:
    ring, _code = keyring.make(odile, PASSPHRASE, settings)
    session: dict[str, Any] = {}
    open_keyring.open_in_session(odile, ring, session, TOKEN, settings, lasts=open_keyring.HOUR)
    found = open_keyring.opened(odile.id, session, TOKEN, settings)
    assert found is not None and found.secret == ring and repr(ring) not in repr(found)
    assert open_keyring.opened(odile.id, dict(session), "token-of-another", settings) is None
    assert open_keyring.opened(odile.id, {}, TOKEN, settings) is None
    assert open_keyring.opened(odile.id + 1, dict(session), TOKEN, settings) is None
    OpenedKeyring.update(until=now() - timedelta(seconds=1)).execute()
    assert open_keyring.opened(odile.id, dict(session), TOKEN, settings) is None
    open_keyring.expire()
    assert OpenedKeyring.select().count() == 0
    assert open_keyring.opened(odile.id, session, TOKEN, settings) is None and not session


def test_closing_leaves_nothing(odile: User, settings: Settings) -> None:
    ring, _code = keyring.make(odile, PASSPHRASE, settings)
    session: dict[str, Any] = {}
    open_keyring.open_in_session(odile, ring, session, TOKEN, settings, lasts=open_keyring.HOUR)
    kept = dict(session)
    open_keyring.close(session, TOKEN, settings, odile.id)
    assert not session and OpenedKeyring.select().count() == 0
    assert open_keyring.opened(odile.id, kept, TOKEN, settings) is None


def test_it_stays_open_where_the_session_gets_another_token(odile: User, settings: Settings) -> None:
    ring, _code = keyring.make(odile, PASSPHRASE, settings)
    session: dict[str, Any] = {}
    open_keyring.open_in_session(odile, ring, session, TOKEN, settings, lasts=open_keyring.HOUR)
    sealed = session[open_keyring.SESSION_KEY]
    session[open_keyring.SESSION_KEY] = vault.seal_again(sealed, TOKEN, "the next token", settings.secret_key, odile.id)
    assert session[open_keyring.SESSION_KEY] != sealed
    found = open_keyring.opened(odile.id, session, "the next token", settings)
    assert found is not None and found.secret == ring


def test_the_tables_alone_open_nothing(odile: User, settings: Settings) -> None:
    """Whoever has all rows, and tries each value in them as a key of each sealed one."""
    ring, _code = keyring.make(odile, PASSPHRASE, settings)
    session: dict[str, Any] = {}
    open_keyring.open_in_session(odile, ring, session, TOKEN, settings, lasts=open_keyring.HOUR)
    rows = [*Keyring.select().dicts(), *KeyringLock.select().dicts(), *OpenedKeyring.select().dicts()]
    values = [bytes(one) if isinstance(one, bytes | memoryview) else str(one).encode() for row in rows for one in row.values()]
    values += [base64.b64decode(session[open_keyring.SESSION_KEY]), sessions.hash_token(TOKEN).encode()]
    assert not [one for one in values if ring in one or ring.hex().encode() in one]
    for sealed in values:
        for key in values:
            for purpose in ("keyring lock", "open keyring"):
                with pytest.raises(vault.CannotOpenError):
                    vault.open_by(key or b"-", sealed, purpose, odile.id)


def test_deleting_it_leaves_no_row(odile: User, settings: Settings) -> None:
    ring, _code = keyring.make(odile, PASSPHRASE, settings)
    open_keyring.open_in_session(odile, ring, {}, TOKEN, settings, lasts=open_keyring.HOUR)
    keyring.delete(odile)
    assert [table.select().where(table.user == odile).count() for table in (Keyring, KeyringLock, OpenedKeyring)] == [0, 0, 0]
    assert User.get_by_id(odile.id).has_keys is None
    with pytest.raises(NoKeyringError):
        keyring.by_passphrase(odile.id, PASSPHRASE, settings)
