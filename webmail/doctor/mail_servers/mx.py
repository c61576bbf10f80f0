"""Doctor, MX: whether mail for our domains is brought to the mail server, and its address has a reverse name that leads back."""

from __future__ import annotations

from collections.abc import Iterator

import dns.exception
import dns.reversename

from webmail.auth.devices.servers import domains
from webmail.config.settings import Settings
from webmail.doctor import dns as doctor_dns
from webmail.doctor.result import OK, WARNING, CheckResult
from webmail.mime.headers.address_input import ascii_domain


def examine(settings: Settings) -> Iterator[CheckResult]:
    """One result for each domain that DNS can know, one for the server; ends at the first that no DNS server answers for."""
    try:
        for domain in domains(settings):
            if not doctor_dns.is_nobodys(domain):
                yield _mx(domain, settings)
        server = ascii_domain(settings.mail_server).lower()
        if settings.mail_server and not doctor_dns.is_nobodys(server):
            yield from _reverse(server, settings.server_timeout)
    except doctor_dns.NoDnsAnswerError:
        yield CheckResult("MX", WARNING, "no DNS server answers, so it was not checked whether mail from elsewhere arrives.")


def _mx(domain: str, settings: Settings) -> CheckResult:
    name, server = f"MX of {domain}", ascii_domain(settings.mail_server).lower()
    records = doctor_dns.ask(f"{domain}.", "MX", settings.server_timeout)
    hosts = sorted(record.split()[-1].rstrip(".").lower() for record in records)
    if not hosts:
        words = (
            f"there is none, so other servers don't know where to bring mail: add `{domain}. MX 10 {server or 'MAIL-SERVER'}.`"
        )
        return CheckResult(name, WARNING, f"{words} to your DNS.")
    for host in hosts:
        if not any(doctor_dns.ask(f"{host}.", kind, settings.server_timeout) for kind in ("A", "AAAA")):
            return CheckResult(
                name, WARNING, f"leads to {host}, which has no address: add an A record for it, or correct the MX."
            )
    if server and server not in hosts:
        words = f"leads to {', '.join(hosts)} and not to {server}: right if a filter is in front of it, else mail goes astray."
        return CheckResult(name, WARNING, words)
    return CheckResult(name, OK, f"leads to {', '.join(hosts)}.")


def _reverse(server: str, timeout: float) -> Iterator[CheckResult]:
    """Each address of the server as others see it: its name must lead back to it."""
    for address in [found for kind in ("A", "AAAA") for found in doctor_dns.ask(f"{server}.", kind, timeout)]:
        names = [found.rstrip(".").lower() for found in doctor_dns.ask(_pointer(address), "PTR", timeout)]
        kind = "AAAA" if ":" in address else "A"
        if any(address in doctor_dns.ask(f"{name}.", kind, timeout) for name in names):
            yield CheckResult("Reverse DNS", OK, f"{address} is {names[0]}.")
        else:
            what = f"is {names[0]}, which does not lead back to it" if names else "has no name"
            words = f"{address} {what}: others may refuse mail from it. Whoever gave you the address sets it (PTR {server}.)."
            yield CheckResult("Reverse DNS", WARNING, words)


def _pointer(address: str) -> str:
    return dns.reversename.from_address(address).to_text()
