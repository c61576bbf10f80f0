"""Field attributes: the HTML attributes of input fields. WTForms formats each by itself, a third of the writing page's work."""

from __future__ import annotations

from markupsafe import Markup, escape
from wtforms.widgets import Input


def html_params(**given: object) -> str:
    """As `wtforms.widgets.html_params`, for names of attributes that templates write: values are escaped, True is the bare name,
    False none."""
    words = []
    for key, value in sorted(given.items()):
        name = key.rstrip("_")
        if name.startswith(("data_", "aria_")):
            name = name.replace("_", "-")
        if value is True:
            words.append(name)
        elif value is not False:
            words.append(f'{name}="{str(escape(value)).replace(chr(34), "&quot;")}"')
    return Markup(" ".join(words))  # noqa: S704 - each value is escaped


def install() -> None:
    """The attribute is WTForms' own place for another way."""
    Input.html_params = staticmethod(html_params)
