"""Archive form page: a rule for old messages, new or changed, with a dry run before it is saved."""

from __future__ import annotations

from flask import abort, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.errors import LimitReachedError
from webmail.filters.archiving import archive_rules
from webmail.filters.archiving.archive_forms import ArchiveForm
from webmail.filters.archiving.archive_rules import MOST_RULES, AgeUnit, ArchivePlan
from webmail.filters.archiving.archive_task import today_of
from webmail.filters.archiving.dry_run import DryRun
from webmail.filters.blueprint import blueprint
from webmail.filters.views.archiving.archive_rules import away_words, choices, to_archiving, try_out
from webmail.filters.views.archiving.archive_texts import rule_title
from webmail.mailbox import tags
from webmail.web.current import current_user, overview, settings
from webmail.web.formatting import day_in_full
from webmail.web.labels import mailbox_path
from webmail.web.notices import notify
from webmail.web.rendering import page


@blueprint.get("/archiving/new")
def new_archive_rule() -> Response:
    if not settings().token_key_file:
        return to_archiving()
    return _form(ArchiveForm())


@blueprint.post("/archiving/new")
def add_archive_rule() -> Response:
    return _answer("")


@blueprint.get("/archiving/rule/<int:number>")
def show_archive_rule(number: int) -> Response:
    return _form(ArchiveForm.showing(_own(number)), number)


@blueprint.post("/archiving/rule/<int:number>")
def change_archive_rule(number: int) -> Response:
    return _answer(_own(number).key, number)


def _own(number: int) -> ArchivePlan:
    plan = archive_rules.find(current_user(), number)
    return plan if plan is not None else abort(404)


def _answer(key: str, number: int = 0) -> Response:
    """Save, or show what the rule would do."""
    form, found = ArchiveForm.typed(request.form), overview()
    if found is None:
        return _form(form, number, 502, away_words())
    plan = form.read(found, key)
    if plan is None:
        return _form(form, number, 422)
    if request.form.get("action") == "preview":
        tried, trouble, status = try_out(plan)
        return _form(form, number, status, trouble, tried)
    if not settings().token_key_file:
        return to_archiving()
    try:
        archive_rules.save(current_user(), plan)
    except LimitReachedError:
        return _form(form, number, 422, _("You can have up to %(most)d rules. Delete one first.", most=MOST_RULES))
    notify(_("Saved: %(title)s.", title=rule_title(plan)))
    return to_archiving()


def _form(form: ArchiveForm, number: int = 0, status: int = 200, trouble: str = "", tried: DryRun | None = None) -> Response:
    found, user = overview(), current_user()
    begins = archive_rules.cutoff(
        ArchivePlan("INBOX", AgeUnit.SCHOOL_YEAR), today_of(user, settings()), settings().school_year_begins
    )
    return page(
        "filters/archive_rule.html", status, form=form, number=number, trouble=trouble, tried=tried,
        folders=[(one.name, mailbox_path(one)) for one in choices(list(found.mailboxes))] if found else [],
        tags=[(tag.keyword, tag.name) for tag in tags.for_user(user)], begins=day_in_full(begins),
    )  # fmt: skip
