"""Drive texts: what is told of files on other servers."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.drives.drive import DriveFault, LinkRight, MadeLink
from webmail.drives.drive_tasks import KIB, PREFIX
from webmail.web.formatting import day_in_full, file_size
from webmail.web.formatting import lazy_text as _l

_FAULTS = {
    DriveFault.AWAY: _l("%(title)s is not responding. Try again later."),
    DriveFault.BUSY: _l("%(title)s is busy. Try again in a few minutes."),
    DriveFault.SIGN_IN: _l("%(title)s no longer lets you in from here. Connect it again."),
    DriveFault.REFUSED: _l("%(title)s does not allow this."),
    DriveFault.GONE: _l("This is no longer there, or was moved."),
    DriveFault.CHANGED: _l("The file was changed in the meantime. Start again."),
    DriveFault.FULL: _l("There is not enough space on %(title)s."),
    DriveFault.NAME_TAKEN: _l("A file of this name is there already."),
    DriveFault.BAD_NAME: _l("%(title)s does not accept a file of this name."),
    DriveFault.TOO_LARGE: _l("The file is too large."),
    DriveFault.TOO_MANY: _l("This folder has too many files to list here."),
    DriveFault.FORBIDDEN_PLACE: _l("This address can’t be reached from here."),
    DriveFault.ELSEWHERE: _l("%(title)s sends us on to another server, which must not get your password."),
    DriveFault.NOT_UNDERSTOOD: _l("%(title)s answers in a way that is not understood here."),
    DriveFault.RIGHT_MISSING: _l("%(title)s needs your permission for this first."),
    DriveFault.LINK_REFUSED: _l("%(title)s did not make a link to this file."),
}
_RIGHTS = {
    LinkRight.ANYONE_READS: _l("Anyone with the link can read it."),
    LinkRight.ANYONE_WRITES: _l("Anyone with the link can read and change it."),
    LinkRight.ORGANISATION_READS: _l("People in your organisation can read it."),
    LinkRight.CHOSEN_PEOPLE: _l("Only people you have given access to can open it."),
}


def fault_words(fault: DriveFault, title: str) -> str:
    return str(_FAULTS[fault]) % {"title": title}


def right_words(right: LinkRight) -> str:
    return str(_RIGHTS[right])


def link_words(link: MadeLink) -> str:
    """Who may open a link, as the message says it to those who get it."""
    words = [right_words(link.right)]
    if link.has_password:
        words.append(_("A password is needed."))
    if link.expires:
        words.append(_("Last day: %(day)s.", day=day_in_full(link.expires)))
    return " ".join(words)


def failed_words(reason: str) -> str:
    """Of a task (`TaskFailedError.reason`); "" for other reasons."""
    if reason == "draft-gone":
        return _("The message was sent or deleted in the meantime.")
    word = reason.removeprefix(PREFIX)
    if word == reason or word not in list(DriveFault):
        return ""
    return fault_words(DriveFault(word), _("The service"))


def problem_words(reason: str) -> str:
    """Why a task brought nothing there: also where another did not answer for hours, or the person stopped it."""
    match reason:
        case "cancelled":
            return _("You stopped it.")
        case "service-away":
            return _("The other server did not respond for hours. Try again later.")
        case "password":
            return _("Choose the password of the links again.")
    return failed_words(reason) or _("Something went wrong. Try again, or tell your administrator.")


def saved_words(result: dict[str, Any]) -> str:
    """What a task that saved to a drive did (`saving.save_kind`)."""
    words = [ngettext("%(num)d file saved.", "%(num)d files saved.", result["saved"])]
    if result["renamed"]:
        names = ", ".join(_("“%(name)s”", name=name[:60]) for name in result["renamed"])
        words.append(_("A file of the same name was there already, so this was saved as %(names)s.", names=names))
    return " ".join(words)


STOPPED = _l("Stopped. Files that were already there have been kept.")


def progress_words(done: int, total: int) -> str:
    """Of a task that counts KiB."""
    return _("%(done)s of %(total)s transferred.", done=file_size(done * KIB), total=file_size(total * KIB))
