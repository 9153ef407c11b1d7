"""docs/errors.md has every error of ours, and shows errors as they are."""

import inspect
import json
import re

import pytest

from ccproxy import failures
from ccproxy.formats import ERRORS, FormatName
from tests.docs.pages import blocks, page, section

PAGE = page("errors")
KINDS = re.findall(r'return Failure\(\s*"(\w+)",\s*(\d+)', inspect.getsource(failures))


def test_no_kind_of_failure_is_overlooked() -> None:
    made = [m for m in vars(failures).values() if inspect.isfunction(m) and m.__module__ == failures.__name__]
    assert len(KINDS) == len(made)


@pytest.mark.parametrize(("code", "status"), KINDS)
def test_every_error_is_in_the_table_and_has_advice(code: str, status: str) -> None:
    assert f"\n| `{code}` | {status} |" in section(PAGE, "## Every error")
    assert f"\n| `{code}` | " in section(PAGE, "## What to do")


@pytest.mark.parametrize(
    ("client_format", "host"),
    [
        ("anthropic", "api.anthropic.com"),
        ("chat", "api.openai.com"),
        ("responses", "api.openai.com"),
    ],
)
def test_a_broken_stream_is_shown_as_it_is(client_format: FormatName, host: str) -> None:
    shown = section(PAGE, "## When the provider dies in the middle of a stream")
    (request_id,) = re.findall(r"ccp_[0-9a-f]{32}", shown)
    event = ERRORS[client_format].event(failures.upstream_cut(host), request_id)
    assert event.decode().strip() in [block.strip() for block in blocks(shown, "text")]


def test_the_examples_have_the_shape_of_the_errors() -> None:
    examples = [json.loads(block) for block in blocks(PAGE, "json")]
    failure = failures.no_credential("x")
    formats: tuple[FormatName, ...] = ("anthropic", "chat", "utility")
    for example, client_format in zip(examples, formats, strict=True):
        real = json.loads(ERRORS[client_format].body(failure, "ccp_0"))
        assert example.keys() == real.keys()
        assert example["error"].keys() == real["error"].keys()
    assert examples[0]["error"]["type"] == examples[1]["error"]["type"] == failure.type
