"""Signatures: the choice in the form which of the user's signatures a message has, if any, and their pictures."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, abort, request, url_for
from flask_babel import gettext as _

from webmail.compose import identities, signatures
from webmail.compose.blueprint import blueprint
from webmail.compose.drafts.fields import normalised
from webmail.compose.forms import ComposeForm
from webmail.mime.html import markdown_images as marks
from webmail.models import Signature
from webmail.web.current import current_user, settings
from webmail.web.frame.page_rows import add_rows, page_rows
from webmail.web.notices import notify
from webmail.web.responses import downloads


@dataclass(frozen=True, slots=True)
class SignatureChoices:
    """The user's signatures, and the id of the one in the text: 0 if there is none, None if it was edited."""

    own: list[Signature]
    present: int | None

    def forms(self, signature: Signature) -> tuple[str, str] | None:
        """The Markdown and the plain text of the one in the text if it is formatted: the script takes what fits the format."""
        if signature.id != self.present or not signatures.is_formatted(signature):
            return None
        return str(signature.text), signatures.plain(str(signature.text))


add_rows(
    "signatures", Signature, (Signature.id, Signature.name, Signature.text, Signature.format, Signature.picture_name),
    lambda slot: Signature.user == slot("user"), group="writing",
)  # fmt: skip


def _own() -> list[Signature]:
    rows = sorted(page_rows("signatures"), key=lambda row: (row.text, row.number))
    return [Signature(id=row.number, name=row.text, text=row.text2, format=row.text3, picture_name=row.text4) for row in rows]


@blueprint.app_template_global()
def signature_choices(body: str | None) -> SignatureChoices:
    """What the form offers for this text."""
    own = _own()
    return SignatureChoices(own, identities.signature_in((body or "").replace("\r\n", "\n"), own))


def sign(form: ComposeForm) -> None:
    """Put the signature chosen in the form (`signature`: its id, 0 for none) in place of the one in the text, or say why not."""
    wanted, own = request.form.get("signature", "", str), signatures.of_user(current_user())
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


@blueprint.get("/compose/signature/<int:number>/picture")
def signature_picture(number: int) -> Response:
    """Serve the picture of one of the user's signatures, its type determined by content. The CSP forbids scripts."""
    found = signatures.picture(current_user(), number) or abort(404)
    response = Response(found.data, mimetype=found.type)
    response.headers["Content-Disposition"] = downloads.disposition(found.name, "inline")
    response.headers["Content-Security-Policy"] = downloads.POLICY
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


@blueprint.app_template_global()
def signature_picture_address(number: int | None) -> str | None:
    return url_for("compose.signature_picture", number=number) if number else None


@blueprint.app_template_global()
def signature_mark(signature: Signature) -> str:
    """How a text refers to the picture of a signature, for the editor to find it by; "" if there is none."""
    return marks.mark("", signature.picture_name) if signature.picture_name else ""
