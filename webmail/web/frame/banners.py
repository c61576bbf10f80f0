"""Banners: pieces that stand on every page, whatever its area, such as the alert about messages that were not sent.

An area adds its own as its views are imported, so that pages of earlier areas show it without knowing of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeVar

from markupsafe import Markup

_Asked = TypeVar("_Asked", bound=Callable[[], object])


class _Banner(NamedTuple):
    template: str
    element: str
    is_wanted: Callable[[], object]


class BannerPiece(NamedTuple):
    """A template to render, or "" and what stands in the place of those that have nothing to say."""

    template: str
    empty: Markup


_banners: list[_Banner] = []


def add_banner(template: str, element: str) -> Callable[[_Asked], _Asked]:
    """Show a template on every page of the application where the function below is true, and renew it with each page that HTMX
    brings (templates/_banners.html).

    It is one element with the id `element`, which stands there empty where it is not wanted: then the template costs nothing. The
    function is asked on every page: at most one cheap query, better none (`add_rows`). The template may still say nothing.
    """

    def add(is_wanted: _Asked) -> _Asked:
        if template not in (one.template for one in _banners):
            _banners.append(_Banner(template, element, is_wanted))
        return is_wanted

    return add


def banner_pieces() -> list[BannerPiece]:
    """Those of this page, in their order."""
    pieces: list[BannerPiece] = []
    silent: tuple[str, ...] = ()
    for one in _banners:
        if not one.is_wanted():
            silent += (one.element,)
            continue
        pieces += [BannerPiece("", _empty(silent)), BannerPiece(one.template, Markup())]
        silent = ()
    return [*pieces, BannerPiece("", _empty(silent))]


@lru_cache(maxsize=1000)
def _empty(elements: tuple[str, ...]) -> Markup:
    return Markup().join(Markup('<div id="{}"></div>').format(element) for element in elements)
