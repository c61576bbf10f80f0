"""Client for Graph (REST, JSON): one account of Microsoft 365, asked within bounds, alone or twenty questions at once."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from webmail import http_fetch
from webmail.collections.following.faults import FollowFault, FollowTroubleError, of_fetching, seconds_to_wait
from webmail.dav.remote.answers import ITEMS, origin
from webmail.dav.remote.client import SECONDS, Ask, RoundOverError

Json = dict[str, Any]
AT_ONCE = 20  # questions of one batch
MOST_PAGES = 400
_BUSY = frozenset(
    ("activityLimitReached", "ApplicationThrottled", "ErrorExceededConnectionCount", "TooManyRequests", "ErrorServerBusy")
)
_FULL = frozenset(("ErrorQuotaExceeded", "ErrorMessageSizeExceeded"))
_USUAL = {
    "Accept": "application/json",
    "Prefer": 'IdType="ImmutableId", outlook.timezone="UTC", outlook.body-content-type="text", odata.maxpagesize=200',
}


@dataclass(slots=True)
class GraphAnswer:
    status: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """Graph's word for what is wrong."""
        error = self.body.get("error")
        return str(error.get("code", "")) if isinstance(error, dict) else ""


@dataclass(slots=True)
class GraphClient:
    """All methods raise FollowTroubleError, and RoundOverError after `end` (of time.monotonic)."""

    base: str  # of all addresses, without a slash at its end
    ask: Ask
    end: float = float("inf")

    def request(
        self, method: str, url: str, body: Json | None = None, headers: dict[str, str] | None = None, refused: Sequence[int] = ()
    ) -> GraphAnswer:
        """Ask once. `url`: whole, or from `base` on; only there a token is sent. An answer of 2xx, or of one of `refused`."""
        if "://" not in url:
            url = self.base + url
        left = self.end - time.monotonic()
        if left <= 0:
            raise RoundOverError
        sent = {**_USUAL, **({"Content-Type": "application/json"} if body is not None else {}), **(headers or {})}
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        try:
            if origin(url) != origin(self.base):
                raise FollowTroubleError(FollowFault.ELSEWHERE, url, target=origin(url)[1])
            answer = self.ask(method, url, content, sent, limit=ITEMS, seconds=min(SECONDS, max(left, 1.0)))
        except (http_fetch.NotFetchedError, OSError) as error:
            raise FollowTroubleError(of_fetching(error), f"{url}: {error}") from error
        except ValueError as error:
            raise FollowTroubleError(FollowFault.NOT_DAV, url) from error
        return judged(GraphAnswer(answer.status, _parsed(answer.content, url), dict(answer.headers)), url, refused)

    def batch(self, questions: Sequence[tuple[str, str]], refused: Sequence[int] = ()) -> list[GraphAnswer]:
        """Ask several things at once: methods with what follows `base`; answers in the same order."""
        found: list[GraphAnswer] = []
        for at in range(0, len(questions), AT_ONCE):
            part = questions[at : at + AT_ONCE]
            asked = [
                {"id": str(number), "method": method, "url": path, "headers": {"Prefer": _USUAL["Prefer"]}}
                for number, (method, path) in enumerate(part)
            ]
            answer = self.request("POST", "/$batch", {"requests": asked})
            by_number = {str(one.get("id")): one for one in _listed(answer.body, "responses")}
            found += [_judged_part(by_number.get(str(number)), path, refused) for number, (_method, path) in enumerate(part)]
        return found

    def pages(self, url: str, refused: Sequence[int] = ()) -> Iterator[GraphAnswer]:
        """The pages of a list, each with its `value`."""
        for _page in range(MOST_PAGES):
            answer = self.request("GET", url, refused=refused)
            yield answer
            following = str(answer.body.get("@odata.nextLink") or "")
            if not following:
                return
            if following == url:
                break
            url = following
        raise FollowTroubleError(FollowFault.TOO_MANY, url)


def judged(answer: GraphAnswer, url: str, refused: Sequence[int]) -> GraphAnswer:
    """Raises FollowTroubleError for all but what is asked for."""
    status = answer.status
    if status in (429, 503) or answer.code in _BUSY:
        raise FollowTroubleError(FollowFault.BUSY, url, seconds_to_wait(answer.headers))
    if status == 507 or answer.code in _FULL:
        raise FollowTroubleError(FollowFault.FULL, url)
    if 200 <= status < 300 or status in refused:
        return answer
    kinds = {401: FollowFault.PASSWORD, 404: FollowFault.GONE, 410: FollowFault.GONE}
    if status in kinds:
        raise FollowTroubleError(kinds[status], f"{url}: {answer.code}")
    kind = FollowFault.BROKEN if status == 500 else FollowFault.AWAY if status > 500 else FollowFault.REFUSED
    raise FollowTroubleError(kind, f"{url}: {status} {answer.code}")


def values_in(answer: GraphAnswer) -> list[Json]:
    return _listed(answer.body, "value")


def _listed(body: Json, name: str) -> list[Json]:
    found = body.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _judged_part(part: Json | None, path: str, refused: Sequence[int]) -> GraphAnswer:
    if part is None:
        raise FollowTroubleError(FollowFault.NOT_DAV, f"{path}: no answer in the batch")
    body, headers = part.get("body"), part.get("headers")
    told = {str(name).lower(): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}
    status = part.get("status")
    return judged(
        GraphAnswer(status if isinstance(status, int) else 500, body if isinstance(body, dict) else {}, told), path, refused
    )


def _parsed(content: bytes, url: str) -> Json:
    if not content.strip():
        return {}
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FollowTroubleError(FollowFault.NOT_DAV, url) from error
    if not isinstance(found, dict):
        raise FollowTroubleError(FollowFault.NOT_DAV, url)
    return found
