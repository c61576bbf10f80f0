"""Page settings: what administrators change in pages, with its unit and bounds. What config.toml sets wins over it.

Only what all of Traboule takes from the settings each time is here. Not: servers, keys and addresses of the machine; what is read
once at the start; and what programs beside it read in config.toml themselves (`forwarding`, which the door holds at delivery).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ValueKind(StrEnum):
    """How a value is typed, and stored as JSON."""

    NUMBER = "number"
    YES = "yes"  # true or false
    CHOICE = "choice"  # one of `choices`
    LINE = "line"
    TEXT = "text"
    TEXTS = "texts"  # {"fr": ..., "en": ...}
    LINKS = "links"  # a list of {"name", "url", "icon", "group"}
    COLOUR = "colour"  # "#9c3f1c"
    LOGO = "logo"  # "digest-width-height" of a stored picture
    MOMENT = "moment"  # "2026-12-24T08:00:00", UTC
    LANGUAGES = "languages"  # a list of "fr", "en"


class Unit(StrEnum):
    NONE = ""
    MEGABYTES = "MB"
    CHARACTERS = "characters"
    HOURS = "hours"
    MINUTES = "minutes"
    SECONDS = "seconds"
    DAYS = "days"
    RECIPIENTS = "recipients"
    ENTRIES = "entries"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class PageSetting:
    """`name`: that of the setting; "transfers.days" is one of the table `[transfers]`, "presentation.accent" one that config.toml
    does not have. `own`: an establishment among several may have another value. `placeholders`: of a text, as {name}."""

    name: str
    section: str
    kind: ValueKind
    low: float = 0
    high: float = 0
    unit: Unit = Unit.NONE
    choices: tuple[str, ...] = ()
    longest: int = 200
    own: bool = False
    required: bool = False
    placeholders: tuple[str, ...] = ()


_N, _Y, _C, _L, _T, _X = (
    ValueKind.NUMBER, ValueKind.YES, ValueKind.CHOICE, ValueKind.LINE, ValueKind.TEXT, ValueKind.TEXTS,
)  # fmt: skip
_PETABYTE = 10**9  # in MB
LONGEST_PAGE = 40_000  # characters of a page such as the legal notice
MOST_LINKS = 20

_IDENTITY = (
    PageSetting("name", "identity", _L, longest=60, own=True, required=True),
    PageSetting("presentation.logo", "identity", ValueKind.LOGO, own=True),
    PageSetting("presentation.accent", "identity", ValueKind.COLOUR, own=True),
    PageSetting("presentation.sentence", "identity", _X, longest=300, own=True),
)
_SIGN_IN = (PageSetting("presentation.sign_in", "sign-in", _X, longest=1000, own=True),)
_PLACEHOLDERS = ("name", "address", "establishment", "help")
_WELCOME = (
    PageSetting("presentation.welcome_subject", "welcome", _X, longest=150, own=True, placeholders=_PLACEHOLDERS),
    PageSetting("presentation.welcome", "welcome", _X, longest=5000, own=True, placeholders=_PLACEHOLDERS),
)
_BANNER = (
    PageSetting("presentation.banner", "banner", _X, longest=500, own=True),
    PageSetting("presentation.banner_from", "banner", ValueKind.MOMENT, own=True),
    PageSetting("presentation.banner_until", "banner", ValueKind.MOMENT, own=True),
)
_LINKS = (PageSetting("links", "links", ValueKind.LINKS, own=True),)
_HELP = (
    PageSetting("support.text", "help", _T, longest=5000, own=True),
    PageSetting("support.telephone", "help", _L, longest=60, own=True),
    PageSetting("support.hours", "help", _L, longest=200, own=True),
)
_LANGUAGES = (
    PageSetting("presentation.languages", "languages", ValueKind.LANGUAGES),
    PageSetting("language", "languages", _C, choices=("fr", "en")),
)
_TERMS = (
    PageSetting("presentation.terms", "terms", _X, longest=LONGEST_PAGE),
    PageSetting("terms_version", "terms", _L, longest=40),
)
_LIMITS = (
    PageSetting("message_limit_mb", "limits", _N, 1, 1000, Unit.MEGABYTES),
    PageSetting("recipients_per_hour", "limits", _N, 0, 1_000_000, Unit.RECIPIENTS),
    PageSetting("recipients_per_day", "limits", _N, 0, 1_000_000, Unit.RECIPIENTS),
    PageSetting("uploads_limit_mb", "limits", _N, 1, 1_000_000, Unit.MEGABYTES),
    PageSetting("import_limit_mb", "limits", _N, 1, 1_000_000, Unit.MEGABYTES),
    PageSetting("collections_per_person", "limits", _N, 2, 1000, Unit.NONE),
    PageSetting("collection_items", "limits", _N, 1, 1_000_000, Unit.ENTRIES),
    PageSetting("collections_limit_mb", "limits", _N, 1, 100_000, Unit.MEGABYTES),
    PageSetting("transfers.file_mb", "limits", _N, 1, _PETABYTE, Unit.MEGABYTES),
    PageSetting("transfers.transfer_mb", "limits", _N, 1, _PETABYTE, Unit.MEGABYTES),
    PageSetting("transfers.person_mb", "limits", _N, 1, _PETABYTE, Unit.MEGABYTES),
    PageSetting("transfers.recipients", "limits", _N, 1, 1000, Unit.RECIPIENTS),
)
_POLICIES = (
    PageSetting("password_length", "policies", _N, 6, 64, Unit.CHARACTERS),
    PageSetting("password_score", "policies", _C, choices=("0", "1", "2", "3", "4")),
    PageSetting("recovery_address", "policies", _C, choices=("off", "ask", "required")),
    PageSetting("second_step_grace_days", "policies", _N, 0, 365, Unit.DAYS),
    PageSetting("mailed_second_step", "policies", _Y),
    PageSetting("vouchers", "policies", _Y),
    PageSetting("trust_days", "policies", _N, 0, 365, Unit.DAYS),
    PageSetting("lasting_days", "policies", _N, 0, 365, Unit.DAYS),
    PageSetting("session_idle_hours", "policies", _N, 1, 87_600, Unit.HOURS),
    PageSetting("session_absolute_hours", "policies", _N, 1, 87_600, Unit.HOURS),
    PageSetting("shared_idle_minutes", "policies", _N, 1, 5_256_000, Unit.MINUTES),
    PageSetting("new_browser_mail", "policies", _Y),
    PageSetting("forgotten_password", "policies", _Y),
    PageSetting("own_name", "policies", _Y),
    PageSetting("directory", "policies", _Y),
    PageSetting("remote_images", "policies", _C, choices=("ask", "contacts", "known", "always", "never")),
    PageSetting("own_password_on_devices", "policies", _C, choices=("never", "without-second-step", "always")),
    PageSetting("other_dav_servers", "policies", _Y),
    PageSetting("api", "policies", _Y),
    PageSetting("calendar_subscriptions", "policies", _Y),
    PageSetting("transfers.guests", "policies", _Y),
    PageSetting("sign_inside", "policies", _Y),
    PageSetting("page_size", "policies", _N, 5, 500, Unit.ROWS),
    PageSetting("undo_seconds", "policies", _N, 0, 300, Unit.SECONDS),
)
_KEPT = (
    PageSetting("audit_days", "kept", _N, 0, 36_500, Unit.DAYS),
    PageSetting("deletion_days", "kept", _N, 1, 365, Unit.DAYS),
    PageSetting("address_rest_days", "kept", _N, 1, 3650, Unit.DAYS),
    PageSetting("transfers.days", "kept", _N, 1, 3650, Unit.DAYS),
    PageSetting("transfers.most_days", "kept", _N, 1, 3650, Unit.DAYS),
)
_DATA = (
    PageSetting("presentation.controller", "data", _T, longest=500, own=True),
    PageSetting("presentation.data_contact", "data", _L, own=True),
    PageSetting("presentation.data_officer", "data", _L, own=True),
    PageSetting("presentation.host", "data", _T, longest=500),
    PageSetting("presentation.country", "data", _L),
    PageSetting("presentation.backup_place", "data", _L),
    PageSetting("presentation.other_services", "data", _X, longest=3000),
)
_PAGES = (
    PageSetting("presentation.legal", "notices", _X, longest=LONGEST_PAGE, own=True),
    PageSetting("presentation.privacy", "notices", _X, longest=LONGEST_PAGE, own=True),
    PageSetting("presentation.accessibility_level", "notices", _C, choices=("unassessed", "none", "partial", "full")),
    PageSetting("presentation.accessibility", "notices", _X, longest=LONGEST_PAGE, own=True),
)

ALL: dict[str, PageSetting] = {
    one.name: one
    for one in (
        *_IDENTITY, *_SIGN_IN, *_WELCOME, *_BANNER, *_LINKS, *_HELP, *_LANGUAGES, *_TERMS, *_LIMITS, *_POLICIES, *_KEPT, *_DATA,
        *_PAGES,
    )
}  # fmt: skip
SECTIONS = tuple(dict.fromkeys(one.section for one in ALL.values()))


def of_section(section: str, *, own: bool = False) -> tuple[PageSetting, ...]:
    """The settings of a section, in their order; `own`: those that an establishment may have for itself."""
    return tuple(one for one in ALL.values() if one.section == section and (one.own or not own))


def sections(*, own: bool = False) -> tuple[str, ...]:
    return tuple(section for section in SECTIONS if of_section(section, own=own))
