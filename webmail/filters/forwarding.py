"""Forwarding: what arrives goes to other addresses too, or instead, and its Sieve: `redirect` (RFC 5228, section 4.2)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from webmail.filters.absence import moment_test
from webmail.filters.rules import BadRule
from webmail.sieve.nodes import Command, StringArgument, TagArgument

MOST_ADDRESSES = 5
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Forwarding:
    """`addresses`: those that were confirmed. `keep`: a copy stays here. `until`: UTC, the moment it ends by itself."""

    on: bool = False
    addresses: tuple[str, ...] = ()
    keep: bool = True
    until: datetime | None = None

    def is_forwarding(self, at: datetime) -> bool:
        return self.on and bool(self.addresses) and not (self.until and at >= self.until)


def check(forwarding: Forwarding) -> None:
    """Raises BadRule. Whether the addresses are allowed is asked elsewhere: the policy may change later."""
    if len(forwarding.addresses) > MOST_ADDRESSES:
        raise BadRule("addresses", "many")
    if forwarding.on and not forwarding.addresses:
        raise BadRule("addresses", "missing")
    for address in forwarding.addresses:
        if not address.isprintable() or " " in address or address.count("@") != 1 or len(address) > 254:
            raise BadRule("addresses", "characters")


def compiled(forwarding: Forwarding) -> tuple[Command, ...]:
    """Nothing while it is off. Without `keep` the last redirect cancels the implicit keep."""
    if not forwarding.on or not forwarding.addresses:
        return ()
    copies = [*forwarding.addresses] if forwarding.keep else [*forwarding.addresses[:-1]]
    found = [Command("redirect", (TagArgument("copy"), StringArgument(address))) for address in copies]
    if not forwarding.keep:
        found.append(Command("redirect", (StringArgument(forwarding.addresses[-1]),)))
    if forwarding.until is None:
        return tuple(found)
    return (Command("if", (), (moment_test("lt", forwarding.until),), tuple(found)),)


def to_json(forwarding: Forwarding) -> str:
    found = asdict(forwarding)
    found["until"] = forwarding.until.astimezone(UTC).strftime(_MOMENT) if forwarding.until else ""
    return json.dumps(found, separators=(",", ":"), sort_keys=True)


def from_json(text: str) -> Forwarding:
    """Raises BadRule."""
    try:
        found = json.loads(text)
        addresses = found["addresses"]
        if not isinstance(addresses, list) or not all(isinstance(one, str) for one in addresses):
            raise TypeError("not addresses")
        until = datetime.strptime(found["until"], _MOMENT).replace(tzinfo=UTC) if found["until"] else None
        forwarding = Forwarding(found["on"] is True, tuple(addresses), found["keep"] is True, until)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadRule("forwarding", "unreadable") from error
    check(forwarding)
    return forwarding
