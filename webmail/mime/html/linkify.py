"""Linkify: turns URLs and e-mail addresses in text into safe links: http, https, and mailto as a link to our compose page."""

from __future__ import annotations

import html
import re
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote, urlencode

from linkify_it import LinkifyIt

URL_LIMIT = 4000  # characters; a longer URL is shown as text
RUN_LIMIT = 3000  # characters without white space that are searched for links: longer runs are data

_HINT = re.compile(r"://|www\.|@|mailto:", re.I)
_HTTP = re.compile(r"https?://[^\s/?#\\]", re.I)
_RUNS = re.compile(r"[^\s<>\"]+")
_COMPOSE_FIELDS = ("to", "cc", "subject", "body")


@lru_cache(maxsize=1)
def _linkifier() -> LinkifyIt:
    finder = LinkifyIt(options={"fuzzy_link": True, "fuzzy_email": True, "fuzzy_ip": False})
    for scheme in ("ftp:", "//"):
        finder.add(scheme, None)
    return finder


def web_address(url: str) -> str:
    """`url` if it is an absolute http(s) URL without control characters, else ""."""
    url = url.strip()
    return url if len(url) <= URL_LIMIT and _HTTP.match(url) and url.isprintable() and " " not in url else ""


def compose_link(mailto: str) -> str:
    """A mailto: URL (RFC 6068) as a link to the compose page, or "". Only to, cc, subject and body are used."""
    scheme, colon, rest = mailto.strip()[:URL_LIMIT].partition(":")
    if not colon or scheme.lower() != "mailto":
        return ""
    to, _question, query = rest.partition("?")
    fields = {"to": unquote(to)}
    for name, value in parse_qsl(query.replace("+", "%2B"), max_num_fields=None)[:50]:  # "+" means itself in mailto
        key = name.lower()
        if key in _COMPOSE_FIELDS:
            fields[key] = f"{fields[key]}, {value}".strip(", ") if key in ("to", "cc") and fields.get(key) else value
    clean = {key: value.replace("\0", "").replace("\r", "") for key, value in fields.items() if value}
    for key in clean.keys() - {"body"}:
        clean[key] = " ".join(clean[key].split())
    return f"/compose?{urlencode(clean, quote_via=quote)}" if clean else ""


def linkify(text: str) -> str:
    """`text` escaped as HTML, with its URLs as links. Linear time: each run without white space is searched on its own."""
    if not _HINT.search(text):
        return html.escape(text, quote=False)
    out: list[str] = []
    end = 0
    for run in _RUNS.finditer(text):
        word = run[0]
        if len(word) <= RUN_LIMIT and _HINT.search(word):
            out.extend((html.escape(text[end : run.start()], quote=False), _link_run(word)))
            end = run.end()
    out.append(html.escape(text[end:], quote=False))
    return "".join(out)


@lru_cache(maxsize=2048)
def _link_run(word: str) -> str:
    out: list[str] = []
    end = 0
    for found in _linkifier().match(word) or []:
        shown = word[found.index : found.last_index]
        if not found.schema and not shown.lower().startswith("www."):
            continue  # "example.com" and "notes.md" look alike: only an explicit URL or address becomes a link
        link = _link(found.url, shown)
        if link:
            out.extend((html.escape(word[end : found.index], quote=False), link))
            end = found.last_index
    out.append(html.escape(word[end:], quote=False))
    return "".join(out)


def _link(url: str, shown: str) -> str:
    label = html.escape(shown, quote=False)
    if url.lower().startswith("mailto:"):
        target = compose_link(url)
        return f'<a href="{html.escape(target)}">{label}</a>' if target else ""
    target = web_address(url)
    if not target:
        return ""
    return f'<a href="{html.escape(target)}" target="_blank" rel="noopener noreferrer nofollow">{label}</a>'
