"""List request: which list is shown: mailbox, search, scope, sort order and page, as carried along in URLs and forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webmail.imap.lists.listing import SORTS
from webmail.imap.searching.sort_keys import ORDERS

SCOPES = ("", "below", "all")  # this mailbox; including its subfolders; all mailboxes
LONGEST_QUERY = 1000


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A list as described by its URL. Only values that differ from the defaults appear in URLs.

    `searched`: the words that led to this folder, which stay in the search box.
    """

    mailbox: str
    query: str = ""
    scope: str = ""
    sort: str = "date"
    page: int = 1
    searched: str = ""

    @classmethod
    def parse(cls, mailbox: str, args: Mapping[str, str]) -> ListRequest:
        """Parse the arguments of a URL or form; invalid values are replaced by defaults."""
        # "query" is the search box itself; other forms on a list's page pass the current search as "matching"
        query, sort, scope, page = (args.get(name, "") for name in ("query", "sort", "scope", "page"))
        query = " ".join((query or args.get("matching", ""))[:LONGEST_QUERY].split())
        scope = scope if scope in SCOPES else ""
        searched = "" if query else " ".join(args.get("searched", "")[:LONGEST_QUERY].split())
        return cls(
            mailbox,
            query,
            scope,
            sort if sort in (ORDERS if query and scope else SORTS) else "date",
            int(page) if page.isascii() and page.isdigit() and len(page) < 8 else 1,
            searched,
        )

    def arguments(self, **changes: Any) -> dict[str, Any]:
        """For `url_for("mailbox.show", **asked.arguments(page=2))`; a new sort order, query or scope starts at page 1."""
        if changes.keys() & {"query", "scope", "sort"}:
            changes = {"page": 1, **changes}
        now = {
            "mailbox": self.mailbox, "query": self.query, "scope": self.scope, "sort": self.sort, "page": self.page,
            "searched": self.searched, **changes,
        }  # fmt: skip
        return {name: value for name, value in now.items() if value != _DEFAULTS[name]}

    @property
    def wide(self) -> bool:
        """Whether this is a search in more than one mailbox."""
        return bool(self.query and self.scope)

    @property
    def plain(self) -> bool:
        """Whether this is a whole mailbox, newest first, without a search."""
        return not self.query and self.sort == "date"


_DEFAULTS = {"mailbox": None, "query": "", "scope": "", "sort": "date", "page": 1, "searched": ""}
