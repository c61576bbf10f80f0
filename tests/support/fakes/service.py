"""What fakes of Google and Microsoft have in common: consent pages and tokens (RFC 6749, 7636, 7009), and answers that tests order.

A subclass adds the routes of its API to `app`, and asks `allowed` who calls. Nothing an odd request does ends the server.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Flask, Response, redirect, request
from werkzeug.serving import WSGIRequestHandler, make_server

CLIENT, SECRET = "traboule-client", "a secret/with: signs"
BACK = "https://mail.lycee.example"  # where the callbacks are that are registered


@dataclass
class FakeGrant:
    """A consent: its tokens are good for these scopes until it is revoked."""

    login: str
    scopes: list[str]
    refresh: list[str] = field(default_factory=list)  # the latest last; with `rotates` it alone is good
    ended: bool = False


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing."""


class FakeService:
    """`faults`: answers by path, taken in turn before the real one; each a Response or a function that makes one.

    `rotates`: a refresh token is good once. `life`: seconds of an access token. `loses`: its next answers with tokens never arrive.
    """

    authorize_path: ClassVar[str]
    token_path: ClassVar[str]
    revoke_path: ClassVar[str] = ""
    always: ClassVar[tuple[str, ...]] = ()  # scopes whose names are not told back

    def __init__(self) -> None:
        self.app = Flask(type(self).__name__)
        self.port = 0
        self.login = "marie.dupont@example.org"  # who agrees next
        self.rotates = False
        self.life = 3600
        self.faults: defaultdict[str, list[Response | Callable[[], Response]]] = defaultdict(list)
        self.asked: list[tuple[str, str]] = []  # method, path
        self.forms: list[dict[str, str]] = []  # of the token endpoint
        self.codes: dict[str, dict[str, Any]] = {}
        self.grants: list[FakeGrant] = []
        self.access: dict[str, tuple[FakeGrant, list[str], float]] = {}
        self.back = {BACK}
        self._lock = threading.RLock()
        self.app.before_request(self._note)
        self.app.add_url_rule(self.authorize_path, view_func=self.authorize, methods=["GET", "POST"])
        self.app.add_url_rule(self.token_path, view_func=self.token, methods=["POST"])
        if self.revoke_path:
            self.app.add_url_rule(self.revoke_path, view_func=self.revoke, methods=["POST"])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def serving(self) -> Iterator[Self]:
        server = make_server("127.0.0.1", 0, self.app, threaded=True, request_handler=_Quiet)
        server.daemon_threads = True  # type: ignore[attr-defined]
        self.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()

    # --- what a person does there ---

    def agree(self, address: str, *, without: tuple[str, ...] = (), refuse: bool = False) -> str:
        """Go to the consent page, tick all but `without`, and press the button: path and query of our callback."""
        query = urlsplit(address).query
        asked = dict(parse_qsl(query))
        with self.app.test_client() as visitor:
            page = visitor.get(f"{self.authorize_path}?{query}")
            assert page.status_code == 200, page.text
            ticked = [scope for scope in asked["scope"].split() if scope not in without]
            form = {"answer": "deny" if refuse else "allow", "scope": ticked}
            sent = visitor.post(f"{self.authorize_path}?{query}", data=form)
        back = urlsplit(sent.headers["Location"])
        return f"{back.path}?{back.query}"

    def revoke_all(self) -> None:
        """The person takes their consents back, on the provider's page."""
        for grant in self.grants:
            grant.ended = True

    def expire(self) -> None:
        """All access tokens are over, though they said something else."""
        self.access.clear()

    def fault(self, path: str, status: int, body: Any = None, times: int = 1, **headers: str) -> None:
        """The next `times` answers at this path."""
        text = json.dumps(body if body is not None else {})
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.faults[path] += [lambda: Response(text, status, named, content_type="application/json")] * times

    def give(self, scopes: str, login: str = "") -> tuple[str, str]:
        """An access and a refresh token without a visit."""
        grant = FakeGrant(login or self.login, scopes.split())
        self.grants.append(grant)
        told = self._tokens(grant, grant.scopes, with_refresh=True)
        return told["access_token"], told["refresh_token"]

    # --- what it answers ---

    def authorize(self) -> Any:
        asked = request.args
        back = urlsplit(asked.get("redirect_uri", ""))
        if asked.get("client_id") != CLIENT:
            return self.refused_page("invalid_client", 401)
        if f"{back.scheme}://{back.netloc}" not in self.back:
            return self.refused_page("redirect_uri_mismatch", 400)
        if (
            asked.get("response_type") != "code"
            or asked.get("code_challenge_method") != "S256"
            or not asked.get("code_challenge")
        ):
            return self.refused_page("invalid_request", 400)
        scopes = asked.get("scope", "").split()
        if request.method == "GET":
            boxes = "".join(
                f'<input type="checkbox" name="scope" value="{escape(one)}" checked>{escape(one)}<br>' for one in scopes
            )
            return f'<form method="post">{boxes}<button name="answer" value="allow">Allow</button></form>'
        answer = {"state": asked.get("state", "")}
        if request.form.get("answer") == "allow":
            code = secrets.token_urlsafe(12)
            chosen = [one for one in scopes if one in request.form.getlist("scope")]
            self.codes[code] = {**asked, "chosen": chosen, "login": asked.get("login_hint") or self.login}
            answer |= {"code": code, **self.with_answer(chosen)}
        else:
            answer |= {"error": "access_denied"}
        return redirect(f"{asked['redirect_uri']}?{urlencode(answer)}", 302)

    def with_answer(self, scopes: list[str]) -> dict[str, str]:
        """What else it sends back with a code."""
        return {}

    def refused_page(self, code: str, status: int) -> Any:
        return f"<h1>Error {status}: {code}</h1>", status

    def token(self) -> Any:
        form = request.form.to_dict()
        self.forms.append(form)
        if form.get("client_id") != CLIENT or form.get("client_secret") != SECRET:
            return self.error("invalid_client", 401)
        with self._lock:
            match form.get("grant_type"):
                case "authorization_code":
                    return self._of_code(form)
                case "refresh_token":
                    return self._of_refresh(form)
        return self.error("unsupported_grant_type", 400)

    def _of_code(self, form: dict[str, str]) -> Any:
        asked = self.codes.pop(form.get("code", ""), None)  # good once
        if asked is None:
            return self.error("invalid_grant", 400)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != asked["code_challenge"]:
            return self.error("invalid_grant", 400)
        if form.get("redirect_uri") != asked["redirect_uri"]:
            return self.error("redirect_uri_mismatch", 400)
        grant = self.granted(asked["login"], asked)
        return self._tokens(grant, grant.scopes, with_refresh=self.gives_refresh(asked))

    def _of_refresh(self, form: dict[str, str]) -> Any:
        token = form.get("refresh_token", "")
        grant = next((one for one in self.grants if token in one.refresh), None)
        if grant is None or grant.ended or (self.rotates and token != grant.refresh[-1]):
            return self.error("invalid_grant", 400)
        return self._tokens(grant, grant.scopes, with_refresh=self.rotates)

    def granted(self, login: str, asked: dict[str, Any]) -> FakeGrant:
        grant = FakeGrant(login, list(asked["chosen"]))
        self.grants.append(grant)
        return grant

    def gives_refresh(self, asked: dict[str, Any]) -> bool:
        return True

    def _tokens(self, grant: FakeGrant, scopes: list[str], *, with_refresh: bool) -> dict[str, Any]:
        access = f"access-{secrets.token_urlsafe(16)}"
        self.access[access] = (grant, scopes, time.time() + self.life)
        told: dict[str, Any] = {
            "access_token": access, "token_type": "Bearer", "expires_in": self.life, "scope": self.scopes_told(scopes),
        }  # fmt: skip
        if "openid" in grant.scopes:
            told["id_token"] = self.id_token(grant)
        if with_refresh:
            grant.refresh.append(f"refresh-{secrets.token_urlsafe(16)}")
            told["refresh_token"] = grant.refresh[-1]
        return told

    def scopes_told(self, scopes: list[str]) -> str:
        return " ".join(one for one in scopes if one not in self.always)

    def id_token(self, grant: FakeGrant) -> str:
        parts = ({"alg": "RS256"}, {"sub": "1", "email": grant.login, "preferred_username": grant.login})
        texts = [base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in parts]
        return ".".join([*texts, "c2lnbmF0dXJl"])

    def revoke(self) -> Any:
        token = request.form.get("token", "")
        grant = next((one for one in self.grants if token in one.refresh), None) or self.access.get(token, (None,))[0]
        if grant is None or grant.ended:
            return self.error("invalid_token", 400)
        grant.ended = True
        return {}

    def error(self, code: str, status: int) -> Any:
        """An answer of the token endpoint."""
        return {"error": code, "error_description": f"{code}."}, status

    # --- for the routes of an API ---

    def allowed(self, *scopes: str) -> FakeGrant:
        """Whose token came with the request; one of these scopes is needed. Else an HTTP exception with the service's words."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        grant, have, until = self.access.get(token, (None, [], 0.0))
        if grant is None or grant.ended or until <= time.time():
            raise _answered(self.unauthorised())
        if scopes and not set(scopes) & set(have):
            raise _answered(self.insufficient())
        return grant

    def unauthorised(self) -> Response:
        raise NotImplementedError

    def insufficient(self) -> Response:
        raise NotImplementedError

    def _note(self) -> Response | None:
        self.asked.append((request.method, request.path))
        with self._lock:
            ordered = self.faults[request.path].pop(0) if self.faults.get(request.path) else None
        return ordered if isinstance(ordered, Response) or ordered is None else ordered()


def _answered(response: Response) -> Exception:
    from werkzeug.exceptions import HTTPException

    return HTTPException(response=response)
