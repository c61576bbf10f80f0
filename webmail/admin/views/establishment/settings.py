"""Settings of the establishment: their sections, a form each, what they were before, and the way back."""

from __future__ import annotations

from typing import Any, cast
from zoneinfo import ZoneInfo

from flask import Response, abort, current_app, redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin.blueprint import blueprint
from webmail.admin.establishment import setting_changes, setting_texts
from webmail.admin.establishment.conflict_texts import conflicts
from webmail.admin.establishment.setting_changes import SettingNotUndoneError, WhoseSettings
from webmail.admin.establishment.setting_forms import (
    SettingField,
    SettingsForm,
    TypedSettings,
    link_rows,
    shown_colours,
    typed_of,
    value_in,
)
from webmail.admin.views.access import administrator
from webmail.establishments import establishments, logos, page_settings, setting_values
from webmail.establishments.live_settings import LiveSettings
from webmail.establishments.page_settings import ALL, PageSetting, ValueKind
from webmail.establishments.setting_values import SettingChangedMeanwhileError
from webmail.models import AuditAct
from webmail.web.audit import audited
from webmail.web.current import current_user
from webmail.web.notices import notify, undone
from webmail.web.rendering import page
from webmail.web.templates.addresses import url_for


@blueprint.get("/settings")
def settings() -> Response:
    whose = _whose()
    names = page_settings.sections(own=whose.number is not None)
    words = setting_texts.section_words()
    return page(
        "admin/establishment/index.html", sections={name: words[name] for name in names}, whose=whose, choices=_choices(),
        everything=administrator().everything,
    )  # fmt: skip


@blueprint.get("/settings/<section>")
def show_settings(section: str) -> Response:
    whose = _whose()
    return _section_page(section, whose, _showing(section, whose))


@blueprint.post("/settings/<section>")
def save_settings(section: str) -> AnyResponse:
    """Store what was typed; who comes after somebody else is told what they changed, and keeps what they typed."""
    whose = _whose()
    form, values = _sent(section, whose)
    if form.has_errors:
        return _section_page(section, whose, form, 422)
    if trouble := _live().trouble(_together(whose, values)):
        return _section_page(section, whose, form, 422, trouble=trouble)
    try:
        names = [one.setting.name for one in form.fields]
        changes = setting_changes.make(whose, values, current_user().address, _live(), _audit, seen=form.version, names=names)
    except SettingChangedMeanwhileError as error:
        form.version = max(row.id for row in error.rows)
        return _section_page(section, whose, form, error.status, others=error.rows)
    if changes:
        undo = setting_changes.offer_undo(current_user(), whose, changes)
        notify(_("Saved. It holds everywhere within 30 seconds."), undo=(url_for("admin.undo_settings"), {"undo": undo}))
    else:
        notify(_("Nothing has changed."), "plain")
    return redirect(_address(section, whose), 303)


@blueprint.post("/settings/undo")
def undo_settings() -> AnyResponse:
    try:
        number, back = setting_changes.undone_by(current_user(), request.form.get("undo", ""))
    except SettingNotUndoneError:
        notify(_("This can no longer be undone: it has changed again, or too much time has passed."), "caution")
        return redirect(url_for("admin.settings"), 303)
    whose = _of_number(number)
    if not _hold_together(whose, back):
        return redirect(_address(ALL[next(iter(back))].section, whose), 303)
    section = _put_back(whose, back)
    undone(_("Previous settings restored."))
    return redirect(_address(section, whose), 303)


@blueprint.post("/settings/<section>/earlier/<int:number>")
def restore_setting(section: str, number: int) -> AnyResponse:
    """Put back what a setting was."""
    whose = _whose()
    row = setting_values.earlier(number, whose.number)
    if row is None or ALL[row.name].section != section:
        abort(404)
    value = setting_values.value_of(row)
    if not _hold_together(whose, {row.name: value}):
        return redirect(_address(section, whose), 303)
    _put_back(whose, {row.name: value})
    notify(_("“%(name)s” is as it was.", name=setting_texts.label_of(row.name)))
    return redirect(_address(section, whose), 303)


# --- of whom ---------------------------------------------------------------------------------------------------------


def _whose() -> WhoseSettings:
    """The establishment that the address names, if the person administers it; else the only one that they can."""
    scope = administrator()
    if (number := request.args.get("establishment", type=int)) is not None:
        return _of_number(number)
    return WhoseSettings() if scope.everything else _of_number(scope.establishments[0])


def _of_number(number: int | None) -> WhoseSettings:
    if not administrator().has_establishment(number):
        abort(404)
    if number is None:
        return WhoseSettings()
    return WhoseSettings(next((one for one in establishments.listed() if one.id == number), None) or abort(404))


def _choices() -> list[tuple[str, str]]:
    """Addresses and names of what the person can choose from; empty where there is one alone."""
    scope = administrator()
    found = [one for one in establishments.listed() if scope.has_establishment(one.id)]
    whole = [(url_for("admin.settings"), _("The whole installation"))] if scope.everything and found else []
    rows = whole + [(url_for("admin.settings", establishment=one.id), one.name) for one in found]
    return rows if len(rows) > 1 else []


# --- the form --------------------------------------------------------------------------------------------------------


def _settings_of(section: str, whose: WhoseSettings) -> tuple[PageSetting, ...]:
    return page_settings.of_section(section, own=whose.number is not None) or abort(404)


def _fields(section: str, whose: WhoseSettings) -> list[SettingField]:
    live = _live()
    zone = ZoneInfo(live.settings.timezone)
    here = live.for_establishment(whose.establishment)
    return [
        SettingField(
            one, typed_of(one, value_in(here, one), zone), live.highest(one), live.is_written(one.name),
            rows=link_rows(value_in(here, one)) if one.kind is ValueKind.LINKS else [],
        )
        for one in _settings_of(section, whose)
    ]  # fmt: skip


def _showing(section: str, whose: WhoseSettings) -> SettingsForm:
    fields = _fields(section, whose)
    return SettingsForm(fields, setting_values.version_of(whose.number, [one.setting.name for one in fields]))


def _sent(section: str, whose: WhoseSettings) -> tuple[SettingsForm, dict[str, Any]]:
    """The form as it was typed, and the values to store."""
    live, fields, values = _live(), _fields(section, whose), {}
    typed = TypedSettings(request.form, request.files, ZoneInfo(live.settings.timezone))
    here, ground = live.for_establishment(whose.establishment), live.ground(whose.establishment)
    for one in fields:
        if one.locked:
            continue
        value, one.error = typed.value(one.setting, value_in(here, one.setting), one.high)
        one.typed = typed.inputs(one.setting)
        if one.setting.kind is ValueKind.LOGO:
            one.typed = {one.id: value}
        elif one.rows:
            one.rows = typed.rows()
        values[one.setting.name] = None if value == value_in(ground, one.setting) else value
    form = SettingsForm(fields, request.form.get("version", 0, int))
    form.mark(conflicts(live, whose.establishment, _together(whose, values)))
    return form, values


def _together(whose: WhoseSettings, values: dict[str, Any]) -> dict[str, Any]:
    """All that would be set, with these values."""
    return setting_values.current(whose.number) | values


def _section_page(
    section: str, whose: WhoseSettings, form: SettingsForm, status: int = 200, *, trouble: str = "", others: Any = ()
) -> Response:
    names = [one.setting.name for one in form.fields]
    logo = form.named("presentation.logo")
    accent = form.named("presentation.accent")
    texts = {
        "words": setting_texts.section_words()[section],
        "labels": setting_texts.field_words(),
        "choices_of": setting_texts.choice_words,
        "unit": setting_texts.unit_words,
        "icons": setting_texts.icon_words(),
        "value_words": _value_words,
        "section_of": lambda name: ALL[name].section,
    }
    return page(
        "admin/establishment/section.html", status, section=section, whose=whose, form=form, trouble=trouble, others=others,
        history=_history(whose, names), **texts,
        logo=logos.at_size(logo.text) if logo else None, colours=shown_colours(accent.text) if accent else [],
        zone=_live().settings.timezone, sends_mail=_live().settings.system_sender is not None,
    )  # fmt: skip


def _history(whose: WhoseSettings, names: list[str]) -> list[tuple[Any, bool]]:
    """What the settings of a section were, newest first; whether a row is what holds now."""
    seen: set[str] = set()
    found = []
    for row in setting_values.history(whose.number, names):
        found.append((row, row.name not in seen))
        seen.add(row.name)
    return found


# --- small things ----------------------------------------------------------------------------------------------------


def _hold_together(whose: WhoseSettings, back: dict[str, Any]) -> bool:
    """Whether values of before can hold with all others of now; else says why not, and what to change first."""
    together = _together(whose, back)
    if found := conflicts(_live(), whose.establishment, together):
        name, words = next(iter(found.items()))
        label = setting_texts.label_of(name)
        notify(_("This can’t be put back while other settings are as they are. “%(name)s”: %(reason)s", name=label, reason=words),
               "caution")  # fmt: skip
    elif _live().trouble(together):
        notify(_("This can’t be put back: it needs something that is not set up here any more."), "caution")
    else:
        return True
    return False


def _put_back(whose: WhoseSettings, values: dict[str, Any]) -> str:
    """Store values of before; returns the section of one."""
    setting_changes.make(whose, values, current_user().address, _live(), _audit)
    return ALL[next(iter(values))].section


def _value_words(row: Any) -> str:
    return setting_texts.value_words(ALL[row.name], setting_values.value_of(row))


def _audit(name: str, **details: str | None) -> None:
    audited(AuditAct.SETTING_CHANGED, name, actor=current_user(), **details)


def _live() -> LiveSettings:
    return cast(LiveSettings, current_app.extensions["live_settings"])


def _address(section: str, whose: WhoseSettings) -> str:
    return url_for("admin.show_settings", section=section, establishment=whose.number)
