"""Milter command: `python3 -m deploy.milter --settings /var/lib/traboule/config.toml` waits for Postfix's questions."""

from __future__ import annotations

import logging
import sys

import Milter

from deploy.milter import checks, colleague, settings
from deploy.milter.owners import Owners
from deploy.milter.session import Session

POSTFIX_WAITS = 300  # seconds


def main(arguments: list[str]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        Session.settings = settings.read(arguments)
        Session.owners = Owners(Session.settings.senders)
        Session.proven = colleague.verifier(Session.settings.secret)
    except (settings.SettingsError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    checks.use_seconds(Session.settings.dns_seconds)
    if Session.settings.resolver:
        checks.use_resolver(*Session.settings.resolver)
    Milter.factory = Session
    Milter.set_flags(Milter.ADDHDRS | Milter.CHGHDRS)
    Milter.set_exception_policy(Milter.TEMPFAIL)
    Milter.runmilter("traboule", Session.settings.socket, POSTFIX_WAITS)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
