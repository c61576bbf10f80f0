"""User agent: a short description of a User-Agent header, so that users recognise their devices in the session list."""

from __future__ import annotations

# the order matters: Edge and Opera also contain "Chrome", and Chrome contains "Safari"
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


def parts(user_agent: str) -> tuple[str, str]:
    """(browser, system), each "" if it is not a common one. Only for display: the header can be forged."""
    browser, system = (next((name for sign, name in signs if sign in user_agent), "") for signs in (_BROWSERS, _SYSTEMS))
    return browser, system


def describe(user_agent: str) -> str:
    """For example "Firefox, Windows"; the header's first word if it is not a common browser; "" if empty."""
    return ", ".join(filter(None, parts(user_agent))) or " ".join(user_agent.split()[:1])[:40]
