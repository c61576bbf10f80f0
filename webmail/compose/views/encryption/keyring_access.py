"""Keyring access: the keyring of the person who writes, opened for an hour by the passphrase that a form carries."""

from __future__ import annotations

from typing import cast

from flask import g, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.admission import AdmissionRefusedError
from webmail.auth.sessions.cookies import visit
from webmail.compose.drafts import sealed_drafts
from webmail.keys import keyring, own_keys, session_keyring
from webmail.keys.key_errors import NoKeyringError, OtherInstallationError, WrongPassphraseError
from webmail.keys.open_keyring import HOUR, OpenKeyring
from webmail.keys.own_keys import OwnKey
from webmail.models import DraftRow
from webmail.rate_limits import TooManyRequestsError
from webmail.web.current import current_user, settings
from webmail.web.rendering import page


def has_keys() -> bool:
    """Whether the person has a keyring. No query."""
    person = current_user()  # None while the database is away
    return person is not None and bool(person.has_keys)


def my_keys() -> list[OwnKey]:
    """All keys of the person. One SELECT in a request, none for people without a keyring."""
    if "own_keys" not in g:
        g.own_keys = own_keys.own_keys(current_user().id) if has_keys() else []
    return cast("list[OwnKey]", g.own_keys)


def opened() -> OpenKeyring | None:
    """The keyring, None while it is closed. One SELECT in a request where it was opened, none where not."""
    return session_keyring.opened(current_user(), visit(), settings())


def unlock(passphrase: str) -> str:
    """Open the keyring; returns why that was refused, in words, or ""."""
    user = current_user()
    try:
        ring = keyring.by_passphrase(user.id, passphrase, settings())
    except WrongPassphraseError:
        return _("Wrong passphrase. Nothing has been sent yet.")
    except OtherInstallationError:
        return _("This passphrase no longer opens your keys here. Open them with your recovery sheet on the page “Encryption”.")
    except NoKeyringError:
        return _("You have no keys yet.")
    except (TooManyRequestsError, AdmissionRefusedError):
        return _("Too many attempts. Wait a few minutes, then try again.")
    session_keyring.keep_open(user, ring, visit(), settings(), lasts=HOUR)
    return ""


def closed_page(recipients: str = "", status: int = 200, problem: str = "", there: str = "") -> Response:
    """In place of a page that shows what is encrypted: it asks for the passphrase, and leads back."""
    there = there or request.full_path.rstrip("?")
    return page("compose/closed.html", status, recipients=recipients, there=there, problem=problem)


def openable(row: DraftRow) -> DraftRow:
    """Let a sealed draft be opened where something of it is needed."""
    return sealed_drafts.openable(row, opened)
