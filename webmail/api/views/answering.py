"""Answering scripts: one route for all operations. Who asks is known before anything is read of what they send.

Scripts have places of their own, few for each person and all together: what one of them does takes nothing from pages or forms,
nor from other people's scripts.
"""

from __future__ import annotations

import hashlib
import json
import sys

from flask import Response, current_app, g, request, session
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from webmail.admission import Admission, AdmissionRefusedError
from webmail.api import calendar_times, file_requests, json_bodies, problems, request_keys, schemas, sign_in, transfers
from webmail.api.blueprint import blueprint
from webmail.api.error_kinds import problem_of
from webmail.api.operations import ApiAnswer, ApiCall, Operation, OperationTable
from webmail.api.problems import ProblemError
from webmail.api.views import additions, file_downloads, guest_files, messages, uploads
from webmail.auth.devices import app_passwords
from webmail.auth.guard import public
from webmail.database.connection import DATABASE_AWAY, advice
from webmail.errors import MailError
from webmail.people import policies
from webmail.rate_limits import QUARTER, RateLimit, take
from webmail.transfers.uploads import tus
from webmail.web.current import settings
from webmail.web.forms.body_limits import reads_its_body
from webmail.web.responses.unavailable import because
from webmail.web.templates.addresses import url_for

OPERATIONS = OperationTable(
    (
        *transfers.OPERATIONS, *uploads.OPERATIONS, *file_downloads.OPERATIONS, *additions.OPERATIONS, *file_requests.OPERATIONS,
        *guest_files.OPERATIONS, *calendar_times.OPERATIONS, *messages.OPERATIONS,
    )
)  # fmt: skip
# of the threads of a process; bodies of files are admitted with those of pages (upload_bodies.py)
SCRIPTS = Admission(6, of_one=2, waiting=6, waiting_of_one=2, patience=10.0)
GUESTS = Admission(2, of_one_network=2, waiting=4, patience=5.0)  # by links, without a sign-in
REQUESTS = RateLimit("requests of scripts", 900, QUARTER)  # of one person; the bytes of files are not counted
OF_NETWORK = RateLimit("requests of guests' scripts", 900, QUARTER)
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
# operations that bring pieces of files, thousands of a large one
_BYTES = ("put_file", "put_added_file", "upload_bytes", "put_guest_file")


@blueprint.route("/api/v1/<any_path:path>", methods=_METHODS, provide_automatic_options=False)
@public
@reads_its_body
def answer(path: str) -> AnyResponse:
    """Whatever a script asks. No cookie is read or set, and no other site's page may read the answer."""
    try:
        found = _answered(f"/{path}")
    except ProblemError as error:
        found = _problem(error)
    except MailError as error:
        found = _problem(problem_of(error))
    except DATABASE_AWAY as error:
        current_app.logger.error("the database %s", advice(error))
        found = _problem(ProblemError("away", headers={"Retry-After": "30"}))
    except HTTPException as error:
        found = error.response if isinstance(error.response, AnyResponse) else _problem(_of_http(error))
    except Exception:
        current_app.log_exception(sys.exc_info())
        found = _problem(ProblemError("failed"))
    found.headers.setdefault("Cache-Control", "no-store")
    return found


def _answered(path: str) -> AnyResponse:
    if not settings().api or not app_passwords.are_available(settings()):
        raise ProblemError("not-found", headers={"Connection": "close"})
    if request.method == "OPTIONS":
        headers = {"Allow": ", ".join([*OPERATIONS.methods(path), "OPTIONS"])}
        return Response(status=204, headers={**tus.options(settings()).headers, **headers})
    operation, values = OPERATIONS.find(request.method, path)
    if operation.link_opens:
        return _admitted(operation, values)
    network: str = session.network  # type: ignore[attr-defined]
    session.user = sign_in.sign_in(request.headers.get("Authorization", ""), network, settings())  # type: ignore[attr-defined]
    g.pop("own_settings", None)  # of several establishments, whose person it is was not known before
    if operation.area and operation.area in policies.hidden(session.user):  # type: ignore[attr-defined]
        raise ProblemError("not-allowed")
    return _admitted(operation, values)


def _admitted(operation: Operation, values: object) -> AnyResponse:
    user, network = session.user, session.network  # type: ignore[attr-defined]
    if operation.name not in _BYTES:
        take(settings(), REQUESTS.by(user.id) if user is not None else OF_NETWORK.by(network))
    if operation.reads_itself:
        return _sent(operation, operation.act(_call(operation, values)))
    places = SCRIPTS if user is not None else GUESTS
    try:
        with places.admit(user.id if user is not None else "", network if user is None else ""):
            return _sent(operation, operation.act(_call(operation, values)))
    except AdmissionRefusedError as error:
        because(error)
        raise ProblemError("busy", headers={"Retry-After": "5"}) from error


def _call(operation: Operation, values: object) -> ApiCall:
    known: dict[str, object] = dict(values)  # type: ignore[call-overload]
    query = {name: text for name in operation.query if (text := request.args.get(name)) is not None}
    if unknown := sorted(set(request.args) - set(operation.query) - ({"of"} if operation.reads_itself else set())):
        raise ProblemError("invalid", errors=[{"at": f"?{name[:40]}", "fault": "is not known here"} for name in unknown[:5]])
    if missing := [name for name in operation.required if not query.get(name)]:
        raise ProblemError("invalid", errors=[{"at": f"?{name}", "fault": "is required"} for name in missing])
    for name, text in query.items():
        _check_query(name, text, operation.query[name])
    key = _key(operation)
    body = _body(operation) if not operation.reads_itself else {}
    asked = json.dumps([operation.name, {name: str(one) for name, one in known.items()}, body], sort_keys=True)
    print_ = hashlib.sha256(asked.encode("utf-8", "backslashreplace")).hexdigest() if key else ""
    return ApiCall(settings(), session.user, known, query, body, key, print_)  # type: ignore[attr-defined]


def _check_query(name: str, text: str, schema: schemas.Schema) -> None:
    value: object = int(text) if schema["type"] == "integer" and text.isascii() and text.isdigit() and len(text) < 16 else text
    if faults := schemas.faults_of(value, schema):
        raise ProblemError("invalid", errors=[{"at": f"?{name}", "fault": one["fault"]} for one in faults])


def _key(operation: Operation) -> str:
    given = request.headers.get("Idempotency-Key") if operation.keyed else None
    if given is None and operation.keyed != "must":
        return ""
    key = (given or "").strip().strip('"')
    if not key and operation.keyed == "must":
        raise ProblemError("key-missing", headers={"Connection": "close"})
    if not request_keys.SHORTEST <= len(key) <= request_keys.LONGEST or not (key.isascii() and key.isprintable()):
        fault = f"must have from {request_keys.SHORTEST} to {request_keys.LONGEST} printable ASCII characters"
        raise ProblemError("invalid", errors=[{"at": "Idempotency-Key", "fault": fault}])
    return key


def _body(operation: Operation) -> dict[str, object]:
    most = operation.most_body(settings()) if operation.body is not None else json_bodies.SMALL
    body = json_bodies.read(
        request.environ["wsgi.input"].read, request.headers.get("Content-Length", ""),
        chunked=bool(request.headers.get("Transfer-Encoding")), media_type=request.mimetype, most=most,
    )  # fmt: skip
    if faults := schemas.faults_of(body, operation.body or schemas.record({})):
        raise ProblemError("invalid", errors=faults)
    return body


def _sent(operation: Operation, found: ApiAnswer | AnyResponse) -> AnyResponse:
    if isinstance(found, AnyResponse):
        return found
    if found.body is None:
        return Response(status=found.status, headers=dict(found.headers))
    text = json.dumps(found.body, ensure_ascii=False)
    return Response(text, found.status, headers=dict(found.headers), content_type="application/json")


def _problem(error: ProblemError) -> Response:
    if error.status >= 500:
        because(error.kind)
    body = error.document(url_for("api.show"))
    made = Response(json.dumps(body, ensure_ascii=False), error.status, content_type=problems.TYPE)
    made.headers.update(error.headers)
    return made


def _of_http(error: HTTPException) -> ProblemError:
    kinds = {
        400: "not-understood",
        403: "not-allowed",
        404: "not-found",
        409: "conflict",
        410: "over",
        413: "too-large",
        422: "invalid",
    }
    return ProblemError(kinds.get(error.code or 500, "failed"))
