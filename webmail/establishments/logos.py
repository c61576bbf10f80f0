"""Logos: pictures that administrators upload, decoded and encoded anew, stored in the database so that each machine has them.

They are named by what they contain, and so may be cached for ever. SVG is a program that runs in the browser: it is refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

from webmail.mime.formats import image_info
from webmail.mime.formats.cards import pictures
from webmail.models import EstablishmentImage, now

LARGEST_UPLOAD = 5_000_000  # bytes
_STAYS = timedelta(days=1)  # a form that was sent just now may name it in a moment
_HIGHEST, _WIDEST = 32, 200  # pixels on the screen
_NAME = re.compile(r"([0-9a-f]{32})-([1-9][0-9]{0,2})-([1-9][0-9]{0,2})")


class ShownLogo(NamedTuple):
    digest: str
    width: int  # as it is shown
    height: int


def is_name(name: str) -> bool:
    return bool(_NAME.fullmatch(name))


def at_size(name: str) -> ShownLogo | None:
    """The picture of this name, "digest-width-height", as large as there is room for it."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    width, height = int(found[2]), int(found[3])
    scale = min(_HIGHEST / height, _WIDEST / width, 1)
    return ShownLogo(found[1], max(round(width * scale), 1), max(round(height * scale), 1))


def keep(data: bytes) -> str:
    """Store a picture; returns its name, "" for what is none, or too large. One statement."""
    if len(data) > LARGEST_UPLOAD:
        return ""
    made = pictures.for_signature(data)  # at most 480 pixels and 20 kB, without what a camera or a program writes into it
    if not made:
        return ""
    width, height = image_info.size_of(made)
    digest = hashlib.sha256(made).hexdigest()[:32]
    EstablishmentImage.insert(digest=digest, kind=image_info.type_of(made), content=made).on_conflict_ignore().execute()
    return f"{digest}-{width}-{height}"


def sweep(named: Iterable[str]) -> int:
    """Delete pictures that nothing names any more, neither now nor as an earlier value, a day after they came; how many."""
    used = {found[1] for name in named if (found := _NAME.fullmatch(name))}
    old: Any = EstablishmentImage.select(EstablishmentImage.digest).where(EstablishmentImage.created < now() - _STAYS).tuples()
    gone = [digest for (digest,) in old if digest not in used]
    return int(EstablishmentImage.delete().where(EstablishmentImage.digest.in_(gone)).execute()) if gone else 0


def find(digest: str) -> EstablishmentImage | None:
    return EstablishmentImage.get_or_none(EstablishmentImage.digest == digest)
