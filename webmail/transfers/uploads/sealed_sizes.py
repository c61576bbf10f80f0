"""Sizes of files that a browser encrypted, as recipients will have them: what is stored has a head, and a tag for each chunk.

The form is that of static/js/transfers/sealed.js. The length of the name is a multiple of 256 bytes, and taken for the least
here: with a long path before the name, a size may be said some hundred bytes too large.
"""

from __future__ import annotations

_CHUNK, _TAG = 1024 * 1024, 16
_HEAD = 9 + 16 + 2 + 256 + _TAG  # mark, salt, length of the name, name


def plain_size(size: int) -> int:
    """Bytes of the file that is within so many."""
    body = max(0, size - _HEAD)
    return max(0, body - _TAG * max(1, -(-body // (_CHUNK + _TAG))))


def plain_total(size: int, count: int) -> int:
    """Bytes of so many files that have so many bytes together: exact but for the tags of a chunk of each."""
    body = max(0, size - count * (_HEAD + _TAG))
    return body - _TAG * (body // (_CHUNK + _TAG))
