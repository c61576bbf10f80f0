"""Session cookies: Flask's `session`, stored in a signed cookie for visitors, in a database row for signed-in users.

Loaded lazily, so static files and /healthz never touch the database. Visitors get no row: anonymous requests never write to
the database.
"""

from __future__ import annotations

import base64
import logging
import secrets
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, cast

import flask
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadSignature

from webmail import vault
from webmail.auth.sessions import known_devices, sessions
from webmail.auth.sessions.script_sessions import ScriptSession, is_for_scripts
from webmail.auth.sign_in import sources
from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY
from webmail.models import Session, User
from webmail.web.forms.request_values import fetched_ahead
from webmail.web.frame.page_rows import column_ahead, forget_rows, take_in

log = logging.getLogger(__name__)

_SURVIVES_SIGN_IN = ("language",)  # nothing else of a visitor's session, which could have been planted (session fixation)
_WAITING, _SEALED = "kept", "kept-sealed"  # text that was being written when a question came up: as pages have it, and its row
_MISSING = object()
CLEARED = '"cache", "storage"'  # when a session is over; not "cookies", which would affect other sites of the same domain


class WebSession(SessionMixin):
    """The `flask.session` object: a dictionary, and the user it belongs to.

    `user` is None for a visitor, and for somebody whose password was right but whose second step is still to come: that is
    `pending_user`, and a visitor for everything else. `password` is the mail password, for servers that need one.
    """

    def __init__(self, store: RowSessions, app: flask.Flask, request: flask.Request) -> None:
        self._store, self._app, self._request = store, app, request
        self._data: dict[str, Any] | None = None
        self._before: dict[str, Any] = {}
        self._row: Session | None = None
        self._token = ""
        self.modified = False
        self.started = self.ended = False  # in this request; determines which cookies are set
        self.lost = False  # the browser came with a session that is over: too long without a visit, or ended from elsewhere
        self.trusts = ""  # the trusted-devices cookie to set
        self.noted: dict[str, Any] = {}  # what was found out for this request; never stored, nor kept over a sign-in

    @property
    def loaded(self) -> bool:
        return self._data is not None

    @property
    def row(self) -> Session | None:
        """The row of a sign-in, None while the second step is still to come."""
        row = self.stored  # asked for dozens of times a page, as `user` is
        return None if row is None or row.pending else row

    @property
    def stored(self) -> Session | None:
        """The row that holds the data of this session, of a sign-in or before its second step."""
        if self._data is None:
            self._load()
        return self._row

    @property
    def pending_row(self) -> Session | None:
        """The row of somebody at the second step: their password was right, and opens nothing yet."""
        row = self.stored
        return row if row is not None and row.pending else None

    @property
    def pending_user(self) -> User | None:
        return self.pending_row.user if self.pending_row else None

    @property
    def user(self) -> User | None:
        row = self.row
        return None if row is None else row.user

    @property
    def id(self) -> str:
        """The `id_hash` of the row, "" for a visitor."""
        return self.row.id_hash if self.row else ""

    @property
    def token(self) -> str:
        """The session token in the cookie; never displayed or logged."""
        return self._token if self.stored else ""

    @property
    def device_cookie(self) -> str:
        """The known-devices cookie, for auth/sessions/known_devices.py."""
        return self._request.cookies.get(self._store.known_name, "")

    @property
    def trusted(self) -> str:
        """The trusted-devices cookie, for auth/factors/trusted_devices.py."""
        return self.trusts or self._request.cookies.get(self._store.trusted_name, "")

    @property
    def on_shared(self) -> bool:
        """Whether the last sign-in in this browser said that others use it too."""
        return bool(self.computer)

    @property
    def computer(self) -> str:
        """The cookie of a shared computer, for auth/sign_in/sources.py."""
        return self._request.cookies.get(self._store.shared_name, "")

    @property
    def network(self) -> str:
        """Where this request comes from, as in sessions.network_of."""
        return sessions.network_of(self._request.remote_addr)

    @property
    def password(self) -> str | None:
        """The mail password, or None if none is stored. A credential that can't be decrypted ends the session."""
        if self.stored is None:
            return None
        try:
            return sessions.credential(self.stored, self._token, self._store.settings)
        except vault.CannotOpenError as error:
            log.warning("the credential of a session of %s can't be opened: %s", self.stored.user.address, error)
            self.end()
            return None

    def start(
        self,
        user: User,
        *,
        shared: bool = False,
        lasting: bool = False,
        pending: bool = False,
        password: str | None = None,
        data: dict[str, Any] | None = None,
        provider: str = "",
        provider_session: str = "",
    ) -> None:
        """Sign `user` in with a new token, row and CSRF secret, or with `pending` begin their second step. What the session held
        before is dropped.

        `data` is stored together with the row. `lasting`, `provider` and `provider_session`: see `models.Session`.
        Raises one of DATABASE_AWAY.
        """
        kept = self._surviving() | (data or {})
        if self._row is not None:
            sessions.revoke(self._row.id_hash)
        _forget_csrf_token()
        forget_rows()
        # created here, not by the first form: two tabs opened at once would overwrite each other's
        kept["csrf_token"] = secrets.token_hex(20)
        self._token, self._row = sessions.start(
            user,
            self._store.settings,
            shared=shared,
            lasting=lasting,
            pending=pending,
            password=password,
            data=lambda token: self._store.written(kept, token, user.get_id()),
            user_agent=self._request.headers.get("User-Agent", ""),
            network=self.network,
            provider=provider,
            provider_session=provider_session,
        )
        self._data, self._before, self.noted = dict(kept), dict(kept), {}
        self.started, self.ended, self.modified = True, False, False

    def wait_longer(self) -> None:
        """Give somebody at the second step the full time again, from now: they wait for a colleague. One UPDATE."""
        if row := self.pending_row:
            sessions.begin_again(row)
            self.started = True  # the browser keeps the cookie for as long

    def renew(self) -> None:
        """Another token for this session, whose copies are over by it. What it holds stays."""
        if self._row is None:
            return
        new = sessions.renew(self._row, self._token, self._store.settings, self._resealed)
        if not new:
            self.end()
            return
        self._token, self._row.id_hash, self._row.whereabouts = new, sessions.hash_token(new), None
        self.started = True  # the browser is given the cookie

    def _resealed(self, data: str, before: str, after: str) -> str:
        """Each text in the data that was sealed by the token of before, by the other one."""
        user, secret = self.stored.user.get_id() if self.stored else 0, self._store.settings.secret_key

        def sealed_anew(value: Any) -> Any:
            match value:
                case dict():
                    return {key: sealed_anew(one) for key, one in value.items()}
                case list() | tuple():
                    return [sealed_anew(one) for one in value]
                case str():
                    return vault.seal_again(value, before, after, secret, user)
            return value

        return self._store.dumps(sealed_anew(self._store.loads(data)))

    def end(self) -> None:
        """Sign out: the row is deleted at once, the cookie with the response."""
        kept = self._surviving()
        if self._row is not None:
            sessions.revoke(self._row.id_hash)
        _forget_csrf_token()
        forget_rows()
        self._row, self._token, self._data, self._before, self.noted = None, "", kept, {}, {}
        self.started, self.ended, self.modified = False, True, bool(kept)

    def _surviving(self) -> dict[str, Any]:
        return {key: self[key] for key in _SURVIVES_SIGN_IN if key in self}

    def change(self, data: str) -> str:
        """The stored `data` with only this request's changes applied: another tab may have written since."""
        user = self._row.user.get_id() if self._row else 0
        now = self._store.read(data, self._token, user)
        for key in self._before.keys() | self._items.keys():
            value = self._items.get(key, _MISSING)
            if value is _MISSING:
                now.pop(key, None)
            elif key not in self._before or self._before[key] != value:
                now[key] = value
        return self._store.written(now, self._token, user)

    # --- a dictionary ------------------------------------------------------------------------------------------------

    def _load(self) -> dict[str, Any]:
        if self._data is None:
            self._data = {}  # set first, so that the error page does not query a failing database again
            self._token = self._request.cookies.get(self._store.name, "")
            self._row = self._find(visiting=not self._by_itself()) if self._token else None
            self.lost = bool(self._token) and self._row is None
            if self._row:
                self._data = self._store.read(self._row.data, self._token, self._row.user.get_id())
                self._before = deepcopy(self._data)
            else:
                self._data = self._store.visitor(self._app, self._request)
        return self._data

    def _find(self, *, visiting: bool) -> Session | None:
        """The row of the token, and in the same query what the page is going to show."""
        ahead = column_ahead(self._request) if flask.has_request_context() else None
        row = sessions.find(self._token, self._store.settings, visiting=visiting, beside=ahead)
        if row is not None and ahead is not None:
            take_in(ahead, row.beside)
        return row

    def _by_itself(self) -> bool:
        """Whether this is a background request: a page polling for changes, reloading itself (`auto`), or fetched ahead."""
        view = self._app.view_functions.get(self._request.endpoint or "")
        return getattr(view, "asked_by_pages", False) or "auto" in self._request.args or fetched_ahead(self._request)

    _items = property(_load)

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._items[key] = value
        self.modified = True

    def __delitem__(self, key: str) -> None:
        del self._items[key]
        self.modified = True

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


class RowSessions(SecureCookieSessionInterface):
    """Opens a `WebSession` for each request and saves changes. `app.session_interface = RowSessions(settings)`.

    Cookies: `traboule` holds the token, `traboule-visitor` a visitor's signed data, `traboule-known` the known devices
    (known_devices.py), `traboule-trusted` the trusted ones (trusted_devices.py); on a shared computer neither is
    ever set, but `traboule-shared`. Secure cookies have the prefix `__Host-`, which browsers accept only from this host, over TLS
    (RFC 6265bis section 4.1.3.2).
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.name = "__Host-traboule" if settings.secure_cookies else "traboule"
        self.visitor_name = f"{self.name}-visitor"
        self.known_name = f"{self.name}-known"
        self.trusted_name = f"{self.name}-trusted"
        self.shared_name = f"{self.name}-shared"

    def open_session(self, app: flask.Flask, request: flask.Request) -> WebSession | ScriptSession:  # type: ignore[override]
        if is_for_scripts(request.path):
            return ScriptSession(sessions.network_of(request.remote_addr))
        return WebSession(self, app, request)

    def save_session(self, app: flask.Flask, session: SessionMixin, response: flask.Response) -> None:
        visit = cast(WebSession, session)
        if not visit.loaded:
            return
        if visit.accessed:
            response.vary.add("Cookie")
        if visit.ended:
            response.delete_cookie(self.name, **self._attributes())
        if visit.stored is not None and visit.stored.shared:
            response.headers["Cache-Control"] = "no-store, no-cache"
        elif visit.lost and visit.on_shared and visit.stored is None:
            # the cookie stays: another tab may have signed in again meanwhile, and this answer would sign it out
            response.headers["Clear-Site-Data"] = CLEARED
        if visit.stored is not None:
            if visit.started:
                self._hand_over(visit, response)
            if visit.modified:
                self._save(visit)
        elif visit.modified:
            self._save_visitor(app, visit, response)

    def _save(self, visit: WebSession) -> None:
        """Save the session data. A failure is only logged: at worst a notice is shown twice or not at all."""
        try:
            sessions.update_data(visit.stored.id_hash if visit.stored else "", visit.change)
        except DATABASE_AWAY as error:
            log.warning("the session of %s is not saved: %s", visit.stored.user.address if visit.stored else "", error)

    def written(self, data: dict[str, Any], token: str, user_id: int) -> str:
        """What a session holds, as its row has it: text that waits is sealed, since it may be of a draft that is encrypted."""
        if _WAITING not in data:
            return self.dumps(data)
        sealed = vault.seal_for_session(self.dumps(data[_WAITING]), token, self.settings.secret_key, user_id)
        rest = {key: value for key, value in data.items() if key != _WAITING}
        return self.dumps(rest | {_SEALED: base64.b64encode(sealed).decode()})

    def read(self, stored: str, token: str, user_id: int) -> dict[str, Any]:
        """The same again. Text that can't be opened, since the installation's secret was changed, is left out."""
        found: dict[str, Any] = self.loads(stored)
        if not (sealed := found.pop(_SEALED, "")):
            return found
        try:
            text = vault.open_for_session(base64.b64decode(sealed), token, self.settings.secret_key, user_id)
        except vault.CannotOpenError as error:
            log.warning("text that waits in a session of user %s can't be opened: %s", user_id, error)
            return found
        return found | {_WAITING: self.loads(text)}

    def dumps(self, data: dict[str, Any]) -> str:
        return self.serializer.dumps(data)

    def loads(self, data: str) -> dict[str, Any]:
        return self.serializer.loads(data)

    def visitor(self, app: flask.Flask, request: flask.Request) -> dict[str, Any]:
        """The data of a visitor's signed cookie; empty if missing, forged or expired."""
        signer = self.get_signing_serializer(app)
        if signer is None or not (value := request.cookies.get(self.visitor_name)):
            return {}
        try:
            return dict(signer.loads(value, max_age=int(app.permanent_session_lifetime.total_seconds())))
        except BadSignature:
            return {}

    def _hand_over(self, visit: WebSession, response: flask.Response) -> None:
        """Set the cookie with the new token: a session cookie on a shared computer, else valid as long as the row may be."""
        row = visit.stored
        shared = row is not None and row.shared
        lifetime = None if row is None or shared else int(sessions.longest(row, self.settings).total_seconds())
        response.set_cookie(self.name, visit.token, max_age=lifetime, **self._attributes())
        response.delete_cookie(self.visitor_name, **self._attributes())
        self._remember_shared(visit, response, shared)
        if visit.user is not None and not shared:
            value = known_devices.remember(visit.device_cookie, visit.user.address, self.settings.secret_key)
            response.set_cookie(self.known_name, value, max_age=known_devices.DAYS * 86400, **self._attributes())
            if visit.trusts:
                days = self.settings.trust_days
                response.set_cookie(self.trusted_name, visit.trusts, max_age=days * 86400, **self._attributes())

    def _remember_shared(self, visit: WebSession, response: flask.Response, shared: bool) -> None:
        """A cookie that says of this browser that others use it too, and of nobody who did: the choice is made already next time,
        and it has a count of its own in its network once somebody has signed in.
        """
        if shared and visit.user is not None:
            value = sources.computer_cookie(visit.computer, visit.network, self.settings.secret_key)
            response.set_cookie(self.shared_name, value, max_age=sources.DAYS * 86400, **self._attributes())
        elif shared and not visit.on_shared:
            response.set_cookie(self.shared_name, "1", max_age=sources.DAYS * 86400, **self._attributes())
        elif not shared and visit.on_shared:
            response.delete_cookie(self.shared_name, **self._attributes())

    def _save_visitor(self, app: flask.Flask, visit: WebSession, response: flask.Response) -> None:
        signer = self.get_signing_serializer(app)
        if not visit or signer is None:
            response.delete_cookie(self.visitor_name, **self._attributes())
        else:
            response.set_cookie(self.visitor_name, signer.dumps(dict(visit)), **self._attributes())

    def _attributes(self) -> dict[str, Any]:
        return {"path": "/", "secure": self.settings.secure_cookies, "httponly": True, "samesite": "Lax"}


def visit() -> WebSession:
    """The session of the current request."""
    return cast(WebSession, flask.session._get_current_object())  # type: ignore[attr-defined]


def _forget_csrf_token() -> None:
    """Flask-WTF caches this request's token in `g`; the next form needs one for the new session."""
    if flask.has_app_context():
        flask.g.pop("csrf_token", None)
