"""Forwarding: what arrives goes to other addresses too, or instead, and its Sieve: `redirect` (RFC 5228, section 4.2)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from webmail.filters.absence.absence import kept_moment, moment_test
from webmail.filters.rules.compiler import SievePlace
from webmail.filters.rules.rules import BadRuleError
from webmail.sieve.nodes import Command, SieveTest, StringArgument, TagArgument

MOST_ADDRESSES = 5
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Forwarding:
    """`addresses`: those that were confirmed. `keep`: a copy stays here. `until`: UTC, the moment it ends by itself."""

    on: bool = False
    addresses: tuple[str, ...] = ()
    keep: bool = True
    until: datetime | None = None


def check(forwarding: Forwarding) -> None:
    """Raises BadRuleError. Whether the addresses are allowed is asked elsewhere: the policy may change later."""
    if len(forwarding.addresses) > MOST_ADDRESSES:
        raise BadRuleError("addresses", "many")
    if forwarding.on and not forwarding.addresses:
        raise BadRuleError("addresses", "missing")
    for address in forwarding.addresses:
        if not address.isprintable() or " " in address or address.count("@") != 1 or len(address) > 254:
            raise BadRuleError("addresses", "characters")


def compiled(forwarding: Forwarding, context: SievePlace) -> tuple[Command, ...]:
    """Nothing while it is off. Without `keep` the last redirect cancels the implicit keep, which also comes back if it fails.

    Reports of mail that could not be delivered stay here: that the forward itself bounces would be told to the address that
    does. What the establishment writes about the account stays here too, whatever was chosen: so does the news of a forwarding
    that somebody else has set.
    """
    if not forwarding.on or not forwarding.addresses:
        return ()
    *others, last = forwarding.addresses
    found = [_redirect(address, copy=True) for address in others]
    if forwarding.keep:
        found.append(_redirect(last, copy=True))
    elif context.system_address:
        keys = (TagArgument("all"), TagArgument("is"), StringArgument("from"), StringArgument(context.system_address))
        found.append(Command("if", (), (SieveTest("address", keys),), (_redirect(last, copy=True),)))
        found.append(Command("else", block=(_redirect(last, copy=False),)))
    else:
        found.append(_redirect(last, copy=False))
    tests = [SieveTest("not", (), (_is_report(context),))]
    if forwarding.until is not None:
        tests.append(moment_test("lt", forwarding.until))
    test = tests[0] if len(tests) == 1 else SieveTest("allof", (), tuple(tests))
    return (Command("if", (), (test,), tuple(found)),)


def _redirect(address: str, *, copy: bool) -> Command:
    target = StringArgument(address)
    return Command("redirect", (TagArgument("copy"), target) if copy else (target,))


def _is_report(context: SievePlace) -> SieveTest:
    """Whether it says that mail could not be delivered (RFC 3464): nobody's envelope, and a report."""
    header = (TagArgument("contains"), StringArgument("content-type"), StringArgument("multipart/report"))
    report = SieveTest("header", header)
    if "envelope" not in context.extensions:
        return report
    nobody = SieveTest("envelope", (TagArgument("all"), TagArgument("is"), StringArgument("from"), StringArgument("")))
    return SieveTest("allof", (), (nobody, report))


def to_json(forwarding: Forwarding) -> str:
    found = asdict(forwarding)
    found["until"] = forwarding.until.astimezone(UTC).strftime(_MOMENT) if forwarding.until else ""
    return json.dumps(found, separators=(",", ":"), sort_keys=True)


def from_json(text: str) -> Forwarding:
    """Raises BadRuleError."""
    try:
        found = json.loads(text)
        addresses = found["addresses"]
        if not isinstance(addresses, list) or not all(isinstance(one, str) for one in addresses):
            raise TypeError("not addresses")
        small = tuple(dict.fromkeys(one.lower() for one in addresses))  # as they are stored here, and taken out again
        forwarding = Forwarding(found["on"] is True, small, found["keep"] is True, kept_moment(found["until"]))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadRuleError("forwarding", "unreadable") from error
    check(forwarding)
    return forwarding
