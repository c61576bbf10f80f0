"""School year: who is in which class next year: classes move up, leavers leave, and a file brings the new people.

What groups are next is guessed from their names ("6e A" goes on to "5e A"), shown, and chosen by an administrator.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from webmail.admin.imports.people_columns import PeopleLine
from webmail.admin.imports.people_plan import LineOutcome, PeoplePlanner, PlannedPerson
from webmail.auth import account_batches
from webmail.mime.headers.encoded_words import fold, sort_key, words_in
from webmail.models import User
from webmail.people import memberships
from webmail.people.memberships import Membership

STAYS, LEAVES = "", "-"  # what a group does, besides going on to another one
_ORDERS = (  # levels in their order, each as schools write it, folded
    (
        ("ps", "petite section"), ("ms", "moyenne section"), ("gs", "grande section"), ("cp",), ("ce1",), ("ce2",), ("cm1",),
        ("cm2",),
    ),
    (
        ("6", "6e", "6eme", "sixieme"), ("5", "5e", "5eme", "cinquieme"), ("4", "4e", "4eme", "quatrieme"),
        ("3", "3e", "3eme", "troisieme"),
    ),
    (
        ("2", "2de", "2d", "2nd", "2nde", "seconde"), ("1", "1e", "1re", "1ere", "premiere"),
        ("t", "tle", "term", "tale", "terminale", "0"),
    ),
    tuple((f"year {number}", f"yr {number}", f"y{number}") for number in range(1, 14)),
    tuple((f"grade {number}", f"g{number}") for number in range(1, 13)),
)  # fmt: skip
_HEADS = {
    spelling: (order, level) for order, levels in enumerate(_ORDERS) for level, names in enumerate(levels) for spelling in names
}
_LEVEL = re.compile(
    r"\s*("
    + "|".join(sorted(map(re.escape, _HEADS), key=len, reverse=True))
    + r")(?:[\s.\-_]+(.{0,40})|([a-z]|\d{1,2}|[a-z]\d{1,2})|)"
)
_LATER = {1: 2}  # college goes on to lycée where the same establishment has both


@dataclass(frozen=True, slots=True)
class SchoolYear:
    """What was chosen. `moves`: by the name of a group the next one's, STAYS or LEAVES. `not_moved`: groups whose people stay.

    `is_whole`: the file has everybody; who is in a class and not in it leaves.
    """

    domain: str
    moves: Mapping[str, str]
    not_moved: Sequence[str] = ()
    is_whole: bool = False

    @property
    def classes(self) -> dict[str, str]:
        """The groups that change, by the sort keys of their names."""
        return {sort_key(name): target for name, target in self.moves.items() if target != STAYS}

    def to_json(self) -> dict[str, Any]:
        return {"domain": self.domain, "moves": dict(self.moves), "not_moved": list(self.not_moved), "is_whole": self.is_whole}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SchoolYear:
        return cls(data["domain"], data["moves"], data["not_moved"], data["is_whole"])


def level_of(name: str) -> tuple[int, int, str] | None:
    """The order and level of a class, and what is said besides ("A"); None for another group."""
    match = _LEVEL.fullmatch(fold(name))
    if match is None:
        return None
    order, level = _HEADS[match[1]]
    return order, level, " ".join(words_in(match[2] or match[3] or ""))


def guessed(names: Iterable[str]) -> dict[str, str]:
    """What each group seems to do. A class goes on to that of the next level with the same name besides, which may have to be
    made; the last level leaves."""
    wanted = list(names)
    levels = {name: found for name in wanted if (found := level_of(name))}
    by_level = {found: name for name, found in levels.items()}
    orders = {order for order, _level, _rest in by_level}
    return {name: _next(name, levels[name], by_level, orders) if name in levels else STAYS for name in wanted}


def _next(name: str, found: tuple[int, int, str], by_level: Mapping[tuple[int, int, str], str], orders: set[int]) -> str:
    order, level, rest = found
    if level + 1 == len(_ORDERS[order]):
        return by_level.get((_LATER[order], 0, rest), STAYS) if _LATER.get(order) in orders else LEAVES
    return by_level.get((order, level + 1, rest)) or _risen(name, order, level)


def _risen(name: str, order: int, level: int) -> str:
    """The name of the next level's class that is not there yet: "5e B" for "6e B", written as it is."""
    match = _LEVEL.match(fold(name))
    assert match is not None
    spellings, after = _ORDERS[order][level], _ORDERS[order][level + 1]
    style = spellings.index(match[1])
    head = after[min(style, len(after) - 1)]
    if "è" in name.lower():  # 6ème: as it is written
        head = head.replace("eme", "ème")
    head = head.upper() if name[: match.end(1)].strip().isupper() else head.capitalize() if name[:1].isupper() else head
    return head + name[match.end(1) :]


def plan(year: SchoolYear, lines: Sequence[PeopleLine], planner: PeoplePlanner) -> list[PlannedPerson]:
    """What the year would do. The file decides of whom it names; the moves of the others. About 3 queries for 400 people."""
    listed = planner.plan(lines) if lines else []
    inside = memberships.in_groups(year.domain, [name for name in year.moves if year.moves[name] != STAYS])
    spared = set(memberships.in_groups(year.domain, year.not_moved)) if year.not_moved else set()
    numbers = [number for number in inside if number not in spared]
    users = account_batches.by_number(numbers)
    groups, linked = memberships.of_people(numbers), account_batches.linked_among(numbers)
    named = {one.number: one for one in listed if one.number and one.outcome != LineOutcome.REFUSED}
    named_groups = {line.number: line.groups for line in lines}
    planned = list(listed)
    for number in sorted(users, key=lambda each: users[each].address):
        user = users[number]
        if not planner.scope.includes(user):
            continue
        if number in named and (wanted := named_groups[named[number].line]):
            _as_in_file(named[number], year, groups.get(number, []), wanted)
        elif number in named:
            _moved(named[number], year, groups.get(number, []))
        else:
            planned.append(_by_table(user, year, groups.get(number, []), linked.get(number, ""), planner))
    return planned


def _as_in_file(person: PlannedPerson, year: SchoolYear, groups: Sequence[Membership], named: Sequence[str]) -> None:
    """Somebody whose new class is in the file leaves the classes that it does not name."""
    classes = year.classes
    wanted = set(map(sort_key, named))
    old = [one for one in groups if sort_key(one.name) in classes and sort_key(one.name) not in wanted]
    person.leave = [one.name for one in old if not one.provider]
    person.remarks += [("directory-group", one.name) for one in old if one.provider]
    if person.leave:
        person.outcome = LineOutcome.CHANGED


def _moved(person: PlannedPerson, year: SchoolYear, groups: Sequence[Membership]) -> bool:
    """Whether somebody goes on from a class to another."""
    classes = year.classes
    there = {sort_key(one.name) for one in groups}
    for one in groups:
        target = classes.get(sort_key(one.name), STAYS)
        if target in (STAYS, LEAVES):
            continue
        if one.provider:
            person.remarks.append(("directory-group", one.name))
            continue
        person.leave.append(one.name)
        if sort_key(target) not in there or sort_key(target) in classes:
            person.join.append(target)
    leaving = set(map(sort_key, person.leave))
    person.join = [name for name in dict.fromkeys(person.join) if sort_key(name) not in there or sort_key(name) in leaving]
    kept = set(map(sort_key, person.join))
    person.leave = [name for name in person.leave if sort_key(name) not in kept]
    if person.leave or person.join:
        person.outcome = LineOutcome.CHANGED
    return bool(person.leave or person.join)


def _by_table(
    user: User, year: SchoolYear, groups: Sequence[Membership], provider: str, planner: PeoplePlanner
) -> PlannedPerson:  # fmt: skip
    """Somebody whom the file does not name: goes on, or leaves."""
    person = PlannedPerson(0, LineOutcome.SAME, user.address, user.id)
    if not year.is_whole and _moved(person, year, groups):
        return person
    classes = year.classes
    mine = [one for one in groups if sort_key(one.name) in classes]
    leaves = year.is_whole or any(classes[sort_key(one.name)] == LEAVES for one in mine)
    if not leaves:
        return person
    if user.role != "person":
        person.outcome, person.reasons = LineOutcome.REFUSED, [("administrator", "")]
        return person
    if not user.active and not planner.options.ends:
        person.remarks = [("disabled", "")]
        return person
    person = planner.ended(user, provider)
    if person.outcome != LineOutcome.REFUSED:
        person.leave = [one.name for one in mine if not one.provider]
    return person
