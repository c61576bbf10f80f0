"""What the pages of filters share: who may see them, and what to say when the server does not play along."""

from __future__ import annotations

from flask import abort
from flask_babel import gettext as _

from webmail.errors import MailError, OverQuota, ServerAway, SignInRefused
from webmail.filters.blueprint import blueprint
from webmail.filters.store import FiltersChanged
from webmail.managesieve import ScriptRefused
from webmail.web.current import settings


@blueprint.before_request
def refuse_without_server() -> None:
    """Without a ManageSieve server there are no such pages, nor links to them."""
    if settings().sieve is None:
        abort(404)


@blueprint.app_template_global()
def filters_are_offered() -> bool:
    return settings().sieve is not None


def trouble_words(error: MailError) -> str:
    """Why filters could not be read or stored, and what to do, for a page that keeps what was typed."""
    match error:
        case FiltersChanged():
            return _("Your filters were changed in another window meanwhile. Look at them below, then save again.")
        case OverQuota():
            return _("There is no room left for your filters on the mail server. Remove some, then save again.")
        case ScriptRefused():
            return _("The mail server did not accept this. Nothing was changed. Its answer: %(words)s", words=error.words[:500])
        case SignInRefused():
            return _("The mail server did not let us in. Sign out and in again.")
        case ServerAway():
            return _(
                "The mail server’s filter service is not responding. Nothing was changed. Please try again in a few minutes."
            )
    return _("This could not be saved. Nothing was changed.")
