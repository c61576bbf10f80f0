"""Keys of a contact: those on the card are taken into the list of keys that messages are encrypted by."""

from __future__ import annotations

from flask import redirect, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from webmail.contacts import card_keys, store
from webmail.contacts.blueprint import blueprint
from webmail.contacts.views.shared import mine
from webmail.web.current import current_user, settings
from webmail.web.notices import notify


@blueprint.post("/contacts/<uid>/keys")
def take_keys(uid: str) -> Response:
    """Use the keys on the card when writing to its addresses."""
    if not settings().encryption:
        raise NotFound
    row = mine(uid)
    count = card_keys.take(current_user(), row, [point.value for point in store.details(row).emails])
    if count:
        notify(
            ngettext("The key is in your list: messages can be encrypted for it.", "%(num)d keys are in your list.", count),
            "done",
        )
    else:
        notify(_("None of these keys names an address of this contact, so none can be used."), "caution")
    return redirect(url_for("contacts.one", uid=uid), 303)
