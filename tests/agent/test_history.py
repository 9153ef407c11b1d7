"""What counts as the same conversation, and what does not."""

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ccproxy.agent.answer import Answer
from ccproxy.agent.history import added, fingerprints, joined
from ccproxy.backends.models import Choice
from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.formats.codec import ReasoningShown
from ccproxy.translation import Translation, translate
from tests.agent.said import call, came_of, collected, events_of, text, thinking
from tests.agent.test_answer import MODES, turns
from tests.laws.conversations import Conversation, body, conversations

USER = {"role": "user", "content": "hello"}
OWN = {"type": "mcp_tool_use", "id": "t", "name": "Bash", "server_name": "claude_code", "input": {}}
OWN_RESULT = {"type": "mcp_tool_result", "tool_use_id": "t", "is_error": False, "content": "x"}
CALL = call("toolu_5", "get_weather", city="Paris", days=2)
SAID: JsonObject = {
    "role": "assistant",
    "content": [thinking("Hm."), text("Let me look."), OWN, OWN_RESULT, text("\n\nOne file."), CALL],
}


def assistant(*content: Any) -> JsonObject:
    return {"role": "assistant", "content": list(content)}


def user(*content: Any) -> JsonObject:
    return {"role": "user", "content": list(content)}


def image(data: str, media_type: str = "image/png") -> JsonObject:
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}


def tool_result(content: Any, call_id: str = "toolu_5", **more: Any) -> JsonObject:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


@pytest.mark.parametrize(
    "again",
    [
        SAID,
        assistant(text("Let me look."), text("\n\nOne file."), CALL),
        assistant(text("Let me look.\n\nOne file."), CALL),
        assistant(CALL, text("Let me look.One file.")),
        assistant(text("<reasoning>Hm.</reasoning>\n\nLet me look.\n\nOne file."), CALL),
        assistant(
            thinking("other"),
            text("Let me look. One file."),
            {**CALL, "cache_control": {"type": "ephemeral"}},
        ),
        assistant(text("Let me look.\n\nOne file."), {**CALL, "input": {"days": 2, "city": "Paris"}}),
    ],
)
def test_an_answer_may_come_back_in_many_shapes(again: JsonObject) -> None:
    assert fingerprints([again]) == fingerprints([SAID])


@pytest.mark.parametrize(
    "other",
    [
        assistant(text("Let me look. Two files."), CALL),
        assistant(text("Let me look. One file.")),
        assistant(text("Let me look. One file."), {**CALL, "id": "toolu_6"}),
        assistant(text("Let me look. One file."), {**CALL, "input": {"city": "Rome", "days": 2}}),
        user(text("Let me look. One file."), CALL),
    ],
)
def test_another_answer_is_another_one(other: JsonObject) -> None:
    assert fingerprints([other]) != fingerprints([SAID])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([USER], [user(text("hello"))]),
        ([USER], [{"role": "user", "content": " hel lo\n"}]),
        ([USER, USER], [user(text("hello"), text("hello"))]),
        ([USER, user()], [USER]),
        ([user(text("hello"), {"type": "text", "text": " "})], [USER]),
        ([user({**text("hello"), "cache_control": {"type": "ephemeral"}})], [USER]),
        ([user(image("aGk="))], [user(image("aG\nk=", "image/jpg"))]),
        ([user(tool_result("Sunny"))], [user(tool_result([text("Sunny")], is_error=True))]),
        ([user(tool_result(None))], [user(tool_result([]))]),
    ],
)
def test_the_same_may_be_said_in_two_ways(one: list[JsonObject], other: list[JsonObject]) -> None:
    assert fingerprints(one) == fingerprints(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (user(text("x"), image("aGk=")), user(text("x"), image("aGo="))),
        (user(text("x"), image("aGk=")), user(text("x"))),
        (user(image("aGk=")), user({"type": "image", "source": {"type": "url", "url": "https://a.test"}})),
        (user(tool_result("Sunny")), user(tool_result("Rainy"))),
        (user(tool_result("Sunny")), user(tool_result("Sunny", "toolu_6"))),
        (user(tool_result("Sunny")), user(tool_result([text("Sunny"), image("aGk=")]))),
        (user(tool_result("Sunny")), user(text("Sunny"))),
        (user({"type": "new", "of": 1}), user({"type": "new", "of": 2})),
        (USER, assistant(text("hello"))),
    ],
)
def test_different_things_are_told_apart(one: JsonObject, other: JsonObject) -> None:
    assert fingerprints([one]) != fingerprints([other])


def test_a_system_message_amid_the_history_is_said_by_the_users_side() -> None:
    system = {"role": "system", "content": "Be brief."}
    [turn] = joined([USER, system])
    assert turn == user(text("hello"), text("<system-reminder>\nBe brief.\n</system-reminder>"))
    assert joined([turn]) == (turn,)
    assert fingerprints([USER, system]) != fingerprints([USER, {**system, "role": "user"}])


def test_there_is_one_fingerprint_for_each_turn() -> None:
    messages = [USER, assistant(thinking("x")), USER, USER, SAID]
    assert len(fingerprints(messages)) == len(joined(messages)) == 4


def test_the_messages_stay_as_they_were() -> None:
    messages = [user(text("a")), user(text("b"))]
    joined(messages)
    fingerprints(messages)
    assert messages == [user(text("a")), user(text("b"))]


def test_what_is_nested_too_deeply_is_refused() -> None:
    deep: Any = {}
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises(RequestError):
        fingerprints([assistant({**CALL, "input": deep})])


def test_halves_of_surrogate_pairs_have_fingerprints_too() -> None:
    assert fingerprints([user(text("\ud83d"))]) != fingerprints([user(text("\ud83e"))])


def test_what_is_held_has_to_be_said_again_and_more() -> None:
    assert added((), ("a",)) == 0
    assert added(("a", "b"), ("a", "b", "c")) == 2
    assert added(("a", "b"), ("a", "b")) is None
    assert added(("a", "b"), ("a",)) is None
    assert added(("a", "b"), ("a", "x", "c")) is None


# --- laws


@given(conversations(), st.text(min_size=1).filter(str.strip))
def test_a_conversation_that_goes_on_is_known(conversation: Conversation, answer: str) -> None:
    history = body("anthropic", conversation)["messages"]
    asked = [*history, assistant(text(answer)), user(text("And?"))]
    held = fingerprints([*history, assistant(text(answer))])
    assert held[: len(held) - 1] == fingerprints(history)
    assert added(held, fingerprints(asked)) == len(held)
    assert added(fingerprints(history), fingerprints(asked)) == len(fingerprints(history))


def asked_of(client: Wire, request: JsonObject, shown: ReasoningShown) -> Translation:
    return translate(
        json.dumps(request).encode(),
        client,
        "anthropic",
        lambda _: Choice("claude-opus-4-8"),
        "0a1b",
        1,
        shown,
    )


def messages_of(client: Wire, request: JsonObject, shown: ReasoningShown) -> list[JsonObject]:
    found: JsonObject = json.loads(asked_of(client, request, shown).body)
    messages: list[JsonObject] = found["messages"]
    return messages


def gone_on(client: Wire, request: JsonObject, answer: JsonObject, calls: list[str]) -> JsonObject:
    """The next request of a client that has got this answer, in its own format."""
    if client == "chat":
        results = [{"role": "tool", "tool_call_id": one, "content": "Sunny"} for one in calls]
        new = [answer["choices"][0]["message"], *results, {"role": "user", "content": "And?"}]
        return {**request, "messages": request["messages"] + new}
    results = [{"type": "function_call_output", "call_id": one, "output": "Sunny"} for one in calls]
    new = [*answer["output"], *results, {"role": "user", "content": "And?"}]
    return {**request, "input": request["input"] + new}


@given(
    conversations(),
    turns(),
    MODES,
    st.sampled_from(("chat", "responses")),
    st.sampled_from(("reasoning_content", "tags", "off")),
)
def test_an_answer_is_known_after_its_trip_through_another_format(
    conversation: Conversation, lines: list[JsonObject], mode: Any, client: Wire, shown: ReasoningShown
) -> None:
    request = body(client, conversation)
    translation = asked_of(client, request, shown)
    answer = Answer(mode, True, {"get_weather"}, separate=True)
    message = collected(events_of(answer, lines))
    # an answer that says nothing leaves no message that a client could send back
    assume(any(block["type"] == "tool_use" or block.get("text", "").strip() for block in message["content"]))
    held = (
        *fingerprints(messages_of(client, request, shown)),
        *fingerprints([{"role": "assistant", "content": message["content"]}]),
    )
    read = json.loads(translation.encode(translation.reply(json.dumps(message).encode())))  # type: ignore[arg-type]
    again = gone_on(client, request, read, [one["id"] for one in answer.calls])
    assert added(held, fingerprints(messages_of(client, again, shown))) == len(held)


def test_the_result_line_of_a_client_call_is_not_needed() -> None:
    """What the process says about the client's own result is no part of the conversation."""
    assert events_of(Answer("ignore", True, ()), [came_of("toolu_5", "x")]) == []
