"""The rule of docs/architecture.md for tables: each has one owner, which alone writes it; others call the owner's functions.

The owner of a model is the area, or package of the data level, that its file in `webmail/models/` is called after, or OWNERS says.
What others read directly is counted: the numbers may only shrink.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "webmail"
READS = Path(__file__).resolve().parents[1] / "support" / "foreign_reads.txt"

OWNERS = {  # of files that are called otherwise
    "accounts": "auth",
    "archiving": "filters",
    "awaited": "compose",
    "cloud_programs": "auth",
    "device_networks": "dav",
    "factors": "auth",
    "filing": "filters",
    "forwarding": "filters",
    "handover": "people",
    "limits": "rate_limits",
    "meetings": "calendar",
    "people_files": "admin",
    "providers": "auth",
    "recovery": "auth",
    "reminders": "calendar",
    "remote": "dav",
    "rooms": "calendar",
    "script_requests": "api",
    "sent_forms": "database",
    "subscriptions": "calendar",
    "support": "accounts",
    "todos": "calendar",
    "transfer_visits": "transfers",
    "undo": "database",
    "watching": "admin",
}

EXCEPTIONS = {  # who else writes a table, and why
    ("establishments.establishments", "User"): "the role follows the rows of who administers one, in the same transaction",
    ("accounts.deletion", "User"): "two columns that hold what a person asks for, which nothing else writes",
    ("calendar.reminders.reminder_rows", "IndexFill"): "one row, under a name of its own: how far its index has come",
    ("calendar.todos.todo_rows", "IndexFill"): "one row, under a name of its own: how far its index has come",
    ("collections.leaving", "CalendarObject"): "what is left of a calendar that nobody sees any more; stands below the calendar",
    ("database.idempotency", "User"): "a lock: changes nothing",
    ("doctor.machine", "User"): "tries whether the database can be written: changes no row, and is rolled back",
    ("keys.keyring", "User"): "one column, which nothing else writes: whether there is a keyring, known wherever the person is",
    ("people.own_name", "User"): "names come from providers too, and from people: one transaction with the identity that follows",
    ("people.own_name", "WritingIdentity"): "the identity that has the account's own name follows it, in the same transaction",
    ("people.policies", "User"): "what somebody's groups say, in the transaction that changes the group: columns that nothing else writes",
    ("preferences", "User"): "one column, which it alone reads and writes",
}  # fmt: skip

WRITES = {
    "create", "insert", "insert_many", "insert_from", "update", "delete", "get_or_create", "replace", "replace_many", "bulk_create",
    "bulk_update", "delete_by_id", "set_by_id",
}  # fmt: skip
OF_ROWS = {"save", "delete_instance"}
READING = {"select", "select_from", "get", "get_or_none", "get_by_id"}
WITH_A_TABLE = {"removed", "_delete"}  # functions that write the table that they are given
SQL = re.compile(r"\b(?:insert\s+into|update|delete\s+from|replace\s+into)\s+[\"`]?(\w+)", re.IGNORECASE)


@cache
def models() -> dict[str, str]:
    """The file of each model."""
    found = {}
    for path in sorted((ROOT / "models").rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and any(isinstance(base, ast.Name) and base.id == "Table" for base in node.bases):
                found[node.name] = path.stem
    return found


@cache
def tables() -> dict[str, str]:
    """The model of each table."""
    import webmail.models

    return {getattr(webmail.models, name)._meta.table_name: name for name in models()}


def owner(model: str) -> str:
    return OWNERS.get(models()[model], models()[model])


class Uses(ast.NodeVisitor):
    """Collects (line, model, "reads" or "writes") of a module."""

    def __init__(self, source: str) -> None:
        self.found: list[tuple[int, str, str]] = []
        self.names: dict[str, set[str]] = {}  # the models that a name stands for: the class, or a row of it
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("webmail.models"):
                self.names |= {alias.asname or alias.name: {alias.name} for alias in node.names if alias.name in models()}
        self.visit(tree)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        before = dict(self.names)
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            self.names[argument.arg] = self._in(argument.annotation)
        for inner in ast.walk(node):
            match inner:
                case ast.For(target=ast.Name(id=name), iter=value) | ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self.names[name] = self.names.get(name, set()) | self._in(value)
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) | ast.NamedExpr(ast.Name(id=name), value):
                    self.names[name] = self.names.get(name, set()) | self._in(value)
        self.generic_visit(node)
        self.names = before

    def visit_Call(self, node: ast.Call) -> None:
        match node.func:
            case ast.Attribute(value=on, attr=verb) if verb in WRITES | READING:
                how = "writes" if verb in WRITES else "reads"
                self.found += [(node.lineno, model, how) for model in self._class(on)]
            case ast.Attribute(value=ast.Name(id=name), attr=verb) if verb in OF_ROWS:
                self.found += [(node.lineno, model, "writes") for model in self.names.get(name, ())]
            case ast.Attribute(attr=verb) | ast.Name(id=verb) if verb in WITH_A_TABLE:
                self.found += [(node.lineno, model, "writes") for given in node.args[:1] for model in self._class(given)]
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            named = (tables().get(table) for table in SQL.findall(node.value))
            self.found += [(node.lineno, model, "writes") for model in named if model]

    def _class(self, node: ast.expr) -> set[str]:
        """The models that an expression is, where it is a name of one, or of some in turn."""
        if isinstance(node, ast.Attribute):
            return {node.attr} & models().keys()
        return self.names.get(node.id, set()) if isinstance(node, ast.Name) else set()

    def _in(self, node: ast.expr | None) -> set[str]:
        """The models that an expression names, but for those in conditions."""
        if node is None:
            return set()
        named = (inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name))
        return {model for name in named for model in self.names.get(name, ()) if name in models()}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


@cache
def uses() -> list[tuple[str, int, str, str]]:
    """Module, line, model and how, of those that the module's place does not own."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        if path.relative_to(ROOT).parts[0] not in ("models", "migrations"):
            name = module_name(path)
            found += [(name, *use) for use in Uses(path.read_text()).found if owner(use[1]) != name.split(".")[0]]
    return found


def test_only_its_owner_writes_a_table() -> None:
    foreign = {(module, model): line for module, line, model, how in uses() if how == "writes"}
    unlisted = [
        f"webmail/{module.replace('.', '/')}.py:{line} writes {model}, which is {owner(model)}'s: call a function of {owner(model)}"
        for (module, model), line in foreign.items()
        if (module, model) not in EXCEPTIONS
    ]
    assert not unlisted, "\n".join(unlisted)
    assert not EXCEPTIONS.keys() - foreign.keys(), "exceptions that nothing needs any more"


def test_every_model_has_an_owner_that_is_there() -> None:
    assert {owner(model) for model in models()} <= {path.stem for path in ROOT.iterdir()}
    assert OWNERS.keys() <= set(models().values()), "files that are gone"


def test_what_is_read_of_others_tables_only_shrinks() -> None:
    """A line of the file is reader, owner and how often. A new read is a function of the owner instead."""
    counted = Counter((module.split(".")[0], owner(model)) for module, _line, model, how in uses() if how == "reads")
    allowed = {(reader, whose): int(count) for reader, whose, count in map(str.split, READS.read_text().splitlines())}
    more = [f"{reader} reads tables of {whose} {count} times: {allowed.get((reader, whose), 0)} are allowed"
            for (reader, whose), count in counted.items() if count > allowed.get((reader, whose), 0)]  # fmt: skip
    assert not more, "\n".join(more)
    fewer = [
        f"{reader} {whose}: {counted[reader, whose]} now"
        for reader, whose in allowed
        if counted[reader, whose] < allowed[reader, whose]
    ]
    assert not fewer, f"lower these numbers in {READS.name}: {fewer}"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from webmail.models import User\nUser.update(active=0).execute()", "writes"),
        ("from webmail.models import User as Person\nPerson.create(address='a')", "writes"),
        ("from webmail import models\nmodels.User.delete().execute()", "writes"),
        ("from webmail.models import User\ndef end(user: User | None):\n    user.save()", "writes"),
        ("from webmail.models import User\ndef end():\n    one = User.get_by_id(1)\n    one.delete_instance()", "writes"),
        ("from webmail.models import Tag, User\ndef end():\n    for table in (Tag, User):\n        table.delete()", "writes"),
        ("db.execute_sql('UPDATE accounts SET active = 0')", "writes"),
        ("from webmail.models import User\nUser.select().where(User.active == 1)", "reads"),
    ],
)  # fmt: skip
def test_the_rule_finds_what_it_forbids(source: str, found: str) -> None:
    assert (found, "User") in {(how, model) for _line, model, how in Uses(source).found}
