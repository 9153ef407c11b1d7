from typing import Any

import pytest

from tests.simulator.anthropic.asking import Ask, assistant, call, message_of, result, system, text, user

OLD, NEW = "2023-06-01", "2026-10-21"


@pytest.mark.parametrize(
    "messages",
    [
        [user("a"), user("b")],
        [user("a"), assistant("b"), assistant("c"), user("d")],
        [user("a"), assistant(call()), user(result())],
        [user("a"), assistant(call("x"), call("y")), user(result("y"), result("x"), text("go on"))],
        [user("a"), assistant(call("x"), call("y")), user(result("x")), user(result("y"))],
        [user("a"), assistant(text("let me see"), call()), user(result(content=None))],
        [user("a"), assistant("prefill")],
        [user("a"), assistant("")],
        [user("a"), {"role": "assistant", "content": []}],
        [
            user("a"),
            assistant(call()),
            user(result()),
            assistant("4"),
            user("b"),
            assistant(call("z")),
            user(result("z")),
        ],
    ],
)
async def test_a_good_conversation(ask: Ask, messages: list[Any]) -> None:
    answer = await ask(messages=messages)
    assert answer.status_code == 200, answer.text


UNANSWERED = "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: "


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([], "messages: at least one message is required"),
        ([assistant("a")], 'messages: first message must use the "user" role'),
        ([system("a"), user("b")], 'messages: first message must use the "user" role'),
        ([user("")], "messages.0: all messages must have non-empty content"),
        ([user("a"), assistant(""), user("b")], "messages.1: all messages must have non-empty content"),
        ([user(text(""))], "messages: text content blocks must be non-empty"),
        ([user(text(" \n"))], "messages: text content blocks must contain non-whitespace text"),
        ([user("  ")], "messages: text content blocks must contain non-whitespace text"),
        (
            [user(text("", cache_control={"type": "ephemeral"}))],
            "messages: cache_control cannot be set for empty text blocks",
        ),
        (
            [user("a"), assistant(call()), user(result(content=[text("")]))],
            "messages: text content blocks must be non-empty",
        ),
        ([user(call())], "messages.0.content.0: `tool_use` blocks are not allowed in `user` messages"),
        (
            [user("a"), assistant(result())],
            "messages.1.content.0: `tool_result` blocks are not allowed in `assistant` messages",
        ),
        (
            [user("a"), assistant("b ")],
            "messages: final assistant content cannot end with trailing whitespace",
        ),
        ([user("a"), assistant(call())], UNANSWERED + "toolu_1"),
        ([user("a"), assistant(call()), user("b")], UNANSWERED + "toolu_1"),
        ([user("a"), assistant(call("x"), call("y")), user(result("x"))], UNANSWERED + "y"),
        ([user("a"), assistant(call()), user(text("b"), result())], UNANSWERED + "toolu_1"),
        (
            [user("a"), assistant(call("x"), call("y")), user(result("x"), text("b"), result("y"))],
            UNANSWERED + "y",
        ),
        (
            [user("a"), assistant(call("x"), call("y")), user(result("x"), text("b")), user(result("y"))],
            UNANSWERED + "y",
        ),
        (
            [user(result("nobody"))],
            "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: nobody",
        ),
        (
            [user("a"), assistant(call()), user(result()), assistant("b"), user(result())],
            "messages.4.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1",
        ),
        (
            [user("a"), assistant(call()), user(result(), result())],
            "messages.2.content.1: each tool_use must have a single result",
        ),
        ([user("a"), assistant(call(), call()), user(result())], "messages.1: `tool_use` ids must be unique"),
        (
            [user("a"), assistant(call()), user(result()), assistant(call()), user(result())],
            "messages.3: `tool_use` ids must be unique",
        ),
    ],
)
async def test_a_broken_conversation(ask: Ask, messages: list[Any], message: str) -> None:
    assert message_of(await ask(messages=messages)).startswith(message)


@pytest.mark.parametrize("block", ["a b", "ünique", ""])
async def test_an_id_of_a_tool_call_has_plain_letters_only(ask: Ask, block: str) -> None:
    answer = await ask(messages=[user("a"), assistant(call(block)), user(result(block))])
    assert message_of(answer).startswith("messages.1.content.0.tool_use.id: String should match pattern")


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ("", None),
        ([text("")], "system: text content blocks must be non-empty"),
        ([text("  ")], "system: text content blocks must contain non-whitespace text"),
        ("be kind", None),
        ([text("be kind"), text("and quick")], None),
    ],
)
async def test_the_system_prompt(ask: Ask, blocks: Any, message: str | None) -> None:
    answer = await ask(system=blocks)
    if message is None:
        assert answer.status_code == 200
    else:
        assert message_of(answer) == message


class TestSystemMessages:
    @pytest.mark.parametrize(
        "model", ["claude-opus-4-8", "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"]
    )
    async def test_after_a_user_turn(self, ask: Ask, model: str) -> None:
        messages = [user("a"), system("b"), assistant(call()), user(result()), system("c")]
        answer = await ask(model=model, messages=messages)
        assert answer.status_code == 200, answer.text

    @pytest.mark.parametrize("model", ["claude-opus-4-7", "claude-sonnet-4-5", "claude-sonnet-5"])
    async def test_not_on_every_model(self, ask: Ask, model: str) -> None:
        answer = await ask(model=model, messages=[user("a"), system("b")])
        assert message_of(answer) == "messages.1: role 'system' is not supported on this model"

    async def test_not_after_the_assistant(self, ask: Ask) -> None:
        answer = await ask(
            model="claude-opus-5", messages=[user("a"), assistant("b"), system("c"), user("d")]
        )
        assert message_of(answer) == "messages.2: role 'system' must follow a user turn"

    async def test_only_texts_and_tool_changes(self, ask: Ask) -> None:
        image = {"type": "image", "source": {"type": "url", "url": "https://example.com/x.png"}}
        answer = await ask(model="claude-opus-5", messages=[user("a"), system(image)])
        assert message_of(answer).startswith(
            "messages.1.content.0: `image` blocks are not allowed in `system`"
        )
        change = {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "add"}}
        flag = "mid-conversation-tool-changes-2026-07-01"
        answer = await ask(betas=flag, model="claude-opus-5", messages=[user("a"), system(change)])
        assert answer.status_code == 200, answer.text

    async def test_their_text_is_not_empty(self, ask: Ask) -> None:
        answer = await ask(model="claude-opus-5", messages=[user("a"), system("")])
        assert message_of(answer).startswith("messages.1: all messages must have non-empty content")


class TestPrefill:
    @pytest.mark.parametrize("model", ["claude-opus-4-6", "claude-sonnet-4-6", "claude-opus-5-5"])
    async def test_newer_models_do_not_take_it(self, ask: Ask, model: str) -> None:
        answer = await ask(model=model, messages=[user("a"), assistant("The answer is")])
        assert message_of(answer).startswith("This model does not support assistant message prefill.")

    async def test_not_while_thinking(self, ask: Ask) -> None:
        thinking = {"type": "enabled", "budget_tokens": 1024}
        answer = await ask(thinking=thinking, messages=[user("a"), assistant("The answer is")])
        assert "prefill is not supported when thinking is enabled" in message_of(answer)

    async def test_a_paused_turn_is_none(self, ask: Ask) -> None:
        paused = {
            "type": "server_tool_use",
            "id": "srvtoolu_1",
            "name": "web_search",
            "input": {"query": "x"},
        }
        answer = await ask(model="claude-opus-5-5", messages=[user("a"), assistant(text("b"), paused)])
        assert answer.status_code == 200, answer.text


class TestVersion20261021:
    DOCUMENT = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}
    CITATION = {
        "type": "char_location",
        "cited_text": "x",
        "document_index": 0,
        "document_title": None,
        "start_char_index": 0,
        "end_char_index": 1,
    }

    async def check(self, ask: Ask, messages: list[Any], message: str | None) -> None:
        assert (await ask(version=OLD, messages=messages)).status_code == 200
        answer = await ask(version=NEW, messages=messages)
        if message is None:
            assert answer.status_code == 200, answer.text
        else:
            assert message_of(answer) == message

    async def test_no_document_of_the_assistant(self, ask: Ask) -> None:
        messages = [user("a"), assistant(self.DOCUMENT, text("b")), user("c")]
        await self.check(
            ask, messages, "messages.1.content.0: `document` blocks are not allowed in `assistant` messages"
        )

    async def test_no_citations_of_the_user(self, ask: Ask) -> None:
        message = "messages.0.content.0: citations are not allowed on `text` blocks of `user` messages"
        cited = text("x", citations=[self.CITATION])
        await self.check(ask, [user(cited)], message)
        found = {"type": "search_result", "source": "s", "title": "t", "content": [cited]}
        await self.check(ask, [user(found)], message)

    async def test_what_stays_legal(self, ask: Ask) -> None:
        document = {**self.DOCUMENT, "citations": {"enabled": True}}
        cited = text("x", citations=[self.CITATION])
        await self.check(ask, [user(document), assistant(cited), user(text("y", citations=[]))], None)
