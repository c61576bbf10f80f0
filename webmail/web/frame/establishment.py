"""What pages show of the establishment: its logo, its colour, its banner, and the foot of pages for who is not signed in.

All of it comes with the settings, so none of it costs a query; what is not set costs no byte.
"""

from __future__ import annotations

from datetime import datetime

from flask import current_app, request
from flask_babel import get_locale
from flask_babel import gettext as _
from markupsafe import Markup

from webmail.config.presentation import Texts
from webmail.establishments import colours, logos
from webmail.mime.html.linkify import linkify
from webmail.models import now
from webmail.web.current import settings
from webmail.web.formatting import LANGUAGES
from webmail.web.templates.addresses import url_for

_LEGAL, _PRIVACY, _ACCESSIBILITY = "accounts.show_legal", "accounts.show_privacy", "accounts.show_accessibility"
_NOTHING = Markup()  # on every page: it is not made anew
SHEET_VERSION = "1"  # another one where the same colour becomes another sheet: browsers keep it for ever


def offered_languages() -> tuple[str, ...]:
    return settings().presentation.languages or LANGUAGES


def other_language() -> str:
    """The one that a page offers to change to; "" where there is none."""
    here = str(get_locale())
    return next((one for one in offered_languages() if one != here), "")


def own_logo() -> Markup:
    """The establishment's logo, which stands for the arch; empty where it has none. Its name stands beside it."""
    if not (name := settings().presentation.logo) or (found := logos.at_size(name)) is None:
        return Markup()
    address = url_for("accounts.show_logo", digest=found.digest)
    return Markup('<img src="{}" alt="" width="{}" height="{}">').format(address, found.width, found.height)


def accent_sheet() -> Markup:
    """The link to the sheet of its colour, behind base.css; empty where it has none."""
    if not (accent := settings().presentation.accent) or not colours.is_colour(accent):
        return _NOTHING
    address = url_for("accounts.show_accent", colour=accent[1:], v=SHEET_VERSION)
    return Markup('<link rel="stylesheet" href="{}">').format(address)


def establishment_banner() -> Markup:
    """Its announcement, from the moment to the moment that were chosen."""
    shown = settings().presentation
    if not (shown.banner.fr or shown.banner.en) or not _is_now(shown.banner_from, shown.banner_until):
        return _NOTHING
    text = told(shown.banner)
    piece = Markup('<section class="notice notice-plain" aria-label="{}" data-announcement>{}</section>')
    return piece.format(_("Announcement"), in_lines(text))


def establishment_sentence() -> str:
    """What this is, in one sentence, for who came by a link."""
    return told(settings().presentation.sentence) or _(
        "%(name)s: mail, calendars and large files for its people and those who write to them.", name=settings().name
    )


def notice_links() -> list[tuple[str, str]]:
    """Addresses and words of the pages about the service itself; empty in an application without their area."""
    if _LEGAL not in current_app.view_functions:
        return []
    asked = request.args.get("lang", "")
    language = asked if asked in offered_languages() else None  # of who has chosen one without a cookie
    found = ((_LEGAL, _("Legal notice")), (_PRIVACY, _("Where your data is")), (_ACCESSIBILITY, accessibility_words()))
    return [(url_for(endpoint, lang=language), words) for endpoint, words in found]


def accessibility_words() -> str:
    """The words of the link, which say what an audit has found."""
    return {
        "none": _("Accessibility: not compliant"),
        "partial": _("Accessibility: partially compliant"),
        "full": _("Accessibility: fully compliant"),
    }.get(settings().presentation.accessibility_level, _("Accessibility: not assessed yet"))


def accessibility_level() -> str:
    """The sentence that the statement says it with."""
    return {
        "none": _("An audit has found that this service does not comply with the RGAA."),
        "partial": _("An audit has found that this service complies with the RGAA in part."),
        "full": _("An audit has found that this service complies fully with the RGAA."),
    }.get(
        settings().presentation.accessibility_level,
        _("No audit of this service has been made yet. Until there is one, the law counts it as not compliant with the RGAA."),
    )


def told(texts: Texts) -> str:
    locale = get_locale()
    return texts.in_language(locale.language if locale else "").strip()


def in_lines(text: str) -> Markup:
    """A plain text with its lines, and its addresses as links."""
    lines = (Markup(linkify(line)) for line in text.split("\n"))  # noqa: S704 - escaped by linkify
    return Markup("<br>").join(lines)


def _is_now(beginning: str, end: str) -> bool:
    here = now()
    return (not beginning or datetime.fromisoformat(beginning) <= here) and (not end or here < datetime.fromisoformat(end))


WORDS = {  # of templates
    "own_logo": own_logo,
    "accent_sheet": accent_sheet,
    "establishment_banner": establishment_banner,
    "establishment_sentence": establishment_sentence,
    "accessibility_words": accessibility_words,
    "notice_links": notice_links,
    "offered_languages": offered_languages,
    "other_language": other_language,
    "in_lines": in_lines,
    "told": told,
}
