"""Both label rules of the official code, as functions of (seed, index)."""

import numpy as np
import pytest
import torch

from sid.errors import UserError
from sid.evaluate.labels import LabelRule
from sid.streams import Stream


def test_uniform_draws_keep_their_bits() -> None:
    """Committed records were drawn so; equally frequent classes are the same draw."""
    wanted = Stream(3, "sample labels").integers(5, 500, 10)
    for counts in ((), (600,) * 10):
        drawn = LabelRule(10, counts).draw(Stream(3, "sample labels"), 5, 500)
        assert torch.equal(drawn, wanted)


def test_each_item_of_the_data_set_is_as_likely() -> None:
    """Class k has k + 1 of 55 items: the counts of 20,000 draws are within four deviations."""
    rule, n = LabelRule(10, tuple(range(1, 11))), 20_000
    drawn = rule.draw(Stream(0, "sample labels"), 0, n)
    share = np.arange(1, 11) / 55
    apart = np.bincount(drawn.numpy(), minlength=10) - n * share
    assert (np.abs(apart) < 4 * np.sqrt(n * share * (1 - share))).all()
    part = rule.draw(Stream(0, "sample labels"), 700, 900)
    assert torch.equal(part, drawn[700:900])  # Whatever is drawn with them.


def test_what_the_records_say() -> None:
    assert LabelRule(0).text == LabelRule(0, (3, 4)).text == ""
    assert LabelRule(2).text == "uniform over 2 classes"
    assert LabelRule(2, (5, 5)).text.startswith("uniform over 2 classes")
    assert LabelRule(2, (5, 6)).text.startswith("data set's frequencies of 2 classes")
    with pytest.raises(UserError, match="--frequencies: of 3 classes, but the network takes 2"):
        LabelRule(2, (1, 1, 1))
