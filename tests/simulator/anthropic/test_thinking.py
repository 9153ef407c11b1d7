from typing import Any

import pytest

from ccproxy.simulator.anthropic.blocks import ThinkingBlock
from ccproxy.simulator.anthropic.thinking import is_authentic, sign
from tests.simulator.anthropic.asking import Ask, assistant, call, message_of, result, text, user

BUDGET = {"type": "enabled", "budget_tokens": 1024}
ADAPTIVE = {"type": "adaptive"}
TOOL = {"name": "add", "input_schema": {"type": "object"}}


def block(thought: str, signature: str) -> ThinkingBlock:
    return ThinkingBlock(type="thinking", thinking=thought, signature=signature)


def test_a_signature_fits_one_text_only() -> None:
    signature = sign("a thought", "a thought")
    assert is_authentic(block("a thought", signature))
    assert not is_authentic(block("a thought.", signature))
    assert not is_authentic(block("", signature))
    assert not is_authentic(block("a thought", signature[:-4] + "AAAA"))


@pytest.mark.parametrize("signature", ["", "?", "AAAA", "no base64 é"])
def test_a_foreign_signature_fits_nothing(signature: str) -> None:
    assert not is_authentic(block("a thought", signature))


def test_an_omitted_thought_has_a_signature_of_its_own() -> None:
    assert is_authentic(block("", sign("a thought", "")))
    assert sign("a thought", "") != sign("another thought", "")


@pytest.mark.parametrize(
    ("model", "thinking", "message"),
    [
        ("claude-sonnet-4-5", BUDGET, None),
        ("claude-sonnet-4-5", {"type": "disabled"}, None),
        ("claude-sonnet-4-5", ADAPTIVE, "thinking.type: 'adaptive' is not supported on this model"),
        ("claude-sonnet-4-6", ADAPTIVE, None),
        ("claude-sonnet-4-6", BUDGET, None),
        ("claude-opus-5-5", BUDGET, "thinking.type: 'enabled' is not supported on this model"),
        ("claude-opus-5-5", {"type": "between_tools"}, None),
        ("claude-opus-4-8", {"type": "between_tools"}, "thinking.type: 'between_tools' is not supported"),
        ("claude-3-5-haiku-20241022", BUDGET, "thinking.type: 'enabled' is not supported on this model"),
    ],
)
async def test_each_model_has_its_kinds(ask: Ask, model: str, thinking: Any, message: str | None) -> None:
    answer = await ask(model=model, thinking=thinking)
    if message is None:
        assert answer.status_code == 200, answer.text
    else:
        assert message_of(answer).startswith(message)


@pytest.mark.parametrize(
    ("model", "effort", "message"),
    [
        ("claude-opus-5-5", "max", None),
        ("claude-opus-4-5", "high", None),
        ("claude-opus-4-5", "max", "output_config.effort: 'max' is not supported on this model"),
        ("claude-sonnet-4-5", "low", "This model does not support the effort parameter."),
    ],
)
async def test_each_model_has_its_efforts(ask: Ask, model: str, effort: str, message: str | None) -> None:
    answer = await ask(model=model, output_config={"effort": effort})
    if message is None:
        assert answer.status_code == 200, answer.text
    else:
        assert message_of(answer) == message


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"max_tokens": 1024}, "`max_tokens` must be greater than `thinking.budget_tokens`."),
        ({"temperature": 0.5}, "`temperature` may only be set to 1 when thinking is enabled."),
        ({"top_p": 0.5}, "`top_p` must be greater than or equal to 0.95 when thinking is enabled."),
        ({"top_k": 5}, "`top_k` must be unset when thinking is enabled."),
        (
            {"tools": [TOOL], "tool_choice": {"type": "any"}},
            "Thinking may not be enabled when tool_choice forces tool use.",
        ),
        (
            {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "add"}},
            "Thinking may not be enabled when tool_choice forces tool use.",
        ),
    ],
)
async def test_what_does_not_go_with_a_budget(ask: Ask, fields: dict[str, Any], message: str) -> None:
    assert message_of(await ask(thinking=BUDGET, **fields)) == message
    assert (await ask(thinking={"type": "disabled"}, **fields)).status_code == 200


@pytest.mark.parametrize(
    ("model", "thinking"), [("claude-sonnet-4-5", BUDGET), ("claude-opus-5-5", ADAPTIVE)]
)
@pytest.mark.parametrize("display", ["summarized", "omitted"])
async def test_a_tool_loop_with_thoughts(
    ask: Ask, model: str, thinking: dict[str, Any], display: str
) -> None:
    thinking = {**thinking, "display": display}
    prompt = "sim:thinking tool"
    first = (await ask(prompt, model=model, thinking=thinking, tools=[TOOL])).json()
    thought, tool_use = first["content"]
    assert thought["thinking"].startswith("" if display == "omitted" else "Let me think")
    history = [user(prompt), assistant(thought, tool_use), user(result(tool_use["id"]))]
    second = await ask(messages=history, model=model, thinking=thinking, tools=[TOOL])
    assert second.json()["content"][-1]["text"] == "Tool result: 4"

    changed = {**thought, "thinking": thought["thinking"] + " "}
    history[1] = assistant(changed, tool_use)
    answer = await ask(messages=history, model=model, thinking=thinking, tools=[TOOL])
    assert message_of(answer) == "messages.1.content.0: Invalid `signature` in `thinking` block"


async def test_with_a_budget_the_thoughts_must_come_back(ask: Ask) -> None:
    messages = [user("a"), assistant(call()), user(result())]
    message = message_of(await ask(messages=messages, thinking=BUDGET))
    assert message.startswith(
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`."
    )
    assert (await ask(messages=messages, thinking=ADAPTIVE, model="claude-opus-5")).status_code == 200
    assert (await ask(messages=messages)).status_code == 200


async def test_thoughts_of_turns_before_may_be_left_out(ask: Ask) -> None:
    messages = [user("a"), assistant(call()), user(result()), assistant("b"), user("c")]
    assert (await ask(messages=messages, thinking=BUDGET)).status_code == 200


async def test_redacted_thoughts_count_too(ask: Ask) -> None:
    hidden = {"type": "redacted_thinking", "data": "abc"}
    messages = [user("a"), assistant(hidden, call()), user(result())]
    assert (await ask(messages=messages, thinking=BUDGET)).status_code == 200


async def test_a_turn_does_not_end_with_a_thought(ask: Ask) -> None:
    thought = {"type": "thinking", "thinking": "x", "signature": sign("x", "x")}
    answer = await ask(messages=[user("a"), assistant(text("b"), thought), user("c")])
    assert message_of(answer) == "messages.1: the final block in an assistant message cannot be `thinking`"


async def test_a_thought_has_no_cache_mark(ask: Ask) -> None:
    thought = {"type": "thinking", "thinking": "x", "signature": sign("x", "x"), "cache_control": None}
    answer = await ask(messages=[user("a"), assistant(thought, text("b")), user("c")])
    assert message_of(answer) == "messages.1.content.0.thinking.cache_control: Extra inputs are not permitted"


async def test_with_a_budget_every_answer_begins_with_a_thought(ask: Ask) -> None:
    assert [b["type"] for b in (await ask(thinking=BUDGET)).json()["content"]] == ["thinking", "text"]
    assert [b["type"] for b in (await ask("sim:thinking")).json()["content"]] == ["text"]
