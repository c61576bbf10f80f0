"""Comparing of DNS: each record that belongs there with what resolvers answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from webmail.admin.watching.dns_notes import ADVISED, OK, PROBLEM, UNKNOWN, WARNING, DnsFinding
from webmail.config.settings import Settings
from webmail.doctor.zone import dane, policy
from webmail.doctor.zone.questions import DnsQuestions, NoDnsAnswerError
from webmail.doctor.zone.wanted import WantedRecord, addresses, is_nobodys, mail_host, records

_AT_ONCE = 8
_LONGEST = 200  # characters of what was found

_Verdict = tuple[str, str, str]  # state, code, found


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at all records."""

    settings: Settings
    dns: DnsQuestions

    @property
    def mail(self) -> str:
        return mail_host(self.settings)

    def servers(self, domain: str) -> list[str]:
        """Where MX of a domain leads."""
        return sorted(value.split()[-1].rstrip(".").lower() for value in self.dns.values(domain, "MX"))


def look(settings: Settings) -> list[DnsFinding]:
    """All records of names that DNS can know; within a minute, whatever does not answer."""
    about = _Look(settings, DnsQuestions(settings.server_timeout))
    wanted = [one for one in records(settings) if one.why != "absent" and not _is_nobodys(one)]
    wanted = list({(one.name, one.kind, one.value, one.why): one for one in wanted}.values())
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="dns") as pool:
        return [finding for found in pool.map(lambda one: list(_judged(about, one)), wanted) for finding in found]


def _is_nobodys(wanted: WantedRecord) -> bool:
    name = wanted.name.removeprefix("https://").partition("/")[0]
    return is_nobodys(name.rstrip(".")) or is_nobodys(wanted.domain)


def _judged(about: _Look, wanted: WantedRecord) -> Iterator[DnsFinding]:
    finding = DnsFinding(wanted.domain, wanted.name, wanted.kind, wanted.value, wanted.why, OK, "fine")
    try:
        if wanted.why == "reverse":
            yield from _reverse(about, finding)
            return
        if wanted.why == "dane":
            yield from _dane(about, finding)
            return
        state, code, found = _JUDGES.get(wanted.why, _same)(about, wanted)
    except NoDnsAnswerError:
        state, code, found = UNKNOWN, "unknown", ""
    yield replace(finding, state=state, code=code, found=found[:_LONGEST])


def _missing(wanted: WantedRecord) -> _Verdict:
    return (WARNING if wanted.needed else ADVISED), "missing", ""


def _good(found: str = "") -> _Verdict:
    return OK, "fine", found


def _same(about: _Look, wanted: WantedRecord) -> _Verdict:
    """Of SRV, priority and weight are the administrator's."""
    found = about.dns.values(wanted.name, wanted.kind)
    if not found:
        return _missing(wanted)
    if wanted.kind == "SRV":
        right = any(wanted.value.lower().split()[2:] == value.lower().split()[2:] for value in found)
    else:
        right = any(wanted.value.strip('"') == value.strip('"') for value in found)
    return _good(found[0]) if right else (WARNING, "different", found[0])


def _host(about: _Look, wanted: WantedRecord) -> _Verdict:
    """A name of this server: all its addresses, where they are known, and no others of the kind."""
    found = about.dns.values(wanted.name, wanted.kind) if wanted.value else about.dns.addresses(wanted.name)
    if not found:
        return (PROBLEM, "missing", "") if wanted.needed else _missing(wanted)
    if wanted.value and wanted.value not in found:
        return WARNING, "different", ", ".join(found)
    strange = [value for value in found if wanted.value and value not in addresses(about.settings)]
    return (WARNING, "different", ", ".join(strange)) if strange else _good(", ".join(found))


def _autoconfig(about: _Look, wanted: WantedRecord) -> _Verdict:
    found = about.dns.addresses(wanted.name)
    return _good(", ".join(found)) if found else _missing(wanted)


def _mx(about: _Look, wanted: WantedRecord) -> _Verdict:
    hosts = about.servers(wanted.domain)
    if not hosts:
        return PROBLEM, "missing", ""
    for host in hosts:
        if not about.dns.addresses(host):
            return PROBLEM, "no-address", host
    told = ", ".join(hosts)
    return (WARNING, "elsewhere", told) if about.mail and about.mail not in hosts else _good(told)


def _spf(about: _Look, wanted: WantedRecord) -> _Verdict:
    found = [text for text in about.dns.texts(wanted.name) if re.match(r"v=spf1(\s|$)", text, re.IGNORECASE)]
    if not found:
        return _missing(wanted)
    if len(found) > 1:
        return PROBLEM, "several", " · ".join(found)
    terms = found[0].lower().split()[1:]
    if {"+all", "all"} & set(terms):
        return WARNING, "open", found[0]
    return _good(found[0]) if _names_us(about, terms) else (WARNING, "without-us", found[0])


def _names_us(about: _Look, terms: list[str]) -> bool:
    """Whether terms of SPF may let this server send. What is behind names of others is not followed: theirs count as such."""
    ours = addresses(about.settings)
    for term in (one.lstrip("+") for one in terms):
        name, _colon, value = term.partition(":")
        if name in ("mx", "a", "include", "exists") or name.startswith(("redirect=", "mx/", "a/")):
            return True
        if name in ("ip4", "ip6") and (not ours or "/" in value or value in ours):
            return True
    return False


def _dkim(about: _Look, wanted: WantedRecord) -> _Verdict:
    if not wanted.value:  # whose name is not known here: but where there is one, what is above it exists
        return _good() if about.dns.exists(f"_domainkey.{wanted.domain}") else _missing(wanted)
    found = about.dns.texts(wanted.name)
    if not found:
        return PROBLEM, "missing", ""
    key = _tag(wanted.value.replace('" "', "").strip('"'), "p")
    right = any(_tag(text, "p") == key for text in found)
    return _good(found[0]) if right else (PROBLEM, "other-key", found[0])


def _tag(text: str, name: str) -> str:
    """The value of a tag in a DKIM record, "" if it is not there."""
    tags = (part.strip().partition("=") for part in text.split(";"))
    return next((re.sub(r"\s", "", value) for tag, _equals, value in tags if tag.strip() == name), "")


def _begins(prefix: str) -> Callable[[_Look, WantedRecord], _Verdict]:
    """A judge of a text that others may have written otherwise: it counts where there is exactly one that begins so."""

    def judge(about: _Look, wanted: WantedRecord) -> _Verdict:
        found = [text for text in about.dns.texts(wanted.name) if text.lower().startswith(prefix.lower())]
        if len(found) > 1:
            return WARNING, "several", " · ".join(found)
        return _good(found[0]) if found else _missing(wanted)

    return judge


def _policy(about: _Look, wanted: WantedRecord) -> _Verdict:
    """The file, where its record asks others to fetch it, or it is there without one."""
    asked = any(text.startswith("v=STSv1") for text in about.dns.texts(f"_mta-sts.{wanted.domain}"))
    host = wanted.name.removeprefix("https://").partition("/")[0]
    if not about.dns.addresses(host):
        return (WARNING, "no-host", host) if asked else _missing(wanted)
    try:
        found = policy.fetched(wanted.name, about.settings.server_timeout)
    except policy.PolicyError as error:
        return (WARNING if asked else ADVISED), "unreadable", str(error)
    if strange := [server for server in about.servers(wanted.domain) if not found.allows(server)]:
        return (PROBLEM if found.mode == "enforce" else WARNING), "without-mx", ", ".join(strange)
    return _good(f"{found.mode}: {', '.join(found.servers)}")


def _caa(about: _Look, wanted: WantedRecord) -> _Verdict:
    """The nearest record above counts (RFC 8659); without any, every authority may."""
    labels = wanted.domain.split(".")
    for start in range(len(labels) - 1):
        found = about.dns.values(".".join(labels[start:]), "CAA")
        allowed = [value for value in found if value.split()[1:2] == ["issue"]]
        if allowed:
            ours = about.settings.certificate_authority
            right = any(re.search(rf'"{re.escape(ours)}(\s*;|")', value) for value in allowed)
            return _good(allowed[0]) if right else (PROBLEM, "other-authority", ", ".join(allowed))
    return _missing(wanted)


def _reverse(about: _Look, finding: DnsFinding) -> Iterator[DnsFinding]:
    """Each address of the server as others see it: its name must lead back to it."""
    import dns.reversename

    for address in about.dns.addresses(finding.name):
        pointer = dns.reversename.from_address(address).to_text()
        names = [found.rstrip(".").lower() for found in about.dns.values(pointer, "PTR")]
        here = replace(finding, name=pointer)
        if any(address in about.dns.addresses(name) for name in names):
            yield replace(here, found=f"{address}: {names[0]}")
        elif names:
            yield replace(here, state=WARNING, code="not-back", found=f"{address}: {names[0]}")
        else:
            yield replace(here, state=WARNING, code="missing", found=address)


def _dane(about: _Look, finding: DnsFinding) -> Iterator[DnsFinding]:
    """Nothing where DNS of the server's name is not signed: DANE counts for nobody then."""
    if not about.dns.is_signed(about.mail):
        return
    records_there = about.dns.values(finding.name, "TLSA")
    try:
        certificate = dane.server_certificate(about.mail, about.settings.server_timeout)
    except dane.NoCertificateError as error:
        if records_there:
            yield replace(finding, state=UNKNOWN, code="no-certificate", found=str(error)[:_LONGEST])
        return
    finding = replace(finding, value=dane.wanted(certificate))
    fitting = [dane.fits(record, certificate) for record in records_there]
    if not records_there:
        yield replace(finding, state=ADVISED, code="dane-missing")
    elif any(one is not False for one in fitting):
        yield replace(finding, found=records_there[0])
    else:
        yield replace(finding, state=PROBLEM, code="other-certificate", found=", ".join(records_there)[:_LONGEST])


_JUDGES: dict[str, Callable[[_Look, WantedRecord], _Verdict]] = {
    "host": _host,
    "mta-sts-host": _host,
    "key-host": _host,
    "autoconfig": _autoconfig,
    "mail": _mx,
    "spf": _spf,
    "spf-of-server": _spf,
    "dkim": _dkim,
    "dmarc": _begins("v=DMARC1"),
    "mta-sts": _begins("v=STSv1"),
    "mta-sts-policy": _policy,
    "tls-reports": _begins("v=TLSRPTv1"),
    "caa": _caa,
}
