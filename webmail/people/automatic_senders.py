"""Automatic senders: addresses that belong to programs and newsletters by their names, and are nobody to write to."""

from __future__ import annotations

import re

_WHOLE = """mailer-daemon postmaster daemon listserv majordomo mailman bounce bounces newsletter newsletters news notification
notifications notify notifier alert alerts alerte alertes robot bot automailer autoreply auto-reply auto-confirm abuse root
nobody null infolettre lettre-info mailing marketing promo promotions feedback unsubscribe desinscription"""
_NAMES = frozenset(_WHOLE.split())
_PARTS = re.compile(
    r"""(?: no[._-]?repl(?:y|ies) | (?:do[._-]?)?not[._-]?repl(?:y|ies) | ne[._-]?pas[._-]?re?pondre | pas[._-]?de[._-]?reponse
    | sans[._-]?reponse | (?:^|[._+-])(?:bounces?|notifications?|newsletters?|mailer-daemon)(?:$|[._+=-])
    | (?:-|^)(?:owner|request|unsubscribe|subscribe)(?:-|$) )""",
    re.VERBOSE,
)


def is_automatic(email: str) -> bool:
    """Whether the part before the @ says that nobody reads what is sent there. For lower case."""
    local = email.rpartition("@")[0]
    return local in _NAMES or local.partition("+")[0] in _NAMES or bool(_PARTS.search(local))
