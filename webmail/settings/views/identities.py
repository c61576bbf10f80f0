"""Identities pages: listing, editing and removing identities."""

from __future__ import annotations

from flask import abort, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.compose import identities, removed, signatures
from webmail.errors import LimitReachedError
from webmail.models import AuditAct, WritingIdentity
from webmail.people.display_names import NameRefusedError
from webmail.settings.blueprint import blueprint
from webmail.settings.identity_forms import FreeIdentityForm, IdentityForm
from webmail.settings.views.removals import told_removed
from webmail.web.audit import audited
from webmail.web.current import current_user, overview, settings
from webmail.web.labels import mailbox_label, name_objection
from webmail.web.notices import notify
from webmail.web.rendering import page


@blueprint.get("/settings/identities")
def list_identities() -> Response:
    user = current_user()
    mine = {identity.id for identity in identities.usable(user, settings())}
    return page(
        "settings/identities.html", identities=identities.for_user(user), usable=mine, addresses=identities.allowed(user),
        free=settings().any_sender,
    )  # fmt: skip


@blueprint.get("/settings/identities/new")
def new_identity() -> Response:
    user = current_user()
    return _identity_page(WritingIdentity(user=user, name=user.name, address=user.address))


@blueprint.post("/settings/identities/new")
def add_identity() -> Response:
    return _save_identity(WritingIdentity(user=current_user()), AuditAct.IDENTITY_ADDED)


@blueprint.get("/settings/identities/<int:number>")
def show_identity(number: int) -> Response:
    return _identity_page(_identity(number))


@blueprint.post("/settings/identities/<int:number>")
def change_identity(number: int) -> Response:
    return _save_identity(_identity(number), AuditAct.IDENTITY_CHANGED)


@blueprint.get("/settings/identities/<int:number>/remove")
def ask_identity(number: int) -> Response:
    identity = _stored_identity(number)
    return page(
        "settings/remove.html", title=_("Delete the identity “%(name)s”?", name=identity.label),
        words=_("Messages written with this identity are not affected."), back=url_for("settings.list_identities"),
    )  # fmt: skip


@blueprint.post("/settings/identities/<int:number>/remove")
def remove_identity(number: int) -> Response:
    identity = identities.named(identities.for_user(current_user()), number)
    if undo := removed.remove(current_user(), "identity", number):
        audited(AuditAct.IDENTITY_REMOVED, identity.address if identity else "")
        told_removed("identity", _("Identity deleted."), undo)
    return redirect(url_for("settings.list_identities"), 303)


def _identity(number: int) -> WritingIdentity:
    """The user's identity, or 404; 0 is the account itself, which gets a row once it is edited."""
    return identities.named(identities.for_user(current_user()), number) or abort(404)


def _stored_identity(number: int) -> WritingIdentity:
    return _identity(number) if number else abort(404)


def _form(identity: WritingIdentity) -> IdentityForm:
    form = (FreeIdentityForm if settings().any_sender else IdentityForm).showing(identity)
    user = current_user()
    form.offer(identities.allowed(user), signatures.of_user(user), _mailboxes(identity.sent_mailbox))
    return form


def _mailboxes(chosen: str) -> list[tuple[str, str]]:
    """The user's own folders that can hold messages, and the one chosen before even if the server is unreachable."""
    found = overview()
    names = [m.name for m in found.targets("") if not m.owner] if found else []
    names += [chosen] if chosen and chosen not in names else []
    return [(name, mailbox_label(name) if "/" not in name else name) for name in names]


def _identity_page(identity: WritingIdentity, form: IdentityForm | None = None, status: int = 200) -> Response:
    own = identity.id is not None and identities.is_account(identity, current_user())
    return page("settings/identities_edit.html", status, identity=identity, form=form or _form(identity), own=own)


def _save_identity(identity: WritingIdentity, act: AuditAct) -> Response:
    form, before = _form(identity), identity.address or None
    if not form.validate():
        return _identity_page(identity, form, 422)
    form.put_into(identity)
    try:
        identities.save(identity, settings())
    except NameRefusedError as error:
        form.name.errors = [name_objection(error.objection)]
        return _identity_page(identity, form, 422)
    except LimitReachedError:
        notify(_("You have reached the limit. Delete one first."), "danger")
        return _identity_page(identity, form, 422)
    if identity.id:  # no id if a double click created it already
        audited(act, identity.address, before=before if before != identity.address else None)
    notify(_("Identity saved."))
    return redirect(url_for("settings.list_identities"), 303)
