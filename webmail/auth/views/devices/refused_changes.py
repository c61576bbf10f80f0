"""What telephones and programs were refused, on the page Devices: in words, with what to do; a banner until it was opened."""

from __future__ import annotations

from dataclasses import dataclass

from flask import redirect, request, session, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail.auth.blueprint import blueprint
from webmail.auth.devices import refused_changes
from webmail.auth.devices.refused_changes import RefusalReason
from webmail.models import RefusedChange
from webmail.web.current import current_user, settings
from webmail.web.formatting import file_size, short_date
from webmail.web.frame.banners import add_banner
from webmail.web.frame.page_rows import add_rows, forget_rows, page_rows
from webmail.web.notices import notify

_BOOK = "addressbook"

add_rows(
    "refused", RefusedChange, (RefusedChange.id,), lambda slot: (RefusedChange.user == slot("user")) & (RefusedChange.seen == 0)
)


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """`where`: the calendar or book; `why`: with what to do next; `when`: how often, the last time, by which device."""

    id: int
    title: str
    where: str
    why: str
    when: str


def refused_rows() -> list[RefusedRow]:
    """The current user's, who has seen them by that. 1 query, 2 where some are new."""
    user = current_user()
    found = refused_changes.for_user(user)
    if refused_changes.mark_seen(user, found):
        forget_rows()
    return [RefusedRow(one.id, _title(one), _where(one), why_words(one.reason, one.kind), _when(one)) for one in found]


@add_banner("auth/_refused_banner.html", "refused-banner")
@blueprint.app_template_global()
def refused_unseen() -> int:
    """How many the person does not know of. No query of its own."""
    return len(page_rows("refused")) if getattr(session, "user", None) else 0


@blueprint.post("/devices/refused")
def dismiss_refused() -> Response:
    """Forget one of them, or all."""
    given = request.form.get("refused", "")
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 0
    if given == "all" or number:
        refused_changes.dismiss(current_user(), None if given == "all" else number)
        notify(_("Done. If the device tries again, it is shown here again."), "done")
    return redirect(url_for("auth.show_devices"), 303)


def _title(change: RefusedChange) -> str:
    return change.title or change.place.rpartition("/")[2]


def _where(change: RefusedChange) -> str:
    if not change.kind:
        return ""
    if change.kind == _BOOK:
        return _("Address book “%(name)s”", name=change.collection) if change.collection else _("Address book without a name")
    return _("Calendar “%(name)s”", name=change.collection) if change.collection else _("Calendar without a name")


def _when(change: RefusedChange) -> str:
    times = ngettext("Refused once", "Refused %(num)d times", change.count)
    last = _("last time: %(when)s", when=short_date(change.last))
    return " · ".join([times, last, *([_("from “%(name)s”", name=change.device)] if change.device else [])])


def why_words(reason: str, kind: str) -> str:
    """Why, and what to do next."""
    is_card = kind == _BOOK
    limit = file_size((settings().card_limit_kb if is_card else settings().item_limit_kb) * 1024)
    match reason:
        case RefusalReason.LARGE:
            return _("It is larger than %(limit)s. Remove its picture or its attachments on the device.", limit=limit)
        case RefusalReason.FULL:
            return _("There is no more room for it. Delete what you no longer need, then synchronise the device again.")
        case RefusalReason.READ_ONLY:
            return _("You can’t change this here. Ask its owner for permission, or save a copy where you can write.")
        case RefusalReason.NO_COLLECTION:
            return _("The calendar or address book is no longer here. Choose another one on the device.")
        case RefusalReason.NAME_TAKEN:
            return _("There is already one at this address. Give the new one another name on the device.")
        case RefusalReason.UID_TAKEN if is_card:
            return _("This contact is already in the address book. Delete one of the two on the device.")
        case RefusalReason.UID_TAKEN:
            return _("This event is already in the calendar. Delete one of the two on the device.")
        case RefusalReason.COMPONENT:
            return _("This calendar does not accept this kind of entry, such as tasks. Choose another one on the device.")
        case RefusalReason.OLD_CARD:
            return _("It is in an old format (vCard 2.1). Save it as a file on the device and import the file in Contacts.")
        case RefusalReason.RULE:
            return _("The way it repeats is not supported. Choose a simpler one on the device, or enter the event in Calendar.")
        case RefusalReason.DATES:
            return _("Its start or due date is missing or before 1900. Correct it on the device.")
        case RefusalReason.TOO_MANY:
            return _("It has too many dates or details. Divide it into several on the device.")
        case RefusalReason.MEETING:
            return _("Someone else organises this meeting, or it has another organiser now. Only the organiser can change it.")
        case RefusalReason.GUESTS:
            return _("It invites too many people. Divide it into several events on the device.")
        case RefusalReason.RECIPIENTS:
            return _("You have written to as many people as you may for now, so its guests weren’t told. Try again later.")
        case RefusalReason.CHARACTERS if is_card:
            return _(
                "It contains characters that can’t be stored. Save it as a file on the device and import the file in Contacts."
            )
        case RefusalReason.CHARACTERS:
            return _(
                "It contains characters that can’t be stored. Save it as a file on the device and import the file in Calendar."
            )
        case _ if is_card:
            return _(
                "The device wrote it in a way that can’t be read here. Save it as a file on the device and import "
                "the file in Contacts."
            )
        case _ if kind:
            return _(
                "The device wrote it in a way that can’t be read here. Save it as a file on the device and import "
                "the file in Calendar."
            )
        case _:
            return _("The request from the device could not be read. Create it here instead.")
