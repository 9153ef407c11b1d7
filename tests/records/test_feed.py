import asyncio

from ccproxy.records.feed import Feed
from ccproxy.records.filters import Filters
from tests.records.rows import row


async def test_everybody_has_what_they_asked_for() -> None:
    feed = Feed()
    all_, failed = feed.listen(Filters()), feed.listen(Filters(status="5xx"))
    for name, status in (("a", 200), ("b", 500)):
        feed.tell(row(request_id=name, status=status))
    feed.end()
    found = [
        [one.request_id async for one in listener if not isinstance(one, int)] for listener in (all_, failed)
    ]
    assert found == [["a", "b"], ["b"]]


async def test_who_listens_waits_for_the_next_row() -> None:
    feed = Feed()
    listener = feed.listen(Filters())
    waiting = asyncio.ensure_future(anext(listener))
    await asyncio.sleep(0)
    assert not waiting.done()
    told = row()
    feed.tell(told)
    assert await waiting is told


async def test_the_oldest_rows_give_way_and_are_counted_once() -> None:
    feed = Feed()
    listener = feed.listen(Filters(), most=2)
    for name in "abcde":
        feed.tell(row(request_id=name))
    feed.end()
    assert [one if isinstance(one, int) else one.request_id async for one in listener] == [3, "d", "e"]


async def test_who_comes_or_leaves_too_late() -> None:
    feed = Feed()
    gone = feed.listen(Filters())
    feed.leave(gone)
    feed.tell(row())
    feed.end()
    gone.end()
    late = feed.listen(Filters())
    for listener in (gone, late):
        assert [one async for one in listener] == []
