"""Parts of a contact's page: the photo, and days as they are written in one's language."""

from __future__ import annotations

import re
from datetime import date

from babel.dates import format_date
from flask import Response, abort
from flask_babel import get_locale
from flask_babel import gettext as _

from webmail.contacts.blueprint import blueprint
from webmail.contacts.views.shared import mine
from webmail.mime.formats import image_info
from webmail.mime.formats.address_books.entry import BookEntry, entry_of
from webmail.mime.formats.cards.vcard_details import read_more
from webmail.mime.formats.cards.vcard_people import RELATIONS, SCHEMES
from webmail.models import Contact
from webmail.web.responses import downloads

_DAY = re.compile(r"(\d{4}|--?)-?(\d\d)-?(\d\d)")


@blueprint.get("/contacts/<uid>/photo")
def photo(uid: str) -> Response:
    """The picture in a card, if it is one that browsers show and that holds nothing but pixels."""
    data = entry_of(mine(uid).vcard).photo
    kind = image_info.displayable_type(data)
    if not kind:
        abort(404)
    response = Response(data, content_type=kind)
    response.headers["Content-Security-Policy"] = downloads.POLICY
    response.headers["Content-Disposition"] = "inline"
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def has_picture(row: Contact) -> bool:
    """Whether there is a photo to show."""
    return bool(image_info.displayable_type(entry_of(row.vcard).photo))


@blueprint.app_template_filter()
def card_day(text: str) -> str:
    """A day of a card (1991-01-20, or --01-20 without a year) as people write it; anything else as it is."""
    found = _DAY.fullmatch(text)
    try:
        day = date(int(found[1]) if found and found[1].isdigit() else 2000, int(found[2]), int(found[3])) if found else None
    except ValueError:
        day = None
    if day is None or found is None:
        return text
    return str(format_date(day, "d MMMM y" if found[1].isdigit() else "d MMMM", locale=get_locale()))


@blueprint.app_template_global()
def relation_words(kind: str) -> str:
    """What a person is to a contact; one's own word where there is one."""
    known = {
        "spouse": _("Spouse"), "partner": _("Partner"), "child": _("Child"), "parent": _("Parent"),
        "sibling": _("Brother or sister"), "friend": _("Friend"), "colleague": _("Colleague"), "manager": _("Manager"),
        "assistant": _("Assistant"), "emergency": _("Emergency contact"),
    }  # fmt: skip
    return known.get(kind.lower(), kind[:60].capitalize() or _("Related to"))


_SERVICES = {  # names that are the same in all languages
    "jabber": "XMPP (Jabber)", "gtalk": "XMPP (Jabber)", "matrix": "Matrix", "whatsapp": "WhatsApp", "signal": "Signal",
    "telegram": "Telegram", "skype": "Skype", "sip": "SIP", "irc": "IRC",
}  # fmt: skip


@blueprint.app_template_global()
def service_words(service: str) -> str:
    """What a service of instant messages is called."""
    return _SERVICES.get(service.lower(), service[:60].capitalize())


@blueprint.app_template_global()
def name_in_full(entry: BookEntry) -> str:
    """The name with its title, middle names and suffix; "" where it has none of these."""
    if not (entry.prefix or entry.middle or entry.suffix):
        return ""
    return " ".join(filter(None, (entry.prefix, entry.given, entry.middle, entry.family, entry.suffix)))


@blueprint.app_template_global()
def kinds_of(what: str, existing: str) -> list[tuple[str, str]]:
    """The words of a list and what they are called: of related people ("related"), or services ("im"). `existing` is among
    them."""
    kinds, words = (RELATIONS, relation_words) if what == "related" else (tuple(SCHEMES), service_words)
    return [(kind, words(kind)) for kind in dict.fromkeys((*kinds, *([existing] if existing else [])))]


@blueprint.app_template_global()
def profiles_of(row: Contact) -> tuple[str, ...]:
    """The addresses of a contact's profiles on social networks."""
    return read_more(row.vcard).profiles
