import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ccproxy.codex.memory import Forgotten, Memory
from ccproxy.codex.sessions import Asked, SessionForgotten, Sessions, as_items, goes_on
from ccproxy.conversation.losses import RequestError
from ccproxy.known_sessions import KnownSessions


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sessions.json"


def user(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def said(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "role": "assistant", "content": content}


CALL = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "done"}


class Backend:
    """Sessions, and answers to what is asked in them: `resp_1`, `resp_2` and so on."""

    def __init__(self, file: Path, most: int = 9) -> None:
        self.known = KnownSessions(file, 60)
        self.sessions = Sessions(Memory(10**6, 60, most), self.known)
        self.answers = 0

    async def ask(
        self,
        given: Any,
        headers: Mapping[str, str] | None = None,
        named: str | None = None,
        *,
        stored: bool = False,
        **more: Any,
    ) -> Asked:
        return await self.sessions.begin({"input": given, **more}, headers or {}, named, stored=stored)

    async def turn(
        self,
        given: Any,
        output: dict[str, Any] | None = None,
        state: str | None = None,
        **more: Any,
    ) -> Asked:
        """Ask, and keep an answer; then the names of sessions are written."""
        asked = await self.ask(given, **more)
        self.answers += 1
        if asked.keep:
            asked.keep({"id": f"resp_{self.answers}", "output": [output or said("ok")]}, state)
        await asyncio.sleep(0)
        await self.known.save()
        return asked


async def test_the_session_of_a_path_goes_on(file: Path) -> None:
    backend = Backend(file)
    await backend.turn([user("one")], named="mine")
    asked = await backend.turn([user("two")], named="mine")
    assert asked.items == [user("one"), said("ok"), user("two")]
    assert asked.session == "mine"
    other = await backend.turn([user("two")], named="other")
    assert (other.items, other.session) == ([user("two")], "other")


@pytest.mark.parametrize(
    ("header", "goes_on"),
    [
        ("session-id", True),
        ("session_id", True),
        ("conversation_id", False),
        ("x-claude-code-session-id", False),
    ],
)
async def test_which_headers_continue_a_session(file: Path, header: str, goes_on: bool) -> None:
    """The others name one for the cache; their clients send their history themselves."""
    backend = Backend(file)
    for text in ("one", "two"):
        asked = await backend.turn([user(text)], headers={header: "mine"})
    assert asked.session == "mine"
    assert len(asked.items) == (3 if goes_on else 1)
    assert (asked.keep is not None) == goes_on


async def test_the_path_wins_over_a_header(file: Path) -> None:
    asked = await Backend(file).ask([user("one")], {"session-id": "other"}, "mine")
    assert asked.session == "mine"


async def test_a_response_goes_on(file: Path) -> None:
    backend = Backend(file)
    first = await backend.turn([user("one")], stored=True)
    second = await backend.turn("two", stored=True, previous_response_id="resp_1")
    assert second.items == [user("one"), said("ok"), user("two")]
    assert second.session == first.session
    fork = await backend.turn([user("three")], stored=True, previous_response_id="resp_1")
    assert fork.items == [user("one"), said("ok"), user("three")]


async def test_what_is_not_to_be_kept(file: Path) -> None:
    backend = Backend(file)
    assert (await backend.ask([user("one")], stored=False)).keep is None
    with pytest.raises(Forgotten):
        await backend.ask([user("two")], previous_response_id="resp_1")


async def test_without_a_session_each_request_has_a_new_one(file: Path) -> None:
    backend = Backend(file)
    asked = [await backend.turn([user("one")], stored=True) for _ in range(3)]
    assert len({one.session for one in asked}) == 3
    assert all(one.items == [user("one")] for one in asked)


async def test_a_cache_key_names_a_session_and_continues_none(file: Path) -> None:
    backend = Backend(file)
    for text in ("one", "two"):
        asked = await backend.turn([user(text)], stored=True, prompt_cache_key="app")
        assert (asked.session, asked.items) == ("app", [user(text)])
    assert (await backend.ask([user("three")], named="app")).items == [user("three")]


async def test_a_history_that_the_client_sends_is_not_doubled(file: Path) -> None:
    backend = Backend(file)
    await backend.turn([user("one")], named="mine")
    whole = [user("one"), said("ok"), user("two")]
    assert (await backend.turn(whole, named="mine")).items == whole


# --- turns


async def test_the_turn_state_stays_for_a_turn(file: Path) -> None:
    backend = Backend(file)
    first = await backend.turn([user("one")], CALL, "ts_1", named="mine")
    second = await backend.turn([RESULT], CALL, None, named="mine")
    third = await backend.turn([RESULT], said("ok"), None, named="mine")
    fourth = await backend.turn([user("two")], CALL, "ts_2", named="mine")
    fifth = await backend.ask([RESULT], named="mine")
    states = [asked.turn_state for asked in (first, second, third, fourth, fifth)]
    assert states == [None, "ts_1", "ts_1", None, "ts_2"]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([RESULT], True),
        ([user("one"), CALL, RESULT], True),
        ([RESULT, user("and by the way")], True),
        ([user("one"), CALL, RESULT, said("ok"), user("two")], False),
        ([{"type": "custom_tool_call_output", "call_id": "c", "output": "x"}], True),
        ([user("one")], False),
        ([], False),
        (None, False),
        (["nonsense"], False),
    ],
)
def test_what_goes_on_in_a_turn(items: Any, expected: bool) -> None:
    assert goes_on(items) is expected


# --- what is gone


async def test_after_a_restart_a_session_is_known_and_gone(file: Path) -> None:
    await Backend(file).turn([user("one")], named="mine")
    again = Backend(file)
    with pytest.raises(SessionForgotten, match=r"'mine'.*Send the whole conversation"):
        await again.ask([user("two")], named="mine")
    with pytest.raises(SessionForgotten):
        await again.ask([user("two")], {"session-id": "mine"})
    whole = [user("one"), said("ok"), user("two")]
    assert (await again.turn(whole, named="mine")).items == whole
    assert len((await again.ask([user("three")], named="mine")).items) == 5


async def test_a_session_without_an_answer_was_never_there(file: Path) -> None:
    """The first request failed: trying it again is no loss."""
    backend = Backend(file)
    for _ in range(2):
        assert (await backend.ask([user("one")], named="mine")).items == [user("one")]
    assert not await backend.known.knows("mine")


async def test_a_session_that_had_to_make_room(file: Path) -> None:
    backend = Backend(file, most=1)
    await backend.turn([user("one")], named="old")
    await backend.turn([user("one")], named="new")
    with pytest.raises(SessionForgotten):
        await backend.ask([user("two")], named="old")
    assert len((await backend.ask([user("two")], named="new")).items) == 3


# --- what is wrong


@pytest.mark.parametrize("value", [3, ["resp_1"], {}, True])
async def test_a_response_id_of_a_wrong_type(file: Path, value: Any) -> None:
    with pytest.raises(RequestError) as caught:
        await Backend(file).ask([user("one")], previous_response_id=value)
    assert caught.value.path == "previous_response_id"


@pytest.mark.parametrize("value", [None, 3, {"role": "user"}])
async def test_an_input_of_a_wrong_type_stays_for_others_to_refuse(file: Path, value: Any) -> None:
    asked = await Backend(file).turn(value, named="mine")
    assert asked.items == value
    assert as_items(value) == value


@pytest.mark.parametrize("response", [{}, {"id": 3, "output": []}, {"id": "resp_1", "output": None}])
async def test_an_answer_that_is_none_is_not_kept(file: Path, response: dict[str, Any]) -> None:
    backend = Backend(file)
    asked = await backend.ask([user("one")], named="mine")
    assert asked.keep
    asked.keep(response, "ts_1")
    assert (await backend.ask([user("two")], named="mine")).items == [user("two")]
