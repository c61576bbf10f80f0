"""Policy of MTA-STS: the file that other servers fetch before they send to a domain, as RFC 8461 has it."""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from webmail.doctor.result import plain

_LONGEST = 64_000  # bytes, as the RFC suggests
MODES = ("enforce", "testing", "none")


class PolicyError(Exception):
    """It can't be fetched, or is none: the words say why."""


@dataclass(frozen=True, slots=True)
class MtaStsPolicy:
    """`servers`: names that MX may lead to, "*.school.fr" for any below it."""

    mode: str
    servers: tuple[str, ...]

    def allows(self, host: str) -> bool:
        return any(
            host == one or (one.startswith("*.") and host.partition(".")[2] == one.removeprefix("*.")) for one in self.servers
        )


def fetched(address: str, timeout: float) -> MtaStsPolicy:
    """As another mail server would: with the system's certificate authorities, and led nowhere else. Raises PolicyError."""
    parts = urlsplit(address)
    client = http.client.HTTPSConnection(parts.hostname or "", parts.port or 443, timeout=timeout, context=_context())
    try:
        client.request("GET", parts.path, headers={"Accept-Encoding": "identity"})
        answer = client.getresponse()
        content = answer.read(_LONGEST + 1)
    except (OSError, http.client.HTTPException) as error:
        raise PolicyError(plain(error).rstrip(".")) from error
    finally:
        client.close()
    if answer.status != 200:
        raise PolicyError(f"HTTP {answer.status}")
    if len(content) > _LONGEST:
        raise PolicyError(f"> {_LONGEST // 1000} kB")
    return parsed(content.decode("utf-8", "replace"))


def parsed(text: str) -> MtaStsPolicy:
    """Raises PolicyError."""
    pairs = [(name.strip(), value.strip()) for name, colon, value in (line.partition(":") for line in text.splitlines()) if colon]
    first = dict(reversed(pairs))
    servers = tuple(value.rstrip(".").lower() for name, value in pairs if name == "mx")
    if first.get("version") != "STSv1":
        raise PolicyError("version: STSv1 ?")
    if first.get("mode") not in MODES:
        raise PolicyError("mode ?")
    if not first.get("max_age", "").isdecimal():
        raise PolicyError("max_age ?")
    if first["mode"] != "none" and not servers:
        raise PolicyError("mx ?")
    return MtaStsPolicy(first["mode"], servers)


def _context() -> ssl.SSLContext:
    return ssl.create_default_context()
