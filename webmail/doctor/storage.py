"""Doctor, the bucket: whether files can be written, read, listed and deleted there, and what to do if not."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator

from webmail.config.settings import Settings
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, told
from webmail.doctor.result import lazy_gettext as _l
from webmail.errors import EnglishText, MailError
from webmail.storage import S3Storage, StorageFullError

_BEHIND = 60.0  # seconds
_ADVICE = {  # what the server or the line says -> what to do
    "does not answer": _l("Check endpoint and the network and, with TLS, whether the certificate is known (ca_file)."),
    "NoSuchBucket": _l("Create the bucket, or correct bucket in [s3]."),
    "InvalidAccessKeyId": _l("Correct key_id."),
    "SignatureDoesNotMatch": _l("Correct secret or secret_file, and region."),
    "RequestTimeTooSkewed": _l("Set this machine’s clock, and run a time service (NTP)."),
    "PermanentRedirect": _l("Correct region, and endpoint."),
    "AuthorizationHeaderMalformed": _l("Correct region."),
    "403": _l("Check key_id and secret, and that the key may read, write, list and delete in this bucket."),
}
_ELSE = _l("Check the table [s3] and the service’s own log.")


def examine(settings: Settings) -> Iterator[CheckResult]:
    """A small file of our own there and back. Says nothing where no bucket is set."""
    if (bucket := settings.s3) is None:
        return
    files, name, began = S3Storage(bucket, "doctor"), secrets.token_hex(8), time.monotonic()
    grave = PROBLEM if settings.storage == "s3" else WARNING
    about = {"bucket": bucket.location}
    steps: list[tuple[_Sentence, Callable[[], object]]] = [
        (_not_written, lambda: files.put(name, [b"well"])),
        (_not_read, lambda: b"".join(files.get(name)) == b"well"),
        (_not_listed, lambda: name in [file.name for file in files.list()]),
    ]
    behind = 0.0
    for sentence, step in steps:
        if trouble := _trouble(step):
            yield CheckResult("Bucket", grave, sentence(bucket.location, trouble))
            return
    behind = files.about(name).age - (time.monotonic() - began)
    if trouble := _trouble(lambda: files.delete(name)) or _trouble(lambda: not files.exists(name)):
        yield CheckResult("Bucket", grave, _l("%(bucket)s: a file can’t be deleted: %(why)s", **about, why=trouble))
        return
    took = f"{time.monotonic() - began:.1f}"
    words = _l("%(bucket)s: a file was written, read, listed and deleted in %(seconds)s s.", **about, seconds=took)
    yield CheckResult("Bucket", OK, words)
    if settings.storage != "s3":
        words = _l('is not used: storage = "disk" is set. `flask --app wsgi storage move --to s3` copies the files there.')
        yield CheckResult("Bucket", WARNING, words)
    if behind > _BEHIND:
        words = _l(
            "the service’s clock is %(seconds)s s behind this machine’s: set it, or files look older than they are.",
            seconds=f"{behind:.0f}",
        )
        yield CheckResult("Bucket", WARNING, words)


_Sentence = Callable[[str, str], str]


def _not_written(bucket: str, trouble: str) -> str:
    return _l("%(bucket)s: a file can’t be written: %(why)s", bucket=bucket, why=trouble)


def _not_read(bucket: str, trouble: str) -> str:
    return _l("%(bucket)s: a file can’t be read: %(why)s", bucket=bucket, why=trouble)


def _not_listed(bucket: str, trouble: str) -> str:
    return _l("%(bucket)s: a file can’t be listed: %(why)s", bucket=bucket, why=trouble)


def _trouble(step: Callable[[], object]) -> str:
    """What went wrong and what to do, as sentences; empty if it went well."""
    try:
        return "" if step() is not False else _l("the answer is another than it should be. %(step)s", step=_ELSE)
    except StorageFullError as error:
        return _l("the bucket is full (%(why)s). Give it more room.", why=str(error).rpartition(": ")[2])
    except MailError as error:
        advice = next((words for sign, words in _ADVICE.items() if sign in str(error)), _ELSE)
        return _l("%(why)s. %(step)s", why=_reason(error), step=advice)


def _reason(error: MailError) -> str:
    """Without the name of the file, which is the doctor's own."""
    words = error.args[0] if error.args else ""
    inside = words.values.get("why") if isinstance(words, EnglishText) else None
    return told(inside) if isinstance(inside, str) else str(error)
