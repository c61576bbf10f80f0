"""Card texts: translated texts for the attachment viewers: delivery reports (bounces), receipts and calendar events."""

from __future__ import annotations

from datetime import date, datetime

from babel.dates import format_date, get_day_names
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from markupsafe import Markup

from webmail.calendar.display.event_texts import when_words
from webmail.mail import Part
from webmail.message.blueprint import blueprint
from webmail.mime.formats.calendars.icalendar import Calendar, Event, Recurrence
from webmail.mime.formats.delivery_report import Reason, Receipt, Recipient
from webmail.mime.html.linkify import linkify
from webmail.mime.part_kinds import PartKind, kind_of_part
from webmail.web.current import time_zone
from webmail.web.formatting import long_date


@blueprint.app_template_global()
def delivery_words(recipient: Recipient) -> str:
    """What happened to the delivery to this recipient."""
    match recipient.action:
        case "delayed":
            return _("not delivered yet; the server is still trying")
        case "delivered":
            return _("delivered")
        case "relayed":
            return _("passed on to a server that sends no reports")
        case "expanded":
            return _("passed on to the members of a list")
        case _:
            return _("not delivered")


@blueprint.app_template_global()
def reason_words(recipient: Recipient) -> tuple[str, str]:
    """(why delivery failed, what to do next)."""
    match recipient.reason:
        case Reason.NO_SUCH_PERSON:
            return (
                _("This address does not exist."),
                _("Check the spelling, letter by letter. If it is correct, ask the person for their new address."),
            )
        case Reason.NO_SUCH_DOMAIN:
            return (
                _("The part after the @ does not exist or does not accept mail."),
                _("Check the spelling after the @, then send the message again."),
            )
        case Reason.MOVED:
            return _("This address has changed."), _("Ask the person for their new address.")
        case Reason.CLOSED:
            return _("This mailbox is closed and no longer accepts mail."), _("Contact the person in another way.")
        case Reason.FULL:
            return (
                _("This mailbox is full."),
                _("Try again in a few days, or contact the person in another way."),
            )
        case Reason.TOO_LARGE:
            return (
                _("The message is too large for this mailbox."),
                _("Send it again with fewer or smaller files."),
            )
        case Reason.AWAY:
            return (
                _("The recipient’s mail server is not responding."),
                _("Try again later. If that does not help, contact the person in another way."),
            )
        case Reason.TOO_LONG:
            return (
                _("The message could not be delivered in time."),
                _("Try again later. If that does not help, contact the person in another way."),
            )
        case Reason.LOOP:
            return _("The message went round in a loop."), _("Tell the person that their forwarding is not set up correctly.")
        case Reason.NOT_ALLOWED:
            return (
                _("The recipient’s server refused this message."),
                _("The address may only accept mail from certain people. Contact the person in another way."),
            )
        case Reason.DISTRUSTED:
            return (
                _("The recipient’s server does not trust where this message comes from."),
                _("Tell your administrator, quoting the server’s own words."),
            )
        case Reason.CONTENT:
            return (
                _("The recipient’s server does not accept this kind of message."),
                _("Send it again as plain text, or with a different type of file."),
            )
        case Reason.UNKNOWN:
            return (
                _("The recipient’s server gave no clear reason."),
                _("Try once more. If it comes back again, tell your administrator, quoting the server’s own words."),
            )


@blueprint.app_template_global()
def receipt_words(receipt: Receipt) -> str:
    who = receipt.address or _("the recipient")
    match receipt.disposition:
        case "displayed":
            return _("Your message was opened by %(who)s. That does not mean it was read.", who=who)
        case "deleted":
            return _("Your message was deleted by %(who)s without being opened.", who=who)
        case "denied":
            return _("You asked for a read receipt, but %(who)s declined to send one.", who=who)
        case "processed" | "dispatched":
            return _("Your message was delivered to %(who)s but has not been opened yet.", who=who)
        case _:
            return _("The mail program of %(who)s could not tell whether your message was opened.", who=who)


@blueprint.app_template_global()
def calendar_title(calendar: Calendar) -> str:
    """The title by the sender's scheduling method (RFC 5546)."""
    match calendar.method:
        case "request":
            return _("Invitation")
        case "reply":
            return _("Reply to an invitation")
        case "cancel":
            return _("Cancelled")
        case "counter":
            return _("New time proposed")
        case _:
            return ngettext("Event", "%(num)d events", len(calendar.events) + calendar.more)


@blueprint.app_template_global()
def answer_words(answer: str) -> str:
    match answer:
        case "accepted":
            return _("accepted")
        case "declined":
            return _("declined")
        case "tentative":
            return _("may come")
        case "delegated":
            return _("is sending someone else")
        case _:
            return _("has not replied")


@blueprint.app_template_global()
def event_time(event: Event) -> str:
    """Start and end, in the configured time zone; floating times stay as in the sender's calendar."""
    start, end = event.start, event.end
    if start is None:
        return _("(no date)")
    if not isinstance(start, datetime):
        first = _day(start)
        last = _day(end) if end is not None and end > start else ""
        return _("%(first)s to %(last)s", first=first, last=last) if last else _("%(day)s, all day", day=first)
    begins = _here(start)
    if not isinstance(end, datetime):
        return _moment(begins)
    ends = _here(end)
    if ends.date() == begins.date():
        return when_words(begins, ends, time_zone())
    return _("%(start)s to %(end)s", start=_moment(begins), end=_moment(ends))


@blueprint.app_template_global()
def repeat_words(event: Event) -> str:
    """How the event recurs; "" if it does not."""
    repeat = event.repeat
    if not repeat:
        return _("repeats (see the calendar file)") if event.repeats else ""
    words = _every(repeat)
    if repeat.days:
        names = get_day_names("wide", locale=get_locale())
        words = _("%(often)s on %(days)s", often=words, days=", ".join(names[day] for day in repeat.days))
    if repeat.count:
        return _("%(often)s, %(num)d times", often=words, num=repeat.count)
    if repeat.until:
        return _("%(often)s, until %(day)s", often=words, day=_day(repeat.until))
    return words


def _every(repeat: Recurrence) -> str:
    match repeat.unit:
        case "daily":
            return ngettext("every day", "every %(num)d days", repeat.every)
        case "weekly":
            return ngettext("every week", "every %(num)d weeks", repeat.every)
        case "monthly":
            return ngettext("every month", "every %(num)d months", repeat.every)
        case _:
            return ngettext("every year", "every %(num)d years", repeat.every)


def _here(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        return moment
    try:
        return moment.astimezone(time_zone())
    except OverflowError:  # next to datetime.min or datetime.max
        return moment.replace(tzinfo=None)


def _moment(moment: datetime) -> str:
    return long_date(moment.replace(tzinfo=time_zone()) if moment.tzinfo is None else moment)


def _day(day: date) -> str:
    day = _here(day).date() if isinstance(day, datetime) else day
    return format_date(day, "EEEE d MMMM y", locale=get_locale())


@blueprint.app_template_filter()
def linked(text: str) -> Markup:
    """Escape plain text, with URLs and addresses as links."""
    return Markup(linkify(text))  # noqa: S704 - escaped by linkify


@blueprint.app_template_global()
def can_view(part: Part) -> str:
    """The endpoint that shows this kind of file on a page; "" if it can only be downloaded."""
    match kind_of_part(part):
        case PartKind.TEXT | PartKind.HEADERS | PartKind.CALENDAR | PartKind.CARD | PartKind.DELIVERY | PartKind.RECEIPT:
            return "message.view_part"
        case PartKind.TNEF:
            return "message.winmail"
        case PartKind.MESSAGE:
            return "message.nested"
        case _:
            return ""
