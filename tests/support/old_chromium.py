"""Chromiums of years ago without windows, told by their DevTools protocol (JSON over a WebSocket): too old for Playwright.

They come in npm packages (`tests/engines`), compressed, and are unpacked beside them at their first use.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import brotli
import httpx
from websockets.sync.client import ClientConnection, connect

from deploy.demo.child import HOST, free_ports
from tests.support.waiting import eventually
from tests.support.webdriver import ENTER, PATIENCE, TAB, WebDriver, WebDriverError

_PLACE = Path(__file__).resolve().parents[2] / ".venv/engines/node_modules"
_KEYS = {TAB: ("Tab", 9, ""), ENTER: ("Enter", 13, "\r")}
_FLAGS = ("--headless", "--disable-gpu", "--no-first-run", "--hide-scrollbars", "--disable-background-networking")
# what it says of a page that has just gone
_GONE = ("context", "navigated", "Could not find", "No node", "Cannot find")

# elements by numbers of their own, which mean nothing on the next page
_NUMBERS = """var all = window.__all = window.__all || [], stamp = window.__stamp = window.__stamp || Math.random() + ":";
function number(one) { var at = all.indexOf(one); return {element: stamp + (at < 0 ? all.push(one) - 1 : at)}; }
function element(id) { var one = id.indexOf(stamp) ? null : all[id.slice(stamp.length)]; return one && one.isConnected ? one : null; }
"""
_COMMANDS = {
    "GetTitle": "return document.title",
    "FindElements": """var found, list = [], one;
if (told.using === "css selector") return Array.prototype.map.call(document.querySelectorAll(told.value), number);
found = document.evaluate(told.value, document, null, 7, null);
for (one = 0; one < found.snapshotLength; one++) list.push(number(found.snapshotItem(one)));
return list""",
    "GetActiveElement": "return number(document.activeElement || document.body)",
    "GetElementProperty": "return it[told.name]",
    "ElementClear": 'if (it.isContentEditable) it.textContent = ""; else it.value = ""',
    "Focus": """if (!it.getClientRects().length || getComputedStyle(it).visibility !== "visible") return "element not interactable";
if (document.activeElement !== it) it.focus()""",
    "Place": """var box, at, one;
it.scrollIntoView({block: "center"});
box = it.getClientRects()[0];
if (!box || !box.width || !box.height) return "element not interactable";
at = {x: box.left + box.width / 2, y: box.top + box.height / 2};
one = document.elementFromPoint(at.x, at.y);
window.__hit = false;
document.addEventListener("click", function (event) {
  window.__hit = window.__hit || it.contains(event.target) || event.target.contains(it);
}, true);
return one && (it.contains(one) || one.contains(it)) ? at : "element click intercepted\"""",
}


RUNS_HTMX = 69  # from this version on
VERSIONS = (64, 72)


def program(version: int) -> Path | None:
    """Where this one is, if its package is installed."""
    packed = next((_PLACE / f"chromium-{version}").glob("bin/*.br"), None)
    if packed is None:
        return None
    unpacked = packed.with_suffix(".run")
    if not unpacked.exists():
        fresh = unpacked.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(brotli.decompress(packed.read_bytes()))
        fresh.chmod(0o755)
        fresh.rename(unpacked)
    return unpacked


class OldChromium(WebDriver):
    """`with OldChromium(folder, 64) as browser:` - the folder is for its profile."""

    def __init__(self, folder: Path, version: int) -> None:
        [self._port] = free_ports(1)
        root = ["--no-sandbox"] if os.getuid() == 0 else []
        self._command = [str(program(version)), *_FLAGS, *root, f"--user-data-dir={folder}",
                         f"--remote-debugging-port={self._port}", "about:blank"]  # fmt: skip
        self._asked, self._loaded = 0, False
        self.scripts = version >= RUNS_HTMX  # without it pages are as they come, but for menus and boxes

    def __enter__(self) -> OldChromium:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._line = eventually(self._connected, seconds=PATIENCE, what="a Chromium that answers")
        for domain in ("Page", "Runtime", "Network"):
            self._ask(f"{domain}.enable")
        self._ask("Network.setExtraHTTPHeaders", headers={"Accept-Language": "fr"})
        self.resize(1280, 800)
        return self

    def __exit__(self, *_error: object) -> None:
        self._line.close()
        self._process.terminate()
        self._process.wait(PATIENCE)

    def evaluate(self, script: str, **told: Any) -> Any:
        """What a function of this body returns, which has `told`."""
        call = f"(function (told) {{{script}}})({json.dumps(told)})"
        return self._found(call, returnByValue=True).get("value")

    def picture(self, file: Path) -> None:
        file.write_bytes(base64.b64decode(self._ask("Page.captureScreenshot")["data"]))

    def resize(self, width: int, height: int) -> None:
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def attach(self, selector: str, file: Path) -> None:
        def give(element: str) -> None:
            field = self._found(f"{_NUMBERS} element({json.dumps(element)})")
            self._ask("DOM.setFileInputFiles", objectId=field["objectId"], files=[str(file)])

        self._on(selector, give)

    def _connected(self) -> ClientConnection | None:
        try:
            tabs = httpx.get(f"http://{HOST}:{self._port}/json/list").json()
        except (httpx.HTTPError, ValueError):
            return None
        address = next((one["webSocketDebuggerUrl"] for one in tabs if one["type"] == "page"), None)
        return connect(address, max_size=None, compression=None, ping_interval=None, legacy=True) if address else None

    def _tell(self, command: str, **values: Any) -> Any:
        if command == "Navigate":
            self._loaded = False
            self._ask("Page.navigate", **values)
            while not self._loaded:
                self._heard()
        elif command == "DeleteAllCookies":
            self._ask("Network.clearBrowserCookies")
        elif command == "ElementClick":
            self._press(values["id"])
        elif command == "ElementSendKeys":
            self._reach(values["id"])
            if len(values["text"]) == 1:
                self._key(values["text"])
            else:  # at once: a script may act on each letter
                self.evaluate("document.execCommand('insertText', false, told.text)", text=values["text"])
        elif "id" in values:
            if command == "ElementClear":
                self._reach(values["id"])
            return self._of_element(command, **values)
        else:
            return self.evaluate(_NUMBERS + _COMMANDS[command], **values)
        return None

    def _of_element(self, command: str, **values: Any) -> Any:
        act = f"(function (it) {{{_COMMANDS[command]}}})(element(told.id))"
        answer = self.evaluate(f"{_NUMBERS} return element(told.id) ? [{act}] : null", **values)
        if not answer:
            raise WebDriverError("stale element reference", command)
        return answer[0]

    def _reach(self, element: str) -> None:
        """The keyboard is there."""
        if refused := self._of_element("Focus", id=element):
            raise WebDriverError(refused, element)

    def _press(self, element: str) -> None:
        place = self._of_element("Place", id=element)
        if isinstance(place, str):
            raise WebDriverError(place, element)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self._ask(
                "Input.dispatchMouseEvent", type=kind, button="none" if kind == "mouseMoved" else "left", clickCount=1, **place
            )
        if self.evaluate("return window.__hit === false"):  # it moved meanwhile; another page knows nothing of it
            raise WebDriverError("element click intercepted", element)

    def _key(self, key: str) -> None:
        name, code, text = _KEYS.get(key, (key, 0, key))
        kind = "keyDown" if text else "rawKeyDown"
        self._ask("Input.dispatchKeyEvent", type=kind, key=name, windowsVirtualKeyCode=code, text=text, unmodifiedText=text)
        self._ask("Input.dispatchKeyEvent", type="keyUp", key=name, windowsVirtualKeyCode=code)

    def _found(self, script: str, **how: Any) -> dict[str, Any]:
        answer = self._ask("Runtime.evaluate", expression=script, **how)
        if "exceptionDetails" in answer:
            raise WebDriverError("javascript error", json.dumps(answer["exceptionDetails"]))
        found: dict[str, Any] = answer["result"]
        return found

    def _ask(self, method: str, **values: Any) -> Any:
        self._asked += 1
        self._line.send(json.dumps({"id": self._asked, "method": method, "params": values}))
        while True:
            said = self._heard()
            if said.get("id") != self._asked:
                continue
            if "error" in said:
                text = said["error"]["message"]
                kind = "stale element reference" if any(one in text for one in _GONE) else "unknown error"
                raise WebDriverError(kind, f"{method} {values}: {text}")
            return said.get("result", {})

    def _heard(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self._line.recv(PATIENCE))
        self._loaded = self._loaded or said.get("method") == "Page.loadEventFired"
        return said
