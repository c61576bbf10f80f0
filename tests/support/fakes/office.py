"""Microsoft with a mailbox: consent, tokens, calendars and contacts, all at one address."""

from __future__ import annotations

import json

from flask import Response, request

from tests.support.fakes.graph_mailbox import GraphMailbox
from tests.support.fakes.microsoft import FakeMicrosoft


class FakeOffice(FakeMicrosoft):
    """What `mailbox` says is said to those alone who have consent for it."""

    def __init__(self) -> None:
        super().__init__()
        self.mailbox = GraphMailbox()
        self.app.add_url_rule("/v1.0/<path:path>", view_func=self.graph, methods=["GET", "POST", "PATCH", "DELETE"])

    def graph(self, path: str) -> Response:
        if path == "$batch":
            self.allowed()
        else:
            self.allowed("Contacts.ReadWrite" if "ontact" in path else "Calendars.ReadWrite")
        self.mailbox.base = f"{self.url}/v1.0"
        query = request.query_string.decode()
        target = f"/{path}?{query}" if query else f"/{path}"
        status, headers, content = self.mailbox.answer(request.method, target, request.get_data(), dict(request.headers))
        body = "" if content is None else json.dumps(content)
        return Response(body, status, headers, content_type="application/json")
