"""HTML mail to HTML that may be shown: nothing in it runs, sends, fetches from elsewhere or leaves its box.

css-inline turns style sheets into style attributes, nh3 keeps the allowed elements, and its filter decides on every
attribute, styles by way of `style.py`. What nh3 returns is not touched again. RFC 2392 for `cid:`.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import unquote

import css_inline
import nh3

from webmail.mime import lookalike
from webmail.mime.bounds import DATA_IMAGE_LIMIT, INPUT_LIMIT, bounded, bounded_css, flatten, is_cut, too_deep
from webmail.mime.charsets import without_surrogates
from webmail.mime.claims import claims, host_of, pretends
from webmail.mime.links import compose_link, web_address
from webmail.mime.style import clean_style, is_remote

DATA_LIMIT = 600_000  # characters of all data: images
STYLE_BUDGET = 300_000  # characters of different style attributes that are read
TEXT_LIMIT = 200_000  # characters shown when the HTML can't be cleaned
IMAGE_LIMIT = 300  # different remote images that are shown

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
# "rel", "target" and a link's "title" are set by nh3 itself (below) and only pass the filter. So "title" is no attribute of
# all elements for it, or the filter would see a sender's own before it has seen the href.
_LINKS = ("a", "area")
_NH3_ATTRIBUTES = {tag: (ATTRIBUTES.get(tag, set()) | {"title"}) - {"rel", "target"} for tag in TAGS}
_NH3_ATTRIBUTES |= {"*": _EVERYWHERE - {"title"}} | {tag: _NH3_ATTRIBUTES[tag] - {"title"} for tag in _LINKS}
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
_REMOTE = re.compile(r"""//[^\s"'<>()]{1,4000}""")
_BODY = re.compile(r"<body\b[^>]{0,4000}>", re.I)
_STYLE = re.compile(r"<style(?: media=\"([^\"]*)\")?>(.*?)</style>", re.S)  # as a serializer writes it

_PREPARE = nh3.Cleaner(
    tags=TAGS | {"style"},
    clean_content_tags=_DROPPED_WITH_CONTENT - {"style", "head"},
    attributes={**{k: v | {"class"} for k, v in _NH3_ATTRIBUTES.items()}, "style": {"media"}},
    link_rel=None,
    url_schemes=_SCHEMES,
)
_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """HTML for a page of its own, and how many remote images and the like were left out. `cut`: the end is missing."""

    html: str
    remote: int = 0
    cut: bool = False


def clean(
    html: str,
    link_for_cid: Callable[[str], str | None],
    prefix: str = "m-",
    *,
    link_for_image: Callable[[str], str] | None = None,
    link_away: Callable[[str, str], str] | None = None,
) -> Cleaned:
    """Clean the HTML of a message. Never raises; what can't be cleaned is shown as text.

    `link_for_cid` gives our address of a part by its Content-ID, or None. `link_for_image` gives ours for a remote image;
    without it they are left out: they keep their place, size and `alt` but have no `src` (style it by `img:not([src])`).
    `link_away` gives a page of ours for a link that deceives, by its address and the site that it pretends to lead to (may be
    ""); without it such links lead nowhere. Ids and names get `prefix`.
    """
    html = without_surrogates(html)
    cut = is_cut(html)
    try:
        prepared = _with_styles_inlined(bounded(html))
        attributes = _Filter(link_for_cid, link_for_image, link_away, prefix, claims(prepared))
        result = attributes.clean(prepared)
        if too_deep(result):
            result = attributes.clean(flatten(prepared))
    except (ValueError, RecursionError):  # InlineError is a ValueError
        return Cleaned(f"<pre>{entities.escape(html[:TEXT_LIMIT])}</pre>", 0, cut)
    return Cleaned(result, len(attributes.remote), cut)


def count_remote(html: str) -> int:
    """About how many different images and the like some HTML would fetch: a quick look, of a part of a message too.

    It reads what a sender wrote, so that a script's "src" counts as well, which only makes the number larger.
    """
    found = set()
    for match in _REMOTE.finditer(html):
        before = html[max(match.start() - 40, 0) : match.start()].lower().removesuffix("https:").removesuffix("http:")
        before = before.rstrip("\"' \t\r\n")
        if before.endswith("url(") or (before.endswith("=") and before[:-1].rstrip().endswith(("src", "srcset", "background"))):
            found.add(match[0])
    return len(found)


def _with_styles_inlined(html: str) -> str:
    """The fragment to clean: style sheets applied, <body> as a <div> with its colours. Still as hostile as before."""
    body = _BODY.search(html)
    attributes = _tag_attributes(body[0]) if body else {}
    if "<style" not in html.lower():
        return f"{_body_as_div(attributes)}{html}"
    fragment = _PREPARE.clean(html)  # so that nesting can be counted and style elements be found
    sheets = [css for media, css in _STYLE.findall(fragment) if _for_screens(media)]
    fragment = _STYLE.sub("", fragment)
    if too_deep(fragment):
        fragment = flatten(fragment)
    css = bounded_css("\n".join(sheets), fragment.count("<") // 2)
    if not css.strip():
        return f"{_body_as_div(attributes)}{fragment}"
    kept = {name: attributes[name] for name in ("style", "class", "id") if name in attributes}
    start = "".join(f' {name}="{entities.escape(value)}"' for name, value in kept.items())
    inlined = _INLINER.inline(f"<html><head><style>{css}</style></head><body{start}>{fragment}</body></html>")
    if len(inlined) > 2 * INPUT_LIMIT:
        return f"{_body_as_div(attributes)}{fragment}"
    opening = _BODY.search(inlined)
    if opening is None:
        return inlined
    attributes = {**attributes, **_tag_attributes(opening[0])}
    return f"{_body_as_div(attributes)}{inlined[opening.end() :]}"


def _for_screens(media: str) -> bool:
    return not media.strip() or media.strip().lower() in ("all", "screen", "screen, projection", "all, screen")


def _body_as_div(attributes: dict[str, str]) -> str:
    style = "".join(
        f"{name}:{attributes[source]};"
        for source, name in (("bgcolor", "background-color"), ("text", "color"))
        if _COLOUR.fullmatch(attributes.get(source, ""))
    )
    style += attributes.get("style", "")
    return f'<div style="{entities.escape(style)}">' if style else ""


class _Tag(HTMLParser):
    """Reads the attributes of one tag."""

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


class _Filter:
    """Decides on every attribute while nh3 walks the tree; collects the remote addresses that were left out."""

    def __init__(
        self, part: Callable[[str], str | None], image: Callable[[str], str] | None, away: Callable[[str, str], str] | None,
        prefix: str, claimed: dict[str, str],
    ) -> None:  # fmt: skip
        self.remote: set[str] = set()
        self._part_address, self._image_address, self._away = part, image, away
        self._prefix = prefix
        self._claimed = claimed
        self._shown: dict[str, str] = {}  # remote images: their address -> ours
        self._styles: dict[str, str] = {}
        self._style_budget = STYLE_BUDGET
        self._data_budget = DATA_LIMIT
        # of the latest href: nh3 shows "target" and "title" after it
        self._inside = False  # it leads to a place in the same page
        self._host = ""

    def clean(self, html: str) -> str:
        """One pass of nh3."""
        return nh3.clean(
            html,
            tags=set(TAGS),
            clean_content_tags=set(_DROPPED_WITH_CONTENT),
            attributes=_NH3_ATTRIBUTES,
            attribute_filter=self._attribute,
            link_rel=None,
            set_tag_attribute_values=dict.fromkeys(_LINKS, _ON_LINKS),
            url_schemes=set(_SCHEMES),
        )

    def _attribute(self, tag: str, name: str, value: str) -> str | None:
        """The value to keep, or None. nh3 has looked at element and name; everything else is refused here by default."""
        if name == "style":
            return self._style(value)
        if shape := _SHAPES.get(name):
            value = value.strip()
            return value if shape.fullmatch(value) else None
        if name == "href":
            return self._link(value)
        if name == "src":
            return self._image(value)
        if name == "target":
            return None if self._inside else _ON_LINKS["target"]
        if name == "rel":
            return _ON_LINKS["rel"]
        if name == "title" and tag in _LINKS:
            return self._host or None
        if name in _WORDS:
            return value[:1000]
        if name in ("id", "name"):
            return f"{self._prefix}{value}" if _ID.fullmatch(value) else None
        if name == "usemap":
            return f"#{self._prefix}{value[1:]}" if value[:1] == "#" and _ID.fullmatch(value[1:]) else None
        if name in ("background", "srcset") and value.split():
            return self._remote_image(value.split()[0].rstrip(","))
        return None

    def _style(self, value: str) -> str | None:
        if value not in self._styles:
            self._style_budget -= len(value)
            if self._style_budget < 0:
                return None
            self._styles[value], remote = clean_style(value, self._background)
            self.remote.update(remote - self._shown.keys())
        return self._styles[value] or None

    def _background(self, address: str) -> str | None:
        """Our address of a picture that a style names: a part's or a remote one's."""
        return self._part(address) if address[:4].lower() == "cid:" else self._remote_image(address)

    def _link(self, value: str) -> str | None:
        claimed = self._claimed.get(value, "")
        value = value.strip()
        self._inside, self._host = False, ""
        if value.startswith("#"):
            self._inside = bool(_ID.fullmatch(value[1:]))
            return f"#{self._prefix}{value[1:]}" if self._inside else None
        if value[:7].lower() == "mailto:":
            return compose_link(value) or None
        address = web_address(value)
        if not address:
            return None
        self._host = host_of(address)
        claimed = claimed or pretends(address)
        if not claimed and not lookalike.deceives(self._host):
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
        """Our address for a remote image where they are shown; else it is counted and goes."""
        if not is_remote(value):
            return None
        if value not in self._shown:
            address = value.strip().replace(" ", "%20")
            address = web_address(f"https:{address}" if address.startswith("//") else address)
            if not address or self._image_address is None or len(self._shown) >= IMAGE_LIMIT:
                self.remote.add(value)
                return None
            self._shown[value] = self._image_address(address)
        return self._shown[value]
