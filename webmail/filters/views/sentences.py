"""Sentences: a rule told as one, in plain words, each language in its own way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from babel.dates import get_day_names
from flask import g
from flask_babel import get_locale, ngettext, pgettext
from flask_babel import gettext as _

from webmail.contacts import store as contacts
from webmail.filters.rules.rules import ActionKind, ConditionField, FilterRule, MatchKind, RuleAction, RuleCondition
from webmail.mailbox import tags
from webmail.web.current import current_user
from webmail.web.formatting import day_in_full, file_size, whole_hour
from webmail.web.labels import mailbox_label, mailbox_path

_MOST_VALUES = 3  # said one by one
_LONGEST_VALUE = 60  # characters of each


def sentence(rule: FilterRule) -> str:
    """The rule as one sentence, without markup; what others wrote in it is cut, and holds no invisible characters."""
    actions = _together([_action(one) for one in _in_order(rule)], any_of_them=False)
    if not rule.conditions:
        return _("Every message: %(actions)s.", actions=actions)
    conditions = _clauses([condition_words(one) for one in rule.conditions], any_of_them=rule.any)
    return _("If %(conditions)s, %(actions)s.", conditions=conditions, actions=actions)


def rule_name(rule: FilterRule) -> str:
    """What a rule is called; one without a name by its sentence, in a form that can stand in quotation marks within another."""
    return (
        quoted_value(rule.name, 100) if rule.name.strip() else quoted_value(_inner_quotes(sentence(rule).removesuffix(".")), 100)
    )


def _inner_quotes(text: str) -> str:
    """With the quotation marks of a quotation within a quotation, in both languages."""
    return re.sub("«\\s*|\\s*»", lambda found: "“" if "«" in found[0] else "”", text.replace("“", "‘").replace("”", "’"))


def quoted_value(text: str, most: int = _LONGEST_VALUE) -> str:
    """Somebody's words in ours: on one line, cut, with nothing that turns the rest of the line round."""
    plain = "".join(mark if mark.isprintable() else " " for mark in text[: most * 4])
    short = " ".join(plain.split())
    return short if len(short) <= most else short[: most - 1].rstrip() + "…"


def _in_order(rule: FilterRule) -> Sequence[RuleAction]:
    """Whatever stops comes last, as it does when the rule runs."""
    return sorted(rule.actions, key=lambda one: one.kind is ActionKind.STOP)


# --- lists -----------------------------------------------------------------------------------------------------------


def _together(parts: Sequence[str], *, any_of_them: bool) -> str:
    """Short things: "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    before, last = ", ".join(parts[:-1]), parts[-1]
    if any_of_them:
        return _("%(before)s or %(last)s", before=before, last=last)
    return _("%(before)s and %(last)s", before=before, last=last)


def _clauses(parts: Sequence[str], *, any_of_them: bool) -> str:
    """Longer ones, in which there is an "or" already: a comma stands before the last too."""
    if len(parts) < 2:
        return "".join(parts)
    before, last = ", ".join(parts[:-1]), parts[-1]
    if any_of_them:
        return _("%(before)s, or %(last)s", before=before, last=last)
    return _("%(before)s, and %(last)s", before=before, last=last)


def _values(condition: RuleCondition) -> str:
    """“a”, “b” or “c”; in French no "ou" where the condition is negated."""
    quoted = [_("“%(value)s”", value=quoted_value(value)) for value in condition.values]
    more = len(quoted) - _MOST_VALUES
    if more > 1:
        quoted = [*quoted[:_MOST_VALUES], ngettext("%(num)d other value", "%(num)d other values", more)]
    if len(quoted) < 2:
        return "".join(quoted)
    before, last = ", ".join(quoted[:-1]), quoted[-1]
    if condition.negated:
        return pgettext("none of them", "%(before)s or %(last)s", before=before, last=last)
    return _("%(before)s or %(last)s", before=before, last=last)


# --- conditions ------------------------------------------------------------------------------------------------------


def condition_words(condition: RuleCondition) -> str:
    """One condition as a clause: "the sender contains “a” or “b”"."""
    no = condition.negated
    match condition.field:
        case ConditionField.CONTACTS:
            return _contacts(condition)
        case ConditionField.INSIDE:
            return _("the sender is outside your organisation") if no else _("the sender is in your organisation")
        case ConditionField.UNPROVEN:
            return _("the sender’s address passed its checks") if no else _("the sender’s address failed its checks")
        case ConditionField.SIZE:
            return _size(condition)
        case ConditionField.SPAM:
            words = _("the spam score is below %(percent)s %%") if no else _("the spam score is %(percent)s %% or more")
            return words % {"percent": condition.values[0]}
        case ConditionField.DATE:
            return _date(condition)
        case ConditionField.HOUR:
            return _hour(condition)
        case ConditionField.WEEKDAY:
            days = _together([_weekday(value) for value in condition.values], any_of_them=True)
            return _("it does not arrive on a %(days)s", days=days) if no else _("it arrives on a %(days)s", days=days)
    return _presence(condition) if condition.match is MatchKind.PRESENT else _comparison(condition)


def _contacts(condition: RuleCondition) -> str:
    if not condition.values:
        return _("the sender is not in your contacts") if condition.negated else _("the sender is in your contacts")
    group = group_name(condition.values[0])
    if condition.negated:
        return _("the sender is not in your group “%(group)s”", group=group)
    return _("the sender is in your group “%(group)s”", group=group)


def _presence(condition: RuleCondition) -> str:
    no = condition.negated
    if condition.field is ConditionField.LIST:
        return _("it does not come from a mailing list") if no else _("it comes from a mailing list")
    if condition.field is ConditionField.ATTACHMENT:
        return _("it has no attachment") if no else _("it has an attachment")
    name = quoted_value(condition.header)
    return _("it has no header %(name)s", name=name) if no else _("it has a header %(name)s", name=name)


def _comparison(condition: RuleCondition) -> str:
    what, values = _subject(condition), _values(condition)
    words = {
        MatchKind.CONTAINS: (_("%(what)s contains %(values)s"), _("%(what)s does not contain %(values)s")),
        MatchKind.IS: (_("%(what)s is %(values)s"), _("%(what)s is not %(values)s")),
        MatchKind.BEGINS: (_("%(what)s begins with %(values)s"), _("%(what)s does not begin with %(values)s")),
        MatchKind.ENDS: (_("%(what)s ends with %(values)s"), _("%(what)s does not end with %(values)s")),
        MatchKind.MATCHES: (_("%(what)s matches %(values)s"), _("%(what)s does not match %(values)s")),
    }[condition.match][condition.negated]
    return words % {"what": what, "values": values}


def _subject(condition: RuleCondition) -> str:
    """What a clause is about; each is followed by a verb in the singular."""
    return {
        ConditionField.FROM: _("the sender"),
        ConditionField.TO: _("the To line"),
        ConditionField.CC: _("the Cc line"),
        ConditionField.RECIPIENT: _("the To or Cc line"),
        ConditionField.SUBJECT: _("the subject"),
        ConditionField.HEADER: _("the header %(name)s", name=quoted_value(condition.header)),
        ConditionField.BODY: _("the text"),
        ConditionField.LIST: _("the mailing list"),
        ConditionField.ATTACHMENT: _("the name of an attachment"),
        ConditionField.ATTACHMENT_TYPE: _("the type of an attachment"),
    }[condition.field]


def _size(condition: RuleCondition) -> str:
    size = file_size(int(condition.values[0]))
    if (condition.match is MatchKind.LEAST) != condition.negated:
        return _("it is %(size)s or larger", size=size) if not condition.negated else _("it is larger than %(size)s", size=size)
    return _("it is %(size)s or smaller", size=size) if not condition.negated else _("it is smaller than %(size)s", size=size)


def _date(condition: RuleCondition) -> str:
    days = _together([_day(value) for value in condition.values], any_of_them=True)
    words = {
        MatchKind.IS: (_("it arrives on %(day)s"), _("it does not arrive on %(day)s")),
        MatchKind.LEAST: (_("it arrives on %(day)s or later"), _("it arrives before %(day)s")),
        MatchKind.MOST: (_("it arrives on %(day)s or earlier"), _("it arrives after %(day)s")),
    }[condition.match][condition.negated]
    return words % {"day": days}


def _day(value: str) -> str:
    return day_in_full(date.fromisoformat(value))


def _hour(condition: RuleCondition) -> str:
    """Hours are whole ones: "at most 8" is until one minute to nine."""
    if condition.match is MatchKind.IS:
        ranges = _together([_between(int(value), int(value) + 1) for value in condition.values], any_of_them=True)
        return _("it does not arrive %(times)s", times=ranges) if condition.negated else _("it arrives %(times)s", times=ranges)
    hour = int(condition.values[0])
    later = (condition.match is MatchKind.LEAST) != condition.negated
    border = hour if (condition.match is MatchKind.LEAST) else hour + 1
    return (
        _("it arrives at %(time)s or later", time=whole_hour(border))
        if later
        else _("it arrives before %(time)s", time=whole_hour(border))
    )


def _between(start: int, end: int) -> str:
    return _("between %(start)s and %(end)s", start=whole_hour(start), end=whole_hour(end))


def _weekday(value: str) -> str:
    return weekday_names()[int(value)]


def weekday_names() -> tuple[str, ...]:
    """From Sunday on, as Sieve counts them."""
    names = get_day_names("wide", locale=_locale())
    return tuple(names[(day - 1) % 7] for day in range(7))


def group_name(uid: str) -> str:
    """The name of a group of the person's contacts; of one that is gone a word that says so."""
    if "filter_groups" not in g:
        g.filter_groups = {row.uid: row.name for row in contacts.groups(current_user())}
    return quoted_value(g.filter_groups[uid]) if uid in g.filter_groups else _("deleted group")


# --- actions ---------------------------------------------------------------------------------------------------------


def _action(action: RuleAction) -> str:
    value = quoted_value(action.value)
    match action.kind:
        case ActionKind.MOVE:
            return _("move it to “%(folder)s”", folder=folder_name(action.value))
        case ActionKind.COPY:
            return _("copy it to “%(folder)s”", folder=folder_name(action.value))
        case ActionKind.TAG:
            return _("tag it “%(tag)s”", tag=tag_name(action.value))
        case ActionKind.FLAG:
            return _("flag it")
        case ActionKind.READ:
            return _("mark it as read")
        case ActionKind.FORWARD:
            return _("forward it to %(address)s", address=value)
        case ActionKind.REPLY:
            return _("reply “%(words)s”", words=quoted_value(action.text).rstrip(". "))
        case ActionKind.SNOOZE:
            days = int(action.value)
            return ngettext("snooze it for %(num)d day", "snooze it for %(num)d days", days)
        case ActionKind.DELETE:
            return _("move it to Trash")
        case ActionKind.REJECT:
            return _("reject it with “%(words)s”", words=quoted_value(action.text).rstrip(". "))
        case ActionKind.STOP:
            return pgettext("filter", "stop")


def folder_name(name: str) -> str:
    """A folder as lists of folders call it, with what is above it."""
    found = g.get("overview")
    mailbox = found.get(name) if found else None
    return quoted_value(mailbox_path(mailbox) if mailbox else mailbox_label(name) if name == "INBOX" else name)


def tag_name(keyword: str) -> str:
    if "filter_tags" not in g:
        g.filter_tags = tags.by_keyword(tags.for_user(current_user()))
    tag = g.filter_tags.get(keyword.lower())
    return quoted_value(tag.name if tag else keyword)


def _locale() -> str:
    return str(get_locale())
