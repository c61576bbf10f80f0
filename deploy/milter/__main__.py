"""Milter command: `python3 -m deploy.milter --settings /var/lib/traboule/config.toml` waits for Postfix's questions."""

from __future__ import annotations

import logging
import sys

import Milter

from deploy.milter import checks
from deploy.milter.live import LiveRules
from deploy.milter.session import Session
from deploy.milter.settings import SettingsError

POSTFIX_WAITS = 300  # seconds


def main(arguments: list[str]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        Session.live = LiveRules(arguments)
    except (SettingsError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    given = Session.live.now().settings  # of the command, not of a file
    checks.use_seconds(given.dns_seconds)
    if given.resolver:
        checks.use_resolver(*given.resolver)
    Milter.factory = Session
    Milter.set_flags(Milter.ADDHDRS | Milter.CHGHDRS | Milter.CHGFROM)
    Milter.set_exception_policy(Milter.TEMPFAIL)
    Milter.runmilter("traboule", given.socket, POSTFIX_WAITS)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
