"""First walk: from signing in to one's first recovery address, without typing the password once more on the way. Once.

Whoever copies the session's cookie a minute later must not walk it again, with an address of their own. So the session has a
mark, which the first page of the walk uses up: what goes on from there is a number that this page alone holds.
"""

from __future__ import annotations

import hmac
import secrets
import time

from flask import request, session, url_for

from webmail.auth.blueprint import blueprint
from webmail.auth.factors.second_step import Factor
from webmail.auth.guard import FACTOR, step_to_do
from webmail.auth.providers import directory
from webmail.auth.recovery import recovery_address
from webmail.auth.sessions.cookies import visit
from webmail.auth.sessions.sessions import hash_token
from webmail.auth.sign_in.first_steps import FirstStep
from webmail.models import User
from webmail.web.current import settings

_WALK = "walk"  # in the session: since when (seconds since 1970), and the SHA-256 of the page's number once one was shown
_LIFE = 10 * 60


def lead_on(user: User, target: str, *, typed: bool) -> str:
    """Where to go on after a step of signing in: to the page that asks for a recovery address, or on to `target`.

    `typed`: whether the person has just proved here who they are, by their password and a factor if they have one; or walks
    already.
    """
    page = url_for("auth.show_recovery")
    asked = target.startswith(page)
    if not asked and "kept" not in session and recovery_address.is_time_to_ask(user, settings()):
        asked, target = True, url_for("auth.show_recovery", first=1, next=target)
    step = step_to_do()
    if typed and (step in (FirstStep.TERMS, FirstStep.RECOVERY) or (asked and step is None)):
        session[_WALK] = [int(time.time()), ""]
    return target


def typed_here(user: User) -> bool:
    """Whether this session began with all that proves who somebody is: not by a provider's word, a voucher, a trusted browser."""
    row = visit().row
    if row is None or row.provider not in ("", directory.PROVIDER):
        return False
    return not user.second_step or session.get(FACTOR) not in (None, Factor.VOUCHER)


@blueprint.app_template_global()
def walk_number() -> str:
    """The number for the forms of a page of the walk: a new one on the page that is shown first, then what came with its form."""
    since, kept = session.get(_WALK, (0, ""))
    if kept or time.time() > since + _LIFE:
        return request.form.get("walk", "") if walks() else ""
    number = secrets.token_urlsafe(16)
    session[_WALK] = [since, hash_token(number)]
    return number


def walks() -> bool:
    """Whether the form that was sent comes from a page of the walk."""
    since, kept = session.get(_WALK, (0, ""))
    right = hmac.compare_digest(hash_token(request.form.get("walk", "")[:100]), kept)
    return bool(kept) and right and time.time() <= since + _LIFE


def has_walked() -> None:
    session.pop(_WALK, None)
