"""People plan: what a file of people would do, line by line, before anything is written. The task does exactly this.

What a directory or another provider gives is never changed: the name and quota of accounts that it made, and its groups.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from webmail.admin.imports import cell_values
from webmail.admin.imports.cell_values import NumberedName
from webmail.admin.imports.people_columns import PeopleLine
from webmail.auth import account_batches, aliases, reserved_addresses
from webmail.auth.recovery import recovery_address
from webmail.auth.recovery.recovery_address import AddressFault, AddressRefusedError
from webmail.auth.sign_in.names import is_for_account, normalise
from webmail.config.settings import Settings
from webmail.establishments import establishments
from webmail.establishments.scope import Scope
from webmail.mime.headers.encoded_words import sort_key
from webmail.mime.threats.display_names import address_in
from webmail.models import User
from webmail.people import memberships, own_name
from webmail.people.memberships import Membership

LONGEST_NAME = 190
DAYS_VALID, MOST_DAYS_VALID = 30, 120  # of passwords on paper
CEILING = 50  # people who may be disabled since the file has them no more, unless more are allowed


class LineOutcome(StrEnum):
    """What becomes of a line, or of somebody whom the file does not have."""

    CREATED = "created"
    CHANGED = "changed"
    DISABLED = "disabled"
    SAME = "same"
    REFUSED = "refused"


class Missing(StrEnum):
    """Who counts as missing, if they are not in the file."""

    NOBODY = ""
    OF_GROUPS = "groups"  # people of the groups that the file names
    OF_DOMAIN = "domain"  # everybody in the domains of the file


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What an administrator chose besides the columns. `ends`: the last day of missing people; "": they are disabled now."""

    domain: str = ""  # of addresses without one, and of those that are made
    rule: str = cell_values.RULES[0]
    replace_groups: bool = False
    make_groups: bool = True
    passwords: bool = True
    days_valid: int = DAYS_VALID
    missing: str = Missing.NOBODY
    ends: str = ""
    ceiling: int = CEILING

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ImportOptions:
        return cls(**{name: data[name] for name in cls.__slots__ if name in data})


@dataclass(slots=True)
class PlannedPerson:
    """`line`: 0 for who is not in the file. `values` become what `before` is now; `join` and `leave` are names of groups.

    `reasons`: why it is refused, `remarks`: what of the line is left out; each a word and a detail.
    """

    line: int
    outcome: str
    address: str = ""
    number: int = 0
    values: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    join: list[str] = field(default_factory=list)
    leave: list[str] = field(default_factory=list)
    reasons: list[tuple[str, str]] = field(default_factory=list)
    remarks: list[tuple[str, str]] = field(default_factory=list)

    def to_json(self) -> list[Any]:
        return [getattr(self, name) for name in self.__slots__]

    @classmethod
    def from_json(cls, data: Sequence[Any]) -> PlannedPerson:
        return cls(*data)


class PeoplePlanner:
    """Plans lines; `domains`: those that were seen."""

    def __init__(
        self, options: ImportOptions, scope: Scope, settings: Settings, *, importer: User | None, unit: str = ""
    ) -> None:
        self.options, self.scope, self.settings, self.importer, self.unit = options, scope, settings, importer, unit
        self._users: dict[str, User] = {}
        self._groups: dict[int, list[Membership]] = {}
        self._linked: dict[int, str] = {}
        self._allowed: set[str] = set()
        self._formerly: dict[str, str] = {}  # the address now, by the one that people had before theirs was changed
        self._rested: dict[str, datetime] = {}  # addresses that are given to nobody yet
        self._reserved: set[str] = set()
        self._taken: dict[str, int] = {}  # addresses of this file, with the line
        self._in_domain: dict[str, str] = {}  # all addresses of the domain, with the name, where addresses are made
        self._named: dict[str, list[str]] = {}  # what stands before the @ in addresses of the domain, by the name in the file
        self._of_name: dict[tuple[str, str], list[str]] = {}  # those that a name and the rule lead to, the first one last
        self._numbered: dict[str, NumberedName] = {}
        self._group_names: dict[str, set[str]] = {}
        self._domains: dict[str, bool] = {}  # whether accounts may be of it

    def plan(self, lines: Sequence[PeopleLine]) -> list[PlannedPerson]:
        """All lines, then who is missing. About 6 queries for 400 lines."""
        self._look_up(lines)
        planned = [self._planned(line) for line in lines]
        return planned + self._missing(lines, planned)

    # --- who ---------------------------------------------------------------------------------------------------------

    def _look_up(self, lines: Sequence[PeopleLine]) -> None:
        addresses = [self._typed(line) for line in lines]
        if not all(addresses):
            self._in_domain = account_batches.names_in(self.options.domain)
            self._allowed = account_batches.allowed_in(self.options.domain)
            self._formerly = aliases.formerly_in(self.options.domain)
            self._rested = account_batches.rested_in(self.options.domain)
        self._allowed |= account_batches.allowed_among(filter(None, addresses))
        self._rested |= account_batches.rested_among(filter(None, addresses))
        self._reserved = reserved_addresses.all_addresses()
        names = {sort_key(_name_in(line)) for line, address in zip(lines, addresses, strict=True) if not address}
        made = []
        for address, name in self._in_domain.items():
            if (same := sort_key(name)) in names:
                made.append(address)
                self._named.setdefault(same, []).append(address.rpartition("@")[0])
        mine = [one for one in (*filter(None, addresses), *made) if self.scope.includes(one)]
        self._users = account_batches.by_address(mine)
        numbers = [user.id for user in self._users.values()]
        self._groups, self._linked = memberships.of_people(numbers), account_batches.linked_among(numbers)
        if not self.options.make_groups:
            for domain in {one.rpartition("@")[2] for one in mine} | {self.options.domain}:
                wanted = (name for line in lines for name in line.groups)
                self._group_names[domain] = set(memberships.groups_of(domain, wanted))

    def _is_ours(self, domain: str) -> bool:
        """Whether accounts may be of it: one of the administrator's, and none that was mistyped. 1 query for each."""
        if domain not in self._domains:
            ours = domain in {self.settings.domain.lower(), *(one.name.lower() for one in self.settings.domains)}
            ours = ours or account_batches.is_domain(domain) or establishments.of_domain(domain) is not None
            self._domains[domain] = self.scope.has_domain(domain) and ours
        return self._domains[domain]

    def _typed(self, line: PeopleLine) -> str:
        """The address in the line; "" where it has none, or none that can be one."""
        return normalise(line.cells.get("address", ""), self.options.domain) if line.cells.get("address") else ""

    def _made(self, line: PeopleLine, name: str) -> str:
        """The address that the rule makes: that of the account with this name, if there is one, else one that is free."""
        local, domain = self._usual(line, name), self.options.domain
        if not local or not domain:
            return ""
        numbered = self._numbered.setdefault(local, NumberedName(local))
        free = numbered.free(self._is_taken)
        theirs = self._theirs(numbered, local, sort_key(name))
        if theirs and (not free or numbered.position(theirs) < numbered.position(free)):
            return f"{theirs}@{domain}"
        return f"{free}@{domain}" if free else ""

    def _usual(self, line: PeopleLine, name: str) -> str:
        """What stands before the @ by the rule, "" for nothing."""
        given, family = line.cells.get("given", ""), line.cells.get("family", "")
        if not given and not family:
            given, _space, family = name.partition(" ")
        return cell_values.local_part(given, family, self.options.rule)

    def _is_taken(self, local: str) -> bool:
        """Whether an account has it, whatever the name, or nobody may."""
        address = f"{local}@{self.options.domain}"
        known = (self._taken, self._in_domain, self._allowed, self._reserved, self._rested)
        return any(address in one for one in known)

    def _theirs(self, numbered: NumberedName, local: str, same: str) -> str:
        """The first of the accounts with this name that no line is about yet, by what stands before the @; "" for none."""
        if (local, same) not in self._of_name:
            found = [one for one in self._named.get(same, ()) if numbered.position(one)]
            self._of_name[local, same] = sorted(found, key=numbered.position, reverse=True)
        left = self._of_name[local, same]
        while left and f"{left[-1]}@{self.options.domain}" in self._taken:
            left.pop()
        return left[-1] if left else ""

    # --- a line ------------------------------------------------------------------------------------------------------

    def _planned(self, line: PeopleLine) -> PlannedPerson:
        made = PlannedPerson(line.number, LineOutcome.REFUSED)
        name = _name_in(line)
        if len(name) > LONGEST_NAME or not name.isprintable() or (name and address_in(name)):
            made.reasons.append(("name", name[:60]))
        if line.cells.get("address"):
            made.address = self._typed(line)
            if not made.address:
                made.reasons.append(("address", line.cells["address"][:100]))
        elif name:
            made.address = self._made(line, name)
            if not made.address:
                made.reasons.append(("not-made", name[:100]))
        else:
            made.reasons.append(("nobody", ""))
        if made.address:
            self._check_address(line, made)
        wanted = self._wanted(line, made, name)
        if made.reasons:
            made.outcome = LineOutcome.REFUSED
            return made
        self._taken[made.address] = line.number
        user = self._users.get(made.address)
        if user is None:
            if not line.cells.get("address") and (
                other := self._formerly.get(f"{self._usual(line, name)}@{self.options.domain}")
            ):
                made.remarks.append(("formerly", other))
            return self._created(line, made, wanted)
        return self._changed(line, made, wanted, user)

    def _check_address(self, line: PeopleLine, made: PlannedPerson) -> None:
        if made.address not in self._users and ("+" in made.address or not is_for_account(made.address)):
            made.reasons.append(("address", made.address[:100]))
        elif made.address in self._taken:
            made.reasons.append(("twice", str(self._taken[made.address])))
        elif not self._is_ours(made.address.rpartition("@")[2]):
            made.reasons.append(("domain", made.address.rpartition("@")[2]))
        elif (user := self._users.get(made.address)) is not None:
            if not self.scope.includes(user):
                made.reasons.append(("administrator", ""))
            elif user.removal_due is not None:
                made.reasons.append(("removed", ""))
        elif made.address in self._allowed:
            made.reasons.append(("allowed", ""))
        elif (until := self._rested.get(made.address)) is not None:
            made.reasons.append(("rests", until.date().isoformat()))
        elif made.address in self._reserved:
            made.reasons.append(("reserved", ""))

    def _wanted(self, line: PeopleLine, made: PlannedPerson, name: str) -> dict[str, Any]:
        """What the line says, read; what can't be read is a reason."""
        cells, wanted = line.cells, dict[str, Any]()
        if name:
            wanted["name"] = name
        if "quota" in cells and self.settings.sign_in == "accounts":
            self._put(made, wanted, "quota_bytes", cell_values.quota(cells["quota"], self.unit), "quota", cells["quota"])
        if "language" in cells:
            self._put(made, wanted, "language", cell_values.language(cells["language"]), "language", cells["language"])
        if "ends" in cells:
            ends = cell_values.day(cells["ends"])
            self._put(made, wanted, "ends", ends and ends.isoformat(), "ends", cells["ends"])
            if ends and ends <= datetime.now(ZoneInfo(self.settings.timezone)).date():
                made.reasons.append(("ends-past", cells["ends"][:60]))
        if "recovery" in cells and made.address:
            self._put_recovery(made, wanted, cells["recovery"])
        for group in line.groups:
            domain = made.address.rpartition("@")[2]
            if not memberships.usable(group):
                made.reasons.append(("group-name", group[:100]))
            elif not self.options.make_groups and sort_key(group) not in self._group_names.get(domain, set()):
                made.reasons.append(("no-group", group[:100]))
        return wanted

    @staticmethod
    def _put(made: PlannedPerson, wanted: dict[str, Any], name: str, value: Any, reason: str, cell: str) -> None:
        if value is None:
            made.reasons.append((reason, cell[:60]))
        else:
            wanted[name] = value

    def _put_recovery(self, made: PlannedPerson, wanted: dict[str, Any], typed: str) -> None:
        user = self._users.get(made.address) or User(address=made.address, domain=made.address.rpartition("@")[2])
        if user.recovery_address:
            return  # the person confirmed it
        try:
            wanted["recovery_address"] = recovery_address.outside(typed, user, self.settings)
        except AddressRefusedError as error:
            reason = "recovery-inside" if error.fault is AddressFault.INSIDE else "recovery"
            made.reasons.append((reason, typed[:100]))

    def _created(self, line: PeopleLine, made: PlannedPerson, wanted: dict[str, Any]) -> PlannedPerson:
        role = line.cells.get("role", "")
        if cell_values.is_administrator(role):
            if not self.scope.everything:
                made.reasons.append(("role", role[:60]))
                return made
            wanted["role"] = "admin"
        made.outcome, made.values, made.join = LineOutcome.CREATED, wanted, list(line.groups)
        return made

    def _changed(self, line: PeopleLine, made: PlannedPerson, wanted: dict[str, Any], user: User) -> PlannedPerson:
        made.number = user.id
        before = current_values(user, self.settings)
        if cell_values.is_administrator(line.cells.get("role", "")) and user.role != "admin":
            made.remarks.append(("role-kept", ""))
        for name in ("name", "quota_bytes"):
            if user.provider and name in wanted and wanted[name] != before[name]:
                made.remarks.append(("directory-" + name, user.provider))
                del wanted[name]
        made.values = {name: value for name, value in wanted.items() if value != before.get(name)}
        made.before = {name: before.get(name) for name in made.values}
        groups = self._groups.get(user.id, [])
        there = {sort_key(one.name) for one in groups}
        made.join = [name for name in line.groups if sort_key(name) not in there]
        if self.options.replace_groups and line.groups:
            wanted_groups = set(map(sort_key, line.groups))
            made.leave = [one.name for one in groups if not one.provider and sort_key(one.name) not in wanted_groups]
            kept = [one for one in groups if one.provider and sort_key(one.name) not in wanted_groups]
            made.remarks += [("directory-group", one.name) for one in kept]
        made.outcome = LineOutcome.CHANGED if made.values or made.join or made.leave else LineOutcome.SAME
        if not user.active:
            made.remarks.append(("disabled", ""))
        return made

    # --- missing people ----------------------------------------------------------------------------------------------

    def _missing(self, lines: Sequence[PeopleLine], planned: Sequence[PlannedPerson]) -> list[PlannedPerson]:
        """Who is in the groups or domains of the file, and not in it. 1 query for each domain, and as in `_look_up`."""
        if self.options.missing == Missing.NOBODY:
            return []
        there = {one.address for one in planned if one.address}
        domains = sorted(domain for domain in {one.rpartition("@")[2] for one in there} if self.scope.has_domain(domain))
        names = {name for line in lines for name in line.groups}
        found: list[User] = []
        for domain in domains:
            people = account_batches.people_in([domain], self.scope.condition(User))
            if self.options.missing == Missing.OF_GROUPS:
                inside = memberships.in_groups(domain, names)
                people = [user for user in people if user.id in inside]
            found += [user for user in people if user.address not in there]
        linked = account_batches.linked_among([user.id for user in found])
        return [self.ended(user, linked.get(user.id, "")) for user in found]

    def ended(self, user: User, provider: str) -> PlannedPerson:
        """Somebody who is to end: disabled now, or on a day."""
        made = PlannedPerson(0, LineOutcome.DISABLED, user.address, user.id)
        if self.importer is not None and user.id == self.importer.id:
            made.outcome, made.reasons = LineOutcome.REFUSED, [("yourself", "")]
        elif provider:
            made.outcome, made.reasons = LineOutcome.REFUSED, [("directory-person", provider)]
        elif self.options.ends:
            made.values, made.before = {"ends": self.options.ends}, {"ends": current_values(user, self.settings)["ends"]}
        else:
            made.values, made.before = {"active": 0}, {"active": 1}
        return made


def _name_in(line: PeopleLine) -> str:
    return line.cells.get("name") or " ".join(filter(None, (line.cells.get("given"), line.cells.get("family"))))


def current_values(user: User, settings: Settings) -> dict[str, Any]:
    """What an account has now, of all that a file can change. `ends`: the last day, in the establishment's zone."""
    last = user.ends_on and user.ends_on.replace(tzinfo=UTC).astimezone(ZoneInfo(settings.timezone)) - timedelta(microseconds=1)
    ends = last and last.date().isoformat()
    return {
        "name": own_name.given(user), "quota_bytes": user.quota_bytes, "language": user.language,
        "recovery_address": user.recovery_address, "ends": ends, "active": user.active,
    }  # fmt: skip


def moment_of(day: str | None, settings: Settings) -> datetime | None:
    """When a last day is over, as accounts keep it."""
    if not day:
        return None
    over = datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), ZoneInfo(settings.timezone))
    return over.astimezone(UTC).replace(tzinfo=None)


def counts(planned: Iterable[PlannedPerson]) -> dict[str, int]:
    """How many of each outcome."""
    found = Counter(one.outcome for one in planned)
    return {outcome: found[outcome] for outcome in LineOutcome}


def is_too_many(planned: Iterable[PlannedPerson], options: ImportOptions) -> bool:
    """Whether more would be disabled than the ceiling allows."""
    return counts(planned)[LineOutcome.DISABLED] > options.ceiling
