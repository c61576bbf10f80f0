"""Names of modules, functions, classes and parameters say what they hold or do: docs/terms.md has the words."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TERMS = ROOT / "docs" / "terms.md"
_REFUSED = re.compile(r"^\| `(\w+)` \| (.+) \|$", re.MULTILINE)
_ROUTE = re.compile(r"\bblueprint\.(?:get|post|route)\(")


def refused() -> dict[str, str]:
    """The whole names that the last table of docs/terms.md refuses, and what to say instead."""
    return dict(_REFUSED.findall(TERMS.read_text()))


def names_in(source: str) -> Iterator[tuple[int, str]]:
    """Lines and names of functions, classes and parameters. Not what is local: nested functions, parameters of lambdas."""
    for scope in ast.walk(ast.parse(source)):
        if isinstance(scope, ast.Module | ast.ClassDef):
            for node in scope.body:
                if isinstance(node, ast.ClassDef) or (isinstance(node, ast.FunctionDef) and not names_an_endpoint(node)):
                    yield node.lineno, node.name
        if isinstance(scope, ast.FunctionDef) and not names_an_endpoint(scope):
            for argument in (*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs):
                yield scope.lineno, argument.arg


def names_an_endpoint(node: ast.FunctionDef) -> bool:
    """Whether addresses are made from its name, which stays."""
    return any(_ROUTE.search(ast.unparse(one)) for one in node.decorator_list)


def faults_of(path: str, source: str, words: dict[str, str]) -> list[str]:
    """What is wrong with the names of a module, in words."""
    stem = Path(path).stem
    named = [(1, stem), *names_in(source)]
    faults = [f"{path}:{line} {name}: say {words[bare]}" for line, name in named if (bare := name.strip("_").lower()) in words]
    top = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.ClassDef))
    return faults + [f"{path}:{node.lineno} {node.name} is a builtin" for node in top if hasattr(builtins, node.name)]


def test_no_name_is_private_language() -> None:
    words = refused()
    assert len(words) > 15
    found = []
    for path in sorted((ROOT / "webmail").rglob("*.py")):
        if "migrations" not in path.parts:
            found += faults_of(str(path.relative_to(ROOT)), path.read_text(), words)
    assert found == []


def test_what_is_refused_is_found() -> None:
    source = "def kept(words: str) -> None: ...\nclass Place: ...\ndef list() -> None: ...\n"
    assert [fault.split(":")[1].split()[1] for fault in faults_of("webmail/letters.py", source, refused())] == [
        "letters", "kept", "Place", "words", "list",
    ]  # fmt: skip
