"""Keyrings: whoever copies the database and all files, the installation's secret among them, looks for private keys of encryption."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tests.attacks.copies import stolen_copy, values_of
from tests.attacks.ground import PASSWORD, Ground, Web
from tests.attacks.report import Finding
from tests.support.smime_people import smime_person
from webmail import vault
from webmail.config.settings import Settings
from webmail.crypto import x509_certificates
from webmail.crypto.openpgp_certificates import split_certificates
from webmail.crypto.openpgp_packets import SECRET_KEY, SECRET_SUBKEY, SIGNATURE, packets
from webmail.errors import MailError
from webmail.keys import keyring, own_keys
from webmail.keys.open_keyring import OpenKeyring
from webmail.models import KeyringLock, LimitUse, OpenedKeyring, OwnKeyRow, Session, User

_PASSPHRASE = "sept girafes sous le préau de mai"
_COMMON = ("123456", "password", "motdepasse", "azerty", PASSWORD, "trois petits chats", "sept girafes", "bonjour lycee")
_REVOKES = 0x20  # a type of signature (RFC 9580)
_SESSION_PARTS = (
    "keyring",
    "recovery_sheet",
)  # of a session's data: what opens the keys there, and the code that is to be printed


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody with keys of both kinds, open in a session at this moment: what an attacker wants, which only they have."""

    user: User
    ring: bytes
    code: str
    token: str
    privates: tuple[bytes, ...]
    revocation: bytes
    certificate: bytes

    @property
    def wanted(self) -> dict[str, bytes]:
        """What must stand nowhere, by its name."""
        cores = [core for one in self.privates for core in _cores(one)]
        keys = {f"private key {number}": core for number, core in enumerate(cores, 1)}
        plain = {
            "the passphrase": _PASSPHRASE.encode(), "the sheet's code": self.code.encode(), "the session's token": self.token.encode(),
            "the sheet's code without hyphens": self.code.replace("-", "").encode(), "the keyring's secret": self.ring,
            "what revokes the key": _revoking(self.revocation),
        }  # fmt: skip
        return keys | plain


def attacks(ground: Ground) -> list[Finding]:
    with ground.web() as web:
        owner = _owner(ground, web)
        copy = stolen_copy(ground)
        try:
            return [
                _read(ground, copy, owner),
                _unsealed(ground, copy, owner),
                _sessions(ground, copy, owner),
                _sheets(ground, owner),
                _passphrases(ground, owner),
                _another_account(ground, web, owner),
            ]
        finally:
            copy.unlink()


# --- what they try ---------------------------------------------------------------------------------------------------


def _read(ground: Ground, copy: Path, owner: Owner) -> Finding:
    """Everything is read, as it is and where it stands as Base64 or hex: the database with what is beside it, logs, mail, uploads."""
    files = [copy, *(file for file in Path(ground.services.base).rglob("*") if file.is_file() and file != copy)]
    found, read = [], 0
    for file in files:
        with suppress(OSError):
            content = file.read_bytes()
            read += 1
            found += [f"{name} in {file.name}" for name, secret in owner.wanted.items() if _stands_in(secret, content)]
    words = "none holds a private key, passphrase, code or secret, in Base64 and hex neither" if not found else ", ".join(found)
    public = _stands_in(owner.certificate[-40:], copy.read_bytes())  # what may stand there is found: so would the rest be
    return Finding("Database and files read for private keys while their owner has them open", read, words, public and not found)


def _unsealed(ground: Ground, copy: Path, owner: Owner) -> Finding:
    """Each sealed thing of the keys, with each value of the database, the secret of the files, and hashes of them."""
    sealed = list(_sealed(ground, owner))
    keys = set(_as_keys(values_of(copy))) | {ground.settings.secret_key.encode(), b""}
    tried = opened = 0
    for purpose, one in sealed:
        for key in keys:
            tried += 1
            opened += _opens(lambda key=key, one=one, purpose=purpose: vault.open_by(key, one, purpose, owner.user.id))
    right = sum(
        _opens(lambda one=one, purpose=purpose: vault.open_by(owner.ring, one, purpose, owner.user.id)) for purpose, one in sealed
    )
    words = f"{len(sealed)} sealed things, each with {len(keys):,} keys: none opens; {right} do with what only the owner has"
    return Finding(
        "Sealed private keys, opened with what database and files hold",
        tried,
        words,
        not opened and right == len(owner.privates) + 1,
    )


def _sessions(ground: Ground, copy: Path, owner: Owner) -> Finding:
    """The session in which they are open: all of it but the cookie, of which the database has the hash."""
    secret, held = ground.settings.secret_key, list(_of_sessions(ground, owner))
    tokens = [value for value in values_of(copy) if isinstance(value, str) and 20 <= len(value) <= 128]
    tried = opened = 0
    for one in held:
        for token in ["", secret, *set(tokens)]:
            tried += 1
            opened += _opens(lambda token=token, one=one: vault.open_for_session(one, token, secret, owner.user.id))
    right = sum(_opens(lambda one=one: vault.open_for_session(one, owner.token, secret, owner.user.id)) for one in held)
    words = (
        "none opens without the cookie; with it, both do"
        if right == len(held) == len(_SESSION_PARTS)
        else f"{right} of {len(held)} open"
    )
    return Finding(
        "The session that holds them open, without its cookie", tried, words, not opened and right == len(_SESSION_PARTS)
    )


def _sheets(ground: Ground, owner: Owner) -> Finding:
    """Codes of recovery sheets at random, and how long all of them would take at this speed."""
    lock = _lock(ground, owner, "sheet")
    tried, found, began = ground.times(20_000), 0, time.monotonic()
    for number in range(tried):
        guess = _guess(number)
        found += _opens(lambda guess=guess: vault.open_by(guess, lock, "keyring lock", owner.user.id))
    speed = tried / (time.monotonic() - began)
    right = _opens(lambda: vault.open_by(keyring.normalise(owner.code).encode(), lock, "keyring lock", owner.user.id))
    years = 32**26 / 10**12 / (365.25 * 86400)
    words = f"none, at {speed:,.0f} a second; a trillion a second would take {years:.0e} years for all"
    return Finding("Codes of recovery sheets at random, on the copied database", tried, words, right and not found)


def _passphrases(ground: Ground, owner: Owner) -> Finding:
    """Common passphrases, and the password of the account, with the database and the secret: as fast as the formula lets them."""
    began, found = time.process_time(), 0
    with ground.tables():
        for guess in _COMMON:
            found += _ring_by(owner, guess, ground.settings)
        each = (time.process_time() - began) / len(_COMMON)
        right = _ring_by(owner, _PASSPHRASE, ground.settings)
        without = _ring_by(owner, _PASSPHRASE, replace(ground.settings, secret_key="a secret that somebody else chose"))
    words = (
        f"none, the password of the account neither; each takes {each * 1000:.0f} ms of a processor and 64 MiB, so a million take "
        f"{each * 1e6 / 86400:.1f} days of a core. Without the secret of the files the right one opens nothing either"
    )
    return Finding("Passphrases guessed with database and secret", len(_COMMON), words, right and not without and not found)


def _another_account(ground: Ground, web: Web, owner: Owner) -> Finding:
    """Who can write in the database puts their own lock, whose passphrase they know, in the place of the owner's, and rows of an
    open keyring into their own session; and who has a new password from a deputy asks for the keys."""
    thief = ground.person()
    with ground.tables():
        other = User.get(User.address == thief)
        keyring.make(other, _PASSPHRASE, ground.settings)
        lock = KeyringLock.get(KeyringLock.user == other, KeyringLock.kind == "passphrase")
        mine = KeyringLock.get(KeyringLock.user == owner.user, KeyringLock.kind == "passphrase")
        before = bytes(mine.sealed), bytes(mine.salt)
        KeyringLock.update(sealed=lock.sealed, salt=lock.salt).where(KeyringLock.id == mine.id).execute()
        swapped = _ring_by(owner, _PASSPHRASE, ground.settings)
        KeyringLock.update(sealed=before[0], salt=before[1]).where(KeyringLock.id == mine.id).execute()
        OpenedKeyring.update(user=other).where(OpenedKeyring.user == owner.user).execute()
    browser = web.browser()
    assert browser.sign_in(thief).status == 303
    taken = "/encryption/close" in browser.get("/encryption").text
    second = web.browser()  # with the password of the account alone, as a deputy could give it
    assert second.sign_in(owner.user.address).status == 303
    opened = "/encryption/close" in second.get("/encryption").text
    second.open("/encryption/open")
    answer = second.post("/encryption/open", passphrase=PASSWORD, lasts="session")
    held = not swapped and not taken and not opened and answer.status == 422
    words = "a lock, or an open keyring, of one account is nothing in another; the password of the account opens no keys"
    return Finding("Locks and open keyrings moved between accounts; a new password alone", 4, words, held)


# --- who they try it on ----------------------------------------------------------------------------------------------


def _owner(ground: Ground, web: Web) -> Owner:
    """Keys are made, opened and shown on a sheet by the pages, so that all that these write is written."""
    address = ground.person()
    browser = web.browser()
    assert browser.sign_in(address).status == 303
    browser.open("/account/confirm?next=/encryption/begin")
    assert browser.post("/account/confirm?next=/encryption/begin", password=PASSWORD).status == 303
    browser.open("/encryption/begin")
    made = browser.post("/encryption/begin", passphrase=_PASSPHRASE, passphrase_again=_PASSPHRASE)
    assert made.status == 303, made.text
    sheet = browser.get("/encryption/sheet").text
    [code] = re.findall(r"data-recovery-code[^>]*>([0-9A-Z-]+)<", sheet)
    token = browser.visitor.cookies["traboule"]
    with ground.tables():
        user = User.get(User.address == address)
        opened = OpenKeyring(user.id, keyring.by_passphrase(user.id, _PASSPHRASE, ground.settings))
        _add_smime(user, opened)
        keys = own_keys.own_keys(user.id)
        privates = tuple(own_keys.secret_of(key, opened) for key in keys)
        [revocation] = [found for key in keys if (found := own_keys.revocation_of(key, opened))]
    assert len(privates) == 2
    return Owner(user, opened.secret, code, token, privates, revocation, keys[0].certificate)


def _add_smime(user: User, opened: OpenKeyring) -> None:
    key = smime_person("alice")
    own_keys.add(user, opened, x509_certificates.x509_facts(key.certificate), key.certificate, key.key)


# --- helpers ---------------------------------------------------------------------------------------------------------


def _cores(private: bytes) -> list[bytes]:
    """The bytes of a private key that are secret, and in no certificate: of OpenPGP the end of each secret packet."""
    if private.startswith(b"-----BEGIN PRIVATE KEY-----"):
        return [base64.b64decode(private.partition(b"-----END")[0].partition(b"KEY-----")[2])[-40:]]
    return [one.body[-30:] for one in packets(private) if one.tag in (SECRET_KEY, SECRET_SUBKEY)]


def _revoking(text: bytes) -> bytes:
    """The end of the signature that revokes a key, in what the sheet shows."""
    [raw] = split_certificates(text)
    return next(one.body[-30:] for one in packets(raw) if one.tag == SIGNATURE and one.body[1] == _REVOKES)


def _stands_in(secret: bytes, content: bytes) -> bool:
    """Whether it is there as it is, in hex, or in Base64 at any of the three places where that may begin."""
    shapes = {secret, secret.hex().encode(), secret.hex().upper().encode()}
    for shift in range(3):
        inside = base64.b64encode(bytes(shift) + secret)
        shapes.add(inside[4:-4])  # without what depends on the bytes beside it
    unbroken = content.replace(b"\r", b"").replace(b"\n", b"")  # as in armour
    return any(shape in content or shape in unbroken for shape in shapes if len(shape) >= 16)


def _sealed(ground: Ground, owner: Owner) -> Iterator[tuple[str, bytes]]:
    """What is sealed of theirs, each with the purpose that it was sealed for."""
    with ground.tables():
        for lock in KeyringLock.select().where(KeyringLock.user == owner.user):
            yield "keyring lock", bytes(lock.sealed)
        for row in OpenedKeyring.select().where(OpenedKeyring.user == owner.user):
            yield "open keyring", bytes(row.sealed)
        for key in OwnKeyRow.select().where(OwnKeyRow.user == owner.user):
            yield f"private key {key.fingerprint}", bytes(key.sealed)
            if key.revocation is not None:
                yield f"revocation certificate {key.fingerprint}", bytes(key.revocation)


def _of_sessions(ground: Ground, owner: Owner) -> Iterator[bytes]:
    """What their session holds of the keys, sealed."""
    with ground.tables():
        for row in Session.select().where(Session.user == owner.user):
            held = json.loads(row.data)
            yield from (base64.b64decode(held[name]) for name in _SESSION_PARTS if name in held)


def _as_keys(values: list[object]) -> Iterator[bytes]:
    """Each value as it is, as text, from hex and Base64, and its hash: as a key that a lazy program might have used."""
    for value in values:
        raw = value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
        if not 8 <= len(raw) <= 400:
            continue
        yield raw
        yield hashlib.sha256(raw).digest()
        with suppress(ValueError):
            yield bytes.fromhex(raw.decode("ascii"))
        with suppress(ValueError):
            yield base64.b64decode(raw, validate=True)


def _opens(open_it: Callable[[], object]) -> bool:
    try:
        open_it()
    except (vault.CannotOpenError, UnicodeDecodeError):
        return False
    return True


def _lock(ground: Ground, owner: Owner, kind: str) -> bytes:
    with ground.tables():
        return bytes(KeyringLock.get(KeyringLock.user == owner.user, KeyringLock.kind == kind).sealed)


def _guess(number: int) -> bytes:
    digest = hashlib.sha256(str(number).encode()).digest()
    return "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[one % 32] for one in digest[:26]).encode()


def _ring_by(owner: Owner, passphrase: str, settings: Settings) -> bool:
    """Whether a passphrase opens it for somebody who runs this program on the copy, where no limit of guesses holds."""
    LimitUse.delete().execute()
    try:
        return keyring.by_passphrase(owner.user.id, passphrase, settings) == owner.ring
    except MailError:
        return False
