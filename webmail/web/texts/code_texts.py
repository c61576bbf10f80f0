"""Texts about codes: what mails with a code say, and pages about it, whatever the code is for."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.rate_limits import TooManyRequestsError
from webmail.web.current import settings
from webmail.web.responses.too_many import with_again


def code_letter(begin: str, code: str, end: str, minutes: int) -> tuple[str, str]:
    """Subject and text. The code stands in the text alone, which is forgotten once it is sent."""
    name = settings().name
    valid = ngettext("It is valid for %(num)d minute.", "It is valid for %(num)d minutes.", minutes)
    never = _("Nobody from %(name)s will ever ask you for it.", name=name)
    return _("Your code for %(name)s", name=name), "\n".join([begin, "", f"    {code}", "", f"{valid} {never}", "", end])


def code_fault_words(fault: str) -> str:
    """`fault`: a word of `auth.mailed_codes.CodeFault`."""
    if fault == "over":
        return _("This code is no longer valid. Ask for a new one.")
    return _("This is not the code we sent. Check it, or ask for a new one.")


def too_many_codes_words(error: TooManyRequestsError) -> str:
    return with_again(_("We have already sent several codes."), error)
