"""Contact groups: creating and editing groups of contacts, used as recipients by name."""

from __future__ import annotations

from collections.abc import Collection as Some

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail.auth.guard import keeps_text
from webmail.contacts import store
from webmail.contacts.blueprint import blueprint
from webmail.contacts.book_access import BookReadOnlyError
from webmail.contacts.forms import GroupForm
from webmail.contacts.undo import CardVersion
from webmail.contacts.views import sources
from webmail.contacts.views.shared import changed_elsewhere, kept_fields, saved_before, say_refused, undo_of
from webmail.errors import LimitReachedError
from webmail.mail import Address
from webmail.mime.formats.cards.vcard_edit import ContactDetails
from webmail.mime.headers.address_input import address_key
from webmail.mime.headers.address_text import address_text
from webmail.models import Collection, Contact
from webmail.web.current import current_user
from webmail.web.notices import notify
from webmail.web.rendering import page


@blueprint.get("/contacts/groups/new")
def new_group() -> Response:
    if kept := kept_fields():
        return _form_page(GroupForm(formdata=kept))
    return _form_page(GroupForm(formdata=None, uid=store.new_uid()))


@blueprint.post("/contacts/groups/new")
@keeps_text
def add_group() -> Answer:
    form = GroupForm()
    if not form.check():
        return _form_page(form, status=422)
    try:
        book = sources.chosen_book()
        members = _members(form, book)
        new = ContactDetails(name=form.name.data or "", group=True, members=members, uid=form.uid.data or "")
        row = store.add(current_user(), new, book=book)
    except store.AlreadyThereError as error:
        saved_before(form, error)
        return _form_page(form, error.row, 409)
    except (LimitReachedError, store.CardTooLargeError, BookReadOnlyError) as error:
        _refuse(form, error)
        return _form_page(form, status=422)
    notify(_("Group saved."))
    return redirect(url_for("contacts.one", uid=row.uid), 303)


def group_form(row: Contact) -> Response:
    if kept := kept_fields():
        return _form_page(GroupForm(formdata=kept), row)
    people, addresses = store.members(current_user(), store.details(row), row.user)
    entries = [Address(one.name, one.email) for one in people if one.email] + [Address("", each) for each in addresses]
    text = "\n".join(address_text([entry]) for entry in entries)
    inside = {one.uid for one in people if one.kind == store.GROUP}
    return _form_page(GroupForm(formdata=None, name=row.name, people=text, revision=row.revision), row, inside=inside)


def change_group(row: Contact) -> Answer:
    """Save a group. Members without an address that are no listed groups do not appear in the form, so they are kept, and so are
    those of a shared group whom one may not see."""
    form = GroupForm()
    if not form.check():
        return _form_page(form, row, 422)
    known = store.details(row)
    people, _addresses = store.members(current_user(), known, row.user)
    listed = {group.uid for group in _groups(row)}
    unwritten = [one.card_uid for one in people if not one.email and one.uid not in listed]
    if row.user_id != current_user().id:
        seen = {one.card_uid for one in people}
        unwritten += [member for member in known.members if member not in seen and not member.startswith("mailto:")]
    typed = _members(form, row.collection)
    new = ContactDetails(name=form.name.data or "", group=True, members=tuple(dict.fromkeys([*typed, *unwritten])))
    try:
        changed = store.change(current_user(), row, new, form.revision.data or "")
    except store.ContactChangedElsewhereError:
        notify(changed_elsewhere(), "caution")
        form.revision.data = row.revision
        return _form_page(form, row, 409)
    except (store.CardTooLargeError, BookReadOnlyError) as error:
        _refuse(form, error)
        return _form_page(form, row, 422)
    notify(_("Group saved."), undo=undo_of([CardVersion(row.uid, row.vcard, changed.revision)]))
    return redirect(url_for("contacts.one", uid=row.uid), 303)


def _members(form: GroupForm, book: Collection | None) -> tuple[str, ...]:
    """The members in the form: contacts and ticked groups by card UID, others as mailto: addresses.

    In somebody else's book, only its own contacts go by UID: its owner need not see others, nor may one learn whom they have.
    """
    others = book.id if book is not None and book.user_id != current_user().id else None
    keys = list(dict.fromkeys(address_key(address.email) for address in form.addresses))
    known = store.by_address(current_user(), keys, others)
    ticked = store.chosen(current_user(), request.form.getlist("groups"))
    fit = (row for row in ticked if (row.user_id == current_user().id if others is None else row.collection_id == others))
    inside = [row.card_uid for row in fit if row.kind == store.GROUP]
    return tuple(dict.fromkeys([*(known.get(key) or f"mailto:{key}" for key in keys), *inside]))


def _refuse(form: GroupForm, error: ValueError) -> None:
    if isinstance(error, store.CardTooLargeError):
        form.mark("people", _("A group can’t hold this many people. Split them into two groups."))
    else:
        say_refused(error)


def _groups(row: Contact | None) -> list[Contact]:
    """Those that may be inside a group: of the same person, or of the same book if it is somebody else's."""
    if row is None or row.user_id == current_user().id:
        return [group for group in store.groups(current_user()) if row is None or group.id != row.id]
    everyone = store.groups(current_user(), writable=True)
    return [group for group in everyone if group.collection_id == row.collection_id and group.id != row.id]


def _form_page(form: GroupForm, row: Contact | None = None, status: int = 200, *, inside: Some[str] = ()) -> Response:
    ticked = request.form.getlist("groups") if request.method == "POST" else inside
    return page("contacts/group_edit.html", status, form=form, row=row, groups=_groups(row), ticked=ticked)
