"""A FileSender for tests: a real HTTP server that answers as FileSender 3 does, with what it refuses and how.

What it does is proven by the real one: tests/integration/filesender/ runs the same tests against both.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_PATIENCE = 15
_DAY = 86_400
_NAME = re.compile(r"[ /\w.,;:!@#$%^&*)(\]\[-]+")
_DEFAULT_DAYS, _MOST_DAYS = 10, 20
Answer = tuple[int, object]


class Refused(Exception):
    def __init__(self, message: str, status: int = 500) -> None:
        self.message, self.status = message, status


class Broke(Exception):
    """PHP stopped in the middle: 500, and nothing else."""


@dataclass
class FakeFileSender:
    """Its state and its limits. `chunks`: how often bytes were put; `faults`: answers of the next requests, by their path."""

    port: int = 0
    application: str = "traboule"
    secret: str = "application-secret"
    user_secrets: dict[str, str] = field(default_factory=dict)
    chunk: int = 262_144
    most_bytes: int = 3_000_000
    most_files: int = 5
    most_recipients: int = 3
    quota: int = 4_000_000
    most_guests: int = 50
    banned: tuple[str, ...] = ("exe", "bat")
    extensions: tuple[int, ...] = (5, 3)
    no_urls: bool = True
    ahead: float = 0.0  # seconds that its clock is
    chunks: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)
    faults: list[tuple[str, int]] = field(default_factory=list)  # part of a path, status: once each, in this order
    on_chunk: Callable[[int], None] = lambda _count: None
    transfers: dict[int, dict[str, Any]] = field(default_factory=dict)
    guests: dict[int, dict[str, Any]] = field(default_factory=dict)
    people: set[str] = field(default_factory=set)  # whom it has seen
    mail: list[tuple[str, str]] = field(default_factory=list)  # to whom, what
    _last: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def mailed(self, what: str) -> list[str]:
        return [to for to, kind in self.mail if kind == what]

    def contents(self, number: int) -> dict[str, bytes]:
        """The bytes of a transfer's files, by name."""
        return {one["name"]: bytes(one["data"]) for one in self.transfers[number]["files"] if not one.get("folder")}

    # --- a request ---------------------------------------------------------------------------------------------------

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        parts = urlsplit(target)
        with self._lock:
            self.asked.append((method, parts.path))
            for at, (part, status) in enumerate(self.faults):
                if part in f"{method} {parts.path}":
                    del self.faults[at]
                    return status, None
            try:
                return self._route(method, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), headers, body)
            except Refused as error:
                return error.status, {"message": error.message, "uid": secrets.token_hex(7), "details": None}
            except Broke:
                return 500, None

    def _route(self, method: str, path: str, given: dict[str, str], headers: Any, body: bytes) -> Answer:
        if not path.startswith("/rest.php/"):
            return 404, None
        names = path.removeprefix("/rest.php/").split("/")
        if names[0] == "info":
            return 200, {"url": f"{self.address}/", "name": "FileSender", "upload_chunk_size": self.chunk}
        user = self._signed_in(method, path, given, body)
        is_new = user not in self.people
        self.people.add(user)
        if is_new and method == "POST":
            raise Refused("database_access_failure")
        data = json.loads(body) if body and headers.get("Content-Type", "").startswith("application/json") else {}
        if names[0] == "transfer":
            return self._transfer(method, names[1:], user, data)
        if names[0] == "file":
            return self._file(method, names[1:], user, headers, data, body)
        if names[0] == "recipient":
            return self._recipient(method, int(names[1]), user)
        if names[0] == "guest":
            return self._guest(method, names[1:], user, data)
        raise Refused("rest_endpoint_not_implemented", 501)

    def _signed_in(self, method: str, path: str, given: dict[str, str], body: bytes) -> str:
        application, user = given.get("remote_application", ""), given.get("remote_user", "")
        if "signature" not in given or not (application or user):
            raise Refused("rest_authentication_required", 403)
        if application and application != self.application:
            raise Refused("auth_remote_unknown_application")
        if time.time() + self.ahead - int(given["timestamp"]) > _PATIENCE:
            raise Refused("auth_remote_too_late")
        if not application and user not in self.user_secrets:
            raise Refused("auth_remote_user_rejected")
        secret = self.secret if application else self.user_secrets[user]
        told = "&".join(f"{name}={given[name]}" for name in sorted(given) if name != "signature")
        text = f"{method.lower()}&127.0.0.1{path}?{told}".encode() + (b"&" + body if body not in (b"", b"0") else b"")
        if given["signature"] != hmac.new(secret.encode(), text, hashlib.sha1).hexdigest():
            raise Refused("auth_remote_signature_check_failed")
        return user

    def _next(self) -> int:
        self._last += 1
        return self._last

    # --- transfers ---------------------------------------------------------------------------------------------------

    def _owned(self, number: int, user: str) -> dict[str, Any]:
        found = self.transfers.get(number)
        if found is None:
            raise Refused("transfer_not_found", 404)
        if found["user"] != user:
            raise Refused("rest_ownership_required", 403)
        return found

    def _transfer(self, method: str, names: list[str], user: str, data: dict[str, Any]) -> Answer:
        if method == "POST" and not names:
            return 201, self._cast(self._create(user, data), fresh=True)
        if method == "GET" and not names:
            mine = [one for one in self.transfers.values() if one["user"] == user and one["status"] == "available"]
            return 200, [self._cast(one) for one in reversed(mine)]
        found = self._owned(int(names[0]), user)
        if method == "POST":
            recipient = self._add_recipient(found, data["recipient"])
            if found["status"] == "available":
                self.mail.append((recipient["email"], "transfer_available"))
            return 201, self._cast_recipient(found, recipient)
        if method == "GET":
            return 200, self._cast(found)
        if method == "DELETE":
            del self.transfers[found["id"]]
            return 200, None
        people = [one["email"] for one in found["recipients"] if one["email"]]
        if data.get("closed"):
            self._close(found, people)
        if data.get("extend_expiry_date"):
            if found["extended"] >= len(self.extensions):
                raise Broke
            found["expires"] += self._extension(found) * _DAY
            found["extended"] += 1
        if data.get("remind"):
            self.mail += [(one, "transfer_reminder") for one in people]
        if data.get("complete") and found["status"] != "available":
            if not all(one["complete"] for one in found["files"] if not one.get("folder")):
                raise Refused("transfer_files_incomplete")
            found["status"] = "available"
            found["files"] = [one for one in found["files"] if not one.get("folder")]
            self.mail += [(one, "transfer_available") for one in people]
        return 200, self._cast(found)

    def _close(self, found: dict[str, Any], people: list[str]) -> None:
        if found["status"] == "available":
            found |= {"status": "closed", "expires": int(time.time())}
            self.mail += [(one, "transfer_deleted") for one in people]
        elif found["status"] != "closed":
            del self.transfers[found["id"]]

    def _create(self, user: str, data: dict[str, Any]) -> dict[str, Any]:
        files, people = data["files"], data["recipients"]
        if not files:
            raise Refused("transfer_no_files")
        if len(files) > self.most_files:
            raise Refused("transfer_too_many_files")
        # one that is no address leaves none
        people = people if all(re.fullmatch(r"[^@\s]+@[^@\s]+\.[a-z]+", one) for one in people) else []
        if not people and not data["options"].get("get_a_link"):
            raise Refused("transfer_no_recipients")
        if len(people) > self.most_recipients:
            raise Refused("transfer_too_many_recipients")
        size = sum(one["size"] for one in files)
        if size > self.most_bytes:
            raise Refused("transfer_maximum_size_exceeded")
        used = sum(
            f["size"] for t in self.transfers.values() if t["user"] == user and t["status"] == "available" for f in t["files"]
        )
        if size > self.quota - used:
            raise Refused("transfer_user_quota_exceeded")
        expires = int(data.get("expires") or time.time() + _DEFAULT_DAYS * _DAY)
        if expires > time.time() + (_MOST_DAYS + 1) * _DAY:
            raise Refused("bad_expire")
        if self.no_urls and re.search("https?:", data.get("message", "")):
            raise Broke
        made: dict[str, Any] = {
            "id": self._next(), "user": user, "user_email": data["from"], "subject": data.get("subject") or None,
            "message": data.get("message") or None, "created": int(time.time()), "expires": expires, "extended": 0,
            "status": "started", "options": data["options"], "token": secrets.token_hex(16), "files": [], "recipients": [],
        }  # fmt: skip
        for one in files:
            self._add_file(made, one)
        for email in people or [""]:
            self._add_recipient(made, email)
        self.transfers[made["id"]] = made
        return made

    def _add_file(self, made: dict[str, Any], one: dict[str, Any]) -> None:
        name = one["name"]
        ending = name.rpartition(".")[2] if "." in name else ""
        if ending in self.banned:
            raise Refused("file_extension_not_allowed")
        if not _NAME.fullmatch(name):
            raise Refused("transfer_file_name_invalid")
        folder = name.rpartition("/")[0]
        if folder and all(other["name"] != folder for other in made["files"]):
            made["files"].insert(0, {"id": self._next(), "name": folder, "size": 0, "folder": True, "complete": True})
        made["files"].append({"id": self._next(), "name": name, "size": one["size"], "data": bytearray(), "complete": False})

    def _add_recipient(self, found: dict[str, Any], email: str) -> dict[str, Any]:
        made = {"id": self._next(), "email": email, "token": secrets.token_hex(16)}
        found["recipients"].append(made)
        return made

    def _file(
        self, method: str, names: list[str], user: str, headers: Any, data: dict[str, Any], body: bytes
    ) -> Answer:  # fmt: skip
        number = int(names[0])
        everything = ((one, file) for one in self.transfers.values() for file in one["files"])
        of, file = next(((one, file) for one, file in everything if file["id"] == number), (None, None))
        if of is None or file is None:
            raise Refused("file_not_found", 404)
        self._owned(of["id"], user)
        if names[1:2] != ["chunk"]:
            file["complete"] = True
            return 200, True
        if of["status"] not in ("started", "uploading"):
            raise Refused("cannot_add_data_to_complete_transfer", 400)
        at = int(names[2])
        if int(headers["X-Filesender-File-Size"]) != file["size"] or int(headers["X-Filesender-Chunk-Size"]) != len(body):
            raise Refused("rest_data_sanity_check_failed", 400)
        if at + len(body) > file["size"]:
            raise Refused("file_chunk_out_of_bounds")
        of["status"] = "uploading"
        if len(file["data"]) < at + len(body):
            file["data"].extend(bytes(at + len(body) - len(file["data"])))
        file["data"][at : at + len(body)] = body
        self.chunks += 1
        self.on_chunk(self.chunks)
        return 200, {"offset": at, "written": len(body)}

    def _recipient(self, method: str, number: int, user: str) -> Answer:
        for of in self.transfers.values():
            for one in of["recipients"]:
                if one["id"] == number:
                    self._owned(of["id"], user)
                    if method == "DELETE" and len(of["recipients"]) > 1:
                        of["recipients"].remove(one)
                    return 200, None
        raise Refused("recipient_not_found", 404)

    def _extension(self, found: dict[str, Any]) -> int:
        return self.extensions[found["extended"]] if found["extended"] < len(self.extensions) else 0

    def _cast(self, found: dict[str, Any], *, fresh: bool = False) -> dict[str, Any]:
        return {
            "id": found["id"], "userid": 1, "user_email": found["user_email"], "subject": found["subject"],
            "message": found["message"], "created": _date(found["created"]), "expires": _date(found["expires"]),
            "expiry_date_extension": self._extension(found), "options": found["options"], "salt": None,
            "roundtriptoken": found["token"] if fresh else "",
            "files": [
                {"id": one["id"], "transfer_id": found["id"], "puid": secrets.token_hex(8), "name": one["name"],
                 "size": str(one["size"]), "sha1": None}
                for one in found["files"]
            ],
            "recipients": [self._cast_recipient(found, one) for one in found["recipients"]],
        }  # fmt: skip

    def _cast_recipient(self, found: dict[str, Any], one: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": one["id"], "transfer_id": found["id"], "token": one["token"], "email": one["email"],
            "created": _date(found["created"]), "last_activity": None, "options": None,
            "download_url": f"{self.address}/?s=download&token={one['token']}", "errors": [],
        }  # fmt: skip

    # --- guests ------------------------------------------------------------------------------------------------------

    def _guest(self, method: str, names: list[str], user: str, data: dict[str, Any]) -> Answer:
        if not names:
            if method == "GET":
                return 200, [self._cast_guest(one) for one in reversed(self.guests.values()) if one["user"] == user]
            standing = [one for one in self.guests.values() if one["user"] == user and one["status"] == "available"]
            if len(standing) >= self.most_guests:
                raise Refused("user_hit_guest_limit")
            made = {
                "id": self._next(), "user": user, "email": data["recipient"], "subject": data["subject"],
                "message": data["message"], "options": data["options"], "created": int(time.time()),
                "expires": data["expires"], "status": "available", "token": secrets.token_hex(16),
            }  # fmt: skip
            self.guests[made["id"]] = made
            self.mail.append((made["email"], "guest_created"))
            return 201, self._cast_guest(made)
        found = self.guests.get(int(names[0]))
        if found is None:
            raise Refused("guest_not_found", 404)
        if found["user"] != user:
            raise Refused("rest_ownership_required", 403)
        if method == "DELETE":
            found["status"] = "closed"  # it goes on being listed
            return 200, None
        if data.get("remind"):
            self.mail.append((found["email"], "guest_reminder"))
        return 200, True

    def _cast_guest(self, one: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": one["id"], "userid": 1, "user_email": one["user"], "email": one["email"], "token": one["token"],
            "transfer_count": 0, "subject": one["subject"], "message": one["message"], "options": one["options"]["guest"],
            "transfer_options": one["options"]["transfer"], "created": _date(one["created"]), "expires": _date(one["expires"]),
            "upload_url": f"{self.address}/?s=upload&vid={one['token']}", "expiry_date_extension": 0, "errors": [],
        }  # fmt: skip


def _date(at: int) -> dict[str, object]:
    return {"raw": at, "formatted": time.strftime("%d/%m/%Y", time.gmtime(at))}


@contextmanager
def fake_filesender(**given: Any) -> Iterator[FakeFileSender]:
    """One that runs meanwhile."""
    found = FakeFileSender(**given)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, told = found.answer(self.command, self.path, self.headers, body)
            content = b"" if told is None and status >= 400 else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PUT = do_DELETE = do_GET

        def log_message(self, *_arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        found.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield found
        server.shutdown()
