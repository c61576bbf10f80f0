"""Google account: whose files a token is for; Google's page for choosing files tells no address with its token."""

from __future__ import annotations

import json
import logging

from webmail import http_fetch
from webmail.config.settings import Settings
from webmail.http_fetch import NotFetchedError
from webmail.services.providers import ServiceProvider

log = logging.getLogger(__name__)

_LIMIT, _SECONDS = 64 * 1024, 10.0


def login_of(provider: ServiceProvider, access: str, settings: Settings) -> str:
    """The address of the account, "" if Google does not tell it. One request (`about.get`). Raises nothing for what that does."""
    url = f"{settings.google_addresses.api.rstrip('/')}/drive/v3/about?fields=user(emailAddress)"
    checks = http_fetch.ANYWHERE if provider.named else {}
    headers = {"Authorization": f"Bearer {access}", "Accept": "application/json"}
    try:
        answer = http_fetch.ask_guarded("GET", url, b"", headers, limit=_LIMIT, seconds=_SECONDS, **checks)
        told = json.loads(answer.content) if answer.status == 200 else {}
    except (NotFetchedError, ValueError, RecursionError) as error:
        log.info("whose files were chosen is not known: %s", error)
        return ""
    user = told.get("user") if isinstance(told, dict) else None
    found = user.get("emailAddress") if isinstance(user, dict) else None
    return found if isinstance(found, str) and len(found) <= 254 and found.isprintable() else ""
