"""Linkify: turns URLs and e-mail addresses in text into safe links: http, https, and mailto as a link to our compose page."""

from __future__ import annotations

import html
import re
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote, urlencode

from linkify_it import LinkifyIt

from webmail.mime.html.mail_addresses import MailAddress, find_addresses

URL_LIMIT = 4000  # characters; a longer URL is shown as text
RUN_LIMIT = 3000  # characters without white space that are searched for links: longer runs are data

_HINT = re.compile(r"://|www\.|@", re.I)
_WEB_HINT = re.compile(r"://|www\.", re.I)
_HTTP = re.compile(r"https?://[^\s/?#\\]", re.I)
_RUNS = re.compile(r"[^\s<>\"]+")
_COMPOSE_FIELDS = ("to", "cc", "subject", "body")


@lru_cache(maxsize=1)
def _linkifier() -> LinkifyIt:
    finder = LinkifyIt(options={"fuzzy_link": True, "fuzzy_email": False, "fuzzy_ip": False})
    for scheme in ("ftp:", "//", "mailto:"):
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
    for start, stop, link in _links(word):
        if start >= end:
            out.extend((html.escape(word[end:start], quote=False), link))
            end = stop
    out.append(html.escape(word[end:], quote=False))
    return "".join(out)


def _links(word: str) -> list[tuple[int, int, str]]:
    """(start, end, HTML) of the links in a word, in order; of two that overlap, the first counts."""
    found = []
    if "@" in word:
        found += [(one.start, one.end, _mail_link(one, word[one.start : one.end])) for one in find_addresses(word)]
    for one in (_linkifier().match(word) or []) if _WEB_HINT.search(word) else []:
        shown = word[one.index : one.last_index]
        if one.schema or (shown.lower().startswith("www.") and word[one.index - 1 : one.index] != "@"):
            found.append((one.index, one.last_index, _web_link(one.url, shown)))  # "example.com" and "notes.md" look alike
    return sorted(link for link in found if link[2])


def _mail_link(found: MailAddress, visible: str) -> str:
    target = f"/compose?to={quote(found.address, safe='')}" if found.address else compose_link(visible)
    return f'<a href="{html.escape(target)}">{html.escape(visible, quote=False)}</a>' if target else ""


def _web_link(url: str, visible: str) -> str:
    target = web_address(url)
    if not target:
        return ""
    label = html.escape(visible, quote=False)
    return f'<a href="{html.escape(target)}" target="_blank" rel="noopener noreferrer nofollow">{label}</a>'
