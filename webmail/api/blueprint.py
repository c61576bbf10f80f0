"""Blueprint of what scripts ask for: the views register their routes with it; it imports none of them."""

from flask import Blueprint
from flask.blueprints import BlueprintSetupState
from werkzeug.routing import PathConverter


class AnyPathConverter(PathConverter):
    """Paths with line ends too: whoever asks for one is told in JSON that there is nothing, like everybody else."""

    regex = r"[^/](?:.|\n)*?"


def _add_converter(state: BlueprintSetupState) -> None:
    state.app.url_map.converters["any_path"] = AnyPathConverter


blueprint = Blueprint("api", __name__)
blueprint.record(_add_converter)
