"""Following by filters: folders that are renamed or deleted, contacts that change. Told here by the areas where that happens."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask import Flask, current_app, g, has_request_context, url_for
from flask_babel import gettext as _

from webmail.account import Account
from webmail.config.settings import Settings
from webmail.database.connection import thread_connection
from webmail.errors import MailError
from webmail.filters.rules import contact_rules, folder_rules
from webmail.filters.rules.rules import BadRuleError
from webmail.filters.views.sentences import rule_name
from webmail.models import User
from webmail.preferences import for_user
from webmail.web.current import after_the_answer, current_account, current_user, settings
from webmail.web.notices import notify


def follow_folder(user: User, now: Callable[[str], str], gone: bool) -> None:
    """The folder has its new name already: whatever goes wrong here is only said."""
    if not has_request_context() or settings().sieve is None:
        return
    link = {"url": url_for("filters.show_filters"), "text": _("Filters"), "here": True}
    try:
        found = folder_rules.follow(user, current_account(), settings(), now, gone)
    except (MailError, BadRuleError):
        words = _("The mail server’s filter service did not answer: if a filter uses this folder, change it there.")
        notify(words, "caution", link=link)
        return
    if found.left:
        words = _("A filter uses this folder, but another program has changed your filters: check them.")
        notify(words, "caution", link=link)
    for rule in found.off[:3]:
        words = _("The filter “%(name)s” used this folder. It is now off.", name=rule_name(rule))
        notify(words, "caution", link=link)


def follow_contacts(user: User) -> None:
    """The script of somebody else, whose shared book was changed, is renewed by a worker."""
    mine = has_request_context() and user == current_user()
    if contact_rules.contacts_changed(current_user() if mine else user) and mine:
        renew_after_answer()


def renew_after_answer() -> None:
    """Where the contacts in the person's filters are old, write those of now once this answer has gone. Once for each request."""
    user = current_user()
    if "filters_renewed" in g or settings().sieve is None or for_user(user).contacts_in_filters != contact_rules.STALE:
        return
    g.filters_renewed = True
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    after_the_answer(partial(_renew, app, user.id, current_account(), settings()))


def _renew(app: Flask, user_id: int, account: Account, at: Settings) -> None:
    with app.app_context(), thread_connection():
        contact_rules.renew(User.get_by_id(user_id), account, at)
