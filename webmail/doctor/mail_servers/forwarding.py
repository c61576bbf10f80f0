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
from webmail.doctor.result import lazy_gettext as _l

PLACE = ("127.0.0.1", 8894)  # as in deploy/traboule-milter.service
DOVECOT = Path("/etc/dovecot/dovecot.conf")  # as in deploy/dovecot/render.py
_NAME, _ANSWERS = "Forwarding", "Automatic replies"


def examine(settings: Settings, position: tuple[str, int] = PLACE) -> Iterator[CheckResult]:
    """Nothing where people have no filters, or forwarding is held nowhere or everywhere."""
    if settings.sieve is None or settings.forwarding not in ("inside", "domains"):
        return
    about = {"setting": f'forwarding = "{settings.forwarding}"', "place": "{}:{}".format(*position)}
    if not settings.authserv_id:
        words = _l(
            "only the pages hold %(setting)s (the milter needs authserv_id): another program’s script can forward anywhere. See "
            "“Forwarded mail” in docs/administrator/senders.md.",
            **about,
        )
        yield CheckResult(_NAME, WARNING, words)
    elif not postfix.is_here(settings):
        return  # where its milter would be is not known
    elif milter.answers(position, settings.server_timeout):
        yield CheckResult(_NAME, OK, _l("the milter that holds %(setting)s at delivery answers.", **about))
    else:
        words = _l(
            "no milter answers at %(place)s, which should hold %(setting)s: a script of another program may forward anywhere. Is "
            "the service traboule-milter running? See “Forwarded mail” in docs/administrator/senders.md.",
            **about,
        )
        yield CheckResult(_NAME, WARNING, words)


def answers(settings: Settings, position: tuple[str, int] = PLACE, dovecot: Path = DOVECOT) -> Iterator[CheckResult]:
    """Whether a script of another program answers under its owner's addresses alone. Nothing for a server elsewhere."""
    if settings.sieve is None or not postfix.is_here(settings):
        return
    if not (settings.authserv_id and milter.answers(position, settings.server_timeout)):
        words = _l(
            "no milter holds them to their owner’s addresses: a script of another program can answer in anybody’s name. See "
            "“Forged senders” in docs/administrator/senders.md."
        )
        yield CheckResult(_ANSWERS, WARNING, words)
    elif not _tells_whose(dovecot):
        words = _l(
            "%(file)s is of an earlier version: the milter is not told whose they are. Write it again with "
            "deploy/dovecot/render.py. See “Forged senders” in docs/administrator/senders.md.",
            file=dovecot,
        )
        yield CheckResult(_ANSWERS, WARNING, words)
    else:
        words = _l("they leave under their owner’s addresses alone: the milter that holds them to it answers.")
        yield CheckResult(_ANSWERS, OK, words)


def _tells_whose(dovecot: Path) -> bool:
    """Whether Dovecot's configuration has what the milter needs; what can't be read is taken for right."""
    try:
        return "\nsieve_vacation_send_from_recipient = yes\n" in dovecot.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
