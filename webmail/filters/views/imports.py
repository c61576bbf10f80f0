"""Import page: other programs' rules, from a file or a script on the server, shown first, then added below one's own.

Between the two requests the rules travel in the form, as JSON: they are the person's own, and are checked as any that is typed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail import imap
from webmail.errors import LimitReachedError, MailError, UnsafeValueError
from webmail.filters import script_files
from webmail.filters.absence import absence as absences
from webmail.filters.blueprint import blueprint
from webmail.filters.imports import fitting
from webmail.filters.imports.detection import read_rules
from webmail.filters.imports.found import LARGEST, Difference, FoundRule, FoundRules, NotReadableError
from webmail.filters.imports.own_json import rules_as_json
from webmail.filters.imports.sieve_script import read_script
from webmail.filters.imports.texts import difference_words, reason_words, unreadable_words
from webmail.filters.rules.compiler import SievePlace, missing
from webmail.filters.rules.rules import MOST_RULES, ActionKind, BadRuleError, FilterRule, RuleAction, from_json, to_json
from webmail.filters.store import Filters, FilterState
from webmail.filters.views import rule_choices
from webmail.filters.views.forwarding import forward_guard
from webmail.filters.views.frame import loaded_state, trouble_words
from webmail.filters.views.rule_changes import change_filters, to_list, why_not
from webmail.filters.views.sentences import rule_name, sentence
from webmail.mailbox import folders, tags
from webmail.mailbox.folders import BadFolderNameError
from webmail.models import User
from webmail.web.current import current_account, current_user, overview
from webmail.web.labels import mailbox_path
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.responses.downloads import named

_CREATE = "create"
_MOST_FOLDERS = 100  # that one import makes or asks for


@dataclass(frozen=True, slots=True)
class ImportLine:
    """A rule of the preview. `name` may be empty. `why_not`: it can't be taken, as things are."""

    found: FoundRule
    data: str
    name: str
    words: str
    place: str
    notes: Sequence[str]
    why_not: str


# --- choosing ----------------------------------------------------------------------------------------------------------


@blueprint.get("/filters/import")
def show_import() -> Response:
    """A file, or a script on the server: 1 round trip to it after connecting."""
    return _choose()


def _choose(status: int = 200, error: str = "") -> Response:
    try:
        scripts = [one.name for one in script_files.listed(current_account()) if not script_files.is_ours(one.name)]
    except MailError as fault:
        return page("filters/import.html", 502, trouble=trouble_words(fault), scripts=[], error="")
    return page("filters/import.html", status, trouble="", scripts=scripts[:200], error=error)


@blueprint.post("/filters/import")
def preview_import() -> Response:
    """What is in it, without taking anything."""
    overview()
    try:
        found = _read()
        state = loaded_state()
    except NotReadableError as error:
        return _choose(422, unreadable_words(error))
    except MailError as error:
        return _choose(502 if error.status >= 500 else error.status, trouble_words(error))
    if not (found.rules or found.left_out or found.absence):
        return _choose(422, _("No filters were found in this file. Nothing was changed."))
    return _preview(found, state)


def _read() -> FoundRules:
    name = request.form.get("script", "")
    file = request.files.get("file")
    content = file.stream.read(LARGEST + 1) if file else b""
    if content or not name:
        return read_rules(content)
    return read_script(script_files.read(current_account(), name)[0])


def _preview(found: FoundRules, state: FilterState) -> Response:
    here = overview()
    known = {
        name: fitting.folder_here(name, here) if here else name for one in found.rules for name in fitting.folders_of(one.rule)
    }
    fitted = {name: there for name, there in known.items() if there}
    lines = [_line(replace(one, rule=fitting.with_folders(one.rule, fitted)), found, state) for one in found.rules]
    new = [name for name, there in known.items() if not there][:_MOST_FOLDERS]
    left_out = [(one, _position_text(one.place, found), reason_words(one.reason)) for one in found.left_out]
    return page(
        "filters/import_preview.html", found=found, lines=lines, left_out=left_out,
        new=[(name, fitting.new_name(name, here) if here else name) for name in new],
        folders=[(one.name, mailbox_path(one)) for one in here.targets("")] if here else [],
        absence=absences.to_json(replace(found.absence, on=False)) if found.absence else "", away=found.absence,
        has_text=bool(state.filters.absence.text.strip()),
        away_notes=[difference_words(one) for one in found.absence_differences],
    )  # fmt: skip


def _line(found: FoundRule, owner: FoundRules, state: FilterState) -> ImportLine:
    notes = [difference_words(one) for one in found.differences if one is not Difference.LEFT_ACTION]
    if found.left:
        notes.append(f"{difference_words(Difference.LEFT_ACTION)} {', '.join(found.left)}.")
    name = rule_name(found.rule) if found.rule.name.strip() else ""
    data = to_json(replace(found.rule, id=""))
    unable = _unable(found.rule, state.extensions)
    return ImportLine(found, data, name, sentence(found.rule), _position_text(found.place, owner), notes, unable)


def _unable(rule: FilterRule, extensions: frozenset[str]) -> str:
    if missing(rule, SievePlace(extensions)):
        return _("The mail server can’t run this filter.")
    for action in rule.actions:
        if action.kind is ActionKind.FORWARD and not rule_choices.may_forward(action.value):
            return _("Your mail can’t be forwarded to %(address)s.", address=action.value[:100])
    return ""


def _position_text(position: int, owner: FoundRules) -> str:
    if not position:
        return ""
    return _("line %(number)d", number=position) if owner.lines else _("filter %(number)d", number=position)


# --- taking ------------------------------------------------------------------------------------------------------------


@blueprint.post("/filters/import/take")
def take_import() -> Response:
    """Add the ticked rules below one's own, make the folders they need, keep the absence's text: one change, one Undo."""
    try:
        rules = _chosen()
        away = absences.from_json(request.form.get("absence", "")) if request.form.get("take-absence") else None
    except BadRuleError:
        return _choose(422, _("This form can’t be read any more. Choose the file again."))
    if not rules and away is None:
        return _choose(422, _("No filter was ticked. Nothing was changed."))
    try:
        here = loaded_state().filters
    except MailError as error:
        return _choose(502 if error.status >= 500 else error.status, trouble_words(error))
    if len(here.rules) + len(rules) > MOST_RULES:  # before folders are made for them
        return _choose(422, _too_many(len(here.rules), len(rules)))
    if away and here.absence.on and not rules:
        return _choose(422, _("Your out-of-office reply is on, so its text was not replaced. Turn it off first."))
    forwards = forward_guard.new_in_rules(rules)
    if elsewhere := forward_guard.factor_first(forwards):
        return elsewhere
    try:
        named = _folders(rules)
        rules = [_with_tags(fitting.with_folders(one, named), current_user()) for one in rules]
        change_filters(lambda filters: _with_rules(filters, rules, away), lambda before: _told(len(rules), away, before))
    except (BadFolderNameError, tags.BadTagNameError, UnsafeValueError):
        return _choose(422, _("A folder or tag has a name that the mail server does not accept. Nothing was imported."))
    except (MailError, BadRuleError, LimitReachedError) as error:
        return _choose(502 if isinstance(error, MailError) and error.status >= 500 else 422, why_not(error))
    forward_guard.told(forwards)
    return to_list()


def _told(number: int, away: absences.Absence | None, before: Filters) -> str:
    words = ngettext("%(num)d filter imported.", "%(num)d filters imported.", number) if number else ""
    about = _("The out-of-office text was imported and is turned off.") if away else ""
    if away and before.absence.on:
        about = _("Your out-of-office reply is on, so its text was not replaced.")
    return f"{words} {about}".strip()


def _too_many(here: int, ticked: int) -> str:
    return ngettext(
        "%(num)d filter is ticked, but you can have up to %(most)d and have %(here)d. Nothing was imported.",
        "%(num)d filters are ticked, but you can have up to %(most)d and have %(here)d. Tick fewer, or delete some first. "
        "Nothing was imported.",
        ticked, most=MOST_RULES, here=here,
    )  # fmt: skip


def _chosen() -> list[FilterRule]:
    """The ticked rules; none that may not be. Raises BadRuleError."""
    found = []
    for number in dict.fromkeys(request.form.getlist("take")[: MOST_RULES + 1]):
        rule = from_json(request.form.get(f"rule-{number[:10]}", ""))
        forwards = (one.value for one in rule.actions if one.kind is ActionKind.FORWARD)
        if all(rule_choices.may_forward(address) for address in forwards):
            found.append(replace(rule, id="").identified())
    return found


def _folders(rules: Iterable[FilterRule]) -> dict[str, str]:
    """What stands for each folder that was missing: another one, or a new one, which is made now if a ticked rule needs it."""
    needed = {name for rule in rules for name in fitting.folders_of(rule)}
    asked = {
        request.form.get(f"folder-name-{number}", ""): request.form.get(f"folder-{number}", _CREATE)
        for number in range(_MOST_FOLDERS)
    }
    wanted = {name: choice for name, choice in asked.items() if name in needed}
    named = {name: choice.partition(" ")[2] for name, choice in wanted.items() if choice.startswith("use ")}
    creating = [name for name in wanted if name not in named]
    if not creating:
        return named
    with imap.connect(current_account()) as connection:
        for name in creating:
            here = imap.mailboxes.overview(connection)
            there = fitting.folder_here(name, here)
            if not there:
                new = folders.planned(fitting.new_name(name, here), "", here)
                folders.make(connection, new)
                there = new.name
            named[name] = there
    return named


def _with_tags(rule: FilterRule, user: User) -> FilterRule:
    """With keywords for tags that are called by their names, which are made; "$" begins what programs agree on."""
    return replace(rule, actions=tuple(_with_tag(one, user) for one in rule.actions))


def _with_tag(action: RuleAction, user: User) -> RuleAction:
    if action.kind is not ActionKind.TAG or action.value.startswith("$") or tags.get(user, action.value):
        return action
    return replace(action, value=tags.named(user, action.value).keyword)


def _with_rules(filters: Filters, rules: Sequence[FilterRule], away: absences.Absence | None) -> Filters:
    kept = replace(filters, rules=(*filters.rules, *rules))
    return replace(kept, absence=replace(away, on=False)) if away and not filters.absence.on else kept


# --- out ---------------------------------------------------------------------------------------------------------------


@blueprint.get("/filters/export")
def download_rules() -> Response:
    """One's own rules: `as=json`, to be read back here, or as sentences."""
    overview()
    try:
        rules = loaded_state().filters.rules
    except MailError as error:
        notify(trouble_words(error), "danger")
        return redirect(url_for("filters.show_import"), 303)
    if request.args.get("as") == "json":
        return _file(rules_as_json(rules), "application/json", _("filters.json"))
    lines = [f"{number}. {_as_text(rule)}" for number, rule in enumerate(rules, 1)]
    return _file("\r\n".join([*lines, ""]), "text/plain", _("filters.txt"))


def _as_text(rule: FilterRule) -> str:
    words = sentence(rule)
    if rule.name.strip():
        words = _("%(heading)s: %(title)s", heading=rule_name(rule), title=words)
    return words if rule.on else _("%(words)s (off)", words=words)


def _file(text: str, kind: str, name: str) -> Response:
    return named(text.encode(), kind, name)
