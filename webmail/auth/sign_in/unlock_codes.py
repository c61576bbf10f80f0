"""Unlock codes: mailed to the recovery address of somebody who is kept waiting while others guess their password. No Flask here.

With one, the password is checked at once, on any browser, whoever else is waiting. It is worth nothing without the password, so
it may be used again until the next day is over; and nothing of it is stored, since it is derived from the installation's secret.
"""

from __future__ import annotations

import hmac
import re
import time

from webmail import vault
from webmail.auth.providers import directory
from webmail.auth.sign_in import throttle
from webmail.auth.sign_in.sources import SignInSource
from webmail.config.settings import Settings
from webmail.models import User

_DAY = 86400  # seconds
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base32, without i, l, o and u
_LENGTH = 10  # 50 bits: nobody finds it by trying
_MISREAD = str.maketrans("oil", "011")


def are_offered(settings: Settings) -> bool:
    """Whether codes can be mailed here."""
    return settings.system_sender is not None and settings.recovery_address != "off"


def receiver(address: str, source: SignInSource, settings: Settings) -> User | None:
    """Who is to be sent a code: somebody with a recovery address, while sign-ins as `address` from `source` have to wait.

    At most three SELECTs.
    """
    if not are_offered(settings) or not throttle.is_slowed(address, source, settings):
        return None
    theirs = User.address == directory.owner_of(address, settings)
    user: User | None = User.get_or_none(theirs & (User.active == 1) & (User.recovery_address != ""))
    return user


def today() -> int:
    """The days since 1970 (UTC): there is one code a day."""
    return int(time.time() // _DAY)


def code_for(address: str, day: int, settings: Settings) -> str:
    """The code of a day, as people read it: `xxxxx-xxxxx`."""
    code = _code(address, day, settings)
    return f"{code[: _LENGTH // 2]}-{code[_LENGTH // 2 :]}"


def is_right(typed: str, address: str, settings: Settings) -> bool:
    """Whether this is the code of today or yesterday for this address. No query."""
    code = re.sub(r"[\s\-\u2010-\u2015.]", "", typed[:60].lower()).translate(_MISREAD)
    if len(code) != _LENGTH or not code.isascii() or not are_offered(settings):
        return False
    return any(hmac.compare_digest(code, _code(address, day, settings)) for day in (today(), today() - 1))


def _code(address: str, day: int, settings: Settings) -> str:
    number = int(vault.keyed_hash(f"{day}\n{address}", settings.secret_key, "door code", 0), 16)
    return "".join(_ALPHABET[number >> 5 * at & 31] for at in range(_LENGTH))
