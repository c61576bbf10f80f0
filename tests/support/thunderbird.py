"""A real Thunderbird without a screen, for tests that ask it to do what it does by itself; scripts run in it by Marionette.

It is not among what tests need: they are skipped where neither `thunderbird` nor TRABOULE_THUNDERBIRD is there.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.demo.child import HOST

PROGRAM = os.environ.get("TRABOULE_THUNDERBIRD") or shutil.which("thunderbird") or ""
_PATIENCE = 60.0  # seconds, until it has started and for each script
_PREFERENCES: dict[str, str | int | bool] = {
    "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "mail.provider.enabled": False,
    "mail.shell.checkDefaultClient": False,
}


class Thunderbird:
    """A connection to its Marionette (a message is LENGTH:[type, number, command, parameters])."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket, self._number = connection, 0
        self._read()  # its greeting
        self._ask("WebDriver:NewSession", {"capabilities": {"alwaysMatch": {"unhandledPromptBehavior": "ignore"}}})
        self._ask("Marionette:SetContext", {"value": "chrome"})
        # scripts come with it switched off: it would ask for the password again and again
        self.run('Services.prefs.setBoolPref("signon.rememberSignons", true)')

    def run(self, script: str, *arguments: Any) -> Any:
        """The value of an expression, which may be a promise, in the program itself. Raises AssertionError."""
        body = f"let done = arguments[arguments.length - 1]; (async () => ({script}))().then(v => done({{v}}), e => done({{e: String(e)}}));"
        found = self._ask("WebDriver:ExecuteAsyncScript", {"script": body, "args": list(arguments), "newSandbox": True})["value"]
        assert "e" not in found, found["e"]
        return found.get("v")

    def _ask(self, command: str, parameters: dict[str, Any]) -> Any:
        self._number += 1
        told = json.dumps([0, self._number, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(told), told))
        _kind, _number, error, result = self._read()
        assert error is None, error
        return result

    def _read(self) -> Any:
        size = b""
        while not size.endswith(b":"):
            size += self._some(1)
        content, length = b"", int(size[:-1])
        while len(content) < length:
            content += self._some(length - len(content))
        return json.loads(content)

    def _some(self, most: int) -> bytes:
        found = self._socket.recv(most)
        assert found, "Thunderbird hung up"
        return found


@contextlib.contextmanager
def running(folder: Path, port: int, preferences: dict[str, str | int | bool]) -> Iterator[Thunderbird]:
    """Start it with a new profile below `folder`, and end it. `port` is one that is free."""
    profile = folder / "profile"
    profile.mkdir(parents=True)
    wanted = {**_PREFERENCES, **preferences, "marionette.port": port}
    (profile / "user.js").write_text(
        "".join(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in wanted.items())
    )
    words = [PROGRAM, "--headless", "--marionette", "--remote-allow-system-access", "--profile", str(profile)]
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(
            words, stdout=log, stderr=log, env={**os.environ, "HOME": str(folder), "MOZ_HEADLESS": "1"}, start_new_session=True
        )
    try:
        with _connected(port) as connection:
            yield Thunderbird(connection)
    finally:
        child.terminate()
        child.wait(20)


def _connected(port: int) -> socket.socket:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return socket.create_connection((HOST, port), timeout=_PATIENCE)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
