"""Sender authentication: evaluates the results of our mail server in Authentication-Results (RFC 8601): SPF, DKIM, DMARC, and
`auth`, a submission after sign-in whose header From was checked.

Anybody can forge such a header. Only the topmost one with our server's name (the authserv-id) is trusted, and only where our
server writes it: above the Received header of the hop by which the message came in, so that nothing counts that came with it
when whatever should have removed and written these headers is away. (See `arrivals_in`; a set-up whose headers stand lower says
so by `authserv_hops`.)
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import authres

MOST_HOPS = 3  # Received headers of other hosts above the results, at most
_MOST_RECEIVED = 12
_MOST_HEADERS = 20
_LONGEST = 4096  # bytes of one header that are parsed
_MOST_RESULTS = 20  # of one header


class Verdict(StrEnum):
    GENUINE = "genuine"  # proven to be the sender's: by the domain of the address, or by the account that wrote it
    UNVERIFIED = "unverified"  # no usable result
    FAILED = "failed"  # DMARC failed, or SPF or DKIM did with nothing in the message's favour


class Arrival(StrEnum):
    """How a host of ours received a message, as its Received header says."""

    HANDED_OVER = "handed-over"  # within our servers: by LMTP, over loopback, or written on the machine itself
    SIGNED_IN = "signed-in"  # from somebody who had signed in (RFC 3848)
    NEAR = "near"  # from a private network
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class AuthenticationCheck:
    """The result of one method ("spf", "dkim", "dmarc", "arc", "auth"), as RFC 8601 names it; the domain and the whole address
    that were checked may be empty."""

    method: str
    result: str
    domain: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Authentication:
    verdict: Verdict = Verdict.UNVERIFIED
    checks: tuple[AuthenticationCheck, ...] = ()
    login: str = ""  # the account that had signed in to send the message, lower case

    @property
    def told(self) -> bool:
        """Whether our server reported any result, if only that nobody had signed in."""
        return bool(self.checks)

    @property
    def borrowed(self) -> bool:
        """Whether somebody signed in and wrote from an address that is not theirs."""
        return bool(self.login) and self.verdict is not Verdict.GENUINE


def results_in(raw: bytes) -> tuple[tuple[int, str], ...]:
    """The Authentication-Results of a header block, topmost first, each with the number of Received headers above it that are
    more than a hand-over.

    `raw` holds these two fields in the message's order. Linear time, never raises.
    """
    found: list[tuple[int, str]] = []
    hops = received = 0
    for name, value in _fields(raw):
        if name == b"received":
            received += 1
            hops += arrival(value.decode("ascii", "replace")) is not Arrival.HANDED_OVER
        elif name == b"authentication-results":
            found.append((hops, value.decode("ascii", "replace")))
        if hops > MOST_HOPS or received > _MOST_RECEIVED or len(found) >= _MOST_HEADERS:
            break
    return tuple(found)


def encryption_in(raw: bytes) -> tuple[bool | None, ...]:
    """For each of `results_in`: whether the message had come over TLS (RFC 3848, "ESMTPS"), by the first Received header below.

    That one was written by the server that wrote the results. None where there is none, and for what was in clear within our own
    machine or network.
    """
    found: list[bool | None] = []
    waiting = received = 0
    for name, value in _fields(raw):
        if name == b"authentication-results":
            waiting += 1
        elif name == b"received":
            received += 1
            found += [_is_over_tls(value.decode("ascii", "replace"))] * waiting
            waiting = 0
        if received > _MOST_RECEIVED or len(found) + waiting >= _MOST_HEADERS:
            break
    return (*found, *[None] * waiting)


def _is_over_tls(value: str) -> bool | None:
    kind, encrypted = arrival(value), bool(_OVER_TLS.fullmatch(_protocol(value)))
    return encrypted if encrypted or kind is Arrival.OUTSIDE else None


def arrivals_in(raw: bytes) -> tuple[Arrival, ...]:
    """How the message came to our servers, the latest first, without hand-overs; those beyond MOST_HOPS are left out.

    One hand-over alone if there is nothing else: it was written on our own machine, such as an absence reply.
    """
    found: list[Arrival] = []
    received = 0
    for name, value in _fields(raw):
        if name != b"received":
            continue
        received += 1
        if (kind := arrival(value.decode("ascii", "replace"))) is not Arrival.HANDED_OVER:
            found.append(kind)
        if len(found) > MOST_HOPS or received > _MOST_RECEIVED:
            break
    return tuple(found) if found or not received else (Arrival.HANDED_OVER,)


def _fields(raw: bytes) -> list[tuple[bytes, bytes]]:
    fields = (field.partition(b":") for field in re.split(rb"\r?\n(?![ \t])", raw))
    return [(name.strip().lower(), value[:_LONGEST]) for name, _colon, value in fields]


_NEAR = [ipaddress.ip_network(one) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10")]
_PROTOCOL = re.compile(r"\swith\s+([A-Za-z0-9]+)")
_OVER_TLS = re.compile(r"(?:E|UTF8)SMTPSA?", re.I)
_SIGNED_IN = re.compile(r"(?:E|UTF8)SMTPS?A", re.I)
_HOST = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f:.]+)\]")
_WRITTEN_BY = re.compile(r"[\])]\s+by\s")  # what the client said of itself holds no space


def arrival(value: str) -> Arrival:
    """How a host received a message, by its Received header (RFC 5321 section 4.4, RFC 3848). What the client called itself
    is not believed: only the address that the server saw."""
    plain = f" {_split(value)[0]} "
    protocol = _protocol(value)
    if protocol.upper().startswith("LMTP") or plain.lower().startswith(" by "):
        return Arrival.HANDED_OVER
    if _SIGNED_IN.fullmatch(protocol):
        return Arrival.SIGNED_IN
    hosts = _HOST.findall(_WRITTEN_BY.split(value, maxsplit=1)[0])
    try:
        host = ipaddress.ip_address(hosts[-1] if hosts else "")
    except ValueError:
        return Arrival.OUTSIDE
    if host.is_loopback:
        return Arrival.HANDED_OVER
    return Arrival.NEAR if any(host in network for network in _NEAR) else Arrival.OUTSIDE


def _protocol(value: str) -> str:
    """What follows "with" in a Received header, after "by": there the server alone writes. "" if nothing does."""
    match = _PROTOCOL.search(f" {_split(value)[0]} ".partition(" by ")[2])
    return match[1] if match else ""


def is_own(login: str, address: str) -> bool:
    return login == address


def judge(
    results: tuple[tuple[int, str], ...],
    authserv_id: str,
    sender: str,
    *,
    hops: int = 0,
    personal: bool = False,
    owns: Callable[[str, str], bool] = is_own,
) -> Authentication:
    """The verdict on a message whose From is the address `sender`. With an empty `authserv_id` nothing is trusted.

    Only the topmost header of ours counts, with at most `hops` foreign Received headers above it: two of them are never read as
    one. `personal`: for our own people, SPF and a DKIM identity must name the very address, since a colleague's pass as well.
    `owns(login, address)` decides whether an account may write from an address.
    """
    at = _trusted(results, authserv_id, hops)
    if at is None:
        return Authentication()
    ours = results[at]
    sender = sender.lower().rstrip(".")
    checks = _checks(ours[1])
    signed_in = [check for check in checks if check.method == "auth" and check.result == "pass"]
    if signed_in:
        login, author = signed_in[0].domain, signed_in[0].address or sender
        good = len(signed_in) == 1 and author == sender and owns(login, sender)
        return Authentication(Verdict.GENUINE if good else Verdict.UNVERIFIED, tuple(checks), login or "?")
    return Authentication(_verdict(checks, sender, personal=personal), tuple(checks))


def over_tls(
    results: tuple[tuple[int, str], ...], encryption: tuple[bool | None, ...], authserv_id: str, hops: int = 0
) -> bool | None:
    """Whether the message came to our server over TLS; None where no header of ours says so. Trusts what `judge` does."""
    at = _trusted(results, authserv_id, hops)
    return encryption[at] if at is not None and at < len(encryption) else None


def _trusted(results: tuple[tuple[int, str], ...], authserv_id: str, hops: int) -> int | None:
    """Which of the results is our server's."""
    name = authserv_id.lower()
    at = next((at for at, (_above, value) in enumerate(results) if name and _server_of(value) == name), None)
    return at if at is not None and results[at][0] <= hops else None


def aligned(value: str, other: str) -> bool:
    """Relaxed alignment (RFC 7489 section 3.1), simplified: the domains are equal or one is a subdomain of the other."""
    if not value or not other or "." not in value or "." not in other:
        return bool(value) and value == other
    return value == other or value.endswith(f".{other}") or other.endswith(f".{value}")


def _verdict(checks: list[AuthenticationCheck], sender: str, *, personal: bool) -> Verdict:
    domain = sender.rpartition("@")[2]

    def is_ours(check: AuthenticationCheck) -> bool:
        person = check.address if check.method == "spf" else check.address or sender
        return aligned(check.domain, domain) and (not personal or person == sender)

    def has(method: str, *results: str, ours: bool = False) -> bool:
        return any(c.method == method and c.result in results and (not ours or is_ours(c)) for c in checks)

    if has("dmarc", "fail"):
        return Verdict.FAILED
    if any(c.method == "dmarc" and c.result == "pass" and c.domain in ("", domain) for c in checks):
        return Verdict.GENUINE
    if has("dkim", "pass", ours=True) or has("spf", "pass", ours=True):
        return Verdict.GENUINE
    # mailing lists break DKIM signatures and forwarding breaks SPF: a failure of one counts only if the other did not pass
    spf_failed, dkim_failed = has("spf", "fail", "hardfail"), has("dkim", "fail")
    if (spf_failed and not has("dkim", "pass")) or (dkim_failed and not has("spf", "pass")):
        return Verdict.FAILED
    return Verdict.UNVERIFIED


# --- one header ------------------------------------------------------------------------------------------------------

_PIECES = re.compile(r'\\.|[();"]', re.S)


def _split(value: str) -> list[str]:
    """Split the value at semicolons and remove comments, in linear time however deep they nest."""
    parts: list[str] = [""]
    depth, quoted, start = 0, False, 0
    for match in _PIECES.finditer(value):
        mark, text = match[0], value[start : match.start()]
        if not depth:
            parts[-1] += text
        start = match.end()
        if quoted or mark[0] == "\\":
            quoted = quoted and mark != '"'
            parts[-1] += mark if not depth else ""
        elif mark == "(":
            depth += 1
        elif mark == ")":
            depth = max(depth - 1, 0)
        elif depth:
            continue
        elif mark == ";":
            parts.append("")
        else:
            quoted = True
            parts[-1] += mark
    if not depth:
        parts[-1] += value[start:]
    return [" ".join(part.split()) for part in parts]


def _server_of(value: str) -> str:
    """The authserv-id, without its optional version."""
    words = _split(value)[0].split()
    return words[0].strip('"').lower() if words and len(words) <= 2 else ""


_BRACKETS = re.compile(r"(?<==)<([^<>\s]*)>")
_EMPTY = re.compile(r"\s[a-z]+\.[a-z]+=(?=\s|$)", re.I)


def _checks(value: str) -> list[AuthenticationCheck]:
    """The results of a header, each parsed on its own, so that a malformed one does not hide the others."""
    found: list[AuthenticationCheck] = []
    for part in _split(value)[1 : _MOST_RESULTS + 1]:
        result = _EMPTY.sub("", _BRACKETS.sub(r"\1", part))  # "smtp.mailfrom=<>", which the library does not take
        try:
            header = authres.AuthenticationResultsHeader.parse(f"Authentication-Results: us; {result}")
        except (authres.AuthResError, ValueError, AttributeError):
            continue  # raised by the library for a malformed result
        found += [_check(one) for one in header.results if getattr(one, "method", "") in _DOMAIN_OF]
    return found


_DOMAIN_OF = {
    "spf": (("smtp", "mailfrom"), ("smtp", "helo")),
    "dkim": (("header", "d"), ("header", "i")),
    "dmarc": (("header", "from"),),
    "arc": (),
    "auth": (("smtp", "auth"),),
}
_ADDRESS_OF = {"spf": ("smtp", "mailfrom"), "dkim": ("header", "i"), "auth": ("header", "from")}


def _check(result: authres.core.AuthenticationResult) -> AuthenticationCheck:
    """For `auth` the "domain" is the name that somebody signed in with, and the address the From that was checked."""
    values = {(p.type, p.name): str(p.value or "").strip("<>").lower().rstrip(".") for p in reversed(result.properties)}
    named = next((value for wanted in _DOMAIN_OF[result.method] if (value := values.get(wanted, ""))), "")
    address = values.get(_ADDRESS_OF.get(result.method, ("", "")), "")
    is_address = bool(address.rpartition("@")[0])
    domain = named if result.method == "auth" else named.rpartition("@")[2]
    return AuthenticationCheck(result.method, result.result, domain, address if is_address else "")
