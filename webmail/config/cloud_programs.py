"""Cloud programs: mail programs that keep people's passwords on servers of their maker, told apart by where they sign in from.

Which networks those are only the makers know, and they change: none are shipped. A network is also written as the beginnings of
addresses that are in it, as text: Dovecot compares them in SQL, on SQLite as on PostgreSQL.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from webmail.config.checks import ConfigError, anything, checked, line

END = "|"  # after an address, so that the beginning "192.0.2.1|" is that address alone
_MOST = 4096  # beginnings of one network
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(name: str, value: str) -> None:
    """Raises ConfigError for what is none, and for IPv6 networks that would have too many beginnings."""
    for network in _parsed(name, value):
        if network.version == 6 and network.prefixlen % 16 and 16 - network.prefixlen % 16 > 12:
            raise ConfigError(f"{name}: write {network} as networks of /{network.prefixlen // 16 * 16 + 16}")
        if network.prefixlen < 8:
            raise ConfigError(f"{name}: {network} is too large a part of the Internet")


@dataclass(frozen=True, slots=True)
class CloudProgram:
    """`block`: nobody signs in from its networks by IMAP, SMTP, CalDAV or CardDAV; else people are told."""

    name: str = checked(line(60))
    networks: str = checked(_networks)
    block: bool = checked(anything, default=False)

    def has(self, network: str) -> bool:
        """Whether an address, or a network as sessions are kept with, is in one of its networks."""
        try:
            here = ipaddress.ip_network(network)
        except ValueError:
            return False
        return any(one.version == here.version and one.overlaps(here) for one in _parsed(self.name, self.networks))

    def beginnings(self) -> list[str]:
        """What the text of an address in them begins with, where END follows each address."""
        found = (text for network in _parsed(self.name, self.networks) for text in _beginnings(network))
        return list(dict.fromkeys(found))


def _parsed(name: str, value: str) -> list[_Network]:
    try:
        return [ipaddress.ip_network(word.strip()) for word in value.split(",")]
    except ValueError as error:
        raise ConfigError(f"{name} must be networks, separated by commas: {error}") from error


def _beginnings(network: _Network) -> Iterator[str]:
    """An IPv4 address is four numbers; an IPv6 one is written as RFC 5952 does, so a beginning has several forms where zeros are
    in it."""
    whole, part = divmod(network.prefixlen, 8 if network.version == 4 else 16)
    if isinstance(network, ipaddress.IPv4Network):
        octets = list(network.network_address.packed)
        if whole == 4:
            yield f"{network.network_address}{END}"
            return
        fixed = "".join(f"{one}." for one in octets[:whole])
        if not part:
            yield fixed
            return
        end = "." if whole < 3 else END
        for octet in range(octets[whole], octets[whole] + 2 ** (8 - part)):
            yield f"{fixed}{octet}{end}"
        return
    groups = [int(group, 16) for group in network.network_address.exploded.split(":")]
    last: list[int | None] = [groups[whole] + value for value in range(2 ** (16 - part))] if part else [None]
    for value in last:
        yield from _forms(groups[:whole] + ([value] if value is not None else []))


def _forms(groups: list[int]) -> Iterator[str]:
    """How addresses that begin with these groups are written: in full, or with "::" in the place of zeros."""
    if len(groups) == 8:
        yield f"{ipaddress.IPv6Address(int.from_bytes(b''.join(one.to_bytes(2, 'big') for one in groups), 'big'))}{END}"
        return
    full = "".join(f"{one:x}:" for one in groups)
    yield full
    zeros = [at for at, one in enumerate(groups) if not one]
    for first in zeros:
        if first and not groups[first - 1]:
            continue
        end = first
        while end < len(groups) and not groups[end]:
            end += 1
        before = ":".join(f"{one:x}" for one in groups[:first])
        if end == len(groups):  # the zeros go on, or end here
            yield f"{before}::"
        elif end - first > 1:
            yield f"{before}::{''.join(f'{one:x}:' for one in groups[end:])}"
