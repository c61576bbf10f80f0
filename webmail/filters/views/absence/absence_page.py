"""Absence page: what people are answered while somebody is away, from when until when, and who; the banner on every page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from flask import redirect, request, session, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from webmail import preferences as preferred
from webmail import schedule
from webmail.auth.guard import keeps_text
from webmail.calendar.free_busy import absence_event, absence_times
from webmail.compose import identities
from webmail.errors import MailError
from webmail.filters import store
from webmail.filters.absence import absence, absence_change, absence_copy, holidays, offered_times
from webmail.filters.absence.absence import INTERVALS, Absence, Audience
from webmail.filters.absence.absence_change import StoredAbsence
from webmail.filters.absence.absence_forms import AbsenceForm
from webmail.filters.absence.offered_times import OfferedTimes
from webmail.filters.blueprint import blueprint
from webmail.filters.rules.compiler import MOST_CONTACTS
from webmail.filters.rules.script_context import addresses_of
from webmail.filters.store import FiltersChangedError, FilterState
from webmail.filters.views.absence import part_undo
from webmail.filters.views.frame import loaded_state, trouble_words, when_loaded
from webmail.mime.html import markdown
from webmail.models import AuditAct
from webmail.web.audit import audited
from webmail.web.current import current_account, current_user, preferences, settings, time_zone
from webmail.web.formatting import day_and_month, day_in_full, long_date, today
from webmail.web.forms.request_values import fetched_ahead, local_path
from webmail.web.notices import notify, withdraw_notices
from webmail.web.rendering import page
from webmail.web.texts.day_names import day_name

_UNDO = "filters.undo_absence"


@dataclass(frozen=True, slots=True)
class AbsenceAnswer:
    """What somebody gets, as the preview shows it. `html`: formatted, safe."""

    subject: str
    text: str
    html: Markup | None


# --- the page --------------------------------------------------------------------------------------------------------


@blueprint.get("/absence")
def show_absence() -> Response:
    """3 ManageSieve round trips after signing in to it."""
    try:
        state = loaded_state()
    except MailError as error:
        return _absence_page(None, None, error)
    if kept := _interrupted_form():
        return _absence_page(AbsenceForm.typed(kept), state)
    return _absence_page(AbsenceForm.showing(state.filters.absence, _now()), state)


def _interrupted_form() -> MultiDict[str, str] | None:
    """What was sent here after the session had ended, carried along by the sign-in page; None for nothing."""
    if session.get("kept", {}).get("path") != request.path:
        return None
    notify(_("Here is what you typed. It is not saved yet."), "caution")
    return MultiDict((name, value) for name, value in session.pop("kept")["fields"])


@blueprint.post("/absence")
@keeps_text
def save_absence() -> Response:
    """Save it, or show what was typed with a preview, or with the days of a button."""
    form, action = AbsenceForm.typed(request.form), request.form.get("action", "save")
    _keep_zone(form.zone)
    if action == "zone":
        return _absence_page(form)
    if action.startswith("times:"):
        for offer in _offers(form.zone):
            if action == f"times:{offer.key}":
                form.fill(offer)
        return _absence_page(form)
    found = form.read(_now())
    if found is None:
        return _absence_page(form, status=422)
    if action == "preview":
        withdraw_notices()  # "Saved", above what is not saved yet
        return _absence_page(form, previewed=found)
    return _saved(form, found)


@blueprint.post("/absence/end")
def end_absence() -> Response:
    """By the button of the banner; leads back to where it was pressed."""
    back = local_path(request.form.get("back", ""))
    try:
        before = absence_change.end(current_user(), current_account(), settings())
        if before.on:
            audited(AuditAct.ABSENCE_ENDED, current_user().address)
        _notify(_("Automatic replies are off."), before, replace(before, on=False), back=back)
    except MailError as error:
        notify(trouble_words(error), "danger")
    return redirect(back or url_for("filters.show_absence"), 303)


@blueprint.post("/absence/undo")
def undo_absence() -> Response:
    """Put it back as it was before it was saved or ended, unless it has been changed since."""
    row, text = part_undo.stored_undo(_UNDO)

    def put_back(version: str) -> None:
        before = absence.from_json(text)
        absence_change.save(current_user(), current_account(), settings(), before, version)
        _audited(before)

    changed = _("Your automatic reply has been changed since, so this can no longer be undone.")
    return part_undo.take_back(row, put_back, changed, "filters.show_absence")


def _notify(text: str, before: Absence, after: Absence, kind: str = "done", back: str = "") -> None:
    """With Undo, where there is something to undo."""
    if before == after:
        notify(text, kind)
        return
    undo = part_undo.undo_offer(_UNDO, absence.to_json(before), absence_change.version_of(after), back)
    notify(text, kind, undo=undo)


def _audited(found: Absence) -> None:
    if found.on:
        until = found.until.isoformat(timespec="minutes") if found.until else ""
        audited(AuditAct.ABSENCE_SET, current_user().address, day=until)
    else:
        audited(AuditAct.ABSENCE_ENDED, current_user().address)


def _saved(form: AbsenceForm, found: Absence) -> Response:
    user, was_off = current_user(), absence_times.parse(preferences().absence) is None
    try:
        stored = absence_change.save(user, current_account(), settings(), found, form.version)
    except FiltersChangedError:
        words = _("Your automatic reply was changed in another window. If you save again, it is replaced by what is below.")
        return _absence_page(_renewed(form), trouble_text=words, status=409)
    except MailError as error:
        return _absence_page(form, None, error)
    preferred.change(user, **form.chosen())
    absence_event.keep(user, settings())
    _audited(found)
    if was_off and not found.on:
        _notify(_("Saved. Automatic replies stay off until you tick “Send automatic replies”."), stored.before, found, "plain")
    else:
        _notify(_stored_words(stored), stored.before, found, "done" if stored.in_force or not found.on else "caution")
    return redirect(url_for("filters.show_absence"), 303)


def _renewed(form: AbsenceForm) -> AbsenceForm:
    """The same form, which may replace what is stored now."""
    try:
        form.version = absence_change.version_of(store.load(current_account()).filters.absence)
    except MailError:
        form.version = ""
    return form


def _absence_page(
    form: AbsenceForm | None,
    state: FilterState | None = None,
    error: MailError | None = None,
    *,
    previewed: Absence | None = None,
    trouble_text: str = "",
    status: int = 200,
) -> Response:
    """`error`: what the mail server's filter service said, above what was typed."""
    words = trouble_words(error) if error else trouble_text
    user = current_user()
    return page(
        "filters/absence.html", error.status if error else status, form=form, state=state, trouble=words,
        offers=[(one, *_offer_words(one)) for one in _offers(form.zone)] if form else [],
        zones=holidays.zones(settings().holidays), zone_words=_zone_words, own_zone=str(time_zone()), intervals=INTERVALS,
        preview=_preview(previewed) if previewed else (), addresses=identities.allowed(user),
        many_contacts=len(addresses_of(user)) > MOST_CONTACTS, inside=settings().domain_label(user.domain),
        over=_over_since(state),
    )  # fmt: skip


def _over_since(state: FilterState | None) -> datetime | None:
    found = state.filters.absence if state else None
    return found.until if found and found.is_over(_now()) else None


def _offers(zone: str) -> list[OfferedTimes]:
    return offered_times.offered_times(zone, today(), settings().holidays)


def _keep_zone(zone: str) -> None:
    known = zone in ("", *holidays.zones(settings().holidays))
    if known and zone != preferences().school_zone and "zone" in request.form:
        preferred.change(current_user(), school_zone=zone)


# --- in words --------------------------------------------------------------------------------------------------------


def _stored_words(stored: StoredAbsence) -> str:
    found = stored.absence
    if not found.on:
        return _("Saved. Automatic replies are off.")
    if stored.other:
        return _(
            "Saved, but no replies are sent yet: another program’s filters (“%(name)s”) are active. See “Filters”.",
            name=stored.other,
        )
    if stored.paused:
        return _("Saved, but no replies are sent yet: all your filters are paused. See “Filters”.")
    if found.start and found.start > _now():
        return _("Saved. Automatic replies start on %(when)s.", when=since_words(found.start))
    if found.until:
        return _("Saved. Automatic replies are on until %(when)s.", when=until_words(found.until))
    return _("Saved. Automatic replies are on until you turn them off.")


@blueprint.app_template_filter()
def since_words(start: datetime) -> str:
    """The beginning as people say it: of whole days the first one, without its midnight."""
    return _moment_text(start, ends=False)


@blueprint.app_template_filter()
def until_words(until: datetime) -> str:
    """The end in the same way: of whole days the last one."""
    return _moment_text(until, ends=True)


def _moment_text(at: datetime, *, ends: bool) -> str:
    day, hour = schedule.day_and_hour(at, time_zone(), ends=ends)
    return long_date(at) if hour else day_in_full(datetime.fromisoformat(day).date())


def _offer_words(times: OfferedTimes) -> tuple[str, str]:
    """Its name, and the days of school holidays."""
    names = {"this-week": _("This week"), "next-week": _("Next week")}
    days = dict.fromkeys(day_and_month(day) for day in (times.first, times.last)) if times.school else ()
    return names.get(times.name) or day_name(times.name), " – ".join(days)


def _zone_words(zone: str) -> str:
    return _("Zone %(name)s", name=zone) if zone in holidays.ZONES else zone


def _preview(found: Absence) -> tuple[tuple[str, AbsenceAnswer | None], ...]:
    """Who gets what; None: nothing."""
    outside = {
        Audience.EVERYBODY: _("People outside get"), Audience.CONTACTS: _("Your contacts outside get"),
        Audience.NOBODY: _("People outside"),
    }[found.audience]  # fmt: skip
    theirs = None if found.audience is Audience.NOBODY else _answer(found, found.text)
    if found.audience is Audience.EVERYBODY and not found.text_inside:
        return ((_("Everyone gets"), theirs),)
    return ((outside, theirs), (_("People in your organisation get"), _answer(found, found.text_inside or found.text)))


def _answer(found: Absence, text: str) -> AbsenceAnswer:
    html = None
    if found.formatted:
        html = Markup(markdown.on_page(text))  # noqa: S704 - it was cleaned
    return AbsenceAnswer(found.subject or _("Auto: %(subject)s", subject=_("(subject of their message)")), text, html)


@blueprint.app_template_global()
def interval_words(days: int) -> str:
    return ngettext("Once a day", "Once every %(num)d days", days)


# --- on every page ---------------------------------------------------------------------------------------------------


@blueprint.app_template_global()
def absence_known() -> dict[str, Any] | None:
    """What the banner says, from a copy: neither a query nor the mail server is asked. None where there is nothing to say."""
    found = absence_times.parse(preferences().absence)
    phase = found.phase(_now()) if found else None
    return {"phase": str(phase), "start": found.start, "until": found.until} if found and phase else None


def _keep_copy(state: FilterState) -> None:
    if not fetched_ahead():
        absence_copy.keep(current_user(), state, settings())


when_loaded(_keep_copy)


def _now() -> datetime:
    return datetime.now(UTC)
