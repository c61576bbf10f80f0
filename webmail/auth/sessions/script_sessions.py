"""Script sessions: the `flask.session` of a request that comes with an app password for scripts.

It is over with its answer: no cookie is read, none is set, and nothing of it is stored. Somebody's browser, which sends its
cookies along wherever it is led, is nobody here.
"""

from __future__ import annotations

from typing import Any

from webmail.models import User

ROOT = "/api/v1"  # below it


class ScriptSession(dict[str, Any]):
    """`user`: None until the app password was found to be right. The rest is what pages ask of a session, which has none of
    it."""

    row = stored = pending_row = pending_user = password = None
    new = modified = accessed = permanent = lost = on_shared = loaded = False
    id = token = device_cookie = trusted = computer = ""

    def __init__(self, network: str) -> None:
        """`network`: as in sessions.network_of."""
        super().__init__()
        self.user: User | None = None
        self.network = network
        self.noted: dict[str, Any] = {}


def is_for_scripts(path: str) -> bool:
    return path == ROOT or path.startswith(f"{ROOT}/")
