"""An instance that may write as the establishment; its SMTP server does as `here.server.faults` says."""

from __future__ import annotations

from dataclasses import replace

import pytest


@pytest.fixture
def here(here):
    here.settings = replace(here.settings, system_address="Lycée Ampère <ne-pas-repondre@lycee.example>")
    return here
