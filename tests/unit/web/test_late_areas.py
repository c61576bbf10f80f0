"""Late areas: what is known of them before they come is what they register, and they register nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from webmail import create_app, late_calls
from webmail.web import late_areas
from webmail.web.late_areas import LateAreas

CHECKOUT = Path(__file__).resolve().parents[3]
KINDS = ("globals", "filters", "tests")
# In a process that has imported none of them: the pages work, and loading all of them adds nothing that a page was to know before.
WALK = """
import sys
from webmail import create_app, late_calls
app = create_app(start="server", sign_in="accounts", domain="example.org", imap_port=1, smtp_port=1)
from webmail.contacts import card_changes, store
from webmail.mailbox import folders, moves_by_hand
from webmail.web.frame import banners, page_rows, push_events

def known():
    lists = (banners._banners, [name for name, part in page_rows._parts.items() if not part.group], push_events._events, folders._followers, store._followers, card_changes._keepers,
             moves_by_hand._followers)
    hooks = (app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs, app.template_context_processors,
             app.url_value_preprocessors, app.url_default_functions)
    return [len(one) for one in lists] + [len(one.get(None, ())) for one in hooks] + [
        {code: list(found) for code, found in app.error_handler_spec[None].items() if found}]

def views():
    return sorted({name.split(".")[1] for name in sys.modules if name.startswith("webmail.") and ".views." in name})

def fetch(method, address):
    answer = app.test_client().open(address, method=method)
    return f"{answer.status_code} {answer.headers.get('Location', '')}".strip()

before = known()
print(*views())
print(fetch("GET", "/login"))
print("calendar" in views(), fetch("GET", "/calendar"), "calendar" in views())
print("transfers" in views(), fetch("GET", "/t/none"), fetch("POST", "/t/none"), "transfers" in views())
print(fetch("GET", "/nowhere"))
app.extensions["late_areas"].load_all()
print(known() == before or (before, known()))
"""


def rules_of(app: Flask) -> set[tuple[Any, ...]]:
    rules = app.url_map.iter_rules()
    return {
        (
            one.rule, one.endpoint, frozenset(one.methods or ()), getattr(one, "provide_automatic_options", None),
            repr(one.defaults or None), one.strict_slashes, one.subdomain, one.host, repr(one.redirect_to), one.alias, one.merge_slashes,
        )
        for one in rules
    }  # fmt: skip


def test_the_table_names_the_rules_and_words_that_areas_register(tmp_path: Path) -> None:
    late, whole = create_app(tmp_path / "late", start="command"), create_app(tmp_path / "whole")
    assert rules_of(late) == rules_of(whole)
    for kind in KINDS:
        assert set(getattr(late.jinja_env, kind)) == set(getattr(whole.jinja_env, kind))
    assert set(late_areas.AREAS) == late.extensions["late_areas"]._waiting


def test_no_two_areas_call_different_things_by_one_word() -> None:
    """Which of them a page got would depend on which area came last."""
    words = Counter((kind, word) for area in late_areas.AREAS for kind in KINDS for word in late_areas._described(area)[kind])
    assert [word for word, count in words.items() if count > 1] == []


def test_areas_come_when_asked_for_and_add_nothing_that_a_page_was_to_know_before(tmp_path: Path) -> None:
    settings = {"WEBMAIL_INSTANCE": str(tmp_path), "WEBMAIL_SECRET_KEY": "x" * 48}
    done = subprocess.run(
        [sys.executable, "-c", WALK], env={**os.environ, **settings}, cwd=CHECKOUT, capture_output=True, text=True
    )
    assert done.stdout.splitlines() == [
        "accounts auth compose help mailbox message",
        "200",
        "False 302 /login?next=/calendar True",
        "False 404 404 True",
        "404",
        "True",
    ], done.stderr


def test_all_that_comes_by_its_address_is_there() -> None:
    assert late_calls.addresses
    assert [one for one in late_calls.addresses if not callable(late_calls.resolve(one))] == []


@pytest.fixture
def area(monkeypatch: pytest.MonkeyPatch) -> Callable[..., LateAreas]:
    """An application with one late area, whose views are imported by the function that is given."""

    def made(import_views: Callable[[str], Any], register: Callable[[Any], None]) -> LateAreas:
        monkeypatch.setattr(late_areas, "import_module", import_views)
        app = Flask(__name__)
        areas = LateAreas(app, register)
        areas.announce(
            {"late": {"rules": [("/late", "late.show", ["GET"], True)], "globals": ["word"], "filters": [], "tests": []}}
        )
        areas._waiting = {"late"}
        return areas

    return made


def test_two_who_ask_at_once_wait_for_the_whole_area(area) -> None:
    importing, go_on = threading.Event(), threading.Event()
    registered: list[str] = []

    def import_views(name: str) -> SimpleNamespace:
        importing.set()
        assert go_on.wait(10)
        return SimpleNamespace(name=name)

    areas = area(import_views, lambda views: registered.append(views.name))
    found: list[bool] = []
    both = [threading.Thread(target=lambda: (areas.load_for("late.show"), found.append(bool(registered)))) for _ in range(2)]
    both[0].start()
    assert importing.wait(10)
    both[1].start()
    go_on.set()
    for one in both:
        one.join(10)
    assert found == [True, True] and registered == ["webmail.late.views"]


def test_a_view_is_not_had_before_its_whole_area_is_registered(area) -> None:
    """Its marks come after it: that no token protects its form, for one."""
    half, go_on = threading.Event(), threading.Event()
    marks: list[str] = []

    def register(_views: Any) -> None:
        areas._app.view_functions["late.show"] = print
        half.set()
        assert go_on.wait(10)
        marks.append("exempt")

    areas = area(lambda name: name, register)
    had: list[bool] = []
    waiting = threading.Event()  # or done

    class Watched:
        lock = threading.RLock()

        def __enter__(self) -> None:
            waiting.set()
            self.lock.acquire()

        def __exit__(self, *_error: object) -> None:
            self.lock.release()

    areas._loading = Watched()
    asking = threading.Thread(target=lambda: (areas._app.view_functions.get("late.show"), had.append(bool(marks)), waiting.set()))
    loading = threading.Thread(target=areas.load, args=["late"])
    loading.start()
    assert half.wait(10)
    waiting.clear()
    asking.start()
    assert waiting.wait(10)
    go_on.set()
    for one in (loading, asking):
        one.join(10)
    assert had == [True]


def test_an_area_that_breaks_leaves_nothing_and_is_tried_again(area) -> None:
    faults = [ImportError("broken")]
    registered = []

    def import_views(name: str) -> str:
        if faults:
            raise faults.pop()
        return name

    areas = area(import_views, registered.append)
    with pytest.raises(ImportError):
        areas.load_for("late.show")
    assert registered == [] and areas._waiting == {"late"}
    areas.load_for("late.show")
    assert registered == ["webmail.late.views"] and areas._waiting == set()


def test_without_a_table_all_areas_come_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_named: object) -> None:
        raise OSError("no process")

    monkeypatch.setattr(late_areas, "_HERE", tmp_path / "none")
    monkeypatch.setattr(subprocess, "run", refuse)
    (tmp_path / late_areas.FILE).write_text("{")
    app = create_app(tmp_path, start="server")
    assert app.extensions["late_areas"]._waiting == set() and "calendar.show" in app.view_functions


def test_a_table_of_other_modules_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / late_areas.FILE
    late_areas.build(file)
    assert late_areas._read(file, late_areas._digest())
    assert late_areas._read(file, "another") is None
    written = file.stat().st_mtime_ns
    late_areas.build(file)
    assert file.stat().st_mtime_ns == written
