"""Lists of any length are worked on a few at a time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from stylemask_demo.batching import ON_CPU, ON_GPU, batch_size, in_batches, paired
from stylemask_demo.errors import OutOfMemory


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


def test_where_memory_is_short_fewer_are_worked_on_at_once_and_then_as_many_as_before():
    room, sizes = 4, []

    def double(some):
        sizes.append(len(some))
        if len(some) > room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return [2 * item for item in some]

    items, gpu = list(range(ON_GPU + 3)), torch.device("cuda", 0)
    assert in_batches(double, items, gpu) == [2 * item for item in items]
    assert sizes == [16, 8, 4, 4, 4, 4, 3]
    room, sizes[:] = 100, []
    assert in_batches(double, items, gpu) == [2 * item for item in items]
    assert sizes == [16, 3]
    room = 0
    with pytest.raises(OutOfMemory, match="memory of this machine is full"):
        in_batches(double, items, gpu)


PEAKS = """
import resource
from people import names, picture
from stylemask_demo import Reenactor

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

reenactor = Reenactor.from_pack("synthetic", device="cpu")
pictures = [picture(name) for name in names(0)]
reenactor.reenact(pictures[6], pictures[7])
one = peak()
assert len(reenactor.reenact(pictures[:PAIRS], pictures[7])) == PAIRS
print(peak() - one)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak of memory is read as Linux tells it")
def test_many_pairs_need_hardly_more_memory_than_one():
    """In a process of its own, whose memory nobody has used before. Worked on at once, each pair would take 36 MB."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    script = PEAKS.replace("PAIRS", "6")
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parent,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout) < 200, f"{done.stdout.strip()} MB"
