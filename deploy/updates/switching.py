"""Switching: the new release answers on other ports while the services of the old one are started again, so nobody is refused.

nginx asks those ports where the usual ones are not answered (`backup` in its site).
"""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request
from pathlib import Path

from deploy.installer.changes import Changes, InstallError
from deploy.installer.job import CODE, RELEASES

PORTS = {"traboule-web": (8000, 8001), "traboule-bodies": (8002, 8003)}  # the usual one, and that of the stand-in
_OTHERS = ("traboule-jobs", "traboule-milter")
_PATIENCE = 90.0  # seconds until a service that was started answers
_UNITS = Path("/run/systemd/system")


def serving(changes: Changes) -> str:
    """The release that serves."""
    return changes.path(CODE).resolve().name


def switch(changes: Changes, version: str) -> None:
    """Let a release that is installed serve. Raises InstallError, with the one before serving again."""
    before = serving(changes)
    started = []
    try:
        for unit, (_usual, port) in PORTS.items():
            _start_stand_in(changes, unit, version, port)
            started.append(unit)
            wait_until_well(port)
        _lead_to(changes, version)
        _start_again(changes)
        check(changes)
    except InstallError as fault:
        if serving(changes) != before:
            _lead_to(changes, before)
            _start_again(changes)
            raise InstallError(
                f"{version} is not well, so {before} serves again; what came meanwhile is kept. {fault}"
            ) from fault
        raise InstallError(f"{version} does not start, so {before} goes on. {fault}") from fault
    finally:
        for unit in started:
            changes.tried("systemctl", "stop", f"{unit}-next")
            (_UNITS / f"{unit}-next.service").unlink(missing_ok=True)


def check(changes: Changes) -> None:
    """Whether everything is well: pages, bodies, worker. Raises InstallError."""
    for usual, _other in PORTS.values():
        wait_until_well(usual)
    for unit in _OTHERS:
        if changes.tried("systemctl", "is-active", "-q", unit).returncode:
            raise InstallError(f"{unit} has not started: journalctl -u {unit}")
    end = time.monotonic() + _PATIENCE
    while True:
        status, said = _asked(PORTS["traboule-web"][0], "/healthz?full")
        if status == 200:
            return
        if time.monotonic() > end:
            raise InstallError(f"the pages say of themselves: {said[:500]}")
        time.sleep(1)


def wait_until_well(port: int) -> None:
    """Wait until a service answers that it works. Raises InstallError."""
    end = time.monotonic() + _PATIENCE
    while True:
        status, said = _asked(port, "/healthz")
        if status == 200:
            return
        if time.monotonic() > end:
            raise InstallError(f"port {port} says after {_PATIENCE:.0f} seconds: {said[:300] or 'nothing'}")
        time.sleep(0.3)


def _start_stand_in(changes: Changes, unit: str, version: str, port: int) -> None:
    """A unit of this boot alone, with the new code on its port."""
    text = (changes.path(f"{RELEASES}/{version}") / "deploy" / f"{unit}.service").read_text()
    text = text.replace(CODE, f"{RELEASES}/{version}").replace(f"--port {PORTS[unit][0]}", f"--port {port}")
    text = re.sub(r"\[Install\].*", "", text, flags=re.DOTALL)
    _UNITS.mkdir(parents=True, exist_ok=True)
    (_UNITS / f"{unit}-next.service").write_text(text)
    changes.run("systemctl", "daemon-reload")
    changes.run("systemctl", "start", f"{unit}-next")


def _lead_to(changes: Changes, version: str) -> None:
    changes.link(CODE, f"{RELEASES}/{version}")


def _start_again(changes: Changes) -> None:
    """Each service of this code, one after the other; while one is down, its stand-in answers."""
    for unit, (usual, _other) in PORTS.items():
        changes.run("systemctl", "restart", unit)
        wait_until_well(usual)
    changes.run("systemctl", "restart", *_OTHERS)


def _asked(port: int, path: str) -> tuple[int, str]:
    """Status and text; 0 where nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read(2000).decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read(2000).decode("utf-8", "replace")
    except OSError as error:
        return 0, str(error)
