"""Doctor, the bucket: whether files can be written, read, listed and deleted there, and what to do if not."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator

from webmail.config.settings import Settings
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult
from webmail.errors import MailError
from webmail.storage import S3Storage, StorageFullError

_BEHIND = 60.0  # seconds
_ADVICE = {  # what the server or the line says -> what to do
    "does not answer": "Check endpoint and the network and, with TLS, whether the certificate is known (ca_file).",
    "NoSuchBucket": "Create the bucket, or correct bucket in [s3].",
    "InvalidAccessKeyId": "Correct key_id.",
    "SignatureDoesNotMatch": "Correct secret or secret_file, and region.",
    "RequestTimeTooSkewed": "Set this machine's clock, and run a time service (NTP).",
    "PermanentRedirect": "Correct region, and endpoint.",
    "AuthorizationHeaderMalformed": "Correct region.",
    "403": "Check key_id and secret, and that the key may read, write, list and delete in this bucket.",
}
_ELSE = "Check the table [s3] and the service's own log."


def examine(settings: Settings) -> Iterator[CheckResult]:
    """A small file of our own there and back. Says nothing where no bucket is set."""
    if (bucket := settings.s3) is None:
        return
    files, name, began = S3Storage(bucket, "doctor"), secrets.token_hex(8), time.monotonic()
    grave = PROBLEM if settings.storage == "s3" else WARNING
    steps: list[tuple[str, Callable[[], object]]] = [
        ("be written", lambda: files.put(name, [b"well"])),
        ("be read", lambda: b"".join(files.get(name)) == b"well"),
        ("be listed", lambda: name in [file.name for file in files.list()]),
    ]
    behind = 0.0
    for what, step in steps:
        if words := _trouble(step):
            yield CheckResult("Bucket", grave, f"{bucket.location}: a file can't {what}: {words}")
            return
    behind = files.about(name).age - (time.monotonic() - began)
    if words := _trouble(lambda: files.delete(name)) or _trouble(lambda: not files.exists(name)):
        yield CheckResult("Bucket", grave, f"{bucket.location}: a file can't be deleted: {words}")
        return
    took = f"{time.monotonic() - began:.1f} s"
    yield CheckResult("Bucket", OK, f"{bucket.location}: a file was written, read, listed and deleted in {took}.")
    if settings.storage != "s3":
        words = 'is not used: storage = "disk" is set. `flask --app wsgi storage move --to s3` copies the files there.'
        yield CheckResult("Bucket", WARNING, words)
    if behind > _BEHIND:
        words = f"the service's clock is {behind:.0f} s behind this machine's: set it, or files look older than they are."
        yield CheckResult("Bucket", WARNING, words)


def _trouble(step: Callable[[], object]) -> str:
    """What went wrong and what to do, as sentences; empty if it went well."""
    try:
        return "" if step() is not False else f"the answer is another than it should be. {_ELSE}"
    except StorageFullError as error:
        return f"{error}. Give the bucket more room."
    except MailError as error:
        advice = next((words for sign, words in _ADVICE.items() if sign in str(error)), _ELSE)
        return f"{str(error).partition(': ')[2] or error}. {advice}"
