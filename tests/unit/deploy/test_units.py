"""What the units of deploy/ may do: no more than each needs, and what they run works without the rights they leave out."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.installer.steps.backups import reach

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
UNITS = sorted(DEPLOY.glob("traboule-*.service"))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_kept_from_what_it_does_not_need(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(unit)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    level = re.search(r"exposure level for \S+: (\d+\.\d)", said)
    if level is None:
        pytest.skip("this systemd-analyze reads no files")
    assert float(level[1]) <= 2.0, said


@pytest.mark.parametrize("file", ["flask", "backups/places.py", "backups/person.py", "backups/asked.py", "remove-homes.sh"])
def test_what_units_run_opens_no_session(file: str) -> None:
    """A session of PAM sets limits, which units without CAP_SYS_RESOURCE may not: runuser ends with "cannot open session"."""
    lines = (DEPLOY / file).read_text().splitlines()
    assert not [line for line in lines if "runuser -u" in line or '"runuser"' in line]


def test_backups_in_a_folder_need_no_network() -> None:
    assert reach("/var/backups/traboule", "traboule-backup.service").splitlines()[1:] == [
        "[Service]", 'ReadWritePaths="-/var/backups/traboule"',
    ]  # fmt: skip
    assert reach("/var/backups/traboule", "traboule-restore.service").splitlines()[1:] == ["[Service]"]


def test_a_folder_below_root_can_be_reached() -> None:
    assert "ProtectHome=read-only" in reach("/root/backups", "traboule-verify.service")


def test_a_folder_is_written_as_systemd_reads_it() -> None:
    assert 'ReadWritePaths="-/srv/100%% \\"ours\\""' in reach('/srv/100% "ours"', "traboule-backup.service")


@pytest.mark.parametrize("place", ["sftp:backup@host:/traboule", "s3:https://host/bucket"])
def test_backups_elsewhere_are_reached_by_the_network(place: str) -> None:
    told = reach(place, "traboule-restore.service")
    assert {"PrivateNetwork=no", "IPAddressAllow=any", "ProtectHome=read-only"} <= set(told.splitlines())
    assert "ReadWritePaths" not in told
