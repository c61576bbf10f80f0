"""Files of a public link: whole or in part, one by one or as an archive, handed on as they are read.

What breaks off in the middle breaks the connection: the length was said before, so that no part of a file looks like all of it.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from itertools import islice

import peewee as pw
from flask import Flask, Response, current_app, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.auth.guard import public
from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY, Sqlite, db
from webmail.errors import MailError
from webmail.models import TransferFile
from webmail.transfers import content, store
from webmail.transfers.blueprint import blueprint
from webmail.transfers.notifications import recipients
from webmail.transfers.public import access, archive, download_admission, fetches, ranges
from webmail.transfers.public.access import LinkVisit
from webmail.transfers.public.download_admission import Download
from webmail.transfers.public.ranges import ByteRange, UnsatisfiableError
from webmail.transfers.texts.file_texts import state_words
from webmail.transfers.views import visitors
from webmail.transfers.views.public_page import archive_name
from webmail.transfers.views.visitors import NoVisitError, for_visitors
from webmail.web.current import settings
from webmail.web.public_links import public_link
from webmail.web.responses.downloads import POLICY, disposition
from webmail.web.responses.file_host import comes_from_file_host

ANY_TYPE = "application/octet-stream"  # nothing that a browser would show or run, whatever the file is
AGAIN = 30  # seconds until somebody who was turned away may come again


class NoDownloadPlaceError(MailError):
    """Too many files are being downloaded at this moment."""

    status = 503


@blueprint.get("/t/<link>/<upload>/<name>")
@public
@comes_from_file_host
@for_visitors
def file(link: str, upload: str, name: str) -> AnyResponse:
    """`name` is for programs that call the file by its address; what it is called is told besides."""
    visited = _may_fetch(link)
    found = access.file_of(visited, upload)
    if found is None:
        raise NoVisitError(_told(visited, _("This file is no longer here"), 404))
    if state := state_words(found):
        refused = found.content is None or found.content.state in ("refused", "deleted")
        raise NoVisitError(_told(visited, state, 410 if refused else 409, retry=0 if refused else 60))
    _still_left(visited, [found])
    try:
        return answer_with(visited, found, visitors.network())
    except NoDownloadPlaceError:
        return _busy(visited)


def answer_with(visited: LinkVisit, found: TransferFile, network: str, person: str = "") -> Response:
    """The answer with a file that is ready, or with the part that is asked for. `person`: whose program asks, "" for visitors.

    Raises NoDownloadPlaceError, and what the storage raises.
    """
    assert found.content is not None
    etag = f'"{found.content.sha256}"'
    if (met := _preconditions(etag)) is not None:
        return met
    headers = _headers(found.path.rpartition("/")[2]) | {"ETag": etag, "Accept-Ranges": "bytes"}
    if visited.transfer.end_to_end:
        headers["Access-Control-Allow-Origin"] = "*"  # our page reads it from the host of files; nobody else can read what it is
    try:
        part = ranges.part_of(found.size, _asked_range(), request.headers.get("If-Range"), etag)
    except UnsatisfiableError:
        return Response(status=416, headers=headers | {"Content-Range": f"bytes */{found.size}"}, mimetype=ANY_TYPE)
    start, length = (part.start, part.length) if part else (0, found.size)
    ends = part is None or part.has_last_byte
    if request.method == "HEAD":
        return _answer(iter(()), length, headers, part)
    chunks = content.read(found.content, settings(), start, length, link_key=visited.key)
    download = _admitted(network, person)
    return _streamed(visited, [found], fetches.name_of([found], False), chunks, length, headers, part, ends, download)


@blueprint.get("/t/<link>/all.zip", endpoint="archive")
@public
@comes_from_file_host
@for_visitors
def whole_archive(link: str) -> AnyResponse:
    """All files that are there, or those of `only` (`archive.written_choice`), as they come."""
    visited = _may_fetch(link)
    files = store.files(visited.transfer)
    ready, only = access.ready_files(files), request.args.get("only", "")
    chosen = fetches.left(visited, archive.read_choice(ready, only) if only else ready)
    if not chosen:
        raise NoVisitError(_told(visited, _("There is nothing to download here"), 410))
    headers = _headers(archive_name(visited)) | {"Accept-Ranges": "none"}
    length = archive.size(chosen)
    if request.method == "HEAD":
        return _answer(iter(()), length, headers, None, "application/zip")
    what = fetches.name_of(chosen, len(chosen) == len(files))
    chunks = archive.stream(chosen, settings(), visited.key)
    try:
        download = _admitted(visitors.network())
    except NoDownloadPlaceError:
        return _busy(visited)
    return _streamed(visited, chosen, what, chunks, length, headers, None, True, download, "application/zip")


def _admitted(network: str, person: str = "") -> Download:
    """Raises NoDownloadPlaceError."""
    if (found := download_admission.take(network, settings(), person)) is None:
        raise NoDownloadPlaceError("others have all places")
    return found


def _busy(visited: LinkVisit) -> Response:
    words = _("Wait half a minute, then try again. An interrupted download resumes where it stopped.")
    busy = visitors.told(_("Many files are being downloaded right now"), words, 503, retry=AGAIN)
    if visited.transfer.end_to_end:  # the page that decrypts waits, then tries again
        busy.headers["Access-Control-Allow-Origin"] = "*"
    return busy


def _may_fetch(link: str) -> LinkVisit:
    """Raises NoVisitError where something is asked for first: the page of the link says what."""
    visited = visitors.visit(link)
    if visited.may_fetch:
        return visited
    words = (
        _("This file can be downloaded only once: use its button on the page")
        if visited.needs is None
        else _("Open the page first")
    )
    raise NoVisitError(_told(visited, words, 403))


def _still_left(visited: LinkVisit, files: list[TransferFile]) -> None:
    if not fetches.left(visited, files):
        raise NoVisitError(_told(visited, _("This file could be downloaded only once, and has been"), 410))


def _told(visited: LinkVisit, title: str, status: int, retry: int = 0) -> Response:
    here = visitors.page_url(visited)
    full = public_link("transfers.show", link=visited.bare_link) or here
    return visitors.told(
        title, _("The page of these files says more: %(link)s", link=full), status, link=(here, _("Open the page")), retry=retry
    )


def _preconditions(etag: str) -> Response | None:
    """RFC 9110 section 13.2.2; a file never changes, so its SHA-256 is all there is to compare."""
    if request.headers.get("If-Match") and not request.if_match.contains(etag.strip('"')):
        return Response(status=412, headers={"ETag": etag})
    if request.headers.get("If-None-Match") and request.if_none_match.contains_weak(etag.strip('"')):
        return Response(status=304, headers={"ETag": etag})
    return None


def _asked_range() -> str | None:
    return request.headers.get("Range") if request.method in ("GET", "HEAD") else None


def _headers(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": disposition(name),
        "Content-Security-Policy": POLICY,
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store, no-transform",
        "X-Accel-Buffering": "no",
    }


def _answer(
    chunks: Iterator[bytes], length: int, headers: dict[str, str], part: ByteRange | None, mimetype: str = ANY_TYPE
) -> Response:
    response = Response(chunks, 206 if part else 200, headers=headers, mimetype=mimetype)
    response.content_length = length
    if part:
        response.headers["Content-Range"] = part.content_range
    return response


def _streamed(
    visited: LinkVisit, files: list[TransferFile], what: str, chunks: Iterator[bytes], length: int, headers: dict[str, str],
    part: ByteRange | None, ends: bool, download: Download, mimetype: str = ANY_TYPE,
) -> Response:  # fmt: skip
    """The answer of a download that was admitted; its place ends with it."""
    try:
        # what is wrong from the beginning is an error page, not a broken line; in an archive a name comes before the first file
        first = b"".join(islice(chunks, 1 if mimetype == ANY_TYPE else 2))
    except BaseException:
        download.give_back()
        raise
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    slices = download_admission.sliced(_with_first(first, chunks), download)
    body = _body(app, visited, files, what, slices, counts=ends and visited.counts)
    response = _answer(body, length, headers, part, mimetype)
    response.call_on_close(download.give_back)
    weakref.finalize(response, download.give_back)  # for an answer that is never closed, because its reader had gone
    return response


def _with_first(first: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    del first  # a piece of 4 MiB
    for chunk in chunks:
        yield chunk
        _let_go()


def _let_go() -> None:
    """Reading may take hours, and holds no connection of a database that has few of them."""
    if not isinstance(db.obj, Sqlite) and not db.is_closed():
        db.close()


def _body(
    app: Flask, visited: LinkVisit, files: list[TransferFile], what: str, slices: Iterator[bytes], *, counts: bool
) -> Iterator[bytes]:
    """The slices; before the last, what can be had once is used up, and after it the download is counted."""
    last: bytes | None = None
    try:
        for piece in slices:
            if last is not None:
                yield last
            last = piece
        if counts:
            with db.connection_context():
                fetches.use_up(visited, files)
        if last is not None:
            yield last
    except (MailError, OSError, *DATABASE_AWAY) as error:
        app.logger.warning("a download of transfer %s broke off: %s: %s", visited.transfer.id, type(error).__name__, error)
        raise
    if counts:
        _count(app, visited, files, what, app.extensions["settings"])


def _count(app: Flask, visited: LinkVisit, files: list[TransferFile], what: str, given: Settings) -> None:
    """All was taken: nobody is there any more, so whatever goes wrong is only logged."""
    try:
        with app.app_context(), db.connection_context():
            if fetches.finished(visited, files, what):
                recipients.settle(visited.transfer, given, visited.key)
    except (pw.IntegrityError, *DATABASE_AWAY) as error:  # its owner removed the file, or the transfer, meanwhile
        app.logger.error("a download of transfer %s was not counted: %s", visited.transfer.id, error)
