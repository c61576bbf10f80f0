"""Doctor: whether the FileSender that sends large files answers, and takes what this machine signs."""

from __future__ import annotations

from collections.abc import Iterator

from webmail.config import connected_services
from webmail.config.settings import Settings
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, why
from webmail.doctor.result import lazy_gettext as _l
from webmail.errors import ServerAwayError
from webmail.filesender import access, signing
from webmail.filesender.client import FileSenderError, FileSenderServer, RemoteRefusal

_NAME = "FileSender"
_NOBODY = "nobody"  # of whom it is asked: somebody who has nothing there
_WORDS = {
    RemoteRefusal.SIGNATURE: _l(
        "refuses our signature: compare secret with that in its auth_remote_applications, algorithm with its "
        "auth_remote_signature_algorithm, and the name of the host in url with its web server’s server_name."
    ),
    RemoteRefusal.UNKNOWN: _l("knows no such application: its auth_remote_applications must name the one in application."),
    RemoteRefusal.CLOCK: _l(
        "says that we sign too late: the clock of this machine is slow, or that of FileSender fast. Set both by a time service."
    ),
    RemoteRefusal.FORBIDDEN: _l("lets the application do nothing: set auth_remote_application_enabled, and its acl."),
}


def examine(settings: Settings) -> Iterator[CheckResult]:
    """Nothing where there is none; else one line."""
    given = settings.filesender
    if given is None:
        return
    mine = access.by_application(f"{_NOBODY}@{settings.domain}", settings)
    if mine is None and "filesender" not in connected_services.chosen(settings.services):
        words = _l("nobody can send: set application and secret, or name filesender in services.")
        yield CheckResult(_NAME, PROBLEM, words)
        return
    asked = FileSenderServer(mine or access.own(_NOBODY, "", settings))
    try:
        skew = asked.info().skew
        if mine is not None:
            asked.transfers()
    except FileSenderError as error:
        refused = _l("refuses us: %(why)s. Look at its log.", why=error.told or str(error.refusal))
        yield CheckResult(_NAME, PROBLEM, _WORDS.get(error.refusal) or refused)
    except ServerAwayError as error:
        words = _l("%(url)s does not answer as a FileSender: %(why)s. Check url and the network.", url=given.url, why=why(error))
        yield CheckResult(_NAME, PROBLEM, words)
    else:
        yield _of_clock(skew)


def _of_clock(skew: float | None) -> CheckResult:
    """It answered; how far its clock is from ours."""
    if skew is not None and skew > signing.PATIENCE / 2:
        words = _l(
            "answers, but its clock is %(seconds)s s ahead of ours: above %(most)s it refuses everything. Set both by a time "
            "service.",
            seconds=f"{skew:.0f}", most=signing.PATIENCE,
        )  # fmt: skip
        return CheckResult(_NAME, WARNING, words)
    return CheckResult(_NAME, OK, _l("answers, and accepts what we sign."))
