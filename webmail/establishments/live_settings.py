"""Live settings: puts what pages of administration have set over what config.toml left open, in each process, within 30 seconds.

One object holds the settings of a process, and many parts of it hold that object: its values are replaced in place. What an
establishment of several has for itself is in a copy for each of its domains (`Presentation.of_domain`), for what pages show.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from webmail.config import tables, values
from webmail.config.checks import ConfigError
from webmail.config.presentation import Texts
from webmail.config.settings import Settings, written_names
from webmail.database.connection import DATABASE_AWAY
from webmail.establishments import setting_values
from webmail.establishments.page_settings import ALL, PageSetting, ValueKind
from webmail.models import Establishment, EstablishmentDomain

log = logging.getLogger(__name__)

SECONDS = 20.0  # how long a process goes on with what it knows
_FIELDS = tuple(one.name for one in fields(Settings))
_WINS = {"presentation.terms": "terms_file"}  # what config.toml calls otherwise


class LiveSettings:
    """Those of a process. `settings`: as they were read at the start, which this object changes."""

    def __init__(self, settings: Settings, changed: Callable[[], None] = lambda: None) -> None:
        self.settings = settings
        self.loaded = replace(settings)
        self.until = 0.0  # monotonic: when to look again
        self._changed = changed
        self._written = written_names(settings.instance)
        self._seen: object = None

    def is_written(self, name: str) -> bool:
        """Whether config.toml or the environment sets it, and so wins."""
        return _WINS.get(name, name) in self._written

    def highest(self, setting: PageSetting) -> float:
        """What it may be at most: mail servers and forms were set up for the messages that config.toml allows."""
        return min(setting.high, self.loaded.message_limit_mb) if setting.name == "message_limit_mb" else setting.high

    def look(self) -> None:
        """Take over what was changed, if it is time. No query else, two where it is; never in a page's way."""
        if time.monotonic() < self.until:
            return
        try:
            self.refresh()
        except DATABASE_AWAY:
            self.until = time.monotonic() + 1

    def refresh(self) -> None:
        """Take over what was changed, now. Two queries, a third one where something was."""
        self.until = time.monotonic() + SECONDS
        domains = _domains()
        seen = (setting_values.version(), tuple(domains))
        if seen == self._seen:
            return
        changed = self._seen is not None or seen[0] or domains
        self._seen = seen
        if not changed:  # an installation that has nothing of the kind
            return
        found = setting_values.everything()
        put = self._checked(self.loaded, found.get(None, {}))
        own = {domain: self._of_one(put, name, found.get(number, {})) for domain, number, name in domains}
        put = replace(put, presentation=replace(put.presentation, of_domain=own))
        self.settings.put({name: getattr(put, name) for name in _FIELDS})
        self._changed()

    def ground(self, establishment: Establishment | None) -> Settings:
        """What holds where pages have set nothing: for an establishment, what the installation has."""
        return replace(self.settings, name=establishment.name) if establishment else self.loaded

    def for_establishment(self, establishment: Establishment | None) -> Settings:
        """The settings of one as they are in the database, whether or not a domain leads to it. At most one SELECT."""
        if establishment is None:
            return self.settings
        return self._of_one(self.settings, establishment.name, setting_values.current(establishment.id))

    def trouble(self, given: Mapping[str, Any]) -> str:
        """Why these values can't hold together here; "" where they can. None: what holds without."""
        try:
            values.check(overlaid(self.loaded, self._free({name: value for name, value in given.items() if value is not None})))
        except ConfigError as error:
            return str(error)
        return ""

    def _of_one(self, ground: Settings, name: str, given: Mapping[str, Any]) -> Settings:
        """Of an establishment of several: its own name wins over that of the installation, whoever has set that."""
        own = {key: value for key, value in given.items() if ALL[key].own}
        return self._checked(replace(ground, name=name), own)

    def _checked(self, ground: Settings, given: Mapping[str, Any]) -> Settings:
        """The settings with these values; without one that can't hold any more, which is logged."""
        free = self._free(given)
        try:
            made = overlaid(ground, free)
            values.check(made)
        except ConfigError as error:
            log.error("settings that pages have set do not hold together: %s", error)
            return self._one_by_one(ground, free)
        return made

    def _one_by_one(self, ground: Settings, given: Mapping[str, Any]) -> Settings:
        for name, value in given.items():
            try:
                made = overlaid(ground, {name: value})
                values.check(made)
            except ConfigError as error:
                log.error("%s is left as it was: %s", name, error)
            else:
                ground = made
        return ground

    def _free(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in given.items() if not self.is_written(name)}


def overlaid(ground: Settings, given: Mapping[str, Any]) -> Settings:
    """The settings with these values, as they are stored. Raises ConfigError."""
    top: dict[str, Any] = {}
    inside: dict[str, dict[str, Any]] = {}
    for name, value in given.items():
        setting = ALL[name]
        setting_values.check(setting, value)
        table, dot, field = name.partition(".")
        taken = _taken(setting.kind, value, getattr(getattr(ground, table), field) if dot else getattr(ground, name))
        if dot:
            inside.setdefault(table, {})[field] = taken
        else:
            top[name] = tables.read(name, value) if setting.kind is ValueKind.LINKS else taken
    for table, found in inside.items():
        top[table] = replace(getattr(ground, table), **found)
    return replace(ground, **top)


def _taken(kind: ValueKind, value: Any, before: Any) -> Any:
    """A stored value as the settings have it, of the type that was there before."""
    if kind is ValueKind.TEXTS:
        return Texts(**{language: text.replace("\r\n", "\n") for language, text in value.items()})
    if kind is ValueKind.LANGUAGES:
        return tuple(value)
    return type(before)(value) if kind in (ValueKind.NUMBER, ValueKind.CHOICE) else value


def _domains() -> list[tuple[str, int, str]]:
    """The domains of establishments, each with whose it is. One SELECT, of no row on most installations."""
    rows: Any = EstablishmentDomain.select(EstablishmentDomain.domain, Establishment.id, Establishment.name).join(Establishment)
    return sorted(rows.tuples())
