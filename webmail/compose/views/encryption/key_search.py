"""Key search: where the person says so, looks for recipients' keys on the cards of their own book, in the establishment's
directory, and at the recipients' organisations."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail import rate_limits
from webmail.admission import AdmissionRefusedError
from webmail.compose.forms import ComposeForm
from webmail.compose.views.encryption.protecting import protection_row
from webmail.contacts import card_keys
from webmail.errors import MailError
from webmail.keys import key_making, ldap_lookup, wkd_lookup
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.responses.outside import ASKING_OUTSIDE

MOST = 3  # addresses that are asked about at once: each may take seconds


def find_keys(form: ComposeForm) -> None:
    """Look for the keys of those recipients for whom the message can't be encrypted."""
    row = protection_row(form)
    missing = [one.address for one, _why in row.missing] if row is not None else []
    near = found_near(missing)
    found = len(near) + sum(_found_for(address) for address in [one for one in missing if one not in near][:MOST])
    if found:
        notify(ngettext("Found %(num)d key.", "Found %(num)d keys.", found))
    else:
        notify(_("No more keys were found. Ask the recipients for theirs."), "caution")


def found_near(addresses: list[str]) -> set[str]:
    """For whom there is a key on a card of the person's own book, or in the establishment's directory."""
    user = current_user()
    found = card_keys.take_for(user, addresses[: ldap_lookup.MOST])
    return found | ldap_lookup.note_certificates(user, [one for one in addresses if one not in found], settings())


def _found_for(address: str) -> int:
    """How many keys its domain publishes for an address; what can't be asked has none."""
    try:
        rate_limits.take(settings(), wkd_lookup.LOOKED.by(current_user().id))
        with ASKING_OUTSIDE.admit():
            found = wkd_lookup.look_up(address)
    except (AdmissionRefusedError, MailError):
        return 0
    return sum(bool(key_making.note_found(current_user(), raw, facts, address)) for raw, facts in found)
