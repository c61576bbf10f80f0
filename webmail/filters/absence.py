"""Absence: what people are answered while somebody is away, and its Sieve: `vacation` (RFC 5230) between two moments.

`vacation` itself never answers lists, bulk mail, machines and the person's own addresses, nor anybody twice within the interval
(RFC 3834). It runs on the mail server: nobody has to be signed in for it to begin and to end.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from enum import StrEnum
from html import escape

from webmail.filters.compile import MOST_CONTACTS, SievePlace
from webmail.filters.rules import LONGEST_TEXT, BadRule
from webmail.sieve.nodes import Command, ListArgument, NumberArgument, SieveArgument, SieveTest, StringArgument, TagArgument

INTERVALS = (1, 7, 30)  # days; shorter ones make loops
LONGEST_SUBJECT = 300
_HANDLE = "traboule-absence"
_HANDLE_INSIDE = "traboule-absence-inside"
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


class Audience(StrEnum):
    """Who outside the establishment is answered."""

    EVERYBODY = "everybody"
    CONTACTS = "contacts"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Absence:
    """Times are UTC. `html`: the text formatted, "" for plain text alone. `text_inside`: for people of the establishment, "" for
    the same. `days`: one of INTERVALS.
    """

    on: bool = False
    start: datetime | None = None
    until: datetime | None = None
    subject: str = ""
    text: str = ""
    html: str = ""
    text_inside: str = ""
    html_inside: str = ""
    audience: Audience = Audience.EVERYBODY
    days: int = 7

    def is_answering(self, at: datetime) -> bool:
        """Whether somebody who writes at this moment is answered (aware or UTC)."""
        return self.on and not (self.start and at < self.start) and not (self.until and at >= self.until)

    def is_over(self, at: datetime) -> bool:
        return bool(self.on and self.until and at >= self.until)


def check(absence: Absence) -> None:
    """Raises BadRule. One that is off may be unfinished."""
    if absence.on and not absence.text.strip():
        raise BadRule("text", "missing")
    if absence.start and absence.until and absence.until <= absence.start:
        raise BadRule("until", "order")
    if absence.days not in INTERVALS:
        raise BadRule("days", "number")
    if len(absence.subject) > LONGEST_SUBJECT or not absence.subject.isprintable():
        raise BadRule("subject", "long" if absence.subject.isprintable() else "characters")
    for name in ("text", "text_inside", "html", "html_inside"):
        if len(getattr(absence, name)) > LONGEST_TEXT * (2 if name.startswith("html") else 1):
            raise BadRule(name, "long")
        if "\0" in getattr(absence, name):
            raise BadRule(name, "characters")


def compiled(absence: Absence, place: SievePlace) -> tuple[Command, ...]:
    """Nothing while it is off."""
    if not absence.on:
        return ()
    body = tuple(_answers(absence, place))
    tests = moments(absence)
    if not tests:
        return body
    test = tests[0] if len(tests) == 1 else SieveTest("allof", (), tests)
    return (Command("if", (), (test,), body),)


def moments(absence: Absence) -> tuple[SieveTest, ...]:
    """All hold while it answers; none where it has no beginning and no end."""
    since = [moment_test("ge", absence.start)] if absence.start else []
    until = [moment_test("lt", absence.until)] if absence.until else []
    return (*since, *until)


def _answers(absence: Absence, place: SievePlace) -> list[Command]:
    """People inside get their own text; those outside whatever `audience` says."""
    outside = _vacation(_HANDLE, absence, place, absence.text, absence.html)
    inside_text, inside_html = absence.text_inside or absence.text, absence.html_inside if absence.text_inside else absence.html
    domains = ListArgument(place.domains or ("invalid.invalid",))
    is_inside = SieveTest("address", (TagArgument("domain"), TagArgument("is"), StringArgument("from"), domains))
    if absence.audience is Audience.EVERYBODY and not absence.text_inside:
        return [outside]
    inside = _vacation(_HANDLE_INSIDE, absence, place, inside_text, inside_html)
    found = [Command("if", (), (is_inside,), (inside,))]
    if absence.audience is Audience.EVERYBODY:
        found.append(Command("else", block=(outside,)))
    elif absence.audience is Audience.CONTACTS:
        keys = ListArgument(tuple(place.contacts("")[:MOST_CONTACTS]) or ("nobody@invalid.invalid",))
        known = SieveTest("address", (TagArgument("all"), TagArgument("is"), StringArgument("from"), keys))
        found.append(Command("elsif", (), (known,), (outside,)))
    return found


def _vacation(handle: str, absence: Absence, place: SievePlace, text: str, html: str) -> Command:
    arguments: list[SieveArgument] = [
        TagArgument("days"),
        NumberArgument(absence.days),
        TagArgument("handle"),
        StringArgument(handle),
    ]
    if absence.subject:
        arguments += [TagArgument("subject"), StringArgument(absence.subject)]
    if place.addresses:
        arguments += [TagArgument("addresses"), ListArgument(place.addresses)]
    if html:
        return Command("vacation", (*arguments, TagArgument("mime"), StringArgument(_alternative(text, html))))
    return Command("vacation", (*arguments, StringArgument(text)))


def _alternative(text: str, html: str) -> str:
    """Both texts as one MIME entity (RFC 5230, section 4.6); encoded, so that nothing in either can end a part."""
    both = MIMEMultipart("alternative", boundary="=_traboule_absence")
    both.attach(MIMEText(text, "plain", "utf-8"))
    both.attach(MIMEText(f"<!DOCTYPE html><html><body>{html or escape(text)}</body></html>", "html", "utf-8"))
    del both["MIME-Version"]
    return both.as_string().replace("\r\n", "\n").replace("\n", "\r\n")


def moment_test(relation: str, moment: datetime) -> SieveTest:
    """Whether it is this moment or later ("ge"), or before it ("lt"): in UTC, by day, then by time (RFC 5260, section 5)."""
    day, clock = moment.astimezone(UTC).strftime("%Y-%m-%d"), moment.astimezone(UTC).strftime("%H:%M:%S")
    strict = "gt" if relation == "ge" else "lt"
    later = _now(strict, "date", day)
    same = SieveTest("allof", (), (_now("eq", "date", day), _now(relation, "time", clock)))
    return SieveTest("anyof", (), (later, same))


def _now(relation: str, part: str, value: str) -> SieveTest:
    zone = (TagArgument("zone"), StringArgument("+0000"))
    compare = (TagArgument("value"), StringArgument(relation))
    return SieveTest("currentdate", (*zone, *compare, StringArgument(part), StringArgument(value)))


# --- as it is kept ---------------------------------------------------------------------------------------------------


def to_json(absence: Absence) -> str:
    found = asdict(absence)
    for name in ("start", "until"):
        found[name] = found[name].astimezone(UTC).strftime(_MOMENT) if found[name] else ""
    return json.dumps(found, separators=(",", ":"), sort_keys=True)


def from_json(text: str) -> Absence:
    """Raises BadRule."""
    try:
        found = json.loads(text)
        names = ("subject", "text", "html", "text_inside", "html_inside")
        if not all(isinstance(found[name], str) for name in names):
            raise TypeError("not a text")
        absence = Absence(
            found["on"] is True, _moment(found["start"]), _moment(found["until"]), audience=Audience(found["audience"]),
            days=int(found["days"]), **{name: found[name] for name in names},
        )  # fmt: skip
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadRule("absence", "unreadable") from error
    check(absence)
    return absence


def _moment(text: str) -> datetime | None:
    return datetime.strptime(text, _MOMENT).replace(tzinfo=UTC) if text else None
