"""Absence: what people are answered while somebody is away, and its Sieve: `vacation` (RFC 5230) between two moments.

Lists, bulk mail, machines (machines.py) and the person's own addresses are never answered, nor anybody twice within the interval
(RFC 3834). It runs on the mail server: nobody has to be signed in for it to begin and to end.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from enum import StrEnum

from webmail.filters.absence import machines
from webmail.filters.rules.compiler import MOST_CONTACTS, SievePlace
from webmail.filters.rules.rules import LONGEST_TEXT, BadRuleError, unwritable
from webmail.mime.html import markdown
from webmail.sieve.nodes import Command, ListArgument, NumberArgument, SieveArgument, SieveTest, StringArgument, TagArgument

INTERVALS = (1, 7, 30)  # days; shorter ones make loops
LONGEST_SUBJECT = 300
_HANDLE = "traboule-absence"
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class Audience(StrEnum):
    """Who outside the establishment is answered."""

    EVERYBODY = "everybody"
    CONTACTS = "contacts"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Absence:
    """Times are UTC. `text_inside`: for people of the establishment, "" for the same. `formatted`: the texts are Markdown, and
    go out as HTML too. `days`: one of INTERVALS. Line ends are LF.
    """

    on: bool = False
    start: datetime | None = None
    until: datetime | None = None
    subject: str = ""
    text: str = ""
    text_inside: str = ""
    formatted: bool = False
    audience: Audience = Audience.EVERYBODY
    days: int = 7

    def is_over(self, at: datetime) -> bool:
        return bool(self.on and self.until and at >= self.until)


def check(absence: Absence) -> None:
    """Raises BadRuleError. One that is off may be unfinished."""
    if absence.on and not absence.text.strip():
        raise BadRuleError("text", "missing")
    if absence.start and absence.until and absence.until <= absence.start:
        raise BadRuleError("until", "order")
    if absence.days not in INTERVALS:
        raise BadRuleError("days", "number")
    if len(absence.subject) > LONGEST_SUBJECT or not absence.subject.isprintable():
        raise BadRuleError("subject", "long" if absence.subject.isprintable() else "characters")
    for name in ("text", "text_inside"):
        if len(getattr(absence, name)) > LONGEST_TEXT:
            raise BadRuleError(name, "long")
        if unwritable(getattr(absence, name)):
            raise BadRuleError(name, "characters")


def compiled(absence: Absence, context: SievePlace) -> tuple[Command, ...]:
    """Nothing while it is off."""
    if not absence.on:
        return ()
    tests = (*moments(absence), SieveTest("not", (), (machines.is_machine(context.extensions),)))
    test = tests[0] if len(tests) == 1 else SieveTest("allof", (), tests)
    return (Command("if", (), (test,), tuple(_answers(absence, context))),)


def moments(absence: Absence) -> tuple[SieveTest, ...]:
    """All hold while it answers; none where it has no beginning and no end."""
    since = [moment_test("ge", absence.start)] if absence.start else []
    until = [moment_test("lt", absence.until)] if absence.until else []
    return (*since, *until)


def _answers(absence: Absence, context: SievePlace) -> list[Command]:
    """People inside get their own text; those outside whatever `audience` says.

    Who somebody is, the envelope tells: that is where the answer goes (RFC 5230, section 5.1). By the header, whoever writes a
    colleague's address there would get the text for colleagues.
    """
    outside = _vacation("", absence, context, absence.text)
    if absence.audience is Audience.EVERYBODY and not absence.text_inside:
        return [outside]
    inside = _vacation("-inside", absence, context, absence.text_inside or absence.text)
    found = [Command("if", (), (_sender("domain", context.domains, context),), (inside,))]
    if absence.audience is Audience.EVERYBODY:
        found.append(Command("else", block=(outside,)))
    elif absence.audience is Audience.CONTACTS:
        found.append(Command("elsif", (), (_sender("all", context.contacts("")[:MOST_CONTACTS], context),), (outside,)))
    return found


def _sender(part: str, values: Sequence[str], context: SievePlace) -> SieveTest:
    keys = ListArgument(tuple(values) or ("nobody@invalid.invalid",))
    test = "envelope" if "envelope" in context.extensions else "address"
    return SieveTest(test, (TagArgument(part), TagArgument("is"), StringArgument("from"), keys))


def _vacation(kind: str, absence: Absence, context: SievePlace, text: str) -> Command:
    """Who was answered during one absence is answered in the next one, though the interval is not over: the text is another."""
    since = absence.start.astimezone(UTC).strftime("-%Y%m%dT%H%M") if absence.start else ""
    arguments: list[SieveArgument] = [
        TagArgument("days"),
        NumberArgument(absence.days),
        TagArgument("handle"),
        StringArgument(_HANDLE + kind + since),
    ]
    if absence.subject:
        arguments += [TagArgument("subject"), StringArgument(absence.subject)]
    if context.addresses:
        arguments += [TagArgument("addresses"), ListArgument(context.addresses)]
    if absence.formatted:
        return Command("vacation", (*arguments, TagArgument("mime"), StringArgument(_alternative(text))))
    return Command("vacation", (*arguments, StringArgument(text.replace("\n", "\r\n"))))


def _alternative(text: str) -> str:
    """The text as typed and as HTML in one MIME entity (RFC 5230, section 4.6); in base64, so that nothing in it ends a part."""
    both = MIMEMultipart("alternative", boundary="=_traboule_absence")
    both.attach(MIMEText(text, "plain", "utf-8"))
    both.attach(MIMEText(markdown.document(text), "html", "utf-8"))
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
    """Raises BadRuleError."""
    try:
        found = json.loads(text)
        names = ("subject", "text", "text_inside")
        if not all(isinstance(found[name], str) for name in names):
            raise TypeError("not a text")
        absence = Absence(
            found["on"] is True, kept_moment(found["start"]), kept_moment(found["until"]), audience=Audience(found["audience"]),
            days=int(found["days"]), formatted=found["formatted"] is True, **{name: found[name] for name in names},
        )  # fmt: skip
    except (ArithmeticError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadRuleError("absence", "unreadable") from error
    check(absence)
    return absence


def kept_moment(text: str) -> datetime | None:
    """A moment as a script of ours has it, None for "". Others write there too: what lies in other centuries is taken for the
    nearest day that all pages can show, in every time zone. Raises ValueError, TypeError.
    """
    found = datetime.strptime(text, _MOMENT).replace(tzinfo=UTC) if text else None
    return None if found is None else min(max(found, _EARLIEST), _LATEST)
