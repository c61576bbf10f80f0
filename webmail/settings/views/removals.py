"""Undo of a removal: puts an identity, a signature or a template back; and the notice that offers it."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.compose import removed
from webmail.errors import LimitReachedError, MailError
from webmail.models import AuditAct
from webmail.people.display_names import NameRefusedError
from webmail.settings.blueprint import blueprint
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.notices import notify, withdraw_notices

_LISTS = {"identity": "settings.list_identities", "signature": "settings.list_signatures", "template": "settings.list_templates"}


@blueprint.post("/settings/put-back")
def put_back() -> Response:
    kind = request.form.get("kind", "")
    back = url_for(_LISTS.get(kind, "settings.show"))
    withdraw_notices()
    try:
        kind, address = removed.put_back(current_user(), request.form.get("undo", ""), settings())
    except removed.CannotPutBackError:
        notify(_("This can no longer be undone."), "caution")
    except LimitReachedError:
        notify(_("You have reached the limit. Delete one first."), "danger")
    except (MailError, NameRefusedError):
        notify(_("You can no longer send with this name or address, so the identity was not restored."), "caution")
    else:
        if kind == "identity":
            audited(AuditAct.IDENTITY_ADDED, address)
        notify({"identity": _("Identity restored."), "signature": _("Signature restored.")}.get(kind, _("Template restored.")))
    return redirect(back, 303)


def told_removed(kind: str, text: str, undo: str) -> None:
    """The notice after a removal, with its undo."""
    notify(text, undo=(url_for("settings.put_back"), {"undo": undo, "kind": kind}))
