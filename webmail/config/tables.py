"""Tables of config.toml: settings that are lists of entries, `[[links]]`, or one entry with several values, `[section]`.

An entry is a dataclass whose fields name a check each (`checked`). `TABLES` names the settings that are tables; the manual lists
the fields of each, and a test keeps that complete.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from webmail.config.checks import ConfigError, age, anything, checked, day, domain, line, one_of, typed, web_address
from webmail.config.cloud_programs import CloudProgram
from webmail.config.connected_services import GoogleAddresses, MicrosoftAddresses
from webmail.config.devices import Devices
from webmail.config.directory import ListedAddress, SightRule
from webmail.config.filesender import FileSender
from webmail.config.providers import Cas, HelpSite, Ldap, Oidc, ProxySignIn, Sms, Support
from webmail.config.storage import S3
from webmail.config.transfers import Transfers


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the establishment, on every page of the people it is for."""

    name: str = checked(line(60))
    url: str = checked(web_address)
    icon: str = checked(line(40, empty=True), default="")  # of static/icons.svg; the doctor names one that is not there
    group: str = checked(line(100, empty=True), default="")  # of people, in any domain; empty: everybody


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain of the establishment; `domain` is always one, listed or not."""

    name: str = checked(domain)
    display_name: str = checked(line(60, empty=True), default="")  # how pages call it; empty: `name`


@dataclass(frozen=True, slots=True)
class ListedHolidays:
    """School holidays that people can be away for with one click, besides those that are shipped (`holidays.py`)."""

    name: str = checked(line(60))
    first_day: str = checked(day)
    last_day: str = checked(day)
    zone: str = checked(line(40, empty=True), default="")  # A, B, C, or one of the establishment's own; empty: every zone

    def __post_init__(self) -> None:
        if self.last_day < self.first_day:
            raise ConfigError(f"holidays, {self.name}: last_day must not be before first_day")


@dataclass(frozen=True, slots=True)
class GivenArchiving:
    """What happens each night to old messages of everybody who has not chosen otherwise (`filters/archiving/`)."""

    name: str = checked(line(60))
    folder: str = checked(line(200))  # by its name, or inbox, sent, junk, trash
    older_than: str = checked(age)
    action: str = checked(one_of("archive", "delete"), default="archive")  # delete: only junk and trash
    split: str = checked(one_of("year", "month"), default="year")  # the folders inside the archive
    keep_unread: bool = checked(anything, default=True)
    keep_flagged: bool = checked(anything, default=True)
    keep_tagged: bool = checked(anything, default=False)
    optional: bool = checked(anything, default=True)  # people may turn it off, or make a rule of their own for the folder

    def __post_init__(self) -> None:
        if (self.action == "delete") != (self.folder.lower() in ("junk", "trash")):
            raise ConfigError(
                f"archive, {self.name}: of junk and trash messages can only be deleted, of other folders only archived"
            )


@dataclass(frozen=True, slots=True)
class TableSetting:
    """What the entries of a setting are, and how many there may be; 0: it is one table, `[name]`, and no list."""

    entry: type
    most: int
    unique: str = ""  # the field in which no two entries may be the same

    @property
    def heading(self) -> str:
        return "[[{}]]" if self.most else "[{}]"


TABLES: dict[str, TableSetting] = {
    "links": TableSetting(Link, most=20),
    "domains": TableSetting(Domain, most=100, unique="name"),
    "oidc": TableSetting(Oidc, most=8, unique="name"),
    "ldap": TableSetting(Ldap, most=0),
    "cas": TableSetting(Cas, most=0),
    "proxy_sign_in": TableSetting(ProxySignIn, most=0),
    "sms": TableSetting(Sms, most=0),
    "s3": TableSetting(S3, most=0),
    "devices": TableSetting(Devices, most=0),
    "cloud_programs": TableSetting(CloudProgram, most=30, unique="name"),
    "google_addresses": TableSetting(GoogleAddresses, most=0),
    "microsoft_addresses": TableSetting(MicrosoftAddresses, most=0),
    "support": TableSetting(Support, most=0),
    "holidays": TableSetting(ListedHolidays, most=100),
    "archive": TableSetting(GivenArchiving, most=30, unique="name"),
    "directory_rules": TableSetting(SightRule, most=50, unique="group"),
    "directory_addresses": TableSetting(ListedAddress, most=500, unique="address"),
    "sites": TableSetting(HelpSite, most=30, unique="name"),
    "transfers": TableSetting(Transfers, most=0),
    "filesender": TableSetting(FileSender, most=0),
}


def read(name: str, value: Any, setting: TableSetting | None = None) -> Any:
    """The entries of a setting, a tuple of its dataclass, or the one entry that it is. Raises ConfigError."""
    setting = setting or TABLES[name]
    if not setting.most:
        return value if isinstance(value, setting.entry) else _entry(name, value, setting)
    if isinstance(value, tuple) and all(isinstance(one, setting.entry) for one in value):
        return value
    if not isinstance(value, list):
        raise ConfigError(f"{name} must be a list of tables, each below a line {setting.heading.format(name)}, not {value!r}")
    if len(value) > setting.most:
        raise ConfigError(f"{name} has {len(value)} entries, and may have {setting.most}")
    entries = [_entry(f"{name}, entry {number}", one, setting) for number, one in enumerate(value, 1)]
    _refuse_repetition(name, entries, setting.unique)
    return tuple(entries)


def refuse_text(name: str) -> None:
    """Raises ConfigError: text, as in the environment, can't hold a table."""
    heading = TABLES[name].heading.format(name)
    raise ConfigError(f"{name} can't be set by the environment, which holds no tables: write {heading} in config.toml")


def _entry(where: str, value: Any, setting: TableSetting) -> Any:
    """One entry, every value checked."""
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where} must be a table, not {value!r}")
    known = {one.name: one for one in fields(setting.entry)}
    for key in value:
        if key not in known:
            raise ConfigError(
                f"{where}: {key} is none of {', '.join(known)} (settings that belong to no table stand above the first one)"
            )
    found = {}
    for key, one in known.items():
        if key not in value:
            if one.default is MISSING:
                raise ConfigError(f"{where}: {key} is missing")
            continue
        found[key] = typed(f"{where}: {key}", str(one.type), value[key])
        one.metadata["check"](f"{where}: {key}", found[key])
    return setting.entry(**found)


def _refuse_repetition(name: str, entries: list[Any], unique: str) -> None:
    seen: dict[str, int] = {}
    for number, entry in enumerate(entries, 1):
        value = str(getattr(entry, unique)).lower() if unique else str(number)
        if value in seen:
            raise ConfigError(f"{name}, entry {number}: {unique} is that of entry {seen[value]} already, {value!r}")
        seen[value] = number
