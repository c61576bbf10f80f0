"""Operations: one record for each thing that scripts can ask for. Requests are answered from them, and told of by them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, MapAdapter, Rule
from werkzeug.wrappers import Response

from webmail.api import json_bodies, schemas
from webmail.api.problems import ProblemError
from webmail.api.schemas import Schema
from webmail.config.settings import Settings
from webmail.models import User

PATHS: Mapping[str, tuple[str, dict[str, Any]]] = {  # names in addresses: how they are matched, and what they are
    "number": ("int(max=9007199254740991)", schemas.number()),
    "person": ("int(max=9007199254740991)", schemas.number(note="A recipient's number")),
    "addition": ("int(max=9007199254740991)", schemas.number(note="Of files that are being added")),
    "upload": ("string(length=32)", schemas.text(32, "The file's identifier")),
    "link": ("string(maxlength=100)", schemas.text(100, "The last part of the link that was given to you")),
    "path": ("path", schemas.text(1000, "The file's name; with folders before it, if you like")),
}


@dataclass(frozen=True, slots=True)
class ApiCall:
    """What a script asks. `user`: who signed in; None where the link alone opens it."""

    settings: Settings
    user: User | None
    values: Mapping[str, Any]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""  # Idempotency-Key
    fingerprint: str = ""  # of what was asked

    @property
    def person(self) -> User:
        """Of operations that need a sign-in."""
        if self.user is None:
            raise ProblemError("sign-in")
        return self.user


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """`body`: None for none."""

    body: Mapping[str, Any] | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`method`, and `path` with the names of PATHS in braces. `area`: a blueprint that may be hidden from somebody.

    `required`: names of `query` that have to be there. `answer`: the name of one of `shapes.SHAPES`, "" for no body.
    `gives_file`: a file is answered. `link_opens`: without a sign-in. `reads_itself`: a file comes or goes, or it speaks
    tus, so it is admitted by itself. `keyed`: "" where an Idempotency-Key means nothing, else "may" or "must". `headers`: those
    that it reads, with what they say.
    """

    name: str
    method: str
    path: str
    words: Any
    act: Callable[[ApiCall], ApiAnswer | Response]
    tag: str
    area: str = ""
    body: Schema | None = None
    query: Mapping[str, Schema] = field(default_factory=dict)
    required: Sequence[str] = ()
    answer: str = ""
    status: int = 200
    problems: Sequence[str] = ()
    link_opens: bool = False
    reads_itself: bool = False
    gives_file: bool = False
    keyed: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    most_body: Callable[[Settings], int] = lambda _settings: json_bodies.SMALL


class OperationTable:
    """All of them, found by method and path."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.all = tuple(operations)
        rules = [Rule(_rule(one.path), methods=[one.method], endpoint=place) for place, one in enumerate(self.all)]
        for rule, one in zip(rules, self.all, strict=True):
            rule.methods = {one.method}  # without HEAD, which Werkzeug adds to each GET
        self._map = Map(rules, strict_slashes=False, merge_slashes=False, redirect_defaults=False)

    def find(self, method: str, path: str) -> tuple[Operation, Mapping[str, Any]]:
        """Raises ProblemError."""
        adapter = self._map.bind("localhost")
        try:
            place, values = adapter.match(path, method)
        except MethodNotAllowed as error:
            raise self._wrong_method(path) from error
        except NotFound as error:
            raise ProblemError("not-found") from error
        return self.all[place], values

    def _wrong_method(self, path: str) -> ProblemError:
        return ProblemError("wrong-method", headers={"Allow": ", ".join([*self.methods(path), "OPTIONS"])})

    def methods(self, path: str) -> list[str]:
        """Those that a path knows. Raises ProblemError."""
        adapter = self._map.bind("localhost")
        found = [method for method in adapter.allowed_methods(path) if _leads_somewhere(adapter, path, method)]
        if not found:
            raise ProblemError("not-found")
        return sorted(found)


def _leads_somewhere(adapter: MapAdapter, path: str, method: str) -> bool:
    """Not so where a part of the path is no number, or too large a one: Werkzeug names its methods all the same."""
    try:
        adapter.match(path, method)
    except (MethodNotAllowed, NotFound):
        return False
    return True


def _rule(path: str) -> str:
    for name, (converter, _schema) in PATHS.items():
        path = path.replace(f"{{{name}}}", f"<{converter}:{name}>")
    return path
