"""Late calls: functions whose module is imported when they are first called. A test finds each (`addresses`)."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

addresses: set[str] = set()  # of all that are called so


def late_call(address: str) -> Callable[..., Any]:
    """The function at `module:name`."""

    def call(*arguments: Any, **named: Any) -> Any:
        return resolve(address)(*arguments, **named)

    addresses.add(address)
    return call


def resolve(address: str) -> Callable[..., Any]:
    module, _colon, name = address.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found
