"""Sieve actions (RFC 5228, section 4, and extensions) as ours; what differs is named, all else refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from webmail.filters.imports.found import CannotMapError, Difference, WhyLeftOut
from webmail.filters.imports.sieve_tests import tagged
from webmail.filters.rules.rules import ActionKind, RuleAction
from webmail.sieve.nodes import Command, NumberArgument, SieveArgument, StringArgument, texts

_FLAGS = {"\\seen": ActionKind.READ, "\\flagged": ActionKind.FLAG}
_ZIMBRA_FLAGS = {"read": ActionKind.READ, "flagged": ActionKind.FLAG}
_STORES = (ActionKind.MOVE, ActionKind.COPY)


@dataclass(slots=True)
class ActionsRead:
    """What was read so far. `flagged`: tags were set already, by rules above or here."""

    flagged: bool = False
    actions: list[RuleAction] = field(default_factory=list)
    differences: set[Difference] = field(default_factory=set)
    discards: bool = False
    sends_away: bool = False  # a redirect that keeps no copy
    replies: bool = False


def read_actions(commands: Sequence[Command], *, flagged: bool) -> ActionsRead:
    """The actions of commands without blocks. Raises CannotMapError."""
    found = ActionsRead(flagged)
    for command in commands:
        _read(command, found)
        if command.name == "stop":
            break
    kinds = {one.kind for one in found.actions}
    if found.discards and ActionKind.MOVE not in kinds and not found.sends_away:
        found.actions.append(RuleAction(ActionKind.DELETE))
        found.differences.add(Difference.TRASH)
    if found.sends_away and ActionKind.MOVE not in kinds:
        found.differences.add(Difference.COPY_STAYS)
    if found.replies and ActionKind.STOP not in kinds:
        found.differences.add(Difference.STOPS)
    found.actions = sorted(dict.fromkeys(found.actions), key=lambda one: one.kind is ActionKind.STOP)
    return found


def _read(command: Command, found: ActionsRead) -> None:
    if command.tests or command.block is not None:
        raise CannotMapError(WhyLeftOut.ACTION)
    match command.name:
        case "keep":
            tagged(command, (), 0)
            found.actions.append(RuleAction(ActionKind.MOVE, "INBOX"))
        case "discard":
            tagged(command, (), 0)
            found.discards = True
        case "stop":
            tagged(command, (), 0)
            found.actions.append(RuleAction(ActionKind.STOP))
        case "fileinto":
            tags, (folder,) = tagged(command, ("copy", "create"), 1)
            name = _text(folder)
            if name.upper() == "INBOX":  # the only name that counts in any case (RFC 3501, section 5.1)
                name = "INBOX"
            found.actions.append(RuleAction(ActionKind.COPY if "copy" in tags else ActionKind.MOVE, name))
        case "redirect":
            tags, (address,) = tagged(command, ("copy",), 1)
            found.sends_away = found.sends_away or "copy" not in tags
            found.actions.append(RuleAction(ActionKind.FORWARD, _text(address)))
        case "reject" | "ereject":
            _tags, (text,) = tagged(command, (), 1)
            found.actions.append(RuleAction(ActionKind.REJECT, text=_lines(_text(text))))
        case "vacation":
            _reply(command, found)
        case "addflag" | "setflag" | "tag" | "flag":
            _flag(command, found)
        case _:
            raise CannotMapError(WhyLeftOut.ACTION)


def _reply(command: Command, found: ActionsRead) -> None:
    tags, (text,) = tagged(command, ("days", "subject", "handle", "addresses", "from"), 1)
    days = tags.get("days")
    if days != NumberArgument(1):
        found.differences.add(Difference.ONCE_A_DAY)
    if "from" in tags:
        found.differences.add(Difference.FROM)
    subject = _text(tags["subject"]) if tags.get("subject") else ""
    found.replies = True
    found.actions.append(RuleAction(ActionKind.REPLY, subject, _lines(_text(text))))


def _flag(command: Command, found: ActionsRead) -> None:
    _tags, (given,) = tagged(command, (), 1)
    if command.name == "setflag" and found.flagged:
        found.differences.add(Difference.FLAGS_STAY)
    if any(one.kind in _STORES for one in found.actions):
        found.differences.add(Difference.FLAGS_FIRST)
    for word in _flags(command.name, texts(given)):
        kind = (_ZIMBRA_FLAGS if command.name == "flag" else _FLAGS).get(word.lower())
        if kind is None and (word.startswith("\\") or command.name == "flag"):
            raise CannotMapError(WhyLeftOut.ACTION)
        found.actions.append(RuleAction(kind) if kind else RuleAction(ActionKind.TAG, word))
    found.flagged = True


def _flags(name: str, given: Sequence[str]) -> Iterator[str]:
    """Flags may stand in one string, with spaces between (RFC 5232, section 2); the names of Zimbra's tags have spaces."""
    for one in given:
        yield from [one] if name == "tag" else one.split()


def _text(argument: SieveArgument | None) -> str:
    if not isinstance(argument, StringArgument):
        raise CannotMapError(WhyLeftOut.ACTION)
    return argument.value


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").rstrip("\n")
