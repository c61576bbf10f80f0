"""Dovecot reports of sign-ins: it tells which app password was used, over which protocol and from where, and who tried a wrong
password (its "auth policy" requests).

It does so after each sign-in, and nobody waits for the answer. Only for programs on this machine that know the key.
"""

from __future__ import annotations

import logging

from flask import Response, jsonify, request

from webmail.auth.address_owners import account_of
from webmail.auth.blueprint import blueprint
from webmail.auth.devices import app_passwords, cloud_programs, failures
from webmail.auth.guard import public
from webmail.auth.sessions.sessions import network_of
from webmail.auth.sign_in.names import normalise
from webmail.database.connection import DATABASE_AWAY
from webmail.models import User
from webmail.web.current import settings
from webmail.web.from_dovecot import refuse_others

log = logging.getLogger(__name__)

_WRONG = ("credentials", "account")  # what Dovecot calls a wrong password: none of the account's; no app password


@blueprint.post("/dovecot/sign-ins")
@public
def take_report() -> Response:
    """404 for everybody but Dovecot."""
    refuse_others()
    report = request.get_json(force=True, silent=True)
    if isinstance(report, dict) and report.get("success") is True:
        _note(report)
        _note_cloud_program(report, refused=False)
    elif isinstance(report, dict) and report.get("success") is False and report.get("fail_type") in _WRONG:
        _note_failure(report)
    return jsonify(status=0)  # Dovecot expects an answer to its question whether to let somebody in, which it does not ask


def _note(report: dict[str, object]) -> None:
    number, protocol = str(report.get("app_password") or ""), str(report.get("protocol") or "")
    if not (number.isascii() and number.isdigit() and len(number) < 19 and protocol in app_passwords.PROTOCOLS):
        return
    try:
        app_passwords.used(int(number), protocol, network_of(str(report.get("remote") or "")))
    except DATABASE_AWAY as error:
        log.warning("the use of an app password is not recorded: %s", error)


def _note_cloud_program(report: dict[str, object], *, refused: bool) -> bool:
    """Whether it was a program of the setting; no query where it was none. Where it is refused, no password was looked at."""
    network = network_of(str(report.get("remote") or ""))
    program = cloud_programs.program_at(network, settings())
    if program is None or (refused and not program.block):
        return False
    try:
        user = account_of(normalise(str(report.get("login") or "")[:254], settings().domain))
        if user is not None:
            cloud_programs.note(user, network, settings(), refused=refused)
    except DATABASE_AWAY as error:
        log.warning("the use of a cloud program is not recorded: %s", error)
    return True


def _note_failure(report: dict[str, object]) -> None:
    if _note_cloud_program(report, refused=True):
        return
    protocol, address = str(report.get("protocol") or ""), normalise(str(report.get("login") or "")[:254], settings().domain)
    try:
        if protocol in app_passwords.PROTOCOLS and address and User.select().where(User.address == address).exists():
            failures.note(address, protocol, network_of(str(report.get("remote") or "")))
    except DATABASE_AWAY as error:
        log.warning("a device's wrong password is not recorded: %s", error)
