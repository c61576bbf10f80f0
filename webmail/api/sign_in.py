"""Sign-in of scripts: an app password that was made for them, alone (Bearer) or with the account's address (Basic).

Nothing else opens: neither the account's own password, which a second step protects, nor an app password for mail or devices.
App passwords need no throttle, since nobody finds one by trying; so whoever tries takes nothing from others in their network.
"""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta

from webmail import audit, rate_limits
from webmail.api.problems import ProblemError
from webmail.auth import address_owners, aliases
from webmail.auth.devices import app_passwords, cloud_programs
from webmail.auth.passwords import hashing
from webmail.auth.sign_in.names import normalise
from webmail.config.settings import Settings
from webmail.models import AuditAct, User, now
from webmail.people import policies
from webmail.rate_limits import QUARTER, RateLimit

CHALLENGE = 'Basic realm="Traboule", charset="UTF-8", Bearer realm="Traboule"'
_NOTED = RateLimit("refused scripts in the audit log", 20, QUARTER)  # of a network: a flood writes no more than that
_LONGEST = 4_000  # characters of the header
_USED_STEP = timedelta(minutes=1)


def sign_in(header: str, network: str, settings: Settings) -> User:
    """Whose script it is, by its `Authorization`. Raises ProblemError. 1 query; 3 once a minute."""
    address, secret = _credentials(header, settings)
    row = app_passwords.find(secret, "api") if secret else None
    if row is None or not _is_theirs(row.user, address):
        _note(address, network, settings)
        raise refusal()
    user: User = row.user
    program = cloud_programs.program_at(network, settings)
    if program is not None and program.block:
        _note(address, network, settings)
        raise refusal()
    if program is not None:
        cloud_programs.note(user, network, settings)
    if "api" in policies.hidden(user):
        raise ProblemError("not-allowed")
    if row.used is None or row.used < now() - _USED_STEP:
        app_passwords.used(row.id, "api", network)
    return user


def _is_theirs(user: User, address: str | None) -> bool:
    """A script that was written before the person's address changed goes on."""
    if address is None or address == user.address:
        return True
    former = aliases.account_formerly(address) if address else None
    return former is not None and former.id == user.id


def refusal() -> ProblemError:
    """What else was sent is not read."""
    return ProblemError("sign-in", headers={"WWW-Authenticate": CHALLENGE, "Connection": "close"})


def _credentials(header: str, settings: Settings) -> tuple[str | None, str]:
    """The address, None where none is told, and the app password; "" for what can't be one. Raises ProblemError."""
    kind, _space, given = header.partition(" ")
    given = given.strip()
    if len(header) > _LONGEST or kind.lower() not in ("basic", "bearer"):
        raise refusal()
    if kind.lower() == "bearer":
        return None, given if hashing.usable(given) else ""
    try:
        name, colon, secret = base64.b64decode(given, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError) as error:
        raise refusal() from error
    return normalise(name, settings.domain), secret if colon and hashing.usable(secret) else ""


def _note(address: str | None, network: str, settings: Settings) -> None:
    """People type passwords where the name belongs: only an account's address is written down."""
    if rate_limits.may(settings, _NOTED.by(network)):
        known = address_owners.account_of(address) is not None if address else False
        audit.record(AuditAct.SIGN_IN_REFUSED, target=address if address and known else audit.UNKNOWN, network=network)
