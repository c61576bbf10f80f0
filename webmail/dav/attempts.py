"""Attempts of devices with an account's own password: which count, which wait for one that is under way, and known networks.

The same wrong secret counts once, since programs repeat what they were given. Several connections of one device are opened at the
same moment with the same secret: while the first one is checked, the others wait for what comes of it. An account at a network
where its password was right lately is counted apart: whatever strangers try, its telephones there go on.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from webmail import audit
from webmail.auth.check_slots import TooBusy
from webmail.auth.devices import failures
from webmail.auth.throttle import WINDOW, TooManyAttempts
from webmail.config import Settings
from webmail.database.connection import db
from webmail.database.locks import serialize
from webmail.errors import SignInRefused
from webmail.models import AuditAct, DeviceNetwork, SignInFailure, User, now

KNOWN_FOR = timedelta(days=60)
_NETWORK_FACTOR = 5  # as in auth/throttle.py
_CHECK_SECONDS = 12.0  # that a check takes at most
_STEP = 0.05
_NOTED_EVERY = timedelta(days=1)
_LANES = {True: threading.BoundedSemaphore(2), False: threading.BoundedSemaphore(1)}  # checks at once, known or not
_PLACES = {True: threading.BoundedSemaphore(8), False: threading.BoundedSemaphore(6)}  # with those that wait: each holds a thread


@contextmanager
def lane(known: bool) -> Iterator[None]:
    """Few checks of devices at a time, of known networks apart from others, and few that wait: threads and cores are for pages.

    Raises TooBusy: nobody looked at the password.
    """
    if not _PLACES[known].acquire(blocking=False):
        raise TooBusy("other devices' passwords are being checked")
    try:
        if not _LANES[known].acquire(timeout=_CHECK_SECONDS):
            raise TooBusy("other devices' passwords take long to check")
        try:
            yield
        finally:
            _LANES[known].release()
    finally:
        _PLACES[known].release()


class counted_attempt:
    """Note a failure before the password is checked, and take it back unless it was wrong.

    Raises SignInRefused for one that was wrong before, TooManyAttempts, TooBusy.
    """

    def __init__(self, address: str, secret: str, network: str, settings: Settings, *, user: User | None = None) -> None:
        self.network, self.settings, self.user = network, settings, user
        self.told = address if user is not None else audit.UNKNOWN  # people type passwords where the name belongs
        # another secret once the account's password is changed
        text = "\0".join([address, user.password if user is not None else "", secret])
        self.mark = hmac.new(settings.secret_key.encode(), text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
        self.known = user is not None and is_known(user, network)
        here = f"device {address} at {network}"
        self.keys = (here[:254],) if self.known else (f"device {address}"[:254], f"devices of {network}"[:254])
        self.under_way = f"checking {address}"[:254]

    def __enter__(self) -> None:
        end = time.monotonic() + _CHECK_SECONDS
        while not self._begin():
            if time.monotonic() > end:
                raise TooBusy("another connection's check takes long")
            time.sleep(_STEP)

    def _begin(self) -> bool:
        """Whether it is noted; False while the same secret is being checked. One transaction."""
        recent = SignInFailure.at > now() - WINDOW
        limits = (self.settings.sign_in_attempts, self.settings.sign_in_attempts * _NETWORK_FACTOR)
        with db.atomic():
            serialize("sign-in")
            mine = SignInFailure.network == self.mark
            if SignInFailure.select().where(SignInFailure.address == self.under_way, mine, self._lately()).exists():
                return False
            wrong = SignInFailure.select().where(SignInFailure.address == self.keys[0], mine, recent).exists()
            counts = [SignInFailure.select().where(SignInFailure.address == key, recent).count() for key in self.keys]
            full = not wrong and any(count >= limit for count, limit in zip(counts, limits, strict=False))
            if full:  # in the audit log, so the transaction has to end well
                audit.record(AuditAct.SIGN_IN_BLOCKED, target=self.told, network=self.network)
            elif not wrong:
                for key in (*self.keys, self.under_way):
                    SignInFailure.create(address=key, network=self.mark)
        if wrong:
            self._tell()
            raise SignInRefused("the same wrong password again")
        if full:
            raise TooManyAttempts(int(WINDOW.total_seconds() // 60))
        return True

    def _lately(self) -> object:
        return SignInFailure.at > now() - timedelta(seconds=_CHECK_SECONDS)

    def __exit__(self, kind: type[BaseException] | None, *_more: object) -> None:
        wrong = kind is not None and issubclass(kind, SignInRefused)
        over = (self.under_way,) if wrong else (*self.keys, self.under_way)
        SignInFailure.delete().where(SignInFailure.address.in_(over), SignInFailure.network == self.mark).execute()
        if wrong:
            self._tell()
            audit.record(AuditAct.SIGN_IN_REFUSED, target=self.told, network=self.network)
        elif kind is None and self.user is not None:
            note_network(self.user, self.network)

    def _tell(self) -> None:
        """For the page that waits for the device."""
        if self.told != audit.UNKNOWN:
            failures.note(self.told, failures.DAV, self.network)


# --- networks --------------------------------------------------------------------------------------------------------


def is_known(user: User, network: str) -> bool:
    """Whether this account's own password was right at this network lately. 1 query."""
    here = (DeviceNetwork.user == user) & (DeviceNetwork.network == network) & (DeviceNetwork.seen > now() - KNOWN_FOR)
    return bool(network) and DeviceNetwork.select().where(here).exists()


def note_network(user: User, network: str) -> None:
    """It was right there: once a day and network. 1 query, 2 more if it was not noted today."""
    mine = DeviceNetwork.user == user
    seen: datetime = now()
    same = mine & (DeviceNetwork.network == network)
    if not network or DeviceNetwork.select().where(same, DeviceNetwork.seen > seen - _NOTED_EVERY).exists():
        return
    row = DeviceNetwork.insert(user=user, network=network[:64], seen=seen)
    row.on_conflict(conflict_target=[DeviceNetwork.user, DeviceNetwork.network], update={DeviceNetwork.seen: seen}).execute()
    DeviceNetwork.delete().where(mine, DeviceNetwork.seen < seen - KNOWN_FOR).execute()
