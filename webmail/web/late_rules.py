"""Late rules: the functions that put the address of a route together, which werkzeug compiles, are made when one is asked for.

All 450 routes of an application at once took a third of its start, and most addresses are never asked for by a process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from werkzeug.routing import Rule


class LateRule(Rule):
    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = super()._compile_builder
        made: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Rule, /, **values: Any) -> tuple[str, str]:
            if not made:
                made.append(compiled(append_unknown))
            return made[0](rule, **values)

        return build


def install(app: Flask) -> None:
    """Before any rule is added."""
    app.url_rule_class = LateRule
