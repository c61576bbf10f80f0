"""The front of CalDAV and CardDAV: `/dav/` and its discovery go to the edge, which is imported with the first of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from webmail.config.settings import Settings
from webmail.late_calls import late_call

ROOT = "/dav"
WELL_KNOWN = ("/.well-known/caldav", "/.well-known/carddav")

Environ = dict[str, Any]
Start = Callable[..., Any]
Wsgi = Callable[[Environ, Start], Iterable[bytes]]
_made_edge = late_call("webmail.dav.edge:DavEdge")


class DavFront:
    """WSGI. `prepare` and `end`: what comes before and after each request that uses the database; the rest: as for `Outside`."""

    def __init__(
        self, pages: Wsgi, settings: Settings, prepare: Callable[[], None], end: Callable[[], None],
        posting: Callable[..., Any], wake: Callable[..., None],
    ) -> None:  # fmt: skip
        self.pages, self._for_edge = pages, (pages, settings, prepare, end, posting, wake)
        self._edge: Any = None
        self._making = threading.Lock()

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        taken = environ.get("PATH_INFO", "").startswith((ROOT, *WELL_KNOWN))  # the edge looks closer
        return self.edge()(environ, start) if taken else self.pages(environ, start)

    def edge(self) -> Any:
        with self._making:
            if self._edge is None:
                self._edge = _made_edge(*self._for_edge)
            return self._edge
