"""Doctor, DNS: a line for each record that is not as it should be, and one for all others of a domain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flask_babel import gettext as _

from webmail.admin.watching import dns_texts
from webmail.admin.watching.dns_notes import ADVISED, UNKNOWN, WRONG, DnsFinding
from webmail.config.settings import Settings
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, later
from webmail.doctor.zone import comparing

_MOST_NAMED = 6


def examine(settings: Settings) -> Iterator[CheckResult]:
    """Ask resolvers now; nothing for domains that DNS can't know."""
    yield from results(comparing.look(settings))


def results(found: Iterable[DnsFinding]) -> Iterator[CheckResult]:
    """What findings, of now or noted, are for the doctor."""
    domains: dict[str, list[DnsFinding]] = {}
    for one in found:
        domains.setdefault(one.domain, []).append(one)
    for domain, records in domains.items():
        wrong = [one for one in records if one.state in WRONG]
        for one in wrong:
            state = PROBLEM if one.state == PROBLEM else WARNING
            yield CheckResult(f"DNS, {one.kind} {one.name.rstrip('.')}"[:60], state, later(dns_texts.said, one))
        if unknown := [one for one in records if one.state == UNKNOWN]:
            yield CheckResult(f"DNS of {domain}", WARNING, later(_unknown, len(unknown), len(records)))
        elif not wrong:
            yield CheckResult(f"DNS of {domain}", OK, later(_good, [one for one in records if one.state == ADVISED]))


def _unknown(count: int, total: int) -> str:
    if count == total:
        return _("no DNS server answers, so it was not checked. Look at /etc/resolv.conf and the firewall.")
    return _("no DNS server answered for %(count)s of %(total)s records: check again later.", count=count, total=total)


def _good(advised: list[DnsFinding]) -> str:
    if not advised:
        return _("all records are there.")
    names = [f"{one.name.rstrip('.')} ({one.kind})" for one in advised[:_MOST_NAMED]]
    named = ", ".join(names) + (" …" if len(advised) > len(names) else "")
    return _("what mail needs is there. You can add: %(records)s; `flask --app wsgi dns-records` prints them.", records=named)
