"""Sort orders: their names in the menu, and the words of the links to the pages before and after."""

from __future__ import annotations

from typing import NamedTuple

from webmail.mailbox.blueprint import blueprint
from webmail.web.formatting import lazy_text as _l
from webmail.web.formatting import translated as _

_NAMES = {
    "date": _l("Newest first"), "oldest": _l("Oldest first"), "sent": _l("Date sent"), "from": _l("Sender"),
    "subject": _l("Subject"), "size": _l("Largest first"), "unread": _l("Unread first"), "flagged": _l("Flagged first"),
}  # fmt: skip


class PageWords(NamedTuple):
    """What the links to the page before and the page after lead to, in a word and as a title."""

    before: str
    after: str
    before_title: str
    after_title: str


@blueprint.app_template_global()
def sort_names(choices: set[str]) -> list[tuple[str, str]]:
    """The orders that a list offers, as (name, label)."""
    return [(name, str(label)) for name, label in _NAMES.items() if name in choices]


@blueprint.app_template_global()
def sort_button(sort: str, choices: set[str]) -> str:
    """The words of the Sort button, which names an order other than the usual one."""
    if sort == "date" or sort not in choices:
        return _("Sort")
    order = str(_NAMES[sort])
    return _("Sort: %(order)s") % {"order": order[:1].lower() + order[1:]}


@blueprint.app_template_global()
def page_words(sort: str) -> PageWords:
    """The words for neighbouring pages in this order."""
    newer, older = (_("Newer"), _("Newer messages")), (_("Older"), _("Older messages"))
    others = (_("Previous"), _("Previous page")), (_("Next"), _("Next page"))
    before, after = {"date": (newer, older), "oldest": (older, newer)}.get(sort, others)
    return PageWords(before[0], after[0], before[1], after[1])
