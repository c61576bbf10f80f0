"""Rooms and things that people can book: what there is, who may, and who has to agree."""

from __future__ import annotations

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin.blueprint import blueprint
from webmail.admin.forms import RoomForm
from webmail.admin.views.access import whole_installation
from webmail.calendar.rooms import resources
from webmail.calendar.rooms.resources import AddressTakenError, RoomNameTakenError, UnusableRoomError
from webmail.models import AuditAct, Resource
from webmail.people import groups
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.rendering import page


@blueprint.get("/rooms")
def rooms() -> Response:
    whole_installation()
    return page("admin/rooms.html", rooms=resources.listed())


@blueprint.get("/rooms/new")
def new_room() -> Response:
    whole_installation()
    return _form_page(RoomForm())


@blueprint.post("/rooms/new")
def add_room() -> AnyResponse:
    whole_installation()
    return _save(RoomForm.sent(request.form), None)


@blueprint.get("/rooms/<int:number>")
def edit_room(number: int) -> Response:
    whole_installation()
    resource = _found(number)
    return _form_page(RoomForm.showing(resource), resource)


@blueprint.post("/rooms/<int:number>")
def change_room(number: int) -> AnyResponse:
    whole_installation()
    return _save(RoomForm.sent(request.form), _found(number))


@blueprint.post("/rooms/<int:number>/delete")
def delete_room(number: int) -> AnyResponse:
    """With its bookings: `sure` has to be ticked."""
    whole_installation()
    resource = _found(number)
    if not request.form.get("sure"):
        notify(_("Nothing was deleted: tick the box first."), "caution")
        return redirect(url_for("admin.edit_room", number=number), 303)
    resources.delete(resource)
    audited(AuditAct.ROOM_CHANGED, resource.address, change="deleted")
    notify(_("“%(name)s” was deleted, with its bookings.", name=resource.name))
    return redirect(url_for("admin.rooms"), 303)


def _found(number: int) -> Resource:
    resource = resources.find(number)
    if resource is None:
        abort(404)
    return resource


def _domain() -> str:
    return settings().domain.lower() or current_user().address.rpartition("@")[2]


def _save(form: RoomForm, existing: Resource | None) -> AnyResponse:
    described = form.described(groups.names(_domain()))
    if described is None:
        return _form_page(form, existing, 422)
    try:
        saved = resources.save(described, _domain(), existing)
    except AddressTakenError:
        form.errors["address"] = _("This address is in use: it belongs to an account or to another room.")
        return _form_page(form, existing, 422)
    except RoomNameTakenError:
        form.errors["name"] = _("Another one of this name is at this site. Give it another name, or a site.")
        return _form_page(form, existing, 422)
    except UnusableRoomError:
        form.errors["address"] = _("Enter an address such as room-101@school.example.")
        return _form_page(form, existing, 422)
    audited(AuditAct.ROOM_CHANGED, saved.address, change="changed" if existing else "made")
    notify(_("“%(name)s” was saved.", name=saved.name))
    return redirect(url_for("admin.rooms"), 303)


def _form_page(form: RoomForm, existing: Resource | None = None, status: int = 200) -> Response:
    return page("admin/room.html", status, form=form, room=existing, groups=groups.names(_domain()), domain=_domain())
