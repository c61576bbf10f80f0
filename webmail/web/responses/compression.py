"""Compression of answers: pages quickly, since each is another one; static files as small as they can be, once in a process."""

from __future__ import annotations

import gzip
import re
from functools import lru_cache
from pathlib import Path

import brotli
from flask import Flask, Response, current_app, request
from flask_compress import Compress

_TYPES = ["text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml"]
_LEAST = 600  # bytes
_COMMENT = re.compile(rb"\s*/\*.*?\*/", re.DOTALL)  # of a style sheet, where no string has one: tests/unit/web/test_styles.py
_SCRIPT_COMMENT = re.compile(rb"^[ \t]*(?://[^\n]*|/\*.*?\*/[ \t]*)\n", re.DOTALL | re.MULTILINE)  # lines of nothing else
_LEVEL = 6  # 0.7 ms for a page of 50 KB, as small as level 5 with a large window makes it in 1.2 ms
_WINDOW = 16  # 64 KiB, which is a page: preparing the larger ones takes as long as compressing it
_SLOWLY = 100_000  # bytes that the first visitor of a process can wait for: level 11 takes a millisecond for 1500, level 10 half


def install(app: Flask) -> None:
    app.config.update(
        COMPRESS_MIMETYPES=_TYPES,
        COMPRESS_ALGORITHM=["br", "zstd", "gzip"],
        COMPRESS_ALGORITHM_STREAMING=["br", "zstd", "gzip"],
        COMPRESS_BR_LEVEL=_LEVEL,
        COMPRESS_BR_WINDOW=_WINDOW,
        COMPRESS_MIN_SIZE=_LEAST,
    )
    Compress(app)
    app.after_request(_static)  # registered later, so asked earlier
    app.after_request(_error_page)


def _error_page(response: Response) -> Response:
    """An error page, which Flask-Compress leaves as it is (like everything but 2xx)."""
    encoding = request.accept_encodings.best_match(["br", "gzip"])
    if response.status_code < 400 or response.mimetype not in _TYPES or response.is_streamed or not encoding:
        return response
    content = response.get_data()
    if len(content) >= _LEAST and "Content-Encoding" not in response.headers:
        smaller = brotli.compress(content, quality=_LEVEL, lgwin=_WINDOW) if encoding == "br" else gzip.compress(content)
        response.set_data(smaller)
        response.headers["Content-Encoding"] = encoding
        response.vary.add("Accept-Encoding")
    return response


def _static(response: Response) -> Response:
    """The compressed file in the place of what Flask sends. A part of it (206) or 304 stays as it is."""
    whole = request.endpoint == "static" and response.status_code == 200 and response.mimetype in _TYPES
    if not whole or not request.accept_encodings["br"] or (response.content_length or 0) < _LEAST:
        return response
    etag, _weak = response.get_etag()
    name = (request.view_args or {}).get("filename", "")
    content = _smallest(current_app.static_folder or "static", name, etag or "")
    response.direct_passthrough = False
    response.set_data(content)
    response.headers["Content-Encoding"] = "br"
    response.set_etag(f"{etag}:br")
    response.make_conditional(request)
    return response


@lru_cache(maxsize=200)
def _smallest(folder: str, name: str, _etag: str) -> bytes:
    content = Path(folder, name).read_bytes()
    # what is for who reads the source: a tenth of a sheet, a seventh of a script. A library keeps the words of its licence
    if name.endswith(".css"):
        content = _COMMENT.sub(b"", content)
    elif name.startswith("js/"):
        content = _SCRIPT_COMMENT.sub(b"", content)
    return brotli.compress(content, quality=11 if len(content) <= _SLOWLY else 10)
