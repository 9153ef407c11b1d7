import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.codex.memory import OVERHEAD, Forgotten, Memory, continued, replayable

ROOM = 10**6


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def user(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def said(text: str, **more: Any) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "role": "assistant", "content": content} | more


def thought(seal: str = "sealed", **more: Any) -> dict[str, Any]:
    return {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": seal} | more


def call(call_id: str = "call_1", **more: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": "f", "arguments": "{}"} | more


def result(call_id: str = "call_1") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": "done"}


def memory(most_bytes: int = ROOM, most: int = 100, clock: Clock | None = None) -> Memory:
    return Memory(most_bytes, 60, most, clock or Clock())


def knows(memory: Memory, response_id: str) -> bool:
    try:
        memory.before(response_id)
    except Forgotten:
        return False
    return True


# --- keeping and finding -----------------------------------------------------------------------------


def test_a_response_is_found_with_everything_before_it() -> None:
    kept = memory()
    kept.keep("resp_1", [user("one"), said("1")], "s")
    kept.keep("resp_2", [user("one"), said("1"), user("two"), said("2")], "s")

    found = kept.before("resp_1")
    assert (found.response_id, found.session, found.items) == ("resp_1", "s", [user("one"), said("1")])
    latest = kept.latest("s")
    assert latest is not None
    assert latest.response_id == "resp_2"
    assert latest.items == [user("one"), said("1"), user("two"), said("2")]
    assert kept.latest("other") is None


def test_a_conversation_goes_on_from_any_of_its_responses() -> None:
    kept = memory()
    kept.keep("resp_1", [user("one"), said("1")], None)
    kept.keep("resp_2", [user("one"), said("1"), user("two"), said("2")], None)
    kept.keep("resp_3", [user("one"), said("1"), user("again"), said("3")], None)

    assert kept.before("resp_2").items[2:] == [user("two"), said("2")]
    assert kept.before("resp_3").items[2:] == [user("again"), said("3")]


def test_nobody_changes_what_is_kept() -> None:
    kept, items = memory(), [user("one"), said("1")]
    kept.keep("resp_1", items, None)
    items[0]["role"] = "developer"
    kept.before("resp_1").items[0]["content"].clear()

    assert kept.before("resp_1").items == [user("one"), said("1")]


def test_the_turn_state_belongs_to_a_response() -> None:
    kept = memory()
    kept.keep("resp_1", [user("one"), call()], "s").turn_state = "ts_1"
    kept.keep("resp_2", [user("one"), call(), result(), said("1")], "s")

    assert kept.before("resp_1").turn_state == "ts_1"
    assert kept.before("resp_2").turn_state is None


def test_an_id_that_comes_again_is_another_response() -> None:
    kept = memory(most=1)
    kept.keep("resp_1", [user("one"), said("1")], "a")
    kept.keep("resp_1", [user("two"), said("2")], "b")

    assert kept.before("resp_1").items == [user("two"), said("2")]
    assert kept.latest("a") is None


def test_what_is_unknown_says_what_to_do() -> None:
    with pytest.raises(Forgotten) as raised:
        memory().before("resp_x")
    assert "'resp_x'" in str(raised.value)
    assert "Send the whole conversation in `input`" in str(raised.value)

    with pytest.raises(Forgotten) as raised:
        memory().before("x" * 100_000)
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize("text", ["\ud800", "\u4e16\u754c", "\x00", "1e400"])
def test_any_text(text: str) -> None:
    kept = memory()
    kept.keep("resp_1", [user(text), said(text)], None)
    assert kept.before("resp_1").items == [user(text), said(text)]


# --- the bounds --------------------------------------------------------------------------------------

TURNS = 100
WORDS = "word " * 200


def bytes_of(items: list[dict[str, Any]]) -> int:
    return sum(len(json.dumps(item)) + OVERHEAD for item in items)


@pytest.mark.parametrize("session", ["s", None])
def test_every_turn_is_kept_once(session: str | None) -> None:
    whole = [item for n in range(TURNS) for item in (user(f"{n} {WORDS}"), said(f"{n} {WORDS}"))]
    kept = memory(bytes_of(whole) + TURNS * OVERHEAD)
    for n in range(TURNS):
        kept.keep(f"resp_{n}", whole[: 2 * n + 2], session)

    assert all(kept.before(f"resp_{n}").items == whole[: 2 * n + 2] for n in range(TURNS))


@pytest.mark.parametrize("session", ["s", None])
def test_a_client_that_tells_the_conversation_in_its_own_words(session: str | None) -> None:
    """It repeats the output without ids and reasoning, so each turn's own output is a branch that ends."""
    whole = [item for n in range(TURNS) for item in (user(f"{n} {WORDS}"), said(f"{n} {WORDS}"))]
    kept = memory(bytes_of(whole) * 2 + TURNS * OVERHEAD * 2)
    for n in range(TURNS):
        output = [thought(), said(f"{n} {WORDS}", id=f"msg_{n}")]
        kept.keep(f"resp_{n}", [*whole[: 2 * n + 1], *output], session)

    assert all(knows(kept, f"resp_{n}") for n in range(1, TURNS))
    assert kept.before("resp_50").items[:-2] == whole[:101]


def test_whole_conversations_go_the_longest_unused_first() -> None:
    turn = [user("x" * 1000), said("y" * 1000)]
    kept = memory(3 * (bytes_of(turn) + OVERHEAD) + 10)
    for session in "abc":
        kept.keep(f"resp_{session}", turn, session)
    kept.before("resp_a")
    kept.keep("resp_d", turn, "d")
    assert [knows(kept, f"resp_{session}") for session in "abcd"] == [True, False, True, True]

    kept.keep("resp_d2", [*turn, user("more")], "d")
    assert [knows(kept, f"resp_{session}") for session in ("a", "c", "d", "d2")] == [False, True, True, True]
    assert kept.latest("a") is None


def test_one_that_alone_is_too_large_takes_no_other_with_it() -> None:
    kept = memory(5000)
    kept.keep("resp_1", [user("small"), said("1")], "a")
    kept.keep("resp_2", [user("x" * 5000), said("2")], "b")

    assert knows(kept, "resp_1")
    assert not knows(kept, "resp_2")
    assert kept.latest("b") is None
    kept.keep("resp_3", [user("small again"), said("3")], "b")
    assert knows(kept, "resp_3")


def test_so_many_conversations() -> None:
    kept = memory(most=2)
    for number in range(4):
        kept.keep(f"resp_{number}", [user("hello"), said("hello", id=f"msg_{number}")], None)

    assert [knows(kept, f"resp_{number}") for number in range(4)] == [False, False, True, True]


def test_a_session_that_goes_leaves_its_twin_alone() -> None:
    kept, turn = memory(most=2), [user("one"), said("1")]
    kept.keep("resp_1", turn, None)
    kept.keep("resp_2", turn, "a")
    kept.before("resp_1")
    kept.keep("resp_3", [user("other")], "b")
    assert not knows(kept, "resp_2")

    kept.keep("resp_4", [*turn, user("two"), said("2")], None)
    assert [knows(kept, f"resp_{number}") for number in (1, 3, 4)] == [True] * 3


def test_what_is_idle_is_forgotten() -> None:
    clock = Clock()
    kept = memory(clock=clock)
    kept.keep("resp_1", [user("one"), said("1")], "a")
    kept.keep("resp_2", [user("two"), said("2")], "b")
    clock.now = 50
    kept.latest("a")
    clock.now = 100

    assert knows(kept, "resp_1")
    assert not knows(kept, "resp_2")


conversations = st.lists(
    st.tuples(
        st.integers(0, 9), st.sampled_from([None, "a", "b"]), st.lists(st.sampled_from("uvs"), max_size=6)
    ),
    max_size=40,
)


@given(conversations, st.integers(OVERHEAD, 8000), st.integers(1, 3))
def test_the_bounds_hold_and_what_is_found_is_right(
    kept: list[tuple[int, str | None, list[str]]], most_bytes: int, most: int
) -> None:
    clock = Clock()
    store, wanted = memory(most_bytes, most, clock), {}
    for number, session, letters in kept:
        clock.now += number
        items = [said(letter) if letter == "s" else user(letter) for letter in letters]
        wanted[f"resp_{number}"] = items
        store.keep(f"resp_{number}", items, session)
        known = [name for name in wanted if knows(store, name)]
        assert all(store.before(name).items == wanted[name] for name in known)
        # each response costs that much, however much it shares
        assert len(known) * OVERHEAD <= most_bytes
        assert len({store.before(name).session for name in known} - {None}) <= most
    clock.now += 1000
    assert not any(knows(store, name) for name in wanted)
    left = (store._bytes, store._trees, store._responses, store._sessions, store._said)
    assert not any(left)


# --- continuing --------------------------------------------------------------------------------------

HISTORY = [user("first"), said("1"), user("second"), call()]
PLAIN_FIRST = {"role": "user", "content": "first", "id": "msg_9", "status": "completed"}
PICTURE = {"type": "input_image", "image_url": "data:image/png;base64,AA=="}
PICTURES = [{"type": "message", "role": "user", "content": [PICTURE]}, said("1")]


@pytest.mark.parametrize(
    "new",
    [
        [],
        [user("third")],
        [{"role": "user", "content": "third"}],
        [result()],
        [{"type": "custom_tool_call_output", "call_id": "call_1", "output": "x"}, user("third")],
        [{"role": "developer", "content": "first"}],
        ["broken", 1, None, {"type": []}, {"role": "user"}],
    ],
)
def test_new_items_come_after_what_was_said(new: list[Any]) -> None:
    assert continued(HISTORY, new) == HISTORY + new


@pytest.mark.parametrize(
    "whole",
    [
        [*HISTORY, result()],
        [PLAIN_FIRST],
        [PLAIN_FIRST, {"role": "assistant", "content": "1"}, user("third")],
        [user("changed"), said("1")],
        [{"role": "developer", "content": "be kind"}, PLAIN_FIRST],
        [thought(), call(), result()],
        [call(), result()],
        [{"type": "custom_tool_call", "call_id": "c", "name": "exec", "input": ""}, user("x")],
        [{"type": "web_search_call", "id": "ws_1", "status": "completed"}, user("x")],
        [{"type": "compaction", "encrypted_content": "x"}, user("x")],
    ],
)
def test_a_client_that_brings_the_conversation_is_believed(whole: list[Any]) -> None:
    assert continued(HISTORY, whole) is whole


def test_pictures_are_compared_too() -> None:
    other = [{"role": "user", "content": [PICTURE | {"image_url": "data:image/png;base64,BB=="}]}]
    assert continued(PICTURES, [PICTURES[0]]) == [PICTURES[0]]
    assert continued(PICTURES, other) == PICTURES + other


def test_without_a_history_the_input_is_all() -> None:
    assert continued([], [user("x")]) == [user("x")]
    assert continued([said("x")], [user("x")]) == [said("x"), user("x")]


# --- replaying ---------------------------------------------------------------------------------------

LONG_ID = "x" * 65


@pytest.mark.parametrize(
    ("items", "wanted"),
    [
        ([said("1", id=LONG_ID, status="completed")], [said("1")]),
        ([said("1", id="m" * 64)], [said("1", id="m" * 64)]),
        ([said("1", id=None)], [said("1")]),
        ([call(status="completed"), result() | {"status": "completed"}], [call(), result()]),
        ([{"role": "user", "content": "x", "status": "completed"}], [{"role": "user", "content": "x"}]),
        (
            [{"type": "web_search_call", "id": "ws_1", "status": "completed"}],
            [{"type": "web_search_call", "id": "ws_1", "status": "completed"}],
        ),
        (
            [
                thought(content=[{"type": "reasoning_text", "text": "hm"}], status="completed"),
                call(id="fc_1"),
            ],
            [thought(), call(id="fc_1")],
        ),
        ([{"type": "reasoning", "encrypted_content": "x"}, call()], [thought("x"), call()]),
        ([thought(id=LONG_ID), call()], [thought(), call()]),
        ([thought("a"), thought("b"), said("1")], [thought("a"), thought("b"), said("1")]),
        ([], []),
        ([1, None, {"type": 5}], [1, None, {"type": 5}]),
    ],
)
def test_what_a_backend_takes_back(items: list[Any], wanted: list[Any]) -> None:
    def same(item: Any) -> Any:
        # in these tables the id of reasoning does not matter
        if isinstance(item, dict) and item.get("type") == "reasoning":
            return {name: value for name, value in item.items() if name != "id"}
        return item

    assert [same(item) for item in replayable(items)] == [same(item) for item in wanted]
    assert all(len(str(item.get("id", ""))) <= 64 for item in replayable(items) if isinstance(item, dict))


@pytest.mark.parametrize("seal", [None, ""])
def test_reasoning_without_a_seal_goes_and_its_follower_stands_alone(seal: Any) -> None:
    assert replayable([user("x"), thought(seal), said("1", id="msg_1"), call(id="fc_1")]) == [
        user("x"),
        said("1"),
        call(id="fc_1"),
    ]
    assert replayable([thought(seal), user("x") | {"id": "msg_1"}]) == [user("x") | {"id": "msg_1"}]


@pytest.mark.parametrize("after", [[], [user("x")], [result()], [thought("b")], [thought("b"), user("x")]])
def test_reasoning_that_led_to_nothing_goes(after: list[Any]) -> None:
    left = [item for item in after if item["type"] != "reasoning"]
    assert replayable([user("q"), thought("a"), *after]) == [user("q"), *left]


things = st.sampled_from(
    [
        user("x"),
        said("1", id="msg_1", status="completed"),
        thought("a"),
        thought("", id="rs_2"),
        call(id=LONG_ID),
        result(),
    ]
)


@given(st.lists(things, max_size=8), st.lists(things, max_size=8))
def test_replaying_is_stable(history: list[Any], new: list[Any]) -> None:
    """What was sent once is sent the same way in the next turn, so that prompt caches and prefixes hold."""
    once = replayable(history)
    assert replayable(once) == once
    assert replayable([*once, *new])[: len(once)] == once
