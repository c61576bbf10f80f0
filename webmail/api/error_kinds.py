"""Kinds of errors: which problem an error of the parts behind is, and what can be said of it."""

from __future__ import annotations

from webmail.api.problems import ProblemError
from webmail.errors import MailError, NotAllowedError
from webmail.rate_limits import TooManyRequestsError
from webmail.storage import StorageAwayError
from webmail.transfers.limits import Limit, OverLimitError
from webmail.transfers.texts.refusals import refusal_words
from webmail.transfers.uploads.upload_bodies import RETRY_SECONDS, TooManyUploadsError, UploadBusyError, UploadTooSlowError

_OF_ROOM = (Limit.PERSON, Limit.TOTAL, Limit.TRANSFERS)
_BY_STATUS = {
    400: "invalid", 401: "no-mail", 403: "not-allowed", 404: "not-found", 408: "away", 409: "conflict", 410: "over",
    413: "too-large", 422: "invalid", 423: "busy", 502: "away", 503: "away", 507: "no-room",
}  # fmt: skip


def problem_of(error: MailError) -> ProblemError:
    """In the words of the pages where they have any."""
    if isinstance(error, TooManyRequestsError):
        return ProblemError("too-many", headers={"Retry-After": str(error.seconds or 60)})
    if isinstance(error, OverLimitError):
        if error.limit is Limit.PACE:
            return ProblemError("too-many", refusal_words(error), headers={"Retry-After": "600"})
        kind = "invalid" if error.limit is Limit.TYPE else "no-room" if error.limit in _OF_ROOM else "too-large"
        told = refusal_words(error, "…")
        return ProblemError(kind, told, limit=error.most) if error.most else ProblemError(kind, told)
    if isinstance(error, TooManyUploadsError | UploadBusyError):
        return ProblemError("busy", headers={"Retry-After": str(RETRY_SECONDS)})
    if isinstance(error, UploadTooSlowError | StorageAwayError):
        return ProblemError("away", headers={"Retry-After": "10"})
    if isinstance(error, NotAllowedError):
        return ProblemError("not-allowed")
    kind = _BY_STATUS.get(error.status, "failed")
    headers = {"Retry-After": "30"} if kind in ("away", "busy") else {}
    return ProblemError(kind, headers=headers)
