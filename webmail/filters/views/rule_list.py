"""Rules: the list of a person's filters, each told as a sentence, and what its buttons do."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from flask import request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.errors import LimitReachedError, MailError
from webmail.filters import script_files, snoozed_arrivals, store
from webmail.filters.blueprint import blueprint
from webmail.filters.rules import contact_rules
from webmail.filters.rules.compiler import SievePlace, missing
from webmail.filters.rules.rules import ActionKind, BadRuleError, FilterRule
from webmail.filters.store import Filters, FilterState
from webmail.filters.views.following import renew_after_answer
from webmail.filters.views.frame import loaded_state, trouble_words
from webmail.filters.views.rule_changes import change_filters, change_rules, to_list, why_not
from webmail.filters.views.sentences import folder_name, rule_name, sentence
from webmail.web.current import current_account, current_user, overview, settings
from webmail.web.formatting import lazy_text as _l
from webmail.web.notices import notify
from webmail.web.rendering import page

_FOLDER_ACTIONS = (ActionKind.MOVE, ActionKind.COPY)


# --- the list --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule as the list shows it. `gone`: folders of it that are no more; `unable`: the server can't do it (any more)."""

    rule: FilterRule
    name: str
    words: str
    gone: Sequence[str]
    unable: bool
    new: str  # the id of a copy, should one be made


@blueprint.get("/filters")
def show_filters() -> Response:
    """3 round trips to the ManageSieve server; without it the page says so. `move` is a rule for which a place is chosen."""
    overview()  # for the names of folders
    try:
        state = loaded_state()
    except MailError as error:
        return page("filters/show.html", 502, trouble=trouble_words(error), state=None, lines=[])
    contact_rules.noticed(current_user(), state)
    snoozed_arrivals.note(current_user(), state.filters)
    renew_after_answer()
    lines = [_line(rule, state) for rule in state.filters.rules]
    moving = next((line for line in lines if line.rule.id == request.args.get("move")), None)
    return page(
        "filters/show.html", trouble="", state=state, lines=lines, own_name=store.NAME, before=_before(), moving=moving
    )  # fmt: skip


def _before() -> list[str]:
    """What the mail server itself does before anybody's filters, as far as the administrator says."""
    spam = [_("spam goes to Junk.")] if settings().spam_to_junk else []
    return [*spam, *([settings().server_filters] if settings().server_filters else [])]


def _line(rule: FilterRule, state: FilterState) -> RuleLine:
    found = overview()
    folders = [one.value for one in rule.actions if one.kind in _FOLDER_ACTIONS]
    gone = [folder_name(name) for name in folders if found and found.get(name) is None]
    unable = rule.on and bool(missing(rule, SievePlace(state.extensions)))
    return RuleLine(rule, rule_name(rule), sentence(rule), gone, unable, secrets.token_hex(6))


@blueprint.post("/filters")
def change_list() -> Response:
    """What a button of the list says: a verb, a rule, and for `before` and `after` another rule. Each may come twice."""
    verb, _space, rest = request.form.get("action", "").partition(" ")
    which, _space, other = rest.partition(" ")
    words = {
        "on": _l("“%(name)s” is on."), "off": _l("“%(name)s” is off."), "before": _l("“%(name)s” was moved up."),
        "after": _l("“%(name)s” was moved down."), "copy": _l("“%(name)s” was duplicated."),
        "delete": _l("“%(name)s” was deleted."),
    }  # fmt: skip
    if verb in words:
        told = partial(_told, str(words[verb]), which)
        return change_rules(lambda rules: _changed(rules, verb, which, other), told)
    if verb in ("pause", "resume"):
        return _pause(verb == "pause")
    if verb in ("beside", "alone"):
        return _run(verb, rest)
    return to_list()


def _told(text: str, which: str, before: Filters) -> str:
    return text % {"name": next((rule_name(one) for one in before.rules if one.id == which), "")}


def _changed(rules: tuple[FilterRule, ...], verb: str, which: str, other: str) -> tuple[FilterRule, ...]:
    match verb:
        case "on" | "off":
            return tuple(replace(one, on=verb == "on") if one.id == which else one for one in rules)
        case "copy":
            return _copied(rules, which, other)
        case "delete":
            return tuple(one for one in rules if one.id != which)
    return _moved(rules, which, other, verb)


def _moved(rules: tuple[FilterRule, ...], which: str, other: str, side: str) -> tuple[FilterRule, ...]:
    """The rule stands right before or after another one, wherever that is now."""
    moving = next((one for one in rules if one.id == which), None)
    rest = [one for one in rules if one.id != which]
    at = next((number for number, one in enumerate(rest) if one.id == other), None)
    if moving is None or at is None:
        return rules
    rest.insert(at + (side == "after"), moving)
    return tuple(rest)


def _copied(rules: tuple[FilterRule, ...], which: str, new: str) -> tuple[FilterRule, ...]:
    """A copy below it, switched off: two that do the same are of no use until one is changed."""
    if any(one.id == new for one in rules) or not new.isalnum():
        return rules
    found: list[FilterRule] = []
    for one in rules:
        found.append(one)
        if one.id == which:
            name = _("%(name)s (copy)", name=one.name[:80]) if one.name else ""
            found.append(replace(one, id=new[:40], name=name, on=False))
    return tuple(found)


def _pause(paused: bool) -> Response:
    told = _("Your filters are paused.") if paused else _("Your filters are working again.")
    try:
        change_filters(lambda filters: replace(filters, paused=paused), lambda _before: told)
    except (MailError, BadRuleError, LimitReachedError) as error:
        notify(why_not(error), "danger")
    return to_list()


def _run(how: str, other: str) -> Response:
    """Have ours run, beside another program's script or instead of it."""
    try:
        before = next((one.name for one in script_files.listed(current_account()) if one.active), "")
        undo = (url_for("filters.change_scripts"), {"action": "back", "name": before})
        if how == "beside":
            store.run_beside(current_user().id, current_account(), other)
            told = _("Both scripts now run: “%(name)s” first, then your filters here.", name=other[:60])
        else:
            store.run_alone(current_user().id, current_account())
            told = _("Your filters are now active.")
            if other:
                told = _("Your filters here are now active. “%(name)s” is kept, but no longer runs.", name=other[:60])
        notify(told, undo=undo)
    except MailError as error:
        notify(trouble_words(error), "danger")
    return to_list()
