"""Moving files to the bucket and back as the administrator types it, and what the doctor says of the bucket."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deploy.demo.child import free_ports
from tests.unit.cli.test_main import database, run, settings, typing  # noqa: F401 - fixtures
from webmail import health
from webmail.doctor import storage as doctor_storage
from webmail.doctor.result import OK, PROBLEM, WARNING
from webmail.models import Task, User
from webmail.storage import FileGoneError, S3Storage, StorageArea, StorageAwayError, in_bucket, on_disk, open_storage
from webmail.storage import s3 as s3_storage

UPLOADS, RESULTS, TRANSFERS = StorageArea.UPLOADS, StorageArea.RESULTS, StorageArea.TRANSFERS
FILES = {UPLOADS: [f"{'a' * 32}/{'b' * 32}", f"{'c' * 32}.eml"], RESULTS: ["tasks/1/x"], TRANSFERS: [f"{'d' * 32}/00000001"]}


@pytest.fixture(autouse=True)
def _forgotten():
    s3_storage._clients.clear()
    s3_storage._seen.clear()


@pytest.fixture
def bucket(s3):
    return s3.bucket()


@pytest.fixture
def typed(run, settings, bucket):  # noqa: F811
    """Types a command where `storage` is as given and a bucket is set."""

    def type_in(line, storage="disk"):
        return typing(replace(settings, s3=bucket, storage=storage))(line)

    for area, files in FILES.items():
        for name in files:
            on_disk(settings, area).put(name, [name.encode()])
    return type_in


def found(store):
    return {file.name: b"".join(store.get(file.name)) for file in store.list()}


def all_of(place):
    return {area: found(place(area)) for area in FILES}


WHOLE = {area: {name: name.encode() for name in files} for area, files in FILES.items()}


def test_all_files_move_to_the_bucket_and_back(typed, settings, bucket):  # noqa: F811
    code, said = typed("storage move --to s3")
    assert (code, "uploads: 2 files copied" in said, 'set storage = "s3"' in said) == (0, True, True)
    assert all_of(lambda area: in_bucket(bucket, area)) == WHOLE
    assert all_of(lambda area: on_disk(settings, area)) == WHOLE, "they stay where they were"
    code, said = typed("storage move --to s3", storage="s3")
    assert (code, "uploads: 0 files copied (0.0 MB), 2 were there" in said, "all is done" in said) == (0, True, True)
    assert typed("storage move --to s3 --delete", storage="s3")[0] == 0
    assert all_of(lambda area: on_disk(settings, area)) == {area: {} for area in FILES}
    assert typed("storage move --to disk", storage="s3")[0] == 0
    assert typed("storage move --to disk --delete", storage="disk")[0] == 0
    assert all_of(lambda area: on_disk(settings, area)) == WHOLE
    assert all_of(lambda area: in_bucket(bucket, area)) == {area: {} for area in FILES}


def test_a_move_that_broke_off_goes_on_and_half_of_it_is_nobodys_storage(typed, settings, bucket, monkeypatch):  # noqa: F811
    put, count = S3Storage.put, []

    def failing(store, name, chunks, **more):
        count.append(name)
        if len(count) > 1:
            raise StorageAwayError("the line is cut")
        return put(store, name, chunks, **more)

    monkeypatch.setattr(S3Storage, "put", failing)
    code, said = typed("storage move --to s3")
    assert (code, "uploads stopped: the line is cut. Run it again" in said) == (1, True)
    half = replace(in_bucket(bucket, UPLOADS), named=lambda: True)
    with pytest.raises(StorageAwayError, match="none of our files"):
        half.size("x")  # else messages on their way would be given up
    monkeypatch.undo()
    code, said = typed("storage move --to s3")
    assert (code, "uploads: 1 files copied" in said and "1 were there" in said) == (0, True)
    with pytest.raises(FileGoneError):
        half.size("x")


def test_a_disk_that_is_new_takes_what_comes_back(typed, settings, bucket):  # noqa: F811
    assert typed("storage move --to s3")[0] == 0
    user = User.create(address="alice@lycee.example", local="alice", domain="lycee.example")
    Task.create(id="1", user=user, kind="x", state="done", result='{"file": "tasks/1/x"}')
    elsewhere = replace(settings, instance=f"{settings.instance}-new", s3=bucket, storage="disk")
    with pytest.raises(StorageAwayError):
        open_storage(elsewhere).size("tasks/1/x")
    assert typing(elsewhere)("storage move --to disk")[0] == 0
    assert open_storage(elsewhere).size("tasks/1/x") == 9


def test_what_makes_no_sense_is_refused(run, typed):  # noqa: F811
    assert run("storage move --to s3") == (1, "Error: there is no bucket: write the table [s3] in config.toml\n")
    code, said = typed("storage move --to s3 --delete")
    assert (code, 'set storage = "s3" first' in said) == (1, True)


# --- the doctor ------------------------------------------------------------------------------------------------------


def results(settings, **changed):  # noqa: F811
    return [(one.state, one.words) for one in doctor_storage.examine(replace(settings, **changed))]


def test_the_doctor_tries_a_bucket_and_leaves_nothing(settings, bucket):  # noqa: F811
    assert results(settings) == []
    [(state, words)] = results(settings, s3=bucket, storage="s3")
    assert (state, "was written, read, listed and deleted" in words) == (OK, True)
    assert list(S3Storage(bucket, "doctor").list()) == []
    assert [state for state, _words in results(settings, s3=bucket)] == [OK, WARNING]


@pytest.mark.parametrize(
    ("changed", "advice"),
    [
        ({"key_id": "nobody"}, "key_id"),
        ({"secret": "wrong"}, "secret"),
        ({"bucket": "another"}, "Create the bucket"),
        ({"port": 0}, "Check endpoint"),
    ],
)
def test_the_doctor_says_what_is_wrong_with_a_bucket(settings, s3, changed, advice):  # noqa: F811
    if "port" in changed:
        changed = {"port": free_ports(1)[0]}
    [(state, words)] = results(settings, s3=s3.bucket(**changed), storage="s3")
    assert (state, advice in words) == (PROBLEM, True), words
    assert "a-secret-of" not in words


def test_health_knows_of_a_bucket_that_is_away(run, settings, s3, bucket):  # noqa: F811
    assert health._storage(replace(settings, s3=bucket, storage="s3")).good
    told = health._storage(replace(settings, s3=s3.bucket(free_ports(1)[0]), storage="s3"))
    assert (told.good, "does not answer" in told.message, "flask --app wsgi doctor" in told.message) == (False, True, True)
