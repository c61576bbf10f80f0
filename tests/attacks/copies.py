"""Copies: what whoever has the database without the files, or the files without the database, can do with them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyotp
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from tests.attacks.ground import PASSWORD, Ground, Web
from tests.attacks.report import Finding
from webmail import vault
from webmail.auth.devices import app_passwords
from webmail.auth.factors import authenticator, mailed_codes, recovery_codes, second_step
from webmail.auth.factors.mailed_codes import CodePurpose
from webmail.auth.passwords import hashing
from webmail.auth.sessions import known_devices
from webmail.models import User
from webmail.services import connections, providers

_COOKIES = ("traboule", "traboule-visitor", "traboule-trusted", "traboule-known")
_YEAR = 365.25 * 86400
_COMMON = ("123456", "password", "motdepasse", "azerty", "qwerty", "lycee", "bonjour", "soleil", "demo")


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody who has everything that could be stolen: the secrets themselves, which stand nowhere but with them."""

    name: str
    token: str
    trusted: str
    app_secret: str
    codes: list[str]
    mailed: str
    app_password: str
    tokens: dict[str, str]  # of a connected service

    @property
    def secrets(self) -> dict[str, bytes]:
        shown = {
            "the password": PASSWORD, "the session's token": self.token, "the app's key": self.app_secret,
            "the mailed code": f"code: {self.mailed}", "the app password": self.app_password,
            "a trusted browser's token": self.trusted or "none",
        }  # fmt: skip
        codes = {f"recovery code {number}": recovery_codes.normalise(code) for number, code in enumerate(self.codes, 1)}
        tokens = {f"the {name} token of a connected service": token for name, token in self.tokens.items()}
        return {name: text.encode() for name, text in {**shown, **codes, **tokens}.items()}


_ADDRESS = "alice@private.example"


def attacks(ground: Ground) -> list[Finding]:
    with ground.web() as web:
        owner = _owner(ground, web)
        copy = stolen_copy(ground)
        try:
            return [
                _in_the_clear(copy, owner),
                _as_cookies(web, copy, ground.times(5000)),
                _unsealed(copy),
                _short_codes(ground, copy),
                _long_codes(ground, copy),
                _passwords(ground, copy),
                _files_forge(ground, web, owner),
                _files_tell(ground, owner),
            ]
        finally:
            copy.unlink()


# --- the database without the files ----------------------------------------------------------------------------------


def _in_the_clear(copy: Path, owner: Owner) -> Finding:
    content = copy.read_bytes()
    found = [name for name, secret in owner.secrets.items() if secret in content]
    words = "none of them stands there" if not found else f"it holds {', '.join(found)}"
    return Finding("The database read for passwords, tokens, keys and codes", len(owner.secrets), words, not found)


def _as_cookies(web: Web, copy: Path, most: int) -> Finding:
    """What looks like an identifier is sent as each of the cookies: what sessions have first."""
    values = _column(copy, "session", "id_hash")[: most // 4]
    others = {value for value in values_of(copy) if isinstance(value, str) and 20 <= len(value) <= 128 and value.isascii()}
    values = [*values, *sorted(others - set(values))][: most // 2]
    opened = 0
    for value in values:
        for cookie in _COOKIES[:2]:
            browser = web.browser()
            browser.visitor.cookies[cookie] = value
            opened += browser.get("/account/password").status == 200
    return Finding(
        "All identifiers and hashes of the database, as cookies", 2 * len(values), "each leads to the sign-in page", not opened
    )


def _unsealed(copy: Path) -> Finding:
    """What is sealed is tried with everything else in the database as the secret, and with nothing."""
    sealed = [bytes(value) for value in values_of(copy) if isinstance(value, bytes) and value[:1] == b"\x01" and len(value) > 28]
    keys = ["", *(value for value in set(values_of(copy)) if isinstance(value, str) and 8 <= len(value) <= 200)]
    opened = tried = 0
    for one in sealed:
        for key in keys:
            tried += 1
            opened += _opens(one, key)
    words = f"{len(sealed)} sealed things, each with {len(keys):,} keys that stand in the database: none opens"
    return Finding("Sealed keys of apps, opened with what the database holds", tried, words, bool(sealed) and not opened)


def _opens(sealed: bytes, key: str) -> bool:
    for purpose in ("authenticator", "connected service google "):
        try:
            vault.open_secret(sealed, key, purpose, 1)
        except vault.CannotOpenError:
            continue
        return True
    return False


def _short_codes(ground: Ground, copy: Path) -> Finding:
    """All mailed codes there can be, hashed as the source says, but for the secret that is not in the database."""
    wanted = set(_column(copy, "mailed_codes", "code_hash"))
    users = _column(copy, "mailed_codes", "user_id")
    tried, found = ground.times(10**6), 0
    for number in range(tried):
        told = f"{_ADDRESS}\n{number:06}".encode()
        kept = f"mailed code {CodePurpose.SECOND_STEP}:{users[0]}\n".encode() + told
        found += hashlib.sha256(told).hexdigest() in wanted or hmac.digest(b"", kept, "sha256").hex() in wanted
    return Finding(
        "All mailed codes, compared with their hashes", tried, "none fits without the secret", bool(wanted) and not found
    )


def _long_codes(ground: Ground, copy: Path) -> Finding:
    """Recovery codes and app passwords at random, and how long all of them would take at this speed."""
    codes, shas = set(_column(copy, "recovery_codes", "code_hash")), set(_column(copy, "app_passwords", "sha"))
    tried, began = ground.times(10**6), time.monotonic()
    found = 0
    for guess in islice(_letters(), tried):
        found += hashlib.sha256(guess).hexdigest() in shas or hmac.digest(b"", guess, "sha256").hex() in codes
    speed = tried / (time.monotonic() - began)
    years = len(app_passwords.ALPHABET) ** (app_passwords.GROUPS * app_passwords.GROUP) / 10**12 / _YEAR
    words = f"none, at {speed:,.0f} a second; a trillion a second would take {years:.0e} years for all app passwords"
    return Finding("App passwords and recovery codes at random", tried, words, bool(codes and shas) and not found)


def _passwords(ground: Ground, copy: Path) -> Finding:
    """Common passwords against Argon2id."""
    hashes = [value for value in _column(copy, "accounts", "password") if value]
    tried, found, began = 0, 0, time.monotonic()
    for stored in sorted(set(hashes))[: 2 if ground.quick else 5]:
        for guess in _COMMON[:-1]:
            tried += 1
            found += hashing.verify(stored, guess)
    each = (time.monotonic() - began) / tried * 1000
    words = f"none; each takes {each:.0f} ms and 19 MiB, so a million common ones take {each * 1000 / 3600:.0f} hours of a core"
    return Finding("Common passwords against the hashes of the database", tried, words, not found)


# --- the files without the database ----------------------------------------------------------------------------------


def _files_forge(ground: Ground, web: Web, owner: Owner) -> Finding:
    """With the secret one can sign a visitor's cookie, and that of a known browser. Neither signs in."""
    secret = ground.settings.secret_key
    app = Flask("forger")
    app.secret_key = secret
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    claims = [
        {"_user_id": number, "user_id": number, "user": number, "pending": False, "csrf_token": "x", "confirmed": True}
        for number in range(1, 21)
    ]
    forged = [("traboule-visitor", str(signer.dumps(claim))) for claim in claims]
    forged += [("traboule", str(signer.dumps(claim))) for claim in claims]
    forged += [("traboule", vault.keyed_hash(str(number), secret, "session", number)) for number in range(1, 21)]
    known = known_devices.remember("", owner.name, secret)
    forged += [("traboule-known", known), ("traboule-trusted", known)]
    opened = 0
    for cookie, value in forged:
        browser = web.browser()
        browser.visitor.cookies[cookie] = value
        opened += browser.get("/account/password").status == 200
    browser = web.browser()  # the forged trust in a browser does not take the place of the second step either
    browser.visitor.cookies.update({"traboule-known": known, "traboule-trusted": secrets.token_urlsafe(32)})
    asked = browser.sign_in(owner.name).headers.get("location", "").startswith("/login/code")
    words = "none signs in, and none spares the second step: what signs in stands in the database"
    return Finding("Cookies forged with the secret of the files", len(forged) + 1, words, not opened and asked)


def _files_tell(ground: Ground, owner: Owner) -> Finding:
    """All files but the database and mail are read for secrets of people."""
    base, found, read = ground.services.base, [], 0
    for file in (
        file for file in Path(base).rglob("*") if file.is_file() and not _is_database(file) and "mail" not in file.parts
    ):
        read += 1
        content = file.read_bytes()
        found += [f"{name} in {file.name}" for name, secret in owner.secrets.items() if secret in content]
    words = "none holds a password, token, key or code of anybody" if not found else ", ".join(found)
    return Finding("The files read for passwords, tokens, keys and codes: logs, configuration, uploads", read, words, not found)


def _is_database(file: Path) -> bool:
    return ".sqlite" in file.name


# --- helpers ---------------------------------------------------------------------------------------------------------


def _owner(ground: Ground, web: Web) -> Owner:
    name, secret, settings = ground.person(recovery_address=_ADDRESS), authenticator.new_secret(), ground.settings
    sent: list[str] = []

    def letter(code: str) -> tuple[str, str]:
        sent.append(code)
        return "Code", f"Your code: {code}"  # as the real letter, it waits for the worker in the database

    with ground.tables():
        user = User.get(User.address == name)
        with second_step.changing(user):
            authenticator.add(user, "App", secret, 0, settings)
            codes = recovery_codes.make(user, settings)
        letters, _row = app_passwords.add(user, "Phone", ["imap"])
        tokens = {name: secrets.token_urlsafe(32) for name in ("access", "refresh")}
        google = providers.find("google", settings)
        assert google is not None
        connections.make(user, google, login=_ADDRESS, secret=tokens, settings=settings)
    browser = web.browser()
    assert browser.sign_in(name).status == 303
    browser.open("/login/code")
    answer = browser.post("/login/code", code=pyotp.TOTP(secret).at(time.time()), trust="y")
    assert answer.status == 303, answer.status
    with ground.tables():
        mailed_codes.send(user, CodePurpose.SECOND_STEP, _ADDRESS, settings, letter)
    cookies = browser.visitor.cookies
    return Owner(name, cookies["traboule"], cookies.get("traboule-trusted", ""), secret, codes, sent[0], letters, tokens)


def stolen_copy(ground: Ground) -> Path:
    """A copy of the database as a backup makes it."""
    copy = Path(ground.services.base) / "stolen.sqlite"
    with closing(sqlite3.connect(ground.database)) as ours, closing(sqlite3.connect(copy)) as stolen:
        ours.backup(stolen)
    return Path(shutil.move(copy, copy.with_name("stolen-copy.sqlite")))


def values_of(copy: Path) -> list[object]:
    with closing(sqlite3.connect(copy)) as stolen:
        tables = [name for (name,) in stolen.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [value for table in tables for row in stolen.execute(f"SELECT * FROM {table}") for value in row]


def _column(copy: Path, table: str, column: str) -> list[str]:
    with closing(sqlite3.connect(copy)) as stolen:
        return [value for (value,) in stolen.execute(f"SELECT {column} FROM {table}")]


def _letters() -> Iterator[bytes]:
    while True:
        yield "".join(secrets.choice(app_passwords.ALPHABET) for _ in range(24)).encode()
