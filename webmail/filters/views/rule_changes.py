"""Changes of filters from a page: made in turn, told with a notice that undoes them, and what happens when they can't be made."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.database import undo_store
from webmail.errors import LimitReachedError, MailError
from webmail.filters import snoozed_arrivals, store
from webmail.filters.blueprint import blueprint
from webmail.filters.rules import contact_rules
from webmail.filters.rules.rules import MOST_RULES, BadRuleError, FilterRule
from webmail.filters.rules.script_context import place_of
from webmail.filters.store import Filters, FiltersChangedError
from webmail.filters.views.frame import trouble_words
from webmail.filters.views.sentences import rule_name
from webmail.managesieve import ScriptRefusedError
from webmail.web.current import current_account, current_user, settings
from webmail.web.notices import notify, undone, withdraw_notices

_OPENING = '{"filters"'
_LARGEST = 1_500_000  # characters of a script that undo keeps

Edit = Callable[[Filters], Filters]
Told = Callable[[Filters], str]


def change_filters(edit: Edit, told: Told, version: str = "") -> bool:
    """Change the filters and queue the notice `told` (of the filters before), with Undo; False where nothing changes.

    `version`: of the state that the person saw, "" not to ask. Raises MailError, BadRuleError, LimitReachedError; nothing was
    changed then.
    """
    user, account = current_user(), current_account()
    with store.changing(user.id, account, version) as change:
        before, after = change.filters, edit(change.filters)
        if len(after.rules) > max(MOST_RULES, len(before.rules)):
            raise LimitReachedError(f"{user.address} has {MOST_RULES} rules")
        if after != before:
            change.filters, change.place = after, place_of(user, account, settings())
    if not change.version:
        return False
    contact_rules.note(user, after)
    snoozed_arrivals.note(user, after)
    notify(told(before), undo=_undo_of(change.state.text, change.version))
    return True


def change_rules(edit: Callable[[tuple[FilterRule, ...]], tuple[FilterRule, ...]], told: Told) -> Response:
    """The same for the list's buttons: back to the list, with a notice in any case."""
    try:
        change_filters(lambda filters: replace(filters, rules=edit(filters.rules)), told)
    except (MailError, BadRuleError, LimitReachedError) as error:
        notify(why_not(error), "danger")
    return to_list()


def to_list() -> Response:
    return redirect(url_for("filters.show_filters"), 303)


def why_not(error: MailError | BadRuleError | LimitReachedError, owner: str = "") -> str:
    """Why a change could not be made. `owner`: the id of the rule that was changed, of which the server's words need not say
    it."""
    if isinstance(error, LimitReachedError):
        return _("You can have up to %(most)d filters. Delete some first.", most=MOST_RULES)
    if isinstance(error, BadRuleError):
        return _("One of your filters can’t be stored. Nothing was changed.")
    if isinstance(error, ScriptRefusedError) and (rule := store.rule_at_fault(error)) is not None and rule.id != owner:
        words = "; ".join(text for _line, text in error.faults)[:500]
        return _(
            "The mail server does not accept the filter “%(name)s”. Change it or turn it off first. Its answer: %(words)s",
            name=rule_name(rule), words=words,
        )  # fmt: skip
    return trouble_words(error)


def _undo_of(text: str, version: str) -> tuple[str, dict[str, str]] | None:
    if len(text) > _LARGEST:
        return None
    name = undo_store.keep(current_user(), json.dumps({"filters": text, "version": version}))
    return url_for("filters.undo_change"), {"undo": name}


@blueprint.post("/filters/undo")
def undo_change() -> Response:
    """Put the whole script back as it was before a change, unless it has been changed since."""
    user = current_user()
    kept = undo_store.load(user, request.form.get("undo", ""), _OPENING)
    if kept is None:
        undone(_("There was nothing to undo."))
        return to_list()
    steps = json.loads(kept.steps)
    try:
        store.restore(user.id, current_account(), steps["filters"], steps["version"])
    except FiltersChangedError:
        notify(_("Your filters have been changed since, so this can no longer be undone."), "caution")
    except MailError as error:
        notify(trouble_words(error), "danger")
        return to_list()
    else:
        notify(_("Undone."))
    undo_store.forget(kept)
    withdraw_notices()
    contact_rules.note_script(user, steps["filters"])
    return to_list()
