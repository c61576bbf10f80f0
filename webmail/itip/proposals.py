"""Proposals of guests for another time (COUNTER), taken or declined by the organiser. RFC 5546, 3.2.7 and 3.2.8."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from webmail.itip import messages, organiser, people, versions
from webmail.itip.incoming import IncomingItip
from webmail.itip.instances import Instances
from webmail.itip.messages import ItipMessage
from webmail.mime.formats.calendars import event_edit
from webmail.mime.formats.recurrence import series as calendar_series
from webmail.mime.formats.recurrence.series import CannotChangeError, series_of

_LONGEST = 2_000  # characters of a comment
_OF_REFUSAL = ("UID", "RECURRENCE-ID", "ORGANIZER", "SEQUENCE", "DTSTAMP")  # RFC 5546, 3.2.8


def taken(there: str, incoming: IncomingItip) -> str:
    """My event at the time that a guest proposed; `distribution.distributed` then tells everybody. Raises CannotChangeError,
    BrokenTextError, ValueError."""
    old, sent = series_of(there), incoming.series()
    event = sent.master or sent.overrides[0]
    proposed = event_edit.read(event, sent.root)
    named = event_edit.stamp_of(event.first("RECURRENCE-ID"), sent.root)
    at = event_edit.clock_text(old.stamp(old.clock(named))) if named and old.recurs else ""
    if old.recurs and not at:
        raise CannotChangeError("rule")
    if at and not Instances(old).takes_place(old.named(at)):
        raise CannotChangeError("nothing")
    before = calendar_series.occurrence_fields(old, at)
    start = event_edit.stamp_of(event.first("DTSTART"), sent.root)
    assert start is not None  # or `read` raised
    if start.is_day or before.all_day or event_edit.zone_of(before.zone) is None:
        after = replace(before, start=proposed.start, end=proposed.end, zone=proposed.zone)
    else:
        begins = old.clock(start)
        after = calendar_series.placed(replace(before, end=before.start + proposed.length), begins)
    return calendar_series.change_one(there, at, before, after)


def declined(there: str, incoming: IncomingItip, moment: datetime, comment: str = "") -> tuple[ItipMessage, ...]:
    """What the guest is told: the time stays. Raises as `taken`."""
    guest = organiser.countered(there, incoming).guest
    series, proposal = series_of(there), incoming.series()
    event = (proposal.master or proposal.overrides[0]).copy()
    main = series.master or series.overrides[0]
    organizer = main.first("ORGANIZER")
    if guest is None or organizer is None:
        return ()
    event.put(organizer.copy())
    copy = messages.short_copy(event, [], moment)
    copy.items = [line for line in copy.lines() if line.name in _OF_REFUSAL]
    versions.set_sequence(copy, versions.sequence(main))
    sender = people.address_of(organizer)
    sent = messages.message("DECLINECOUNTER", sender, [guest.address], [copy], proposal.root, comment[:_LONGEST])
    return (replace(sent, title=" ".join(main.text("SUMMARY").split())),)
