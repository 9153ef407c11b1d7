from datetime import timedelta

from ccproxy.cli.permission_queue import Changed, Connected, Lost, Queue
from tests.support.asking import NOW, decided, request

ONE, TWO, THREE = (request(name, given={"command": name}) for name in ("one", "two", "three"))


def filled() -> Queue:
    queue = Queue()
    queue.take(Connected((ONE, TWO, THREE)), NOW)
    return queue


def last(queue: Queue) -> tuple[str, str]:
    return queue.notices[-1].text, queue.notices[-1].kind


def test_the_oldest_is_shown_and_others_can_be_looked_at() -> None:
    queue = filled()
    seen = []
    for _ in range(4):
        seen.append((queue.shown, queue.position))
        queue.move(1)
    assert seen == [("one", 1), ("two", 2), ("three", 3), ("one", 1)]
    queue.move(-2)
    assert queue.shown == "three"
    Queue().move(1)


def test_news_of_the_stream() -> None:
    queue = Queue()
    assert (queue.current, queue.position) == (None, 0)
    for _ in range(2):
        queue.take(Changed(ONE), NOW)
    queue.take(Changed(TWO), NOW)
    assert (list(queue.waiting), queue.current) == (["one", "two"], ONE)
    queue.take(Changed(decided(ONE, "denied", by="person")), NOW)
    assert (queue.current, last(queue)) == (TWO, ("Denied elsewhere: Bash: one", "bad"))
    queue.take(Changed(decided(TWO, "expired", by="timeout")), NOW)
    assert (queue.current, last(queue)) == (None, ("Expired, nobody answered in time: Bash: two", "gone"))
    queue.take(Changed(decided(THREE, "allowed", by="rule")), NOW)
    assert len(queue.notices) == 2


def test_other_ways_to_leave() -> None:
    queue = filled()
    queue.take(Changed(decided(ONE, "expired", by="gone", message="The proxy is stopping.")), NOW)
    assert last(queue) == ("Gone: Bash: one. The proxy is stopping.", "gone")
    queue.take(Changed(decided(TWO, "allowed", by="person", remember="session")), NOW)
    assert last(queue) == ("Allowed for this session: Bash: two", "good")
    queue.take(Changed(decided(THREE, "allowed", by="person")), NOW)
    assert last(queue) == ("Allowed elsewhere: Bash: three", "good")


def test_the_next_one_comes_and_at_the_end_the_one_before() -> None:
    queue = filled()
    queue.move(1)
    queue.take(Changed(decided(TWO, "denied")), NOW)
    assert queue.shown == "three"
    queue.take(Changed(decided(THREE, "denied")), NOW)
    assert queue.shown == "one"


def test_our_own_answer_is_told_once_as_ours() -> None:
    queue = filled()
    queue.sending(ONE)
    assert queue.is_sending(ONE)
    done = decided(ONE, "allowed", by="person", updated_input={"command": "x"})
    # the stream may be faster than the answer
    queue.take(Changed(done), NOW)
    assert (queue.current, len(queue.notices)) == (ONE, 0)
    queue.decided(done, NOW)
    queue.take(Changed(done), NOW)
    assert (queue.shown, last(queue), len(queue.notices)) == (
        "two",
        ("Allowed, with an edited input: Bash: one", "good"),
        1,
    )
    queue.sending(TWO)
    queue.decided(decided(TWO, "allowed", by="person", remember="session"), NOW)
    assert last(queue) == ("Allowed for this session: Bash: two", "good")
    queue.sending(THREE)
    queue.decided(decided(THREE, "denied", by="person"), NOW)
    assert last(queue) == ("Denied: Bash: three", "bad")


def test_an_answer_that_was_not_taken() -> None:
    queue = filled()
    queue.sending(ONE)
    queue.not_sent(ONE)
    assert not queue.is_sending(ONE)
    assert queue.current == ONE


def test_the_connection_goes_and_comes_back() -> None:
    queue = filled()
    assert queue.connected
    queue.take(Lost("The proxy does not answer.", 1), NOW)
    assert (queue.connected, queue.trouble) == (False, "The proxy does not answer. Trying again every 1 s.")
    assert queue.current == ONE
    queue.take(Connected((TWO, decided(THREE, "expired", by="timeout"))), NOW)
    assert (queue.connected, queue.trouble, list(queue.waiting)) == (True, "", ["two"])
    assert [notice.text for notice in queue.notices] == [
        "Connected again.",
        "Expired, nobody answered in time: Bash: three",
        "Not asked any more: Bash: one",
    ]


def test_the_time_that_is_left_by_the_clock_of_the_server() -> None:
    queue = filled()
    assert queue.left(ONE, NOW) == timedelta(seconds=105)
    queue.take(Connected((ONE,), timedelta(seconds=-60)), NOW)
    assert queue.left(ONE, NOW) == timedelta(seconds=165)
    assert queue.left(ONE, NOW + timedelta(hours=1)) == timedelta()
    assert queue.left(request(expires_at=None), NOW) is None


def test_not_too_much_is_remembered() -> None:
    queue = Queue()
    for number in range(300):
        queue.tell(NOW, str(number))
    assert len(queue.notices) == 200
