"""Conflict texts: values of settings that can't hold together here, each in words beside the setting that the reader can change.

`LiveSettings.trouble` comes behind it and asks the same, in English, of everything that config.toml may say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask_babel import gettext as _

from webmail.admin.establishment.setting_forms import value_in
from webmail.config.settings import Settings
from webmail.establishments.live_settings import LiveSettings
from webmail.establishments.page_settings import ALL
from webmail.models import Establishment


def conflicts(live: LiveSettings, establishment: Establishment | None, given: Mapping[str, Any]) -> dict[str, str]:
    """By the name of a setting: what is wrong, and what to do. `given`: all that is set for an establishment (None: for the
    installation), as it would be stored; None: nothing.
    """
    found: dict[str, str] = {}
    for name, words in _found(live, _ValuesAfter(live, live.ground(establishment), given)):
        found.setdefault(name, words)
    return found


class _ValuesAfter:
    """The values as they would hold: what config.toml sets wins, and what is not given is as beneath."""

    def __init__(self, live: LiveSettings, beneath: Settings, given: Mapping[str, Any]) -> None:
        self._live, self._beneath, self._given = live, beneath, given

    def __getitem__(self, name: str) -> Any:
        value = None if self._live.is_written(name) else self._given.get(name)
        return value_in(self._beneath, ALL[name]) if value is None else value


def _found(live: LiveSettings, after: _ValuesAfter) -> Iterator[tuple[str, str]]:
    terms, version = any(after["presentation.terms"].values()) or bool(live.loaded.terms_file), after["terms_version"]
    if terms and not version:
        yield "terms_version", _("Give the terms a version, such as 2026-09.")
    elif version and not terms:
        yield "presentation.terms", _("Write the terms, or remove the version.")
    if after["recovery_address"] == "required" and not live.settings.system_address:
        yield (
            "recovery_address",
            _("This needs an address for mail from the service (system_address), and none is set up. Choose another value."),
        )
    days, most = after["transfers.days"], after["transfers.most_days"]
    if days > most and live.is_written("transfers.days"):
        yield "transfers.most_days", _("This can’t be less than the usual %(days)d days, which config.toml sets.", days=days)
    elif days > most:
        yield "transfers.days", _("This can’t be more than %(days)d days, the most that large files are kept.", days=most)
    beginning, until = after["presentation.banner_from"], after["presentation.banner_until"]
    if until and beginning and until <= beginning:
        yield "presentation.banner_until", _("The end must be after the beginning.")
