"""The documentation for developers names only what is there: paths and names of the two maps, paths of docs/decisions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import readme_picture

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURE = ROOT / "docs" / "architecture.md"
WHERE_TO_LOOK = ROOT / "docs" / "where-to-look.md"
MAPS = pytest.mark.parametrize("path", [ARCHITECTURE, WHERE_TO_LOOK], ids=lambda path: path.stem)
DECISIONS = sorted(path for path in (ROOT / "docs" / "decisions").glob("*.md") if path.name != "README.md")
LONGEST = 90  # lines: what one reads at once
WIDEST = 300  # characters of a row: one question and its files

_PATH = re.compile(r"(?<![\w/.-])(?:webmail|templates|static|deploy|tests|docs)/(?:[\w.-]+/)*(?:[\w-]+(?:\.[\w-]+)*)?")
_FILE = re.compile(r"(?<![\w/.-])[\w/-]+\.(?:py|html|css|js|svg|conf|in|md)\b|(?<![\w/.<-])[\w/-]+/(?=[\s,;:)]|$)")
_NAMED = re.compile(r"`([\w./-]+)` \((`[^`]+`(?:, `[^`]+`)*)\)")  # `path` (`name`, `name`)
_DOTTED = re.compile(r"`([a-z_]+(?:\.[a-z_]+)+)`")


def paths_in(text: str) -> Iterator[Path]:
    """Paths from the root of the repository, wherever they stand; and in the tree, what lies in the folder a line begins with."""
    head, _fence, rest = text.partition("```\n")
    tree, _fence, tail = rest.partition("```\n")
    for prose in (head, tail):
        yield from (ROOT / found for found in _PATH.findall(prose))
    folder = ROOT
    for line in tree.splitlines():
        words = line
        if not line.startswith(" "):
            first, _space, words = line.partition(" ")
            yield ROOT / first
            folder = ROOT / first if first.endswith("/") else (ROOT / first).parent
        for found in _FILE.findall(words):
            from_root = (ROOT / found.split("/")[0]).is_dir() and "/" in found.rstrip("/")
            yield ROOT / found if from_root else folder / found
            if from_root and found.endswith("/"):
                folder = ROOT / found


def missing_names(text: str) -> list[str]:
    """Names said to be in a file, or dotted ones of `webmail`, that are not there."""
    missing = []
    for path, names in _NAMED.findall(text):
        content = (ROOT / path).read_text() if (ROOT / path).is_file() else ""
        missing += [f"{name} in {path}" for name in re.findall(r"`([^`]+)`", names) if name not in content]
    for dotted in _DOTTED.findall(text):
        *parts, name = dotted.split(".")
        if name == "py" or ROOT.joinpath("webmail", *parts, f"{name}.py").is_file():
            continue
        module = ROOT.joinpath("webmail", *parts)
        if module.is_dir() or module.with_suffix(".py").is_file():
            content = (module / "__init__.py" if module.is_dir() else module.with_suffix(".py")).read_text()
            missing += [dotted] if not re.search(rf"\b{name}\b", content) else []
    return missing


def faults_of(decisions: str) -> list[str]:
    """What is wrong with the entries of a file of decisions, in words."""
    faults = []
    for entry in decisions.split("\n### ")[1:]:
        heading, *lines = entry.strip().splitlines()
        if len([line for line in lines if line.startswith("Binds: ")]) != 1 or not lines[-1].startswith("Binds: "):
            faults.append(f"{heading}: the last line, and no other, is to begin with “Binds: ”")
            continue
        bound = lines[-1].removeprefix("Binds: ").split(", ")
        faults += [f"{heading}: there is no {path}" for path in bound if not (ROOT / path).is_file()]
        if not " ".join(lines[:-1]).strip():
            faults.append(f"{heading}: nothing is decided")
    return faults


@MAPS
def test_every_path_of_the_maps_exists(path: Path) -> None:
    found = list(paths_in(path.read_text()))
    assert len(found) > 60
    assert [str(path.relative_to(ROOT)) for path in found if not path.exists()] == []


@MAPS
def test_every_name_of_the_maps_is_in_its_file(path: Path) -> None:
    assert missing_names(path.read_text()) == []


@MAPS
def test_the_maps_can_be_read(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert [line for line in lines if len(line) > WIDEST] == []
    assert path != ARCHITECTURE or len(lines) <= LONGEST


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_every_decision_names_the_files_it_binds(path: Path) -> None:
    text = path.read_text()
    assert "\n### " in text and faults_of(text) == []


def test_the_list_of_decisions_is_complete() -> None:
    listed = re.findall(r"^- \[([\w-]+\.md)\]\(\1\): ", (DECISIONS[0].parent / "README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == [path.name for path in DECISIONS]


def test_no_two_decisions_have_one_heading() -> None:
    headings = [line for path in DECISIONS for line in path.read_text().splitlines() if line.startswith("### ")]
    assert sorted(set(headings)) == sorted(headings)


@pytest.mark.parametrize(
    "text",
    [
        "see `webmail/imap/nowhere.py`",
        "see `webmail/nowhere/`",
        "```\nwebmail/nowhere/   something\n```\n",
        "```\nwebmail/imap/   pool.py, nowhere.py (a file)\n```\n",
        "```\nwebmail/imap/   pool.py,\n                nowhere.py\n```\n",
        "```\nstatic/   css/, nowhere/\n```\n",
    ],
)
def test_a_path_that_is_not_there_is_found(text: str) -> None:
    assert [path for path in paths_in(text) if not path.exists()]


def test_a_name_that_is_not_there_is_found() -> None:
    assert missing_names("`webmail/config/settings.py` (`class Settings`, `no_such_setting`)") == [
        "no_such_setting in webmail/config/settings.py"
    ]
    assert missing_names("`imap.connections.pool.nobody` and `imap.connections.pool.connect`") == ["imap.connections.pool.nobody"]


@pytest.mark.parametrize(
    "entry",
    [
        "Because.",
        "Because.\n\nBinds: webmail/nowhere.py",
        "Binds: webmail/mail.py\n\nBecause.",
        "Because.\n\nBinds: webmail/mail.py\n\nBinds: webmail/mail.py",
        "Binds: webmail/mail.py",
    ],
)
def test_a_decision_without_its_files_is_found(entry: str) -> None:
    assert len(faults_of(f"# Subject\n\n### A thing\n\n{entry}\n")) == 1


def test_a_whole_decision_is_right() -> None:
    assert faults_of("# Subject\n\n### A thing\n\nBecause.\n\nBinds: webmail/mail.py, webmail/errors.py\n") == []


MANUAL = ROOT / "docs" / "administrator"
CHAPTERS = sorted(path for path in MANUAL.glob("*.md") if path.name != "README.md")
READ_AT_ONCE = 4000  # words of a chapter
_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)")
_ADVICE = re.compile(r"docs/administrator/([\w-]+\.md)")
_SECTION_OF = re.compile(r'"([^"\n]+)"\s+in\s+docs/administrator/([\w-]+\.md)|docs/administrator/([\w-]+\.md), "([^"\n]+)"')


def prose(path: Path) -> str:
    """A document without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def headings(path: Path) -> list[str]:
    return re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE)


def anchor(heading: str) -> str:
    """What a heading is called in a link, as GitHub has it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def dead_links(path: Path) -> list[str]:
    """Links of a document that lead to no file here, or to no heading of one."""
    found = []
    for name, section in _LINK.findall(re.sub(r"`[^`\n]*`", "", prose(path))):
        there = (path.parent / name) if name else path
        if not there.exists() or (section and section not in map(anchor, headings(there))):
            found.append(f"{path.relative_to(ROOT)}: {name}{'#' if section else ''}{section}")
    return found


def test_every_link_of_the_documents_leads_somewhere() -> None:
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "instance" / "README.md", *(ROOT / "docs").rglob("*.md")]
    assert [dead for path in documents for dead in dead_links(path)] == []


def test_the_readme_fits_a_screen_and_loads_at_once() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 40 and len(text.split()) <= 400 and len(re.findall(r"^- \*\*", text, re.MULTILINE)) == 5
    assert readme_picture.FILE.stat().st_size <= readme_picture.LARGEST and f"]({readme_picture.FILE.relative_to(ROOT)})" in text


def test_the_manuals_table_of_contents_is_complete() -> None:
    """Each chapter, and its sections but for numbered steps and tables of settings."""
    contents = (MANUAL / "README.md").read_text(encoding="utf-8")
    wanted = [f"]({path.name})" for path in CHAPTERS]
    for path in CHAPTERS:
        sections = re.findall(r"^## (?!\d\.|`\[)(.*)$", prose(path), re.MULTILINE)
        wanted += [f"[{section}]({path.name}#{anchor(section)})" for section in sections]
    flat = " ".join(contents.split())
    assert len(wanted) > 60 and [link for link in wanted if link not in flat] == []


def test_a_chapter_of_the_manual_is_read_at_once() -> None:
    assert {
        path.name: len(path.read_text(encoding="utf-8").split())
        for path in CHAPTERS
        if len(path.read_text().split()) > READ_AT_ONCE
    } == {}


def test_what_programs_and_tests_say_of_the_manual_is_there() -> None:
    """Advice of the doctor, errors, remarks: the chapter exists, and has the section that is named."""
    missing = []
    folders = ("webmail", "deploy", "tests", "instance")
    files = [
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".in", ".service", ".sh", ".toml")
    ]
    for path in files:
        text = path.read_text(encoding="utf-8")
        missing += [f"{path}: {name}" for name in _ADVICE.findall(text) if not (MANUAL / name).is_file()]
        for title, name, name_first, title_after in _SECTION_OF.findall(text):
            chapter = MANUAL / (name or name_first)
            if (title or title_after) not in (headings(chapter) if chapter.is_file() else []):
                missing.append(f"{path}: {title or title_after} in {chapter.name}")
    assert missing == []


def test_a_dead_link_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "a.md").write_text(
        "# The page *Help*\n[b](b.md) [here](#the-page-help) [none](#nothing) [web](https://a.example)\n```\n[c](c.md)\n```\n"
    )
    assert dead_links(tmp_path / "a.md") == ["a.md: b.md", "a.md: #nothing"]
