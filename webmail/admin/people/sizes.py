"""Sizes of mailboxes as administrators type them: 500M, 2G, 1.5G."""

from __future__ import annotations

import re
from decimal import Decimal

_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_LARGEST = 1024**5
_TYPED = re.compile(r"([0-9]{1,12}(?:[.,][0-9])?) *([KMGT]?)[BO]?")


def bytes_typed(text: str) -> int | None:
    """None for what is no size, or too large for one."""
    match = _TYPED.fullmatch(text.strip().upper())
    if not match or (size := int(Decimal(match[1].replace(",", ".")) * _UNITS[match[2]])) > _LARGEST:
        return None
    return size


def as_typed(size: int) -> str:
    """Exactly and with one decimal at most, so that `bytes_typed` reads it back; "" for 0, which is no limit."""
    for unit in "TGMK":
        tenths = round(size * 10 / _UNITS[unit])
        if tenths >= 10 and tenths * _UNITS[unit] // 10 == size:
            return f"{tenths / 10:g}{unit}" if tenths % 10 else f"{tenths // 10}{unit}"
    return str(size) if size else ""
