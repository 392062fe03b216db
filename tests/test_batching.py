"""Lists of any length are worked on a few at a time."""

import resource
import sys

import pytest
import torch
from people import names, picture

from stylemask_demo.batching import ON_CPU, ON_GPU, batch_size, in_batches, paired


def test_all_items_come_out_in_order():
    sizes = []

    def double(some):
        sizes.append(len(some))
        return [2 * item for item in some]

    items = list(range(2 * ON_CPU + 1))
    assert in_batches(double, items, torch.device("cpu")) == [2 * item for item in items]
    assert sizes == [ON_CPU, ON_CPU, 1]
    assert in_batches(double, [], torch.device("cpu")) == []
    assert batch_size(torch.device("cuda", 0)) == ON_GPU


def test_lists_are_paired_and_one_goes_with_all():
    assert paired([1, 2], ["a", "b"]) == [(1, "a"), (2, "b")]
    assert paired([1], ["a", "b"]) == [(1, "a"), (1, "b")]
    assert paired([1, 2], ["a"]) == [(1, "a"), (2, "a")]
    assert paired([], ["a"]) == paired([], []) == []
    with pytest.raises(ValueError, match="as many sources as targets"):
        paired([1, 2], ["a", "b", "c"])


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak of memory is read from Linux")
def test_many_pairs_need_hardly_more_memory_than_one(reenactor):
    """500 pairs may need 400 MB more than one; 36 MB for each pair would be 860 MB here."""
    pictures = [picture(name) for name in names(0) + names(1)]
    reenactor.reenact(pictures[0], pictures[1])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    made = reenactor.reenact(pictures[:24], pictures[-24:])
    assert len(made) == 24
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert more < 320, f"{more:.0f} MB"
