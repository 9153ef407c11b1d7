import copy
from contextlib import suppress
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.backends.models import Choice
from ccproxy.codex.fit import Fitted, fit, names_of
from ccproxy.codex.rules import client_version, private_events, rules
from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import JsonObject, Seal, Wire
from ccproxy.formats import carrier
from ccproxy.simulator.app import create_app
from ccproxy.simulator.codex import catalogue
from ccproxy.simulator.codex.caller import Caller
from ccproxy.simulator.codex.rules import HTTP_ONLY, UNSUPPORTED, check_create
from ccproxy.simulator.oauth.claims import AUTH_CLAIM, read_claims
from ccproxy.simulator.oauth.control import plain_grant
from ccproxy.simulator.openai import siwc
from ccproxy.simulator.openai.checking import validate
from ccproxy.simulator.openai.responses_request import ResponsesRequest
from ccproxy.simulator.openai.responses_rules import check
from ccproxy.simulator.openai.responses_run import converse
from ccproxy.simulator.openai.responses_store import ResponseStore
from ccproxy.simulator.openai.sealed import seal
from ccproxy.simulator.server import running
from ccproxy.simulator.state import Simulator
from ccproxy.translation import translate
from tests.laws.conversations import Conversation, body, conversations
from tests.laws.hostile import spoilt
from tests.laws.pace import examples
from tests.laws.streams import WIRES

MODEL = "gpt-5.5"
PLAN, SIWC = rules("plan"), rules("siwc")
SEALED = seal("reasoning", "because")
THOUGHT = {"type": "reasoning", "summary": [], "encrypted_content": SEALED}
HELLO = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}
SAID = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hi"}]}
CALL = {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "seen"}
EMPTY = {"type": "object", "properties": {}, "additionalProperties": False}


def fitted(change: JsonObject | None = None, **options: Any) -> Fitted:
    """A small request with these fields, for the plan's backend."""
    given = {"instructions": "", "session": "", "rules": PLAN, **options}
    return fit({"model": MODEL, "input": "hello"} | (change or {}), **given)


def items(*given: JsonObject) -> list[JsonObject]:
    found: list[JsonObject] = fitted({"input": list(given)}).body["input"]
    return found


def lost(result: Fitted) -> list[str]:
    return [loss.label for loss in result.losses]


def accept(request: JsonObject) -> None:
    """Raises what the simulated backend would answer."""
    sent = msgspec.json.decode(msgspec.json.encode(request))
    wanted = validate(ResponsesRequest, check_create(sent, Caller("account", "plus", lite=False)))
    check(wanted, catalogue.find(str(wanted.model)), needs_input=False)
    converse(wanted, ResponseStore(), None)


def test_the_least() -> None:
    result = fitted()
    assert result == Fitted(
        {
            "model": MODEL,
            "input": [HELLO],
            "instructions": "",
            "stream": True,
            "store": False,
            "include": ["reasoning.encrypted_content"],
        }
    )
    accept(result.body)


def test_every_listed_parameter_is_known_to_the_rules() -> None:
    """What the backend refuses is stripped, and the tables are whole."""
    for name in (*UNSUPPORTED, *HTTP_ONLY, "stream_options"):
        assert name in PLAN.strip or name in PLAN.hints
    for name in siwc.REFUSED:
        assert name in SIWC.strip or name in SIWC.refused
    assert set(SIWC.missing_tools) == siwc.REFUSED_TOOLS
    assert catalogue.version(client_version()) >= max(model.since for model in catalogue.models().values())
    assert all(private_events())


@pytest.mark.parametrize("name", [name for name in PLAN.strip if name != "service_tier"])
def test_stripped_with_a_loss(name: str) -> None:
    result = fitted({name: "asked for"})
    assert name not in result.body
    assert result.losses == (Loss(name, "The ChatGPT plan backend does not take it."),)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name, values in PLAN.strip.items() for value in (None, *values)),
        ("stream_options", {"include_obfuscation": False}),
        ("previous_response_id", "resp_1"),
        ("store", False),
        ("store", None),
        ("stream", False),
        ("conversation", None),
        ("parallel_tool_calls", False),
        ("parallel_tool_calls", None),
        ("tool_choice", None),
        ("include", None),
        ("prompt_cache_key", None),
    ],
)
def test_what_asks_for_nothing_goes_without_a_word(name: str, value: object) -> None:
    plain = fitted()
    assert fitted({name: value}) == plain


def test_what_is_not_known_passes() -> None:
    given = {
        "text": {"verbosity": "low"},
        "new_field": {"a": None},
        "client_metadata": {"a": "b"},
        "nil": None,
    }
    result = fitted(given)
    assert result.losses == ()
    assert {name: result.body[name] for name in given} == given


def test_nothing_is_stored() -> None:
    result = fitted({"store": True})
    assert result.body["store"] is False
    assert lost(result) == ["store"]


@pytest.mark.parametrize(
    ("tier", "sent", "losses"),
    [
        ("priority", "priority", []),
        ("auto", None, []),
        ("default", None, []),
        ("flex", None, ["service_tier"]),
    ],
)
def test_service_tier(tier: str, sent: str | None, losses: list[str]) -> None:
    result = fitted({"service_tier": tier})
    assert (result.body.get("service_tier"), lost(result)) == (sent, losses)


@pytest.mark.parametrize(
    ("captured", "own", "sent"),
    [
        ("", None, ""),
        ("", "be kind", "be kind"),
        ("work", None, "work"),
        ("work", "", "work"),
        ("work", "be kind", "work\n\nbe kind"),
        ("work", "work\n\nbe kind", "work\n\nbe kind"),
        ("work", "be kind, work", "work\n\nbe kind, work"),
    ],
)
def test_instructions(captured: str, own: str | None, sent: str) -> None:
    assert fitted({"instructions": own}, instructions=captured).body["instructions"] == sent


@pytest.mark.parametrize(
    ("own", "session", "sent"),
    [
        (None, "s1", "s1"),
        ("", "s1", "s1"),
        ("mine", "s1", "mine"),
        (None, "", None),
        ("k" * 64, "s1", "k" * 64),
    ],
)
def test_cache_key(own: str | None, session: str, sent: str | None) -> None:
    assert fitted({"prompt_cache_key": own}, session=session).body.get("prompt_cache_key") == sent


def test_a_long_cache_key_stays_one_of_its_own() -> None:
    keys = {fitted(session="s" * 100 + end).body["prompt_cache_key"] for end in "abab"}
    assert len(keys) == 2
    assert {len(key) for key in keys} == {64}


def test_include() -> None:
    result = fitted({"include": ["message.output_text.logprobs", "reasoning.encrypted_content"]})
    assert result.body["include"] == ["reasoning.encrypted_content"]
    assert lost(result) == ["include.0"]


def test_fields_keep_their_order() -> None:
    given = {"store": True, "tools": [], "user": "u", "input": "hi", "x": 1, "model": MODEL}
    result = fit(given, PLAN, instructions="i", session="s")
    assert list(result.body) == [
        *("store", "tools", "input", "x", "model"),
        *("instructions", "stream", "include", "prompt_cache_key"),
    ]


@pytest.mark.parametrize(
    ("item", "sent"),
    [
        ({"role": "system", "content": "be kind"}, {"role": "developer", "content": "be kind"}),
        ({**HELLO, "role": "system"}, {**HELLO, "role": "developer"}),
        ({**SAID, "id": "msg_1", "status": "completed"}, {**SAID, "id": "msg_1"}),
        ({**SAID, "id": "msg_" + "x" * 61}, SAID),
        ({**SAID, "id": "msg_" + "x" * 60}, {**SAID, "id": "msg_" + "x" * 60}),
        (
            {"type": "web_search_call", "id": "ws_1", "status": "completed"},
            {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        ),
        ({"type": "something_new", "content": 1}, {"type": "something_new", "content": 1}),
    ],
)
def test_items(item: JsonObject, sent: JsonObject) -> None:
    assert items(item) == [sent]


def test_cache_breakpoints() -> None:
    part = {"type": "input_text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit"}}
    result = fitted({"input": [{**HELLO, "content": [part]}, CALL, {**RESULT, "output": [part]}]})
    clean = [{"type": "input_text", "text": "x"}]
    assert result.body["input"] == [{**HELLO, "content": clean}, CALL, {**RESULT, "output": clean}]
    assert lost(result) == [
        "input.0.content.0.prompt_cache_breakpoint",
        "input.2.output.0.prompt_cache_breakpoint",
    ]


def test_reasoning_that_goes_back() -> None:
    full = {
        **THOUGHT,
        "id": "rs_1",
        "status": "completed",
        "content": [{"type": "reasoning_text", "text": "t"}],
    }
    bare = {"type": "reasoning", "encrypted_content": SEALED}
    ours = {**THOUGHT, "encrypted_content": carrier.pack(Seal("openai", SEALED, id="rs_1"), "")}
    for reasoning in (full, bare, ours):
        result = fitted({"input": [HELLO, reasoning, THOUGHT, SAID, HELLO]})
        assert result == Fitted({**result.body, "input": [HELLO, THOUGHT, THOUGHT, SAID, HELLO]})
        accept(result.body)


@pytest.mark.parametrize(
    ("given", "sent", "losses"),
    [
        # nobody else can read it
        ([{"type": "reasoning", "id": "rs_1", "summary": []}, SAID], [SAID], ["input.0"]),
        ([{**THOUGHT, "encrypted_content": ""}, SAID], [SAID], ["input.0"]),
        ([{**THOUGHT, "encrypted_content": "cc1o.spoilt"}, SAID], [SAID], ["input.0"]),
        (
            [{**THOUGHT, "encrypted_content": carrier.pack(Seal("anthropic", "s"), "t")}, SAID],
            [SAID],
            ["input.0"],
        ),
        # what it led to does not ask for it any more
        ([{"type": "reasoning", "id": "rs_1"}, {**CALL, "id": "fc_1"}], [CALL], ["input.0"]),
        (
            [{"type": "reasoning", "id": "rs_1"}, THOUGHT, {**CALL, "id": "fc_1"}],
            [THOUGHT, {**CALL, "id": "fc_1"}],
            ["input.0"],
        ),
        # it led to nothing
        ([HELLO, THOUGHT], [HELLO], ["input.1"]),
        ([THOUGHT, THOUGHT, HELLO], [HELLO], ["input.0", "input.1"]),
        ([CALL, THOUGHT, RESULT], [CALL, RESULT], ["input.1"]),
        ([THOUGHT, {"type": "mcp_approval_response"}], [{"type": "mcp_approval_response"}], ["input.0"]),
    ],
)
def test_reasoning_that_does_not(given: list[JsonObject], sent: list[JsonObject], losses: list[str]) -> None:
    result = fitted({"input": given})
    assert result.body["input"] == sent
    assert lost(result) == losses


NO_ARGUMENTS = {"type": "function", "name": "f", "parameters": EMPTY}
NAMESPACE = {"type": "namespace", "name": "n", "description": "d"}


@pytest.mark.parametrize(
    ("tool", "sent"),
    [
        ({"type": "web_search_preview", "filters": {}}, {"type": "web_search", "filters": {}}),
        ({"type": "web_search_preview_2025_03_11"}, {"type": "web_search"}),
        ({"type": "web_search_2025_08_26"}, {"type": "web_search"}),
        ({"type": "function", "name": "f"}, NO_ARGUMENTS),
        ({"type": "function", "name": "f", "parameters": None}, NO_ARGUMENTS),
        (
            {"type": "function", "name": "f", "parameters": {}, "strict": True},
            {**NO_ARGUMENTS, "strict": True},
        ),
        ({"type": "custom", "name": "c"}, {"type": "custom", "name": "c"}),
        ({"type": "local_shell"}, {"type": "local_shell"}),
        (
            {**NAMESPACE, "tools": [{"type": "function", "name": "f"}]},
            {**NAMESPACE, "tools": [NO_ARGUMENTS]},
        ),
    ],
)
def test_tools(tool: JsonObject, sent: JsonObject) -> None:
    result = fitted({"tools": [tool]})
    assert (result.body["tools"], result.losses) == ([sent], ())
    accept(result.body)


def test_a_tool_that_does_not_run_there() -> None:
    function = {"type": "function", "name": "f", "parameters": {"type": "object"}}
    result = fitted({"tools": [{"type": "mcp", "server_label": "s"}, function], "parallel_tool_calls": False})
    assert (result.body["tools"], result.body["parallel_tool_calls"]) == ([function], False)
    assert result.losses == (Loss("tools.0", "The ChatGPT plan backend does not run mcp."),)


def test_tools_in_the_input_are_tools() -> None:
    more = {"type": "additional_tools", "role": "developer", "tools": [{"type": "custom", "name": "c"}]}
    result = fitted({"input": [more, HELLO], "parallel_tool_calls": False, "tool_choice": "required"})
    assert (result.body["parallel_tool_calls"], result.body["tool_choice"]) == (False, "required")


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ({"type": "function", "name": "f"}, {"type": "function", "name": "f"}),
        ({"type": "web_search_preview"}, {"type": "web_search"}),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "web_search_preview"}]},
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "web_search"}]},
        ),
    ],
)
def test_tool_choice(choice: Any, sent: Any) -> None:
    tools = [{"type": "function", "name": "f"}, {"type": "web_search"}]
    result = fitted({"tools": tools, "tool_choice": choice})
    assert (result.body["tool_choice"], result.losses) == (sent, ())
    accept(result.body)


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ({"type": "function", "name": "f"}, "required"),
        ({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]}, "auto"),
    ],
)
def test_a_choice_that_cannot_be_made_there(choice: Any, sent: str) -> None:
    result = fitted({"tools": [{"type": "function", "name": "f"}], "tool_choice": choice}, rules=SIWC)
    assert (result.body["tool_choice"], lost(result)) == (sent, ["tool_choice(relaxed)"])


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"model": None}, "model"),
        ({"input": None}, "input"),
        ({"input": 7}, "input"),
        ({"input": ["x"]}, "input.0"),
        ({"input": [{"type": 1}]}, "input.0.type"),
        ({"input": [{"content": "x"}]}, "input.0.role"),
        ({"input": [{"role": "user"}]}, "input.0.content"),
        ({"input": [{"role": "user", "content": ["x"]}]}, "input.0.content.0"),
        ({"input": [{**SAID, "id": 7}]}, "input.0.id"),
        ({"input": [{"type": "reasoning", "summary": "x"}]}, "input.0.summary"),
        ({"input": [{"type": "reasoning", "encrypted_content": 1}]}, "input.0.encrypted_content"),
        ({"input": [{**RESULT, "output": 1}]}, "input.0.output"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input.0"),
        ({"input": [{"id": "msg_1"}]}, "input.0"),
        ({"instructions": ["x"]}, "instructions"),
        ({"store": "no"}, "store"),
        ({"stream": 1}, "stream"),
        ({"include": [1]}, "include.0"),
        ({"prompt_cache_key": 1}, "prompt_cache_key"),
        ({"parallel_tool_calls": "x"}, "parallel_tool_calls"),
        ({"tools": {}}, "tools"),
        ({"tools": ["x"]}, "tools.0"),
        ({"tools": [{}]}, "tools.0.type"),
        ({"tools": [{"type": "function", "parameters": []}]}, "tools.0.parameters"),
        ({"tools": [{"type": "namespace", "tools": [1]}]}, "tools.0.tools.0"),
        ({"tool_choice": 1}, "tool_choice"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [{"type": "mcp"}], "tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": {"type": "mcp"}}, "tool_choice"),
        ({"tool_choice": {"type": "allowed_tools", "tools": [{"type": "mcp"}]}}, "tool_choice.tools.0"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "p"}}, "prompt"),
    ],
)
def test_what_is_wrong(change: JsonObject, path: str) -> None:
    with pytest.raises(RequestError) as raised:
        fitted(change)
    assert raised.value.path == path


def test_the_clients_own_words() -> None:
    """A loss or an error names the field as the client wrote it, whatever its format."""
    change = {"max_output_tokens": 9, "input": [{"type": "reasoning"}, HELLO], "temperature": 0.5}
    wanted: dict[Wire, list[str]] = {
        "anthropic": ["messages.0", "max_tokens", "temperature"],
        "chat": ["messages.0", "max_completion_tokens", "temperature"],
        "responses": ["input.0", "max_output_tokens", "temperature"],
    }
    for wire, paths in wanted.items():
        assert lost(fitted(change, names=names_of(wire))) == paths
    with pytest.raises(RequestError) as raised:
        fitted({"input": [7]}, names=names_of("chat"))
    assert raised.value.path == "messages.0"


@pytest.mark.parametrize("wire", WIRES)
@given(conversation=conversations())
@examples(25)
def test_whatever_our_codec_writes_is_taken(wire: Wire, conversation: Conversation) -> None:
    raw = msgspec.json.encode(body(wire, conversation))
    request = translate(raw, wire, "responses", lambda _: Choice(MODEL), "0a1b", 1, "off").body
    result = fit(
        msgspec.json.decode(request), PLAN, instructions="captured", session="s", names=names_of(wire)
    )
    accept(result.body)
    assert {loss.path for loss in result.losses} == {names_of(wire)["max_output_tokens"]}


TURNS: st.SearchStrategy[list[JsonObject]] = st.sampled_from(
    (
        [HELLO],
        [{"role": "system", "content": "be kind"}],
        [{"role": "assistant", "content": "hi", "status": "completed", "id": "msg_" + "x" * 70}],
        [THOUGHT, SAID],
        [{**THOUGHT, "id": "rs_1", "status": None}, {**CALL, "id": "fc_1", "status": "completed"}, RESULT],
        [{"type": "reasoning", "id": "rs_2", "summary": []}, {**SAID, "id": "msg_2"}],
        [THOUGHT, HELLO],
        [THOUGHT],
    )
)  # fmt: skip
FIELDS: dict[str, list[Any]] = {
    "instructions": [None, "", "be kind"],
    "store": [None, True, False],
    "stream": [None, True, False],
    "stream_options": [None, {"include_obfuscation": True}],
    "include": [None, [], ["reasoning.encrypted_content"], ["file_search_call.results"]],
    "temperature": [None, 0, 1],
    "top_p": [1, 0.5],
    "truncation": [None, "auto", "disabled"],
    "max_output_tokens": [None, 16],
    "metadata": [{}, {"a": "b"}],
    "user": ["u"],
    "background": [True, False],
    "service_tier": [None, "auto", "flex", "priority"],
    "prompt_cache_key": [None, "k", "k" * 99],
    "prompt_cache_retention": ["24h"],
    "safety_identifier": ["s"],
    "previous_response_id": [None, "resp_1"],
    "reasoning": [None, {"effort": "low", "summary": "auto"}],
    "text": [{"format": {"type": "text"}, "verbosity": "low"}],
    "parallel_tool_calls": [None, True, False],
    "tool_choice": [None, "auto", "none"],
    "tools": [
        None,
        [],
        [{"type": "web_search_preview"}, {"type": "file_search", "vector_store_ids": ["v"]}],
        [{"type": "function", "name": "f", "strict": True}, {"type": "custom", "name": "c"}],
    ],
}


@st.composite
def requests(draw: st.DrawFn) -> JsonObject:
    """What clients of the public API send."""
    turns = draw(st.lists(TURNS, min_size=1, max_size=5))
    given: Any = draw(st.just([item for turn in turns for item in turn]) | st.just("hello"))
    chosen = draw(st.lists(st.sampled_from(sorted(FIELDS)), unique=True))
    more = {name: draw(st.sampled_from(FIELDS[name])) for name in chosen}
    return copy.deepcopy({"model": MODEL, "input": given, **more})


@given(requests())
@examples(150)
def test_whatever_the_public_api_takes_is_taken(request: JsonObject) -> None:
    before = copy.deepcopy(request)
    result = fit(request, PLAN, instructions="captured", session="s")
    accept(result.body)
    assert request == before
    assert msgspec.json.encode(result.body) == msgspec.json.encode(
        fit(before, PLAN, instructions="captured", session="s").body
    )
    # and what fits is not changed any more
    assert fit(result.body, PLAN, instructions="captured", session="s") == Fitted(result.body)


@given(requests())
@examples(50)
def test_and_with_sign_in_with_chatgpt(request: JsonObject) -> None:
    siwc.check_body(fit(request, SIWC, instructions="", session="s").body)


@given(requests().flatmap(spoilt))
@examples(200)
def test_junk_is_refused_in_one_way(request: Any) -> None:
    if isinstance(request, dict):
        with suppress(RequestError):
            msgspec.json.encode(fit(request, PLAN, instructions="captured", session="s").body)


async def test_over_a_socket() -> None:
    simulator = Simulator()
    token = simulator.tokens.issue(plain_grant("codex")).access_token
    claims: Any = read_claims(token)
    headers = {
        "authorization": f"Bearer {token}",
        "chatgpt-account-id": claims[AUTH_CLAIM]["chatgpt_account_id"],
        "originator": "test",
    }
    request = fitted({"temperature": 0.3, "store": True, "tools": [{"type": "web_search_preview"}]}).body
    async with running(create_app(simulator)) as url, httpx.AsyncClient(headers=headers) as client:
        address = f"{url}/backend-api/codex/responses"
        refused = await client.post(address, json=request | {"store": True})
        answer = await client.post(address, json=request)
    assert (refused.status_code, answer.status_code) == (400, 200)
    assert "response.completed" in answer.text
