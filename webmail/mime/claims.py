"""Where a link says it leads, and where it leads: text such as "www.bank.example" before the address of somebody else."""

from __future__ import annotations

import html as entities
import re
import unicodedata
from urllib.parse import unquote

import nh3

from webmail.mime import lookalike

TEXT_LIMIT = 500  # characters of a link's text that are looked at

# What a browser draws nothing for, so that it hides in a name; and what turns the order of letters round
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
# countries that are ends of file names too
_FILES = frozenset(("cc", "cs", "hs", "js", "kt", "md", "ml", "pl", "ps", "py", "rb", "rs", "sh", "so", "ts", "vb"))
# Below these, each name is somebody else's. Public suffixes that matter in mail: what is missing makes one warning less.
_SECOND_NAMES = "ac asso co com edu gob gouv gov govt gv ltd me mil ne net nhs or org plc sch"
_SECOND = frozenset(_SECOND_NAMES.split())
_HOSTER_NAMES = """
    github.io gitlab.io pages.dev workers.dev netlify.app vercel.app web.app firebaseapp.com herokuapp.com blogspot.com
    wordpress.com weebly.com wixsite.com azurewebsites.net windows.net cloudfront.net amazonaws.com appspot.com r2.dev ngrok.io
    free.fr over-blog.com surge.sh glitch.me repl.co"""
_HOSTERS = frozenset(_HOSTER_NAMES.split())
_LINK = re.compile(r'<a href="([^"]*)">(.*?)</a>', re.S)
_DROPPED = "script style title head textarea select option noscript svg math template"
_TEXTS = nh3.Cleaner(
    tags={"a"},
    clean_content_tags=set(_DROPPED.split()),
    attributes={"a": {"href"}},
    link_rel=None,
    url_schemes={"http", "https"},
)


def host_of(url: str) -> str:
    """The host that a browser asks for an http(s) address (WHATWG URL, section 4.4), as DNS has it; "" where there is none."""
    found = _AUTHORITY.match(url.strip())
    if not found:
        return ""
    host = re.sub(r":\d*$", "", found[1].rpartition("@")[2])
    return lookalike.wire(_plain(unquote(host)).lower().rstrip("."))


def pretends(url: str) -> str:
    """What stands before an "@" where one expects a host ("https://bank.example@evil.example/"), else ""."""
    found = _AUTHORITY.match(url.strip())
    return unquote(found[1].rpartition("@")[0])[:200] if found else ""


def site_of(host: str) -> str:
    """The part of a host name that somebody registered: "www.a.example" -> "a.example", "b.a.co.uk" -> "a.co.uk"."""
    labels = host.split(".")
    if re.fullmatch(r"[\d.]+|.*:.*", host):
        return host
    long = ".".join(labels[-2:]) in _HOSTERS or (len(labels[-1]) == 2 and len(labels) > 2 and labels[-2] in _SECOND)
    return ".".join(labels[-3 if long else -2 :])


def claim(text: str, url: str) -> str:
    """The host that a link's text names when it is of another site than the link's own, else ""."""
    own = site_of(host_of(url))
    if not own:
        return ""
    if _TURNED.search(text):
        return _plain(text)[:200].strip()
    plain = _plain(text[:TEXT_LIMIT])
    for said in _said(plain):
        host = lookalike.wire(re.sub(r":\d*$", "", said.rpartition("@")[2]).lower().strip(".-:"))
        if "." in host and site_of(host) != own:
            return host[:200]
    return ""


def claims(html: str) -> dict[str, str]:
    """The links of some HTML, hostile as it came, whose text names another site: address -> the site that is named."""
    if "<a" not in html and "<A" not in html:
        return {}
    found: dict[str, str] = {}
    for href, text in _LINK.findall(_TEXTS.clean(html)):
        url = entities.unescape(href)
        if url not in found and (said := claim(entities.unescape(text), url)):
            found[url] = said
    return found


def _said(text: str) -> list[str]:
    """The hosts that a text names: after http:// or www. anywhere, or where it is nothing else than a name."""
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
