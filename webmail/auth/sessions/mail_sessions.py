"""Mail sessions: ends what telephones and mail programs have open at Dovecot, by doveadm's HTTP API. No Flask here.

New sign-ins need no ending: Dovecot asks the tables each time. A connection that is open already stays open for as long as the
program likes, unless Dovecot is told. Connections of these pages, which sign in by token, are told apart from them.
"""

from __future__ import annotations

import base64
import http.client
import json
import logging
import queue
import ssl
import threading
from typing import Any
from urllib.parse import urlsplit

from webmail.config.settings import Settings

log = logging.getLogger(__name__)

SECONDS = 3.0  # to wait for Dovecot
_LARGEST = 10_000  # bytes of an answer
# fields by which deploy/dovecot tells whose connection it is
_PROGRAMS = "user_program"
_APP_PASSWORD = "user_app"
_Kick = dict[str, Any]  # parameters of a kick


def end(address: str, settings: Settings, *, pages: bool = False) -> int | None:
    """Close all connections that mail programs of this person have open, whatever they signed in with. One request.

    With `pages` those of these pages too, in whichever process: for somebody who has no session any more. Returns how many there
    were of mail programs, None where Dovecot can't be told or did not answer. Never raises.
    """
    return _kick(_of_person(address, pages), settings)


def end_app_password(number: int, settings: Settings) -> int | None:
    """Close the connections that were opened with this app password; as `end`."""
    return _kick(_of_app_password(number), settings)


def end_soon(address: str, settings: Settings, *, pages: bool = False) -> None:
    """As `end`, in a thread, for pages: returns at once."""
    _soon(_of_person(address, pages), settings)


def end_app_password_soon(number: int, settings: Settings) -> None:
    """As `end_app_password`, in a thread, for pages: returns at once."""
    _soon(_of_app_password(number), settings)


# --- Dovecot ---------------------------------------------------------------------------------------------------------


def _of_person(address: str, pages: bool) -> list[_Kick]:
    return [{"passdbField": _PROGRAMS, "mask": [address]}, *([{"mask": [address]}] if pages else [])]


def _of_app_password(number: int) -> list[_Kick]:
    return [{"passdbField": _APP_PASSWORD, "mask": [str(number)]}]


def _kick(kicks: list[_Kick], settings: Settings) -> int | None:
    """The number of connections that the first one closed."""
    if not settings.doveadm_url:
        return None
    url = urlsplit(settings.doveadm_url)
    key = base64.b64encode(settings.doveadm_key.encode()).decode()
    headers = {"Authorization": f"X-Dovecot-API {key}", "Content-Type": "application/json"}
    body = json.dumps([["kick", parameters, str(number)] for number, parameters in enumerate(kicks)])
    try:
        connection = _connection(url.scheme, url.hostname or "", url.port, settings)
        try:
            connection.request("POST", url.path or "/doveadm/v1", body, headers)
            response = connection.getresponse()
            return _kicked(response.status, response.read(_LARGEST))
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        log.error("Dovecot does not end the connections of %s: %s", kicks[0]["mask"][0], error)
        return None


def _connection(scheme: str, host: str, port: int | None, settings: Settings) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context(cafile=settings.ca_file or None)
        return http.client.HTTPSConnection(host, port, timeout=SECONDS, context=context)
    return http.client.HTTPConnection(host, port, timeout=SECONDS)


def _kicked(status: int, body: bytes) -> int:
    """The number in `[["doveadmResponse", [{"count": "3"}], "0"], ...]`. Raises ValueError."""
    if status != 200:
        raise ValueError(f"answer {status}")
    try:
        answers = json.loads(body)
        if all(kind == "doveadmResponse" for kind, _answer, _tag in answers):
            return int(answers[0][1][0]["count"])
    except (TypeError, KeyError, IndexError) as error:
        raise ValueError(f"not an answer to kick: {body[:200]!r}") from error
    raise ValueError(f"refused: {body[:200]!r}")


# --- after the answer ------------------------------------------------------------------------------------------------

_Waiting = tuple[list[_Kick], Settings]
_waiting: queue.SimpleQueue[_Waiting] = queue.SimpleQueue()
_lock = threading.Lock()
_worker: threading.Thread | None = None


def _soon(kicks: list[_Kick], settings: Settings) -> None:
    global _worker
    if not settings.doveadm_url:
        return
    _waiting.put((kicks, settings))
    with _lock:
        if _worker is None or not _worker.is_alive():
            _worker = threading.Thread(target=_serve, name="mail-sessions", daemon=True)
            _worker.start()


def _serve() -> None:
    while True:
        _kick(*_waiting.get())
