"""What the pages of filters share: who may see them, and what to say when the server does not play along."""

from __future__ import annotations

from collections.abc import Callable

from flask import abort, request
from flask_babel import LazyString
from flask_babel import gettext as _

from webmail.errors import MailError, OverQuotaError, ServerAwayError, SignInRefusedError
from webmail.filters import store
from webmail.filters.blueprint import blueprint
from webmail.filters.store import FiltersChangedError, FilterState
from webmail.managesieve import ScriptRefusedError
from webmail.web.current import current_account, settings
from webmail.web.formatting import lazy_text as _l

_when_loaded: list[Callable[[FilterState], object]] = []


def when_loaded(act: Callable[[FilterState], object]) -> None:
    """Do this with the state of whoever asks whenever a page has read them from the server: they may have changed there."""
    _when_loaded.append(act)


def loaded_state() -> FilterState:
    """The filters of whoever asks, from the server. Raises what `store.load` raises."""
    state = store.load(current_account())
    for act in _when_loaded:
        act(state)
    return state


@blueprint.before_request
def refuse_without_server() -> None:
    """Without a ManageSieve server there are no such pages, nor links to them. Archiving needs none."""
    if settings().sieve is None and not request.path.startswith("/archiving"):
        abort(404)


_TABS = (
    ("filters.show_filters", _l("Your filters")),
    ("filters.show_senders", _l("Senders")),
    ("filters.show_import", _l("Import")),
    ("filters.list_scripts", _l("Scripts")),
)


@blueprint.app_template_global()
def filter_tabs() -> tuple[tuple[str, LazyString], ...]:
    """Endpoints and labels of the pages that belong to filters."""
    return _TABS


def trouble_words(error: MailError) -> str:
    """Why filters could not be read or stored, and what to do, for a page that keeps what was typed."""
    match error:
        case FiltersChangedError():
            return _("Your filters were changed in another window. Check them below, then save again.")
        case OverQuotaError():
            return _("There is no space left for your filters on the mail server. Remove some, then save again.")
        case ScriptRefusedError():
            return _("The mail server did not accept this. Nothing was changed. Its answer: %(words)s", words=error.words[:500])
        case SignInRefusedError():
            return _("The mail server refused access. Sign out and in again.")
        case ServerAwayError():
            return _(
                "The mail server’s filter service is not responding. Nothing was changed. Please try again in a few minutes."
            )
    return _("This could not be saved. Nothing was changed.")
