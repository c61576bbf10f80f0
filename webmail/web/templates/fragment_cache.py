"""Fragment cache: pieces of pages that are rendered again only when what they show has changed.

    {% call remembered("folders", overview(), tags) %} ... {% endcall %}

The body may depend on nothing but the values named, the language, the settings and the address of the application; not on the
person, the request, a token or the time. Equal values give equal pieces, whoever asks.

What is another one on each page, such as a token, has a gap in the piece, which is filled as the piece is taken from memory:

    {% call remembered("bar", me.name, gaps={"csrf": csrf_field()}) %} ... {{ gap("csrf") }} ... {% endcall %}
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Container, Hashable, Mapping
from functools import cache
from threading import Lock

from flask import current_app, request
from markupsafe import Markup, escape

from webmail.web.formatting import here

_GAP = secrets.token_hex(16)  # which nobody can write into a name or a search
MOST_BYTES = 8_000_000  # of a process
_Key = tuple[Hashable, ...]


class _Fragments:
    """The pieces that were asked for last."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[_Key, Markup] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: _Key) -> Markup | None:
        with self._lock:
            if (found := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: _Key, piece: Markup) -> None:
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = piece
            self._bytes += _weight(piece)
            while self._bytes > self._most:
                _oldest, gone = self._kept.popitem(last=False)
                self._bytes -= _weight(gone)

    def drop(self, names: Container[str]) -> None:
        with self._lock:
            for key in [one for one in self._kept if one[1] in names]:
                self._bytes -= _weight(self._kept.pop(key))

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self._bytes = 0


def _weight(piece: Markup) -> int:
    return 2 * len(piece) + 2000  # with its values


_fragments = _Fragments(MOST_BYTES)


def forget(*names: str) -> None:
    """Drop the pieces of these names, as in a new process: to measure."""
    _fragments.drop(names)


def forget_all() -> None:
    """Drop all pieces: the settings are others."""
    _fragments.clear()


@cache
def gap(name: str) -> Markup:
    """Where the value of this name comes in the piece around it, anew on each page."""
    return Markup(f"{_GAP}{name};")  # noqa: S704 - no text of others


def remembered(name: str, *values: Hashable, caller: Callable[[], Markup], gaps: Mapping[str, object] | None = None) -> Markup:
    """The body of a `call` block of this name, from memory if it was rendered with these values before."""
    piece = _piece(name, values, caller)
    if not gaps:
        return piece
    text = str(piece)
    for each, value in gaps.items():
        text = text.replace(gap(each), escape(value))
    return Markup(text)  # noqa: S704 - pieces of pages, and values that are escaped


def _piece(name: str, values: tuple[Hashable, ...], caller: Callable[[], Markup]) -> Markup:
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    if app.debug:
        return caller()
    key = (id(app), name, here().locale, request.script_root, *values)
    piece = _fragments.get(key)
    if piece is None:
        piece = caller()
        _fragments.put(key, piece)
    return piece
