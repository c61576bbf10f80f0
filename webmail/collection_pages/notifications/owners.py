"""Owner notifications: the owner of a book or calendar is told what a manager did with it."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _

from webmail import system_mail
from webmail.collection_pages.texts import person, sentences, title_for
from webmail.collections.store import Access
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.models import CollectionNote, User
from webmail.web.current import settings, wake_system_mail
from webmail.web.formatting import today, written_in
from webmail.web.public_links import public_link

_LONGEST_SUBJECT = 300


def tell_owner(access: Access, matter: str, notes: Sequence[CollectionNote], by: User) -> None:
    """Once a day for each `matter`: the first of it. Pages tell all (`collection_changes`)."""
    if settings().system_sender is None:
        return
    owner, number = access.collection.user, access.collection.id
    language = system_mail.in_language_of(owner, settings())
    with written_in(language):
        words = sentences(notes, owner)
        subject = _("“%(name)s”: changed by %(who)s", name=title_for(access.collection, owner), who=person(by))
        more = _("Other changes made there today are listed on its page:")
        body = "\n".join([*words, "", more, public_link("collections.one", number=number, changes=1)])
    dedup = f"{number} {matter} {today().isoformat()}"
    try:
        row = system_mail.send(owner.address, "collection-managed", subject[:_LONGEST_SUBJECT], body, language, dedup)
    except (BadAddressError, UnsafeValueError):
        return
    if row is not None:
        wake_system_mail(row)
