"""JSON bodies: what a script sends, bounded before anything parses it, and refused where readers would differ about it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn

from webmail.api.problems import ProblemError

SMALL = 256 * 1024  # bytes, but of what says otherwise
MOST_DIGITS = 20


def read(stream: Callable[[int], bytes], length: str, *, chunked: bool, media_type: str, most: int) -> dict[str, Any]:
    """The object that was sent; an empty one for nothing. Raises ProblemError."""
    body = _bytes(stream, length, chunked=chunked, most=most)
    if not body:
        return {}
    if media_type != "application/json":
        raise ProblemError("not-json")
    return parsed(body)


def parsed(body: bytes) -> dict[str, Any]:
    """Raises ProblemError: for what is no JSON object, and for what some readers take otherwise than others (RFC 8259, 4 and
    6)."""
    try:
        found = json.loads(
            body.decode("utf-8"), parse_constant=_no_number, parse_float=_no_number, parse_int=_whole, object_pairs_hook=_once
        )
    except (ValueError, RecursionError) as error:
        words = "It is nested too deeply." if isinstance(error, RecursionError) else f"{error}."
        raise ProblemError("not-understood", words[:200]) from error
    if not isinstance(found, dict):
        raise ProblemError("not-understood", "It is no object.")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} is no number that is used here")


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError("a number has too many digits")
    return int(text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in an object")
    return found


def _bytes(stream: Callable[[int], bytes], length: str, *, chunked: bool, most: int) -> bytes:
    if chunked:
        if length:
            raise ProblemError("not-understood", "Two lengths.")
        body = _read(stream, most + 1)
    else:
        if not ((length or "0").isascii() and (length or "0").isdigit()):
            raise ProblemError("not-understood", "No length.")
        if len(length) > MOST_DIGITS or int(length or 0) > most:
            raise ProblemError("too-large", headers={"Connection": "close"}, limit=most)
        body = _read(stream, int(length or 0))
        if len(body) != int(length or 0):
            raise ProblemError("not-understood", "Less than announced.")
    if len(body) > most:
        raise ProblemError("too-large", headers={"Connection": "close"}, limit=most)
    return body


def _read(stream: Callable[[int], bytes], most: int) -> bytes:
    pieces, left = [], most
    while left and (piece := stream(left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
