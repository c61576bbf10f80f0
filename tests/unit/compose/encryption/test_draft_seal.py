"""The seal of a draft: anybody puts in, its key alone reads, and nothing that was altered is read."""

from __future__ import annotations

import pytest

from webmail.compose.encryption import draft_seal
from webmail.compose.encryption.draft_seal import PIECE, SealBrokenError


def test_what_is_put_in_is_read_with_the_key_of_the_draft():
    public, private = draft_seal.make()
    sealed = draft_seal.put_in(public, {"body": "Zwiebelkuchen é", "files": 3})
    assert b"Zwiebel" not in sealed and draft_seal.opened(private).read(sealed) == {"body": "Zwiebelkuchen é", "files": 3}
    assert sealed != draft_seal.put_in(public, {"body": "Zwiebelkuchen é", "files": 3})


def test_another_draft_s_key_reads_nothing():
    public, _private = draft_seal.make()
    with pytest.raises(SealBrokenError):
        draft_seal.opened(draft_seal.make()[1]).read(draft_seal.put_in(public, {}))
    with pytest.raises(SealBrokenError):
        draft_seal.opened(b"short")


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 5])
@pytest.mark.parametrize("step", [1000, PIECE, 10 * PIECE])
def test_a_file_comes_out_as_it_went_in(size, step):
    data, key = bytes(range(256)) * (size // 256 + 1), draft_seal.new_file_key()
    data = data[:size]
    sealed = b"".join(draft_seal.sealed_pieces((data[at : at + step] for at in range(0, size, step)), key))
    assert data[:64] not in sealed or size < 16
    read = b"".join(draft_seal.opened_pieces((sealed[at : at + step] for at in range(0, len(sealed), step)), key))
    assert read == data


def test_a_file_that_was_cut_or_put_together_otherwise_is_refused():
    key = draft_seal.new_file_key()
    sealed = b"".join(draft_seal.sealed_pieces([b"x" * (2 * PIECE + 10)], key))
    whole = PIECE + 16
    for broken in (
        sealed[: 2 * whole],
        sealed[:whole],
        b"",
        sealed[whole : 2 * whole] + sealed[:whole] + sealed[2 * whole :],
        bytes([sealed[0] ^ 1]) + sealed[1:],
    ):
        with pytest.raises(SealBrokenError):
            b"".join(draft_seal.opened_pieces([broken], key))
