"""The import rule of docs/architecture.md: modules import downwards only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "webmail"
MODULES = sorted(p for p in ROOT.rglob("*.py") if "migrations" not in p.parts)
WEB = {"flask", "flask_login", "flask_wtf", "flask_babel", "flask_compress", "htmx_flask", "wtforms", "werkzeug"}
DATABASE = {"peewee", "playhouse", "huey"}
PROTOCOLS = {"imap", "smtp", "sieve", "dav", "outside"}
TOP = {"webmail", "webmail.cli", "webmail.jobs"}


def name_of(path: Path) -> str:
    parts = ("webmail", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> set[str]:
    """Absolute module names, `from webmail import imap` as `webmail.imap`; those behind TYPE_CHECKING count too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} if node.module == "webmail" else {node.module}
            assert node.level == 0, f"{path}: imports are absolute"
    return found


def kind_of(module: str) -> str:
    """mail, mime, protocol, data, logic, web or top: the levels of the rule."""
    first = module.split(".")[1] if "." in module else ""
    if module in TOP:
        return "top"
    if first == "mail":
        return "mail"
    if first == "mime":
        return "mime"
    if first == "account":
        return "account"
    if first in PROTOCOLS:
        return "protocol"
    if first in ("databases", "models", "config", "preferences", "prepared", "times", "undo_rows"):
        return "data"
    if first in ("web", "words", "downloads") or module.endswith(("views", "forms", "cookies", "guard")):
        return "web"
    return "logic"


MAY_IMPORT = {
    "mail": set(),
    "account": {"mail"},
    "mime": {"mail"},
    "protocol": {"mail", "account", "mime"},
    "data": {"mail", "account", "data"},
    "logic": {"mail", "account", "mime", "protocol", "data"},
    "web": {"mail", "account", "mime", "protocol", "data", "logic", "web"},
}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_downwards_only(path: Path) -> None:
    module, imports = name_of(path), imports_of(path)
    kind = kind_of(module)
    if kind == "top":
        return
    libraries = {name.split(".")[0] for name in imports}
    if kind != "web":
        assert not libraries & WEB, f"{module} is below the web and knows of it"
    if kind in ("mail", "account", "mime", "protocol"):
        assert not libraries & DATABASE, f"{module} is below the database and knows of it"
    area = module.split(".")[1]
    for imported in (name for name in imports if name.startswith("webmail.")):
        other = kind_of(imported)
        same_area = imported.split(".")[1] == area
        assert other in MAY_IMPORT[kind] | ({kind} if same_area else set()), f"{module} imports {imported}"
        if kind == "protocol" and other == "protocol":
            assert same_area, f"{module} knows of another protocol: {imported}"
        if imported.endswith(".views"):
            assert same_area, f"{module} uses the views of another area: {imported}"


def test_the_nouns_need_the_standard_library_only() -> None:
    assert {name.split(".")[0] for name in imports_of(ROOT / "mail.py")} <= {"__future__", "dataclasses", "datetime", "enum"}


def test_no_module_is_longer_than_a_newcomer_reads_at_once() -> None:
    assert [f"{p.name}: {n}" for p in MODULES if (n := len(p.read_text().splitlines())) > 450] == []
