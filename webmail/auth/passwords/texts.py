"""Texts about passwords: how strong one is, what would make it better, and why it is not taken."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.auth.blueprint import blueprint
from webmail.auth.passwords.change import ChangeFault
from webmail.auth.passwords.strength import Strength, Weakness
from webmail.web.current import settings
from webmail.web.formatting import lazy_text as _l

_LEVELS = (_l("Very weak"), _l("Weak"), _l("Fair"), _l("Good"), _l("Strong"))
_WHY = {
    Weakness.COMMON: _l("This is a common password, one of the first that others would try."),
    Weakness.KNOWN: _l("Your name, your address and your organisation’s name are easy to guess. Add unrelated words."),
    Weakness.WORD: _l("A single word or name is easy to guess. Use several unrelated words."),
    Weakness.KEYS: _l("Neighbouring keys are easy to guess."),
    Weakness.REPEATED: _l("Repeating letters or words makes a password longer, but hardly stronger."),
    Weakness.SEQUENCE: _l("Sequences such as abc or 1234 are easy to guess."),
    Weakness.DATE: _l("Dates and years are easy to guess."),
    Weakness.GUESSABLE: _l("Several unrelated words make a better password."),
}  # fmt: skip


def fault_words(fault: ChangeFault, judged: Strength) -> str:
    """Why a new password is not taken, for the field that it belongs to."""
    match fault:
        case ChangeFault.WRONG:
            return _("This is not your current password.")
        case ChangeFault.DIFFERENT:
            return _("The two new passwords are not the same.")
        case ChangeFault.SAME:
            return _("This is the password you have now. Choose another one.")
        case ChangeFault.UNUSABLE:
            return _("This password is empty, too long, or contains characters that mail programs can’t send.")
        case ChangeFault.WEAK:
            return weakness_words(judged) or _("This password is too easy to guess.")


@blueprint.app_template_global()
def strength_words(judged: Strength) -> str:
    """The level in words."""
    return str(_LEVELS[judged.score])


@blueprint.app_template_global()
def weakness_words(judged: Strength) -> str:
    """What would make the password better; "" where nothing stands out."""
    if judged.weakness is Weakness.SHORT:
        length = settings().password_length
        return ngettext(
            "Use at least %(num)d character.", "Use at least %(num)d characters. Several words are easy to remember.", length
        )
    return str(_WHY[judged.weakness]) if judged.weakness else ""
