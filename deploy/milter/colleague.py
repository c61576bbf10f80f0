"""Colleague's message: whether one that is redirected bears the webmail's proof that its author wrote it (proof.py).

That module needs the standard library alone, and is read by its path: the package `webmail` needs what Debian's Python lacks.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import util
from pathlib import Path

_MODULE = Path(__file__).resolve().parents[2] / "webmail" / "mime" / "headers" / "proof.py"


def verifier(secret: str) -> Callable[[bytes], bool]:
    """A check of a whole message. Without the webmail's secret key nothing is proven."""
    if not secret:
        return lambda message: False
    spec = util.spec_from_file_location("traboule_proof", _MODULE)
    assert spec and spec.loader
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda message: bool(module.verifies(message, secret))
