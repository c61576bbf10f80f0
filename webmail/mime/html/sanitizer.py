"""HTML sanitizer: HTML mail to HTML that is safe to show: it runs, submits and fetches nothing, and stays inside its box.

nh3 keeps the allowed elements; its attribute filter decides on every attribute, styles by way of `inline_css.py`. The output of
nh3 is never modified; only a style sheet we generate (`stylesheets.py`) is put before it. RFC 2392 for `cid:`.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from html.parser import HTMLParser
from urllib.parse import unquote

import nh3

from webmail.mime.charsets import without_surrogates
from webmail.mime.html import stylesheets
from webmail.mime.html.dark_colours import DarkColours
from webmail.mime.html.inline_css import clean_style, is_remote
from webmail.mime.html.input_limits import DATA_IMAGE_LIMIT, bounded, flatten, is_cut, too_deep
from webmail.mime.html.link_claims import claims, host_of, pretends
from webmail.mime.html.linkify import compose_link, web_address
from webmail.mime.threats import lookalike

DATA_LIMIT = 600_000  # characters of all data: images together
STYLE_BUDGET = 300_000  # characters of distinct style attributes that are parsed
TEXT_LIMIT = 200_000  # characters shown if the HTML can't be sanitized
IMAGE_LIMIT = 300  # distinct remote images that are shown

_NAMES = """
    a abbr address area b bdo big blockquote br caption center cite code col colgroup dd del dfn div dl dt em figcaption
    figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main map mark ol p pre q s samp section small span strike
    strong sub sup table tbody td tfoot th thead tr tt u ul var wbr"""
TAGS = frozenset(_NAMES.split())
_DROPPED_NAMES = """
    script style title head textarea select option optgroup button object applet embed iframe frameset noframes noembed
    svg math template video audio canvas xmp plaintext datalist dialog"""
_DROPPED_WITH_CONTENT = frozenset(_DROPPED_NAMES.split())

_EVERYWHERE = {"align", "dir", "id", "lang", "style", "title"}
_CELL = {"abbr", "background", "bgcolor", "char", "colspan", "height", "nowrap", "rowspan", "scope", "valign", "width"}
_ROW = {"background", "bgcolor", "height", "valign"}
ATTRIBUTES: dict[str, set[str]] = {
    "*": _EVERYWHERE,
    "a": {"href", "name", "rel", "target"},
    "area": {"alt", "coords", "href", "rel", "shape", "target"},
    "col": {"span", "valign", "width"},
    "colgroup": {"span", "valign", "width"},
    "font": {"color", "face", "size"},
    "hr": {"color", "noshade", "size", "width"},
    "img": {"alt", "border", "height", "hspace", "src", "srcset", "usemap", "vspace", "width"},
    "li": {"type", "value"},
    "map": {"name"},
    "ol": {"start", "type"},
    "table": {"background", "bgcolor", "border", "cellpadding", "cellspacing", "height", "role", "summary", "width"},
    "tbody": _ROW,
    "td": _CELL,
    "tfoot": _ROW,
    "th": _CELL,
    "thead": _ROW,
    "tr": _ROW,
    "ul": {"type"},
}
# "rel", "target" and the "title" of links are set by nh3 itself (below) and only pass through the filter. So "title" is not
# allowed on "*", or the filter would see the sender's title before the href.
_LINKS = ("a", "area")
_NH3_ATTRIBUTES = {tag: (ATTRIBUTES.get(tag, set()) | {"title"}) - {"rel", "target"} for tag in TAGS}
_NH3_ATTRIBUTES |= {"*": _EVERYWHERE - {"title"}} | {tag: _NH3_ATTRIBUTES[tag] - {"title"} for tag in _LINKS}
_WITH_CLASSES = _NH3_ATTRIBUTES | {"*": _NH3_ATTRIBUTES["*"] | {"class"}}
_ON_LINKS = {"target": "_blank", "rel": "noopener noreferrer nofollow", "title": "-"}
_SCHEMES = frozenset(("http", "https", "mailto", "cid", "data"))

_LENGTH = re.compile(r"\d{1,5}(?:\.\d{1,4})?(?:px|%)?")
_NUMBER = re.compile(r"[-+]?\d{1,4}")
_COLOUR = re.compile(r"#?[0-9a-zA-Z]{1,30}")
_WORD = re.compile(r"[a-zA-Z-]{1,20}")
_SHAPES: dict[str, re.Pattern[str]] = {
    **dict.fromkeys(("width", "height", "border", "cellpadding", "cellspacing", "hspace", "vspace"), _LENGTH),
    **dict.fromkeys(("colspan", "rowspan", "span", "start", "value", "size"), _NUMBER),
    **dict.fromkeys(("bgcolor", "color"), _COLOUR),
    **dict.fromkeys(("align", "valign", "dir", "shape", "scope"), _WORD),
    **dict.fromkeys(("nowrap", "noshade"), re.compile(r"[a-zA-Z]{0,10}")),
    "type": re.compile(r"[1aAiI]|disc|circle|square", re.I),
    "lang": re.compile(r"[a-zA-Z0-9-]{1,35}"),
    "face": re.compile(r"[\w ,.'\"-]{1,200}"),
    "coords": re.compile(r"[\d., %-]{1,500}"),
    "role": re.compile(r"presentation|none"),
    "char": re.compile(r"."),
}
_WORDS = ("alt", "title", "summary", "abbr")
_ID = re.compile(r"[\w.:-]{1,100}")
_DATA_IMAGE = re.compile(r"data:image/(?:png|gif|jpe?g|webp);base64,[A-Za-z0-9+/=\s%]*", re.I)
_BODY = re.compile(r"<body\b[^>]{0,4000}>", re.I)
_SITE = re.compile(r"[^:]*:/*[^/\\?#]*")  # scheme and authority of a URL
_ADDRESS_IN_CSS = re.compile(r"[^\s\"'()\\;{}<>]{1,2000}")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Sanitized HTML for its own frame, and how many remote resources were blocked. `cut`: the end is missing. `dark`: each
    colour has its counterpart of the dark theme."""

    html: str
    remote: int = 0
    cut: bool = False
    dark: bool = False


def clean(
    html: str,
    link_for_cid: Callable[[str], str | None],
    prefix: str = "m-",
    *,
    link_for_image: Callable[[str], str] | None = None,
    link_away: Callable[[str, str], str] | None = None,
    link_for_mail: Callable[[str], str] = compose_link,
    style_sheets: bool = True,
    dark: bool = False,
) -> Cleaned:
    """Sanitize the HTML of a message. Never raises; HTML that can't be sanitized is shown as text.

    `link_for_cid` maps a Content-ID to our URL of that part, or None. `link_for_image` maps a remote image's URL to ours;
    without it remote images are blocked: they keep their place, size and `alt` but have no `src` (style `img:not([src])`).
    `link_away` gives the URL of our warning page for a deceptive link, by its URL and the site it pretends to lead to (may be
    ""); without it such links lose their href. `link_for_mail` maps a mailto: URL to ours. Without `style_sheets` only style
    attributes are kept. Ids and names get `prefix`. With `dark` each colour gets its counterpart of the dark theme, where that is
    safe for the whole message.
    """
    html = without_surrogates(html)
    cut = is_cut(html)
    try:
        source = bounded(html)
        colours = DarkColours() if dark else None
        attributes = _Filter(link_for_cid, link_for_image, link_away, prefix, link_for_mail, colours)
        body = _body_attributes(source)
        if style_sheets and (css := stylesheets.found_in(source)):
            sheet = f"body{{{_colours(body)}}}{css}"
            attributes.use(stylesheets.cleaned(sheet, source, TAGS, prefix, attributes.background, colours))
        if start := _body_as_div(body, attributes.style_element):
            attributes.keep_body()
            source = start + source
        result = attributes.clean(source)
        if too_deep(result):
            source = flatten(source)
            result = attributes.clean(source)
        if claimed := claims(result):  # rare, so a second pass: a link's text is only known after its href
            result = attributes.clean(source, claimed)
    except (ValueError, RecursionError):
        return Cleaned(f"<pre>{entities.escape(html[:TEXT_LIMIT])}</pre>", 0, cut)
    if colours and not colours.is_safe:
        return clean(
            html, link_for_cid, prefix, link_for_image=link_for_image, link_away=link_away, link_for_mail=link_for_mail,
            style_sheets=style_sheets,
        )  # fmt: skip
    sheets = f"{colours.sheet() if colours else ''}{attributes.style_element}"
    return Cleaned(f"{sheets}{result}{attributes.always_loaded()}", len(attributes.remote), cut, dark)


def _body_attributes(html: str) -> dict[str, str]:
    body = _BODY.search(html)
    return _tag_attributes(body[0]) if body else {}


def _colours(body: dict[str, str]) -> str:
    """The colour and background attributes of <body> as CSS declarations."""
    style = "".join(
        f"{name}:{body[source]};"
        for source, name in (("bgcolor", "background-color"), ("text", "color"))
        if _COLOUR.fullmatch(body.get(source, ""))
    )
    picture = body.get("background", "")
    return f"{style}background-image:url({picture});" if _ADDRESS_IN_CSS.fullmatch(picture) else style


def _body_as_div(body: dict[str, str], sheet: str) -> str:
    """The start tag of a <div> that replaces <body>, "" if there is nothing to keep. Its colours are in `sheet` if there is
    one, else in the style attribute."""
    kept = {name: body.get(name, "") for name in ("id", "dir", "lang", "class", "style")}
    if not sheet:
        kept["style"] = _colours(body) + kept["style"]
    if not any(kept.values()) and stylesheets.BODY not in sheet:
        return ""
    kept["class"] += f" {stylesheets.BODY}"
    return "<div" + "".join(f' {name}="{entities.escape(value)}"' for name, value in kept.items() if value) + ">"


class _Tag(HTMLParser):
    """Parses the attributes of one tag."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            self.found.setdefault(name, value or "")


def _tag_attributes(tag: str) -> dict[str, str]:
    reader = _Tag()
    reader.feed(tag)
    return reader.found


@lru_cache(maxsize=4096)
def _shaped(name: str, value: str) -> str | None:
    """The value if it matches its attribute's pattern, else None."""
    value = value.strip()
    return value if _SHAPES[name].fullmatch(value) else None


def _cell_width(value: str) -> str:
    """A width in pixels, below 100 with its unit: the frame's CSS selects by that which cells may shrink on a phone."""
    if value.endswith("%"):
        return value
    number = value.removesuffix("px")
    return f"{number}px" if float(number) < 100 else number


@lru_cache(maxsize=2048)
def _judged(site: str) -> tuple[str, str, bool]:
    """The host of a URL, the host it pretends to lead to, and whether the host has look-alike characters."""
    host = host_of(site)
    return host, pretends(site), lookalike.deceives(host)


class _Filter:
    """Decides on every attribute while nh3 walks the tree; collects the remote URLs that were blocked."""

    def __init__(
        self, part: Callable[[str], str | None], image: Callable[[str], str] | None, away: Callable[[str, str], str] | None,
        prefix: str, mail: Callable[[str], str] = compose_link, colours: DarkColours | None = None,
    ) -> None:  # fmt: skip
        self._colours = colours
        self.remote: set[str] = set()
        self.style_element = ""
        self._part_address, self._image_address, self._away = part, image, away
        self._prefix, self._mail_address = prefix, mail
        self._claimed: dict[str, str] = {}
        self._links: dict[str, tuple[str | None, bool, str]] = {}  # as written: what is kept, `_inside` and `_host`
        self._class: Callable[[str], str | None] | None = None
        self._shown: dict[str, str] = {}  # remote images: their URL -> ours
        self._backgrounds: dict[str, None] = {}  # our URLs of those used in styles
        self._styles: dict[str, str] = {}
        self._style_budget = STYLE_BUDGET
        self._data_budget = DATA_LIMIT
        # about the link that is walked through: nh3 passes "target" and "title", once each, after its href if it has one
        self._inside = False  # it is a fragment link within the page
        self._host = ""
        self._still = {"target", "title"}

    def use(self, sheet: stylesheets.Stylesheet) -> None:
        """Add a style sheet and keep its classes."""
        self.remote.update(sheet.remote - self._shown.keys())
        if sheet.css:
            self.style_element = f"<style>{sheet.css}</style>"
            self._class = stylesheets.class_filter(sheet, self._prefix)

    def keep_body(self) -> None:
        """Keep the class of the element that replaces <body>."""
        self._class = self._class or stylesheets.class_filter(stylesheets.Stylesheet(), self._prefix)

    def clean(self, html: str, claimed: dict[str, str] | None = None) -> str:
        """One pass of nh3. `claimed` maps the URLs of deceptive links to the site their text names."""
        self._claimed, self._links = claimed or {}, {}
        self._data_budget = DATA_LIMIT
        return nh3.clean(
            html,
            tags=set(TAGS),
            clean_content_tags=set(_DROPPED_WITH_CONTENT),
            attributes=_WITH_CLASSES if self._class else _NH3_ATTRIBUTES,
            attribute_filter=self._attribute,
            link_rel=None,
            set_tag_attribute_values=dict.fromkeys(_LINKS, _ON_LINKS),
            url_schemes=set(_SCHEMES),
        )

    def _attribute(self, tag: str, name: str, value: str) -> str | None:
        """The value to keep, or None. nh3 has checked element and attribute name; anything not handled here is removed."""
        if name == "style":
            return self._style(value)
        if name in _SHAPES:
            kept = _shaped(name, value) if len(value) < 600 else None
            if kept and self._colours and name in ("bgcolor", "color"):
                self._colours.attribute(name, kept)
            return _cell_width(kept) if kept and name == "width" and tag in ("td", "th") else kept
        if name == "href":
            return self._link(value)
        if name == "src":
            return self._image(value)
        if name == "class":
            return self._class(value) if self._class else None
        if name == "rel":
            return _ON_LINKS["rel"]
        if tag in _LINKS and name in ("target", "title"):
            return self._end_of_link(name)
        if name in _WORDS:
            return value[:1000]
        if name in ("id", "name"):
            return f"{self._prefix}{value}" if _ID.fullmatch(value) else None
        if name == "usemap":
            return f"#{self._prefix}{value[1:]}" if value[:1] == "#" and _ID.fullmatch(value[1:]) else None
        if name in ("background", "srcset") and value.split():
            address = value.split(maxsplit=1)[0].rstrip(",")
            return self.background(address) if name == "background" else self._remote_image(address)
        return None

    def _end_of_link(self, name: str) -> str | None:
        """The two attributes that end each link: after both nothing is kept of it, for the next one may have no address."""
        value = self._host if name == "title" else "" if self._inside else _ON_LINKS["target"]
        self._still.discard(name)
        if not self._still:
            self._inside, self._host, self._still = False, "", {"target", "title"}
        return value or None

    def _style(self, value: str) -> str | None:
        if value not in self._styles:
            self._style_budget -= len(value)
            if self._style_budget < 0:
                return None
            kept, remote = clean_style(value, self.background)
            self._styles[value] = self._colours.declarations(kept) if self._colours else kept
            self.remote.update(remote - self._shown.keys())
        return self._styles[value] or None

    def background(self, address: str) -> str | None:
        """Our URL for an image used in a style: of a part (cid:) or a remote image; None removes it."""
        if self._colours:
            self._colours.has_pictures = True
        if address[:4].lower() == "cid:":
            return self._part(address)
        ours = self._remote_image(address)
        if ours:
            self._backgrounds[ours] = None
        return ours

    def always_loaded(self) -> str:
        """Hidden <img> elements for remote backgrounds if the sheet has media queries: a background that loads only at some
        window widths would tell its sender how wide the window is."""
        if "@media" not in self.style_element:
            return ""
        return "".join(f'<img src="{entities.escape(a)}" alt="" style="display:none!important">' for a in self._backgrounds)

    def _link(self, value: str) -> str | None:
        """The URL to keep; a letter has most of its links several times: on a picture, a heading, a button."""
        if value not in self._links:
            kept = self._address(value.strip())
            self._links[value] = kept, self._inside, self._host
        kept, self._inside, self._host = self._links[value]
        return kept

    def _address(self, value: str) -> str | None:
        self._inside, self._host = False, ""
        if value.startswith("#"):
            self._inside = bool(_ID.fullmatch(value[1:]))
            return f"#{self._prefix}{value[1:]}" if self._inside else None
        if value[:7].lower() == "mailto:":
            return self._mail_address(value) or None
        address = web_address(value)
        site = _SITE.match(address)
        if not site:
            return None
        self._host, pretended, deceives = (_judged if len(site[0]) < 300 else _judged.__wrapped__)(site[0])
        claimed = self._claimed.get(address, "") or pretended
        if not claimed and not deceives:
            return address
        return self._away(address, claimed) if self._away else None

    def _image(self, value: str) -> str | None:
        value = value.strip()
        if value[:4].lower() == "cid:":
            return self._part(value)
        if value[:5].lower() == "data:":
            self._data_budget -= len(value)
            small = len(value) <= DATA_IMAGE_LIMIT and self._data_budget >= 0
            return value if small and _DATA_IMAGE.fullmatch(value) else None
        return self._remote_image(value)

    def _part(self, cid: str) -> str | None:
        return self._part_address(unquote(cid[4:])[:1000])

    def _remote_image(self, value: str) -> str | None:
        """Our URL for a remote image if they are shown; else None, and the image is counted as blocked."""
        if self._image_address is None:
            if value not in self.remote and is_remote(value):
                self.remote.add(value)
            return None
        if value not in self._shown:
            if not is_remote(value):
                return None
            address = value.strip().replace(" ", "%20")
            address = web_address(f"https:{address}" if address.startswith("//") else address)
            if not address or len(self._shown) >= IMAGE_LIMIT:
                self.remote.add(value)
                return None
            self._shown[value] = self._image_address(address)
        return self._shown[value]
