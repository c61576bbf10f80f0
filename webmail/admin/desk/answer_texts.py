"""Ready answers of the desk, in the language of who gets them: one click each."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail.accounts.support import TroubleKind
from webmail.models import DeskCase, DeskKind


def ready_answers(case: DeskCase) -> list[str]:
    """What is answered most often to what this case asks for. In the language that is in force."""
    match case.kind:
        case DeskKind.SPACE:
            return [
                _("There is no more space for now. Old messages with large attachments free up the most: see “Free up space”."),
                _("Please empty your trash and your junk first. If that is not enough, write back."),
            ]
        case DeskKind.DELETION:
            return [_("We are not deleting your account yet: please come and see us first.")]
        case DeskKind.PHISHING:
            return [
                _("Thank you for reporting this message. It is phishing, and we have dealt with it."),
                _("Thank you for reporting this message. It is genuine: you can move it back to your inbox."),
            ]
        case DeskKind.ABUSE:
            return [_("Thank you for your report. We have looked into it.")]
    by_topic = {
        TroubleKind.PASSWORD: _("Please come and see us with an identity card: we will give you a temporary password."),
        TroubleKind.FACTOR: _("Please come and see us with an identity card: we will remove the device that you lost."),
        TroubleKind.DISABLED: _("Your account works again. Please sign in."),
        TroubleKind.MAIL: _("Please search your trash and all your folders. If it is not there, write back."),
        TroubleKind.BROKEN: _("It works again. Please try once more, and write back if it does not."),
    }
    known = [by_topic[case.topic]] if case.topic in by_topic else []  # type: ignore[index]
    return [*known, _("This is done. Write back if something is still wrong.")]


def granted_text(size: str) -> str:
    """What the person is told of more space."""
    return _("Your mailbox can now hold %(size)s.", size=size)
