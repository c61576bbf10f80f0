"""Form reader: a form has at most 1,000 fields, counted before any is read as one, whichever way it is encoded."""

from __future__ import annotations

import io
from typing import IO, Any

from htmx_flask.requests import HtmxAwareRequest
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

MOST_FIELDS = 1000
_PIECE = 1 << 16


class TooManyFields(RequestEntityTooLarge):
    """Not even counted to their end."""


class _BoundedParser(FormDataParser):
    def parse(self, stream: IO[bytes], mimetype: str, content_length: int | None, options: Any = None) -> Any:
        if mimetype == "application/x-www-form-urlencoded":
            stream = _counted(stream)
        try:
            return super().parse(stream, mimetype, content_length, options)
        except RequestEntityTooLarge as error:
            small = content_length is not None and content_length <= (self.max_form_memory_size or 0)
            if small and not isinstance(error, TooManyFields):  # so it was not for its bytes
                raise TooManyFields from error
            raise


def _counted(stream: IO[bytes]) -> IO[bytes]:
    """The same bytes, once it is known that there are not too many fields in them."""
    content, fields = io.BytesIO(), 1
    while piece := stream.read(_PIECE):
        fields += piece.count(b"&")
        if fields > MOST_FIELDS:
            raise TooManyFields
        content.write(piece)
    content.seek(0)
    return content


class BoundedRequest(HtmxAwareRequest):
    form_data_parser_class = _BoundedParser
    max_form_parts = MOST_FIELDS
