"""Words about subscribed calendars and files: what went wrong, and what is not shown as it was meant."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail.calendar.blueprint import blueprint
from webmail.calendar.subscribed_fetch import SubscriptionFault, SubscriptionTrouble
from webmail.mime.formats.calendar_files import FileRemarkKind


@blueprint.app_template_global()
def subscription_trouble_words(kind: str, host: str, target: str = "") -> str:
    """Why a calendar that was there is not fetched. `kind`: a SubscriptionFault; `target`: the host that it sent us on to."""
    match kind:
        case SubscriptionFault.GONE:
            return _("This calendar no longer exists on %(host)s. Its last events stay here until you unsubscribe.", host=host)
        case SubscriptionFault.REFUSED:
            return _("%(host)s no longer lets us read this calendar. Get a new address there, and subscribe to it.", host=host)
        case SubscriptionFault.BUSY:
            return _("%(host)s asks us to wait. We will try again later.", host=host)
        case SubscriptionFault.BROKEN:
            return _("%(host)s could not answer because of a fault there. We will try again later.", host=host)
        case SubscriptionFault.NOT_CALENDAR:
            return _("What %(host)s sent is not a calendar. We will try again later.", host=host)
        case SubscriptionFault.CUT:
            return _("%(host)s sent only part of the calendar. We will try again later.", host=host)
        case SubscriptionFault.TOO_LARGE | SubscriptionFault.TOO_MANY:
            return _("This calendar is too large: at most 10 MB and 10,000 events.")
        case SubscriptionFault.FULL:
            return _("You have no space left for this calendar. Delete something first.")
        case SubscriptionFault.FORBIDDEN_PLACE if target:
            return _(
                "%(host)s sends us on to %(target)s, which is not on the internet. Only your administrator can allow it; then "
                "subscribe to the address there.",
                host=host, target=target,
            )  # fmt: skip
        case SubscriptionFault.FORBIDDEN_PLACE:
            return _("%(host)s is not on the internet. Only your administrator can allow it.", host=host)
        case SubscriptionFault.OURS:
            return _("Something went wrong here. We will try again later. Tell your administrator if this continues.")
    return _("%(host)s is not responding. We will try again later.", host=host)


def subscribing_words(trouble: SubscriptionTrouble, host: str) -> str:
    """Why there is nothing to subscribe to at an address."""
    match trouble.kind:
        case SubscriptionFault.GONE:
            return _("There is nothing at this address. Copy it again from %(host)s.", host=host)
        case SubscriptionFault.REFUSED:
            return _(
                "%(host)s lets nobody read this without signing in. Look there for a secret or public address in iCal format.",
                host=host,
            )
        case SubscriptionFault.NOT_CALENDAR:
            return _(
                "There is no calendar at this address. Look on %(host)s for an address in iCal format; it often ends in .ics.",
                host=host,
            )
        case SubscriptionFault.BUSY:
            return _("%(host)s asks us to wait. Try again later.", host=host)
        case SubscriptionFault.BROKEN | SubscriptionFault.CUT:
            return _("%(host)s could not answer because of a fault there. Try again later.", host=host)
        case SubscriptionFault.AWAY:
            return _("%(host)s is not responding. Check the address, or try again later.", host=host)
    return subscription_trouble_words(trouble.kind, host, trouble.target)


@blueprint.app_template_global()
def calendar_note_words(kind: str) -> str:
    """What is different with an event or a line of a file. `kind`: a FileRemarkKind."""
    match kind:
        case FileRemarkKind.ONCE:
            return _("repeats by a rule that is kept but cannot be followed, so it is shown once")
        case FileRemarkKind.UNREADABLE:
            return _("its date or time cannot be understood")
        case FileRemarkKind.LARGE:
            return _("too large: at most 1 MB")
        case FileRemarkKind.OTHER_PART:
            return _("not an event, a task or a note, so it is left out")
        case FileRemarkKind.TWICE:
            return _("has the same identifier as another event, so it gets a new one")
        case FileRemarkKind.ENDLESS:
            return _("the file ends here in the middle of an event, which is left out")
        case FileRemarkKind.ANSWER:
            return _("an answer or a cancellation, not an event to add")
        case FileRemarkKind.MENDED:
            return _("a broken line, taken as part of the one before it")
        case FileRemarkKind.TOO_MANY:
            return _("the file has more events than fit in one calendar: the rest is left out")
    return ""
