"""Storage: whole files or none, ranges, names that can't leave the folder, and what is missing told apart from what is away."""

from __future__ import annotations

import ast
import errno
import os
import re
import shutil
import stat
import time
from pathlib import Path

import pytest

from tests.support.memory_storage import MemoryStorage
from webmail.config import ownership
from webmail.storage import (
    FileGoneError,
    LocalStorage,
    S3Storage,
    StorageArea,
    StorageAwayError,
    StorageFullError,
    free_bytes,
    local,
    open_file,
    open_storage,
    same_content,
    temporary_file,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["local", "memory", "s3"])
def store(request, tmp_path):
    """Any storage: what one promises, all do."""
    if request.param == "s3":
        return S3Storage(request.getfixturevalue("s3").bucket(), "uploads")
    return MemoryStorage() if request.param == "memory" else LocalStorage(tmp_path / "files")


@pytest.fixture
def disk(tmp_path):
    return LocalStorage(tmp_path / "files")


def read(store, name, **more):
    return b"".join(store.get(name, **more))


def names(store, *prefix, **more):
    return sorted(file.name for file in store.list(*prefix, **more))


# --- any storage -----------------------------------------------------------------------------------------------------


def test_what_is_put_comes_back_whole_and_in_pieces(store):
    content = os.urandom(600_000)
    assert store.put("results/1/a.bin", [content[:10], content[10:]]) == 600_000
    assert read(store, "results/1/a.bin") == content
    assert read(store, "results/1/a.bin", start=5, length=7) == content[5:12]
    assert read(store, "results/1/a.bin", start=599_990, length=100) == content[-10:]
    assert read(store, "results/1/a.bin", start=700_000) == b""
    assert (store.size("results/1/a.bin"), store.exists("results/1/a.bin")) == (600_000, True)
    assert 0 <= store.about("results/1/a.bin").age < 60
    assert all(len(piece) <= 300_000 for piece in store.get("results/1/a.bin"))


def test_the_room_that_is_left_is_known_of_a_disk_alone(store):
    before = free_bytes(store)
    if not isinstance(store, LocalStorage):
        assert before is None
    else:
        assert before is not None
        assert 1_000_000 < before <= shutil.disk_usage(store.root.parent).total
        assert not store.root.exists(), "asking made nothing"


def test_what_breaks_off_leaves_nothing(store):
    def chunks():
        yield b"x" * 1000
        raise ConnectionError("the sender went away")

    with pytest.raises(ConnectionError):
        store.put("results/1/a.bin", chunks())
    assert names(store, "results") == []
    assert not store.exists("results/1/a.bin")


def test_a_missing_file_is_gone(store):
    for ask in (store.size, store.about, store.get, lambda name: store.copy(name, "b"), lambda name: store.sync([name])):
        with pytest.raises(FileGoneError):
            ask("results/none")
    store.delete("results/none")
    store.put("results/1/a", [b"1"])
    for ask in (store.size, store.get):
        with pytest.raises(FileGoneError):
            ask("results/1")  # not a file
    assert not store.exists("results/1")


def test_deleting_one_leaves_the_others(store):
    store.put("results/1/a", [b"1"])
    store.put("results/2/b", [b"1"])
    store.delete("results/1/a")
    assert names(store, "results") == ["results/2/b"]


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../x", "a/../b", "a//b", ".hidden", "a/.b", "a\0b", "a\nb", "x" * 400, "a b"]
)
def test_a_name_never_leaves_the_folder(store, name):
    for ask in (store.size, store.about, store.exists, store.delete, store.delete_all, store.get, lambda it: store.copy("a", it)):
        with pytest.raises(ValueError, match="no name"):
            ask(name)
    with pytest.raises(ValueError, match="no name"):
        store.put(name, [b""])


def test_the_same_name_again_is_the_new_content(store):
    store.put("a", [b"old"])
    store.put("a", [b"new"])
    assert read(store, "a") == b"new"


def test_all_of_a_folder_is_deleted_at_once(store):
    for name in ("tasks/1/a", "tasks/1/b/c", "tasks/12/a"):
        store.put(name, [b"1"])
    store.delete_all("tasks/1")
    store.delete_all("tasks/1")
    assert names(store, "tasks") == ["tasks/12/a"]


def test_a_list_is_of_everything_or_of_what_lies_directly_there(store):
    for name in ("a.eml", "d/1", "d/e/2"):
        store.put(name, [b"123"])
    assert names(store) == ["a.eml", "d/1", "d/e/2"]
    assert names(store, nested=False) == ["a.eml"]
    assert names(store, "d", nested=False) == ["d/1"]
    assert [file.size for file in store.list("d")] == [3, 3]
    assert names(store, "none") == []


def test_a_copy_outlives_the_original(store):
    store.put("a/1", [b"bytes"])
    store.copy("a/1", "b/1")
    store.delete("a/1")
    assert (read(store, "b/1"), store.exists("a/1")) == (b"bytes", False)


def test_several_files_become_durable_together(store):
    for name in ("a/1", "a/2"):
        store.put(name, [b"1"], sync=False)
    store.sync(["a/1", "a/2"])
    assert names(store, "a") == ["a/1", "a/2"]


def test_a_file_is_read_from_any_position(store):
    content = os.urandom(200_000)
    store.put("a", [content])
    with open_file(store, "a") as file:
        assert file.read(70_000) == content[:70_000]
        assert file.read() == content[70_000:]
        assert (file.read(10), file.seek(0, 2), file.seek(3)) == (b"", 200_000, 3)
        assert file.read(5) == content[3:8]
        file.seek(-4, 2)
        assert (file.read(), file.tell()) == (content[-4:], 200_000)
    with pytest.raises(FileGoneError):
        open_file(store, "b")


def test_files_are_the_same_if_all_their_bytes_are(store):
    content = os.urandom(300_000)
    for name, bytes_ in {"a": content, "b": content, "c": content[:-1] + b"\0", "d": content[:-1], "e": b""}.items():
        store.put(name, [bytes_[:1000], bytes_[1000:]])
    assert [same_content(store, "a", other) for other in "abcde"] == [True, True, content[-1:] == b"\0", False, False]


# --- folders on disk -------------------------------------------------------------------------------------------------


def test_a_storage_that_cannot_be_read_is_away_not_empty(tmp_path):
    disk = LocalStorage(tmp_path / "files", named=lambda: True)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / local.MARK).touch()
    disk.put("a", [b"1"])
    os.rename(tmp_path / "files", tmp_path / "unmounted")
    for mount_point in (False, True):  # the second time it is there, without its file system
        if mount_point:
            (tmp_path / "files").mkdir()
        asked = (disk.size, disk.get, disk.exists, disk.delete_all, lambda name: list(disk.list(name)))
        for ask in (*asked, lambda name: disk.put(name, [b""]), lambda name: disk.copy(name, "b")):
            with pytest.raises(StorageAwayError):
                ask("a")
    assert list((tmp_path / "files").iterdir()) == [], "nothing was put on the wrong disk"
    (tmp_path / "files").rmdir()
    os.rename(tmp_path / "unmounted", tmp_path / "files")
    assert read(disk, "a") == b"1"


@pytest.mark.parametrize("store", ["local", "memory"], indirect=True)
def test_a_reader_tells_when_the_storage_goes_away(store):
    store.put("a", [b"x" * 300_000])
    file = open_file(store, "a")
    file.read(10)
    if isinstance(store, MemoryStorage):
        store.away = True
    else:
        os.rename(store.root, store.root.with_name("unmounted"))
        store.root.mkdir()
    file.seek(290_000)
    with pytest.raises(StorageAwayError):
        file.read()


def test_a_folder_that_is_new_is_marked_with_the_first_file(tmp_path):
    (tmp_path / "files").mkdir()
    disk = LocalStorage(tmp_path / "files", re.compile("[0-9a-f]{32}"), named=lambda: False)
    assert list(disk.list()) == []
    assert not (tmp_path / "files" / local.MARK).exists()
    disk.put("a", [b"1"])
    assert (tmp_path / "files" / local.MARK).exists()
    with pytest.raises(FileGoneError):
        disk.size("b")


def test_a_folder_of_an_earlier_version_is_ours_and_gets_its_mark(tmp_path):
    draft = "a" * 32
    (tmp_path / "lost+found").mkdir(mode=0)
    disk = LocalStorage(tmp_path, re.compile(r"[0-9a-f]{32}(?:\.eml)?"), named=lambda: True)
    with pytest.raises(StorageAwayError):
        disk.size(f"{draft}/b")
    (tmp_path / draft).mkdir()
    (tmp_path / draft / "file").write_bytes(b"as before")
    assert read(disk, f"{draft}/file") == b"as before"
    with pytest.raises(FileGoneError):
        disk.size(f"{draft}/b")
    assert (tmp_path / local.MARK).exists()
    assert names(disk) == [f"{draft}/file"]


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, StorageFullError), (errno.EDQUOT, StorageFullError), (errno.EIO, StorageAwayError)]
)
@pytest.mark.parametrize("what", ["a file", "its folder"])
def test_a_full_disk_is_told_from_a_broken_one(disk, monkeypatch, number, kind, what):
    sync = os.fsync

    def refuse(descriptor):
        if (what == "its folder") == stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, "no")
        sync(descriptor)

    disk.put("first", [b"1"])
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(kind):
        disk.put("a/b", [b"1"])
    monkeypatch.undo()
    assert names(disk) == ["first"]
    assert sorted(file.name for file in disk.root.iterdir()) == [local.MARK, "first"]


def test_a_write_that_fails_when_the_file_is_closed_is_told(disk, monkeypatch):
    def full():
        yield b"1"
        monkeypatch.setattr(local.os, "replace", lambda *_names: (_ for _ in ()).throw(OSError(errno.ENOSPC, "no")))

    with pytest.raises(StorageFullError):
        disk.put("a/b", full())
    assert sorted(file.name for file in disk.root.iterdir()) == [local.MARK]


def test_deleting_removes_empty_folders(disk):
    disk.put("results/1/a", [b"1"])
    disk.put("results/2/b", [b"1"])
    disk.delete("results/1/a")
    assert [folder.name for folder in (disk.root / "results").iterdir()] == ["2"]


def test_a_folder_that_goes_at_this_moment_is_made_again(disk, monkeypatch):
    disk.put("d/a", [b"1"])
    mkdir, left = Path.mkdir, [1, 1]

    def swept(folder, *args, **named):
        mkdir(folder, *args, **named)
        if left and folder.name == "e":
            left.pop()
            folder.rmdir()

    monkeypatch.setattr(Path, "mkdir", swept)
    disk.put("e/b", [b"1"])
    left += [1]
    disk.copy("d/a", "e/c")
    assert names(disk, "e") == ["e/b", "e/c"]


def test_a_folder_that_goes_while_it_is_made_is_made_again(disk, monkeypatch):
    """Python makes a folder, hears that it is there, looks, and it is gone."""
    real, calls = ownership.make_folder, []

    def overtaken(folder, mode):
        calls.append(folder)
        if len(calls) == 2:  # the first one is the root
            raise FileExistsError(errno.EEXIST, "File exists", str(folder))
        real(folder, mode)

    monkeypatch.setattr(ownership, "make_folder", overtaken)
    disk.put("a/one", [b"1"])
    assert b"".join(disk.get("a/one")) == b"1"


def test_a_file_where_a_folder_belongs_is_told(disk):
    disk.put("one", [b"1"])
    with pytest.raises(StorageAwayError):
        disk.put("one/two", [b"2"])


def test_files_are_closed_to_others(disk):
    disk.put("d/a", [b"1"])
    assert [path.stat().st_mode & 0o077 for path in (disk.root, disk.root / "d/a", disk.root / local.MARK)] == [0, 0, 0]


def test_a_disk_without_hard_links_copies(disk, monkeypatch):
    monkeypatch.setattr(os, "link", lambda *_names: (_ for _ in ()).throw(OSError(errno.EPERM, "no links here")))
    disk.put("a/1", [b"bytes"])
    disk.copy("a/1", "b/1")
    assert read(disk, "b/1") == b"bytes"


def test_what_a_killed_process_left_half_written_goes_after_an_hour(disk):
    disk.put("d/a", [b"1"])
    old, young = disk.root / "d/.0123456789abcdef.new", disk.root / f".{'f' * 16}.new"
    for file in (old, young):
        file.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    assert names(disk) == ["d/a"]
    assert (old.exists(), young.exists()) == (False, True)


def test_a_temporary_file_is_on_this_machine_and_leaves_nothing(here, tmp_path):
    for size in (10, 500_000):
        with temporary_file([b"x" * size], here.settings, 100_000) as file:
            assert (file.seek(0, 2), file.seek(0), len(file.read())) == (size, 0, size)
    assert list(Path(here.settings.uploads_folder).iterdir()) == []


# --- the areas of an instance ----------------------------------------------------------------------------------------


def test_areas_are_where_earlier_versions_had_them(here):
    roots = {area: open_storage(here.settings, area).path("a").parent for area in StorageArea}
    instance = Path(here.settings.instance)
    assert roots == {
        StorageArea.UPLOADS: Path(here.settings.uploads_folder),
        StorageArea.IMAGES: instance / "images",
        StorageArea.RESULTS: instance / "storage",
        StorageArea.TRANSFERS: instance / "transfers",
    }
    assert open_storage(here.settings).path("a").parent == roots[StorageArea.RESULTS]


@pytest.mark.parametrize("what", ["an attachment", "a message on its way"])
def test_uploads_that_the_database_names_are_away_until_they_are_mounted(here, what):
    row = here.draft(size=400_000)
    if what == "a message on its way":
        here.enqueue(row)
        row.delete_instance()
    folder = Path(here.settings.uploads_folder)
    os.rename(folder, folder.with_name("unmounted"))
    folder.mkdir()
    files = open_storage(here.settings, StorageArea.UPLOADS)
    with pytest.raises(StorageAwayError, match="mount it"):
        files.put("x/y", [b"1"])
    with pytest.raises(StorageAwayError):
        list(files.list())
    (folder / local.MARK).touch()  # the administrator: they are lost for good
    assert list(files.list()) == []


def test_results_that_tasks_name_are_away_until_they_are_mounted(here):
    from webmail.models import Task

    files, folder = open_storage(here.settings), Path(here.settings.instance, "storage")
    files.put("tasks/1/a", [b"1"])
    Task.create(id="1", user=here.draft().user, kind="x", state="done", result='{"file": "tasks/1/a"}')
    os.rename(folder, folder.with_name("unmounted"))
    folder.mkdir()
    with pytest.raises(StorageAwayError):
        files.get("tasks/1/a")
    with pytest.raises(StorageAwayError):
        files.put("tasks/2/a", [b"1"])


# --- nothing beside it -----------------------------------------------------------------------------------------------

BESIDE = {  # what is no file of the application
    "webmail/compose/views/attachments/attach_files.py": {"os.SEEK_END"},  # the size of what a browser sends
    "webmail/message/views/safe_responses.py": {"Path"},  # our own style sheet
}
DISK = {"os", "shutil", "tempfile", "pathlib", "io", "glob", "filecmp"}


def disk_uses(source: str) -> set[str]:
    """What of a module reaches for the disk: open(), Path(), and names of the modules that do."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("open", "Path"):
            found.add(node.func.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in DISK:
            found.add(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.ImportFrom) and node.module in DISK - {"io", "pathlib"}:
            found.add(node.module)
    return found


@pytest.mark.parametrize("area", ["compose", "message"])
def test_only_the_storage_knows_where_files_are(area):
    modules = {path.relative_to(ROOT).as_posix(): disk_uses(path.read_text()) for path in (ROOT / "webmail" / area).rglob("*.py")}
    assert len(modules) > 10
    assert {name: uses - BESIDE.get(name, set()) for name, uses in modules.items() if uses - BESIDE.get(name, set())} == {}


def test_the_search_finds_what_it_forbids():
    for source in (
        "open('x')",
        "import os\nos.unlink('x')",
        "from pathlib import Path\nPath('x')",
        "from shutil import copyfile",
    ):
        assert disk_uses(source)
