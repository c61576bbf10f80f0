"""Google as a fake: consent pages and tokens, from its published description of OAuth 2 for web servers."""

from __future__ import annotations

import json
from typing import Any

from flask import Response

from tests.support.fakes.service import CLIENT, SECRET, FakeGrant, FakeService


class FakeGoogle(FakeService):
    """With `access_type=offline` a refresh token comes, at the first consent or with `prompt=consent`; it is never another one."""

    authorize_path = "/o/oauth2/v2/auth"
    token_path = "/token"
    revoke_path = "/revoke"

    def settings(self) -> dict[str, Any]:
        """For an application whose Google this is."""
        there = {
            "authorize": f"{self.url}{self.authorize_path}", "token": f"{self.url}{self.token_path}",
            "revoke": f"{self.url}{self.revoke_path}", "api": self.url, "calendars": self.url,
        }  # fmt: skip
        return {"google_client_id": CLIENT, "google_client_secret": SECRET, "google_addresses": there}

    def granted(self, login: str, asked: dict[str, Any]) -> FakeGrant:
        """With `include_granted_scopes`, those of before too."""
        before = [one for one in self.grants if one.login == login and not one.ended]
        grant = super().granted(login, asked)
        if asked.get("include_granted_scopes") == "true":
            grant.scopes = list(dict.fromkeys([*(scope for one in before for scope in one.scopes), *grant.scopes]))
        return grant

    def gives_refresh(self, asked: dict[str, Any]) -> bool:
        return asked.get("access_type") == "offline" and asked.get("prompt") == "consent"

    def scopes_told(self, scopes: list[str]) -> str:
        long = {"email": "https://www.googleapis.com/auth/userinfo.email"}
        return " ".join(long.get(one, one) for one in scopes)

    def unauthorised(self) -> Response:
        return self.refusal(401, "Invalid Credentials", "authError")

    def insufficient(self) -> Response:
        return self.refusal(403, "Request had insufficient authentication scopes.", "insufficientPermissions")

    def refusal(self, status: int, message: str, reason: str) -> Response:
        error = {"code": status, "message": message, "errors": [{"domain": "global", "reason": reason, "message": message}]}
        return Response(json.dumps({"error": error}), status, content_type="application/json; charset=UTF-8")
