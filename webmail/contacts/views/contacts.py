"""Contacts pages: the list, a single contact and its form. Groups are in `groups.py`, import and export in `files.py`."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail.auth.guard import keeps_text
from webmail.contacts import book_access, card_keys, contact_list, membership, same_people, store, undo
from webmail.contacts.blueprint import blueprint
from webmail.contacts.book_access import BookReadOnlyError
from webmail.contacts.forms import ContactForm
from webmail.contacts.undo import CardVersion
from webmail.contacts.views import sources
from webmail.contacts.views.card_parts import has_picture
from webmail.contacts.views.groups import change_group, group_form
from webmail.contacts.views.import_texts import undone_words
from webmail.contacts.views.imports import undo_import
from webmail.contacts.views.shared import changed_elsewhere, kept_fields, mine, saved_before, say_refused, undo_of
from webmail.database.user_lock import user_lock
from webmail.errors import BadAddressError, LimitReachedError
from webmail.keys.key_texts import kind_words, readable, state_words
from webmail.mail import Address
from webmail.mime import builder
from webmail.mime.formats.address_books.entry import entry_of
from webmail.mime.formats.cards import vcard_edit
from webmail.mime.formats.cards.vcard_details import MoreDetails, PostalAddress, read_more
from webmail.mime.formats.cards.vcard_edit import MOST_POINTS, ContactDetails, ContactPoint
from webmail.mime.headers.address_text import address_text
from webmail.models import Contact
from webmail.tasks import store as tasks
from webmail.web.current import current_user, preferences, settings
from webmail.web.forms.request_values import local_path
from webmail.web.frame.areas import check_shown
from webmail.web.frame.list_buttons import LIST_BUTTONS
from webmail.web.notices import notify, withdraw_notices
from webmail.web.rendering import fragment, page

EMPTY_ROWS = 2  # to fill in, below the existing ones
_LONGEST_WORDS = 100
_FIRST = 3  # beside messages


@blueprint.get("/contacts")
def show() -> Response:
    """The list: all contacts, or of one book (`book`); those matching a search, those of an initial letter, or only groups."""
    user, words = current_user(), request.args.get("words", "")[:_LONGEST_WORDS]
    letter, kind = request.args.get("letter", "")[:1], "group" if request.args.get("kind") == "group" else ""
    size = preferences().page_size or settings().page_size
    shelf, book = sources.shelf(), sources.asked_book()
    only = book.collection.id if book else None
    found = contact_list.listed(
        user, text=words, letter=letter, kind=kind, number=request.args.get("page", 1, int), size=size, found_in=shelf,
        book=only,
    )  # fmt: skip
    letters = contact_list.initials(user, shelf, only) if found.total > size or letter else []
    any_contacts = bool(found.total or words or letter or kind or book)
    rest, also = sources.elsewhere(words, found) if not (letter or kind or book) and found.number == 1 else ([], {})
    counts = membership.sizes(user, [row.id for row in found.rows if row.kind == store.GROUP])
    return page(
        "contacts/show.html",
        found=found,
        words=words,
        kind_words=words.strip(),
        letter=letter,
        kind=kind,
        letters=letters,
        any_contacts=any_contacts,
        counts=counts,
        book=book,
        rest=rest,
        also=also,
    )


@blueprint.get("/contacts/found")
def find_first() -> Response:
    """The first few contacts with these words, and people of other sources, beside the messages that have them."""
    words = request.args.get("words", "")[:_LONGEST_WORDS].strip()
    found = contact_list.listed(current_user(), text=words, size=_FIRST, found_in=sources.shelf())
    rest, _also = sources.elsewhere(words, found)
    people = [person for source in rest for person in source.people][: _FIRST - len(found.rows)]
    total = found.total + sum(len(source.people) for source in rest)
    more = any(source.more for source in rest)
    return fragment("contacts/_found_first.html", found=found, people=people, total=total, more=more, kind_words=words)


@blueprint.get("/contacts/<uid>")
def one(uid: str) -> Response:
    row = mine(uid)
    known = store.details(row)
    if known.group:
        people, addresses = store.members(current_user(), known, row.user)
        counts = membership.sizes(current_user(), [row.id, *(each.id for each in people if each.kind == store.GROUP)])
        reachable = bool(membership.people_of(current_user(), [row.id]).get(row.id))
        return page(
            "contacts/group.html", row=row, people=people, addresses=addresses, reachable=reachable, counts=counts,
            size=counts[row.id], writes=book_access.writes(current_user(), row),
        )  # fmt: skip
    groups = store.groups_of(current_user(), row)
    shelf = sources.shelf()
    same = same_people.find(shelf).get(row.id, ()) if len(shelf) > 1 else ()
    others = store.rows(current_user(), [each for each in same if each != row.id])
    return page(
        "contacts/one.html", row=row, known=known, entry=entry_of(row.vcard), has_photo=has_picture(row),
        to=address_text([Address(row.name, row.email)]), writes=book_access.writes(current_user(), row), several=len(shelf) > 1,
        own=row.user_id == current_user().id,
        keys=card_keys.keys_of(current_user(), row, [point.value for point in known.emails]) if settings().encryption else [],
        key_kind=kind_words, key_state=state_words, readable_fingerprint=readable,
        same=[others[each] for each in same if each in others], groups=store.chosen(current_user(), sorted(groups)),
    )  # fmt: skip


# --- new and changed -------------------------------------------------------------------------------------------------


@blueprint.get("/contacts/new")
def new() -> Response:
    if kept := kept_fields():
        return _form_page(ContactForm.sent(kept), member_of=kept.getlist("groups"))
    email, name = request.args.get("email", "")[:254], request.args.get("name", "")[:190]
    given, family = vcard_edit.parts_of(name)
    emails = (ContactPoint(email),) if email else ()
    phones = tuple(ContactPoint(phone[:60]) for phone in request.args.getlist("phone")[:5])
    known = ContactDetails(name=name, given=given, family=family, emails=emails, phones=phones, uid=store.new_uid())
    more = MoreDetails(sites=tuple(site[:500] for site in request.args.getlist("site")[:5]))
    return _form_page(ContactForm.showing(known, more=more))


@blueprint.post("/contacts/new")
@keeps_text
def add() -> Answer:
    form = ContactForm.sent(request.form, request.files.get("photo"))
    if request.form.get("action") == "more":
        return _form_page(form, more=True)
    if not (form.check() and form.check_more()):
        return _form_page(form, status=422)
    try:
        row = store.add(current_user(), form.details, form.finish, sources.chosen_book())
    except store.AlreadyThereError as error:
        saved_before(form, error)
        return _form_page(form, error.row, 409)
    except (LimitReachedError, store.CardTooLargeError, BookReadOnlyError) as error:
        say_refused(error)
        return _form_page(form, status=422)
    _join(row)
    notify(_("%(name)s was added to your contacts.", name=row.name))
    return redirect(url_for("contacts.one", uid=row.uid), 303)


@blueprint.get("/contacts/<uid>/edit")
def edit(uid: str) -> Response:
    row = mine(uid, writable=True)
    if row.kind == store.GROUP:
        return group_form(row)
    if kept := kept_fields():
        return _form_page(ContactForm.sent(kept), row, member_of=kept.getlist("groups"))
    return _form_page(ContactForm.showing(store.details(row), row.revision, read_more(row.vcard)), row)


@blueprint.post("/contacts/<uid>/edit")
@keeps_text
def change(uid: str) -> Answer:
    row = mine(uid)
    if row.kind == store.GROUP:
        return change_group(row)
    form = ContactForm.sent(request.form, request.files.get("photo"))
    if request.form.get("action") == "more":
        return _form_page(form, row, more=True)
    if not (form.check(store.details(row)) and form.check_more(read_more(row.vcard))):
        return _form_page(form, row, 422)
    try:
        changed = store.change(current_user(), row, form.details, form.revision.data or "", form.finish)
    except store.ContactChangedElsewhereError:
        notify(changed_elsewhere(), "caution")
        form.revision.data = row.revision
        return _form_page(form, row, 409)
    except (store.CardTooLargeError, BookReadOnlyError) as error:
        say_refused(error)
        return _form_page(form, row, 422)
    _join(changed)
    notify(_("Contact saved."), undo=undo_of([CardVersion(row.uid, row.vcard, changed.revision)]))
    return redirect(url_for("contacts.one", uid=row.uid), 303)


@blueprint.post("/contacts/<uid>/remove")
def remove(uid: str) -> Answer:
    try:
        row = store.load(current_user(), uid)
    except store.NoSuchContactError:  # a second click: the first one's notice offers undo
        return redirect(url_for("contacts.show"), 303)
    offered = undo_of([CardVersion.removed(row)])
    if not store.remove(current_user(), [row.uid]):
        say_refused(BookReadOnlyError(row.uid))
        return redirect(url_for("contacts.one", uid=row.uid), 303)
    notify(_("%(name)s was removed from your contacts.", name=row.name), undo=offered)
    return redirect(url_for("contacts.show"), 303)


@blueprint.post("/contacts/changes/undo")
def undo_last() -> Answer:
    """`undo`: the name of what is undone; without it `task`, which imported contacts."""
    back = redirect(local_path(request.form.get("back", "")) or url_for("contacts.show"), 303)
    task = request.form.get("task", "")
    try:
        with user_lock(current_user().id):
            if task and not request.form.get("undo"):
                undo_import(task)
                return back
            count = undo.undo(current_user(), request.form.get("undo", ""))
    except (LimitReachedError, store.ContactChangedElsewhereError, BookReadOnlyError) as error:
        if not isinstance(error, store.ContactChangedElsewhereError):  # undo works again once some contacts are removed
            say_refused(error)
        else:
            notify(_("Your contacts have changed in the meantime. Try again: nothing will be done twice."), "caution")
        return back
    withdraw_notices()
    tasks.note_undone(current_user(), task)
    notify(undone_words(count) if count else _("There was nothing to undo."))
    return back


@blueprint.post("/contacts/people/add")
def add_person() -> Answer:
    """Add a sender or recipient of a message (`person`, as in an address field) as a contact; `back` is the message."""
    return _add(request.form.get("person", ""), request.args.get("back", ""))


def _add(text: str, here: str) -> Answer:
    check_shown("contacts")  # it is pressed in a message
    user, back = current_user(), local_path(here)
    try:
        [person] = builder.parse_addresses(text[:600])
    except (BadAddressError, ValueError):
        notify(_("This sender has no usable address."), "caution")
        return redirect(back or url_for("contacts.show"), 303)
    if known := store.with_address(user, person.email):
        notify(_("%(name)s is already in your contacts.", name=known.name))
        return redirect(back or url_for("contacts.one", uid=known.uid), 303)
    if namesake := store.named_alike(user, person.name):
        # never merged automatically: a sender could take over a contact by using its name
        text = _("You already have a contact called %(name)s. Save this one as well, or edit the other.", name=namesake.name)
        notify(text, "caution")
        return redirect(url_for("contacts.new", name=person.name, email=person.email), 303)
    new = ContactDetails(name=person.name or person.email, emails=(ContactPoint(person.email),))
    try:
        with user_lock(user.id):
            row = store.with_address(user, person.email) or store.add(user, new)
    except (LimitReachedError, store.CardTooLargeError) as error:
        say_refused(error)
        return redirect(back or url_for("contacts.show"), 303)
    offered = undo_of([CardVersion(row.uid, "", row.revision)], back)
    notify(_("%(name)s was added to your contacts.", name=row.name), undo=offered)
    return redirect(back or url_for("contacts.one", uid=row.uid), 303)


LIST_BUTTONS["person"] = lambda _mailbox, person: _add(person, request.form.get("here", ""))


# --- pieces ----------------------------------------------------------------------------------------------------------


def _join(row: Contact) -> None:
    """Make the contact a member of the ticked groups only."""
    try:
        store.join(current_user(), row, request.form.getlist("groups"))
    except (store.CardTooLargeError, store.ContactChangedElsewhereError, BookReadOnlyError):
        words = _("The contact was saved, but its groups were not all updated: one is full, or was changed at the same time.")
        notify(words, "caution")


def _form_page(
    form: ContactForm, row: Contact | None = None, status: int = 200, *, more: bool = False, member_of: Sequence[str] = ()
) -> Response:
    if request.method == "POST":
        member_of = request.form.getlist("groups")
    elif row and not member_of:
        member_of = list(store.groups_of(current_user(), row))
    empty = [ContactPoint("")] * EMPTY_ROWS * (2 if more else 1)
    return page(
        "contacts/edit.html", status, form=form, row=row, groups=store.groups(current_user(), writable=True), member_of=member_of,
        emails=[*form.emails, *empty][:MOST_POINTS], phones=[*form.phones, *empty][:MOST_POINTS],
        postals=[*form.postals, *[PostalAddress()] * (2 if more else 1)][:MOST_POINTS],
        sites=[*form.sites, *[""] * (2 if more else 1)][:MOST_POINTS], has_photo=bool(row and has_picture(row)),
    )  # fmt: skip


blueprint.add_app_template_global(address_text, "address_text")


@blueprint.app_template_global()
def use_words(use: str) -> str:
    """The label for the use of an address or phone number."""
    return {"home": _("home"), "work": _("work"), "cell": _("mobile")}.get(use, "")
