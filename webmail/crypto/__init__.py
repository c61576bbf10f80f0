"""Encryption: what OpenPGP and S/MIME do to bytes: decrypt, verify, sign, encrypt, and what a certificate holds.

Two programs do it, `sqop` and `openssl`, each operation in a process of its own (`external_programs.py`). Nothing here knows
messages, people, the database or the network: bytes and keys come in, bytes and verdicts (`signatures.py`) go out.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

OwnerLock = Callable[[object, float], AbstractContextManager[None]]
owner_locks: list[OwnerLock] = []  # what a run's owner holds meanwhile, `lock(owner, patience)`; put here by who has a database
