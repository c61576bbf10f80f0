"""Code notifications: mails a person a code, in their language, for the second step or to confirm a recovery address."""

from __future__ import annotations

from functools import partial

from flask_babel import get_locale
from flask_babel import gettext as _

from webmail import system_mail
from webmail.auth.factors import mailed_codes
from webmail.auth.factors.mailed_codes import CodePurpose
from webmail.auth.sign_in import unlock_codes
from webmail.models import User
from webmail.web.current import settings, wake_system_mail
from webmail.web.formatting import written_in
from webmail.web.texts.code_texts import code_letter


def mail_code(user: User, purpose: CodePurpose, address: str, network: str) -> None:
    """Send it, in the language of the page where they asked unless they chose one. `network`: from where they asked.

    Raises what `mailed_codes.send` does.
    """
    language = user.language or str(get_locale())
    letter = partial(_letter, user, purpose, language)
    row = mailed_codes.send(user, purpose, address, settings(), letter, network, language)
    wake_system_mail(row)


def mail_door_code(user: User) -> None:
    """Send somebody whose password others guess the code with which they need not wait: once a day, however often it is asked.

    Raises what `system_mail.send` does.
    """
    day, here = unlock_codes.today(), settings()
    language = system_mail.in_language_of(user, here)
    with written_in(language):
        begin = _(
            "Somebody keeps typing wrong passwords for %(address)s, so new browsers have to wait. With this code "
            "and your password, you can sign in right away:",
            address=user.address,
        )
        valid = _("It is valid today and tomorrow.")
        never = _("Nobody from %(name)s will ever ask you for it.", name=here.name)
        end = _("If you are not signing in, you can ignore this message: the code opens nothing without your password.")
        code = unlock_codes.code_for(user.address, day, here)
        body = "\n".join([begin, "", f"    {code}", "", f"{valid} {never}", "", end])
        subject = _("Your code for %(name)s", name=here.name)
    once = f"door {user.id} {day}"
    if row := system_mail.send(user.recovery_address, "door-code", subject, body, language, once, secret_key=here.secret_key):
        wake_system_mail(row)


def _letter(user: User, purpose: CodePurpose, language: str, code: str) -> tuple[str, str]:
    with written_in(language):
        if purpose is CodePurpose.RECOVERY_ADDRESS:
            begin = _(
                "This code confirms that you can be reached here if you ever can’t sign in as %(address)s:", address=user.address
            )
            end = _("If you did not ask for this, ignore this message: nothing will change.")
        else:
            begin = _("This code completes a sign-in as %(address)s:", address=user.address)
            end = _("If you are not signing in, somebody else knows your password: change it immediately.")
        return code_letter(begin, code, end, int(mailed_codes.LIFE.total_seconds() // 60))
