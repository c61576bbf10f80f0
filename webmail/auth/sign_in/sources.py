"""Sources: where attempts to sign in come from, as they are counted together, and how many of them are looked at. No Flask here.

Many people may share one network, and one of them may guess. So a network only bounds how many passwords are looked at, and the
establishment's own (`own_networks`) bounds far more: who is kept waiting is decided by the name that is typed. A computer that
people share is known to the count of its network: once somebody signed in on it, what it does counts for itself.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
import time
from dataclasses import dataclass
from functools import lru_cache

from webmail.auth.sign_in.waiting_lines import WaitingLine
from webmail.config.settings import Settings

DAYS = 365  # that a shared computer is known
_NETWORK = 5  # times `sign_in_attempts`: many people may share one public address
_OWN = 100  # of the establishment's own networks
_A_SECOND, _OWN_A_SECOND = 2, 20  # tries of those who wait, where the ordinary ones are used up
_TOGETHER = 10  # seconds whose turns may be taken at once after a pause
_COMPUTER = re.compile(r"([0-9]{1,6})-([0-9a-f]{32})-[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class SignInSource:
    """`key`: under what its failures are counted, "" where they are not. `tries`: that are looked at in a quarter of an hour
    before those who try have to wait, and then so many in a second.
    """

    key: str = ""
    tries: int = 0
    a_second: int = _A_SECOND

    @property
    def line(self) -> WaitingLine:
        return WaitingLine(f"source {self.key}", 1 / self.a_second, self.a_second * _TOGETHER)


NOWHERE = SignInSource()  # counted by something else than where they are


def source_of(network: str, computer: str, settings: Settings) -> SignInSource:
    """`network`: see sessions.network_of. `computer`: the cookie of a shared computer, "" if there is none."""
    if not network:
        return NOWHERE
    if own := _recognised(computer, network, settings.secret_key):
        return SignInSource(f"computer {own}", settings.sign_in_attempts)
    if is_own(network, settings):
        return SignInSource(network, _OWN * settings.sign_in_attempts, _OWN_A_SECOND)
    return SignInSource(network, _NETWORK * settings.sign_in_attempts)


def is_own(network: str, settings: Settings) -> bool:
    """Whether this is one of the establishment's networks."""
    if not settings.own_networks:
        return False
    here = ipaddress.ip_network(network)
    return any(one.version == here.version and one.overlaps(here) for one in _parsed(settings.own_networks))


def computer_cookie(computer: str, network: str, secret_key: str) -> str:
    """The cookie of a shared computer after a sign-in on it: a random number, good in this network alone. It names nobody, and
    stays the same while it is good, so that signing in again does not begin a new count.
    """
    number = _recognised(computer, network, secret_key) or secrets.token_hex(16)
    return _made(_today(), number, network, secret_key)


def _recognised(computer: str, network: str, secret_key: str) -> str:
    """The number of the computer, "" if it is not known in this network."""
    if not (found := _COMPUTER.fullmatch(computer)):
        return ""
    day, number = int(found[1]), found[2]
    right = hmac.compare_digest(computer, _made(day, number, network, secret_key))
    return number if right and _today() - DAYS <= day <= _today() else ""


def _made(day: int, number: str, network: str, secret_key: str) -> str:
    told = f"traboule shared computer\n{day}\n{number}\n{network}"
    return f"{day}-{number}-{hmac.digest(secret_key.encode(), told.encode(), 'sha256').hex()[:32]}"


def _today() -> int:
    return int(time.time() // 86400)


@lru_cache(maxsize=8)
def _parsed(networks: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(word.strip()) for word in networks.split(","))
