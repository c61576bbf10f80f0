"""Names of items at Graph: it gives them itself, so what is made here has one of ours until its answer comes."""

from __future__ import annotations

from urllib.parse import quote

_OURS = (".ics", ".vcf")


def is_pending(name: str) -> bool:
    """Whether it is one of ours; those of Graph have no dot."""
    return name.endswith(_OURS)


def name_of(identifier: object) -> str:
    """As it stands in addresses."""
    return quote(str(identifier), safe="")
