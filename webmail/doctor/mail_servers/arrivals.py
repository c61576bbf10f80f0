"""Doctor, arrivals: whether Dovecot tells of mail that arrives, by which replies to invitations are noted at once."""

from __future__ import annotations

from collections.abc import Iterator

from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY, db
from webmail.doctor.result import OK, WARNING, CheckResult
from webmail.doctor.result import lazy_gettext as _l
from webmail.message.arrivals import missed_mail

_NAME = "Mail that arrives"


def examine(settings: Settings) -> Iterator[CheckResult]:
    """Nothing where no token opens mailboxes to the worker, or no key is shared. 1 query."""
    if not (settings.token_key_file and settings.doveadm_key):
        return
    try:
        with db.connection_context():
            told = missed_mail.is_told()
    except DATABASE_AWAY:  # another check says so
        return
    if told:
        yield CheckResult(_NAME, OK, _l("Dovecot tells Traboule of it: replies to invitations are noted immediately."))
    else:
        words = _l(
            "Dovecot has told of none for a day: replies to invitations are noted minutes later. If mail did arrive, write its "
            "configuration again (deploy.dovecot.render, with --web) and restart it."
        )
        yield CheckResult(_NAME, WARNING, words)
