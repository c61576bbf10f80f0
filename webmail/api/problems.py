"""Problems: why a script was refused, as RFC 9457 has it: a kind that programs know, and what to do next, for people.

One table: the page of scripts and the OpenAPI document are made from it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webmail.web.formatting import lazy_text as _l

TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """`title` and `advice` in the language of who asks."""

    status: int
    title: Any
    advice: Any


KINDS: Mapping[str, ProblemKind] = {
    "sign-in": ProblemKind(
        401, _l("Sign in with an app password"),
        _l("Create one on the page Devices, for scripts. Send your address and it (Basic), or it alone (Bearer)."),
    ),
    "not-allowed": ProblemKind(403, _l("You can’t do this"), _l("Ask your administrator whether you may.")),
    "not-permitted": ProblemKind(
        403, _l("You can’t write to some of these people"), _l("Remove the addresses that “addresses” names. Nothing was sent.")
    ),
    "not-your-address": ProblemKind(
        403, _l("You can’t send from this address"), _l("Use one of your identities, or leave “from” out. Nothing was sent.")
    ),
    "not-found": ProblemKind(
        404, _l("There is nothing at this address"), _l("Check the address and the number in it. It may have been deleted.")
    ),
    "wrong-method": ProblemKind(405, _l("This address does not know this method"), _l("Use one of those that “Allow” names.")),
    "not-understood": ProblemKind(
        400, _l("This request can’t be understood"),
        _l("Send a JSON object in UTF-8, as the description of the operation has it."),
    ),
    "no-length": ProblemKind(411, _l("The length is missing"), _l("Send “Content-Length”: the number of bytes of the file.")),
    "not-json": ProblemKind(415, _l("This is not JSON"), _l("Send a JSON object, with “Content-Type: application/json”.")),
    "invalid": ProblemKind(422, _l("Some values can’t be used"), _l("Correct what “errors” names, and send it again.")),
    "too-large": ProblemKind(413, _l("This is too large"), _l("Send less at a time.")),
    "no-room": ProblemKind(507, _l("There is not enough space"), _l("Close transfers that you no longer need, or ask for more.")),
    "key-missing": ProblemKind(
        400, _l("The header Idempotency-Key is missing"),
        _l("Send a new random value with each message, and the same one when you try again: it is then sent once."),
    ),
    "key-used": ProblemKind(
        422, _l("This Idempotency-Key was used for something else"), _l("Use a new random value for each new request.")
    ),
    "key-busy": ProblemKind(
        409, _l("The same request is being carried out"), _l("Try again in a few seconds, with the same Idempotency-Key.")
    ),
    "wrong-offset": ProblemKind(
        409, _l("The file continues elsewhere"), _l("Send it from the byte that “received” names on.")
    ),
    "conflict": ProblemKind(
        409, _l("This can’t be done as it is now"), _l("Fetch it again to see its state, then decide what to do.")
    ),
    "over": ProblemKind(410, _l("This has ended"), _l("It can no longer be used. Create a new one.")),
    "too-many": ProblemKind(429, _l("Too many requests"), _l("Wait as long as “Retry-After” says, then try again.")),
    "busy": ProblemKind(
        503, _l("Too much at the same time"), _l("Try again after “Retry-After”, with fewer requests at the same time.")
    ),
    "away": ProblemKind(
        503, _l("Something behind this is not available"), _l("Nothing was lost. Try again after “Retry-After”.")
    ),
    "no-mail": ProblemKind(
        409, _l("Mail can’t be sent from scripts here"),
        _l("Your administrator has to set up signing in without passwords (tokens)."),
    ),
    "failed": ProblemKind(
        500, _l("Something went wrong"), _l("It has been logged. Try again later, or tell your administrator.")
    ),
}  # fmt: skip


class ProblemError(Exception):
    """The answer to a request that goes no further. `detail`: what can be said more of it than its kind says; `more`: members
    beside those of RFC 9457."""

    def __init__(self, kind: str, detail: str = "", *, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind, self.detail, self.headers, self.more = kind, detail, dict(headers or {}), more

    @property
    def status(self) -> int:
        return KINDS[self.kind].status

    def document(self, page: str) -> dict[str, Any]:
        """`page`: where the kinds are explained."""
        known = KINDS[self.kind]
        title, advice = str(known.title), str(known.advice)
        told = f"{self.detail} {advice}" if self.detail else advice
        return {"type": f"{page}#problem-{self.kind}", "title": title, "status": known.status, "detail": told, **self.more}
