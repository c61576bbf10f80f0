"""Google Drive as a fake, from its discovery file: files, resumable uploads, exports and permissions, kept in memory.

With the scope `drive.file` a person sees what was chosen (`chosen`) or made by us; the rest is not found. `called` has each
request, for `discovery.py` to judge.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flask import Response, request

from tests.support.fakes.google import FakeGoogle
from tests.support.fakes.synthetic import body_from, digest_of, whole

SCOPE = "https://www.googleapis.com/auth/drive.file"
FOLDER = "application/vnd.google-apps.folder"
_WORD = r"'((?:[^'\\]|\\.)*)'"
_QUERY = re.compile(
    rf"(?:(?P<parent>{_WORD}) in parents|name = (?P<name>{_WORD})|name contains (?P<part>{_WORD})|trashed = false)"
)


@dataclass
class FakeFile:
    """A file, folder or document there."""

    id: str
    name: str
    type: str = "application/octet-stream"
    content: Any = b""  # bytes, or of `synthetic.py`
    parent: str = "root"
    chosen: bool = True
    trashed: bool = False
    anyone: str = ""  # the role of the link for anyone
    may_share: bool = True
    target: str = ""  # of a shortcut
    modified: datetime = field(default_factory=lambda: datetime(2026, 11, 3, 9, 30, tzinfo=UTC))


@dataclass
class FakeUpload:
    """A session of an upload."""

    metadata: dict[str, Any]
    size: int
    type: str
    content: Any = field(default_factory=bytearray)
    became: str = ""


class FakeGoogleDrive(FakeGoogle):
    """`room`: bytes that are left. `keeps`: of the next pieces, no more than so many bytes stay."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, FakeFile] = {}
        self.uploads: dict[str, FakeUpload] = {}
        self.called: list[tuple[str, str, dict[str, str], Any]] = []
        self.room, self.keeps = 15 * 1024**3, 1 << 60
        self.received: Callable[[], Any] = bytearray  # what holds an upload
        self.picks: list[str] = []  # what a person will choose
        rule = self.app.add_url_rule
        rule("/drive/v3/files", view_func=self.list_files, methods=["GET"])
        rule("/drive/v3/files/generateIds", view_func=self.generate_ids, methods=["GET"])
        rule("/drive/v3/files/<number>", view_func=self.file, methods=["GET", "PATCH", "DELETE"])
        rule("/drive/v3/files/<number>/export", view_func=self.export, methods=["GET"])
        rule("/drive/v3/files/<number>/permissions", view_func=self.permissions, methods=["GET", "POST"])
        rule("/drive/v3/files/<number>/permissions/<permission>", view_func=self.permission, methods=["DELETE"])
        rule("/drive/v3/about", view_func=self.about, methods=["GET"])
        rule("/upload/drive/v3/files", view_func=self.upload, methods=["POST"])
        rule("/upload/drive/v3/files", "session", view_func=self.session, methods=["PUT", "DELETE"])

    def add(self, name: str, content: Any = b"", **more: Any) -> FakeFile:
        made = FakeFile(f"id-{len(self.files)}-{secrets.token_hex(4)}", name, content=content, **more)
        self.files[made.id] = made
        return made

    # --- its own page for choosing files ---

    def authorize(self) -> Any:
        """With `trigger_onepick` it takes the scope of files alone."""
        asked = request.args
        if asked.get("trigger_onepick") and (asked.get("scope") != SCOPE or asked.get("prompt") != "consent"):
            return self.refused_page("invalid_scope", 400)
        return super().authorize()

    def with_answer(self, scopes: list[str]) -> dict[str, str]:
        if not request.args.get("trigger_onepick"):
            return {}
        for number in self.picks:
            self.files[number].chosen = True
        return {"picked_file_ids": ",".join(self.picks)}

    # --- answers ---

    def list_files(self) -> Any:
        self._note_call()
        asked = request.args
        rows = [one for one in self.files.values() if one.chosen and self._fits(one, asked.get("q", ""))]
        order = asked.get("orderBy", "")
        rows.sort(key=lambda one: (one.type != FOLDER, one.name.casefold()) if order.startswith("folder") else (0, one.name))
        size, start = min(int(asked.get("pageSize", 100)), 1000), int(asked.get("pageToken", "0"))
        told: dict[str, Any] = {"files": [self._told(one) for one in rows[start : start + size]]}
        if start + size < len(rows):
            told["nextPageToken"] = str(start + size)
        return told

    def _fits(self, file: FakeFile, query: str) -> bool:
        for piece in query.split(" and "):
            found = _QUERY.fullmatch(piece)
            if found is None:
                raise ValueError(f"the fake knows no such query: {piece}")
            word = next((re.sub(r"\\(.)", r"\1", one) for one in found.groups()[1::2] if one is not None), "")
            if found["parent"] and file.parent != word:
                return False
            if found["name"] and file.name != word:
                return False
            if found["part"] and word.casefold() not in file.name.casefold():
                return False
            if piece == "trashed = false" and file.trashed:
                return False
        return True

    def file(self, number: str) -> Any:
        self._note_call()
        file = self._seen(number)
        if file is None:
            return self.refusal(404, f"File not found: {number}.", "notFound")
        if request.method == "PATCH":
            file.trashed = bool((request.get_json() or {}).get("trashed", file.trashed))
            return {"id": file.id}
        if request.method == "DELETE":
            del self.files[number]
            return "", 204
        if request.args.get("alt") == "media":
            return self._ranged(file.content, file.type)
        return self._told(file)

    def export(self, number: str) -> Any:
        self._note_call()
        file = self._seen(number)
        if file is None or not file.type.startswith("application/vnd.google-apps."):
            return self.refusal(403, "Export only supports Docs Editors files.", "fileNotExportable")
        if len(file.content) > 10_000_000:
            return self.refusal(403, "This file is too large to be exported.", "exportSizeLimitExceeded")
        return Response(file.content, content_type=request.args["mimeType"])

    def permissions(self, number: str) -> Any:
        self._note_call()
        file = self._seen(number)
        if file is None:
            return self.refusal(404, f"File not found: {number}.", "notFound")
        if request.method == "GET":
            rows = [{"id": "1", "type": "user", "role": "owner"}]
            return {
                "permissions": rows + ([{"id": "anyoneWithLink", "type": "anyone", "role": file.anyone}] if file.anyone else [])
            }
        if not file.may_share:
            return self.refusal(403, "The domain administrators have disabled sharing outside.", "publishOutNotPermitted")
        file.anyone = request.get_json()["role"]
        return {"id": "anyoneWithLink"}

    def permission(self, number: str, permission: str) -> Any:
        self._note_call()
        file = self._seen(number)
        if file is None or permission != "anyoneWithLink" or not file.anyone:
            return self.refusal(404, f"Permission not found: {permission}.", "notFound")
        file.anyone = ""
        return "", 204

    def about(self) -> Any:
        self._note_call()
        used = sum(len(one.content) for one in self.files.values())
        login = self.allowed(SCOPE).login
        return {"user": {"emailAddress": login}, "storageQuota": {"usage": str(used), "limit": str(used + self.room)}}

    def generate_ids(self) -> Any:
        self._note_call()
        return {"ids": [f"made-{secrets.token_hex(8)}" for _one in range(int(request.args.get("count", 10)))]}

    def upload(self) -> Any:
        self._note_call()
        metadata, size = request.get_json(), int(request.headers["X-Upload-Content-Length"])
        if size > self.room:
            return self.refusal(403, "The user's Drive storage quota has been exceeded.", "storageQuotaExceeded")
        if metadata.get("id") in self.files:
            return self.refusal(409, "A file already exists with the provided ID.", "fileIdInUse")
        number = secrets.token_hex(8)
        self.uploads[number] = FakeUpload(metadata, size, request.headers["X-Upload-Content-Type"], self.received())
        address = f"{self.url}/upload/drive/v3/files?uploadType=resumable&upload_id={number}"
        return Response("", 200, {"Location": address})

    def session(self) -> Any:
        found = self.uploads.get(request.args.get("upload_id", ""))
        if found is None:
            return self.refusal(404, "Not Found", "notFound")
        if request.method == "DELETE":
            del self.uploads[request.args["upload_id"]]
            return "", 499
        where, total = request.headers["Content-Range"].removeprefix("bytes ").split("/")
        if int(total) != found.size:
            return self.refusal(400, "The size is another one than was told.", "badRequest")
        if where != "*":
            first, last = map(int, where.split("-"))
            body = request.get_data()
            if first != len(found.content) or last - first + 1 != len(body):
                return self.refusal(400, "Failed to parse Content-Range header.", "badRequest")
            if last + 1 != found.size and len(body) % (256 * 1024):
                return self.refusal(400, "Pieces are multiples of 256 KiB.", "badRequest")
            found.content += body[: self.keeps]
        if len(found.content) == found.size:
            return self._told(self._made(found))
        headers = {"Range": f"bytes=0-{len(found.content) - 1}"} if found.content else {}
        return Response("", 308, headers)

    def _made(self, found: FakeUpload) -> FakeFile:
        if not found.became:
            number = found.metadata.get("id") or secrets.token_hex(8)
            parent = (found.metadata.get("parents") or ["root"])[0]
            self.files[number] = FakeFile(number, found.metadata["name"], found.type, whole(found.content), parent)
            self.room -= found.size
            found.became = number
        return self.files[found.became]

    # --- what it is made of ---

    def _seen(self, number: str) -> FakeFile | None:
        found = self.files.get(number)
        return found if found is not None and found.chosen else None

    def _note_call(self) -> None:
        self.called.append((request.method, request.path, request.args.to_dict(), request.get_json(silent=True)))
        self.allowed(SCOPE)

    def _told(self, file: FakeFile) -> dict[str, Any]:
        told: dict[str, Any] = {
            "id": file.id, "name": file.name, "mimeType": file.type, "trashed": file.trashed, "version": "3",
            "modifiedTime": file.modified.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "webViewLink": f"https://drive.google.com/file/d/{file.id}",
            "capabilities": {"canShare": file.may_share, "canDownload": True, "canAddChildren": file.type == FOLDER},
        }  # fmt: skip
        if file.target:
            target = self.files[file.target]
            told |= {"mimeType": "application/vnd.google-apps.shortcut",
                     "shortcutDetails": {"targetId": target.id, "targetMimeType": target.type}}  # fmt: skip
        elif not file.type.startswith("application/vnd.google-apps."):
            digest = digest_of(file.content)[:32]
            told |= {"size": str(len(file.content)), "md5Checksum": digest, "headRevisionId": f"r{digest}"}
        return told

    def _ranged(self, content: Any, kind: str) -> Response:
        found = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        if found is None:
            return Response(body_from(content, 0), 200, {"Content-Length": str(len(content))}, content_type=kind)
        start = int(found[1])
        if start >= len(content):
            return Response("", 416, {"Content-Range": f"bytes */{len(content)}"})
        where = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}", "Content-Length": str(len(content) - start)}
        return Response(body_from(content, start), 206, where, content_type=kind)
