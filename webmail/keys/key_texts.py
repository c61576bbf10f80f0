"""Key texts: fingerprints, kinds and states of keys, and why something about them was refused, in words."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.admission import AdmissionRefusedError
from webmail.auth.passwords.strength import judge
from webmail.crypto.errors import CryptoBusyError, CryptoMissingError, CryptoTimeoutError
from webmail.errors import MailError
from webmail.keys.key_errors import (
    BadKeyFileError,
    NoKeyringError,
    OtherInstallationError,
    TooManyKeysError,
    WrongPassphraseError,
)
from webmail.keys.keyring import LONGEST, SHORTEST
from webmail.keys.known_certificates import KnownCertificate
from webmail.keys.own_keys import MOST, OPENPGP, OwnKey
from webmail.models import KeyOrigin, User, now
from webmail.rate_limits import TooManyRequestsError
from webmail.web.formatting import day_in_full, local

_STRONG = 3  # of zxcvbn's 0 to 4: whoever copies the database and the secret can guess as often as they like


def readable(fingerprint: str) -> str:
    """In groups of four, as people compare it."""
    return " ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4))


def day_words(moment: datetime) -> str:
    return day_in_full(local(moment).date())


def kind_words(kind: str) -> str:
    return "OpenPGP" if kind == OPENPGP else "S/MIME"


def state_words(key: OwnKey | KnownCertificate) -> str:
    """Why it is not used; "" where it is."""
    if key.revoked is not None:
        return _("Revoked")
    if key.expires is not None and key.expires <= now():
        return _("Expired on %(day)s", day=day_words(key.expires))
    if isinstance(key, KnownCertificate) and key.blocked is not None:
        return _("Blocked")
    return ""


def origin_words(certificate: KnownCertificate) -> str:
    """How a certificate came to be certificate."""
    match certificate.origin:
        case KeyOrigin.MET | KeyOrigin.AUTOCRYPT:
            times = max(certificate.times_met, 1)
            since = day_words(certificate.first_met) if certificate.first_met else ""
            return ngettext("Came with a message on %(since)s", "Came with %(num)d messages since %(since)s", times, since=since)
        case KeyOrigin.WKD:
            return _("Published by their own organisation")
        case KeyOrigin.DIRECTORY:
            return _("A colleague’s own key")
        case KeyOrigin.LDAP:
            return _("From the directory")
        case KeyOrigin.CARD:
            return _("From a contact")
        case KeyOrigin.IMPORTED:
            return _("You imported it")


def weakness_words(passphrase: str, again: str, user: User) -> str:
    """Why a new passphrase is refused; "" where it is not."""
    if len(passphrase) < SHORTEST:
        return ngettext("Use at least %(num)d character.", "Use at least %(num)d characters.", SHORTEST)
    if len(passphrase) > LONGEST:
        return ngettext("Use at most %(num)d character.", "Use at most %(num)d characters.", LONGEST)
    if passphrase != again:
        return _("The two passphrases are not the same. Type them again.")
    if judge(passphrase, existing=(user.address, user.name)).score < _STRONG:
        return _("This passphrase is easy to guess. Add a few words that don’t belong together.")
    return ""


def refusal_words(error: MailError | AdmissionRefusedError) -> str:
    """What went wrong and what to do, of whatever keys are opened, made or read with."""
    match error:
        case OtherInstallationError():
            return _("This server’s secret was changed, so passphrases no longer work. Use your recovery sheet, then choose "
                     "a passphrase again.")  # fmt: skip
        case WrongPassphraseError():
            return _("That does not open your keys. Check capitals and spaces, then type it again.")
        case TooManyRequestsError():
            return ngettext("Too many attempts. Try again in %(num)d minute.", "Too many attempts. Try again in %(num)d minutes.",
                            error.minutes)  # fmt: skip
        case NoKeyringError():
            return _("There is nothing to open: you have not set up encryption.")
        case TooManyKeysError():
            return ngettext("You have %(num)d key, which is the limit. Delete one first.",
                            "You have %(num)d keys, which is the limit. Delete one first.", MOST)  # fmt: skip
        case BadKeyFileError():
            return _file_words(error.reason)
        case CryptoMissingError():
            return _("Encryption isn’t set up on this server.")
        case CryptoBusyError() | CryptoTimeoutError() | AdmissionRefusedError():
            return _("The server is busy. Try again in a moment.")
    return _("That could not be done. Try again; if it happens again, tell your administrator.")


def _file_words(reason: str) -> str:
    match reason:
        case "large":
            return _("This file is too large for a file of keys.")
        case "many":
            return _("There are too many keys in this file. Import them in several files.")
        case "password":
            return _("The passphrase of the file is missing or wrong.")
    return _("There is no key in this file that can be used here.")
