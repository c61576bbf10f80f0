"""Rights for Radicale's protocol code: those of the person that the edge has signed in."""

from __future__ import annotations

from radicale import auth, pathutils, rights

from webmail.dav.visit import current

_RIGHTS = {"own": "rw", "manage": "rw", "write": "rw", "read": "r", "busy": "r"}


class Auth(auth.BaseAuth):
    """The edge has signed in already (webmail/dav/edge.py)."""

    def _login(self, login: str, password: str) -> str:
        return ""


class DavRights(rights.BaseRights):
    """What the person of the visit may do with a path: W, R: the list of collections; w, r: a collection and its items."""

    def authorization(self, user: str, user_groups: set[str], path: str) -> str:
        parts = pathutils.strip_path(path).split("/")
        if parts == [""]:
            return "R"
        if parts[0] != current.get().user.address:
            return ""
        if len(parts) == 1:
            return "RW"
        access = current.get().access(parts[1])
        if access is None:  # one that is about to be made
            return "rw" if len(parts) == 2 else ""
        return _RIGHTS[access.rights] if len(parts) == 2 else ""
