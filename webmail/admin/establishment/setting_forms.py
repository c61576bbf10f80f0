"""Forms of settings: a section's fields as they stand, and what was typed into them as values to store.

A value that is what config.toml or the default says is stored as none: when that changes, so does the setting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage, MultiDict

from webmail.config import tables
from webmail.config.checks import LONGEST_URL, ConfigError
from webmail.config.settings import Settings
from webmail.establishments import colours, logos, setting_values
from webmail.establishments.page_settings import MOST_LINKS, PageSetting, ValueKind
from webmail.establishments.setting_values import UnknownPlaceholderError

_LANGUAGES = ("fr", "en")
_LINK_FIELDS = ("order", "name", "url", "icon", "group")
_BLANK_LINKS = 3
_LONGEST_LINK_NAME, _LONGEST_LINK_GROUP = 60, 100  # characters, as the table `links` has it


@dataclass
class SettingField:
    """A field of the form. `typed`: as it stands there, by the name of each input; `locked`: config.toml sets it."""

    setting: PageSetting
    typed: dict[str, str]
    high: float
    locked: bool = False
    error: str = ""
    rows: list[dict[str, str]] = field(default_factory=list)  # of links

    @property
    def id(self) -> str:
        return input_name(self.setting)

    @property
    def text(self) -> str:
        return self.typed.get(self.id, "")


class SettingsForm:
    """A section of one establishment, or of the installation."""

    def __init__(self, fields: list[SettingField], version: int) -> None:
        self.fields = fields
        self.version = version
        self.elsewhere: dict[str, str] = {}  # errors of settings of other sections, by their name

    @property
    def has_errors(self) -> bool:
        return bool(self.elsewhere) or any(one.error for one in self.fields)

    def mark(self, errors: Mapping[str, str]) -> None:
        """Put errors beside the fields of these settings that have none yet; those of other sections are kept apart."""
        self.elsewhere = {name: words for name, words in errors.items() if self.named(name) is None}
        for one in self.fields:
            one.error = one.error or errors.get(one.setting.name, "")

    def named(self, name: str) -> SettingField | None:
        return next((one for one in self.fields if one.setting.name == name), None)


def input_name(setting: PageSetting) -> str:
    return setting.name.replace(".", "-").replace("_", "-")


def value_in(settings: Settings, setting: PageSetting) -> Any:
    """What holds, as it would be stored."""
    table, dot, name = setting.name.partition(".")
    found = getattr(getattr(settings, table), name) if dot else getattr(settings, setting.name)
    match setting.kind:
        case ValueKind.TEXTS:
            return {"fr": found.fr, "en": found.en}
        case ValueKind.NUMBER:
            return int(found)
        case ValueKind.CHOICE:
            return str(found)
        case ValueKind.LINKS:
            return [{"name": one.name, "url": one.url, "icon": one.icon, "group": one.group} for one in found]
        case ValueKind.LANGUAGES:
            return list(found or _LANGUAGES)
        case _:
            return found


def typed_of(setting: PageSetting, value: Any, zone: ZoneInfo) -> dict[str, str]:
    """A value as it stands in the form's inputs."""
    name = input_name(setting)
    match setting.kind:
        case ValueKind.TEXTS:
            return {f"{name}-{language}": value.get(language, "") for language in _LANGUAGES}
        case ValueKind.YES:
            return {name: "1" if value else ""}
        case ValueKind.LANGUAGES:
            return {f"{name}-{language}": "1" if language in value else "" for language in _LANGUAGES}
        case ValueKind.MOMENT:
            return {name: _here(value, zone)}
        case ValueKind.LINKS:
            return {}
        case _:
            return {name: str(value)}


def link_rows(links: list[dict[str, str]]) -> list[dict[str, str]]:
    rows = [{"order": str(number), **link} for number, link in enumerate(links, 1)]
    blank = min(_BLANK_LINKS, MOST_LINKS - len(rows))
    return rows + [{"order": str(len(rows) + number), **dict.fromkeys(_LINK_FIELDS[1:], "")} for number in range(1, blank + 1)]


class TypedSettings:
    """What was sent: `value` reads one setting of it, or says in words why it can't be."""

    def __init__(self, form: MultiDict[str, str], files: Mapping[str, FileStorage], zone: ZoneInfo) -> None:
        self._form, self._files, self._zone = form, files, zone

    def inputs(self, setting: PageSetting) -> dict[str, str]:
        name = input_name(setting)
        names = [f"{name}-{language}" for language in _LANGUAGES]
        wanted = names if setting.kind in (ValueKind.TEXTS, ValueKind.LANGUAGES) else [name]
        return {one: self._text(one) for one in wanted}

    def rows(self) -> list[dict[str, str]]:
        """The links in the order that was asked for."""
        columns = {name: self._form.getlist(f"link-{name}")[: MOST_LINKS + _BLANK_LINKS] for name in _LINK_FIELDS}
        rows = [dict(zip(_LINK_FIELDS, row, strict=True)) for row in zip(*columns.values(), strict=False)]
        rows = [{name: " ".join(_clean(text).split()) for name, text in row.items()} for row in rows]
        return sorted(rows, key=lambda row: int(row["order"]) if re.fullmatch(r"\d{1,3}", row["order"]) else 999)

    def value(self, setting: PageSetting, before: Any, high: float) -> tuple[Any, str]:
        """The value to store, and what is wrong with what was typed, "" if nothing is."""
        match setting.kind:
            case ValueKind.NUMBER:
                return self._number(setting, high)
            case ValueKind.YES:
                return bool(self._text(input_name(setting))), ""
            case ValueKind.LOGO:
                return self._logo(setting, before)
            case ValueKind.MOMENT:
                return self._moment(setting)
            case ValueKind.LINKS:
                found: Any = [{name: row[name] for name in _LINK_FIELDS[1:]} for row in self.rows() if row["name"]]
            case ValueKind.TEXTS:
                found = {language: self._text(f"{input_name(setting)}-{language}").strip() for language in _LANGUAGES}
            case ValueKind.LANGUAGES:
                found = [language for language in _LANGUAGES if self._text(f"{input_name(setting)}-{language}")]
            case ValueKind.COLOUR:
                found = self._text(input_name(setting)).strip().lower()
            case ValueKind.LINE:
                found = " ".join(self._text(input_name(setting)).split())
            case _:
                found = self._text(input_name(setting)).strip()
        try:
            setting_values.check(setting, found)
        except ConfigError as error:
            return found, _what_is_wrong(setting, found, error)
        return found, ""

    def _number(self, setting: PageSetting, high: float) -> tuple[Any, str]:
        typed = "".join(self._text(input_name(setting)).split())
        if not re.fullmatch(r"[0-9]{1,10}", typed) or not setting.low <= int(typed) <= high:
            return None, _("Enter a number from %(least)d to %(most)d.", least=int(setting.low), most=int(high))
        return int(typed), ""

    def _logo(self, setting: PageSetting, before: str) -> tuple[Any, str]:
        if self._text("remove-logo"):
            return "", ""
        file = self._files.get(input_name(setting))
        if file is None or not file.filename:
            return before, ""
        made = logos.keep(file.stream.read(logos.LARGEST_UPLOAD + 1))
        return (
            (made, "")
            if made
            else (before, _("This is no picture that can be used. Choose a PNG, JPEG, WebP or GIF of at most 5 MB."))
        )

    def _moment(self, setting: PageSetting) -> tuple[Any, str]:
        typed = self._text(input_name(setting)).strip()
        if not typed:
            return "", ""
        try:
            found = datetime.fromisoformat(typed.replace(" ", "T"))
        except ValueError:
            return "", _("Enter a day and a time as the field asks.")
        aware = found if found.tzinfo else found.replace(tzinfo=self._zone)
        return aware.astimezone(UTC).replace(tzinfo=None, second=0, microsecond=0).isoformat(), ""

    def _text(self, name: str) -> str:
        return _clean(self._form.get(name, ""))


def _clean(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(mark for mark in text if mark.isprintable() or mark in "\n\t")


def _here(value: str, zone: ZoneInfo) -> str:
    if not value:
        return ""
    return datetime.fromisoformat(value).replace(tzinfo=UTC).astimezone(zone).strftime("%Y-%m-%dT%H:%M")


def _what_is_wrong(setting: PageSetting, value: Any, error: ConfigError) -> str:
    if isinstance(error, UnknownPlaceholderError):
        places = ", ".join(f"{{{one}}}" for one in setting.placeholders)
        return _("%(place)s is not filled in here, only %(places)s.", place=f"{{{error.placeholder}}}", places=places)
    match setting.kind:
        case ValueKind.COLOUR:
            return _("Enter a colour such as #1a63c9: # and six figures or letters from a to f.")
        case ValueKind.LANGUAGES:
            return _("Tick at least one language.")
        case ValueKind.LINKS:
            return _link_trouble(value)
        case ValueKind.TEXTS:
            return _long_texts(value, setting.longest)
        case ValueKind.LINE | ValueKind.TEXT:
            if setting.required:
                return _("Enter a name of at most %(count)d characters.", count=setting.longest)
            return _("This is too long. Use at most %(count)d characters.", count=setting.longest)
        case _:
            return _("This can’t be used.")


def _link_trouble(links: list[dict[str, str]]) -> str:
    """What is wrong with the first link that can't be; they stand in the order that was asked for."""
    if len(links) > MOST_LINKS:
        return _("There can be %(count)d links at most. Remove the name of those that are not needed.", count=MOST_LINKS)
    for link in links:
        try:
            tables.read("links", [link])
        except ConfigError:
            return _one_link_trouble(link)
    return _("This can’t be used.")


def _one_link_trouble(link: dict[str, str]) -> str:
    name = link["name"]
    if len(name) > _LONGEST_LINK_NAME:
        return _("“%(name)s…”: use a name of at most %(count)d characters.", name=name[:30], count=_LONGEST_LINK_NAME)
    if not link["url"]:
        return _("“%(name)s” has no address. Enter one that begins with https://.", name=name)
    if len(link["url"]) > LONGEST_URL:
        return _("The address of “%(name)s” is too long. Use at most %(count)d characters.", name=name, count=LONGEST_URL)
    if len(link["group"]) > _LONGEST_LINK_GROUP:
        return _("“%(name)s”: the name of its group has at most %(count)d characters.", name=name, count=_LONGEST_LINK_GROUP)
    return _(
        "“%(name)s” can’t lead to “%(address)s”. Enter an address that begins with https://.", name=name, address=link["url"][:80]
    )


def _long_texts(texts: dict[str, str], most: int) -> str:
    """Which of the languages has too long a text, and by how much."""
    lengths = {language: len(text) for language, text in texts.items() if len(text) > most}
    said = {
        "fr": _("The French text has %(count)d characters. Use at most %(most)d.", count=lengths.get("fr", 0), most=most),
        "en": _("The English text has %(count)d characters. Use at most %(most)d.", count=lengths.get("en", 0), most=most),
    }
    return " ".join(said[language] for language in lengths) or _("This can’t be used.")


def shown_colours(chosen: str) -> list[tuple[str, str, str, float]]:
    """What becomes of a colour: the theme, the colour, that of text on it, and their contrast."""
    if not colours.is_colour(chosen):
        return []
    found = colours.readable(chosen)
    pairs = ((_("Light theme"), found.light, found.light_on), (_("Dark theme"), found.dark, found.dark_on))
    return [(theme, colour, text, colours.contrast(colour, text)) for theme, colour, text in pairs]
