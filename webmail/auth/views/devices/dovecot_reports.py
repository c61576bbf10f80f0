"""Dovecot reports of sign-ins: it tells which app password was used, over which protocol and from where, and who tried a wrong
password (its "auth policy" requests).

It does so after each sign-in, and nobody waits for the answer. Only for programs on this machine that know the key.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging

from flask import Response, abort, jsonify, request

from webmail.auth.blueprint import blueprint
from webmail.auth.devices import app_passwords, failures
from webmail.auth.guard import public
from webmail.auth.sessions.sessions import network_of
from webmail.auth.sign_in.names import normalise
from webmail.database.connection import DATABASE_AWAY
from webmail.models import User
from webmail.web.current import settings

log = logging.getLogger(__name__)

_LONGEST = 4096  # bytes of a report
_WRONG = ("credentials", "account")  # what Dovecot calls a wrong password: none of the account's; no app password


@blueprint.post("/dovecot/sign-ins")
@public
def take_report() -> Response:
    """404 for everybody but Dovecot. Needs no CSRF token: it has a key instead, which no browser knows."""
    if not _is_dovecot():
        abort(404)
    if (request.content_length or 0) > _LONGEST:
        abort(413)
    report = request.get_json(force=True, silent=True)
    if isinstance(report, dict) and report.get("success") is True:
        _note(report)
    elif isinstance(report, dict) and report.get("success") is False and report.get("fail_type") in _WRONG:
        _note_failure(report)
    return jsonify(status=0)  # Dovecot expects an answer to its question whether to let somebody in, which it does not ask


def _is_dovecot() -> bool:
    key, given = settings().doveadm_key, request.headers.get("X-Traboule-Key", "")
    if not key or not hmac.compare_digest(key.encode(), given.encode()):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _note(report: dict[str, object]) -> None:
    number, protocol = str(report.get("app_password") or ""), str(report.get("protocol") or "")
    if not (number.isascii() and number.isdigit() and len(number) < 19 and protocol in app_passwords.PROTOCOLS):
        return
    try:
        app_passwords.used(int(number), protocol, network_of(str(report.get("remote") or "")))
    except DATABASE_AWAY as error:
        log.warning("the use of an app password is not recorded: %s", error)


def _note_failure(report: dict[str, object]) -> None:
    protocol, address = str(report.get("protocol") or ""), normalise(str(report.get("login") or "")[:254], settings().domain)
    try:
        if protocol in app_passwords.PROTOCOLS and address and User.select().where(User.address == address).exists():
            failures.note(address, protocol, network_of(str(report.get("remote") or "")))
    except DATABASE_AWAY as error:
        log.warning("a device's wrong password is not recorded: %s", error)
