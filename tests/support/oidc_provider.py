"""A provider of OpenID Connect that answers as a test wants, wrongly too; and everything that it was asked."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "traboule", "a secret/with: signs"
ENDED = "http://schemas.openid.net/event/backchannel-logout"


def new_key(kid: str = "one", bits: int = 2048) -> RSAKey:
    return RSAKey.generate_key(bits, {"kid": kid, "use": "sig", "alg": "RS256"})


@functools.cache
def usual_key() -> RSAKey:
    """One for all providers of a run: making it takes longer than most tests."""
    return new_key()


@dataclass
class FakeProvider:
    """`told`: its configuration, over what it usually says. `claims`: of the next ID token, over the usual ones; None removes one.

    `sign`: makes the ID token from its claims. `answer`: replaces an answer, by path: status and body, or bytes to send as they are.
    """

    port: int = 0
    keys: list[RSAKey] = field(default_factory=lambda: [usual_key()])
    told: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    person: dict[str, Any] = field(default_factory=dict)  # what `userinfo` says
    answer: dict[str, tuple[int, bytes] | Callable[[Any], None]] = field(default_factory=dict)
    sign: Callable[[dict[str, Any]], str] | None = None
    asked: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def visit(self, address: str, **over: str | None) -> str:
        """The person goes to `address` and signs in: path and query of the callback that the browser is led to."""
        asked = dict(parse_qsl(urlsplit(address).query))
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        back = urlsplit(asked["redirect_uri"])
        answer = {"code": code, "state": asked["state"], "iss": self.issuer, **over}
        return f"{back.path}?{urlencode({key: value for key, value in answer.items() if value is not None})}"

    def token(self, claims: dict[str, Any], header: dict[str, Any] | None = None, key: RSAKey | None = None) -> str:
        """Signed by the first key, or another one."""
        key = key or self.keys[0]
        return jwt.encode({"alg": "RS256", "kid": key.kid, **(header or {})}, _without_none(claims), key)

    def logout_token(self, header: dict[str, Any] | None = None, key: RSAKey | None = None, **claims: Any) -> str:
        usual = {
            "iss": self.issuer, "aud": CLIENT, "iat": int(time.time()), "exp": int(time.time()) + 120,
            "jti": secrets.token_hex(8), "events": {ENDED: {}}, **claims,
        }  # fmt: skip
        return self.token(usual, {"typ": "logout+jwt", **(header or {})}, key)

    # --- what it answers ---

    def configuration(self) -> dict[str, Any]:
        return _without_none({
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/me",
            "end_session_endpoint": f"{self.issuer}/session/end",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            "authorization_response_iss_parameter_supported": True,
            **self.told,
        })  # fmt: skip

    def tokens(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        self.forms.append({**form, "authorization": authorization})
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if asked is None or asked["redirect_uri"] != form["redirect_uri"] or asked["code_challenge"] != challenge:
            return 400, {"error": "invalid_grant"}
        at = int(time.time())
        claims = {
            "iss": self.issuer, "sub": "subject-1", "aud": CLIENT, "iat": at, "exp": at + 300, "nonce": asked["nonce"],
            "sid": "session-1", **({"auth_time": at} if "max_age" in asked else {}), **self.claims,
        }  # fmt: skip
        token = self.sign(_without_none(claims)) if self.sign else self.token(claims)
        return 200, {"access_token": "access", "token_type": "Bearer", "id_token": token}


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


@contextmanager
def fake_provider() -> Iterator[FakeProvider]:
    provider = FakeProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self._is_replaced():
                return
            path = urlsplit(self.path).path
            pages: dict[str, dict[str, Any]] = {
                "/.well-known/openid-configuration": provider.configuration(),
                "/jwks": {"keys": [key.as_dict(private=False) for key in provider.keys]},
                "/me": {"sub": "subject-1", **provider.person},
            }
            self._send(200 if path in pages else 404, pages.get(path, {}))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            if self._is_replaced():
                return
            form = {key: values[0] for key, values in parse_qs(body).items()}
            self._send(*provider.tokens(form, self.headers.get("Authorization", "")))

        def _is_replaced(self) -> bool:
            path = urlsplit(self.path).path
            provider.asked.append(path)
            told = provider.answer.get(path)
            if told is None:
                return False
            if callable(told):
                with suppress(OSError):  # who asked hung up
                    told(self)
                return True
            self._send(told[0], told[1])
            return True

        def _send(self, status: int, content: dict[str, Any] | bytes) -> None:
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider.port = server.server_port
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
