"""Compiler: a rule as Sieve commands (RFC 5228 and the extensions that the server announces).

What a server can't do is known before: `missing`. Nothing is pasted: strings stay strings in the tree (webmail/sieve/).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from webmail.filters.absence import machines
from webmail.filters.rules.rules import ActionKind, ConditionField, FilterRule, MatchKind, RuleAction, RuleCondition
from webmail.sieve.extensions import needed
from webmail.sieve.nodes import Command, ListArgument, NumberArgument, SieveArgument, SieveTest, StringArgument, TagArgument

MOST_CONTACTS = 2000  # addresses in a condition: scripts stay small
_UNICODE = "i;unicode-casemap"
_NOBODY = "nobody@invalid.invalid"  # an empty list of addresses is no Sieve
_FAILED = ("*dmarc=fail*", "*dkim=fail*spf=fail*", "*spf=fail*dkim=fail*")


def _no_contacts(_group: str) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class SievePlace:
    """Where a script will run: what the server can do, and what words in rules mean for this person.

    `contacts`: the addresses in a group of the person's contacts, or in all of them for "". `snoozed`, `trash`, `junk`: folders.
    `addresses`: the person's own, for replies. `system_address`: from which the establishment writes. `absent`: what holds while
    an absence answers, None where none ever does: a message gets one answer (RFC 5230, section 4.7), that of the absence first.
    """

    extensions: frozenset[str]
    domains: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    trash: str = "Trash"
    snoozed: str = "Snoozed"
    junk: str = "Junk"
    authserv_id: str = ""
    system_address: str = ""
    contacts: Callable[[str], Sequence[str]] = field(default=_no_contacts)
    absent: tuple[SieveTest, ...] | None = None


def compiled(rule: FilterRule, context: SievePlace) -> tuple[Command, ...]:
    """The rule's commands: one `if`, or its actions alone where it has no condition."""
    actions = tuple(command for action in sorted(rule.actions, key=_order) for command in _action(action, rule, context))
    if any(action.kind is ActionKind.REPLY for action in rule.actions) and actions[-1:] != (Command("stop"),):
        actions = (*actions, Command("stop"))  # a second reply, in a rule below, would be an error
    if not rule.conditions:
        return actions
    tests = tuple(_test(condition, context) for condition in rule.conditions)
    test = tests[0] if len(tests) == 1 else SieveTest("anyof" if rule.any else "allof", (), tests)
    return (Command("if", (), (test,), actions),)


def condition_test(condition: RuleCondition, context: SievePlace) -> SieveTest:
    """One condition as a test, "not" included."""
    return _test(condition, context)


def missing(rule: FilterRule, context: SievePlace) -> tuple[str, ...]:
    """The extensions that the rule needs and the server does not have."""
    return tuple(one for one in needed(compiled(rule, context)) if one not in context.extensions)


def snooze_keyword(days: int) -> str:
    """By which the sweep of snoozed messages knows for how long after its arrival one sleeps."""
    return f"$snooze_{days}d"


# --- conditions ------------------------------------------------------------------------------------------------------


def _test(condition: RuleCondition, context: SievePlace) -> SieveTest:
    test = _positive(condition, context)
    return SieveTest("not", (), (test,)) if condition.negated else test


def _positive(condition: RuleCondition, context: SievePlace) -> SieveTest:
    values = condition.values
    match condition.field:
        case ConditionField.FROM:
            return _people(("from",), condition, context)
        case ConditionField.TO:
            return _people(("to",), condition, context)
        case ConditionField.CC:
            return _people(("cc",), condition, context)
        case ConditionField.RECIPIENT:
            return _people(("to", "cc", "resent-to", "resent-cc"), condition, context)
        case ConditionField.SUBJECT:
            return _header(("subject",), condition, context)
        case ConditionField.HEADER:
            return _header((condition.header.lower(),), condition, context)
        case ConditionField.LIST:
            return _header(("list-id",), condition, context)
        case ConditionField.BODY:
            return SieveTest("body", (TagArgument("text"), *_keys(condition, context)))
        case ConditionField.SIZE:
            return SieveTest("size", _size(condition))
        case ConditionField.ATTACHMENT:
            return _attachment(condition, context)
        case ConditionField.ATTACHMENT_TYPE:
            mime = (TagArgument("mime"), TagArgument("anychild"), TagArgument("contenttype"))
            return SieveTest(
                "header", (*mime, *_match(condition, context), StringArgument("content-type"), _list(_keys_of(condition)))
            )
        case ConditionField.CONTACTS:
            return _addresses(context.contacts(values[0] if values else "")[:MOST_CONTACTS])
        case ConditionField.INSIDE:
            domains = context.domains or ("invalid.invalid",)
            return SieveTest("address", (TagArgument("domain"), TagArgument("is"), StringArgument("from"), ListArgument(domains)))
        case ConditionField.DATE | ConditionField.HOUR | ConditionField.WEEKDAY:
            return _moment(condition)
        case ConditionField.SPAM:
            level = (TagArgument("percent"), TagArgument("value"), StringArgument("ge"))
            number = (TagArgument("comparator"), StringArgument("i;ascii-numeric"), StringArgument(values[0]))
            return SieveTest("spamtest", (*level, *number))
        case ConditionField.UNPROVEN:
            ours = tuple(f"{_escaped(context.authserv_id)};{one}" for one in _FAILED)
            return SieveTest(
                "header", (TagArgument("matches"), StringArgument("authentication-results"), ListArgument(_folded(ours)))
            )


def _people(headers: tuple[str, ...], condition: RuleCondition, context: SievePlace) -> SieveTest:
    """Names and addresses: the address by itself, and the whole header, in which the name stands too."""
    match, where = _match(condition, context), _list(headers)
    address = SieveTest("address", (TagArgument("all"), *match, where, _list(_keys_of(condition))))
    return SieveTest("anyof", (), (address, SieveTest("header", (*match, where, _list(_header_keys(condition))))))


def _header(names: tuple[str, ...], condition: RuleCondition, context: SievePlace) -> SieveTest:
    if condition.match is MatchKind.PRESENT:
        return SieveTest("exists", (_list(names),))
    return SieveTest("header", (*_match(condition, context), _list(names), _list(_header_keys(condition))))


def _header_keys(condition: RuleCondition) -> tuple[str, ...]:
    keys = _keys_of(condition)
    return keys if condition.match is MatchKind.CONTAINS else _folded(keys)


def _folded(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Of a header that is folded right behind its colon, Pigeonhole leaves a space before the value."""
    return (*keys, *(f" {key}" for key in keys if not key.startswith("*")))


def _attachment(condition: RuleCondition, context: SievePlace) -> SieveTest:
    """A file's name: the parameter of either header, as programs write one or the other (RFC 5703)."""
    if condition.match is MatchKind.PRESENT:
        condition = RuleCondition(condition.field, MatchKind.MATCHES, ("?*",))
    tests = []
    for header, name in (("content-disposition", "filename"), ("content-type", "name")):
        mime = (TagArgument("mime"), TagArgument("anychild"), TagArgument("param"), StringArgument(name))
        tests.append(
            SieveTest("header", (*mime, *_match(condition, context), StringArgument(header), _list(_keys_of(condition))))
        )
    return SieveTest("anyof", (), tuple(tests))


def _size(condition: RuleCondition) -> tuple[SieveArgument, ...]:
    """`:over` and `:under` leave out the size itself."""
    size = int(condition.values[0])
    if condition.match is MatchKind.LEAST:
        return TagArgument("over"), NumberArgument(max(0, size - 1))
    return TagArgument("under"), NumberArgument(size + 1)


def _moment(condition: RuleCondition) -> SieveTest:
    part = str(condition.field)
    if condition.match is MatchKind.IS:
        values = tuple(value.zfill(2) if condition.field is ConditionField.HOUR else value for value in condition.values)
        return SieveTest("currentdate", (TagArgument("is"), StringArgument(part), ListArgument(values)))
    relation = "ge" if condition.match is MatchKind.LEAST else "le"
    value = condition.values[0].zfill(2) if condition.field is ConditionField.HOUR else condition.values[0]
    return SieveTest("currentdate", (TagArgument("value"), StringArgument(relation), StringArgument(part), StringArgument(value)))


def _addresses(found: Sequence[str]) -> SieveTest:
    keys = ListArgument(tuple(found) or (_NOBODY,))
    return SieveTest("address", (TagArgument("all"), TagArgument("is"), StringArgument("from"), keys))


def _keys(condition: RuleCondition, context: SievePlace) -> tuple[SieveArgument, ...]:
    return (*_match(condition, context), _list(_keys_of(condition)))


def _match(condition: RuleCondition, context: SievePlace) -> tuple[SieveArgument, ...]:
    """How to compare. Letters beyond ASCII match in either case only where the server knows how (RFC 5051)."""
    kind = condition.match if condition.match in (MatchKind.IS, MatchKind.CONTAINS) else MatchKind.MATCHES
    beyond = not all(value.isascii() for value in condition.values)
    if beyond and f"comparator-{_UNICODE}" in context.extensions:
        return TagArgument("comparator"), StringArgument(_UNICODE), TagArgument(str(kind))
    return (TagArgument(str(kind)),)


def _keys_of(condition: RuleCondition) -> tuple[str, ...]:
    before = "*" if condition.match is MatchKind.ENDS else ""
    after = "*" if condition.match is MatchKind.BEGINS else ""
    values = tuple(dict.fromkeys(each for value in condition.values for each in _in_cases(value)))
    if before or after:
        return tuple(before + _escaped(value) + after for value in values)
    return values


def _in_cases(value: str) -> tuple[str, ...]:
    """As typed; with letters beyond ASCII also in the cases that people write: most servers take é and É for two letters."""
    return (value,) if value.isascii() else (value, value.lower(), value.upper(), value.capitalize())


def _escaped(value: str) -> str:
    """For `:matches`, where * and ? are wildcards and a backslash takes that from them (RFC 5228, section 2.7.1)."""
    return value.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")


def _list(values: tuple[str, ...]) -> SieveArgument:
    return StringArgument(values[0]) if len(values) == 1 else ListArgument(values)


# --- actions ---------------------------------------------------------------------------------------------------------

_ORDER = (
    ActionKind.TAG, ActionKind.FLAG, ActionKind.READ, ActionKind.COPY, ActionKind.FORWARD, ActionKind.REPLY, ActionKind.SNOOZE,
    ActionKind.MOVE, ActionKind.DELETE, ActionKind.REJECT, ActionKind.STOP,
)  # fmt: skip


def _order(action: RuleAction) -> int:
    """Flags first: they go with what is stored after them (RFC 5232, section 4)."""
    return _ORDER.index(action.kind)


def _action(action: RuleAction, rule: FilterRule, context: SievePlace) -> tuple[Command, ...]:
    match action.kind:
        case ActionKind.TAG:
            return (Command("addflag", (StringArgument(action.value),)),)
        case ActionKind.FLAG:
            return (Command("addflag", (StringArgument("\\Flagged"),)),)
        case ActionKind.READ:
            return (Command("addflag", (StringArgument("\\Seen"),)),)
        case ActionKind.COPY:
            return (Command("fileinto", (TagArgument("copy"), StringArgument(action.value))),)
        case ActionKind.FORWARD:
            return (Command("redirect", (TagArgument("copy"), StringArgument(action.value))),)
        case ActionKind.REPLY:
            return _unless_absent(_reply(action, rule, context), context)
        case ActionKind.SNOOZE:
            flag = Command("addflag", (StringArgument(snooze_keyword(int(action.value))),))
            return flag, Command("fileinto", (StringArgument(context.snoozed),))
        case ActionKind.MOVE:
            return (Command("fileinto", (StringArgument(action.value),)),)
        case ActionKind.DELETE:
            return (Command("fileinto", (StringArgument(context.trash),)),)
        case ActionKind.REJECT:
            return (Command("reject", (StringArgument(action.text),)),)
        case ActionKind.STOP:
            return (Command("stop"),)


def _unless_absent(reply: Command, context: SievePlace) -> tuple[Command, ...]:
    """For people alone, and where no absence answers."""
    if context.absent == ():
        return ()
    spared = [machines.is_machine(context.extensions)]
    if context.absent:
        spared.append(context.absent[0] if len(context.absent) == 1 else SieveTest("allof", (), context.absent))
    test = spared[0] if len(spared) == 1 else SieveTest("anyof", (), tuple(spared))
    return (Command("if", (), (SieveTest("not", (), (test,)),), (reply,)),)


def _reply(action: RuleAction, rule: FilterRule, context: SievePlace) -> Command:
    """By `vacation`, which never answers itself, and nobody twice in a day (RFC 5230)."""
    arguments: list[SieveArgument] = [
        TagArgument("days"),
        NumberArgument(1),
        TagArgument("handle"),
        StringArgument(rule.id or rule.name),
    ]
    if action.value:
        arguments += [TagArgument("subject"), StringArgument(action.value)]
    if context.addresses:
        arguments += [TagArgument("addresses"), ListArgument(context.addresses)]
    return Command("vacation", (*arguments, StringArgument(action.text)))
