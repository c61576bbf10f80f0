"""The page of working hours: when and where somebody works on each weekday."""

from __future__ import annotations

from datetime import date, timedelta

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.calendar.free_busy import working_hours
from webmail.settings import changes
from webmail.settings.blueprint import blueprint
from webmail.settings.working_hours_forms import WorkingHoursForm
from webmail.web.current import current_user, settings
from webmail.web.frame.areas import check_shown
from webmail.web.notices import notify
from webmail.web.rendering import page

_ANY_MONDAY = date(2024, 1, 1)


@blueprint.get("/settings/working-hours")
def show_working_hours() -> Response:
    check_shown("calendar")
    week = working_hours.week_of(current_user().preferences or "", settings())
    return _hours_page(WorkingHoursForm.showing(week))


@blueprint.post("/settings/working-hours")
def save_working_hours() -> Response:
    """Choose these hours, or, with `action=usual`, the usual ones again."""
    form = WorkingHoursForm.typed(request.form)
    chosen = "" if request.form.get("action") == "usual" else form.read()
    if chosen is None:
        return _hours_page(form, 422)
    changed = changes.make(current_user(), {"work_hours": chosen})
    value = changes.token(current_user(), changed, settings().secret_key)
    back = url_for("settings.show_working_hours")
    notify(_("Working hours saved."), undo=(url_for("settings.undo"), {"undo": value, "back": back}) if value else None)
    return redirect(back, 303)


def _hours_page(form: WorkingHoursForm, status: int = 200) -> Response:
    week = working_hours.week_of(current_user().preferences or "", settings())
    days = [_ANY_MONDAY + timedelta(days=day.number) for day in form.days]
    return page(
        "settings/working_hours.html", status, form=form, days=days, chosen=week.chosen, zone=str(week.zone),
        wrong=any(day.error for day in form.days),
    )  # fmt: skip
