"""Rounds of the doctor: what the worker asks it to look at again and again, and when an administrator wants it now."""

from __future__ import annotations

from webmail.admin.watching import check_notes, check_requests, dns_notes
from webmail.database.connection import db
from webmail.doctor import checks
from webmail.doctor.zone import comparing
from webmail.tasks.periodic import PeriodicRun


def note_checks(run: PeriodicRun) -> None:
    """All checks, with what is known of DNS: nobody asks for forty records each hour."""
    with db.connection_context():
        known = dns_notes.listed()
    with run.context():
        found = list(checks.examine(run.settings, dns_found=known))
    with db.connection_context():
        check_notes.replace((one.name, one.state, str(one.words), one.days) for one in found)


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
