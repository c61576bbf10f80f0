"""Answers that are files: made whole in a temporary one first, so that what breaks off on the way from the mail server is an
error page, never a file that looks complete. A megabyte at most is in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from typing import IO
from urllib.parse import quote

from flask import Response

POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"  # nothing in it can run


def whole(chunks: Iterable[bytes], mimetype: str) -> Response:
    """An answer with its Content-Length that holds these chunks. What they raise passes through."""

    def write(spool: IO[bytes]) -> None:
        for chunk in chunks:  # not writelines(), which would hold it all before it looks at the size
            spool.write(chunk)

    return written(write, mimetype)


def written(write: Callable[[IO[bytes]], object], mimetype: str) -> Response:
    """An answer with its Content-Length that holds what `write` puts into a temporary file. What that raises passes through."""
    spool = tempfile.SpooledTemporaryFile(max_size=1 << 20)  # noqa: SIM115 - closed with the answer
    try:
        write(spool)
        size = spool.seek(0, 2)
        spool.seek(0)
    except BaseException:
        spool.close()
        raise
    response = Response(iter(lambda: spool.read(1 << 16), b""), mimetype=mimetype)
    response.call_on_close(spool.close)
    response.content_length = size
    return response


def disposition(filename: str, kind: str = "attachment", *, plain: str = "") -> str:
    """The header of RFC 6266, with the RFC 8187 form for names that are not ASCII; `plain` is for programs that read no other."""
    ascii_name = (plain or filename).encode("ascii", "replace").decode().replace('"', "'").replace("\\", "_").replace("?", "_")
    return f"{kind}; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(filename, safe='')}"
