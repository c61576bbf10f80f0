"""Birthday events: the day of birth that a card has, as an event that returns each year (RFC 5545), and when it takes place."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

from babel.dates import format_date

from webmail.mime.formats.cards.vcard_details import read_more
from webmail.mime.formats.recurrence.occurrences import FOR_EVER, Expansion, Taking
from webmail.mime.headers.encoded_words import fold, tidy

_HAS_ONE = re.compile(r"^(?:[\w-]+\.)?BDAY[;:]", re.IGNORECASE | re.MULTILINE)
_DAY = re.compile(r"(\d{4}|-)-(\d\d)-(\d\d)")
_EARLIEST = 1900  # programs stumble over years before
_NO_YEAR = 2000  # when a birthday without a year begins: a leap year
_TITLES = {"": "{}’s birthday", "fr": "Anniversaire de {}"}  # by language: no request says it here
_BORN = {"": "Born on {}", "fr": "Date de naissance : {}"}


def birthday_of(card: str) -> str:
    """1980-02-03, or --02-03 without a year; "" for none, and for what is no day that there is. Never raises."""
    if not _HAS_ONE.search(card):
        return ""
    text = read_more(card).birthday
    found = _DAY.fullmatch(text)
    try:
        return text if found and date(_year(found[1]), int(found[2]), int(found[3])) else ""
    except ValueError:
        return ""


def _year(text: str) -> int:
    return _NO_YEAR if text == "-" else int(text)


def title(name: str, language: str) -> str:
    """The words of the event."""
    name = tidy(name)
    if language == "fr" and re.match(r"[aeiou]|h[aeiouy]|y[^aeiou]", fold(name)):
        return f"Anniversaire d’{name}"
    return _TITLES.get(language, _TITLES[""]).format(name)


def event(uid: str, name: str, day: str, language: str) -> str:
    """An event for a whole day, each year. The same for the same values, so that nobody gets it anew for nothing.

    Who was born on 29 February has their day on the last of it.
    """
    begins = first_day(day)
    ends = begins + timedelta(days=1)
    rule = "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1" if _leaps(day) else "FREQ=YEARLY"
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Traboule//birthdays//EN", "BEGIN:VEVENT", f"UID:{uid}",
        "DTSTAMP:19700101T000000Z", f"DTSTART;VALUE=DATE:{begins:%Y%m%d}", f"DTEND;VALUE=DATE:{ends:%Y%m%d}",
        f"RRULE:{rule}", f"SUMMARY:{_escaped(title(name, language))}",
    ]  # fmt: skip
    if not day.startswith("-"):
        lines.append(f"DESCRIPTION:{_escaped(_born(day, language))}")
    lines += ["TRANSP:TRANSPARENT", "END:VEVENT", "END:VCALENDAR", ""]
    return "\r\n".join(map(_folded, lines))


def _born(day: str, language: str) -> str:
    words = format_date(date.fromisoformat(day), "long", "en_GB" if language in ("", "en") else language)
    if language == "fr":
        words = re.sub(r"^1 ", "1er ", words)
    return _BORN.get(language, _BORN[""]).format(words)


def _leaps(day: str) -> bool:
    return day.endswith("-02-29")


def first_day(day: str) -> date:
    """When the event begins: on the day of birth, or later where programs would stumble."""
    month, number = int(day[-5:-3]), int(day[-2:])
    year = _NO_YEAR if day.startswith("-") else int(day[:4])
    return _in_year(max(year, _EARLIEST), month, number)


def _in_year(year: int, month: int, number: int) -> date:
    return date(year, month, min(number, monthrange(year, month)[1]))


def expansion(name: str, day: str, language: str, start: int, end: int) -> Expansion:
    """When it takes place from `start` to `end` (seconds since 1970): as `occurrences.expand` would find it."""
    begins, words = first_day(day), title(name, language)
    years = range(max(begins.year, datetime.fromtimestamp(start, UTC).year), datetime.fromtimestamp(end, UTC).year + 1)
    days = [_in_year(year, begins.month, int(day[-2:])) for year in years]
    takings = tuple(
        Taking(at, at + 86_400, True, f"{one:%Y%m%d}", words[:300], "", 0, "")
        for one in days
        if (at := _seconds(one)) < end and at + 86_400 > start
    )
    return Expansion(_seconds(begins), FOR_EVER, takings)


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> str:
    """Lines of 75 octets at most (RFC 5545, 3.1), between characters."""
    pieces, piece, size = [], "", 0
    for character in line:
        more = len(character.encode("utf-8", "replace"))
        if size + more > 74:
            pieces.append(piece)
            piece, size = "", 0
        piece, size = piece + character, size + more
    return "\r\n ".join([*pieces, piece])
