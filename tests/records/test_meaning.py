"""What counts of a request, and what does not."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.records.meaning import meaning

BILLING = "x-anthropic-billing-header: cc_version=2.1.330.a63; cch={0}; cc_prompt_id={1}; cc_turn_origin=sdk;"

GIT = """<system-reminder># gitStatus
This is the git status at the start of the conversation. It will not update.

Current branch: b{0}

Recent commits:
{0}aed69f a commit
{0}bed69f another

Claude Code attached this.</system-reminder>"""


def claude(cwd: str, home: str, run: str, prompt: str = "hello 2026-01-02") -> dict[str, Any]:
    """A request as Claude Code sends it, in the second turn of a conversation."""
    slug = "".join(letter if letter.isalnum() else "-" for letter in cwd)
    uuid = f"{run * 8}-{run * 4}-{run * 4}-{run * 4}-{run * 12}"
    return {
        "model": "claude-opus-5-5",
        "metadata": {"user_id": f'{{"session_id": "{uuid}"}}'},
        "diagnostics": {"previous_message_id": f"msg_{run}"},
        "system": [
            {"type": "text", "text": BILLING.format(run * 5, uuid)},
            {
                "type": "text",
                "text": f"Memory: `{home}/.claude/projects/{slug}/memory/`. Today's date is 2026-11-2{run}.",
                "cache_control": {"type": "ephemeral"},
            },
        ],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": f"<system-reminder>It is 2026-11-2{run}</system-reminder>"},
                    {"type": "text", "text": GIT.format(run)},
                    {"type": "text", "text": prompt},
                ],
            },
            {
                "role": "system",
                "content": f" - Primary working directory: {cwd}\n - OS Version: 6.{run}\n - Shell: zsh{run}",
            },
            {
                "role": "assistant",
                "content": [
                    {
                        "type": "tool_use",
                        "id": f"toolu_{run}",
                        "name": "Read",
                        "input": {"file_path": f"{cwd}/a.py", "id": "kept"},
                    }
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": f"toolu_{run}", "content": f"{home}/x {uuid}"}
                ],
            },
        ],
    }


def codex(cwd: str, home: str, run: str) -> dict[str, Any]:
    """A request as Codex sends it."""
    uuid = f"{run * 8}-{run * 4}-{run * 4}-{run * 4}-{run * 12}"
    passed = {"turn_id": uuid, "create_time": 1795392900.5}
    context = f"<environment_context><cwd>{cwd}</cwd><shell>{run}</shell></environment_context>"
    return {
        "model": "gpt-6.1-sol",
        "prompt_cache_key": uuid,
        "client_metadata": {"session_id": uuid},
        "input": [
            {
                "type": "message",
                "id": f"msg_{uuid}",
                "role": "developer",
                "content": [{"type": "input_text", "text": f"- `r0` = `{home}/.codex/skills/.system`"}],
                "internal_chat_message_metadata_passthrough": passed,
            },
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": context}]},
            {"type": "custom_tool_call", "call_id": f"call_{run}", "name": "exec", "input": "ls"},
            {
                "type": "custom_tool_call_output",
                "call_id": f"call_{run}",
                "output": [{"type": "input_text", "text": f"Script completed\nWall time 0.{run} seconds\n"}],
            },
        ],
    }


@pytest.mark.parametrize("make", [claude, codex])
def test_two_runs_mean_the_same(make: Any) -> None:
    """In other directories, of another user, on another day."""
    assert meaning(make("/home/a/project", "/home/a", "1")) == meaning(
        make("/builds/x_y", "/home/runner", "2")
    )


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (("/w/a", "/h/me"), ("/", "/h/me")),
        (("/w/a", "/h/me"), ("/h/me", "/h/me")),
        (("/w/a", "/h/me"), ("/h/other", "/h/other")),
    ],
)
def test_in_the_root_and_in_the_home(one: tuple[str, str], two: tuple[str, str]) -> None:
    def ask(cwd: str, home: str) -> Any:
        kept = f"{home}/.claude/projects/{cwd.replace('/', '-')}/memory/"
        here = f" - Primary working directory: {cwd}\n"
        system = [{"type": "text", "text": text} for text in (f"Memory: `{kept}`.", here)]
        place = f"<environment_context><cwd>{cwd}</cwd></environment_context>"
        return meaning({"system": system, "input": [{"role": "user", "content": place}]})

    assert ask(*one) == ask(*two)


def test_a_path_at_the_end_of_a_sentence() -> None:
    def ask(cwd: str) -> Any:
        said = [{"role": "user", "content": f"I am in {cwd}. Not in {cwd}.old or {cwd}-old."}]
        return meaning({"system": f"working directory: {cwd}", "messages": said})["messages"][0]["content"]

    assert ask("/w/a") == "I am in <cwd>. Not in /w/a.old or /w/a-old."


@pytest.mark.parametrize("value", [{"a": 1}, 1, True, "text", [], [1, {"a": [None]}]])
def test_what_no_provider_takes_has_a_meaning(value: object) -> None:
    """It is recorded with the error that it got."""
    request = dict.fromkeys(("input", "messages", "system", "instructions", "tools"), value)
    assert meaning(request) == request


@given(st.text(min_size=1), st.text(min_size=1))
def test_another_prompt_means_something_else(one: str, two: str) -> None:
    first, second = (meaning(claude("/w/x", "/h", "1", prompt)) for prompt in (one, two))
    assert (first == second) == (one == two)


@pytest.mark.parametrize(
    ("one", "two"),
    [("on 2026-01-02", "on 2026-01-03"), ("a" * 9, "a" * 8), ("x 0f" + "0" * 30, "x 1f" + "0" * 30)],
)
def test_a_persons_words_are_taken_as_they_are(one: str, two: str) -> None:
    """Even if they look like a time or an id."""
    ask: Any = lambda text: meaning({"model": "m", "messages": [{"role": "user", "content": text}]})  # noqa: E731
    assert ask(one) != ask(two)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "type", "text", "content", "role", "input", "tool_use_id", "x"]), inner
        )
    ),
    max_leaves=20,
)
requests = st.fixed_dictionaries(
    {"model": st.text()}
    | dict.fromkeys(("messages", "input", "system", "instructions", "tools"), json_values)
)


@given(requests)
def test_the_meaning_of_a_meaning_is_itself(request: dict[str, Any]) -> None:
    once = meaning(request)
    assert meaning(once) == once


@pytest.mark.parametrize("make", [claude, codex])
def test_the_meaning_of_a_clients_request_is_its_own_meaning(make: Any) -> None:
    once = meaning(make("/home/a/project", "/home/a", "1"))
    assert meaning(once) == once


def test_the_request_stays_as_it_is() -> None:
    request = claude("/home/a/project", "/home/a", "1")
    before = copy.deepcopy(request)
    meaning(request)
    assert request == before


def test_ids_tie_together() -> None:
    """Which result belongs to which call counts; what the ids are does not."""

    def turns(first: str, second: str) -> Any:
        calls = [{"type": "tool_use", "id": f"{n}", "name": "a", "input": {}} for n in "xy"]
        results = [{"type": "tool_result", "tool_use_id": n, "content": "c"} for n in (first, second)]
        return meaning(
            {"messages": [{"role": "assistant", "content": calls}, {"role": "user", "content": results}]}
        )

    assert turns("x", "y") != turns("y", "x")


@pytest.mark.parametrize(
    "change",
    [
        {"model": "another"},
        {"stream": True},
        {"temperature": 0.5},
        {"thinking": {"type": "enabled"}},
        {"tools": [{"name": "add", "input_schema": {"properties": {"id": {"type": "string"}}}}]},
        {"system": "Be brief."},
        {"prompt": {"id": "pmpt_2"}},
    ],
)
def test_settings_count(change: dict[str, Any]) -> None:
    request = {
        "model": "m",
        "messages": [],
        "tools": [{"name": "add", "input_schema": {"properties": {"id": {}}}}],
        "prompt": {"id": "pmpt_1"},
    }
    assert meaning({**request, **change}) != meaning(request)


def test_what_does_not_count() -> None:
    marked = {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {"type": "e"}}]}
    plain = {"content": [{"text": "a", "type": "text"}], "role": "user"}
    assert meaning({"messages": [marked], "user": "u", "model": "m", "system": None}) == meaning(
        {"model": "m", "messages": [plain]}
    )


def test_names_inside_arguments_are_somebody_elses() -> None:
    """A field called `id` or `cache_control` in the input of a tool is part of what was asked."""

    def call(value: str) -> Any:
        inner = {"type": "tool_use", "id": "t", "name": "a", "input": {"id": value, "cache_control": value}}
        return meaning({"messages": [{"role": "assistant", "content": [inner]}]})

    assert call("1") != call("2")
