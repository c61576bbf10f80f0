"""Rules: the form of one, for a new rule or one of the list (`rule_list.py`).

A link to `filters.new_rule` can fill the form in, by arguments that may be repeated, the nth of each belonging together:
`field`, `match`, `value`, `header` for conditions; `action`, `to` (a folder, a keyword, an address, days, a subject) and `text`
for what is done; `any=any` for one condition being enough; `name`. Fields, matches ("!" before one means not) and actions are
those of `filters/rules/rules.py`; several values of one condition stand on a line each. So
`/filters/new?field=list&match=contains&value=maths.lycee.example&field=subject&value=devoir&action=move&to=Maths&action=stop`.
What makes no sense is left out.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace

from flask import abort, request, session, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from webmail.auth.guard import keeps_text
from webmail.compose import templates as ready_texts
from webmail.contacts import store as contacts
from webmail.errors import LimitReachedError, MailError
from webmail.filters.blueprint import blueprint
from webmail.filters.rules import rule_draft
from webmail.filters.rules.rule_draft import ActionRow, ConditionRow, RuleDraft
from webmail.filters.rules.rules import MOST_ACTIONS, MOST_CONDITIONS, ActionKind, BadRuleError, FilterRule, to_json
from webmail.filters.store import Filters, FiltersChangedError, FilterState
from webmail.filters.views import rule_choices, tryout
from webmail.filters.views.forwarding import forward_guard
from webmail.filters.views.frame import loaded_state, trouble_words
from webmail.filters.views.rule_changes import change_filters, to_list, why_not
from webmail.filters.views.sentences import rule_name, weekday_names
from webmail.mailbox import tags
from webmail.managesieve import ScriptRefusedError
from webmail.web.current import current_user, overview
from webmail.web.labels import mailbox_path
from webmail.web.notices import notify
from webmail.web.rendering import page


@blueprint.get("/filters/new")
def new_rule() -> Response:
    kept = _interrupted_form()
    draft = rule_draft.read(kept) if kept is not None else rule_draft.prefilled(request.args)
    return _form(replace(draft, id=draft.id or secrets.token_hex(6)))


@blueprint.post("/filters/new")
@keeps_text
def add_rule() -> Response:
    return _answer("")


@blueprint.get("/filters/rule/<number>")
def show_rule(number: str) -> Response:
    kept = _interrupted_form()
    try:
        state = loaded_state()
    except MailError as error:
        if kept is None:
            return page("filters/show.html", 502, trouble=trouble_words(error), state=None, lines=[])
        return _form(rule_draft.read(kept), number, 502, trouble_words(error))
    rule = _find(state.filters, number)
    if rule is None:
        abort(404)
    draft = rule_draft.read(kept) if kept is not None else rule_draft.draft_of(rule)
    return _form(draft, number, state=state)


@blueprint.post("/filters/rule/<number>")
@keeps_text
def change_rule(number: str) -> Response:
    return _answer(number)


def _answer(number: str) -> Response:
    """Save, or do what another button of the form says: one row more, one less, controls that fit what was chosen."""
    draft = _with_ready_texts(rule_draft.read(request.form))
    verb, _space, which = request.form.get("action", "").partition(" ")
    if verb not in ("save", "try", "apply"):
        return _form(_with_rows(draft, verb, int(which) if which.isdecimal() and len(which) < 4 else -1), number)
    try:
        if verb == "try":
            return tryout.show_tryout(*tryout.rule_to_try(draft), _address(number))
        rule = rule_draft.rule_of(draft)
        _refuse_forwards(rule)
    except BadRuleError as error:
        others = rule_draft.faults(draft) if verb != "try" else []  # which can be tried before all of it is there
        return _form(rule_choices.with_errors(draft, [*others, error]), number, 422)
    forwards = forward_guard.new_in_rules([rule])
    if elsewhere := forward_guard.factor_first(forwards):
        if forward_guard.form_is_kept():
            return elsewhere
        return _form(draft, number, 403, forward_guard.confirm_elsewhere_words())
    answer = _save(draft, rule, number)
    if answer.status_code == 303:
        forward_guard.told(forwards)
    if verb == "apply" and answer.status_code == 303:
        tryout.start_applying(rule)
    return answer


def _address(number: str) -> str:
    """Where the form is sent to."""
    return url_for("filters.change_rule", number=number) if number else url_for("filters.add_rule")


def _save(draft: RuleDraft, rule: FilterRule, number: str) -> Response:
    rule = replace(rule, id=number or rule.id).identified()
    seen = request.form.get("seen", "")
    try:
        change_filters(lambda filters: _with_rule(filters, rule, seen), lambda _before: _saved_words(rule))
    except FiltersChangedError as error:
        return _form(draft, number, 409, trouble_words(error), seen=True)
    except ScriptRefusedError as error:
        return _form(draft, number, 422, why_not(error, rule.id))
    except (LimitReachedError, BadRuleError) as error:
        return _form(draft, number, 422, why_not(error))
    except MailError as error:
        return _form(draft, number, 502 if error.status >= 500 else error.status, trouble_words(error))
    return to_list()


def _saved_words(rule: FilterRule) -> str:
    return _("Filter “%(name)s” saved.", name=rule_name(rule))


def _with_rule(filters: Filters, rule: FilterRule, seen: str) -> Filters:
    """With the rule in its place, or at the end. Raises FiltersChangedError if it is not the one that the form was made from."""
    before = _find(filters, rule.id)
    if before is None and seen:
        raise FiltersChangedError("the rule is gone")
    if before is None:
        return replace(filters, rules=(*filters.rules, rule))
    if seen != _mark(before) and before != rule:
        raise FiltersChangedError("the rule is another one")
    return replace(filters, rules=tuple(rule if one.id == rule.id else one for one in filters.rules))


def _find(filters: Filters, which: str) -> FilterRule | None:
    return next((one for one in filters.rules if one.id == which), None)


def _mark(rule: FilterRule | None) -> str:
    """By which a form knows whether its rule is still the one that it was made from."""
    return hashlib.sha256(to_json(rule).encode()).hexdigest()[:16] if rule else ""


def _refuse_forwards(rule: FilterRule) -> None:
    """Raises BadRuleError for an address that this person's mail may not be forwarded to."""
    for number, action in enumerate(rule.actions):
        if action.kind is ActionKind.FORWARD and not rule_choices.may_forward(action.value):
            raise BadRuleError(f"actions-{number}-value", "forward")


def _with_rows(draft: RuleDraft, verb: str, number: int) -> RuleDraft:
    match verb:
        case "add-condition" if len(draft.conditions) < MOST_CONDITIONS:
            return replace(draft, conditions=(*draft.conditions, ConditionRow()))
        case "add-action" if len(draft.actions) < MOST_ACTIONS:
            return replace(draft, actions=(*draft.actions, ActionRow()))
        case "remove-condition":
            return replace(draft, conditions=tuple(row for at, row in enumerate(draft.conditions) if at != number))
        case "remove-action":
            return replace(draft, actions=tuple(row for at, row in enumerate(draft.actions) if at != number))
    return draft


def _with_ready_texts(draft: RuleDraft) -> RuleDraft:
    """With the text of a template where one was chosen for a reply without a text."""
    return replace(draft, actions=tuple(_with_ready_text(row) for row in draft.actions))


def _with_ready_text(row: ActionRow) -> ActionRow:
    if row.control != rule_draft.REPLY or row.text.strip() or not row.template:
        return row
    found = next((one for one in ready_texts.usable(current_user()) if str(one.id) == row.template), None)
    return replace(row, value=row.value or found.subject, text=found.body) if found else row


def _interrupted_form() -> MultiDict[str, str] | None:
    """The form that was sent here after the session had ended, carried along by the sign-in page (auth/guard.py); else None."""
    if session.get("kept", {}).get("path") != request.path:
        return None
    notify(_("Here is what you typed. It is not saved yet."), "caution")
    return MultiDict((name, value) for name, value in session.pop("kept")["fields"])


def _form(
    draft: RuleDraft,
    number: str = "",
    status: int = 200,
    trouble: str = "",
    *,
    state: FilterState | None = None,
    seen: bool = False,
) -> Response:
    """The form with what was typed. `number`: the rule that it changes. `seen`: from now on it is about the rule as it is now."""
    if state is None and (seen or not trouble):
        try:
            state = loaded_state()
        except MailError as error:
            status, trouble = 502, trouble or trouble_words(error)
    fresh = seen or request.method == "GET"
    mark = _mark(_find(state.filters, number or draft.id)) if fresh and state else request.form.get("seen", "")
    user, found = current_user(), overview()
    return page(
        "filters/edit.html", status, draft=draft, number=number, trouble=trouble, seen=mark,
        action=_address(number),
        offer=rule_choices.offer(state, draft), match_words=rule_choices.match_words, units=rule_draft.UNITS,
        unit_words=rule_choices.unit_words,
        folders=[(one.name, mailbox_path(one)) for one in found.targets("")] if found else [],
        groups=[(one.uid, one.name) for one in contacts.groups(user)], weekdays=weekday_names(),
        tags=[(one.keyword, one.name) for one in tags.for_user(user)],
        ready_texts=ready_texts.usable(user) if any(row.control == rule_draft.REPLY for row in draft.actions) else [],
    )  # fmt: skip
