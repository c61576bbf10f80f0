"""The import rule of docs/architecture.md: modules import downwards only, without circles; no module is too long to read."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from webmail.web import late_areas

ROOT = Path(__file__).resolve().parents[2] / "webmail"
LONGEST = 500  # lines: what a newcomer reads at once; 400 is better
MOST = 20  # modules in a folder: what a newcomer reads the names of

# The levels, lowest first: a module may import what stands on a lower level, or beside it on its own where `siblings` says so.
NOUNS = ("mail", "rights", "errors", "account", "admission")
FORMATS = ("mime", "sieve", "crypto")
PROTOCOLS = ("imap", "smtp", "managesieve", "webdav", "http_fetch", "itip")
DATA = (
    "database",
    "models",
    "collections",
    "config",
    "desk",
    "preferences",
    "vault",
    "schedule",
    "translations",
    "storage",
    "people",
    "establishments",
    "tasks",
    "audit",
    "rate_limits",
    "system_mail",
    "health",
    "late_calls",
)
AREAS = (  # each may use those before it
    "auth", "accounts", "help", "keys", "mailbox", "contacts", "services", "drives", "transfers", "filesender", "compose", "calendar",
    "appointments", "polls", "todo", "message", "filters", "dav",
    "takeout", "restores", "collection_pages", "settings", "handover", "admin",
)  # fmt: skip
TOP = ("", "application", "api", "cli", "doctor", "jobs")  # "" is create_app
LEVELS = (NOUNS, FORMATS, PROTOCOLS, DATA, ("web",), AREAS, TOP)

FLASK = {"flask", "flask_login", "flask_wtf", "flask_compress", "htmx_flask", "wtforms", "werkzeug"}
GETTEXT = "flask_babel"  # above the data level: words need no request
DATABASE = {"peewee", "playhouse", "huey"}
FLASK_MODULES = ("blueprint", "forms", "page_parts")  # or ends so (identity_forms); and all of `views/`, and of `notifications/`
# Of web/, what the rest of an area may use: it speaks, and asks nobody who is signed in. Of `current`, the names below it.
WORDS_OF_WEB = {"addresses", "code_texts", "current", "day_names", "following_texts", "formatting", "public_links", "too_many"}
WITHOUT_REQUEST = {"settings", "time_zone", "wake", "wake_system_mail"}
OF_A_REQUEST = {  # the module it comes from, and its names
    "flask": {"abort", "after_this_request", "redirect", "request", "Response", "session"},
    "webmail.web.notices": {"notify"},
    "webmail.web.rendering": {"fragment", "page"},
    "werkzeug.wrappers": {"Response"},
}
FLASK_IN_AUTH = {"cookies", "guard", "interrupted_forms"}  # the sign-in of a request

Graph = dict[str, set[str]]


def module_name(path: Path, root: Path = ROOT) -> str:
    parts = ("webmail", *path.relative_to(root).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    return {module_name(path): path for path in sorted(ROOT.rglob("*.py")) if "migrations" not in path.parts}


@cache
def parsed(source: str) -> ast.Module:
    return ast.parse(source)


def imports_in(source: str, known: Iterable[str]) -> set[str]:
    """Absolute names of what is imported, at the top of the module, inside its functions and behind TYPE_CHECKING alike.

    `from webmail.compose import drafts` is `webmail.compose.drafts.drafts`; `from webmail.mail import Address` is `webmail.mail`.
    """
    found: set[str] = set()
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"imports are absolute: line {node.lineno}"
            module = node.module or ""
            inner = {f"{module}.{alias.name}" for alias in node.names}
            found |= {name if name in known else module for name in inner}
    return found


@cache
def graph() -> Graph:
    return {name: imports_in(path.read_text(), modules()) for name, path in modules().items()}


def place(module: str) -> str:
    """The first name below `webmail`: the area, package or module that the levels know; "" for `webmail` itself."""
    return module.split(".")[1] if "." in module else ""


def level(module: str) -> int:
    found = [number for number, names in enumerate(LEVELS) if place(module) in names]
    assert found, f"{module} stands on no level: add it to the table at the top of this test"
    return found[0]


def knows_flask(module: str) -> bool:
    parts = module.split(".")
    if place(module) == "web" or level(module) == len(LEVELS) - 1:
        return True
    if place(module) not in AREAS:
        return False
    if place(module) == "auth" and parts[-1] in FLASK_IN_AUTH:
        return True
    return bool({"views", "notifications"} & set(parts[2:])) or parts[-1].endswith(FLASK_MODULES)


def faults_of(module: str, imports: set[str]) -> list[str]:
    """What is wrong with the imports of one module, in words; empty where nothing is."""
    faults = []
    own, libraries = level(module), {name.split(".")[0] for name in imports}
    if not knows_flask(module) and libraries & FLASK:
        faults.append(f"{module} uses Flask: only views, notifications, forms, blueprints and web/ do")
    if own <= LEVELS.index(DATA) and GETTEXT in libraries:
        faults.append(f"{module} speaks to people: only what stands above the data does")
    if own < LEVELS.index(DATA) and libraries & DATABASE:
        faults.append(f"{module} uses the database, which stands above it")
    if own == LEVELS.index(NOUNS) and place(module) != "account" and not libraries <= STANDARD:
        faults.append(f"{module} uses {libraries - STANDARD}: nouns need the standard library only")
    for imported in (name for name in imports if name.split(".")[0] == "webmail"):
        other, there = level(imported), place(imported)
        if there == place(module):
            continue
        if other > own:
            faults.append(f"{module} imports {imported}, which stands above it")
        if own == other == LEVELS.index(PROTOCOLS):
            faults.append(f"{module} imports another protocol: {imported}")
        if own == other == LEVELS.index(AREAS) and AREAS.index(there) > AREAS.index(place(module)):
            faults.append(f"{module} imports {imported}, an area that comes after it")
        if other == LEVELS.index(AREAS) and own <= other and (knows_flask(imported) and there != "auth" or ".views" in imported):
            faults.append(f"{module} imports {imported}, the pages of another area")
        if other == LEVELS.index(("web",)) and not knows_flask(module) and imported.split(".")[-1] not in WORDS_OF_WEB:
            faults.append(f"{module} imports {imported}, but is logic below the pages")
    return faults


STANDARD = {"__future__", "collections", "contextlib", "dataclasses", "datetime", "enum", "math", "threading", "time", "webmail"}


def circles(imports: Graph) -> list[list[str]]:
    """Groups of modules that import each other, in whatever round-about way (Tarjan's strongly connected components)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        number[name] = low[name] = len(number)
        stack.append(name)
        for other in imports[name] & imports.keys() - {name}:
            if other not in number:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], number[other])
        if low[name] == number[name]:
            at = stack.index(name)
            group = stack[at:]
            del stack[at:]
            if len(group) > 1:
                found.append(sorted(group))

    for name in imports:
        if name not in number:
            visit(name)
    return found


def test_modules_import_downwards_only() -> None:
    assert [fault for module, imports in graph().items() for fault in faults_of(module, imports)] == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(graph()) == []


def test_no_module_is_longer_than_a_newcomer_reads_at_once() -> None:
    assert {name: n for name, path in modules().items() if (n := len(path.read_text().splitlines())) > LONGEST} == {}


def folders() -> dict[Path, int]:
    """Folders of `webmail/`, with the number of modules in each, besides its `__init__.py`."""
    found = Counter(path.parent for path in modules().values() if path.stem != "__init__")
    return dict(found)


def test_a_folder_has_few_modules() -> None:
    assert {str(folder): many for folder, many in folders().items() if many > MOST} == {}
    assert folders()[ROOT] <= 17


def test_each_folder_says_what_belongs_in_it() -> None:
    assert [str(folder) for folder in folders() if not ast.get_docstring(parsed((folder / "__init__.py").read_text()))] == []


def test_the_views_package_registers_all_that_its_area_has() -> None:
    """A module imports the area's blueprint; `views/__init__.py` names every one that registers a route, or a word of templates,
    so that none is forgotten."""
    for area in AREAS:
        views = ROOT / area / "views"
        if views.is_dir():
            named = imports_in((views / "__init__.py").read_text(), modules())
            registering = {name for name, path in modules().items() if place(name) == area and "@blueprint." in path.read_text()}
            assert registering <= named
            assert not {name for name in graph()[f"webmail.{area}.blueprint"] if name.startswith("webmail")}


def names_from(source: str, module: str) -> set[str]:
    """What is imported from a module by name."""
    found = (node for node in ast.walk(parsed(source)) if isinstance(node, ast.ImportFrom) and node.module == module)
    return {alias.name for node in found for alias in node.names}


def of_a_request(source: str) -> set[str]:
    """What a module uses that only a request has: who asks and for what, or the page that answers."""
    used = {name for module, names in OF_A_REQUEST.items() for name in names_from(source, module) & names}
    return used | names_from(source, "webmail.web.current") - WITHOUT_REQUEST


def registers_routes(source: str) -> bool:
    """Or what else answers requests; a word of templates alone does not."""
    decorators = (
        ast.unparse(one) for node in ast.walk(parsed(source)) if isinstance(node, ast.FunctionDef) for one in node.decorator_list
    )
    return any(one.startswith("blueprint.") and not one.startswith("blueprint.app_template_") for one in decorators)


def test_a_module_of_views_answers_a_request() -> None:
    """Mail belongs in `notifications/`, words and logic beside `views/`."""
    views = {name: path.read_text() for name, path in modules().items() if ".views." in name and path.stem != "__init__"}
    assert [name for name, source in views.items() if not registers_routes(source) and not of_a_request(source)] == []


def test_beside_views_nothing_needs_a_request() -> None:
    """So the worker and the commands can use it."""
    beside = {name: path.read_text() for name, path in modules().items() if place(name) in AREAS and ".views" not in name}
    pages = {name for name in beside if name.endswith(FLASK_MODULES)} | {
        name for name in beside if place(name) == "auth" and name.split(".")[-1] in FLASK_IN_AUTH
    }
    assert {name: found for name in beside.keys() - pages if (found := of_a_request(beside[name]))} == {}


def test_mail_is_written_beside_views() -> None:
    """A page asks a module of `notifications/` for it."""
    views = {name: path.read_text() for name, path in modules().items() if ".views" in name}
    assert [name for name, source in views.items() if "system_mail.send(" in source or "mailed_codes.send(" in source] == []


def test_views_are_imported_by_views_alone() -> None:
    """By name; an application has those of each area imported when they are asked for (`webmail/web/late_areas.py`)."""
    assert [name for name, imports in graph().items() if ".views" not in name and any(".views" in one for one in imports)] == []
    assert {name.split(".")[1] for name in modules() if ".views" in name} == set(late_areas.AREAS)


PARSES_XML = {
    "fromstring",
    "fromstringlist",
    "XMLParser",
    "XMLPullParser",
    "iterparse",
    "XMLID",
    "expat",
    "lxml",
    "minidom",
    "sax",
    "defusedxml",
}


def test_xml_is_parsed_in_one_place() -> None:
    """`webmail/mime/safe_xml.py`: elsewhere it is only built."""
    found = set()
    for name, path in modules().items():
        for node in ast.walk(parsed(path.read_text())):
            words = {
                part
                for one in getattr(node, "names", ())
                if isinstance(node, ast.Import | ast.ImportFrom)
                for part in one.name.split(".")
            }
            words |= set((node.module or "").split(".")) - {"sax"} if isinstance(node, ast.ImportFrom) else set()
            words |= {node.attr} if isinstance(node, ast.Attribute) else set()
            if words & PARSES_XML or (isinstance(node, ast.Attribute) and ast.unparse(node) in ("ET.parse", "ET.XML")):
                found.add(name)
    assert found == {"webmail.mime.safe_xml"}


def test_what_is_limited_by_time_is_counted_and_refused_in_one_place() -> None:
    """One module writes the table of what counts, and has the one error that is answered 429."""
    found = []
    for name, path in modules().items():
        for node in ast.walk(parsed(path.read_text())):
            if isinstance(node, ast.Name | ast.alias) and "LimitUse" in (getattr(node, "id", ""), getattr(node, "name", "")):
                found.append(f"{name} uses the table of limits")
            if isinstance(node, ast.ClassDef) and any(_says_429(line) for line in node.body):
                found.append(f"{name}: {node.name} is answered 429")
    ours = {"webmail.rate_limits uses the table of limits", "webmail.rate_limits: TooManyRequestsError is answered 429"}
    assert set(found) - {"webmail.models uses the table of limits"} == ours


def _says_429(line: ast.stmt) -> bool:
    return isinstance(line, ast.Assign | ast.AnnAssign) and isinstance(line.value, ast.Constant) and line.value.value == 429


def test_a_class_name_stands_once_in_the_house() -> None:
    where: dict[str, list[str]] = {}
    for name, path in modules().items():
        for node in parsed(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where.setdefault(node.name, []).append(name)
    assert {name: places for name, places in where.items() if len(places) > 1} == {}


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("webmail.mail", "import peewee"),
        ("webmail.mime.headers.headers", "from webmail.imap import connection"),
        ("webmail.imap.connections.pool", "from webmail import smtp"),
        ("webmail.imap.connections.pool", "import peewee"),
        ("webmail.models.sign_in.auth", "from webmail.auth import sessions"),
        ("webmail.compose.drafts.drafts", "from flask import request"),
        ("webmail.compose.drafts.drafts", "from webmail.web.notices import notify"),
        ("webmail.storage.local", "from flask_babel import gettext"),
        ("webmail.contacts.store", "from webmail.compose import drafts"),
        ("webmail.mailbox.views.rows", "def late():\n    from webmail.settings import forms"),
        ("webmail.message.views.message", "from webmail.compose.views.editor import show"),
        ("webmail.message.views.message", "from webmail.compose.views import editor as anything"),
        ("webmail.message.views.message", "from webmail.compose.blueprint import blueprint"),
        ("webmail.web.current", "from webmail.auth import guard"),
    ],
)
def test_the_rule_finds_what_it_forbids(module: str, source: str) -> None:
    assert faults_of(module, imports_in(source, modules()))


def test_the_rule_finds_circles_inside_functions_too() -> None:
    a, b = imports_in("def f():\n    from webmail import b", {"webmail.b"}), imports_in("import webmail.a", {"webmail.a"})
    assert circles({"webmail.a": a, "webmail.b": b}) == [["webmail.a", "webmail.b"]]
