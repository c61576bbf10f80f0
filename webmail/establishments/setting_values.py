"""Values of page settings: checked, stored as rows that are only added, so that what was before can be put back.

The newest row of a setting is its value; one without a value says that config.toml or the default holds again. The number of the
newest row is the version, by which processes and second administrators see that something was changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee as pw

from webmail.config import checks, tables
from webmail.config.checks import ConfigError
from webmail.database.connection import db
from webmail.database.locks import serialize
from webmail.errors import MailError
from webmail.establishments import colours, logos
from webmail.establishments.page_settings import ALL, MOST_LINKS, PageSetting, ValueKind
from webmail.models import EstablishmentSetting, now

_PLACEHOLDER = re.compile(r"\{([^{}\n]*)\}")
KEPT = 30  # earlier values of a setting
_LANGUAGES = ("fr", "en")

Value = Any  # what JSON can say
Values = dict[str, Value]  # by name; None: none


class SettingChangedMeanwhileError(MailError):
    """Somebody else has changed the same since the form was made; `rows` are the newest of what they changed."""

    status = 409

    def __init__(self, rows: Iterable[EstablishmentSetting]) -> None:
        super().__init__("settings were changed meanwhile")
        self.rows = list(rows)


class UnknownPlaceholderError(ConfigError):
    """A text has {something} in it that nothing is put in for: `placeholder`."""

    def __init__(self, name: str, placeholder: str, those: Iterable[str]) -> None:
        super().__init__(f"{name} has {{{placeholder}}} in it, and only {', '.join(f'{{{one}}}' for one in those)} are filled in")
        self.placeholder = placeholder


@dataclass(frozen=True, slots=True)
class SettingChange:
    name: str
    before: Value
    after: Value


def check(setting: PageSetting, value: Value) -> None:
    """Raises ConfigError where this can't be the value of the setting by itself."""
    name = setting.name
    match setting.kind:
        case ValueKind.NUMBER:
            checks.typed(name, "int", value)
            checks.between(setting.low, setting.high)(name, value)
        case ValueKind.YES:
            checks.typed(name, "bool", value)
        case ValueKind.CHOICE:
            checks.one_of(*setting.choices)(name, checks.typed(name, "str", value))
        case ValueKind.LINE:
            checks.line(setting.longest, empty=not setting.required)(name, checks.typed(name, "str", value))
        case ValueKind.TEXT:
            checks.text(setting.longest)(name, checks.typed(name, "str", value))
        case ValueKind.LINKS:
            if len(value) > MOST_LINKS:
                raise ConfigError(f"{name} has {len(value)} entries, and may have {MOST_LINKS}")
            tables.read(name, value)
        case _:
            _check_own_kind(setting, value)


def _check_own_kind(setting: PageSetting, value: Value) -> None:
    name, kind = setting.name, setting.kind
    if kind is ValueKind.TEXTS:
        if not isinstance(value, dict) or not set(value) <= set(_LANGUAGES):
            raise ConfigError(f"{name} has a text in each of {', '.join(_LANGUAGES)}")
        for language, text in value.items():
            checks.text(setting.longest)(f"{name} ({language})", checks.typed(name, "str", text))
            if setting.placeholders and (unknown := set(_PLACEHOLDER.findall(text)) - set(setting.placeholders)):
                raise UnknownPlaceholderError(f"{name} ({language})", min(unknown), setting.placeholders)
    elif kind is ValueKind.COLOUR:
        if value and not (isinstance(value, str) and colours.is_colour(value)):
            raise ConfigError(f"{name} must be a colour such as #9c3f1c, not {str(value)[:40]!r}")
    elif kind is ValueKind.LOGO:
        if value and not (isinstance(value, str) and logos.is_name(value)):
            raise ConfigError(f"{name} is no picture that is stored here")
    elif kind is ValueKind.MOMENT:
        _check_moment(name, value)
    elif not (isinstance(value, list) and value and set(value) <= set(_LANGUAGES)):
        raise ConfigError(f"{name} must be some of {', '.join(_LANGUAGES)}")


def _check_moment(name: str, value: Value) -> None:
    try:
        good = value == "" or datetime.fromisoformat(value).tzinfo is None
    except (TypeError, ValueError):
        good = False
    if not good:
        raise ConfigError(f"{name} must be a moment such as 2026-12-24T08:00:00, not {str(value)[:40]!r}")


# --- reading ---------------------------------------------------------------------------------------------------------


def version() -> int:
    """Of all settings of all establishments. One SELECT."""
    return int(EstablishmentSetting.select(pw.fn.MAX(EstablishmentSetting.id)).scalar() or 0)


def everything() -> dict[int | None, Values]:
    """What is set, by establishment. One SELECT."""
    newest = EstablishmentSetting.select(pw.fn.MAX(EstablishmentSetting.id)).group_by(
        EstablishmentSetting.establishment, EstablishmentSetting.name
    )
    found: dict[int | None, Values] = {}
    for row in EstablishmentSetting.select().where(EstablishmentSetting.id.in_(newest)):
        if row.value is not None and row.name in ALL:
            found.setdefault(row.establishment_id, {})[row.name] = json.loads(row.value)
    return found


def current(establishment: int | None) -> Values:
    """What is set for one. One SELECT."""
    return {row.name: json.loads(row.value) for row in _newest(establishment, ALL) if row.value is not None}


def version_of(establishment: int | None, names: Iterable[str]) -> int:
    """The newest row of these. One SELECT."""
    return max((row.id for row in _newest(establishment, names)), default=0)


def history(establishment: int | None, names: Iterable[str], most: int = 20) -> list[EstablishmentSetting]:
    """What these have been, newest first. One SELECT."""
    rows = EstablishmentSetting.select().where(_whose(establishment), EstablishmentSetting.name.in_(list(names)))
    return list(rows.order_by(EstablishmentSetting.id.desc()).limit(most))


def _newest(establishment: int | None, names: Iterable[str]) -> list[EstablishmentSetting]:
    newest = (
        EstablishmentSetting.select(pw.fn.MAX(EstablishmentSetting.id))
        .where(_whose(establishment), EstablishmentSetting.name.in_(list(names)))
        .group_by(EstablishmentSetting.name)
    )
    return list(EstablishmentSetting.select().where(EstablishmentSetting.id.in_(newest)))


def _whose(establishment: int | None) -> Any:
    field = EstablishmentSetting.establishment
    return field.is_null() if establishment is None else field == establishment


# --- writing ---------------------------------------------------------------------------------------------------------


def save(
    establishment: int | None, values: Mapping[str, Value], by: str, *, seen: int | None = None, names: Iterable[str] = ()
) -> list[SettingChange]:
    """Store these values; None takes one away. Returns what is another one now.

    `seen`: the version that the form of `names` was made from. Raises SettingChangedMeanwhileError, ConfigError.
    """
    for name, value in values.items():
        if value is not None:
            check(ALL[name], value)
    with db.atomic():
        serialize("establishment settings")  # numbers of rows are then in the order in which others see them
        newest = {row.name: row for row in _newest(establishment, {*values, *names})}
        if seen is not None and (later := [row for row in newest.values() if row.id > seen]):
            raise SettingChangedMeanwhileError(later)
        before = {name: json.loads(row.value) for name, row in newest.items() if row.value is not None}
        changes = [SettingChange(name, before.get(name), value) for name, value in values.items() if before.get(name) != value]
        for one in changes:
            EstablishmentSetting.create(
                establishment=establishment, name=one.name, value=None if one.after is None else json.dumps(one.after),
                at=now(), by=by[:254],
            )  # fmt: skip
            _forget_old(establishment, one.name)
    return changes


def _forget_old(establishment: int | None, name: str) -> None:
    mine = _whose(establishment) & (EstablishmentSetting.name == name)
    kept = EstablishmentSetting.select(EstablishmentSetting.id).where(mine).order_by(EstablishmentSetting.id.desc())
    old = [row.id for row in kept.offset(KEPT).limit(100)]
    if old:
        EstablishmentSetting.delete().where(EstablishmentSetting.id.in_(old)).execute()


def sweep_logos() -> int:
    """Delete logos that no value names, not even an earlier one. Two SELECTs."""
    rows = EstablishmentSetting.select(EstablishmentSetting.value).where(
        EstablishmentSetting.name == "presentation.logo", EstablishmentSetting.value.is_null(False)
    )
    return logos.sweep(value_of(row) for row in rows)


def value_of(row: EstablishmentSetting) -> Value:
    """None: what config.toml or the default says."""
    return None if row.value is None else json.loads(row.value)


def earlier(number: int, establishment: int | None) -> EstablishmentSetting | None:
    """A row of an establishment's history."""
    row = EstablishmentSetting.get_or_none(EstablishmentSetting.id == number)
    return row if row is not None and row.establishment_id == establishment and row.name in ALL else None
