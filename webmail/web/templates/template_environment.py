"""Template environment: Jinja's, with the names that all templates share in one plain dictionary."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import flask.templating


class TemplateEnvironment(flask.templating.Environment):
    """Jinja lays a mapping of its own over the shared names for each template, in Python, and copies it for every page and every
    import of macros. No template here is loaded with names of its own, so the shared ones themselves do.
    """

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return super().make_globals(d) if d else self.globals
