"""Percentiles, and the comparison of two things measured in turn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` of the values do not exceed (nearest rank); nan where there are none."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def p50(values: Sequence[float]) -> float:
    return percentile(values, 50)


def in_turn(*measures: Callable[[], float], times: int, warm: int = 5) -> list[list[float]]:
    """Measure each in turn, `times` times, so that a busy moment of the machine falls on all alike."""
    found: list[list[float]] = [[] for _ in measures]
    for turn in range(-warm, times):
        for values, measure in zip(found, measures, strict=True):
            value = measure()
            if turn >= 0:
                values.append(value)
    return found
