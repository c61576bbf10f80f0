"""Undo of an absence or a forwarding: this part of the script is put back as it was, unless it was changed since.

Filters and blocked senders, which are in the same script, stay as they are now.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.database import undo_store
from webmail.errors import MailError
from webmail.filters.forwarding.forward_targets import TargetRefusedError
from webmail.filters.rules.rules import BadRuleError
from webmail.filters.store import FiltersChangedError
from webmail.filters.views.frame import trouble_words
from webmail.models import Undo
from webmail.web.current import current_user
from webmail.web.forms.request_values import local_path
from webmail.web.notices import notify, undone, withdraw_notices


def undo_offer(endpoint: str, before: str, version: str, back: str = "") -> tuple[str, dict[str, str]]:
    """For `notify`. `before`: what there was, as JSON; `version`: of what there is now. `back`: where undo leads to."""
    name = undo_store.keep(current_user(), json.dumps({endpoint: before, "version": version}))
    return url_for(endpoint), {"undo": name, "back": back}


def stored_undo(endpoint: str) -> tuple[Undo | None, str]:
    """What this request is to undo: its row, and what there was before, as JSON."""
    row = undo_store.load(current_user(), request.form.get("undo", ""), f'{{"{endpoint}": ')
    return row, str(json.loads(row.steps)[endpoint]) if row else ""


def take_back(row: Undo | None, put_back: Callable[[str], object], changed: str, to: str) -> Response:
    """Call `put_back` with the version that must still be there; `changed` is said where it is not. `to`: the page's endpoint.

    What the mail server prevents can be tried again.
    """
    back = redirect(local_path(request.form.get("back", "")) or url_for(to), 303)
    if row is None:
        undone(_("There was nothing to undo."))
        return back
    try:
        put_back(json.loads(row.steps)["version"])
    except FiltersChangedError:
        notify(changed, "caution")
    except (BadRuleError, TargetRefusedError):
        notify(_("This can no longer be undone."), "caution")
    except MailError as error:
        notify(trouble_words(error), "danger")
        return back
    else:
        notify(_("Undone."))
    undo_store.forget(row)
    withdraw_notices()
    return back
