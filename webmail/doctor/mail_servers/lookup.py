"""Doctor, look-ups of the mail server: whether it can read the tables of accounts, which a sign-in by token asks none of."""

from __future__ import annotations

import contextlib
import imaplib
import ssl
from collections.abc import Iterator

from imapclient import IMAPClient

from webmail.config.settings import Settings
from webmail.doctor.result import OK, PROBLEM, CheckResult, why
from webmail.doctor.result import lazy_gettext as _l

_NAME = "Mail passwords"
_NOT_NOW = ("UNAVAILABLE", "TEMPORARY")  # what Dovecot says of anybody where it can't look


def examine(settings: Settings, context: ssl.SSLContext | None) -> Iterator[CheckResult]:
    """Ask for somebody whom there is not. Raises as imapclient does where the server is away."""
    server = settings.imap
    client = IMAPClient(server.host, server.port, ssl=server.security == "tls", ssl_context=context, timeout=server.timeout)
    try:
        if server.security == "starttls":
            client.starttls(context)
        client.login(f"nobody.of.this.name@{settings.domain or 'localhost'}", "doctor")
    except imaplib.IMAP4.error as error:
        if any(word in str(error).upper() for word in _NOT_NOW):
            words = _l(
                "the mail server can’t look anybody up (%(why)s), so mail programs can’t sign in. Its log names the table or "
                "file. A role of PostgreSQL needs SELECT on four tables; an SQLite file and its folder must be open to the "
                "group of the process that reads it (see the checks of the database).",
                why=why(error),
            )
            yield CheckResult(_NAME, PROBLEM, words)
        else:
            yield CheckResult(_NAME, OK, _l("the mail server looks them up."))
    finally:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            client.shutdown()
