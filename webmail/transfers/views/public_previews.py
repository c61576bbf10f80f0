"""Previews of files of a public link: a page of ours with a picture, or the beginning of a text, in it. They never count."""

from __future__ import annotations

import weakref

from flask import Response
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.auth.guard import public
from webmail.models import TransferFile
from webmail.transfers import content
from webmail.transfers.blueprint import blueprint
from webmail.transfers.public import access, download_admission, previews
from webmail.transfers.public.access import LinkVisit
from webmail.transfers.public.previews import PreviewKind
from webmail.transfers.texts.file_texts import state_words
from webmail.transfers.views import visitors
from webmail.transfers.views.visitors import NoVisitError, for_visitors
from webmail.web.current import settings
from webmail.web.responses.downloads import POLICY
from webmail.web.responses.file_host import comes_from_file_host, file_url
from webmail.web.responses.unavailable import because


@blueprint.get("/t/<link>/preview/<upload>")
@public
@for_visitors
def preview(link: str, upload: str) -> AnyResponse:
    visited, found, kind = _found(link, upload)
    text = previews.text_of(found, settings(), visited.key) if kind is PreviewKind.TEXT else ""
    is_picture = kind is PreviewKind.PICTURE and bool(previews.picture_type(found, settings(), visited.key))
    here = visited.link_with(visited.grant, settings())
    alone = visited.link_with(visited.grant, settings(), alone=bool(settings().transfers.file_host))
    return visitors.page(
        "transfers/public/preview.html", visit=visited, file=found, name=found.path.rpartition("/")[2], text=text,
        cut=kind is PreviewKind.TEXT and found.size > previews.TEXT_BYTES,
        picture=file_url("transfers.picture", link=alone, upload=found.upload) if is_picture else "",
        here=visitors.page_url(visited, here),
    )  # fmt: skip


@blueprint.get("/t/<link>/picture/<upload>")
@public
@comes_from_file_host
@for_visitors
def picture(link: str, upload: str) -> AnyResponse:
    """The picture itself, if its first bytes are those of one: never a document, whatever it is called."""
    visited, found, kind = _found(link, upload)
    mimetype = previews.picture_type(found, settings(), visited.key) if kind is PreviewKind.PICTURE else ""
    if not mimetype:
        raise NoVisitError(visitors.unknown())
    download = download_admission.take(visitors.network(), settings())
    if download is None:
        because("as many downloads as may be at once")
        return Response(status=503, headers={"Retry-After": "30"})
    assert found.content is not None
    with_host = bool(settings().transfers.file_host)
    try:
        pieces = content.read(found.content, settings(), link_key=visited.key)
    except BaseException:  # deleted at this moment
        download.give_back()
        raise
    response = Response(
        download_admission.sliced(pieces, download),
        mimetype=mimetype,
        headers={
            "Content-Security-Policy": POLICY,
            "Cross-Origin-Resource-Policy": "cross-origin" if with_host else "same-origin",
            "Cache-Control": "no-store, no-transform",
            "Content-Disposition": "inline",
        },
    )
    response.content_length = found.size
    response.call_on_close(download.give_back)
    weakref.finalize(response, download.give_back)  # for an answer that is never closed, because its reader had gone
    return response


def _found(link: str, upload: str) -> tuple[LinkVisit, TransferFile, PreviewKind]:
    """Raises NoVisitError where something is asked for first, or there is nothing to be seen."""
    visited = visitors.visit(link)
    found = access.file_of(visited, upload)
    kind = previews.kind_of(found) if found is not None and not state_words(found) else None
    shown = visited.may_fetch and not visited.options.once and not visited.transfer.end_to_end
    if found is None or kind is None or not shown:
        page = (visitors.page_url(visited), _("Open the page"))
        raise NoVisitError(visitors.told(_("There is no preview"), _("Open the page of these files."), 404, link=page))
    return visited, found, kind
