"""Mail about mailboxes that are handed over: both people are told by name who asked, who agreed, and what it gives; each in their
own language. Sent by the worker, or at the end of a page."""

from __future__ import annotations

import logging

from flask_babel import gettext as _

from webmail import system_mail
from webmail.config.settings import Settings
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.handover.handover_texts import terms_of
from webmail.models import HandoverState, MailboxHandover, SystemMessage, User
from webmail.web.formatting import written_in
from webmail.web.public_links import public_link

log = logging.getLogger(__name__)

KIND = "handover"


def tell(handover: MailboxHandover, settings: Settings) -> list[int]:
    """Tell both what became of it; returns the messages by `id`. What was only asked for, the owner alone is told."""
    asked = handover.state in (HandoverState.ASKED, HandoverState.REFUSED)
    people = [handover.owner] if asked else [handover.owner, handover.person]
    found = [_to(one, handover, settings) for one in people if one.active or one.recovery_address]
    return [one.id for one in found if one is not None]


def _to(reader: User, handover: MailboxHandover, settings: Settings) -> SystemMessage | None:
    language = system_mail.in_language_of(reader, settings)
    with written_in(language):
        subject, first = _opening(reader, handover)
        facts = "\n".join(f"{label}: {value}" for label, value in terms_of(handover))
        wrong = _("If this is not right, you can end it on this page:")
        parts = [first, facts, wrong, public_link("handover.show")]
        body = "\n\n".join(parts) + "\n"
    try:
        return system_mail.send(_address(reader), KIND, subject, body, language, f"{handover.id} {handover.state} {reader.id}")
    except (BadAddressError, UnsafeValueError, ValueError) as error:
        log.warning("%s is not told of handover %d: %s", reader.address, handover.id, error)
        return None


def _address(reader: User) -> str:
    """Of who can no longer read mail here, where they can be reached."""
    return reader.address if reader.active else reader.recovery_address


def _opening(reader: User, handover: MailboxHandover) -> tuple[str, str]:
    owner, person = _named(handover.owner), _named(handover.person)
    own = reader.id == handover.owner_id
    match handover.state:
        case HandoverState.ASKED:
            subject = _("May %(person)s look after your mail?", person=person)
            return subject, _(
                "%(who)s asks that %(person)s looks after your mail. You decide.", who=handover.asked_by, person=person
            )
        case HandoverState.REFUSED:
            return _("%(person)s does not get your mail", person=person), _("The request was declined. Nothing has changed.")
        case HandoverState.ENDED:
            if own:
                subject = _("%(person)s no longer looks after your mail", person=person)
                return subject, _("%(person)s can no longer see your mailbox.", person=person)
            subject = _("You no longer look after the mail of %(owner)s", owner=owner)
            return subject, _("You can no longer see the mailbox of %(owner)s.", owner=owner)
        case _:
            if own:
                return _("%(person)s looks after your mail", person=person), _("This is what was agreed:")
            return _("You look after the mail of %(owner)s", owner=owner), _("This is what was agreed:")


def _named(user: User) -> str:
    return user.name or user.address
