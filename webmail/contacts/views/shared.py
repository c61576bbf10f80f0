"""Shared parts of the contact views: loading a contact, text kept over a lost session, error messages, undo."""

from __future__ import annotations

from typing import Any

from flask import abort, request, session, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from webmail.contacts import book_access, store, undo
from webmail.contacts.book_access import BookReadOnlyError
from webmail.contacts.forms import ContactForm, GroupForm
from webmail.contacts.undo import CardVersion
from webmail.errors import LimitReachedError
from webmail.models import Contact
from webmail.web.current import current_user
from webmail.web.notices import notify


def mine(uid: str, *, writable: bool = False) -> Contact:
    """A contact that the person who is asking reads (or may change). 404 for others; 403 where they may only read it."""
    try:
        row = store.load(current_user(), uid)
    except store.NoSuchContactError:
        abort(404)
    if writable and not book_access.writes(current_user(), row):
        abort(403)
    return row


def undo_of(before: list[CardVersion], back: str = "") -> tuple[str, dict[str, Any]] | None:
    name = undo.offer(current_user(), before)
    return (url_for("contacts.undo_last"), {"undo": name, "back": back}) if name else None


def say_refused(error: ValueError) -> None:
    if isinstance(error, BookReadOnlyError):
        words = _("You can no longer change this address book: ask its owner, or choose another one.")
    elif isinstance(error, LimitReachedError):
        words = _("You can have up to %(most)s contacts. Delete some first.", most=store.MOST)
    else:
        words = _("This contact is too long. Shorten the note.")
    notify(words, "danger")


def changed_elsewhere() -> str:
    return _("This contact was changed in another window. Your changes are not saved yet: check them, then save again.")


def saved_before(form: ContactForm | GroupForm, error: store.AlreadyThereError) -> None:
    """Handle a new card's form that was submitted again with changes: from now on it edits the card it created."""
    words = _("This was already saved with different details. Your changes are not saved yet: check them, then save again.")
    notify(words, "caution")
    form.revision.data = error.row.revision


def kept_fields() -> MultiDict[str, str] | None:
    """The form submitted here after the session had ended, carried along by the sign-in page (auth/guard.py); else None."""
    if session.get("kept", {}).get("path") != request.path:
        return None
    notify(_("Here is what you typed. It is not saved yet."), "caution")
    return MultiDict((name, value) for name, value in session.pop("kept")["fields"])
