"""Texts about subscribed calendars and files: what went wrong, and what is not shown as it was meant."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail.calendar.blueprint import blueprint
from webmail.collections.following.faults import FollowFault, FollowTroubleError
from webmail.mime.formats.calendars.calendar_files import FileRemarkKind
from webmail.web.texts.following_texts import not_found_words, not_now_words


@blueprint.app_template_global()
def subscription_trouble_words(kind: str, host: str, target: str = "") -> str:
    """Why a calendar that was there is not fetched. `kind`: a FollowFault; `target`: the host that it sent us on to."""
    match kind:
        case FollowFault.GONE:
            return _("This calendar no longer exists on %(host)s. Its last events stay here until you unsubscribe.", host=host)
        case FollowFault.REFUSED:
            return _("%(host)s no longer lets us read this calendar. Get a new address there, and subscribe to it.", host=host)
        case FollowFault.NOT_CALENDAR:
            return _("What %(host)s sent is not a calendar. We will try again later.", host=host)
        case FollowFault.CUT:
            return _("%(host)s sent only part of the calendar. We will try again later.", host=host)
        case FollowFault.TOO_LARGE | FollowFault.TOO_MANY:
            return _("This calendar is too large: at most 10 MB and 10,000 events.")
        case FollowFault.FULL:
            return _("You have no space left for this calendar. Delete something first.")
        case FollowFault.FORBIDDEN_PLACE if target:
            return _(
                "%(host)s redirects to %(target)s, which is not on the internet. Only your administrator can allow "
"it; then subscribe to that address.",
                host=host, target=target,
            )  # fmt: skip
    return not_now_words(kind, host)


def subscribing_words(trouble: FollowTroubleError, host: str) -> str:
    """Why there is nothing to subscribe to at an address."""
    match trouble.kind:
        case FollowFault.GONE:
            return _("There is nothing at this address. Copy it again from %(host)s.", host=host)
        case FollowFault.REFUSED:
            return _(
                "This can’t be read on %(host)s without signing in. Look there for a secret or public address in iCal format.",
                host=host,
            )
        case FollowFault.NOT_CALENDAR:
            return _(
                "There is no calendar at this address. Look on %(host)s for an address in iCal format; it often ends in .ics.",
                host=host,
            )
    return not_found_words(trouble.kind, host) or subscription_trouble_words(trouble.kind, host, trouble.target)


@blueprint.app_template_global()
def calendar_note_words(kind: str) -> str:
    """What is different with an event or a line of a file. `kind`: a FileRemarkKind."""
    match kind:
        case FileRemarkKind.ONCE:
            return _("repeats by a rule that is kept but can’t be applied, so it is shown once")
        case FileRemarkKind.UNREADABLE:
            return _("its date or time can’t be understood")
        case FileRemarkKind.LARGE:
            return _("too large: at most 1 MB")
        case FileRemarkKind.OTHER_PART:
            return _("not an event, task or note, so it is left out")
        case FileRemarkKind.TWICE:
            return _("has the same identifier as another event, so it gets a new one")
        case FileRemarkKind.ENDLESS:
            return _("the file ends here in the middle of an event, which is left out")
        case FileRemarkKind.ANSWER:
            return _("an answer or a cancellation, not an event to add")
        case FileRemarkKind.MENDED:
            return _("a broken line, joined to the one before it")
        case FileRemarkKind.BOOKED:
            return _("somebody has booked this appointment, so it stays when it is")
        case FileRemarkKind.TOO_MANY:
            return _("the file has more events than fit in one calendar: the rest is left out")
    return ""
