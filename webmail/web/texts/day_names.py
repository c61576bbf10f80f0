"""Day names: public holidays and school holidays in the language of the page."""

from __future__ import annotations

from functools import lru_cache

from flask_babel import gettext as _

from webmail.web.formatting import here


def day_name(name: str) -> str:
    """The name of what `special_days.py` knows by a word; what the establishment calls otherwise, as it does."""
    return _named(name, here().locale)


@lru_cache(maxsize=1024)
def _named(name: str, _locale: str) -> str:
    words = {
        "autumn": _("Autumn holidays"), "christmas": _("Christmas holidays"), "winter": _("Winter holidays"),
        "spring": _("Spring holidays"), "summer": _("Summer holidays"), "new-year": _("New Year’s Day"),
        "good-friday": _("Good Friday"), "easter-monday": _("Easter Monday"), "labour-day": _("Labour Day"),
        "victory-day": _("Victory Day"), "ascension": _("Ascension Day"), "whit-monday": _("Whit Monday"),
        "national-day": _("Bastille Day"), "assumption": _("Assumption Day"), "all-saints": _("All Saints’ Day"),
        "armistice": _("Armistice Day"), "christmas-day": _("Christmas Day"), "saint-stephen": _("St Stephen’s Day"),
    }  # fmt: skip
    return words.get(name, name)
