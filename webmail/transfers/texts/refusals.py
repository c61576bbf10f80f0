"""Refusals of large files, in words: why one was not taken."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail.errors import MailError
from webmail.rate_limits import TooManyRequestsError
from webmail.storage import StorageAwayError, StorageFullError
from webmail.transfers.content import TooManyBytesError
from webmail.transfers.limits import Limit, OverLimitError
from webmail.transfers.protection import NotProtectedError
from webmail.transfers.requests.guests import NoRoomError, NotOpenError
from webmail.transfers.store import TransferClosedError
from webmail.transfers.uploads.upload_bodies import TooManyUploadsError, UploadTooSlowError
from webmail.web.formatting import file_size, number
from webmail.web.responses.too_many import with_again


def refusal_words(error: MailError, name: str = "") -> str:
    """Why a file was not taken, in a sentence. `name`: of the file, as it was sent."""
    named = name.rpartition("/")[2][:150]
    if isinstance(error, OverLimitError):
        return _limit_words(error, named)
    if isinstance(error, TooManyBytesError):
        return _("“%(name)s” changed while it was being sent. Choose it again.", name=named)
    if isinstance(error, StorageFullError):
        return _("“%(name)s” was refused: the server has no space left. Tell your administrator.", name=named)
    if isinstance(error, StorageAwayError):
        return _("The server can’t reach its files at the moment. Try again in a few minutes.")
    if isinstance(error, UploadTooSlowError):
        return _("“%(name)s” was uploading too slowly and was not finished.", name=named)
    if isinstance(error, NoRoomError):
        return _("There is not enough space for “%(name)s” at the moment. Tell the person who asked you for it.", name=named)
    if isinstance(error, NotOpenError | TransferClosedError):
        return _("Nothing can be sent here any more.")
    if isinstance(error, TooManyRequestsError):
        return with_again(_("Too many files have been sent here recently."), error)
    if isinstance(error, NotProtectedError):
        return _(
            "“%(name)s” was refused: it must be encrypted first, which needs an up-to-date browser with scripts.", name=named
        )
    if isinstance(error, TooManyUploadsError):
        return _("Too many files are being sent at the moment. Try again in a few minutes.")
    return _("“%(name)s” was refused.", name=named)


def _limit_words(error: OverLimitError, name: str) -> str:
    most = error.most
    if error.limit is Limit.TYPE:
        return _("“%(name)s” was refused: files of this type are not allowed here.", name=name)
    if error.limit is Limit.FILE:
        return _("“%(name)s” was refused: a file can be at most %(size)s.", name=name, size=file_size(most))
    if error.limit is Limit.TRANSFER:
        return _("“%(name)s” was refused: all files can be at most %(size)s in total.", name=name, size=file_size(most))
    if error.limit is Limit.PERSON:
        return _(
            "“%(name)s” was refused: your large files can take %(size)s in total. Close some that you no longer "
"need.",
            name=name, size=file_size(most),
        )  # fmt: skip
    if error.limit is Limit.FILES:
        return _("“%(name)s” was refused: at most %(count)s files can be sent at a time.", name=name, count=number(most))
    if error.limit is Limit.TRANSFERS:
        return _("You already have %(count)s links. Close some that you no longer need.", count=number(most))
    if error.limit is Limit.PACE:
        return _("You have created %(count)s links within an hour. Try again in an hour.", count=number(most))
    return _("“%(name)s” was refused: the server has no space left. Tell your administrator.", name=name)


def adding_words() -> dict[str, str]:
    """The same, where files are added to what was sent."""
    then = _("The files are still being uploaded. They will be added once all have arrived: leave this page open.")
    return upload_words() | {"then": then}


def upload_words() -> dict[str, str]:
    """What the page's script says; {...} is filled in there."""
    return {
        "units": _("bytes KB MB GB TB"),
        "waits": _("{size} · waiting"),
        "going": _("{percent}% · {speed}/s · {left}"),
        "left": _("{minutes} min left"),
        "soon": _("less than a minute left"),
        "paused": _("Paused at {percent}%"),
        "retry": _("Connection lost. Trying again in {seconds} s."),
        "here": _("{size} · uploaded"),
        "out": _("You were signed out. Sign in in another tab, then press “Resume”."),
        "failed": _("Not uploaded: the server refused it."),
        "pause": _("Pause"),
        "go": _("Resume"),
        "remove": _("Remove"),
        "all": _("Uploaded: {done} of {count} · {percent}% · {left}"),
        "over": _("All files are uploaded."),
        "then": _("The files are still being uploaded. They will be sent once all have arrived: leave this page open."),
        "not": _("Some files were not uploaded. Remove them, or try again."),
    }
