"""A WebKit (of GTK, in its own MiniBrowser) on a screen that nobody sees, told by Debian's WebKitWebDriver over HTTP."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx

from deploy.demo.child import HOST, free_ports, start
from tests.support.webdriver import PATIENCE, WebDriver, WebDriverError

DRIVER, SCREEN = shutil.which("WebKitWebDriver") or "", shutil.which("Xvfb") or ""
# what a command is over HTTP; {id} and {name} are of its values
_PATHS = {
    "Navigate": "POST url",
    "Back": "POST back",
    "GetTitle": "GET title",
    "DeleteAllCookies": "DELETE cookie",
    "FindElements": "POST elements",
    "GetActiveElement": "GET element/active",
    "ElementClear": "POST element/{id}/clear",
    "ElementClick": "POST element/{id}/click",
    "ElementSendKeys": "POST element/{id}/value",
    "GetElementProperty": "GET element/{id}/property/{name}",
}


class WebKit(WebDriver):
    """`with WebKit(folder) as browser:` - the folder is for its settings and logs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()

    def __enter__(self) -> WebKit:
        try:
            self._begin()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        with suppress(httpx.HTTPError):  # whatever it still does is ended with it
            self._http.delete(self._session)
        self._stack.close()

    def _begin(self) -> None:
        [port] = free_ports(1)
        environment = {
            **os.environ,
            "HOME": str(self._folder),
            "DISPLAY": self._screen(),
            "GDK_BACKEND": "x11",
            "LANG": "fr_FR.UTF-8",
        }
        environment |= {"GSETTINGS_BACKEND": "memory", "NO_AT_BRIDGE": "1", "LIBGL_ALWAYS_SOFTWARE": "1"}
        driver = start("WebKit", [DRIVER, f"--port={port}"], self._folder / "webkit.log", port, environment)
        driver.patience = 0.5  # once its browser has ended, it has nothing to lose
        self._stack.callback(driver.stop)
        self._http = self._stack.enter_context(httpx.Client(base_url=f"http://{HOST}:{port}", timeout=PATIENCE))
        driver.wait_for(lambda _port: self._answers())
        made = self._ask("POST", "session", {"capabilities": {}})
        self._session = f"session/{made['sessionId']}"

    def _screen(self) -> str:
        """The number of a screen that was started for it."""
        read, write = os.pipe()
        command = [SCREEN, "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(command, pass_fds=[write], stdin=quiet, stdout=quiet, stderr=quiet)
        self._stack.callback(process.wait)
        self._stack.callback(process.terminate)
        os.close(write)
        with open(read) as told:
            return f":{told.readline().strip()}"

    def _answers(self) -> bool:
        with suppress(httpx.TransportError):
            return self._http.get("status").status_code == 200
        return False

    def _tell(self, command: str, **values: Any) -> Any:
        method, path = _PATHS[command].split()
        rest = {name: value for name, value in values.items() if f"{{{name}}}" not in path}
        return self._ask(method, f"{self._session}/{path.format(**values)}", rest)

    def _ask(self, method: str, path: str, values: dict[str, Any]) -> Any:
        answer = self._http.request(method, path, json=values if method == "POST" else None)
        found = answer.json()["value"]
        if answer.is_error:
            raise WebDriverError(found["error"], f"{path} {values}: {found['message']}")
        return found
