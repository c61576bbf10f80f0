"""Checks of mail from outside: SPF (RFC 7208), DKIM and DMARC (RFC 7489), within one deadline for all that is asked of DNS."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import dns.exception
import dns.resolver
import spf

from deploy.milter import signatures
from deploy.milter.results import Result
from deploy.milter.signatures import UnsureError
from deploy.milter.verdict import Checked

seconds = 15.0  # for all that is asked of DNS about one message; one question may take a quarter
_MOST_LABELS = 5  # of a domain whose DMARC policy is looked for, from the right
log = logging.getLogger("milter")


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a message came: from which address, with which HELO and envelope sender ("" is the null sender)."""

    address: str
    helo: str
    sender: str


def use_seconds(given: float) -> None:
    global seconds
    seconds = given


def use_resolver(host: str, port: int) -> None:
    """Ask this DNS server and not those of /etc/resolv.conf."""
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [host], port
    dns.resolver.default_resolver = resolver


class Deadline:
    def __init__(self) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds for the next question. Raises UnsureError if there are none."""
        left = min(self._end - time.monotonic(), seconds / 4)
        if left <= 0:
            raise UnsureError("DNS takes too long")
        return left


def check(arrival: Arrival | None, head: bytes, body: Callable[[], bytes], author: str) -> Checked:
    """All checks of one message. `arrival` is None for one whose sender's address says nothing; `author` is the domain of From.

    Never raises: what can't be told is a result too.
    """
    deadline = Deadline()
    results = [_spf(arrival, deadline)] if arrival else []
    results += signatures.verify(head, body, lambda name: _txt(name, deadline))
    passed = [(one.method, _domain(one)) for one in results if one.result == "pass"]
    unsure = any(one.result == "temperror" for one in results)
    found, policy = _dmarc(author, passed, unsure, deadline)
    return Checked([*results, found], frozenset(domain for _method, domain in passed), unsure, policy)


def _domain(result: Result) -> str:
    """The domain that passed."""
    return result.properties[0][1].rpartition("@")[2].lower().rstrip(".")


def _spf(arrival: Arrival, deadline: Deadline) -> Result:
    try:
        question = spf.query(
            arrival.address, arrival.sender, arrival.helo, timeout=deadline.left, querytime=seconds / 2, strict=False
        )
        result = question.check()[0]
    except UnsureError:
        result = "temperror"
    except Exception:  # of a library that reads what strangers wrote
        log.exception("SPF of %r", arrival)
        result = "permerror"
    return Result("spf", result, (("smtp.mailfrom", arrival.sender) if arrival.sender else ("smtp.helo", arrival.helo),))


# --- DMARC -----------------------------------------------------------------------------------------------------------


def _dmarc(author: str, passed: list[tuple[str, str]], unsure: bool, deadline: Deadline) -> tuple[Result, str]:
    """Pass, if SPF or DKIM passed for the domain of From; fail, if the domain has a policy (the second) and neither did."""
    about = (("header.from", author),) if author else ()
    if not author:
        return Result("dmarc", "permerror", comment="From is not one address"), ""
    try:
        policy = _policy(author, deadline)
    except UnsureError:
        policy, unsure = {}, True
    for method, domain in passed:
        strict = policy.get("adkim" if method == "dkim" else "aspf", "r").lower() == "s"
        if domain == author or (not strict and _aligned(domain, author)):
            return Result("dmarc", "pass", about), ""
    if unsure:
        return Result("dmarc", "temperror", about), ""
    told = policy.get("p", "").lower()
    if told not in ("none", "quarantine", "reject"):
        return Result("dmarc", "none", about), ""
    return Result("dmarc", "fail", about, f"p={told}"), told


def _policy(domain: str, deadline: Deadline) -> dict[str, str]:
    """The tags of the DMARC record of a domain; of one above it with `sp` as `p`; {} if there is none. Raises UnsureError."""
    labels = domain.split(".")
    for start in range(max(len(labels) - _MOST_LABELS, 0), max(len(labels) - 1, 1)):
        for record in _txt(f"_dmarc.{'.'.join(labels[start:])}", deadline):
            if re.match(r"v\s*=\s*DMARC1\s*(?:;|$)", record, re.I):
                pairs = (part.partition("=") for part in record.split(";")[:20])
                tags = {name.strip().lower(): value.strip() for name, _equals, value in pairs}
                above = ".".join(labels[start:]) != domain
                return {**tags, "p": tags["sp"]} if above and "sp" in tags else tags
    return {}


def _aligned(one: str, other: str) -> bool:
    """As the webmail sees it: equal, or one below the other. No list of public suffixes is needed, and siblings don't count."""
    return "." in one and "." in other and (one == other or one.endswith(f".{other}") or other.endswith(f".{one}"))


# --- DNS -------------------------------------------------------------------------------------------------------------


def _txt(name: str, deadline: Deadline) -> list[str]:
    """The TXT records of a name; [] if there are none. Raises UnsureError."""
    try:
        answer = dns.resolver.resolve(name, "TXT", lifetime=deadline.left, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.resolver.NoNameservers, dns.resolver.NoResolverConfiguration, dns.exception.Timeout, OSError) as error:
        raise UnsureError(str(error)) from error
    except (dns.exception.DNSException, UnicodeError):  # a name that can't be one
        return []
    return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
