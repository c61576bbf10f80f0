"""Which release this is: one number, in one place, told by a command and on a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import calendar_ground as ground
from tests.support.auth_app import add
from tests.unit.cli.test_main import database, run, settings  # noqa: F401 - fixtures
from webmail.admin.views.version_page import changelog_words
from webmail.config import version
from webmail.models import User


def test_the_number_is_that_of_the_newest_heading_and_of_a_tag() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", version.number())
    assert version.news().number.split()[0] == version.number()
    assert re.fullmatch(r"v(\d+)\.(\d+)\.(\d+)", f"v{version.number()}")  # deploy/updates/sources.py


@pytest.mark.parametrize(("installed", "told"), [("", "1.2.3"), ("v1.2.3", "1.2.3"), ("1.2.3", "1.2.3"), ("abc", "1.2.3 (abc)")])
def test_a_commit_that_is_no_release_is_told_too(installed: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version, "number", lambda: "1.2.3")
    monkeypatch.setattr(version, "installed", lambda: installed)
    assert version.told() == told


def test_news_are_items_on_one_line(tmp_path: Path) -> None:
    file = tmp_path / "CHANGELOG.md"
    file.write_text(
        "# Changelog\n\n## 2.0.0\n\n### In short\n- One\n  more.\n- Two\n\n### When you update\n- Do it.\n**Else**\n\n### New\n- No\n\n## 1.0.0\n### In short\n- Old\n"
    )
    assert version.news(file) == version.ReleaseNews("2.0.0", ["One more.", "Two"], ["Do it."])
    assert version.news(tmp_path / "none").short == []


def test_words_are_escaped_and_code_is_marked() -> None:
    assert (
        changelog_words("`<b>` and [a <page>](docs/x.md) of *My account*")
        == "<code>&lt;b&gt;</code> and a &lt;page&gt; of My account"
    )


def test_the_command_says_it(run) -> None:  # noqa: F811
    assert run("version") == (0, f"Traboule {version.told()}\n")
    code, said = run("version --news")
    assert (code, f"New in {version.news().number}" in said, "\n- " in said) == (0, True, True)


def test_administrators_see_it_on_a_page(tmp_path: Path) -> None:
    with ground.application(tmp_path / "instance", language="en") as app:
        for local in ("root", "alice"):
            add(f"{local}@lycee.example")
        User.update(role="admin").where(User.address == "root@lycee.example").execute()
        seen = ground.signed_in(app, "root").confirm().get("/admin/version")
        assert seen.one("[data-version]").get_text() == f"Traboule {version.told()}"
        assert len(seen.all("main ul li")) == len(version.news().short) + len(version.news().updating)
        assert ground.signed_in(app, "alice").get("/admin/version").status == 403
