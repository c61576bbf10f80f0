"""Key errors: each way in which keys can't be had or opened; pages say each in their own words."""

from __future__ import annotations

from webmail.errors import MailError


class KeyringError(MailError):
    """Base class; the message is for logs, without secrets."""

    status = 422


class KeyringClosedError(KeyringError):
    """The keyring has to be opened first."""

    status = 403


class NoKeyringError(KeyringError):
    """The person has none."""

    status = 404


class KeyringExistsError(KeyringError):
    """There is one already: another would make what the first one holds unreadable."""

    status = 409


class WrongPassphraseError(KeyringError):
    """The passphrase, code or passkey does not open the keyring."""


class OtherInstallationError(KeyringError):
    """The installation has another secret than when the passphrase was chosen: only the recovery sheet or a passkey opens."""


class BadKeyFileError(KeyringError):
    """A file has no key that can be used here. `reason`: a word of `key_texts.py`."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"no key in this file: {reason}")
        self.reason = reason


class NoSuchKeyError(KeyringError):
    """There is no such key, or it is somebody else's."""

    status = 404


class TooManyKeysError(KeyringError):
    """A person has as many as may be."""
