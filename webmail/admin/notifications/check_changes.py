"""Mail of checks: what has broken and what is well again, to administrators, each in their language, once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail import system_mail
from webmail.admin.watching import check_texts
from webmail.admin.watching.check_notes import CheckFinding
from webmail.admin.watching.check_states import StateChanges
from webmail.auth import account_batches, help_desk
from webmail.config.settings import Settings
from webmail.web.formatting import written_in
from webmail.web.public_links import public_link

_MOST = 40  # lines


def is_on(settings: Settings) -> bool:
    """Whether anything is sent of checks."""
    return settings.check_mail and bool(settings.system_address)


def tell(changes: StateChanges, found: Iterable[CheckFinding], settings: Settings) -> list[int]:
    """Queue one message for each administrator; returns their rows. In the transaction that noted the changes."""
    if not is_on(settings) or not (changes.broke or changes.well):
        return []
    by_name: dict[str, list[CheckFinding]] = {}
    for one in found:
        by_name.setdefault(one.name, []).append(one)
    rows, readers = [], help_desk.first_readers("", settings)
    accounts = account_batches.by_address(readers)
    for address in readers:
        user = accounts.get(address)
        language = system_mail.in_language_of(user, settings) if user else settings.language
        with written_in(language):
            row = system_mail.send(address, "checks", _subject(changes, settings), _body(changes, by_name, language), language)
        if row:
            rows.append(row.id)
    return rows


def _subject(changes: StateChanges, settings: Settings) -> str:
    if changes.broke:
        words = ngettext("%(num)d thing needs a look", "%(num)d things need a look", len(changes.broke))
    else:
        words = ngettext("%(num)d thing is well again", "%(num)d things are well again", len(changes.well))
    return _("%(name)s: %(words)s", name=settings.name, words=words)[: system_mail.LONGEST_SUBJECT]


def _body(changes: StateChanges, found: Mapping[str, list[CheckFinding]], language: str) -> str:
    parts = []
    if changes.broke:
        lines = ["- " + _line(name, _sentences(found[name], language)) for name in changes.broke[:_MOST]]
        parts.append("\n".join([_("Not well:"), *lines]))
    if changes.well:
        parts.append("\n".join([_("Well again:"), *(f"- {check_texts.title(name)}" for name in changes.well[:_MOST])]))
    if link := public_link("admin.checks_page"):
        parts.append(_("All checks: %(link)s", link=link))
    parts.append(_("Each is told once when it breaks, and once when it is well again."))
    return "\n\n".join(parts) + "\n"


def _line(name: str, text: str) -> str:
    return _("%(name)s: %(words)s", name=check_texts.title(name), words=text)


def _sentences(found: list[CheckFinding], language: str) -> str:
    return " ".join(one.texts.get(language, one.text) for one in found if one.state != "ok")
