"""Rate limits in tests: time that passes, numbers that are small."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import ModuleType

import pytest

from webmail.models import LimitUse


def let_pass(span: timedelta) -> None:
    """All that counts was done so much earlier."""
    for row in LimitUse.select():
        LimitUse.update(at=row.at - span, until=row.until - span).where(LimitUse.id == row.id).execute()


def forget_all() -> None:
    LimitUse.delete().execute()


def lower(monkeypatch: pytest.MonkeyPatch, module: ModuleType, *names: str, most: int) -> None:
    """These limits of a module allow less."""
    for name in names:
        monkeypatch.setattr(module, name, replace(getattr(module, name), most=most))
