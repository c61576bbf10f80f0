"""Mail sessions: ends what telephones and mail programs have open at Dovecot, by doveadm's HTTP API. No Flask here.

New sign-ins need no ending: Dovecot asks the tables each time. A connection that is open already stays open for as long as the
program likes, unless Dovecot is told. Connections of these pages, which sign in by token, are told apart from them.

A connection that has looked into somebody else's folders does not heed doveadm: Dovecot 2.4.1 counts it, and it goes on. So
doveadm is asked first which processes there are, and each is told by a socket of its own (`dovecot_sockets` is where those are).
"""

from __future__ import annotations

import base64
import http.client
import json
import logging
import queue
import re
import socket
import ssl
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from webmail.config.settings import Settings

log = logging.getLogger(__name__)

SECONDS = 3.0  # to wait for Dovecot
_LARGEST = 200_000  # bytes of an answer
_PROCESS = re.compile(r"[0-9]{1,10}")
_MOST = 1_000  # processes of one person
# fields by which deploy/dovecot tells whose connection it is
_PROGRAMS = "user_program"
_APP_PASSWORD = "user_app"
_Kick = dict[str, Any]  # parameters of a kick
_Ending = tuple[str, list[_Kick], Settings]  # whose connections, and which of them


def end(address: str, settings: Settings, *, pages: bool = False) -> int | None:
    """Close all connections that mail programs of this person have open, whatever they signed in with. One request.

    With `pages` those of these pages too, in whichever process: for somebody who has no session any more. Returns how many there
    were of mail programs, None where Dovecot can't be told or did not answer. Never raises.
    """
    return _kick((address, _of_person(address, pages), settings))


def end_app_password(number: int, address: str, settings: Settings) -> int | None:
    """Close the connections that were opened with this app password of that person; as `end`."""
    return _kick((address, _of_app_password(number), settings))


def end_soon(address: str, settings: Settings, *, pages: bool = False) -> None:
    """As `end`, in a thread, for pages: returns at once."""
    _soon((address, _of_person(address, pages), settings))


def end_app_password_soon(number: int, address: str, settings: Settings) -> None:
    """As `end_app_password`, in a thread, for pages: returns at once."""
    _soon((address, _of_app_password(number), settings))


# --- Dovecot ---------------------------------------------------------------------------------------------------------


def _of_person(address: str, pages: bool) -> list[_Kick]:
    return [{"passdbField": _PROGRAMS, "mask": [address]}, *([{"mask": [address]}] if pages else [])]


def _of_app_password(number: int) -> list[_Kick]:
    return [{"passdbField": _APP_PASSWORD, "mask": [str(number)]}]


def _kick(ending: _Ending) -> int | None:
    """The number of connections that the first kick closed."""
    address, kicks, settings = ending
    if not settings.doveadm_url:
        return None
    url = urlsplit(settings.doveadm_url)
    key = base64.b64encode(settings.doveadm_key.encode()).decode()
    headers = {"Authorization": f"X-Dovecot-API {key}", "Content-Type": "application/json"}
    asked = [["kick", parameters, str(number)] for number, parameters in enumerate(kicks)]
    # not `passdbField`: the aggregated answer loses it, and one of each connection crashes doveadm 2.4.1
    known = [["who", {"separateConnections": True, "mask": [address]}, "who"]] if settings.dovecot_sockets and address else []
    body = json.dumps(known + asked)
    try:
        connection = _connection(url.scheme, url.hostname or "", url.port, settings)
        try:
            connection.request("POST", url.path or "/doveadm/v1", body, headers)
            response = connection.getresponse()
            answers = _answers(response.status, response.read(_LARGEST))
        finally:
            connection.close()
        if known:
            _end_processes(answers[0], kicks, settings)
        return _kicked(answers[len(known) :])
    except (OSError, http.client.HTTPException, ValueError) as error:
        log.error("Dovecot does not end the connections of %s: %s", address, error)
        return None


def _connection(scheme: str, host: str, port: int | None, settings: Settings) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context(cafile=settings.ca_file or None)
        return http.client.HTTPSConnection(host, port, timeout=SECONDS, context=context)
    return http.client.HTTPConnection(host, port, timeout=SECONDS)


def _answers(status: int, body: bytes) -> list[Any]:
    """What each command answers, in `[["doveadmResponse", [{"count": "3"}], "0"], ...]`. Raises ValueError."""
    if status != 200:
        raise ValueError(f"answer {status}")
    try:
        answers = [(kind, answer) for kind, answer, _tag in json.loads(body)]
    except TypeError as error:
        raise ValueError(f"no answers: {body[:200]!r}") from error
    if any(kind != "doveadmResponse" for kind, _answer in answers):
        raise ValueError(f"refused: {body[:200]!r}")
    return [answer for _kind, answer in answers]


def _kicked(answers: list[Any]) -> int:
    """How many the first kick counted. Raises ValueError."""
    try:
        return int(answers[0][0]["count"])
    except (TypeError, KeyError, IndexError) as error:
        raise ValueError(f"not an answer to kick: {answers!r:.200}") from error


def _end_processes(rows: Any, kicks: list[_Kick], settings: Settings) -> None:
    """Tell the processes in this answer to `who` that were kicked to end their connection. Most have ended already by then."""
    try:
        found = {(row["pid"], row["username"]) for row in rows if any(_is_kicked(row, kick) for kick in kicks)}
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not an answer to who: {rows!r:.200}") from error
    for number, name in sorted(found)[:_MOST]:
        if _PROCESS.fullmatch(number) and name.isprintable():
            _end_process(Path(settings.dovecot_sockets, number), name)


def _is_kicked(row: dict[str, str], kick: _Kick) -> bool:
    return row.get(kick.get("passdbField", "username")) in kick["mask"]


def _end_process(path: Path, name: str) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(SECONDS)
        try:
            client.connect(str(path))
            client.sendall(f"VERSION\tmaster-admin-client\t1\t0\nKICK-USER\t{name}\n".encode())
            while client.recv(1000):  # it hangs up when it has ended
                pass
        except (FileNotFoundError, ConnectionError):
            log.debug("process %s of Dovecot has ended", path.name)
        except OSError as error:
            log.error("process %s of Dovecot does not end the connection of %s: %s", path.name, name, error)


# --- after the answer ------------------------------------------------------------------------------------------------

_waiting: queue.SimpleQueue[_Ending] = queue.SimpleQueue()
_lock = threading.Lock()
_worker: threading.Thread | None = None


def _soon(ending: _Ending) -> None:
    global _worker
    _address, _kicks, settings = ending
    if not settings.doveadm_url:
        return
    _waiting.put(ending)
    with _lock:
        if _worker is None or not _worker.is_alive():
            _worker = threading.Thread(target=_serve, name="mail-sessions", daemon=True)
            _worker.start()


def _serve() -> None:
    while True:
        _kick(_waiting.get())
