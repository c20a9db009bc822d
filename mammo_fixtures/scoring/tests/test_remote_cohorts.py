"""A cohort in another file system gives the same scores, and the store knows its files again."""

from __future__ import annotations

from unittest.mock import Mock

import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image

from mammo_fixtures import read_cohort
from mammo_fixtures.scoring.keys import file_digest
from mammo_fixtures.scoring.tests import tiny_cohort
from mammo_fixtures.scoring.tests.comparing import same
from mammo_fixtures.scoring.tests.tiny_cohort import CONDITIONS, on_disk

URL = "memory://site/site.csv"


@pytest.fixture
def remote(tmp_path):
    """The tiny cohort in memory, and its manifest on disk."""
    manifest = on_disk(tmp_path)
    system = MemoryFileSystem()
    system.store.clear()
    for path in (manifest, *tmp_path.glob("*.png")):
        system.pipe_file(f"/site/{path.name}", path.read_bytes())
    yield system
    system.store.clear()


def test_same_table_and_a_warm_run_decodes_nothing(tmp_path, run, remote):
    first, images, decoded = run(read_cohort(URL))
    assert (images, decoded) == (6 * CONDITIONS, 6)
    again, images, decoded = run(read_cohort(URL))
    assert (images, decoded) == (0, 0)
    local, images, decoded = run(read_cohort(tmp_path / "site.csv"))
    assert (images, decoded) == (0, 6), "the same pixels under another name are decoded, not scored"
    assert same(first, again)
    assert same(first, local)


def test_a_rewritten_file_is_computed_again(tmp_path, run, remote):
    run(read_cohort(URL))
    stored = tiny_cohort.pixels("1", "R", "CC")
    stored[12, 4] ^= 1
    Image.fromarray(stored).save(tmp_path / "1_R.png", compress_level=0)
    remote.pipe_file("/site/1_R.png", (tmp_path / "1_R.png").read_bytes())
    _, images, decoded = run(read_cohort(URL))
    assert (images, decoded) == (CONDITIONS, 1)


def test_a_file_system_that_tells_nothing_of_changes_is_decoded_again(run, remote, monkeypatch):
    monkeypatch.setattr(MemoryFileSystem, "info", lambda self, path, **_: {"name": path, "size": 1, "type": "file"})
    monkeypatch.setattr(MemoryFileSystem, "modified", Mock(side_effect=NotImplementedError))
    first, _, _ = run(read_cohort(URL))
    again, images, decoded = run(read_cohort(URL))
    assert (images, decoded) == (0, 6), "for their keys"
    assert np.array_equal(first.scores, again.scores)


@pytest.mark.parametrize("told", [{"ETag": '"a"'}, {"mtime": 1.0}, {"LastModified": "2"}, {"md5Hash": "x"}, {"CRC": 5}])
def test_what_file_systems_tell_makes_the_digest(told, remote, monkeypatch):
    def digest(told):
        info = {"name": "", "size": 1, "type": "file", "StorageClass": "STANDARD", **told}
        monkeypatch.setattr(MemoryFileSystem, "info", lambda self, path, **_: info)
        return file_digest(read_cohort(URL).exams[0].views[0])

    key, value = next(iter(told.items()))
    first = digest(told)
    assert first is not None
    assert digest(told) == first
    assert digest({**told, "StorageClass": "COLD"}) == first, "says nothing of the content"
    assert digest({key: f"{value}0"}) != first
    assert digest({**told, "size": 2}) != first
