"""Forms with large files (RFC 7578): fields and files as they come, each file straight into the storage, in constant memory.

Nobody says how large a file in a form is: it is begun with as many bytes as it may have, and ends with those that came. A file
that is not taken is read over, so that those after it are taken and what was typed is known.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from webmail.config.settings import Settings
from webmail.errors import MailError
from webmail.models import ContentState, Transfer, TransferFile
from webmail.transfers import assembly, content, limits, store
from webmail.transfers.content import TooManyBytesError
from webmail.transfers.uploads import paths
from webmail.transfers.uploads.upload_bodies import Body, UploadTooSlowError

log = logging.getLogger(__name__)

_FIELDS = 1 << 20  # bytes of all fields that are no files
_PARTS = 12_000  # 10,000 files, and what is typed
_HEADER = 8192


class FormBrokenError(MailError):
    """The form did not come whole: its line broke, or it is no form. What came before is kept."""

    status = 400


@dataclass(slots=True)
class TakenForm:
    """What a form brought. `refused`: names of files that were not taken, and why; `broken`: why it is not all there is."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    files: list[TransferFile] = field(default_factory=list)
    refused: list[tuple[str, MailError]] = field(default_factory=list)
    broken: MailError | None = None


def take(
    body: Body, content_type: str, transfer: Callable[[], Transfer], settings: Settings, *,
    link_key: Callable[[Transfer], bytes | None] = lambda _transfer: None, most_bytes: int = 0, most_files: int = 0,
) -> TakenForm:  # fmt: skip
    """Read a form to its end. `transfer` is asked for once there is a file for it; never raises for what a client does."""
    found = TakenForm()
    kind, told = parse_options_header(content_type)
    if kind != "multipart/form-data" or not told.get("boundary"):
        found.broken = FormBrokenError(f"{content_type!r} is no form with files")
        return found
    reader = _Reader(body, told["boundary"])
    try:
        for name, media_type, chunks in reader.files():
            try:
                file = _keep(transfer(), name, media_type, chunks, body, settings, link_key, most_bytes, most_files)
                found.files.append(file)
            except (FormBrokenError, UploadTooSlowError):
                raise
            except MailError as error:
                log.info("a file in a form was not taken: %s", error)
                found.refused.append((name, error))
    except (FormBrokenError, UploadTooSlowError) as error:
        found.broken = error
    found.fields = reader.fields
    return found


def _keep(
    transfer: Transfer, name: str, media_type: str, chunks: Iterator[bytes], body: Body, settings: Settings,
    link_key: Callable[[Transfer], bytes | None], most_bytes: int, most_files: int,
) -> TransferFile:  # fmt: skip
    """A file whose size is known when it is over. Nothing is left of one that is not whole."""
    most, over = limits.most_of_file(transfer, settings, most_bytes=most_bytes, most_files=most_files)
    bound = most if body.length is None else min(most, body.length - body.received + _FIELDS)
    key = link_key(transfer)
    file = store.add_file(
        transfer, name, bound, media_type, settings, link_key=key, most_bytes=most_bytes, most_files=most_files
    )  # fmt: skip
    stored = file.content
    assert stored is not None  # just begun
    try:
        if stored.state == ContentState.UPLOADING:
            content.append(stored, 0, limits.as_there_is_room(stored, chunks, settings), settings, key)
        elif next(chunks, None) is not None:
            raise over
        if not content.end_here(stored):
            raise FormBrokenError("another request adds to this file")
    except BaseException as error:
        store.remove_file(file, settings)
        raise (over if isinstance(error, TooManyBytesError) else error) from None
    file.size = stored.size
    TransferFile.update(size=file.size).where(TransferFile.id == file.id).execute()
    assembly.settle(file, settings, key)
    return file


class _Reader:
    """The parts of a form, one after the other."""

    def __init__(self, body: Body, boundary: str) -> None:
        self.fields: dict[str, list[str]] = {}
        self._parser = PushMultipartParser(boundary, max_header_size=_HEADER, max_segment_count=_PARTS)
        self._events = self._read(body)
        self._room = _FIELDS

    def _read(self, body: Body) -> Iterator[MultipartSegment | bytes | bytearray | None]:
        try:
            for chunk in body.chunks():
                yield from self._parser.parse(chunk)
            self._parser.close()
        except MultipartError as error:
            raise FormBrokenError(str(error)) from error

    def files(self) -> Iterator[tuple[str, str, Iterator[bytes]]]:
        """Name, type and bytes of each file; fields are noted on the way."""
        for event in self._events:
            if not isinstance(event, MultipartSegment):
                continue
            rest = self._until_end()
            if event.filename is None:
                self._note(event.name, rest)
            elif event.filename:
                yield paths.of_form(event.filename), event.content_type or "", rest
            for _part in rest:  # of what was not taken, or of a field for files in which none was chosen
                pass

    def _until_end(self) -> Iterator[bytes]:
        for event in self._events:
            if event is None:
                return
            yield bytes(event)

    def _note(self, name: str, parts: Iterator[bytes]) -> None:
        value = bytearray()
        for part in parts:
            self._room -= len(part)
            if self._room > 0:
                value += part
        self._room -= len(name)
        if self._room > 0:
            self.fields.setdefault(name, []).append(value.decode("utf-8", "replace"))
