"""Changes of settings: one way for pages and commands, which stores, takes over in this process and writes the audit log.

What one change was can be undone for an hour; each earlier value can be put back as long as it is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from webmail.database import undo_store
from webmail.establishments import setting_values
from webmail.establishments.live_settings import LiveSettings
from webmail.establishments.page_settings import ALL, PageSetting, ValueKind
from webmail.establishments.setting_values import SettingChange
from webmail.models import Establishment, User

_OPENING = "settings "
_TOLD = (ValueKind.NUMBER, ValueKind.YES, ValueKind.CHOICE)  # whose values the audit log names: the others are texts

Audit = Callable[..., None]  # (name of the setting, **details)


class SettingNotUndoneError(Exception):
    """Too old, not this person's, or everything in it was changed again since."""


@dataclass(frozen=True, slots=True)
class WhoseSettings:
    """Of which establishment; None: of the installation."""

    establishment: Establishment | None = None

    @property
    def number(self) -> int | None:
        return self.establishment.id if self.establishment else None

    @property
    def name(self) -> str:
        return self.establishment.name if self.establishment else ""


def make(
    whose: WhoseSettings, values: Mapping[str, Any], by: str, live: LiveSettings, audit: Audit, *,
    seen: int | None = None, names: Iterable[str] = (),
) -> list[SettingChange]:  # fmt: skip
    """Store these values, as `setting_values.save` does; each that was another one is in the audit log. This process has them
    at once, others within 30 seconds. Raises SettingChangedMeanwhileError, ConfigError."""
    changes = setting_values.save(whose.number, values, by, seen=seen, names=names)
    if changes:
        live.refresh()
    for one in changes:
        audit(one.name, **_details(ALL[one.name], one, whose))
    return changes


def offer_undo(user: User, whose: WhoseSettings, changes: list[SettingChange]) -> str:
    """Keep what was before; returns the name to undo by."""
    steps = {"establishment": whose.number, "changes": [[one.name, one.before, one.after] for one in changes]}
    return undo_store.keep(user, _OPENING + json.dumps(steps))


def undone_by(user: User, name: str) -> tuple[int | None, dict[str, Any]]:
    """Of which establishment a change was, and the values to put back: those that are still as it left them.

    Raises SettingNotUndoneError.
    """
    row = undo_store.take(user, name, _OPENING)
    if row is None:
        raise SettingNotUndoneError(name)
    steps = json.loads(row.steps.removeprefix(_OPENING))
    here = setting_values.current(steps["establishment"])
    back = {setting: before for setting, before, after in steps["changes"] if here.get(setting) == after}
    if not back:
        raise SettingNotUndoneError(name)
    return steps["establishment"], back


def _details(setting: PageSetting, change: SettingChange, whose: WhoseSettings) -> dict[str, str | None]:
    """What the audit log says of a change: short values, never a text."""
    told = setting.kind in _TOLD
    return {
        "establishment": whose.name or None,
        "before": json.dumps(change.before) if told and change.before is not None else None,
        "after": json.dumps(change.after) if told and change.after is not None else None,
    }
