"""Command line of keys: `flask --app wsgi keys import-certificates`, for the files that the establishment's authority made."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

import click
from flask.cli import AppGroup

from webmail.cli.values import account_of, printable
from webmail.crypto.errors import CryptoError, LockedKeyError
from webmail.keys import staged_certificates
from webmail.keys.staged_certificates import LARGEST, OtherPersonError, TooManyStagedError
from webmail.web.current import settings

MOST = 20_000  # files at once
_ENDINGS = (".p12", ".pfx")
_LARGEST_TABLE = 10_000_000  # bytes

keys = AppGroup("keys", help="Keys of encryption: certificates that the establishment's authority made for people.")


@dataclass(frozen=True, slots=True)
class _Line:
    """What the table says of a file."""

    address: str = ""
    password: str = ""


@keys.command("import-certificates")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--table", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="CSV: file, address, password.")
@click.option("--dry-run", is_flag=True, help="Only check.")
def import_certificates(source: Path, table: Path | None, dry_run: bool) -> None:
    """Put key files (.p12, .pfx) of a folder or ZIP where each person takes theirs, by the passphrase of the file.

    A file is for the address that it is called after (alice@lycee.example.p12), or that the table says. With a password in the
    table it is opened once, to check that it fits; the password is not kept. Private keys are never stored unlocked.
    """
    lines = _table(table) if table else {}
    done = refused = 0
    for name, content in _files(source):
        line = lines.get(name.lower(), _Line())
        address = (line.address or name.rpartition(".")[0]).strip().lower()
        why, is_new = _staged(name, content, address, line.password, dry_run)
        refused += bool(why)
        done += is_new and not why
        if why:
            click.echo(f"{printable(name)}: {why}", err=True)
        elif not is_new:
            click.echo(f"{printable(name)}: waits for {address} already")
    click.echo(f"{done} {'would wait' if dry_run else 'wait'} for their people, {refused} refused.")
    if refused:
        raise SystemExit(1)


def _staged(name: str, content: bytes | None, address: str, password: str, dry_run: bool) -> tuple[str, bool]:
    """(why it was refused, "" if it was not; whether it is new)."""
    if content is None:
        return f"larger than {LARGEST // 1024} KB", False
    try:
        user = account_of(address)
    except click.ClickException:
        return f"no account has the address {printable(address)}", False
    ends: datetime | None = None
    try:
        if password:
            facts = staged_certificates.check(content, password, address, owner="import")
            ends = facts.expires
            if not (facts.can_sign or facts.can_encrypt):
                return "its certificate is not for email, or has ended", False
        elif not staged_certificates.looks_locked(content):
            return "it is no key file with a passphrase", False
        return "", dry_run or staged_certificates.stage(user, name, content, settings(), ends)
    except LockedKeyError:
        return "the password in the table does not open it", False
    except OtherPersonError:
        return f"its certificate is not for {printable(address)}", False
    except TooManyStagedError:
        return "too many files wait for this person", False
    except CryptoError as error:
        return f"it can't be read ({error})", False


def _files(source: Path) -> Iterator[tuple[str, bytes | None]]:
    """(name without folders, content; None where it is too large), each name once."""
    if source.is_dir():
        found = sorted(one for one in source.iterdir() if one.suffix.lower() in _ENDINGS and one.is_file())
        for file in found[:MOST]:
            yield file.name, file.read_bytes() if file.stat().st_size <= LARGEST else None
        return
    try:
        with zipfile.ZipFile(source) as archive:
            members = [one for one in archive.infolist() if one.filename.lower().endswith(_ENDINGS) and not one.is_dir()]
            for member in members[:MOST]:
                with archive.open(member) as opened:
                    content = opened.read(LARGEST + 1)
                yield PurePosixPath(member.filename).name, content if len(content) <= LARGEST else None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise click.ClickException(f"{source} is neither a folder nor a ZIP file that can be read: {error}") from error


def _table(file: Path) -> dict[str, _Line]:
    """By the name of the file in small letters. The first line names the columns."""
    if file.stat().st_size > _LARGEST_TABLE:
        raise click.ClickException(f"{file} is too large")
    try:
        text = file.read_text(encoding="utf-8-sig")
        first = text.partition("\n")[0]
        rows = list(csv.DictReader(text.splitlines(), delimiter=";" if ";" in first else ","))
    except (UnicodeDecodeError, csv.Error) as error:
        raise click.ClickException(f"{file} can't be read: {error}") from error
    if rows and "file" not in rows[0]:
        raise click.ClickException(f"{file}: the first line names the columns: file, address, password")
    return {
        str(row["file"] or "").strip().lower(): _Line((row.get("address") or "").strip(), row.get("password") or "")
        for row in rows
    }
