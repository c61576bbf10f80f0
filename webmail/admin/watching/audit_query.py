"""Query of the audit log: what an administrator asks it for, and its answer, of their own establishments alone."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from webmail import audit
from webmail.auth import account_management, activity
from webmail.auth.sessions.sessions import network_of
from webmail.establishments.scope import Scope
from webmail.mime.formats.address_books.csv_out import harmless
from webmail.models import AuditAct, AuditEntry, now

SIZE = 50
MOST = 100_000  # entries of an export
_OF_A_NETWORK = timedelta(days=30)  # how far back a network alone is looked for: no index finds it
_KEY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15})_([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """As it stands in the address: `who` did it or it was done to them, `about` is whom or what it was done to."""

    who: str = ""
    about: str = ""
    act: str = ""
    since: str = ""  # days
    until: str = ""
    network: str = ""
    before: str = ""  # the last entry of the page before

    @classmethod
    def read(cls, arguments: Mapping[str, str]) -> AuditQuery:
        found = {one.name: " ".join(arguments.get(one.name, "").replace("\0", "").split())[:254] for one in fields(cls)}
        found |= {name: found[name].lower() for name in ("who",)}
        found["act"] = found["act"] if found["act"] in set(AuditAct) else ""
        found |= {name: found[name] if _day(found[name]) else "" for name in ("since", "until")}
        if found["network"] and not found["since"]:
            found["since"] = (now() - _OF_A_NETWORK).date().isoformat()
        return cls(**found)

    @property
    def filled(self) -> dict[str, str]:
        """What is asked for, without the page."""
        return {one.name: value for one in fields(self) if one.name != "before" and (value := getattr(self, one.name))}

    def search(self, scope: Scope, zone: ZoneInfo, *, size: int = SIZE, before: str = "") -> tuple[list[AuditEntry], str]:
        """A page, newest first, and the key of the next one; "" where there is none. One SELECT."""
        since, until = _day(self.since), _day(self.until)
        asked: dict[str, Any] = {"act": self.act, "who": self.who, "target": self.about}
        found, more = audit.search(
            **asked, network=network_of(self.network) or self.network, before=_key(before or self.before), size=size,
            since=_midnight(since, zone) if since else None,
            until=_midnight(until + timedelta(days=1), zone) if until else None,
            within=None if scope.everything else _concerning(scope, by_network=bool(self.network)),
        )  # fmt: skip
        return found, key_of(found[-1]) if more else ""


def _concerning(scope: Scope, *, by_network: bool) -> Any:
    """What concerns people of these establishments, also those who have gone. `by_network`: what they did themselves, or the
    filter would tell where others were."""
    own = activity.addresses(scope.condition())
    found = audit.concerning(own, scope.domains, activity.addresses())
    if not by_network:
        return found
    actor = AuditEntry.actor_address
    return found & (actor.in_(own) | ((actor == "") & AuditEntry.target.in_(own)))


def hidden_people(scope: Scope) -> frozenset[str]:
    """Who has an address in the domains of a scope and is not in it, since they administer more. One SELECT, or none."""
    return frozenset() if scope.everything else account_management.addresses_outside(scope.domains, scope.condition())


def network_shown(entry: AuditEntry, scope: Scope, hidden: Collection[str]) -> str:
    """Where it was done; "" of somebody outside, whose whereabouts are not for who administers one establishment."""
    who = entry.actor_address or entry.target
    return entry.network if scope.everything or (scope.includes(who) and who not in hidden) else ""


def key_of(entry: AuditEntry) -> str:
    return f"{entry.at.isoformat()}_{entry.id}"


def table(query: AuditQuery, scope: Scope, zone: ZoneInfo, heads: list[str]) -> Iterator[bytes]:
    """All that is found as a table for spreadsheets, MOST entries at most. No cell is a formula."""
    yield b"\xef\xbb\xbf" + _line(heads)
    written, before, hidden = 0, query.before, hidden_people(scope)
    while written < MOST:
        found, before = query.search(scope, zone, size=audit.LARGEST_PAGE, before=before)
        for entry in found:
            details = audit.details_of(entry)
            words = json.dumps(details, ensure_ascii=False) if details else ""
            place = network_shown(entry, scope, hidden)
            yield _line([f"{entry.at:%Y-%m-%dT%H:%M:%SZ}", entry.act, entry.actor_address, entry.target, place, words])
        written += len(found)
        if not before:
            return


def _line(cells: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(harmless(one) for one in cells)
    return text.getvalue().encode()


def _key(text: str) -> tuple[datetime, int] | None:
    found = _KEY.fullmatch(text)
    try:
        return (datetime.fromisoformat(found[1]), int(found[2])) if found else None
    except ValueError:
        return None


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else None
    except ValueError:
        return None
    return found if found and 1990 < found.year < 9000 else None


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC).replace(tzinfo=None)
