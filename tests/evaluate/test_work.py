"""Half-done evaluations: what was drawn is not drawn again, and one process writes a result."""

import contextlib
from pathlib import Path
from threading import Timer

import numpy as np
import pytest

from sid.errors import UserError
from sid.evaluate.samplers import Sampler, sample_generator
from sid.evaluate.workspace import Workspace
from sid.progress import Progress
from sid.runs.world import World
from tests.evaluate.cases import network, record

QUIET = Progress("test", 1, quiet=True)


class Counting(Sampler):
    """A sampler that counts its chunks and breaks when it has drawn enough of them."""

    def __init__(self, limit: int) -> None:
        generator = network().eval()
        super().__init__(generator, 3, sample_generator(generator, 3, 2.5)._make)
        self.drawn: list[int] = []
        self.limit = limit

    def draw(self, start, stop):
        if len(self.drawn) == self.limit:
            raise KeyboardInterrupt
        self.drawn.append(start)
        return super().draw(start, stop)


def test_a_killed_evaluation_draws_only_what_is_missing(tmp_path: Path) -> None:
    result, first, second, whole = tmp_path / "r.json", Counting(2), Counting(9), Counting(9)
    with pytest.raises(KeyboardInterrupt), Workspace(result) as work:
        work.images("g", first, 70, {"weights": "w"}, QUIET, chunk=20)
    with Workspace(result) as work:
        images = work.images("g", second, 70, {"weights": "w"}, QUIET, chunk=20)
        undisturbed = np.concatenate(list(whole.chunks(70, 20)))
        np.testing.assert_array_equal(images.images[:], undisturbed)
        assert first.drawn == [0, 20]
        assert second.drawn == [40, 60]
        other = work.images("g", Counting(9), 70, {"weights": "others"}, QUIET, chunk=20)
        assert other.sha256 == images.sha256  # Drawn anew, as the weights' hash is another.
    assert not list(tmp_path.iterdir())


def test_processes_draw_their_own_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(World, "wait", lambda self: None)
    result, samplers = tmp_path / "r.json", [Counting(9), Counting(9)]
    works = [Workspace(result, World(rank, 2)) for rank in (0, 1)]
    for rank in (1, 0):
        found = works[rank].images("g", samplers[rank], 70, {}, QUIET, chunk=20)
    assert [sampler.drawn for sampler in samplers] == [[0, 40], [20, 60]]
    np.testing.assert_array_equal(found.images[:], np.concatenate(list(Counting(9).chunks(70, 20))))


def test_records_are_made_once(tmp_path: Path) -> None:
    result = tmp_path / "r.json"
    with contextlib.suppress(KeyboardInterrupt), Workspace(result) as work:
        work.records({"draw": 1}, lambda: [record(value=1 / 3)])
        raise KeyboardInterrupt
    with Workspace(result) as work:
        assert work.records({"draw": 1}, lambda: [record(value=2.0)])[0].value == 1 / 3
        assert work.records({"draw": 2}, lambda: [record(value=2.0)])[0].value == 2.0


def test_one_evaluation_a_result(tmp_path: Path) -> None:
    result = tmp_path / "r.json"
    with Workspace(result), pytest.raises(UserError, match=r"r.json: another evaluation makes it"):
        Workspace(result)


def test_without_a_result_nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(KeyboardInterrupt), Workspace(None) as work:
        work.images("g", Counting(1), 70, {}, QUIET, chunk=20)
    assert not list(tmp_path.iterdir())
    with pytest.raises(UserError, match="--json: several processes"):
        Workspace(None, World(1, 2))


def test_others_wait_and_notice_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(World, "wait", lambda self: None)
    result = tmp_path / "r.json"
    first, other = (Workspace(result, World(rank, 2)) for rank in (0, 1))
    late = Timer(0.5, lambda: first.records({"draw": 1}, lambda: [record(value=0.5)]))
    late.start()
    assert other.records({"draw": 1}, lambda: [record(value=2.0)])[0].value == 0.5
    late.join()
    gone = Timer(0.5, lambda: first._lock.close())
    gone.start()
    with pytest.raises(UserError, match="the process that measures is gone"):
        other.records({"draw": 2}, lambda: [record(value=2.0)])
    gone.join()


def test_the_others_never_look_at_a_folder_that_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first process removes it at the end, while the others are still ending."""
    monkeypatch.setattr(World, "wait", lambda self: None)
    first, other = (Workspace(tmp_path / "r.json", World(rank, 2)) for rank in (0, 1))
    with monkeypatch.context() as looking:
        looking.setattr(Path, "glob", lambda *given: pytest.fail("looks"))
        with other:
            pass
    assert first.folder.exists()
    with first:
        pass
    assert not first.folder.exists()
