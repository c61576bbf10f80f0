"""From Dovecot: requests of the mail server on this machine, which knows the key. Nobody else is even answered."""

from __future__ import annotations

import hmac
import ipaddress

from flask import abort, request

from webmail.web.current import settings

_LONGEST = 4096  # bytes of a report


def refuse_others() -> None:
    """404 for everybody but Dovecot, 413 for a report that is too long. Such views need no CSRF token: they have a key instead,
    which no browser knows."""
    if not _is_dovecot():
        abort(404)
    if (request.content_length or 0) > _LONGEST:
        abort(413)


def _is_dovecot() -> bool:
    key, given = settings().doveadm_key, request.headers.get("X-Traboule-Key", "")
    if not key or not hmac.compare_digest(key.encode(), given.encode()):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
