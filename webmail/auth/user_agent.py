"""A few plain words for a User-Agent header, so that people recognise their own computers."""

from __future__ import annotations

# in this order: Edge and Opera also say Chrome, and Chrome also says Safari
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chromium", "Chromium"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("w3m", "w3m"),
    ("Lynx", "Lynx"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def describe(user_agent: str) -> str:
    """Such as "Firefox, Windows"; the header's first word when it is none of the common ones; "" for none.

    A hint for the person who owns the session, nothing is decided by it: the header may say anything.
    """
    words = [next((name for sign, name in signs if sign in user_agent), "") for signs in (_BROWSERS, _SYSTEMS)]
    return ", ".join(filter(None, words)) or " ".join(user_agent.split()[:1])[:40]
