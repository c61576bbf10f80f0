"""A Firefox without windows, told by its own remote protocol (Marionette: JSON over TCP), so that no driver is needed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

from tests.support.waiting import eventually
from tests.support.webdriver import PATIENCE, WebDriver, WebDriverError

INSTALLED = shutil.which("firefox-esr") or ""
FIREFOX = shutil.which(os.environ.get("FIREFOX", "")) or ""  # where it was asked for
_SETTINGS = {
    "intl.accept_languages": "fr",
    "browser.shell.checkDefaultBrowser": False,
    "browser.formfill.enable": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.http.phishy-userpass-length": 255,
}


class Firefox(WebDriver):
    """`with Firefox(folder) as browser:` - the folder is for its profile."""

    def __init__(self, folder: Path, program: str = FIREFOX, scripts: bool = False) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port: int = free.getsockname()[1]
        values = {**_SETTINGS, "javascript.enabled": scripts, "marionette.port": self._port}
        (folder / "user.js").write_text("".join(f'user_pref("{name}", {json.dumps(value)});\n' for name, value in values.items()))
        self.scripts = scripts
        self._program, self._folder, self._rest, self._asked = program, folder, b"", 0

    def __enter__(self) -> Firefox:
        command = [self._program, "--headless", "--marionette", "--no-remote", "--profile", str(self._folder)]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(command, **quiet)  # type: ignore[call-overload]
        self._line = eventually(self._connected, seconds=PATIENCE, what="a Firefox that answers")
        self._read()
        self._tell("NewSession")
        return self

    def __exit__(self, *_error: object) -> None:
        self._line.close()
        self._process.terminate()
        self._process.wait(PATIENCE)

    def click(self, selector: str) -> None:
        """Wherever it leads: to a page of the browser's own, if the server hung up."""
        try:
            super().click(selector)
        except WebDriverError as error:
            if "Reached error page" not in str(error):
                raise

    def click_in_vain(self, selector: str) -> None:
        """The line is broken: once the browser says so."""
        self.click(selector)
        eventually(lambda: "aboutNetError" in self._tell("GetPageSource"), what="an error page")

    def _connected(self) -> socket.socket | None:
        try:
            return socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE)
        except OSError:
            return None

    def _tell(self, command: str, **values: Any) -> Any:
        self._asked += 1
        text = json.dumps([0, self._asked, f"WebDriver:{command}", values]).encode()
        self._line.sendall(b"%d:%b" % (len(text), text))
        _kind, _number, error, found = self._read()
        if error:
            raise WebDriverError(error["error"], f"{command} {values}: {error['message']}")
        return found["value"] if isinstance(found, dict) and "value" in found else found

    def _read(self) -> Any:
        while b":" not in self._rest:
            self._rest += self._line.recv(65536)
        length, _colon, rest = self._rest.partition(b":")
        while len(rest) < int(length):
            rest += self._line.recv(65536)
        self._rest = rest[int(length) :]
        return json.loads(rest[: int(length)])
