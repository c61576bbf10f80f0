"""Encryption: what OpenPGP and S/MIME do to bytes: decrypt, verify, sign, encrypt, and what a certificate holds.

Two programs do it, `sqop` and `openssl`, each operation in a process of its own (`external_programs.py`). Nothing here knows
messages, people, the database or the network: bytes and keys come in, bytes and verdicts (`signatures.py`) go out.
"""
