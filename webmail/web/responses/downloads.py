"""Downloads: responses that are files, spooled to a temporary file first.

That way, an interrupted transfer from the mail server becomes an error page, never a truncated file that looks complete. At
most 1 MB is held in memory.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from typing import IO
from urllib.parse import quote

from flask import Response

POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"  # no scripts or other active content


def whole(chunks: Iterable[bytes], mimetype: str) -> Response:
    """A response with these chunks and a Content-Length. Errors raised by `chunks` pass through."""

    def write(spool: IO[bytes]) -> None:
        for chunk in chunks:  # not writelines(), which checks the size only after writing everything to memory
            spool.write(chunk)

    return written(write, mimetype)


def written(write: Callable[[IO[bytes]], object], mimetype: str) -> Response:
    """A response with what `write` puts into a temporary file, and a Content-Length. Errors raised by `write` pass through."""
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
    """A Content-Disposition header (RFC 6266) with an RFC 8187 file name; `plain` is the fallback for clients without support."""
    ascii_name = (plain or filename).encode("ascii", "replace").decode().replace('"', "'").replace("\\", "_").replace("?", "_")
    return f"{kind}; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(filename, safe='')}"


def named(content: bytes, mimetype: str, filename: str) -> Response:
    """A small file to save. Unlike Flask's `send_file` it leaves to us whether the browser may keep it."""
    return Response(content, mimetype=mimetype, headers={"Content-Disposition": disposition(filename)})
