"""Claude Code as an API: the real `claude` behind `/sdk`, asked by the official SDKs."""

import base64
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai
import psutil
import pytest

from tests.conftest import Proxies
from tests.scenarios.test_codex_sdk import PNG
from tests.support.processes import Proxy, Simulator
from tests.support.sdk import (
    MODEL,
    ask,
    bash,
    processes_of,
    said,
    sdk_settings,
    text_of,
    turns_upstream,
    until,
)

pytestmark = pytest.mark.slow

MANY = 20


@pytest.fixture(autouse=True)
def nothing_sent_yet(simulator: Simulator) -> None:
    simulator.clear()


class TestFormats:
    def test_messages(self, sdk_claude: anthropic.Anthropic) -> None:
        reply = sdk_claude.messages.create(
            model=MODEL, max_tokens=100, messages=[{"role": "user", "content": "sim:text hello there"}]
        )
        assert [block.text for block in reply.content if block.type == "text"] == ["hello there"]
        assert (reply.model, reply.stop_reason) == (MODEL, "end_turn")
        assert reply.usage.output_tokens > 0
        assert reply.usage.model_extra
        assert reply.usage.model_extra["total_cost_usd"] > 0

    def test_messages_streamed_as_they_come(self, sdk_claude: anthropic.Anthropic) -> None:
        with sdk_claude.messages.stream(
            model=MODEL, max_tokens=100, messages=[{"role": "user", "content": "sim:slow 6 0.2"}]
        ) as stream:
            seen = [(time.monotonic(), text) for text in stream.text_stream]
            final = stream.get_final_message()
        assert "".join(text for _, text in seen) == "".join(f"piece {n} " for n in range(1, 7))
        assert seen[-1][0] - seen[0][0] > 0.6
        assert final.stop_reason == "end_turn"

    def test_chat(self, sdk_openai: openai.OpenAI) -> None:
        reply = sdk_openai.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "sim:text hello there"}]
        )
        assert reply.choices[0].message.content == "hello there"
        assert reply.choices[0].finish_reason == "stop"
        assert reply.usage
        assert reply.usage.completion_tokens > 0

    def test_chat_streamed(self, sdk_openai: openai.OpenAI) -> None:
        chunks = list(
            sdk_openai.chat.completions.create(
                model=MODEL,
                messages=[{"role": "user", "content": "sim:slow 4 0.05"}],
                stream=True,
                stream_options={"include_usage": True},
            )
        )
        texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
        assert len([text for text in texts if text]) >= 4
        assert chunks[-1].usage

    def test_responses(self, sdk_openai: openai.OpenAI) -> None:
        reply = sdk_openai.responses.create(model=MODEL, input="sim:text hello there")
        assert reply.output_text == "hello there"
        assert reply.status == "completed"

    def test_responses_streamed(self, sdk_openai: openai.OpenAI) -> None:
        with sdk_openai.responses.stream(model=MODEL, input="sim:slow 4 0.05") as stream:
            kinds = [event.type for event in stream]
            assert stream.get_final_response().output_text.startswith("piece 1")
        assert kinds.count("response.output_text.delta") >= 4

    @pytest.mark.parametrize("path", ["/sdk/v1/messages", "/claude/sdk/v1/messages"])
    def test_its_alias(self, sdk: Proxy, path: str) -> None:
        assert text_of(ask(sdk, "sim:text hello", path=path)) == "hello"

    def test_an_image_and_a_document_are_seen(self, sdk: Proxy, simulator: Simulator) -> None:
        image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
        text = base64.b64encode(b"%PDF-1.4 x").decode()
        document = {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": text},
        }
        words = {"type": "text", "text": "sim:text seen"}
        assert text_of(ask(sdk, {"role": "user", "content": [image, document, words]})) == "seen"
        kinds = [block["type"] for block in content_upstream(simulator) if isinstance(block, dict)]
        assert "image" in kinds
        assert "document" in kinds

    def test_a_system_prompt_is_added_to_claude_codes_own(self, sdk: Proxy, simulator: Simulator) -> None:
        assert text_of(ask(sdk, "sim:text ok", system="ALWAYS-SAY-ZEBRA")) == "ok"
        entry: Any = simulator.requests()[-1]
        own, added = entry["body_json"]["system"][1:], entry["body_json"]["system"][-1]
        assert added["text"].endswith("ALWAYS-SAY-ZEBRA")
        assert sum(len(block["text"]) for block in own) > 1000

    def test_what_it_cannot_carry_is_a_loss(self, sdk: Proxy) -> None:
        answer = ask(sdk, "sim:text ok", temperature=0.5, stop_sequences=["X"])
        assert "temperature" in answer.headers["x-ccproxy-warnings"]
        assert "stop_sequences" in answer.headers["x-ccproxy-warnings"]


def content_upstream(simulator: Simulator) -> list[Any]:
    return [block for turn in turns_upstream(simulator)[-1] for block in turn["content"]]


class TestConversations:
    def test_the_history_leads_to_the_process_that_holds_it(self, sdk: Proxy, simulator: Simulator) -> None:
        first = ask(sdk, "sim:text one")
        before = {process.pid for process in processes_of(sdk)}
        history = [said("sim:text one"), {"role": "assistant", "content": first.json()["content"]}]
        assert text_of(ask(sdk, *history, "sim:text two")) == "two"
        assert {process.pid for process in processes_of(sdk)} == before
        # Claude Code's own record of the first turn, not one that was told
        assert [turn["role"] for turn in turns_upstream(simulator)[-1]].count("assistant") == 1

    def test_a_chat_client_too(self, sdk_openai: openai.OpenAI, sdk: Proxy) -> None:
        messages: list[Any] = [{"role": "user", "content": "sim:text affinity of a chat client"}]
        for _ in range(3):
            reply = sdk_openai.chat.completions.create(model=MODEL, messages=messages)
            messages += [
                {"role": "assistant", "content": reply.choices[0].message.content},
                {"role": "user", "content": "sim:text more"},
            ]
            count = len(processes_of(sdk))
        assert len(processes_of(sdk)) == count

    def test_a_history_that_nobody_holds_is_told(self, sdk: Proxy, simulator: Simulator) -> None:
        history = [said("My name is Ada."), {"role": "assistant", "content": "Hello Ada."}]
        assert text_of(ask(sdk, *history, "sim:text told")) == "told"
        told = str(turns_upstream(simulator)[-1])
        assert "My name is Ada." in told
        assert "Hello Ada." in told

    def test_a_session_in_the_path_needs_no_history(self, sdk: Proxy, simulator: Simulator) -> None:
        path = "/sdk/by-path/v1/messages"
        assert text_of(ask(sdk, "sim:text one", path=path)) == "one"
        assert text_of(ask(sdk, "sim:text two", path=path)) == "two"
        assert "sim:text one" in str(turns_upstream(simulator)[-1])

    @pytest.mark.parametrize(
        ("headers", "metadata"),
        [({"x-claude-code-session-id": "of-a-header"}, {}), ({}, {"session_id": "of-metadata"})],
    )
    def test_or_named_otherwise(
        self, sdk: Proxy, simulator: Simulator, headers: dict[str, str], metadata: dict[str, str]
    ) -> None:
        for text in ("one", "two"):
            body = {
                "model": MODEL,
                "max_tokens": 9,
                "messages": [said(f"sim:text {text}")],
                "metadata": metadata,
            }
            answer = httpx.post(
                f"{sdk.url}/sdk/v1/messages", json=body, headers=headers, timeout=60, trust_env=False
            )
            assert text_of(answer) == text
        assert "sim:text one" in str(turns_upstream(simulator)[-1])

    def test_a_client_that_leaves_interrupts_its_turn(self, sdk: Proxy, simulator: Simulator) -> None:
        path = "/sdk/left/v1/messages"
        body = {"model": MODEL, "max_tokens": 9, "stream": True, "messages": [said("sim:slow 600 0.1")]}
        with httpx.stream("POST", f"{sdk.url}{path}", json=body, timeout=60, trust_env=False) as answer:
            next(answer.iter_raw())
        until(lambda: [entry for entry in simulator.requests() if entry["outcome"] == "aborted"])
        assert text_of(ask(sdk, "sim:text still here", path=path)) == "still here"
        # the process is the same: it has its own words for what happened
        assert "interrupted" in str(turns_upstream(simulator)[-1])

    def test_two_requests_of_one_session_queue(self, sdk: Proxy) -> None:
        path = "/sdk/queue/v1/messages"
        with ThreadPoolExecutor() as threads:
            slow = threads.submit(ask, sdk, "sim:slow 4 0.2", path=path)
            time.sleep(0.3)
            answer = ask(sdk, "sim:text after", path=path)
            assert text_of(slow.result()).startswith("piece 1")
        assert text_of(answer) == "after"

    def test_but_not_for_ever(self, sdk: Proxy) -> None:
        path = "/sdk/busy/v1/messages"
        with ThreadPoolExecutor() as threads:
            slow = threads.submit(ask, sdk, "sim:slow 25 0.2", path=path)
            time.sleep(0.5)
            answer = ask(sdk, "sim:text never", path=path)
            slow.result()
        assert answer.status_code == 409
        assert answer.headers["x-ccproxy-error"] == "session_busy"
        assert "claude.sessions.wait_seconds" in answer.json()["error"]["message"]

    def test_a_killed_process_is_replaced_with_all_that_was_said(
        self, sdk: Proxy, simulator: Simulator
    ) -> None:
        path = "/sdk/killed/v1/messages"
        before = {process.pid for process in processes_of(sdk)}
        assert text_of(ask(sdk, "sim:text remember-the-zebra", path=path)) == "remember-the-zebra"
        [own] = [process for process in processes_of(sdk) if process.pid not in before]
        own.kill()
        until(lambda: not psutil.pid_exists(own.pid) or own.status() == "zombie")
        assert text_of(ask(sdk, "sim:text again", path=path)) == "again"
        assert "remember-the-zebra" in str(turns_upstream(simulator)[-1])

    def test_one_killed_in_its_turn_is_an_error_and_the_next_try_works(self, sdk: Proxy) -> None:
        path = "/sdk/killed-at-work/v1/messages"
        before = {process.pid for process in processes_of(sdk)}
        with ThreadPoolExecutor() as threads:
            working = threads.submit(ask, sdk, "sim:slow 60 0.2", path=path)
            [own] = until(lambda: [one for one in processes_of(sdk) if one.pid not in before])
            time.sleep(1.5)
            own.kill()
            answer = working.result()
        assert answer.status_code == 503
        assert "Claude Code" in answer.json()["error"]["message"]
        assert text_of(ask(sdk, "sim:text again", path=path)) == "again"

    def test_many_at_once(self, sdk: Proxy) -> None:
        with ThreadPoolExecutor(MANY) as threads:
            answers = list(threads.map(lambda n: ask(sdk, f"sim:text number {n}"), range(MANY)))
        assert [text_of(answer) for answer in answers] == [f"number {n}" for n in range(MANY)]


class TestErrors:
    @pytest.mark.parametrize(
        ("scenario", "status"),
        [("error 429 rate_limit_error", 429), ("error 529", 529), ("error 400 invalid_request_error", 400)],
    )
    def test_the_apis_own_status(self, sdk: Proxy, scenario: str, status: int) -> None:
        answer = ask(sdk, f"sim:{scenario}")
        assert answer.status_code == status
        assert answer.json()["type"] == "error"

    def test_in_the_clients_format(self, sdk_openai: openai.OpenAI) -> None:
        with pytest.raises(openai.RateLimitError):
            sdk_openai.chat.completions.create(
                model=MODEL,
                messages=[{"role": "user", "content": "sim:error 429 rate_limit_error"}],
                stream=True,
            )

    def test_after_an_error_the_turn_can_be_said_again(self, sdk: Proxy, simulator: Simulator) -> None:
        path = "/sdk/once/v1/messages"
        assert ask(sdk, "sim:error 400 invalid_request_error", path=path).status_code == 400
        assert ask(sdk, "sim:text fine", path=path).status_code == 200
        assert "error 400" not in str(turns_upstream(simulator)[-1])

    def test_a_stream_that_breaks_off_is_continued_and_not_repeated(self, sdk: Proxy) -> None:
        text = text_of(ask(sdk, "sim:once error200 6"))
        assert text.count("This is the whole answer") == 1

    def test_no_claude(self, proxies: Proxies, tmp_path: Path) -> None:
        proxy = proxies.get(settings={"CLAUDE__CLI_PATH": str(tmp_path / "claude")})
        answer = ask(proxy, "hello")
        assert answer.status_code == 503
        assert answer.headers["x-ccproxy-error"] == "claude_unavailable"
        assert "claude.cli_path" in answer.json()["error"]["message"]
        assert str(tmp_path) not in answer.text

    @pytest.mark.parametrize("messages", [[], [{"role": "assistant", "content": "x"}]])
    def test_what_is_no_request(self, sdk: Proxy, messages: list[Any]) -> None:
        answer = ask(sdk, *messages)
        assert answer.status_code == 400
        assert "messages" in answer.json()["error"]["message"]


def test_models(sdk: Proxy, sdk_openai: openai.OpenAI, sdk_claude: anthropic.Anthropic) -> None:
    ids = [model.id for model in sdk_claude.models.list()]
    assert ids
    assert [model.id for model in sdk_openai.models.list()] == ids


def test_status_counts_sessions(sdk: Proxy) -> None:
    ask(sdk, "sim:text hello", path="/sdk/status-test/v1/messages")
    status = httpx.get(f"{sdk.url}/sdk/status", trust_env=False).json()
    assert status["ready"]
    assert status["sessions"]["live"] >= 1
    assert status["sessions"]["busy"] == 0


def test_tools_that_claude_code_runs(sdk: Proxy) -> None:
    """`ls` needs no permission; the answer has what came after the tool."""
    assert "Tool result" in text_of(ask(sdk, bash("echo from-the-tool")))


def test_idle_processes_end(proxies: Proxies) -> None:
    proxy = proxies.get(settings=sdk_settings(CLAUDE__SESSIONS__IDLE_SECONDS="1"))
    assert text_of(ask(proxy, "sim:text hello")) == "hello"
    assert processes_of(proxy)
    until(lambda: not processes_of(proxy), 10)


def test_the_idlest_makes_room(proxies: Proxies) -> None:
    proxy = proxies.get(settings=sdk_settings(CLAUDE__SESSIONS__MAX="2"))
    for number in range(4):
        assert text_of(ask(proxy, f"sim:text {number}")) == str(number)
    assert len(processes_of(proxy)) == 2


def test_all_at_work_is_a_clear_error(proxies: Proxies) -> None:
    proxy = proxies.get(settings=sdk_settings(CLAUDE__SESSIONS__MAX="1"))
    busy = threading.Thread(target=ask, args=(proxy, "sim:slow 20 0.2"))
    busy.start()
    time.sleep(1)
    answer = ask(proxy, "sim:text no room")
    busy.join()
    assert answer.status_code == 503
    assert answer.headers["x-ccproxy-error"] == "sessions_full"
