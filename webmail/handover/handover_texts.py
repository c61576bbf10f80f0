"""Words for a handover: its facts, in the reader's language and time zone."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from flask_babel import gettext as _

from webmail.models import HandoverKind, HandoverState, MailboxHandover
from webmail.people.handovers import HandoverDoubt
from webmail.web.formatting import day_in_full, local, long_date


def state_of(handover: MailboxHandover) -> str:
    return {
        HandoverState.ASKED: _("Waiting for approval"),
        HandoverState.AGREED: _("Approved"),
        HandoverState.ACTIVE: _("In force"),
        HandoverState.ENDING: _("Ending"),
        HandoverState.ENDED: _("Ended"),
        HandoverState.REFUSED: _("Declined"),
    }[HandoverState(handover.state)]


def rights_of(handover: MailboxHandover) -> str:
    """What the person may do, in a sentence."""
    since = handover.since
    if since is not None:
        what = _("Gets a copy of what arrived since %(date)s", date=day_in_full(since.date()))
    elif handover.kind == HandoverKind.SUCCESSION:
        what = _("Takes over the whole mailbox")
    else:
        what = _("Reads the whole mailbox")
    return _("%(what)s, and replies on behalf of the owner", what=what) if handover.answers else what


def terms_of(handover: MailboxHandover) -> list[tuple[str, str]]:
    """Label and value, for a list or a letter."""
    owner, person = handover.owner, handover.person
    facts = [
        (_("Whose mailbox"), f"{owner.name} <{owner.address}>" if owner.name else owner.address),
        (_("Substitute") if handover.kind == HandoverKind.ABSENCE else _("Successor"),
         f"{person.name} <{person.address}>" if person.name else person.address),
        (_("Rights"), rights_of(handover)),
        (_("From"), _day_or_moment(handover.start)),
        (_("Until"), _day_or_moment(handover.until, ends=True) if handover.until else _("For good")),
        (_("Asked by"), handover.asked_by),
    ]  # fmt: skip
    if handover.agreed_by:
        facts.append((_("Approved by"), handover.agreed_by))
    if handover.reason:
        facts.append((_("Reason"), handover.reason))
    if handover.ended:
        facts.append((_("Ended"), f"{long_date(handover.ended)}{f' ({handover.ended_by})' if handover.ended_by else ''}"))
    return facts


def _day_or_moment(moment: datetime, *, ends: bool = False) -> str:
    """The day that begins then, or with `ends` the one that ends then; with the time only where a day does neither."""
    at = local(moment)
    return day_in_full((at - timedelta(days=int(ends))).date()) if at.time() == time() else long_date(moment)


def problem_of(handover: MailboxHandover) -> str:
    match handover.problem:
        case "full":
            return _("The mailbox of %(person)s is full: copying has stopped.", person=handover.person.address)
        case "away":
            return _("The mail server did not answer. It is tried again every minute.")
        case _:
            return ""


def doubt_words(doubt: HandoverDoubt) -> str:
    return {
        HandoverDoubt.NOBODY: _("Nobody in your organisation has this address. Check the spelling."),
        HandoverDoubt.ONESELF: _("This is the owner of the mailbox. Choose a colleague."),
        HandoverDoubt.TWICE: _("This person looks after this mailbox already, or was asked to. End that first."),
        HandoverDoubt.MANY: _("Too many people look after this mailbox. End one of these first."),
        HandoverDoubt.OFTEN: _("This mailbox was handed over too often today. Try again tomorrow."),
        HandoverDoubt.NO_END: _("Choose the last day."),
        HandoverDoubt.PAST: _("The last day must come after the first, and may not be over."),
        HandoverDoubt.LONG: _("An absence lasts a year at most."),
        HandoverDoubt.NO_REASON: _("Say why: the owner reads it."),
        HandoverDoubt.OWNER_THERE: _("The owner is there: only they can approve this."),
        HandoverDoubt.SAME: _("You asked for this yourself: another administrator must approve it."),
        HandoverDoubt.PASSWORD: _(
            "You and the person who asked have had a password from one another in the last 30 days: another administrator must "
            "approve it."
        ),
        HandoverDoubt.RECEIVER: _("You would get this mailbox yourself: another administrator must approve it."),
    }[doubt]


def field_of(doubt: HandoverDoubt) -> str:
    """The field of the form that it is about."""
    match doubt:
        case HandoverDoubt.NO_END | HandoverDoubt.PAST | HandoverDoubt.LONG:
            return "until"
        case HandoverDoubt.NO_REASON:
            return "reason"
        case _:
            return "person"


def agreed_words(handover: MailboxHandover) -> str:
    """What happens now with one that was agreed."""
    person = handover.person.name or handover.person.address
    match handover.state:
        case HandoverState.ASKED:
            return _("Asked. Nothing happens until it is approved.")
        case HandoverState.ACTIVE if handover.since is not None:
            return _("The messages are being copied to %(person)s.", person=person)
        case HandoverState.ACTIVE:
            return _("%(person)s can see this mailbox now.", person=person)
        case _ if handover.problem:
            return _("Approved. It begins as soon as the mail server answers.")
        case _:
            return _("Approved. It begins on %(day)s.", day=_day_or_moment(handover.start))
