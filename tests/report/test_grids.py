import numpy as np
import pytest
from PIL import Image

from sid.errors import UserError
from sid.networks import load_network
from sid.report.grids import Cell, Strip, choose, ladder, strips, tile, write_grid
from tests.report.published import DIGITS
from tests.report.runs import make_runs


def test_chosen_snapshots_keep_first_and_last_and_spread_in_log():
    images = [0, *range(1000, 61000, 1000)]
    chosen = choose(images)
    assert (len(chosen), chosen[0], chosen[1], chosen[-1]) == (6, 0, 1000, 60000)
    assert chosen == sorted(chosen)
    assert choose([0, 5, 9]) == [0, 5, 9]
    assert len(set(choose([0, 1, 100, 101, 102, 103, 104]))) == 6


def test_tiles_are_enlarged_by_whole_pixels():
    samples = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.full(
        (1, 1, 8, 8), 20, np.uint8
    )
    tiled = tile(samples)
    factor = 5
    assert tiled.shape == (2 * 8 * factor + 3, 5 * 8 * factor + 4 * 3, 3)
    assert (tiled[: 8 * factor, : 8 * factor] == 0).all()
    assert (tiled[-1, -1] == 180).all()


def test_colour_images_stay_in_colour():
    samples = np.zeros((10, 3, 32, 32), np.uint8)
    samples[:, 2] = 200
    assert (tile(samples)[0, 0] == [0, 0, 200]).all()


def test_the_png_holds_each_cell_pixel_for_pixel(tmp_path):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    write_grid([Strip("A", [Cell(image, "1 kimg")])], tmp_path / "grid.png")
    written = np.asarray(Image.open(tmp_path / "grid.png").convert("RGB"))
    windows = np.lib.stride_tricks.sliding_window_view(written[..., 0], (40, 60))
    assert (windows == image[..., 0]).all(axis=(2, 3)).sum() == 1


def test_strips_come_from_the_run_folders(tmp_path):
    found = strips(*make_runs(tmp_path), DIGITS, 35)
    assert [strip.name for strip in found] == ["SiD", "SiD2A", "Teacher"]
    captions = [[cell.caption for cell in strip.cells] for strip in found]
    assert captions[0] == ["undistilled", "1 kimg", "4 kimg"]
    assert captions[1] == ["SiD", "SiD + 1 kimg", "SiD + 4 kimg"]
    assert captions[2][-1] == "35 evaluations"


def test_of_a_snapshot_that_is_removed_meanwhile_the_nearest_is_shown(tmp_path, monkeypatch):
    runs, _ = make_runs(tmp_path, ("sid",))
    folder = runs / "sid/seed0/snapshots"

    def load(path, device):
        (folder / f"{1000:012d}.safetensors").unlink(missing_ok=True)  # After it was listed.
        return load_network(path, device)

    monkeypatch.setattr("sid.report.grids.load_network", load)
    (strip,) = strips(runs, None, DIGITS, 35)
    assert [cell.caption for cell in strip.cells] == ["undistilled", "4 kimg"]
    (folder / f"{4000:012d}.safetensors").write_bytes(b"cut")
    with pytest.raises(UserError, match=r"4000\.safetensors.*damaged"):
        strips(runs, None, DIGITS, 35)


def test_an_empty_folder_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match="seed"):
        strips(tmp_path, None, DIGITS, 35)


def test_the_teachers_ladder_ends_at_its_own_evaluations(tmp_path):
    assert ladder(35) == [3, 5, 9, 18]
    assert ladder(79) == [5, 10, 20, 40]
    assert ladder(1) == [1]
    found = strips(*make_runs(tmp_path), {}, 79)
    assert [cell.caption for cell in found[-1].cells][-1] == "79 evaluations"


def test_without_a_teacher_its_row_is_left_out_and_an_unknown_recipe_has_its_own_name(tmp_path):
    runs, _ = make_runs(tmp_path, ("mine",))
    assert [strip.name for strip in strips(runs, None, DIGITS, 35)] == ["mine"]
