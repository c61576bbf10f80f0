"""Store of filters: reads them from the server's script and writes them back, so that nobody's change is lost. No Flask here.

One script holds everything of ours (`own_script.py`). Where another program's script is active, ours runs beside it by `include`
(RFC 6609) from a third one, and theirs is never rewritten.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from webmail import managesieve
from webmail.account import Account
from webmail.database.locks import LockBusyError, lock
from webmail.errors import MailError, OverQuotaError, ServerAwayError
from webmail.filters import own_script
from webmail.filters.absence import absence
from webmail.filters.absence.absence import Absence
from webmail.filters.forwarding import forwarding
from webmail.filters.forwarding.forwarding import Forwarding
from webmail.filters.own_script import NAME, OwnScript, ScriptPart
from webmail.filters.rules import rules
from webmail.filters.rules.compiler import SievePlace, compiled
from webmail.filters.rules.rules import BadRuleError, FilterRule
from webmail.filters.senders import senders
from webmail.filters.senders.senders import SenderLists
from webmail.managesieve import NoSuchScriptError, Script, ScriptRefusedError, SieveConnection
from webmail.sieve.extensions import with_require
from webmail.sieve.lexer import SieveSyntaxError
from webmail.sieve.nodes import Command, StringArgument, TagArgument
from webmail.sieve.parser import parse
from webmail.sieve.writer import comment, write

log = logging.getLogger(__name__)

_PATIENCE = 8.0  # seconds
_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
BESIDE = "traboule-beside"  # the script that includes ours and another one
FOUND = "traboule-found"  # what stood under our name and was not ours, or not all of it
_FOUND_NAMES = (FOUND, *(f"{FOUND}-{number}" for number in range(2, 6)))  # the last one holds the latest
_RULE, _ABSENCE, _FORWARDING, _PAUSE, _SENDERS = "rule", "absence", "forwarding", "pause", "senders"


class FiltersChangedError(MailError):
    """They were changed since the page was made: by another tab, another program. Nothing was written."""

    status = 409


@dataclass(frozen=True, slots=True)
class Filters:
    """All filters of a person, as data. `paused`: none of them does anything until that ends; what they are stays."""

    rules: tuple[FilterRule, ...] = ()
    absence: Absence = field(default_factory=Absence)
    forwarding: Forwarding = field(default_factory=Forwarding)
    senders: SenderLists = field(default_factory=SenderLists)
    paused: bool = False


@dataclass(frozen=True, slots=True)
class FilterState:
    """What the server has. `version` changes with the script. `other`: another program's script that is active, "" for none;
    `beside`: ours runs with it. `edited`: another program changed ours, which the next change here undoes. `unreadable`: parts of
    it that say nothing we understand. `text`: our script as it is, "" for none.
    """

    filters: Filters = field(default_factory=Filters)
    extensions: frozenset[str] = frozenset()
    scripts: tuple[Script, ...] = ()
    version: str = ""
    other: str = ""
    beside: bool = False
    edited: bool = False
    unreadable: int = 0
    text: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether all of it is as we wrote it and understand it: only then is it written anew without somebody looking on."""
        return not self.edited and not self.unreadable

    @property
    def is_active(self) -> bool:
        """Whether ours is run at all."""
        return self.beside or any(script.active and script.name == NAME for script in self.scripts)


def load(account: Account) -> FilterState:
    """3 round trips, after those of `managesieve.connect`. Raises what that does."""
    with managesieve.connect(account) as connection:
        return _state(connection)


@contextmanager
def changing(user_id: int, account: Account, version: str) -> Iterator[Change]:
    """Change filters: set `change.filters` inside; it is checked, stored and activated when the block ends.

    `version`: of the state that the person saw, "" not to ask. Of one person's changes one at a time. Raises FiltersChangedError,
    ScriptRefusedError, OverQuotaError, UnsafeValueError, BadRuleError and what `managesieve.connect` does; nothing was changed
    then.
    """
    with in_turn(user_id), managesieve.connect(account) as connection:
        state = _state(connection)
        if version and version != state.version:
            raise FiltersChangedError("the script is another one")
        change = Change(state, state.filters)
        yield change
        if change.place is not None:
            change.version = _write(connection, state, change.filters, change.place)


@dataclass(slots=True)
class Change:
    """`filters` is what will be stored; `place` has to be set, to say how. `version`: once it is stored, of the state then."""

    state: FilterState
    filters: Filters
    place: SievePlace | None = None
    version: str = ""


def script_of(filters: Filters, context: SievePlace) -> str:
    """The script. Raises BadRuleError, UnsafeValueError."""
    return own_script.text_of(_parts(filters, context))


def filters_of(own: OwnScript) -> tuple[Filters, int]:
    """The filters in a script of ours, and how many of its parts say nothing we understand."""
    found, unreadable = Filters(), 0
    for part in own.parts:
        try:
            match part.kind:
                case "rule":
                    found = replace(found, rules=(*found.rules, rules.from_json(part.data)))
                case "absence":
                    found = replace(found, absence=absence.from_json(part.data))
                case "forwarding":
                    found = replace(found, forwarding=forwarding.from_json(part.data))
                case "senders":
                    found = replace(found, senders=senders.from_json(part.data))
                case "pause":
                    found = replace(found, paused=True)
                case _:
                    unreadable += 1
        except BadRuleError as error:
            log.warning("a part of a script can't be read: %s", error)
            unreadable += 1
    return replace(found, rules=_with_ids(found.rules)), unreadable


def _with_ids(found: Sequence[FilterRule]) -> tuple[FilterRule, ...]:
    """Each with an `id` of its own that an address can hold: others write in the script too. The same ones each time."""
    taken: set[str] = set()
    kept = []
    for number, rule in enumerate(found):
        known = rule.id if _ID.fullmatch(rule.id) and rule.id not in taken else ""
        named = replace(rule, id=known or hashlib.sha256(f"{number} {rules.to_json(rule)}".encode()).hexdigest()[:12])
        taken.add(named.id)
        kept.append(named)
    return tuple(kept)


def _parts(filters: Filters, context: SievePlace) -> list[ScriptPart]:
    """Blocked senders first, who are neither answered nor forwarded; then forwarding, which no rule can stop; then the absence,
    whose answer comes before a rule's; then the rules.
    """
    context = replace(context, absent=absence.moments(filters.absence) if filters.absence.on else None)
    found = [ScriptPart(_PAUSE, "{}")] if filters.paused else []
    if filters.senders != SenderLists():
        senders.check(filters.senders)
        found.append(ScriptPart(_SENDERS, senders.to_json(filters.senders), senders.compiled(filters.senders, context)))
    found.append(
        ScriptPart(_FORWARDING, forwarding.to_json(filters.forwarding), forwarding.compiled(filters.forwarding, context))
    )
    absence.check(filters.absence)
    found.append(ScriptPart(_ABSENCE, absence.to_json(filters.absence), absence.compiled(filters.absence, context)))
    for rule in filters.rules:
        rules.check(rule)
        found.append(ScriptPart(_RULE, rules.to_json(rule), compiled(rule, context) if rule.on else ()))
    return [ScriptPart(part.kind, part.data) for part in found] if filters.paused else found


def _state(connection: SieveConnection) -> FilterState:
    scripts = connection.list()
    active = next((script.name for script in scripts if script.active), "")
    extensions = frozenset(connection.greeting.extensions)
    state = FilterState(extensions=extensions, scripts=scripts, other="" if active in ("", NAME, BESIDE) else active)
    if active == BESIDE:
        state = replace(state, beside=True, other=other_of(connection.read(BESIDE)))
    if not any(script.name == NAME for script in scripts):
        return replace(state, version=_version("", active))
    text = connection.read(NAME)
    own = own_script.read(text)
    state = replace(state, version=_version(text, active), text=text)
    if own is None:  # somebody else's under our name
        return replace(state, edited=True)
    filters, unreadable = filters_of(own)
    edited = bool(own.foreign) or any(part.edited for part in own.parts)
    return replace(state, filters=filters, edited=edited, unreadable=unreadable)


def _write(connection: SieveConnection, state: FilterState, filters: Filters, context: SievePlace) -> str:
    """Store the filters; returns the version of the state then."""
    parts = _parts(filters, replace(context, extensions=state.extensions))
    script = own_script.text_of(parts)
    if not own_script.holds(script, parts):
        raise OverQuotaError("more filters than a script of ours can hold")
    try:
        connection.check(script)
        if state.text and not state.is_ours:
            _keep_found(connection, state)
        return _put(connection, state, script)
    except ScriptRefusedError as error:
        error.script = script
        raise


def _keep_found(connection: SieveConnection, state: FilterState) -> None:
    """Keep what somebody else wrote under our name, before ours replaces it: few pages show it, and none can write all of it."""
    there = {script.name for script in state.scripts}
    for name in _FOUND_NAMES:
        if name not in there or connection.read(name) == state.text:
            break
    try:
        connection.write(name, state.text)
    except ScriptRefusedError as error:  # it uses what the server has no more; that shall not keep anybody from their filters
        log.warning("a script that was changed elsewhere is not kept: %s", error)


def _put(connection: SieveConnection, state: FilterState, script: str) -> str:
    connection.write(NAME, script)
    if state.other or state.is_active:
        return _version(script, next((one.name for one in state.scripts if one.active), ""))
    connection.activate(NAME)
    return _version(script, NAME)


def restore(user_id: int, account: Account, text: str, version: str) -> None:
    """Put our script back as it was (`FilterState.text`), byte for byte, unless it was changed since `version`.

    Raises FiltersChangedError, and what `changing` raises.
    """
    with in_turn(user_id), managesieve.connect(account) as connection:
        state = _state(connection)
        if version != state.version:
            raise FiltersChangedError("the script is another one")
        _put(connection, state, text or own_script.text_of(()))


def rule_at_fault(error: ScriptRefusedError) -> FilterRule | None:
    """The rule whose commands the server did not take, where it named a line of one."""
    part = own_script.part_at(error.script, error.faults[0][0])
    if part is None or part.kind != _RULE:
        return None
    try:
        return rules.from_json(part.data)
    except BadRuleError:
        return None


def run_beside(user_id: int, account: Account, other: str) -> None:
    """Have ours run after another program's script, which stays as it is. Raises RefusedError where the server has no
    `include`."""
    with in_turn(user_id), managesieve.connect(account) as connection:
        names = [script.name for script in connection.list()]
        if other not in names:
            raise NoSuchScriptError(other)
        if NAME not in names:
            connection.write(NAME, own_script.text_of(()))
        connection.write(BESIDE, _both(other))
        connection.activate(BESIDE)


def run_alone(user_id: int, account: Account) -> None:
    """Have ours run, and no other: theirs is kept, and sees no mail any more."""
    with in_turn(user_id), managesieve.connect(account) as connection:
        names = [script.name for script in connection.list()]
        if NAME not in names:
            connection.write(NAME, own_script.text_of(()))
        connection.activate(NAME)


@contextmanager
def in_turn(user_id: int) -> Iterator[None]:
    """One at a time for each person, among all processes. Not the lock of their mail, which need not wait for this server."""
    try:
        with lock(f"filters-{user_id}", _PATIENCE):
            yield
    except LockBusyError as error:
        raise ServerAwayError("another change of this person's filters takes too long") from error


def _both(other: str) -> str:
    commands = tuple(Command("include", (TagArgument("personal"), StringArgument(name))) for name in (other, NAME))
    return write(with_require(commands, comment("Traboule runs these two scripts, one after the other.")))


def other_of(text: str) -> str:
    """The script that this one of ours runs beside the filters; "" where it names none."""
    try:
        commands: Sequence[Command] = parse(text).commands
    except SieveSyntaxError:
        return ""
    names = [
        one.arguments[-1].value for one in commands if one.name == "include" and isinstance(one.arguments[-1], StringArgument)
    ]
    return next((name for name in names if name != NAME), "")


def _version(text: str, active: str) -> str:
    return hashlib.sha256(f"{active}\n{text}".encode()).hexdigest()[:16]
