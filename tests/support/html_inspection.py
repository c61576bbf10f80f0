"""Looks at cleaned HTML as a browser's parser gives it, and names everything that should not be there."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import tinycss2

from webmail.mime.html.inline_css import PROPERTIES
from webmail.mime.html.sanitizer import ATTRIBUTES, TAGS

_OURS = re.compile(r"/compose\?[^\s]*|/part/[^\s]*|/image/[\w-]*|/leave\?[^\s]*")
_OUR_PICTURE = re.compile(r"/(?:part|image)/[\w-]*")
_DATA = re.compile(r"data:image/(png|gif|jpe?g|webp);base64,[A-Za-z0-9+/=\s%]*", re.I)
_QUERY = re.compile(r"(?:\((?:min|max)-width:[\d.]+(?:px|em|rem)\)(?: and |,)?)+")
_COMPOUND = r"(?:\*|[a-z][a-z0-9]*|:where\(\.m--body-\))?(?:[.#]m-[\w-]+|:first-child|:last-child|:link|:nth-child\([a-z0-9]+\))*"
_SELECTOR = re.compile(rf"\.mail {_COMPOUND}(?:[ >+]{_COMPOUND}){{0,5}}")
_HTTP = re.compile(r"https?://[^/\s\\]", re.I)


def _sheet_and_rest(html: str) -> tuple[str, str]:
    """The one style sheet that may stand before all, and everything else, where <style> is a fault."""
    end = html.find("</style>")
    return (html[7:end], html[end + 8 :]) if html.startswith("<style>") and end > 0 else ("", html)


class Inspection(HTMLParser):
    """`faults` lists what is not allowed, `links` and `images` what is there, `words` the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.links: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.sheet, html = _sheet_and_rest(html)
        if self.sheet and (problem := self._sheet_problem(self.sheet)):
            self.faults.append(f"<style> {problem}")
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in TAGS:
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            if name not in ATTRIBUTES.get(tag, set()) | ATTRIBUTES["*"] | {"class"}:
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
            unknown = {one for one in value.split() if not one.startswith("m-") or f".{one}" not in self.sheet} - {"m--body-"}
            return f"names {unknown}" if unknown or not value.split() else ""
        if name in ("id", "name") and not value.startswith("m-"):
            return "has no prefix"
        if name == "usemap" and not value.startswith("#m-"):
            return "has no prefix"
        return self._style_problem(value) if name == "style" else ""

    def _sheet_problem(self, css: str) -> str:
        if "<" in css or "\\" in css:
            return "could end early"
        for rule in tinycss2.parse_stylesheet(css):
            inner = [rule]
            if rule.type == "at-rule":
                if rule.lower_at_keyword != "media" or not _QUERY.fullmatch(tinycss2.serialize(rule.prelude).strip()):
                    return f"has {rule.serialize()}"
                inner = tinycss2.parse_rule_list(rule.content)
            for one in inner:
                if one.type != "qualified-rule":
                    return f"has {one}"
                for selector in tinycss2.serialize(one.prelude).split(","):
                    if not _SELECTOR.fullmatch(selector):
                        return f"selects {selector}"
                declarations = tinycss2.serialize(one.content)
                if (problem := self._style_problem(declarations)) or (rule is not one and "url" in declarations.lower()):
                    return problem or "loads something when a condition holds"
        return ""

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
