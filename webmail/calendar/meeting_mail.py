"""Mail of meetings: an iTIP message as a message in its person's outbox (RFC 6047), in words for those without a calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, tzinfo

from flask_babel import gettext as _

from webmail.calendar.display.event_texts import when_words
from webmail.compose import identities
from webmail.compose.outbox import written
from webmail.config.settings import Settings
from webmail.itip import people
from webmail.itip.messages import ItipMessage
from webmail.itip.people import Addresses
from webmail.mail import Address, Draft, Identity
from webmail.mime import builder
from webmail.mime.formats.calendars import event_edit
from webmail.mime.formats.calendars.component_tree import parsed
from webmail.models import Outbox, User

_ANSWERS = (people.ACCEPTED, people.TENTATIVE, people.DECLINED, people.DELEGATED)


def addresses_of(user: User, settings: Settings) -> Addresses:
    """Who a person is for their meetings: the addresses that they may write from. 2 queries."""
    return people.keys([*identities.allowed(user), *(one.address for one in identities.usable(user, settings))])


def enqueue(
    user: User,
    messages: Sequence[ItipMessage],
    settings: Settings,
    sealed_credential: bytes | None,
    zone: tzinfo,
    *,
    state: str = "",
    automatic: bool = False,
) -> list[Outbox]:
    """Put messages into the outbox; call it in the transaction that writes the event. `state`: what the event was before (its
    etag), so that accepting, declining and accepting are three messages, and a second click none. `automatic`: nobody wrote it.

    Raises as `written.enqueue`.
    """
    queued = []
    for message in messages:
        about = [message.digest(",".join(message.recipients)), state]
        name = written.named(user, " ".join(about))
        draft = replace(draft_of(user, message, settings, zone), automatic=automatic)
        queued.append(written.enqueue(user, draft, name, settings, sealed_credential))
    return queued


def draft_of(user: User, message: ItipMessage, settings: Settings, zone: tzinfo, page: str = "") -> Draft:
    """The message, from the address that it says. `page`: the address where its one recipient can answer."""
    identity = _identity(user, message.sender, settings)
    to = tuple(Address("", address) for address in message.recipients)
    return Draft(
        identity, to=to, subject=subject_of(message), text=text_of(message, zone, page), calendar=message.text,
        message_id=builder.new_message_id(identity.email.rpartition("@")[2]),
    )  # fmt: skip


def _identity(user: User, address: str, settings: Settings) -> Identity:
    found = (identities.noun(one) for one in identities.usable(user, settings) if one.address == address.lower())
    return next(found, Identity(user.name, address))


def subject_of(message: ItipMessage) -> str:
    title = message.title or _("(no title)")
    match message.method:
        case "REPLY":
            return _answer_subject(_answer_in(message), title)
        case "CANCEL":
            return _("Cancelled: %(title)s", title=title)
        case "COUNTER":
            return _("New time proposed: %(title)s", title=title)
        case "DECLINECOUNTER":
            return _("Time stays: %(title)s", title=title)
        case _:
            number = next((event.value("SEQUENCE") for event in parsed(message.text).parts("VEVENT")), "")
            return (
                _("Invitation: %(title)s", title=title)
                if number in ("", "0")
                else _("Updated invitation: %(title)s", title=title)
            )


def _answer_subject(answer: str, title: str) -> str:
    if answer == people.ACCEPTED:
        return _("Accepted: %(title)s", title=title)
    if answer == people.TENTATIVE:
        return _("Maybe: %(title)s", title=title)
    if answer == people.DELEGATED:
        return _("Someone else is coming: %(title)s", title=title)
    return _("Declined: %(title)s", title=title)


def _answer_in(message: ItipMessage) -> str:
    found = (guest.answer for event in parsed(message.text).parts("VEVENT") for guest in people.guests(event))
    return next((answer for answer in found if answer in _ANSWERS), people.DECLINED)


def text_of(message: ItipMessage, zone: tzinfo, page: str = "") -> str:
    """What people read whose program knows no invitations."""
    root = parsed(message.text)
    event = root.parts("VEVENT")[0]
    lines = [_sentence(message), "", message.title or _("(no title)")]
    try:
        fields = event_edit.read(event, root)
        stamp = event_edit.stamp_of(event.first("DTSTART"), root)
        tz = (stamp.tz or UTC) if stamp is not None and stamp.zone else None
        lines.append(when_words(_aware(fields.start, tz), _aware(fields.end, tz), zone))
        lines += [fields.place] if fields.place else []
        lines += [fields.video] if fields.video else []
        lines += ["", fields.notes] if fields.notes else []
    except ValueError:  # a cancellation may say no time
        lines.append("")
    if comment := event.text("COMMENT"):
        lines[1:1] = ["", comment]
    if page:
        lines += ["", _("Reply on this page, without an account:"), page]
    return "\n".join(lines) + "\n"


def _aware(moment: date | datetime, tz: tzinfo | None) -> date | datetime:
    return moment.replace(tzinfo=tz) if isinstance(moment, datetime) and tz is not None else moment


def _sentence(message: ItipMessage) -> str:
    match message.method:
        case "REPLY":
            return {
                people.ACCEPTED: _("I will come."),
                people.TENTATIVE: _("I may come."),
                people.DELEGATED: _("I am sending someone else."),
                people.DECLINED: _("I will not come."),
            }[_answer_in(message)]
        case "CANCEL":
            return _("This event does not take place.")
        case "COUNTER":
            return _("I propose another time.")
        case "DECLINECOUNTER":
            return _("The time stays as it was.")
        case _:
            return _("You are invited.")
