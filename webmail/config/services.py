"""Web services: one that serves everything, or pages in one and bodies and streams in a second, by address (deploy/nginx.conf).

Any of them answers any address: what differs is what they hold. The setting `service` says which one a process belongs to.
"""

from __future__ import annotations

EVERYTHING, PAGES, BODIES = "everything", "pages", "bodies"
HEADER = "X-Traboule-Service"  # of /healthz and OPTIONS /dav/: which service answers, for the doctor


def share(service: str, most: int) -> int:
    """How many connections a process keeps where `most` were meant for each of two that serve everything.

    Two processes of pages and one of bodies (deploy/traboule-*.service) keep as many together.
    """
    if service == EVERYTHING:
        return most
    pages = max(1, most * 3 // 4)
    return pages if service == PAGES else max(1, 2 * (most - pages))


def places(service: str, most: int) -> int:
    """How many bodies of a kind a process takes at once where `most` were meant for each of two that serve everything."""
    return 2 * most if service == BODIES else most
