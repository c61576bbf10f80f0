"""The fields of an event's form that say who is invited."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail.calendar.forms import EventForm
from webmail.calendar.guests import guest_list
from webmail.calendar.guests.guest_list import TypedGuest
from webmail.errors import BadAddressError
from webmail.mime.headers.address_input import address_key
from webmail.web.current import current_user, settings


def read_guests(form: EventForm) -> list[TypedGuest] | None:
    """Whom the form invites; its groups and names become addresses. None with `errors` where it isn't clear."""
    lists = guest_list.completed(current_user(), {name: getattr(form, name) for name in guest_list.FIELDS}, settings())
    form.invite, form.optional = lists["invite"], lists["optional"]
    own = {address_key(current_user().address)}
    try:
        return guest_list.guests_in(form.invite, form.optional, besides=own)
    except BadAddressError as error:
        bad = "invite" if str(error) in form.invite else "optional"
        form.errors[bad] = _("“%(text)s” is not an email address.", text=str(error))
    except guest_list.TooManyGuestsError:
        form.errors["invite"] = _("Invite at most %(count)d people.", count=guest_list.MOST_GUESTS)
    return None
