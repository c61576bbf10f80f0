"""Doctor: whether the FileSender that sends large files answers, and takes what this machine signs."""

from __future__ import annotations

from collections.abc import Iterator

from webmail.config import connected_services
from webmail.config.settings import Settings
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult
from webmail.errors import ServerAwayError
from webmail.filesender import access, signing
from webmail.filesender.client import FileSenderError, FileSenderServer, RemoteRefusal

_NAME = "FileSender"
_NOBODY = "nobody"  # of whom it is asked: somebody who has nothing there
_WORDS = {
    RemoteRefusal.SIGNATURE: "does not take our signature: compare secret with that in its auth_remote_applications, algorithm "
    "with its auth_remote_signature_algorithm, and the name of the host in url with its web server's server_name.",
    RemoteRefusal.UNKNOWN: "knows no such application: its auth_remote_applications must name the one in application.",
    RemoteRefusal.CLOCK: "says that we sign too late: the clock of this machine is slow, or that of FileSender fast. Set both "
    "by a time service.",
    RemoteRefusal.FORBIDDEN: "lets the application do nothing: set auth_remote_application_enabled, and its acl.",
}


def examine(settings: Settings) -> Iterator[CheckResult]:
    """Nothing where there is none; else one line."""
    given = settings.filesender
    if given is None:
        return
    mine = access.by_application(f"{_NOBODY}@{settings.domain}", settings)
    if mine is None and "filesender" not in connected_services.chosen(settings.services):
        words = "nobody can send: set application and secret, or name filesender in services."
        yield CheckResult(_NAME, PROBLEM, words)
        return
    asked = FileSenderServer(mine or access.own(_NOBODY, "", settings))
    try:
        skew = asked.info().skew
        if mine is not None:
            asked.transfers()
    except FileSenderError as error:
        yield CheckResult(_NAME, PROBLEM, _WORDS.get(error.refusal) or f"refuses us: {error.told or error.refusal}.")
    except ServerAwayError as error:
        yield CheckResult(_NAME, PROBLEM, f"{given.url} does not answer as a FileSender: {error}.")
    else:
        yield _of_clock(skew)


def _of_clock(skew: float | None) -> CheckResult:
    """It answered; how far its clock is from ours."""
    if skew is not None and skew > signing.PATIENCE / 2:
        words = f"answers, but its clock is {skew:.0f} s ahead of ours: above {signing.PATIENCE} it refuses all. Set both right."
        return CheckResult(_NAME, WARNING, words)
    return CheckResult(_NAME, OK, "answers, and takes what we sign.")
