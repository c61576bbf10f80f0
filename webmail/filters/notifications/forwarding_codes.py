"""Forwarding codes by mail: sends an address the code by which somebody may have their mail forwarded there."""

from __future__ import annotations

from functools import partial

from flask_babel import get_locale
from flask_babel import gettext as _

from webmail.auth.factors import mailed_codes
from webmail.auth.factors.mailed_codes import CodePurpose
from webmail.models import User
from webmail.web.current import settings, wake_system_mail
from webmail.web.formatting import written_in
from webmail.web.texts.code_texts import code_letter


def mail_forward_code(user: User, address: str, network: str) -> None:
    """In the person's language: they have to tell whoever reads there. `network`: from where they asked.

    Raises what `mailed_codes.send` does.
    """
    language = user.language or str(get_locale())
    row = mailed_codes.send(
        user, CodePurpose.FORWARDING, address, settings(), partial(_letter, user, language), network, language
    )
    wake_system_mail(row)


def _letter(user: User, language: str, code: str) -> tuple[str, str]:
    with written_in(language):
        begin = _("With this code, %(address)s can have their mail forwarded to this address:", address=user.address)
        end = _("If you don’t want this, ignore this message: nothing will be forwarded to you.")
        return code_letter(begin, code, end, int(mailed_codes.LIFE.total_seconds() // 60))
