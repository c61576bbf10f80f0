"""Preferences: one person's choices, plain values with defaults, stored as JSON in the user's row. Shared by all areas."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from webmail.account import Account
from webmail.database import idempotency
from webmail.database.connection import db
from webmail.models import User

CHOICES: dict[str, tuple[str | int, ...]] = {
    "page_size": (0, 25, 50, 100),
    "density": ("cosy", "compact"),
    "layout": ("list", "below", "right"),
    "archive_by": ("", "year", "month"),
    "refresh_minutes": (0, 1, 5, 15),
    "receipts": ("ask", "inside-sent", "inside", "never"),
    "undo_seconds": (-1, 0, 5, 10, 30),
    "images": ("", "ask", "contacts", "known", "always"),
    "write_format": ("", "same", "plain", "markdown"),
    "quote": ("below", "above", "none"),
    "protect_encrypt": ("never", "ask", "possible"),
    "protect_kind": ("", "openpgp", "smime"),
    "theme": ("", "light", "dark", "contrast"),
    "text_size": ("small", "", "large", "larger"),
    "contacts_in_filters": ("", "fresh", "stale"),
    "calendar_view": ("", "day", "workweek", "week", "month", "agenda", "year"),
    "first_day": ("monday", "sunday", "saturday"),
    "hours_from": tuple(range(24)),
    "hours_to": tuple(range(1, 25)),
    "reminders": ("screen", "both", "off"),
    "remind_before": (-1, 0, 5, 10, 15, 30, 60, 120, 1440),
    "remind_days": (-1, 0, 1440),
    "remind_hour": tuple(range(5, 22)),
    "agenda_hour": (-1, *range(4, 22)),
    "first_cards": tuple(range(6)),
    "absence_declines": ("", "colleagues", "known"),
    "pencil_in": ("", "known"),
}
ROLES = ("sent", "drafts", "trash", "archive", "junk")
_LONGEST_LIST = 200
_LONGEST_TEXT = 1_000
_ABSENCE_EVENT = re.compile(r"[0-9TZ:-]{17}/[0-9TZ:-]{17} \d{1,18}/[^\x00-\x20]{1,255}")
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)?")
_ARCHIVED = re.compile(r"(\d{1,18}/\d{1,9}/\d{4}-\d\d-\d\d(/mixed|/final)?)?")
_FORWARDING = re.compile(r"((\d{4}-\d\d-\d\dT\d\d:\d\dZ)?/[^\x00-\x20]{3,254}( [^\x00-\x20]{3,254}){0,9})?")
_LINK_DRIVE = re.compile(r"(\d{1,18}/[a-z-]{1,30}/[^\x00-\x1f]{0,500})?")
_ZONE = re.compile(r"[^\x00-\x1f]{0,40}")
_SPAN = r"\d\d:\d\d-\d\d:\d\d"
_WORK_DAY = rf"({_SPAN}(,{_SPAN}){{0,3}})?(@[a-z]{{1,12}})?"
_WORK_HOURS = re.compile(rf"({_WORK_DAY}(;{_WORK_DAY}){{6}}(\|[A-Za-z0-9_+/-]{{1,60}})?)?")


@dataclass(frozen=True, slots=True)
class Preferences:
    """All preferences. `conversation_folders` are the exceptions to `conversations`: on there if it is off, and vice versa."""

    page_size: int = 0  # rows per list page; 0: the instance's setting
    density: str = "cosy"
    layout: str = "list"  # where a message opens: on its own page, below the list, to the right of it
    prefer_text: bool = False  # show plain text first and load no images automatically: for slow connections
    snippets: bool = True  # show the first words of each message in the list
    conversations: bool = False
    conversation_folders: tuple[str, ...] = ()
    others_below: bool = True  # the other messages of a conversation are listed, folded, below one that is read
    scattered_folders: tuple[str, ...] = ()  # where many old messages came back with new UIDs, which no longer tell the order
    shortcuts: bool = True  # single-key commands
    notifications: bool = False  # desktop notifications of new mail
    refresh_minutes: int = 0  # how often a list reloads without scripts; 0: never
    images: str = ""  # when remote images load, see Settings.remote_images; "": the instance's setting
    receipts: str = "ask"  # read receipts: inside-sent: sent to proven colleagues, asked for others; inside: asked for colleagues
    undo_seconds: int = -1  # delay before a message is sent, for undo; -1: the instance's setting
    write_format: str = ""  # of new messages; "": formatted where the editor runs; see compose/views/text_format.py
    quote: str = "below"  # where a reply puts the quoted text: below or above the reply, or nowhere
    without_signatures: bool = True  # a reply leaves the sender's signature out of what it quotes
    protect_encrypt: str = "ask"  # messages: never by itself, asked where all recipients have keys, or wherever that is possible
    protect_sign: bool = False  # messages, of those who have keys
    keep_opened: bool = False  # encrypted messages are kept decrypted on the mail server once they were opened
    protect_kind: str = ""  # of key, where both could be used: "openpgp", "smime"; "": no matter
    archive_by: str = ""  # Archive itself, or Archive/2026, or Archive/2026/11
    theme: str = ""  # "": light or dark, as the system says
    dark_mail: bool = True  # messages in HTML take part in the dark theme
    text_size: str = ""  # of everything but what others wrote in HTML; "": as the browser says
    time_zone: str = ""  # an IANA name; "": the instance's setting
    favourites: tuple[str, ...] = ()  # mailboxes listed first
    suggest_met: bool = True  # people one wrote to, or had mail from, are listed and suggested without being contacts
    snoozed_by_filters: bool = False  # a filter of this person has snoozed: the worker looks what arrived so
    contacts_in_filters: str = ""  # "": the filters ask for no contacts; else whether the script has those of now
    renamed_shares: tuple[str, ...] = ()  # "before after": addresses that the filters are to follow, rules/renamed_owners.py
    birthdays: bool = True  # a calendar of the contacts' birthdays
    directory_on_devices: bool = False  # the establishment's directory is a book on telephones, which can only be read
    room_quiet_until: str = ""  # the day (ISO) until which a mailbox that fills up is not mentioned
    absence: str = (
        ""  # from and until when the mail server answers for them, a copy: filters/absence/absence_copy.py; "": it does not
    )
    absence_shown: bool = False  # an absence is an event of their calendar, and colleagues who look for a time are told of it
    absence_event: str = ""  # its times, and that event: calendar/free_busy/absence_event.py
    absence_declines: str = ""  # whose invitations are declined then: colleagues', or those of contacts too
    absence_decline_text: str = ""  # what their organisers are told
    forwarding: str = (
        ""  # where their mail is forwarded and until when, a copy: filters/forwarding/forward_targets.py; "": nowhere
    )
    forwarding_closed: tuple[str, ...] = ()  # those of these addresses whose account here is closed, as the worker saw it
    school_zone: str = ""  # whose holidays are offered for an absence
    archive_off: tuple[str, ...] = ()  # names of the administrator's archive rules that this person turned off
    archived: str = ""  # what was archived last night and not told yet: see filters/archiving/archive_log.py
    archive_night: str = ""  # the last night (ISO day) in which archiving was begun: its task may have been taken off the list
    calendar_view: str = ""  # that the calendar opens with; "": a month, on telephones a list
    first_day: str = "monday"  # of a week
    hours_from: int = 7  # which hours days and weeks show, with whatever lies before and after
    hours_to: int = 19
    second_zone: str = ""  # whose hours stand beside one's own
    work_hours: str = ""  # when and where they work on each weekday: calendar/free_busy/working_hours.py; "": the usual hours
    pencil_in: str = ""  # whose invitations stand in the calendar at once, unanswered: nobody's, or colleagues' and contacts'
    busy_shown: bool = True  # colleagues who look for a time see when this person is busy
    ask_services: bool = False  # Google and Microsoft 365, where they are connected, are asked when guests there are busy
    todos_shown: bool = False  # what is due stands in the calendar
    week_numbers: bool = True
    week_a: str = ""  # a day (ISO) of a week A, where weeks A and B take turns; "": the instance's setting
    reminders: str = "screen"  # where they come: on pages, by mail too, or nowhere; one that asks for mail comes by mail
    remind_before: int = -1  # of new events, so many minutes before them; -1: not at all
    remind_days: int = -1  # of new events of whole days: on the day, or the day before
    remind_hour: int = 8  # of whole days, at this hour
    agenda_hour: int = -1  # when the day's events come by mail; -1: never. See calendar/reminders/daily_agenda.py
    calendar_reminders: tuple[
        str, ...
    ] = ()  # what new events of single calendars begin with: calendar/reminders/usual_reminders.py
    link_drive: str = ""  # where large files of messages go: "connection/right/folder" of one's own drive; "": given out here
    hidden_calendars: tuple[str, ...] = ()  # the ids of those that calendar pages don't show
    first_cards: int = 0  # how many of the five cards of a first visit are put away: help/first_cards.py
    roles: dict[str, str] = field(default_factory=dict)  # "sent", ... -> mailbox, where it overrides the server's special use

    def in_conversations(self, mailbox: str) -> bool:
        """Whether this mailbox is grouped by conversation."""
        return self.conversations != (mailbox in self.conversation_folders)


_USUAL = Preferences()


def sort_on_server(user: User, mailbox: str) -> None:
    """Many messages came back into this mailbox: lists of it are sorted by the server from now on."""
    if mailbox not in (known := for_user(user).scattered_folders):
        change(user, scattered_folders=(mailbox, *known))


def for_user(user: User) -> Preferences:
    """A person's preferences; invalid values (written by an older or newer version) fall back to the defaults."""
    return _in_text(user.preferences or "{}")


@lru_cache(maxsize=1024)
def _in_text(text: str) -> Preferences:
    """Two people who chose the same have the same, and nobody changes what is frozen."""
    return checked(Preferences(), _stored(text), {f.name for f in fields(Preferences)})


def value_in(text: str | None, name: str) -> Any:
    """One preference of what a person's row has stored, without reading all."""
    clean = _clean(name, stored[name]) if name in (stored := _stored(text)) else None
    return getattr(_USUAL, name) if clean is None else clean


def _stored(text: str | None) -> dict[str, Any]:
    try:
        stored = json.loads(text or "{}")
    except ValueError:
        return {}
    return stored if isinstance(stored, dict) else {}


def checked(before: Preferences, values: dict[str, Any], names: set[str]) -> Preferences:
    """`before`, updated with those of `values` that are in `names` and valid."""
    good = {name: clean for name, value in values.items() if name in names and (clean := _clean(name, value)) is not None}
    return replace(before, **good)


def with_roles(account: Account, user: User) -> Account:
    """The account with the mailboxes this person assigned to roles (Sent, Trash and so on)."""
    return replace(account, roles=tuple(sorted(for_user(user).roles.items())))


def change(user: User, **values: Any) -> Preferences:
    """Store the given preferences and no others, whatever another tab stores meanwhile; invalid values are ignored. 3 queries."""
    return revise(user, lambda _stored: values)


def revise(user: User, revised: Callable[[Preferences], Mapping[str, Any]]) -> Preferences:
    """As `change`, for values that depend on those that are stored: nobody stores others in between. 3 queries."""
    with db.atomic():
        idempotency.in_turn(user)
        user.preferences = User.select(User.preferences).where(User.id == user.id).scalar()
        values = dict(revised(for_user(user)))
        found = checked(for_user(user), values, set(values))
        kept = {n: v for n, v in asdict(found).items() if v != getattr(Preferences(), n)}
        user.preferences = json.dumps(kept, ensure_ascii=False)
        User.update(preferences=user.preferences).where(User.id == user.id).execute()
    return found


@lru_cache(maxsize=1024)
def is_zone(name: str) -> bool:
    """Whether this machine knows a time zone of this name."""
    try:
        return bool(ZoneInfo(name).key)
    except (KeyError, ValueError, OSError):  # unknown; a path; a folder
        return False


def _clean(name: str, value: Any) -> Any:
    """The validated value, or None."""
    default = getattr(Preferences(), name)
    if name in CHOICES:
        return value if value in CHOICES[name] and isinstance(value, type(default)) else None
    if name in ("room_quiet_until", "archive_night", "week_a"):
        return value if isinstance(value, str) and _DAY.fullmatch(value) else None
    if name == "absence":
        return value if isinstance(value, str) and _is_period(value) else None
    if name == "absence_event":
        return value if isinstance(value, str) and (not value or _ABSENCE_EVENT.fullmatch(value)) else None
    if name == "absence_decline_text":
        return value[:_LONGEST_TEXT] if isinstance(value, str) else None
    if name == "archived":
        return value if isinstance(value, str) and _ARCHIVED.fullmatch(value) else None
    if name == "link_drive":
        return value if isinstance(value, str) and _LINK_DRIVE.fullmatch(value) else None
    if name == "forwarding":
        return value if isinstance(value, str) and _FORWARDING.fullmatch(value) else None
    if name == "work_hours":
        return value if isinstance(value, str) and _WORK_HOURS.fullmatch(value) else None
    if name == "school_zone":
        return value if isinstance(value, str) and _ZONE.fullmatch(value) else None
    if name in ("time_zone", "second_zone"):
        return value if isinstance(value, str) and (value == "" or is_zone(value)) else None
    if isinstance(default, bool):
        return value if isinstance(value, bool) else None
    if isinstance(default, tuple):
        names = [one for one in value if isinstance(one, str)] if isinstance(value, list | tuple) else None
        return None if names is None else tuple(dict.fromkeys(names))[:_LONGEST_LIST]
    if isinstance(default, dict):
        return {k: v for k, v in value.items() if k in ROLES and isinstance(v, str) and v} if isinstance(value, dict) else None
    return None


def _is_period(text: str) -> bool:
    """Two moments such as 2026-12-24T08:00Z with a slash between them, each of which may be missing; or nothing."""
    start, slash, until = text.partition("/")
    try:
        return not text or (bool(slash) and all(datetime.strptime(one, "%Y-%m-%dT%H:%MZ") for one in (start, until) if one))
    except ValueError:
        return False
