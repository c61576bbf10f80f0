"""Wanted records: all that belongs in DNS for an installation, as the installer's zone file, the page and the doctor know it.

What is told to telephones: `webmail/auth/devices/dns_records.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from webmail.auth.devices import dns_records
from webmail.auth.devices.servers import domains, mail_servers
from webmail.config.settings import Settings
from webmail.mime.headers.address_input import ascii_domain

_RESERVED = (".example", ".test", ".invalid", ".localhost", ".local", ".lan", ".internal")  # nobody's: RFC 2606, RFC 6761
_CHUNK = 250  # characters of a text: DNS takes 255 at once
SPF, SPF_OF_SERVER = "v=spf1 mx -all", "v=spf1 a -all"
POLICY = ".well-known/mta-sts.txt"


@dataclass(frozen=True, slots=True)
class WantedRecord:
    """`name` ends in a dot. `value`: as a zone file has it; "" where only the owner knows it. `why`: a word of
    admin/watching/dns_texts.py. `needed`: mail is lost or refused without it; else it is advised."""

    domain: str
    name: str
    kind: str
    value: str
    why: str
    needed: bool = False


def is_nobodys(domain: str) -> bool:
    """Whether it is a name that DNS can't know, as those of a demo."""
    return f".{domain}".endswith(_RESERVED) or "." not in domain


def mail_host(settings: Settings) -> str:
    """The name under which the mail server is known outside, "" if it has none."""
    if settings.mail_server:
        return ascii_domain(settings.mail_server).lower()
    return next((server.host.lower() for server in mail_servers(settings) if server.use == "smtp"), "")


def web_host(settings: Settings) -> str:
    return ascii_domain(urlsplit(settings.public_url).hostname or "").lower()


def addresses(settings: Settings) -> tuple[str, ...]:
    """Those of this server, as settings have them."""
    return tuple(settings.server_addresses.replace(",", " ").split())


def records(settings: Settings, *, dav: bool = True) -> list[WantedRecord]:
    """Of all domains, the main one first. `dav`: calendars and contacts are served."""
    found: list[WantedRecord] = []
    for number, domain in enumerate(domains(settings)):
        if number == 0:
            found += _of_hosts(domain, settings)
        found += _of_mail(domain, settings, main=number == 0)
    return found + list(_of_programs(settings, dav))


def zone_file(settings: Settings, *, dav: bool = True) -> list[str]:
    """Lines; what is no record, or what only its owner knows, is a comment."""
    lines = []
    for one in records(settings, dav=dav):
        if one.kind in ("PTR", "HTTPS", "TLSA"):
            continue
        lines.append(f"{one.name} 3600 IN {one.kind} {one.value}" if one.value else f"; {one.name} IN {one.kind}: yours to know")
    if server := mail_host(settings):
        where = ", ".join(addresses(settings)) or "the address of this server"
        lines.append(f"; whoever gave you {where} sets its reverse name (PTR) to {server}.")
    return lines


def _of_hosts(domain: str, settings: Settings) -> Iterator[WantedRecord]:
    """Names of this server, which lead to it."""
    mail, web = mail_host(settings), web_host(settings)
    hosts = [(name, "host", True) for name in dict.fromkeys((web, mail)) if name and not name.replace(".", "").isdigit()]
    if web and mail:
        hosts += [(f"mta-sts.{domain}", "mta-sts-host", False)]
        if settings.encryption:
            hosts += [(f"openpgpkey.{domain}", "key-host", False)]
    known = addresses(settings)
    for name, why, needed in hosts:
        for address in known or ("",):
            kind = "AAAA" if ":" in address else "A"
            yield WantedRecord(domain, f"{name}.", kind, address, why, needed)
    if mail and not is_nobodys(mail):
        yield WantedRecord(domain, f"{mail}.", "PTR", f"{mail}.", "reverse", needed=True)
        if mail != domain:
            yield WantedRecord(domain, f"{mail}.", "TXT", _text(SPF_OF_SERVER), "spf-of-server")
        yield WantedRecord(domain, f"_25._tcp.{mail}.", "TLSA", "", "dane")


def _of_mail(domain: str, settings: Settings, *, main: bool) -> Iterator[WantedRecord]:
    mail = mail_host(settings)
    yield WantedRecord(domain, f"{domain}.", "MX", f"10 {mail}." if mail else "", "mail", needed=True)
    yield WantedRecord(domain, f"{domain}.", "TXT", _text(SPF), "spf", needed=True)
    key = settings.dkim_record if main else ""
    selector = settings.dkim_selector if main else ""
    name = f"{selector}._domainkey.{domain}." if selector else f"_domainkey.{domain}."
    yield WantedRecord(domain, name, "TXT", _text(key) if key else "", "dkim", needed=True)
    policy = f"v=DMARC1; p=quarantine; rua=mailto:postmaster@{domain}"
    yield WantedRecord(domain, f"_dmarc.{domain}.", "TXT", _text(policy), "dmarc", needed=True)
    if mail:
        yield WantedRecord(domain, f"_mta-sts.{domain}.", "TXT", _text("v=STSv1; id=1"), "mta-sts")
        yield WantedRecord(domain, f"https://mta-sts.{domain}/{POLICY}", "HTTPS", policy_text(mail), "mta-sts-policy")
        reports = _text(f"v=TLSRPTv1; rua=mailto:postmaster@{domain}")
        yield WantedRecord(domain, f"_smtp._tls.{domain}.", "TXT", reports, "tls-reports")
    if settings.certificate_authority:
        yield WantedRecord(domain, f"{domain}.", "CAA", f'0 issue "{settings.certificate_authority}"', "caa")


def policy_text(mail: str) -> str:
    """What others fetch before they send (RFC 8461), in one line with `\\n` where nginx has a line end."""
    return f"version: STSv1\\nmode: testing\\nmx: {mail}\\nmax_age: 604800\\n"


def _of_programs(settings: Settings, dav: bool) -> Iterator[WantedRecord]:
    """By which telephones and mail programs find the servers."""
    for line in dns_records.records(settings, dav=dav):
        name, _ttl, _class, kind, value = line.split(" ", 4)
        domain = name.rstrip(".").split("_tcp.")[-1].removeprefix("autoconfig.")
        why = "autoconfig" if kind == "CNAME" else "absent" if value.endswith(" .") else "programs"
        yield WantedRecord(domain, name, kind, value, why)


def _text(value: str) -> str:
    return " ".join(f'"{value[start : start + _CHUNK]}"' for start in range(0, len(value), _CHUNK))


def kind_of(address: str) -> str:
    return "A" if ip_address(address).version == 4 else "AAAA"
