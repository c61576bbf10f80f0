"""Rule choices: what the form offers on this server to this person, the words of its choices, and what is wrong at which
field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from flask_babel import gettext as _
from flask_babel import pgettext

from webmail.errors import BadAddressError, UnsafeValueError
from webmail.filters.forwarding import forward_targets
from webmail.filters.rules.compiler import MOST_CONTACTS, SievePlace, missing
from webmail.filters.rules.rule_draft import RuleDraft
from webmail.filters.rules.rules import (
    MATCHES,
    ActionKind,
    BadRuleError,
    ConditionField,
    FilterRule,
    MatchKind,
    RuleAction,
    RuleCondition,
)
from webmail.filters.rules.script_context import addresses_of
from webmail.filters.store import FilterState
from webmail.mime import builder
from webmail.web.current import current_user, settings


@dataclass(frozen=True, slots=True)
class RuleOffer:
    """The fields and actions that one may choose, each with its words; and the matches of each field."""

    fields: Mapping[ConditionField, str]
    actions: Mapping[ActionKind, str]


def offer(state: FilterState | None, draft: RuleDraft) -> RuleOffer:
    """What the server can do, as far as it makes sense for this person, and what the draft has already. 1 or 2 queries.

    Everything while the server is away (`state` None).
    """
    has_fields = {row.field for row in draft.conditions}
    has_actions = {row.kind for row in draft.actions}
    place = SievePlace(state.extensions) if state else None
    fields = {kind: words for kind, words in field_words().items() if kind in has_fields or _may_ask(kind, place)}
    actions = {kind: words for kind, words in action_words().items() if kind in has_actions or _may_do(kind, place)}
    return RuleOffer(fields, actions)


def _may_ask(kind: ConditionField, context: SievePlace | None) -> bool:
    if kind is ConditionField.UNPROVEN and not settings().authserv_id:
        return False
    if kind is ConditionField.CONTACTS and len(addresses_of(current_user())) > MOST_CONTACTS:
        return False
    value = "2026-01-01" if kind is ConditionField.DATE else "1"
    condition = RuleCondition(kind, MATCHES[kind][0], (value,), "X-A")
    return context is None or not missing(FilterRule("", (condition,), (RuleAction(ActionKind.STOP),)), context)


def _may_do(kind: ActionKind, context: SievePlace | None) -> bool:
    if kind is ActionKind.STOP or (kind is ActionKind.FORWARD and settings().forwarding == "off"):
        return False
    if kind is ActionKind.SNOOZE and not settings().token_key_file:  # nobody could bring it back
        return False
    return context is None or not missing(FilterRule("", (), (RuleAction(kind, "1", "1"),)), context)


def may_forward(address: str) -> bool:
    """Whether a rule may send this person's mail there."""
    try:
        found = builder.parse_addresses(address)
    except (BadAddressError, UnsafeValueError):
        return False
    return len(found) == 1 and found[0].email == address and forward_targets.may_use(current_user(), address, settings())


# --- words -----------------------------------------------------------------------------------------------------------


def field_words() -> dict[ConditionField, str]:
    return {
        ConditionField.FROM: pgettext("condition", "Sender"),
        ConditionField.TO: pgettext("condition", "To"),
        ConditionField.CC: pgettext("condition", "Cc"),
        ConditionField.RECIPIENT: pgettext("condition", "To or Cc"),
        ConditionField.SUBJECT: pgettext("condition", "Subject"),
        ConditionField.BODY: pgettext("condition", "Text"),
        ConditionField.LIST: pgettext("condition", "Mailing list"),
        ConditionField.CONTACTS: pgettext("condition", "Sender in my contacts"),
        ConditionField.INSIDE: pgettext("condition", "Sender in my organisation"),
        ConditionField.UNPROVEN: pgettext("condition", "Sender’s address failed its checks"),
        ConditionField.ATTACHMENT: pgettext("condition", "Attachment name"),
        ConditionField.ATTACHMENT_TYPE: pgettext("condition", "Attachment type"),
        ConditionField.SIZE: pgettext("condition", "Size"),
        ConditionField.DATE: pgettext("condition", "Date of arrival"),
        ConditionField.WEEKDAY: pgettext("condition", "Day of the week"),
        ConditionField.HOUR: pgettext("condition", "Hour of arrival"),
        ConditionField.SPAM: pgettext("condition", "Spam score"),
        ConditionField.HEADER: pgettext("condition", "Other header"),
    }


def action_words() -> dict[ActionKind, str]:
    return {
        ActionKind.MOVE: pgettext("filter action", "Move to"),
        ActionKind.COPY: pgettext("filter action", "Copy to"),
        ActionKind.TAG: pgettext("filter action", "Add the tag"),
        ActionKind.FLAG: pgettext("filter action", "Flag"),
        ActionKind.READ: pgettext("filter action", "Mark as read"),
        ActionKind.FORWARD: pgettext("filter action", "Forward to"),
        ActionKind.REPLY: pgettext("filter action", "Reply with"),
        ActionKind.SNOOZE: pgettext("filter action", "Snooze"),
        ActionKind.DELETE: pgettext("filter action", "Move to Trash"),
        ActionKind.REJECT: pgettext("filter action", "Reject with"),
        ActionKind.STOP: pgettext("filter action", "Stop"),
    }


def unit_words(unit: str) -> str:
    return {"mb": _("MB"), "kb": _("KB"), "b": _("bytes")}[unit]


def match_words(field: str, match: str) -> str:
    """The words of a match in the choices of this field's row."""
    no, kind = match.startswith("!"), MatchKind(match.removeprefix("!"))
    if kind is MatchKind.PRESENT:
        return _present_words(field, no)
    if field in (ConditionField.DATE, ConditionField.HOUR, ConditionField.WEEKDAY, ConditionField.SIZE, ConditionField.SPAM):
        return _order_words(field, kind, no)
    return {
        MatchKind.CONTAINS: (_("contains"), _("does not contain")),
        MatchKind.IS: (_("is"), _("is not")),
        MatchKind.BEGINS: (_("begins with"), _("does not begin with")),
        MatchKind.ENDS: (_("ends with"), _("does not end with")),
        MatchKind.MATCHES: (_("matches (* and ?)"), _("does not match (* and ?)")),
    }[kind][no]


def _present_words(field: str, no: bool) -> str:
    if field in (ConditionField.CONTACTS, ConditionField.INSIDE, ConditionField.UNPROVEN):
        return pgettext("condition", "no") if no else pgettext("condition", "yes")
    return _("is missing") if no else _("is present")


def _order_words(field: str, kind: MatchKind, no: bool) -> str:
    if kind is MatchKind.IS:
        return _("is not") if no else _("is")
    if field in (ConditionField.DATE, ConditionField.HOUR):
        words = {MatchKind.LEAST: (_("from"), _("before")), MatchKind.MOST: (_("until"), _("after"))}
    else:
        words = {MatchKind.LEAST: (_("at least"), _("less than")), MatchKind.MOST: (_("at most"), _("more than"))}
    return words[kind][no]


# --- what is wrong ---------------------------------------------------------------------------------------------------


def with_errors(draft: RuleDraft, errors: Iterable[BadRuleError]) -> RuleDraft:
    return replace(draft, errors={**draft.errors, **{error.what: words_of(error) for error in errors}})


def words_of(error: BadRuleError) -> str:
    """What is wrong, for the field that `error.what` names."""
    match error.why:
        case "missing" if error.what == "actions":
            return _("Say what to do with these messages: add an action.")
        case "missing":
            return _("Fill in this field.")
        case "long":
            return _("This is too long. Shorten it.")
        case "many":
            return _("There are too many. Remove some, or make two filters.")
        case "number":
            return _("Type a number in the range.")
        case "date":
            return _("Choose a date.")
        case "header":
            return _("Type the name of a header, such as X-Spam-Flag.")
        case "characters":
            return _("This contains characters that can’t be used here.")
        case "forward":
            return _("Your mail can’t be forwarded to this address. Forwarding lists the addresses that are allowed.")
    return _("Check this.")
