"""Files of an instance: those that settings name must be there and be right, and those that are made at the first start."""

from __future__ import annotations

import os
import re
import secrets
import ssl
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from webmail.config import ownership
from webmail.config.checks import ConfigError
from webmail.errors import EnglishText as _l


@contextmanager
def named(what: str) -> Iterator[None]:
    """Convert an OSError to a ConfigError that names the file or folder."""
    try:
        yield
    except FileNotFoundError as error:
        raise ConfigError(f"{what} is missing") from error
    except OSError as error:
        raise ConfigError(f"{what} can't be used: {_reason(error)}") from error


def check_token_key(file: Path) -> None:
    """Raises ConfigError if this is no private key for ES256."""
    with named(f"token_key_file {file}"):
        content = file.read_bytes()
    try:
        key = load_pem_private_key(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise ConfigError(f"token_key_file {file} must be a private key for ES256 (curve P-256), PEM, without a password")


def ca_trouble(file: str, name: str = "ca_file") -> str:
    """What is wrong with a file of certificate authorities, as a sentence; empty if it is valid. `name`: of the setting."""
    try:
        ssl.create_default_context(cafile=file)
    except ssl.SSLError:
        return _l("%(name)s %(file)s holds no certificate (PEM)", name=name, file=file)
    except OSError as error:
        return _l("%(name)s %(file)s can’t be used: %(why)s", name=name, file=file, why=_reason(error))
    return ""


_CURLY = "“”„‟«»‘’"
_PLACE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")


def toml_trouble(error: tomllib.TOMLDecodeError, file: Path) -> str:
    """Where a file is not TOML and what to do, to be put after its name; never a value, which may be a secret."""
    lines = file.read_text(encoding="utf-8").splitlines() or [""]
    place = _PLACE.search(str(error))
    number = int(place[1]) if place and place[1] else len(lines)
    reason = _PLACE.sub("", str(error)).strip().lower()
    name, equals, value = (part.strip() for part in lines[min(number, len(lines)) - 1].partition("="))
    if reason == "cannot overwrite a value" and len(twice := _lines_setting(name, lines[:number])) > 1:
        what = f"{name} is set twice: lines {twice[-2]} and {twice[-1]}. Remove one"
    elif re.fullmatch(r"[A-Za-z0-9_-]+", name) and value and (value[0] in _CURLY or value[-1] in _CURLY):
        what = f'the value of {name} stands in curly quotation marks. Write straight ones: {name} = "..."'
    elif re.fullmatch(r"[A-Za-z0-9_-]+", name) and equals and value[:1] not in ('"', "'"):
        what = f'the value of {name} can\'t be read. Text stands in quotation marks: {name} = "..."'
    elif re.fullmatch(r"[A-Za-z0-9_-]+", name):
        what = f"{name} can't be read ({reason}). A line is: {name} = value, with text in quotation marks"
    else:
        what = f"this is no setting ({reason}). A line is: name = value; remarks begin with #"
    return f", line {number}: {what}"


def _lines_setting(name: str, lines: list[str]) -> list[int]:
    """The numbers of the lines, from 1, that set this name in the last table of these."""
    first = max((at for at, line in enumerate(lines) if line.lstrip().startswith("[")), default=0)
    return [at + 1 for at, line in enumerate(lines) if at >= first and line.partition("=")[0].strip() == name]


def kept_secret(file: Path, make: bool = True) -> str:
    """The secret key of this instance, generated at the first start, for its owner only. Without `make`, one that is not kept."""
    with named(f"the file {file}"):
        if not file.exists():
            if not make:
                return secrets.token_urlsafe(48)
            with os.fdopen(ownership.make_file(file, 0o600), "w") as out:
                out.write(secrets.token_urlsafe(48))
        if secret := file.read_text(encoding="ascii", errors="replace").strip():
            return secret
    raise ConfigError(f"the file {file} is empty: remove it, and another will be made")


def make_private(uploads_folder: Path, jobs_file: Path) -> None:
    """Create the queue file and the uploads folder before a library does with the permissions of the umask."""
    with named(f"uploads_folder {uploads_folder}"):
        ownership.make_folder(uploads_folder, 0o700)
    with named(f"jobs_file {jobs_file}"):
        ownership.make_folder(jobs_file.parent, 0o700)
        ownership.make_empty(jobs_file, 0o600)


def _reason(error: OSError) -> str:
    if isinstance(error, FileExistsError | NotADirectoryError):
        return "a file stands where a folder is needed"
    return (error.strerror or str(error)).lower()
