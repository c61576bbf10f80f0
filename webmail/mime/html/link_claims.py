"""Link claims: detects links whose text names another site than their URL, such as "www.bank.example" on somebody else's URL."""

from __future__ import annotations

import html as entities
import re
import unicodedata
from urllib.parse import unquote

import nh3

from webmail.mime.charsets import without_surrogates
from webmail.mime.html.input_limits import bounded
from webmail.mime.threats import lookalike

TEXT_LIMIT = 500  # characters of a link's text that are checked

# Characters that browsers draw as nothing, so that they hide in a name; and bidirectional overrides
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0]"
)
_TURNED = re.compile("[\u202d\u202e]")
_AUTHORITY = re.compile(r"https?://([^/\\?#]*)", re.I)
_SAID = re.compile(r"(?:https?:/?/?|\bwww(?=\.))([^\s/\\?#<>\"'()\[\]«»,;]+)", re.I)
_ALONE = re.compile(r"[«\"'(\[<\s]*((?:[\w-]{1,63}\.){1,8}([a-zA-Z]{2,24}))(?::\d+)?(?:[/?#]\S*+)?[»\"')\]>.,;:!…\s]*+")
_TOP_NAMES = """
    com net org edu gov int mil info biz name pro app dev online site shop store cloud xyz top club live bank money
    paris bzh alsace corsica asso eu tech link click page web email support help test example invalid"""
_TOPS = frozenset(_TOP_NAMES.split())
# country domains that are file extensions too
_FILES = frozenset(("cc", "cs", "hs", "js", "kt", "md", "ml", "pl", "ps", "py", "rb", "rs", "sh", "so", "ts", "vb"))
# Public suffixes that matter in mail, below which each name has another owner; a missing one means a missing warning.
_SECOND_NAMES = "ac asso co com edu gob gouv gov govt gv ltd me mil ne net nhs or org plc sch"
_SECOND = frozenset(_SECOND_NAMES.split())
_HOSTER_NAMES = """
    github.io gitlab.io pages.dev workers.dev netlify.app vercel.app web.app firebaseapp.com herokuapp.com blogspot.com
    wordpress.com weebly.com wixsite.com azurewebsites.net windows.net cloudfront.net amazonaws.com appspot.com r2.dev ngrok.io
    free.fr over-blog.com surge.sh glitch.me repl.co"""
_HOSTERS = frozenset(_HOSTER_NAMES.split())
_WRAPPED = re.compile(
    r"https?://(?:urldefense\.proofpoint\.com/v2/url\?u=([^&]{1,4000})|urldefense\.com/v3/__([^;]{1,4000}?)__;|"
    r"(?:[\w-]{1,63}\.){1,3}safelinks\.protection\.outlook\.com/[^?]{0,20}\?(?:amp;)?url=([^&]{1,4000})|"
    r"(?:linkprotect\.cudasvc\.com/url\?a=|www\.google\.(?:com|fr)/url\?(?:q|url)=|l\.facebook\.com/l\.php\?u=)([^&]{1,4000}))",
    re.I,
)
_LINK_LIMIT = 20_000  # characters inside one link that are checked
_LINK = re.compile(r"<a\b([^>]*)>|</a>")  # as nh3 writes it: no "<" or ">" in values
_HREF = re.compile(r'(?:\A| )href="([^"]*)"')
_TAG = re.compile(r"<[^>]*>?")
_DROPPED = "script style title head textarea select option noscript svg math template"
_LINKS_ALONE = nh3.Cleaner(
    tags={"a"}, clean_content_tags=set(_DROPPED.split()), attributes={"a": {"href"}}, link_rel=None, url_schemes={"http", "https"}
)
# as senders write it, not sanitized
_RAW_LINK = re.compile(r"<a(?=[\s/])", re.I)
_RAW_START = re.compile(r"(?:[^\"'>]|\"[^\"]*\"|'[^']*')*+>")
_RAW_HREF = re.compile(r"[\s/\"']href\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.I)
_RAW_END = re.compile(r"</a\b", re.I)


def host_of(url: str) -> str:
    """The host that a browser connects to for an http(s) URL (WHATWG URL, section 4.4), in ASCII; "" if there is none."""
    found = _AUTHORITY.match(url.strip())
    if not found:
        return ""
    host = re.sub(r":\d*$", "", found[1].rpartition("@")[2])
    return lookalike.wire(_plain(unquote(host)).lower().rstrip("."))


def pretends(url: str) -> str:
    """The user info before an "@", which looks like the host ("https://bank.example@evil.example/"), else ""."""
    found = _AUTHORITY.match(url.strip())
    return unquote(found[1].rpartition("@")[0])[:200] if found else ""


def site_of(host: str) -> str:
    """The registrable domain of a host name: "www.a.example" -> "a.example", "b.a.co.uk" -> "a.co.uk"."""
    labels = host.split(".")
    if re.fullmatch(r"[\d.]+|.*:.*", host):
        return host
    long = ".".join(labels[-2:]) in _HOSTERS or (len(labels[-1]) == 2 and len(labels) > 2 and labels[-2] in _SECOND)
    return ".".join(labels[-3 if long else -2 :])


def _unwrapped(url: str) -> str:
    """The original URL of a link rewritten by a mail gateway such as Microsoft's or Proofpoint's, else ""."""
    found = _WRAPPED.match(url.strip())
    if not found:
        return ""
    if found[1]:
        return unquote(found[1].replace("-", "%").replace("_", "/"))
    return found[2] or unquote(found[3] or found[4])


def claimed_host(text: str, url: str) -> str:
    """The host that a link's text names if it belongs to another site than the link's URL, else ""."""
    turned = None if text.isascii() else _TURNED.search(text)
    plain = " ".join((text if text.isascii() else _plain(text)).split())[:TEXT_LIMIT]  # browsers collapse white space
    if not turned and "." not in plain:  # the usual case: no need to parse the URL
        return ""
    own = site_of(host_of(_unwrapped(url)) or host_of(url))
    if not own:
        return ""
    if turned:
        return _plain(text)[:200].strip()
    for said in _said(plain):
        host = lookalike.wire(re.sub(r":\d*$", "", said.rpartition("@")[2]).lower().strip(".-:"))
        if "." in host and site_of(host) != own:
            return host[:200]
    return ""


def claims(html: str) -> dict[str, str]:
    """The links of sanitized HTML, as nh3 writes it, whose text names another site: URL -> the site named.

    Links can nest, by way of a table: text inside both counts for both.
    """
    if "<a" not in html:
        return {}
    found: dict[str, str] = {}
    pieces: list[str] = []  # the text of links, into which they store offsets, since they may contain any number of tags
    links: list[tuple[str, int, int]] = []
    open_links: list[tuple[str, int]] = []  # their attributes, and the offset of their text
    size = 0
    _before, *rest = _LINK.split(html)  # the attributes of a start (of an end: None), what follows it, and so on
    for attributes, after in zip(rest[::2], rest[1::2], strict=True):
        if attributes is not None:
            open_links.append((attributes, size))
        elif open_links:
            links.append((*open_links.pop(), size))
        if open_links and after:
            piece = _TAG.sub("", after) if "<" in after else after
            pieces.append(piece)
            size += len(piece)
    whole = "".join(pieces)
    for attributes, start, stop in links:
        text = _text(whole[start : min(stop, start + _LINK_LIMIT)])
        if text and (href := _HREF.search(attributes)):
            url = entities.unescape(href[1])
            if url not in found and (said := claimed_host(text, url)):
                found[url] = said
    return found


def lies(html: str) -> dict[str, str]:
    """The same as `claims`, quickly, for unsanitized or truncated HTML. May miss malformed links. Linear time.

    Links in comments are invisible, and what looks like a comment need not be one: in that case the HTML is parsed.
    """
    found = _lies(html)
    return claims(_LINKS_ALONE.clean(bounded(without_surrogates(html)))) if found and "<!--" in html else found


def _lies(html: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for piece in _RAW_LINK.split(html)[1:]:
        start = _RAW_START.match(piece)
        if not start:
            continue
        end = _RAW_END.search(piece, start.end(), start.end() + _LINK_LIMIT)
        text = _text(piece[start.end() : end.start() if end else start.end() + _LINK_LIMIT])
        href = _RAW_HREF.search(piece, 0, start.end()) if text else None
        if href:
            url = entities.unescape(href[1] or href[2] or href[3] or "").strip()
            if url not in found and (said := claimed_host(text, url)):
                found[url] = said
    return found


def _text(html: str) -> str:
    """The text between tags; "" if it can't name a site."""
    text = _TAG.sub("", html) if "<" in html else html
    if "&" in text:
        text = entities.unescape(text)
    return text if "." in text or not text.isascii() else ""


def _said(text: str) -> list[str]:
    """The hosts that a text names: after http:// or www. anywhere, or if the text is nothing but a host name."""
    found = [match[0] if match[0][:3].lower() == "www" else match[1] for match in _SAID.finditer(text)]
    if found or "@" in text:
        return found
    alone = _ALONE.fullmatch(text)
    if not alone:
        return []
    top = alone[2].lower()
    return [alone[1]] if top in _TOPS or (len(top) == 2 and top not in _FILES) else []


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
