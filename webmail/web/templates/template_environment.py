"""Template environment: Jinja's, with less on the way for what each page does hundreds of times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from types import CodeType, FunctionType
from typing import Any

import flask.templating
import jinja2
from jinja2.runtime import Context
from markupsafe import Markup, escape


class _Context(Context):
    """Jinja looks at each function that is called whether it wants the context. A plain one, without any mark, does not."""

    def call(self, function: Any, /, *args: Any, **named: Any) -> Any:
        if type(function) is not FunctionType or function.__dict__:
            return super().call(function, *args, **named)
        if named:  # where it is called from, of a loop or a block, is for those that want the context
            named.pop("_loop_vars", None)
            named.pop("_block_vars", None)
        return function(*args, **named)


class _JoinedTemplate(jinja2.Template):
    """Jinja hands each piece of a page from block to block, up to the outermost template: five calls for each of five hundred.
    Here each block gives one piece. No page is sent before all of it is there.
    """

    @classmethod
    def from_code(
        cls,
        environment: jinja2.Environment,
        code: CodeType,
        globals: MutableMapping[str, Any],
        uptodate: Callable[[], bool] | None = None,
    ) -> jinja2.Template:
        template = super().from_code(environment, code, globals, uptodate)
        names = template.root_render_func.__globals__
        template.blocks = {name: _joined(block) for name, block in template.blocks.items()}
        names.update({f"block_{name}": block for name, block in template.blocks.items()})  # `super()` looks for its own block
        names["escape"] = _escaped
        template.root_render_func = _joined(template.root_render_func)
        return template


def _escaped(value: Any) -> Any:
    """What a template writes: half of it is markup already, which Jinja's way makes anew in seven calls."""
    return value if type(value) is Markup else escape(value)


def _joined(render: Any) -> Any:
    def whole(context: Context) -> Iterator[str]:
        yield "".join(render(context))

    return whole


class TemplateEnvironment(flask.templating.Environment):
    """Jinja lays a mapping of its own over the shared names for each template, in Python, and copies it for every page and every
    import of macros. No template here is loaded with names of its own, so the shared ones themselves do.
    """

    context_class = _Context
    template_class = _JoinedTemplate

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return super().make_globals(d) if d else self.globals
