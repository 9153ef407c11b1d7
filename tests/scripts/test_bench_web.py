"""The benchmark of mitmweb's memory: its judgement, and a short run of it."""

from io import StringIO

import pytest
from rich.console import Console

from scripts.benchmark.web import Sample, growth, measure, report


def samples(*resident: int) -> list[Sample]:
    return [
        Sample(seconds, seconds, size * 2**20, 2**20, 1, 0)
        for seconds, size in enumerate(resident)
        for _ in "12"
    ]


def test_growth_is_that_of_the_last_quarter_to_the_second() -> None:
    assert growth(samples(10, 100, 100, 150)) == 1.5


@pytest.mark.parametrize(
    ("resident", "flat", "word"),
    [((50, 100, 101, 102), True, "met"), ((50, 100, 110, 120), False, "missed")],
)
def test_flat_or_not(resident: tuple[int, ...], flat: bool, word: str) -> None:
    printed = StringIO()
    assert report(samples(*resident), Console(file=printed, width=140)) is flat
    assert word in printed.getvalue()


async def test_a_short_run() -> None:
    """By every way once and more, until bodies have to go."""
    seen = await measure(requests=16, seconds=3, max_bytes="1m")
    assert (seen[-1].requests, seen[-1].dropped > 0) == (16, True)
    assert all(sample.resident > 2**20 for sample in seen)
