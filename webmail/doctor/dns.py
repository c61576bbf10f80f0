"""Doctor, DNS: whether the records by which phones and programs find the servers are there, and say what `dns-records` prints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from webmail.auth.devices import dns_records
from webmail.config.settings import Settings
from webmail.doctor.result import OK, WARNING, CheckResult

_RESERVED = (".example", ".test", ".invalid", ".localhost", ".local", ".lan", ".internal")  # nobody's: RFC 2606, RFC 6761
_MOST_NAMED = 4


class NoDnsAnswerError(OSError):
    """No DNS server answers from here."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A record as it should be: "SRV" with `value` "PRIORITY WEIGHT PORT TARGET", "TXT", or "A" (any address)."""

    name: str
    kind: str
    value: str


def examine(settings: Settings) -> Iterator[CheckResult]:
    """One result for each domain that DNS can know; none where no server is known by a name."""
    by_domain: dict[str, list[_Wanted]] = {}
    for wanted, domain in _wanted(settings):
        if is_nobodys(domain):
            continue
        by_domain.setdefault(domain, []).append(wanted)
    for domain, records in by_domain.items():
        try:
            yield _judged(domain, records, settings.server_timeout)
        except NoDnsAnswerError:
            yield CheckResult(f"DNS of {domain}", WARNING, "no DNS server answers, so what phones look up was not checked.")
            return


def is_nobodys(domain: str) -> bool:
    """Whether it is a name that DNS can't know, as those of a demo."""
    return f".{domain}".endswith(_RESERVED) or "." not in domain


def _wanted(settings: Settings) -> Iterator[tuple[_Wanted, str]]:
    """The records, with their domains. Those that only say that there is nothing are left out: few programs ask for them."""
    for line in dns_records.records(settings, dav=True):
        name, _ttl, _class, kind, value = line.split(" ", 4)
        domain = name.rstrip(".").split("_tcp.")[-1].removeprefix("autoconfig.")
        if kind == "CNAME":
            yield _Wanted(name, "A", ""), domain
        elif not (kind == "SRV" and value.endswith(" .")):
            yield _Wanted(name, kind, value), domain


def _judged(domain: str, records: list[_Wanted], timeout: float) -> CheckResult:
    name = f"DNS of {domain}"
    missing, other = [], []
    for one in records:
        found = ask(one.name, one.kind, timeout)
        label = f"{one.name.rstrip('.').removesuffix('.' + domain)} ({one.kind})"
        if not found:
            missing.append(label)
        elif one.kind != "A" and not any(_same(one, value) for value in found):
            other.append(f"{label} is {found[0][:80]}")
    if not missing and not other:
        return CheckResult(name, OK, "phones and programs find the servers by it.")
    parts = ([f"missing: {_some(missing)}"] if missing else []) + ([f"different: {_some(other)}"] if other else [])
    advice = "Programs then ask for the servers' names; `flask --app wsgi dns-records` prints what belongs there."
    return CheckResult(name, WARNING, f"{'; '.join(parts)}. {advice}")


def _some(texts: list[str]) -> str:
    more = len(texts) - _MOST_NAMED
    return ", ".join(texts[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _same(wanted: _Wanted, value: str) -> bool:
    """Priority and weight are the administrator's."""
    if wanted.kind == "SRV":
        return wanted.value.lower().split()[2:] == value.lower().split()[2:]
    return wanted.value.strip('"') == value.strip('"')


def ask(name: str, kind: str, timeout: float) -> list[str]:
    """The values of a record, as a zone file has them; none where there is no such record. Raises NoDnsAnswerError."""
    return _look_up(name, kind, timeout) or []


def exists(name: str, timeout: float) -> bool:
    """Whether there is anything at this name or below it (RFC 8020). Raises NoDnsAnswerError."""
    return _look_up(name, "TXT", timeout) is not None


def _look_up(name: str, kind: str, timeout: float) -> list[str] | None:
    """The values of a record; None where the name does not exist at all. Raises NoDnsAnswerError."""
    import dns.exception  # imported when first needed
    import dns.resolver

    try:
        answer = dns.resolver.resolve(name, kind, lifetime=timeout)
    except dns.resolver.NXDOMAIN:
        return None
    except dns.resolver.NoAnswer:
        return []
    except (dns.exception.DNSException, OSError) as error:
        raise NoDnsAnswerError(str(error)) from error
    return [record.to_text() for record in answer]
