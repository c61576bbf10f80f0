"""Microsoft as a fake: the identity platform's consent pages and tokens (v2.0), from its published reference."""

from __future__ import annotations

import json
from typing import Any

from flask import Response

from tests.support.fakes.service import CLIENT, SECRET, FakeService

_ALWAYS = ("openid", "email", "profile", "offline_access")
_CODES = {"invalid_client": 7000215, "invalid_grant": 700082, "redirect_uri_mismatch": 50011, "invalid_request": 900144}


class FakeMicrosoft(FakeService):
    """A refresh token comes with `offline_access`, and a new one with each renewal; those of before stay good, unless `rotates`."""

    authorize_path = "/common/oauth2/v2.0/authorize"
    token_path = "/common/oauth2/v2.0/token"
    always = _ALWAYS[:1] + _ALWAYS[3:]

    def settings(self) -> dict[str, Any]:
        """For an application whose Microsoft this is."""
        there = {"login": self.url, "graph": self.url}
        return {"microsoft_client_id": CLIENT, "microsoft_client_secret": SECRET, "microsoft_addresses": there}

    def gives_refresh(self, asked: dict[str, Any]) -> bool:
        return "offline_access" in asked["chosen"]

    def scopes_told(self, scopes: list[str]) -> str:
        """Graph's with its address before them."""
        told = (one if one in _ALWAYS else f"https://graph.microsoft.com/{one}" for one in scopes if one not in self.always)
        return " ".join(told)

    def error(self, code: str, status: int) -> Any:
        number = _CODES.get(code, 90002)
        return {"error": code, "error_description": f"AADSTS{number}: {code}.", "error_codes": [number]}, status

    def unauthorised(self) -> Response:
        return self.refusal(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")

    def insufficient(self) -> Response:
        return self.refusal(403, "accessDenied", "Access denied. Check credentials and try again.")

    def refusal(self, status: int, code: str, message: str) -> Response:
        error = {"code": code, "message": message, "innerError": {"date": "2026-12-01T12:00:00", "request-id": "r"}}
        return Response(json.dumps({"error": error}), status, content_type="application/json")
