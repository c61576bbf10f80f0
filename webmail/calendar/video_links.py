"""Video links: addresses of video meetings, each in a room of its own that nobody can guess."""

from __future__ import annotations

import secrets
import string

_LETTERS = 24  # of 26 each: 112 bits


def new(pattern: str) -> str:
    """The address of a room where nobody has been. `pattern`: the setting `video_link`."""
    return pattern.replace("{room}", "".join(secrets.choice(string.ascii_lowercase) for _letter in range(_LETTERS)))
