"""Signatures: the choice in the form which of the user's signatures a message has, if any."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request
from flask_babel import gettext as _

from webmail.compose import identities
from webmail.compose.blueprint import blueprint
from webmail.compose.drafts.fields import normalised
from webmail.compose.forms import ComposeForm
from webmail.models import Signature
from webmail.web.current import current_user, settings
from webmail.web.notices import notify


@dataclass(frozen=True, slots=True)
class SignatureChoices:
    """The user's signatures, and the id of the one in the text: 0 if there is none, None if it was edited."""

    own: list[Signature]
    present: int | None


@blueprint.app_template_global()
def signature_choices(body: str | None) -> SignatureChoices:
    """What the form offers for this text. 1 query."""
    own = identities.signatures(current_user())
    return SignatureChoices(own, identities.signature_in((body or "").replace("\r\n", "\n"), own))


def sign(form: ComposeForm) -> None:
    """Put the signature chosen in the form (`signature`: its id, 0 for none) in place of the one in the text, or say why not."""
    wanted, own = request.form.get("signature", "", str), identities.signatures(current_user())
    signature = next((one for one in own if str(one.id) == wanted), None)
    if signature is None and wanted != "0":
        return
    found = identities.usable(current_user(), settings())
    try:
        fields = identities.signed_with(normalised(form.fields()), signature, identities.chosen(found, form.identity.data))
    except identities.SignatureEditedError:
        notify(_("You edited the signature in the text, so it was kept. Delete it there to use another."), "caution")
    else:
        form.take(fields)
