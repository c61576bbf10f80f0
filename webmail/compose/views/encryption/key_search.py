"""Key search: asks the organisations of recipients for their keys, where the person says so, and notes what they publish."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail import rate_limits
from webmail.admission import AdmissionRefusedError
from webmail.compose.forms import ComposeForm
from webmail.compose.views.encryption.protecting import protection_row
from webmail.errors import MailError
from webmail.keys import key_making, wkd_lookup
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.responses.outside import ASKING_OUTSIDE

MOST = 3  # addresses that are asked about at once: each may take seconds


def find_keys(form: ComposeForm) -> None:
    """Look for the keys of those recipients for whom the message can't be encrypted."""
    row = protection_row(form)
    missing = [one.address for one, _why in row.missing][:MOST] if row is not None else []
    found = sum(_found_for(address) for address in missing)
    if found:
        notify(ngettext("Found %(num)d key.", "Found %(num)d keys.", found))
    else:
        notify(_("No more keys were found. Ask the recipients for theirs."), "caution")


def _found_for(address: str) -> int:
    """How many keys its domain publishes for an address; what can't be asked has none."""
    try:
        rate_limits.take(settings(), wkd_lookup.LOOKED.by(current_user().id))
        with ASKING_OUTSIDE.admit():
            found = wkd_lookup.look_up(address)
    except (AdmissionRefusedError, MailError):
        return 0
    return sum(bool(key_making.note_found(current_user(), raw, facts, address)) for raw, facts in found)
