"""Doctor, forwarding: whether anything beside the pages holds the setting `forwarding`, and automatic answers to their owner's
addresses.

People upload scripts with other programs too; deploy/milter holds what those send on (see "Forwarded mail" in
docs/administrator/senders.md). It is asked in its own protocol, where it would be: beside a Postfix on this machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from webmail.config.settings import Settings
from webmail.doctor.mail_servers import milter, postfix
from webmail.doctor.result import OK, WARNING, CheckResult

PLACE = ("127.0.0.1", 8894)  # as in deploy/traboule-milter.service
DOVECOT = Path("/etc/dovecot/dovecot.conf")  # as in deploy/dovecot/render.py
_NAME, _ANSWERS = "Forwarding", "Automatic replies"
_ADVICE = 'See "Forwarded mail" in docs/administrator/senders.md.'


def examine(settings: Settings, position: tuple[str, int] = PLACE) -> Iterator[CheckResult]:
    """Nothing where people have no filters, or forwarding is held nowhere or everywhere."""
    if settings.sieve is None or settings.forwarding not in ("inside", "domains"):
        return
    held = f'forwarding is "{settings.forwarding}"'
    if not settings.authserv_id:
        words = (
            f"{held}, but only the pages hold it (the milter needs authserv_id): another program's script can forward anywhere."
        )
        yield CheckResult(_NAME, WARNING, f"{words} {_ADVICE}")
    elif not postfix.is_here(settings):
        return  # where its milter would be is not known
    elif milter.answers(position, settings.server_timeout):
        yield CheckResult(_NAME, OK, f"{held}, and the milter that holds it at delivery answers.")
    else:
        words = f"{held}, but no milter answers at {position[0]}:{position[1]}: a script of another program may forward anywhere."
        yield CheckResult(_NAME, WARNING, f"{words} Is the service traboule-milter running? {_ADVICE}")


def answers(settings: Settings, position: tuple[str, int] = PLACE, dovecot: Path = DOVECOT) -> Iterator[CheckResult]:
    """Whether a script of another program answers under its owner's addresses alone. Nothing for a server elsewhere."""
    if settings.sieve is None or not postfix.is_here(settings):
        return
    advice = 'See "Forged senders" in docs/administrator/senders.md.'
    if not (settings.authserv_id and milter.answers(position, settings.server_timeout)):
        words = "no milter holds them to their owner's addresses: a script of another program can answer in anybody's name."
        yield CheckResult(_ANSWERS, WARNING, f"{words} {advice}")
    elif not _tells_whose(dovecot):
        words = f"{dovecot} is of an earlier version: the milter is not told whose they are."
        yield CheckResult(_ANSWERS, WARNING, f"{words} Write it again with deploy/dovecot/render.py. {advice}")
    else:
        yield CheckResult(
            _ANSWERS, OK, "they leave under their owner's addresses alone: the milter that holds them to it answers."
        )


def _tells_whose(dovecot: Path) -> bool:
    """Whether Dovecot's configuration has what the milter needs; what can't be read is taken for right."""
    try:
        return "\nsieve_vacation_send_from_recipient = yes\n" in dovecot.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
