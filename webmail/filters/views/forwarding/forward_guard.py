"""Guard of forwarding: filters and scripts that send mail on to new addresses, which a factor is asked for first.

Else whoever finds a browser signed in would use them in place of the page of forwarding.
"""

from __future__ import annotations

from collections.abc import Iterable

from flask import request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.auth.guard import confirm_first
from webmail.auth.sessions.interrupted_forms import is_interrupted
from webmail.auth.sessions.user_agent import describe
from webmail.errors import MailError
from webmail.filters import script_files, store
from webmail.filters.forwarding import forward_targets, script_redirects
from webmail.filters.rules.rules import ActionKind, FilterRule
from webmail.models import AuditAct
from webmail.web.audit import audited
from webmail.web.current import current_account, current_user
from webmail.web.security_mail import SecurityNotice, tell


def new_in_rules(rules: Iterable[FilterRule]) -> tuple[str, ...]:
    """Where these rules forward, but for addresses that were chosen for forwarding, or that a rule has already.

    A query where there are such actions, and 3 ManageSieve round trips where it does not know them all.
    """
    new = _targets(rules)
    if new:
        new -= forward_targets.confirmed(current_user())
    if new:
        try:
            new -= _targets(store.load(current_account()).filters.rules)
        except MailError:
            return tuple(sorted(new))
    return tuple(sorted(new))


def new_in_script(name: str, text: str) -> tuple[str, ...]:
    """Where this text of a script sends mail on, but for addresses that stand in it already. 2 round trips where it does.

    What a variable says is always new: it may be set to another address.
    """
    new = set(script_redirects.in_script(script_files.with_crlf(text)))  # as it will be stored: a CR alone ends a comment then
    if new:
        try:
            before, _active = script_files.read(current_account(), name)
        except MailError:
            return tuple(sorted(new))
        new -= {one for one in script_redirects.in_script(before) if not script_redirects.may_change(one)}
    return tuple(sorted(new))


def factor_first(new: tuple[str, ...]) -> Response | None:
    """The way to the page that asks for a factor, None where none is needed; the form is sent again by a click after it."""
    return confirm_first() if new else None


def form_is_kept() -> bool:
    """Whether the form that `factor_first` interrupted will come back: a long one does not."""
    return is_interrupted()


def confirm_elsewhere_words() -> str:
    """For a form that would be lost."""
    return _(
        "This forwards mail to new addresses. Confirm first that it is you, in another tab (%(page)s). Then save here again.",
        page=url_for("auth.show_confirm", _external=True),
    )


def told(new: tuple[str, ...]) -> None:
    """Audit log, and a mail to the person: once it is stored."""
    if not new:
        return
    user, words = current_user(), ", ".join(new)[:500]
    audited(AuditAct.FORWARDING_SET, user.address, address=words)
    tell(user, SecurityNotice.FORWARDING_BY_FILTER, words, browser=describe(request.headers.get("User-Agent", "")))


def _targets(rules: Iterable[FilterRule]) -> set[str]:
    return {action.value.lower() for rule in rules for action in rule.actions if action.kind is ActionKind.FORWARD}
