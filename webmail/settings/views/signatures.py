"""Signatures pages: listing, editing, previewing and removing signatures."""

from __future__ import annotations

from flask import abort, redirect, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from webmail.compose import identities, removed, signatures
from webmail.errors import LimitReachedError
from webmail.mime.html import markdown, markdown_images
from webmail.models import Signature
from webmail.settings.blueprint import blueprint
from webmail.settings.identity_forms import SignatureForm
from webmail.settings.views.removals import told_removed
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.rendering import page


@blueprint.get("/settings/signatures")
def list_signatures() -> Response:
    user = current_user()
    users: dict[int | None, list[str]] = {}
    for identity in identities.for_user(user):
        users.setdefault(identity.signature_id, []).append(identity.label)
    return page("settings/signatures.html", signatures=signatures.of_user(user), users=users)


@blueprint.get("/settings/signatures/new")
def new_signature() -> Response:
    user = current_user()
    return _signature_page(SignatureForm(data={"name": user.name or user.address}), None)


@blueprint.post("/settings/signatures/new")
def add_signature() -> Response:
    return _change(Signature(user=current_user()))


@blueprint.get("/settings/signatures/<int:number>")
def show_signature(number: int) -> Response:
    signature = _signature(number)
    return _signature_page(SignatureForm(obj=signature), signature)


@blueprint.post("/settings/signatures/<int:number>")
def change_signature(number: int) -> Response:
    return _change(_signature(number))


@blueprint.get("/settings/signatures/<int:number>/remove")
def ask_signature(number: int) -> Response:
    signature = _signature(number)
    return page(
        "settings/remove.html", title=_("Delete the signature “%(name)s”?", name=signature.name),
        words=_("Messages that contain it are not affected. Identities that use it will have no signature."),
        back=url_for("settings.list_signatures"),
    )  # fmt: skip


@blueprint.post("/settings/signatures/<int:number>/remove")
def remove_signature(number: int) -> Response:
    if undo := removed.remove(current_user(), "signature", number):
        told_removed("signature", _("Signature deleted."), undo)
    return redirect(url_for("settings.list_signatures"), 303)


@blueprint.app_template_global()
def signature_html(signature: Signature, text: str | None = None) -> Markup:
    """A formatted signature (with this text in place of its own) as its readers see it, but for the styles."""
    name = signature.picture_name
    pictures = {markdown_images.key(name): url_for("compose.signature_picture", number=signature.id)} if name else {}
    return Markup(markdown.on_page(signatures.tidy(signature.text if text is None else text), pictures))  # noqa: S704 - it was cleaned


def _signature(number: int) -> Signature:
    return next((one for one in signatures.of_user(current_user()) if one.id == number), None) or abort(404)


def _signature_page(form: SignatureForm, signature: Signature | None, status: int = 200, *, preview: bool = False) -> Response:
    shown = signature_html(signature or Signature(), form.text.data) if preview and form.text.data else None
    return page("settings/signatures_edit.html", status, form=form, signature=signature, preview=shown)


def _change(signature: Signature) -> Response:
    """Save a signature, or show what it will look like. A picture is put into it by saving it, and its page comes again."""
    form, existing, action = SignatureForm(), signature if signature.id else None, request.form.get("action", "save")
    if action == "preview" and not form.picture.data:
        return _signature_page(form, existing, preview=True)
    if not form.validate() or not form.put_into(signature):
        return _signature_page(form, existing, 422)
    return _save(signature, form, existing, stays=action in ("preview", "picture"))


def _save(signature: Signature, form: SignatureForm, existing: Signature | None, *, stays: bool) -> Response:
    """The user's first signature is assigned to the default identity, since unassigned it has no effect."""
    first = not signatures.of_user(current_user())
    try:
        signatures.save(signature)
    except LimitReachedError:
        notify(_("You have reached the limit. Delete one first."), "danger")
        return _signature_page(form, existing, 422)
    notify(_("Signature saved."))
    if first and signature.id:  # no id if a double click created it already
        identities.set_default_signature(signature, settings())
    if stays and signature.id:
        return redirect(url_for("settings.show_signature", number=signature.id), 303)
    return redirect(url_for("settings.list_signatures"), 303)
