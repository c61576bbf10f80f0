"""Looks at cleaned HTML as a browser's parser gives it, and names everything that should not be there."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import tinycss2

from webmail.mime.clean import ATTRIBUTES, TAGS
from webmail.mime.style import PROPERTIES

_OURS = re.compile(r"/compose\?[^\s]*|/part/[^\s]*|/image/[\w-]*|/leave\?[^\s]*")
_OUR_PICTURE = re.compile(r"/(?:part|image)/[\w-]*")
_DATA = re.compile(r"data:image/(png|gif|jpe?g|webp);base64,[A-Za-z0-9+/=\s%]*", re.I)
_HTTP = re.compile(r"https?://[^/\s\\]", re.I)


class Inspection(HTMLParser):
    """`faults` lists what is not allowed, `links` and `images` what is there, `words` the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.links: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in TAGS:
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            if name not in ATTRIBUTES.get(tag, set()) | ATTRIBUTES["*"]:
                self.faults.append(f"<{tag} {name}>")
            elif problem := self._problem(tag, name, value or ""):
                self.faults.append(f"<{tag} {name}={value!r}> {problem}")
        if tag == "a":
            self.links.append(dict(attrs).get("href") or "")
        if tag == "img":
            self.images.append(dict(attrs))

    def _problem(self, tag: str, name: str, value: str) -> str:
        if name == "href":
            return "" if value.startswith("#m-") or _HTTP.match(value) or _OURS.fullmatch(value) else "leads elsewhere"
        if name == "src":
            return "" if _OURS.fullmatch(value) or _DATA.fullmatch(value) else "is fetched"
        if name in ("srcset", "background"):
            return "" if _OUR_PICTURE.fullmatch(value) else "should be gone"
        if name == "class":
            return "should be gone"
        if name in ("id", "name") and not value.startswith("m-"):
            return "has no prefix"
        if name == "usemap" and not value.startswith("#m-"):
            return "has no prefix"
        return self._style_problem(value) if name == "style" else ""

    def _style_problem(self, style: str) -> str:
        if "\\" in style or "@" in style or "<" in style:
            return "holds escapes"
        for item in tinycss2.parse_blocks_contents(style, skip_whitespace=True):
            if item.type != "declaration" or item.lower_name not in PROPERTIES:
                return f"declares {item}"
            for token in item.value:
                if token.type == "url" and _OUR_PICTURE.fullmatch(token.value):
                    continue
                if token.type in ("url", "error", "at-keyword", "unicode-range") or token.type.endswith("block"):
                    return f"has {token.type}"
                if token.type == "function" and token.lower_name not in ("rgb", "rgba", "hsl", "hsla"):
                    return f"calls {token.name}"
                if token.type == "ident" and token.lower_value in ("fixed", "sticky", "absolute"):
                    return "leaves its box"
        return ""

    def handle_data(self, data):
        self.words += data

    def handle_comment(self, data):
        self.faults.append("a comment")

    def handle_decl(self, decl):
        self.faults.append("a declaration")

    def handle_pi(self, data):
        self.faults.append("an instruction")

    def unknown_decl(self, data):
        self.faults.append("a section")
