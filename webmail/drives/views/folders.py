"""Pages of folders on other servers, beside the other files: nothing is asked there before one of them is opened."""

from __future__ import annotations

from flask import Response, abort, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from webmail.drives import folder_look, open_drives
from webmail.drives.blueprint import blueprint
from webmail.drives.drive import PAGE, DriveFault
from webmail.web.current import current_user, settings
from webmail.web.rendering import page

_STATUS = {DriveFault.GONE: 404, DriveFault.AWAY: 502, DriveFault.BUSY: 503}


@blueprint.get("/drives")
def index() -> AnyResponse:
    """What somebody has connected that has files; the only one at once."""
    mine = open_drives.for_user(current_user(), settings())
    if len(mine) == 1:
        return redirect(url_for("drives.folder", number=mine[0].id), 303)
    if not mine and not open_drives.are_offered(current_user(), settings()):
        abort(404)
    return page("drives/index.html", drives=mine)


@blueprint.get("/drives/<int:number>")
@blueprint.get("/drives/<int:number>/<path:folder>")
def folder(number: int, folder: str = "") -> Response:
    """A page of a folder, or of what a search found."""
    connection = open_drives.find(current_user(), number, settings())
    found = folder_look.look(connection, settings(), folder, request.args)
    ticked = request.args.getlist("kept")[:PAGE]  # before they chose more in Google Drive
    return page("drives/folder.html", _STATUS.get(found.fault, 200) if found.fault else 200, drive=found, ticked=ticked)
