"""Late areas: their views are imported when one of their pages is asked for, or a template uses one of their words.

What others need of them until then stands in a table: the rules of their routes, and the names of what templates call. It is
built from the views themselves, in a process of its own, and is not in Git: beside the code by `python -m` this module, or where
an application finds none, or an old one, in its instance folder. What an area adds to pages of others is in its
`page_parts.py`, which always comes.
"""

from __future__ import annotations

import hashlib
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from flask import Flask

from webmail.config import ownership
from webmail.web.forms import row_numbers

log = logging.getLogger(__name__)

AREAS = (
    "accounts", "admin", "api", "appointments", "auth", "calendar", "collection_pages", "compose", "contacts", "dav", "drives",
    "filesender", "filters",
    "handover", "help", "keys",
    "mailbox", "message", "polls", "restores", "services", "settings", "takeout", "todo", "transfers",
)  # fmt: skip
EVERYDAY = ("accounts", "auth", "compose", "help", "mailbox", "message")  # what somebody asks a server for at once
STARTS = {"all": AREAS, "server": EVERYDAY, "command": ()}  # a command, such as the worker, shows no pages
WITH_PARTS = ("appointments", "calendar", "drives", "filters")
FILE = "late_areas.json"
_ROOT = Path(__file__).resolve().parents[1]
_HERE = _ROOT / "web" / FILE
_KINDS = ("globals", "filters", "tests")  # of names in templates

Table = dict[str, Any]


class LateAreas:
    """Of one application. `register`: what makes the views of an area part of it."""

    def __init__(self, app: Flask, register: Callable[[ModuleType], None]) -> None:
        self._app, self._register = app, register
        self._area_of: dict[str, str] = {}  # by endpoint
        self._waiting = set(AREAS)
        self._loading = threading.RLock()

    def begin(self, at_start: Sequence[str], instance: Path) -> None:
        """Import the views of these, and announce the others, if their table can be had."""
        table = None if set(at_start) == set(AREAS) else ready(instance)
        if table is not None:
            self.announce({area: entry for area, entry in table.items() if area not in at_start})
        for area in AREAS:  # in this order stand banners on a page
            if area in WITH_PARTS:
                import_module(f"webmail.{area}.page_parts").install(self._app)
            if area in at_start or table is None:
                self.load(area)

    def announce(self, table: Table) -> None:
        """Add the rules of these areas, and a word in the place of each that templates use."""
        self._app.view_functions = _LateViews(self, self._app.view_functions)
        for area, entry in table.items():
            for text, endpoint, methods, options in entry["rules"]:
                rule = self._app.url_rule_class(text, endpoint=endpoint, methods=methods)
                rule.provide_automatic_options = options  # type: ignore[attr-defined] # as Flask does
                self._app.url_map.add(rule)
                self._area_of[endpoint] = area
            for kind in _KINDS:
                words = getattr(self._app.jinja_env, kind)
                words.update({name: self._late_word(area, kind, name) for name in entry[kind]})

    def has(self, endpoint: str | None) -> bool:
        """Whether the rules of this endpoint are there already."""
        return endpoint in self._area_of

    def load(self, area: str) -> None:
        """Import its views, if nobody has. What goes wrong with it leaves nothing behind, and is tried again next time."""
        with self._loading:  # whoever comes meanwhile waits until it is whole
            if area in self._waiting:
                self._register(import_module(f"webmail.{area}.views"))
                self._waiting.discard(area)

    def load_for(self, endpoint: str) -> None:
        if self._area_of.get(endpoint) in self._waiting:
            self.load(self._area_of[endpoint])

    def load_all(self) -> None:
        for area in sorted(self._waiting):
            self.load(area)

    def _late_word(self, area: str, kind: str, name: str) -> Callable[..., Any]:
        def late(*arguments: Any, **named: Any) -> Any:
            self.load(area)
            return getattr(self._app.jinja_env, kind)[name](*arguments, **named)

        return late


class _LateViews(dict[str, Any]):
    """The view functions of an application: that of a late area comes when it is asked for, with the marks of the guard on it."""

    def __init__(self, areas: LateAreas, views: dict[str, Any]) -> None:
        super().__init__(views)
        self._areas = areas

    def __missing__(self, endpoint: str) -> Any:
        if (view := self.get(endpoint)) is None:
            raise KeyError(endpoint)
        return view

    def get(self, endpoint: str, default: Any = None) -> Any:
        self._areas.load_for(endpoint)  # also where it is there already: another thread may be in the middle of its area
        return super().get(endpoint, default)


# --- the table -------------------------------------------------------------------------------------------------------


def ready(instance: Path) -> Table | None:
    """The table of this code, built now where there is none; None where that fails: all areas come at the start then."""
    digest = _digest()
    for file in (_HERE, instance / FILE):
        if (found := _read(file, digest)) is not None:
            return found
    try:
        subprocess.run([sys.executable, "-m", __name__, str(instance / FILE)], cwd=_ROOT.parent, check=True, timeout=120)
    except (OSError, subprocess.SubprocessError) as error:
        log.warning("all areas come at the start: their table can't be built (%s)", error)
    return _read(instance / FILE, digest)


def build(file: Path = _HERE) -> None:
    """Write the table where it is missing or old. Raises OSError."""
    digest = _digest()
    if _read(file, digest) is None:
        content = json.dumps({"digest": digest, "areas": {area: _described(area) for area in AREAS}})
        ownership.replace_file(file, content.encode(), 0o644)


def _read(file: Path, digest: str) -> Table | None:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    return found["areas"] if found.get("digest") == digest else None


def _digest() -> str:
    """Of the dates and sizes of these areas' modules, by which Python too tells whether what it compiled is old."""
    files: Iterable[Path] = (file for area in ("web", *AREAS) for file in (_ROOT / area).rglob("*.py"))
    modules = sorted((str(file.relative_to(_ROOT)), (of := file.stat()).st_mtime_ns, of.st_size) for file in files)
    return hashlib.sha256(repr((sys.version, modules)).encode()).hexdigest()


def _described(area: str) -> dict[str, Any]:
    """The rules and words that registering the area adds to an application that has nothing else."""
    app = Flask(__name__)
    row_numbers.install(app)
    before = {kind: set(getattr(app.jinja_env, kind)) for kind in _KINDS}
    static = len(list(app.url_map.iter_rules()))
    app.register_blueprint(import_module(f"webmail.{area}.views").blueprint)
    rules = [
        (rule.rule, rule.endpoint, sorted(rule.methods or ()), getattr(rule, "provide_automatic_options", False))
        for rule in list(app.url_map.iter_rules())[static:]
    ]
    return {"rules": rules} | {kind: sorted(set(getattr(app.jinja_env, kind)) - before[kind]) for kind in _KINDS}


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else _HERE)
