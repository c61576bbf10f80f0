"""Sender authentication: evaluates the SPF, DKIM and DMARC results of our mail server in Authentication-Results (RFC 8601).

Anybody can forge such a header. Only those with our server's name (the authserv-id) are trusted, and of these only the
topmost: headers the sender wrote are below those our server added. (A server must also remove headers with its own name from
incoming mail, RFC 8601 section 5; OpenDKIM, OpenDMARC and rspamd do.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import authres

MOST_HOPS = 3  # Received headers above the results: internal hops from our border server to the mailbox
_MOST_HEADERS = 20
_LONGEST = 4096  # bytes of one header that are parsed
_MOST_RESULTS = 20  # of one header


class Verdict(StrEnum):
    GENUINE = "genuine"  # authenticated by the domain of the sender's address
    UNVERIFIED = "unverified"  # no usable result
    FAILED = "failed"  # DMARC failed, or SPF or DKIM did with nothing in the message's favour


@dataclass(frozen=True, slots=True)
class AuthenticationCheck:
    """The result of one method ("spf", "dkim", "dmarc", "arc"), as RFC 8601 names it, and the domain checked, may be empty."""

    method: str
    result: str
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Authentication:
    verdict: Verdict = Verdict.UNVERIFIED
    checks: tuple[AuthenticationCheck, ...] = ()

    @property
    def told(self) -> bool:
        """Whether our server reported any result."""
        return bool(self.checks)


def results_in(raw: bytes) -> tuple[tuple[int, str], ...]:
    """The Authentication-Results of a header block, topmost first, each with the number of Received headers above it.

    `raw` holds these two fields in the message's order. Stops after MOST_HOPS Received headers. Linear time, never raises.
    """
    found: list[tuple[int, str]] = []
    hops = 0
    for field in re.split(rb"\r?\n(?![ \t])", raw):
        name, _colon, value = field.partition(b":")
        match name.strip().lower():
            case b"received":
                hops += 1
            case b"authentication-results":
                found.append((hops, value[:_LONGEST].decode("ascii", "replace")))
        if hops > MOST_HOPS or len(found) >= _MOST_HEADERS:
            break
    return tuple(found)


def judge(results: tuple[tuple[int, str], ...], authserv_id: str, domain: str) -> Authentication:
    """The verdict on a message from `domain` (of the From address). With an empty `authserv_id` nothing is trusted.

    For each method the results of the topmost header count: a forged one can only be below.
    """
    checks: dict[str, list[AuthenticationCheck]] = {}
    believed_at = None
    for hops, value in results:
        if not authserv_id or _server_of(value) != authserv_id.lower():
            continue
        if believed_at is None:
            believed_at = hops
        if hops != believed_at:
            break
        here: dict[str, list[AuthenticationCheck]] = {}
        for check in _checks(value):
            here.setdefault(check.method, []).append(check)
        checks = here | checks
    all_checks = tuple(check for method in checks.values() for check in method)
    return Authentication(_verdict(checks, domain.lower().rstrip(".")), all_checks)


def aligned(one: str, other: str) -> bool:
    """Relaxed alignment (RFC 7489 section 3.1), simplified: the domains are equal or one is a subdomain of the other."""
    if not one or not other or "." not in one or "." not in other:
        return bool(one) and one == other
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def _verdict(checks: dict[str, list[AuthenticationCheck]], domain: str) -> Verdict:
    def has(method: str, *results: str, ours: bool = False) -> bool:
        return any(c.result in results and (not ours or aligned(c.domain, domain)) for c in checks.get(method, ()))

    if any(c.result == "fail" for c in checks.get("dmarc", ())):
        return Verdict.FAILED
    if any(c.result == "pass" and c.domain in ("", domain) for c in checks.get("dmarc", ())):
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


def _checks(value: str) -> list[AuthenticationCheck]:
    """The results of a header, each parsed on its own, so that a malformed one does not hide the others."""
    found: list[AuthenticationCheck] = []
    for part in _split(value)[1 : _MOST_RESULTS + 1]:
        try:
            header = authres.AuthenticationResultsHeader.parse(f"Authentication-Results: us; {part}")
        except (authres.AuthResError, ValueError, AttributeError):
            continue  # raised by the library for a malformed result
        for result in header.results:
            if getattr(result, "method", "") in _DOMAIN_OF:
                found.append(AuthenticationCheck(result.method, result.result, _domain(result)))
    return found


_DOMAIN_OF = {
    "spf": (("smtp", "mailfrom"), ("smtp", "helo")),
    "dkim": (("header", "d"), ("header", "i")),
    "dmarc": (("header", "from"),),
    "arc": (),
}


def _domain(result: authres.core.AuthenticationResult) -> str:
    values = {(p.type, p.name): str(p.value or "") for p in reversed(result.properties)}
    for wanted in _DOMAIN_OF[result.method]:
        if value := values.get(wanted, ""):
            return value.rpartition("@")[2].strip("<>").lower().rstrip(".")
    return ""
