"""Attempts of devices with an account's own password: which count, which wait for one that is under way, and known networks.

The same wrong secret counts once, since programs repeat what they were given. Several connections of one device are opened at the
same moment with the same secret: while the first one is checked, the others wait for what comes of it. An account at a network
where its password was right lately is counted apart: whatever strangers try, its telephones there go on.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from webmail import audit, rate_limits
from webmail.admission import Admission, AdmissionRefusedError
from webmail.auth.devices import failures
from webmail.auth.passwords.check_admission import TooBusyError
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.locks import serialize
from webmail.errors import SignInRefusedError
from webmail.models import AuditAct, DeviceNetwork, User, now
from webmail.rate_limits import QUARTER, RateLimit, TooManyRequestsError

KNOWN_FOR = timedelta(days=60)
_NETWORK_FACTOR = 5  # as in auth/sign_in/throttle.py
_CHECK_SECONDS = 12.0  # that a check takes at most
_STEP = 0.05
_NOTED_EVERY = timedelta(days=1)
_CHECKS = RateLimit("devices being checked", 1, timedelta(seconds=_CHECK_SECONDS))
_LANES = {  # of known networks, and of others
    True: Admission(2, waiting=6, patience=_CHECK_SECONDS),
    False: Admission(1, waiting=5, patience=_CHECK_SECONDS),
}


@contextmanager
def lane(existing: bool) -> Iterator[None]:
    """Few checks of devices at a time, of known networks apart from others, and few that wait: threads and cores are for pages.

    Raises TooBusyError: nobody looked at the password.
    """
    try:
        with _LANES[existing].admit():
            yield
    except AdmissionRefusedError as error:
        raise TooBusyError(f"other devices' passwords are being checked: {error}") from error


class counted_attempt:
    """Note a failure before the password is checked, and take it back unless it was wrong.

    Raises SignInRefusedError for one that was wrong before, TooManyRequestsError, TooBusyError.
    """

    def __init__(self, address: str, secret: str, network: str, settings: Settings, *, user: User | None = None) -> None:
        self.network, self.settings, self.user = network, settings, user
        self.told = address if user is not None else audit.UNKNOWN  # people type passwords where the name belongs
        # another secret once the account's password is changed
        self.mark = "\0".join([address, user.password if user is not None else "", secret])
        self.known = user is not None and is_known(user, network)
        most = settings.sign_in_attempts
        of_account = RateLimit("passwords of devices", most, QUARTER)
        of_network = RateLimit("passwords of a network's devices", most * _NETWORK_FACTOR, QUARTER)
        self.counted = (of_account.by(address, network),) if self.known else (of_account.by(address), of_network.by(network))
        self.under_way = _CHECKS.by(address)

    def __enter__(self) -> None:
        end = time.monotonic() + _CHECK_SECONDS
        while not self._begin():
            if time.monotonic() > end:
                raise TooBusyError("another connection's check takes long")
            time.sleep(_STEP)

    def _begin(self) -> bool:
        """Whether it is noted; False while the same secret is being checked. One transaction."""
        try:
            with db.atomic():
                serialize(self.under_way.who)
                if rate_limits.is_noted(self.settings, self.under_way, self.mark):
                    return False
                if not (wrong := rate_limits.is_noted(self.settings, self.counted[0], self.mark)):
                    rate_limits.take(self.settings, *self.counted, mark=self.mark)
                    rate_limits.note(self.settings, self.under_way, mark=self.mark)
        except TooManyRequestsError:
            audit.record(AuditAct.SIGN_IN_BLOCKED, target=self.told, network=self.network)
            raise
        if wrong:
            self._tell()
            raise SignInRefusedError("the same wrong password again")
        return True

    def __exit__(self, kind: type[BaseException] | None, *_more: object) -> None:
        wrong = kind is not None and issubclass(kind, SignInRefusedError)
        over = (self.under_way,) if wrong else (*self.counted, self.under_way)
        rate_limits.forget(self.settings, *over, mark=self.mark)
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
