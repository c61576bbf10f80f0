"""Notes of DNS: what was found of the records that belong there when the worker last looked, so that a page answers at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from webmail.database.connection import db
from webmail.models import DnsNote, now

EVERY = timedelta(days=7)
OK, ADVISED, UNKNOWN, WARNING, PROBLEM = "ok", "advised", "unknown", "warning", "problem"
WRONG = (PROBLEM, WARNING)
_ORDER = {PROBLEM: 0, WARNING: 1, UNKNOWN: 2, ADVISED: 3}


@dataclass(frozen=True, slots=True)
class DnsFinding:
    """A record that belongs in DNS and what is there: the columns of `DnsNote`, which explains them."""

    domain: str
    name: str
    kind: str
    value: str
    why: str
    state: str
    code: str
    found: str = ""

    @property
    def line(self) -> str:
        """As a zone file has it; "" where it is no record, or only the owner knows its value."""
        return f"{self.name} 3600 IN {self.kind} {self.value}" if self.value and self.kind != "HTTPS" else ""


@dataclass(frozen=True, slots=True)
class DnsState:
    """What was found last, by domain, what is wrong first; `looked`: when, None: never."""

    domains: dict[str, list[DnsFinding]]
    looked: datetime | None

    @property
    def wrong(self) -> int:
        return sum(one.state in WRONG for each in self.domains.values() for one in each)


def replace(found: Iterable[DnsFinding]) -> None:
    """Put these in the place of what was found before. Two statements for fifty."""
    rows = [{**asdict(one), "found": one.found[:500], "value": one.value[:2000], "at": now()} for one in found]
    with db.atomic():
        DnsNote.delete().execute()
        for start in range(0, len(rows), 50):
            DnsNote.insert_many(rows[start : start + 50]).execute()


def listed() -> list[DnsFinding]:
    """In the order in which they were found. 1 SELECT."""
    return [_finding(row) for row in DnsNote.select().order_by(DnsNote.id)]


def latest() -> DnsState:
    """For the page. 1 SELECT."""
    rows = list(DnsNote.select().order_by(DnsNote.id))
    domains: dict[str, list[DnsFinding]] = {}
    for row in sorted(rows, key=lambda row: (_ORDER.get(row.state, 4), row.id)):
        domains.setdefault(row.domain, []).append(_finding(row))
    return DnsState(domains, max((row.at for row in rows), default=None))


def _finding(row: DnsNote) -> DnsFinding:
    return DnsFinding(row.domain, row.name, row.kind, row.value, row.why, row.state, row.code, row.found)
