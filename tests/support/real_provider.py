"""A real provider of OpenID Connect beside the tests: npm's oidc-provider, started by node (tests/providers/provider.mjs)."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from deploy.demo.child import HOST, free_ports
from webmail.config.providers import Oidc

ROOT = Path(__file__).resolve().parents[2]
_MODULES = ROOT / ".venv" / "providers"
CLIENT, SECRET = "traboule", "a secret/with: signs"


def is_installed() -> bool:
    return shutil.which("node") is not None and (_MODULES / "installed").exists()


@contextmanager
def real_provider(public_url: str, people: dict[str, dict[str, Any]], **rules: Any) -> Iterator[Oidc]:
    """What the webmail at `public_url` is told of a provider that knows these people, by their user names.

    Skips the test where node or the provider is missing.
    """
    if not is_installed():
        pytest.skip("no oidc-provider: see tests/providers")
    [port] = free_ports(1)
    back = f"{public_url}/login/oidc/real"
    client = {
        "client_id": CLIENT, "client_secret": SECRET, "redirect_uris": [f"{back}/callback"],
        "post_logout_redirect_uris": [f"{public_url}/login"], "backchannel_logout_uri": f"{back}/sign-out",
        "backchannel_logout_session_required": True,
    }  # fmt: skip
    configuration = json.dumps({"host": HOST, "port": port, "people": people, "clients": [client]})
    command = ["node", str(ROOT / "tests" / "providers" / "provider.mjs"), str(_MODULES), configuration]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            assert any(line.strip() == "ready" for line in process.stdout), "the provider does not start"
            yield Oidc(
                name="real", title="ENT Lyon", issuer=f"http://{HOST}:{port}", client_id=CLIENT, client_secret=SECRET,
                scopes="openid email profile groups", groups_claim="groups", **rules,
            )  # fmt: skip
        finally:
            process.kill()


def config_of(provider: Oidc) -> str:
    """The provider as config.toml names it."""
    values = ((one.name, getattr(provider, one.name)) for one in fields(provider))
    return "\n".join(["[[oidc]]", *(f"{name} = {json.dumps(value)}" for name, value in values)]) + "\n"
