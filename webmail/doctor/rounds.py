"""Rounds of the doctor: what the worker asks it to look at again and again, and when an administrator wants it now."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import force_locale

from webmail.admin.notifications import check_changes
from webmail.admin.watching import check_notes, check_requests, check_states, dns_notes
from webmail.admin.watching.check_notes import CheckFinding
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.doctor import checks
from webmail.doctor.result import CheckResult
from webmail.doctor.zone import comparing
from webmail.tasks.periodic import PeriodicRun
from webmail.web.formatting import LANGUAGES


def note_checks(run: PeriodicRun) -> None:
    """All checks, with what is known of DNS: nobody asks for forty records each hour. What broke, or is well again, is mailed."""
    with db.connection_context():
        known = dns_notes.listed()
    with run.context():
        results = list(checks.examine(run.settings, dns_found=known))
    with run.mailing():
        sent = note_and_tell(results, run.settings)
    run.deliver_system_mail(sent)


def note_and_tell(results: Iterable[CheckResult], settings: Settings) -> list[int]:
    """Store what was found, queue what is to be told of it; returns rows of system mail. Needs a database and application."""
    found = [_finding(one) for one in results]
    states: dict[str, str] = {}
    for one in found:
        states[one.name] = check_states.worst(states, one.name, one.state)
    check_notes.replace(found)
    with db.atomic():
        return check_changes.tell(check_states.take_in(states), found, settings)


def _finding(result: CheckResult) -> CheckFinding:
    texts = {}
    for language in LANGUAGES:
        with force_locale(language):
            texts[language] = str(result.words)
    return CheckFinding(result.name[:60], result.state, texts, result.days)


def note_dns(run: PeriodicRun) -> None:
    """What DNS answers, within a minute."""
    found = comparing.look(run.settings)
    with db.connection_context():
        dns_notes.replace(found)


_ROUNDS = {check_requests.DNS: note_dns, check_requests.DOCTOR: note_checks}


def note_requested(run: PeriodicRun) -> None:
    """What administrators asked for; DNS first, which the other tells too. A request ends even where its round breaks: the
    overview tells that, and a button that never comes back tells nothing."""
    with db.connection_context():
        wanted = check_requests.wanted()
    for name, do in _ROUNDS.items():
        if name in wanted:
            try:
                do(run)
            finally:
                with db.connection_context():
                    check_requests.done(name)
