"""Errors of encryption: a subclass of CryptoError for each way an operation can end without a result."""

from __future__ import annotations

from webmail.errors import MailError


class CryptoError(MailError):
    """Base class. The message is for logs, in English, and holds neither content nor keys."""

    status = 422


class CryptoMissingError(CryptoError):
    """The program is not installed: encryption of this kind isn't set up here."""

    status = 503


class CryptoBusyError(CryptoError):
    """Too many operations run and wait, of all or of this person. `own`: of this person."""

    status = 503

    def __init__(self, text: str, *, own: bool = False) -> None:
        super().__init__(text)
        self.own = own


class CryptoTimeoutError(CryptoError):
    """The program took longer than it may, and was ended."""

    status = 503


class CryptoTooLargeError(CryptoError):
    """What goes in, or comes out (a little that unpacks to much), is larger than is worked on."""

    status = 413


class CryptoFailedError(CryptoError):
    """The program ended in a way that says nothing of the message: killed, out of memory, an exit status nobody knows."""

    status = 502


class MalformedDataError(CryptoError):
    """This is not OpenPGP, or not S/MIME, or of a kind that can't be read."""


class NoFittingKeyError(CryptoError):
    """The message is encrypted, to none of the keys given."""


class AlteredMessageError(CryptoError):
    """One of the keys fits, and the message can't be decrypted: it was damaged or changed on its way. No content is given."""


class LockedKeyError(CryptoError):
    """The private key has a passphrase, and none that was given opens it."""


class UnusableCertificateError(CryptoError):
    """Nothing can be encrypted to a certificate, or signed with a key: expired, revoked, or not made for it.

    `fingerprints`: of those that can't be used; empty where the program does not tell.
    """

    def __init__(self, text: str, fingerprints: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.fingerprints = fingerprints
