"""Roles: what somebody may do here beyond their own mail."""

from __future__ import annotations

from webmail.models import User

ROLES = ("person", "admin")


def set_role(user: User, role: str) -> bool:
    """Give somebody one of ROLES; whether it changed. The caller then ends their sessions (auth/endings.py) and records it."""
    if role not in ROLES:
        raise ValueError(f"{role!r} is no role")
    changed = User.update(role=role).where(User.id == user.id, User.role != role).execute()
    user.role = role
    return bool(changed)
