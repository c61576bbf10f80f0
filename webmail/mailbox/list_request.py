"""Which list a person looks at: a mailbox or a search, in an order, at a page. What links and forms carry along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webmail.imap.listing import SORTS

SCOPES = ("", "below", "all")  # this mailbox, with those inside it, everywhere
LONGEST_QUERY = 1000


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A list as its address tells it. Only what differs from the defaults is written into addresses."""

    mailbox: str
    query: str = ""
    scope: str = ""
    sort: str = "date"
    page: int = 1

    @classmethod
    def of(cls, mailbox: str, args: Mapping[str, str]) -> ListRequest:
        """From the arguments of an address or a form; what makes no sense counts as not given."""
        # "query" is the search box alone; other forms of a list's page say what they are about as "matching"
        query, sort, scope, page = (args.get(name, "") for name in ("query", "sort", "scope", "page"))
        query = query or args.get("matching", "")
        return cls(
            mailbox,
            " ".join(query[:LONGEST_QUERY].split()),
            scope if scope in SCOPES else "",
            sort if sort in SORTS else "date",
            int(page) if page.isascii() and page.isdigit() and len(page) < 8 else 1,
        )

    def arguments(self, **changes: Any) -> dict[str, Any]:
        """For `url_for("mailbox.show", **asked.arguments(page=2))`; another order, query or scope begins at its first page."""
        if changes.keys() & {"query", "scope", "sort"}:
            changes = {"page": 1, **changes}
        now = {"mailbox": self.mailbox, "query": self.query, "scope": self.scope, "sort": self.sort, "page": self.page, **changes}
        return {name: value for name, value in now.items() if value != _DEFAULTS[name]}

    @property
    def wide(self) -> bool:
        """A search in more than this mailbox."""
        return bool(self.query and self.scope)

    @property
    def plain(self) -> bool:
        """A mailbox as it is: no search, newest first."""
        return not self.query and self.sort == "date"


_DEFAULTS = {"mailbox": None, "query": "", "scope": "", "sort": "date", "page": 1}
