"""Compiled templates, kept in the instance folder, so that a new process need not compile those of its first pages.

A cache is optional: where it can't be read or written, templates are compiled as if there were none.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import jinja2
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

log = logging.getLogger(__name__)

_FOLDER = "templates"


def install(app: Flask) -> None:
    folder = Path(app.instance_path, _FOLDER)
    with suppress(OSError):
        if folder.parent.stat().st_uid != os.geteuid():
            return  # root leaves no folder of its own in that of the service
        folder.mkdir(0o700, exist_ok=True)
        here = folder.stat()
        # what lies there is run as code: nobody else may have put it there, nor does root run what the service wrote
        if here.st_uid == os.geteuid() and not here.st_mode & 0o022:
            app.jinja_env.bytecode_cache = _TemplateCache(folder, _compiler(app.jinja_env))


def fill(app: Flask) -> int:
    """Compile all templates, for the processes that start later, and remove what is of no use; returns how many are kept now."""
    cache = app.jinja_env.bytecode_cache
    if not isinstance(cache, _TemplateCache):
        return 0
    for name in app.jinja_env.list_templates(extensions=["html"]):
        app.jinja_env.get_template(name)
    kept = 0
    for file in cache.folder.iterdir():
        if file.name.endswith(cache.compiler):
            kept += 1
        else:
            file.unlink(missing_ok=True)
    return kept


def _compiler(environment: jinja2.Environment) -> str:
    """A name for what compiles them: Jinja itself looks only whether the template is the same."""
    options = (environment.trim_blocks, environment.lstrip_blocks, sorted(environment.extensions))
    return hashlib.sha256(f"{jinja2.__version__} {sys.version} {options}".encode()).hexdigest()[:16]


class _TemplateCache(BytecodeCache):
    """A file for each template, replaced whole when the template is another one. Jinja checks that a file is of this template."""

    def __init__(self, folder: Path, compiler: str) -> None:
        self.folder = folder
        self.compiler = compiler

    def load_bytecode(self, bucket: Bucket) -> None:
        try:
            content = self._file(bucket).read_bytes()
            bucket.bytecode_from_string(content)
        except FileNotFoundError:
            return
        except Exception as error:  # a damaged file: unpickling raises anything
            log.info("a compiled template can't be read: %s", error)
            bucket.reset()

    def _file(self, bucket: Bucket) -> Path:
        return self.folder / f"{bucket.key}-{self.compiler}"

    def dump_bytecode(self, bucket: Bucket) -> None:
        try:
            descriptor, name = tempfile.mkstemp(dir=self.folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    bucket.write_bytecode(file)
                Path(name).replace(self._file(bucket))
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            log.info("a compiled template is not kept: %s", error)
