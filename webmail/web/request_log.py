"""Request log: a line for each request, and a number by which its lines are found, which error pages show as their reference.

A line has the rule of the address ("/message/<int:uid>/<path:mailbox>"), never the address itself: names of folders, searches
and the tokens of links stand there. It says nothing of who asked but the network.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, has_request_context, request

from webmail.config.settings import Settings

HEADER = "X-Request-ID"
_GIVEN = re.compile(r"[A-Za-z0-9_-]{8,64}")  # of a reverse proxy's number, which is used where proxies are trusted
_ROUTE = "traboule.route"
_REASON = "traboule.reason"  # why it is answered by an error of the server, where Flask does not see it: webmail/dav/edge.py
_NAMES = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_QUIET = ("/healthz", "/metrics", "/static/<path:filename>")  # asked again and again by programs, or part of every page
log = logging.getLogger(__name__)
_lines = logging.getLogger("traboule.access")
_number: ContextVar[str] = ContextVar("request", default="")

Environ = dict[str, Any]
Start = Callable[..., Any]
Counting = Callable[[str, int, float], object]  # rule, status, seconds


def reference() -> str:
    """The number of the request that is being answered; "" outside of one."""
    return _number.get()


class RequestLog:
    """WSGI, around everything: gives each request its number, and writes its line when the answer begins."""

    def __init__(self, inner: Callable[[Environ, Start], Iterable[bytes]], settings: Settings, counting: Counting | None) -> None:
        """`counting`: also told of each request (for /metrics)."""
        self.inner, self._settings, self._counting = inner, settings, counting

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        began, number, status = time.monotonic(), self._number(environ), "500"
        token = _number.set(number)

        def started(line: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            nonlocal status
            status = line[:3]
            return start(line, [*headers, (HEADER, number)] if status >= "400" else headers, *more)

        try:
            return self.inner(environ, started)
        finally:
            self._told(environ, int(status), time.monotonic() - began, number)
            _number.reset(token)

    def _number(self, environ: Environ) -> str:
        given = str(environ.get("HTTP_X_REQUEST_ID", ""))
        return given if self._settings.proxies and _GIVEN.fullmatch(given) else secrets.token_hex(6)

    def _told(self, environ: Environ, status: int, seconds: float, number: str) -> None:
        rule = environ.get(_ROUTE) or _outside(environ.get("PATH_INFO", ""))
        if self._counting is not None:
            self._counting(rule, status, seconds)
        if _ROUTE not in environ and status >= 500:
            reason = environ.get(_REASON, "no reason was noted")
            log.warning("%d for %s %s: %s [%s]", status, _method(environ), rule, reason, number, extra={"status": status})
        if not self._settings.access_log or (rule in _QUIET and status < 400):
            return
        told = {
            "method": _method(environ), "route": rule, "status": status, "ms": round(seconds * 1000),
            "network": environ.get("REMOTE_ADDR", ""),
        }  # fmt: skip
        _lines.info("%s %s %s %d %d ms %s", number, told["method"], rule, status, told["ms"], told["network"], extra=told)


class JsonLines(logging.Formatter):
    """A line of JSON for each record: time (UTC), level, logger, message, request, and what else a record was given."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage(),
        }  # fmt: skip
        if number := reference():
            line["request"] = number
        line |= {name: value for name, value in record.__dict__.items() if name not in _NAMES}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class _StandardError(logging.Handler):
    """Writes to the standard error of this moment."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
        except (OSError, ValueError):
            self.handleError(record)


def install(app: Flask, settings: Settings, counting: Counting | None) -> None:
    """Around all that the application answers, and what is trusted of proxies."""
    app.wsgi_app = RequestLog(app.wsgi_app, settings, counting)  # type: ignore[method-assign, assignment]
    app.before_request(_note_rule)
    app.after_request(_note_rule_late)
    handler = _StandardError()
    if settings.log_format == "json":
        handler.setFormatter(JsonLines())
        logging.getLogger().handlers[:] = [handler]
        app.logger.handlers.clear()
    _lines.handlers[:] = [handler]
    _lines.setLevel(logging.INFO)
    _lines.propagate = False


def _note_rule() -> None:
    request.environ[_ROUTE] = request.url_rule.rule if request.url_rule else "-"


def _note_rule_late(response: Response) -> Response:
    request.environ.setdefault(_ROUTE, request.url_rule.rule if request.url_rule else "-")  # where another refused it before
    return response


def location() -> str:
    """Where the application is, for a line of a log: the method and the rule of the address."""
    if not has_request_context():
        return "-"
    return f"{request.method} {request.url_rule.rule if request.url_rule else '-'}"


def _method(environ: Environ) -> str:
    found = str(environ.get("REQUEST_METHOD", ""))
    return found if found.isalpha() and len(found) < 20 else "?"


def _outside(path: str) -> str:
    """The rule of what Flask does not see."""
    return "/dav/" if path.startswith("/dav") else "/.well-known/" if path.startswith("/.well-known/") else "-"
