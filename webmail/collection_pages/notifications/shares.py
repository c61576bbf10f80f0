"""Share notifications: people are told that a book or calendar is shared with them."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _

from webmail import system_mail
from webmail.collection_pages.texts import own_rights_words, person, title_for
from webmail.collections.store import BOOK, Access
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.models import User
from webmail.web.current import settings, wake_system_mail
from webmail.web.formatting import today, written_in
from webmail.web.public_links import public_link

MOST_MAILED = 50  # people who are told of one share by mail


def tell_of_share(access: Access, people: Sequence[User], rights: str, by: User) -> int:
    """Tell them by mail, once a day; how many. 0 if they are more than MOST_MAILED."""
    if len(people) > MOST_MAILED:
        return 0
    sent = 0
    for user in people:
        dedup = f"{access.collection.id} {today().isoformat()}"
        language = system_mail.in_language_of(user, settings())
        with written_in(language):
            subject, body = _letter(access, rights, user, by)
        try:
            row = system_mail.send(user.address, "collection-shared", subject[:300], body, language, dedup)
        except (BadAddressError, UnsafeValueError):
            continue
        if row is not None:
            sent += 1
            wake_system_mail(row)
    return sent


def _letter(access: Access, rights: str, reader: User, by: User) -> tuple[str, str]:
    told = {"who": person(by), "name": title_for(access.collection, reader)}
    book = access.collection.kind == BOOK
    if access.collection.user_id == by.id:
        subject = (
            _("%(who)s shares the address book “%(name)s” with you")
            if book
            else _("%(who)s shares the calendar “%(name)s” with you")
        )
    else:
        told["owner"] = person(access.collection.user)
        subject = (
            _("%(who)s shares the address book “%(name)s” of %(owner)s with you")
            if book
            else _("%(who)s shares the calendar “%(name)s” of %(owner)s with you")
        )
    subject %= told
    where = _("It is also on the phones and programs that you have connected.")
    said = _("%(heading)s: %(title)s", heading=subject, title=own_rights_words(rights))
    lines = [f"{said}.", where, public_link("collections.show")]
    return subject, "\n".join(filter(None, lines))
