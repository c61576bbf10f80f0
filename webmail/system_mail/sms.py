"""Text messages: hands one to the gateway that the administrator names, over HTTP. Its text is always ours."""

from __future__ import annotations

import json
import logging
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

from webmail import http_fetch
from webmail.config.providers import Sms

log = logging.getLogger(__name__)

SECONDS = 8.0  # for everything
LONGEST = 480  # characters: three messages of a telephone
_LARGEST = 65_536  # bytes of an answer
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")  # E.164
_FIGURES = re.compile(r"[0-9]{6,}")
_PLACES = re.compile(r"\{(number|text)\}")
_PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"', "…": "...", "\u00a0": " ", "\u202f": " "})


class NotTextedError(Exception):
    """The gateway did not take the message; the words say why, for the log."""


def send(gateway: Sms, number: str, text: str, folder: str = "") -> None:
    """Hand a text message to the gateway, which has taken it when this returns. One request; redirects are not followed.

    `number`: "+33612345678". `folder`: what `ca_file` is relative to. Raises NotTextedError.
    """
    if not _NUMBER.fullmatch(number) or len(text) > LONGEST:
        raise NotTextedError("not a number and a short text")
    text = plain(text)
    if gateway.url == "console":
        log.warning("Text message to %s: %s", number, text)
        return
    values = {"number": number, "text": text}
    url = _filled(gateway.url, values, _in_query)
    body = b"" if gateway.method == "GET" else _filled(gateway.body, values, _escape_for(gateway)).encode()
    try:
        tls = ssl.create_default_context(cafile=str(Path(folder, gateway.ca_file))) if gateway.ca_file else None
        answer = http_fetch.ask_named(gateway.method, url, body, _headers(gateway), limit=_LARGEST, seconds=SECONDS, tls=tls)
    except (http_fetch.NotFetchedError, OSError, ValueError) as error:
        raise NotTextedError(f"the gateway can't be used: {error}") from error
    words = answer.content.decode("utf-8", "replace")
    if not 200 <= answer.status < 300:
        raise NotTextedError(f"the gateway answers {answer.status}: {_for_log(words)!r}")
    if gateway.answer and gateway.answer not in words:
        raise NotTextedError(f"the answer of the gateway is without {gateway.answer!r}: {_for_log(words)!r}")


def _for_log(text: str) -> str:
    """The beginning of an answer, without what may be a code or a number: many gateways repeat what they did not take."""
    return _FIGURES.sub("…", text[:400])[:200]


def plain(text: str) -> str:
    """With the quotes and spaces that telephones have from the start: others halve the room, and cost twice."""
    return "".join(mark for mark in text.translate(_PLAIN) if mark.isprintable() or mark == "\n")


def _headers(gateway: Sms) -> dict[str, str]:
    """The administrator's, each on a line; they hold nothing of a message."""
    pairs = (line.partition(":") for line in gateway.headers.splitlines() if line.strip())
    return {name.strip(): value.strip() for name, _colon, value in pairs}


def _filled(template: str, values: dict[str, str], escaped: Callable[[str], str]) -> str:
    """In one go: what looks like a place in a value stays as it is."""
    return _PLACES.sub(lambda place: escaped(values[place[1]]), template)


def _in_query(value: str) -> str:
    return quote(value, safe="")


def _escape_for(gateway: Sms) -> Callable[[str], str]:
    """How values are escaped in the body, by its Content-Type."""
    headers = {name.lower(): value.lower() for name, value in _headers(gateway).items()}
    kind = headers.get("content-type", "")
    if "json" in kind:
        return lambda value: json.dumps(value)[1:-1]
    if "x-www-form-urlencoded" in kind:
        return quote_plus
    if "xml" in kind:
        from xml.sax.saxutils import escape

        return lambda value: escape(value, {'"': "&quot;", "'": "&apos;"})
    return lambda value: value
