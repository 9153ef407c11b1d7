"""The input items of a Responses request (official Python SDK 3.54.0 and API reference, read 2026-11-22)."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, Tag, TypeAdapter

from ccproxy.simulator.openai.chat_messages import CacheBreakpoint
from ccproxy.simulator.openai.checking import Strict, choosing, tag, tagged, text_or
from ccproxy.simulator.openai.responses_tools import Tool

Id = Annotated[str, Field(min_length=1, max_length=64)]
Status = Literal["in_progress", "completed", "incomplete"]
Phase = Literal["commentary", "final_answer"]


class InputText(Strict):
    type: Literal["input_text"]
    text: str
    prompt_cache_breakpoint: CacheBreakpoint | None = None


class InputImage(Strict):
    type: Literal["input_image"]
    image_url: str | None = None
    file_id: str | None = None
    detail: Literal["auto", "low", "high", "original"] | None = None
    prompt_cache_breakpoint: CacheBreakpoint | None = None


class InputFile(Strict):
    type: Literal["input_file"]
    file_data: str | None = None
    file_id: str | None = None
    file_url: str | None = None
    filename: str | None = None
    detail: Literal["auto", "low", "high"] | None = None
    prompt_cache_breakpoint: CacheBreakpoint | None = None


class InputAudio(Strict):
    type: Literal["input_audio"]
    input_audio: dict[str, Any]


class OutputText(Strict):
    type: Literal["output_text"]
    text: str
    annotations: list[dict[str, Any]] | None = None
    logprobs: list[dict[str, Any]] | None = None


class OutputRefusal(Strict):
    type: Literal["refusal"]
    refusal: str


type InputPart = Annotated[
    Annotated[InputText, Tag(":input_text")]
    | Annotated[InputImage, Tag(":input_image")]
    | Annotated[InputFile, Tag(":input_file")]
    | Annotated[InputAudio, Tag(":input_audio")],
    tagged("type", "input_text", "input_image", "input_file", "input_audio"),
]
type OutputPart = Annotated[
    Annotated[OutputText, Tag(":output_text")] | Annotated[OutputRefusal, Tag(":refusal")],
    tagged("type", "output_text", "refusal"),
]
type InputContent = Annotated[
    Annotated[str, Tag(":text")] | Annotated[list[InputPart], Tag(":parts")], text_or(":parts")
]
type OutputContent = Annotated[
    Annotated[str, Tag(":text")] | Annotated[list[OutputPart], Tag(":parts")], text_or(":parts")
]


class InputMessage(Strict):
    type: Literal["message"] = "message"
    id: Id | None = None
    role: Literal["user", "system", "developer"]
    content: InputContent
    status: Status | None = None
    phase: Phase | None = None


class OutputMessage(Strict):
    type: Literal["message"] = "message"
    id: Id | None = None
    role: Literal["assistant"]
    content: OutputContent
    status: Status | None = None
    phase: Phase | None = None


class SummaryText(Strict):
    type: Literal["summary_text"]
    text: str


class ReasoningText(Strict):
    type: Literal["reasoning_text"]
    text: str


class Reasoning(Strict):
    type: Literal["reasoning"]
    id: Id | None = None
    summary: list[SummaryText]
    content: list[ReasoningText] | None = None
    encrypted_content: str | None = None
    status: Status | None = None


class FunctionCall(Strict):
    type: Literal["function_call"]
    id: Id | None = None
    call_id: Id
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$", max_length=128)]
    arguments: str
    namespace: str | None = None
    status: Status | None = None
    caller: dict[str, Any] | None = None
    async_: Annotated[bool | None, Field(alias="async")] = None


class FunctionCallOutput(Strict):
    type: Literal["function_call_output"]
    id: Id | None = None
    call_id: Id
    output: InputContent
    name: str | None = None
    namespace: str | None = None
    status: Status | None = None
    caller: dict[str, Any] | None = None


class CustomCall(Strict):
    type: Literal["custom_tool_call"]
    id: Id | None = None
    call_id: Id
    name: str
    input: str
    namespace: str | None = None
    status: Status | None = None
    caller: dict[str, Any] | None = None
    async_: Annotated[bool | None, Field(alias="async")] = None


class CustomCallOutput(Strict):
    type: Literal["custom_tool_call_output"]
    id: Id | None = None
    call_id: Id
    output: InputContent
    name: str | None = None
    status: Status | None = None
    caller: dict[str, Any] | None = None


class AdditionalTools(Strict):
    type: Literal["additional_tools"]
    id: Id | None = None
    role: Literal["developer"]
    tools: list[Tool]


class Compaction(Strict):
    type: Literal["compaction"]
    id: Id | None = None
    encrypted_content: str
    created_by: str | None = None


class ItemReference(Strict):
    type: Literal["item_reference"] | None = None
    id: str


class ConfigurationUpdate(Strict):
    type: Literal["configuration_update"]
    id: Id | None = None
    role: str | None = None
    reasoning: dict[str, Any] | None = None
    text: dict[str, Any] | None = None


class Opaque(Strict):
    """An item of a hosted tool: taken back as it was given, not looked into."""

    model_config = ConfigDict(extra="allow")
    type: str


HOSTED = (
    "web_search_call",
    "file_search_call",
    "code_interpreter_call",
    "image_generation_call",
    "computer_call",
    "computer_call_output",
    "local_shell_call",
    "local_shell_call_output",
    "shell_call",
    "shell_call_output",
    "apply_patch_call",
    "apply_patch_call_output",
    "mcp_list_tools",
    "mcp_call",
    "mcp_approval_request",
    "mcp_approval_response",
    "tool_search_call",
    "tool_search_output",
    "program",
    "program_output",
    "compaction_trigger",
)
OWN = (
    "reasoning",
    "function_call",
    "function_call_output",
    "custom_tool_call",
    "custom_tool_call_output",
    "additional_tools",
    "compaction",
    "item_reference",
    "configuration_update",
)


def _choose(value: Any) -> str | None:
    """A message may leave its type out, and so may a reference, which is an id and nothing else."""
    kind = tag(value, "type")
    if kind is None:
        kind = "item_reference" if isinstance(value, dict) and set(value) <= {"id", "type"} else "message"
    if kind in HOSTED:
        return "opaque"
    return kind if kind == "message" or kind in OWN else None


type Message = Annotated[
    Annotated[InputMessage, Tag(":user")]
    | Annotated[InputMessage, Tag(":system")]
    | Annotated[InputMessage, Tag(":developer")]
    | Annotated[OutputMessage, Tag(":assistant")],
    tagged("role", "assistant", "system", "developer", "user"),
]
type Item = Annotated[
    Annotated[Message, Tag(":message")]
    | Annotated[Reasoning, Tag(":reasoning")]
    | Annotated[FunctionCall, Tag(":function_call")]
    | Annotated[FunctionCallOutput, Tag(":function_call_output")]
    | Annotated[CustomCall, Tag(":custom_tool_call")]
    | Annotated[CustomCallOutput, Tag(":custom_tool_call_output")]
    | Annotated[AdditionalTools, Tag(":additional_tools")]
    | Annotated[Compaction, Tag(":compaction")]
    | Annotated[ItemReference, Tag(":item_reference")]
    | Annotated[ConfigurationUpdate, Tag(":configuration_update")]
    | Annotated[Opaque, Tag(":opaque")],
    choosing(_choose, "type", ("message", *OWN, *HOSTED)),
]

ITEM: TypeAdapter[Item] = TypeAdapter(Item)


def as_item(value: dict[str, Any]) -> Item:
    """An output item, read as the input item it becomes in the next turn."""
    return ITEM.validate_python(value)


def texts(content: str | list[InputPart] | list[OutputPart]) -> tuple[str, ...]:
    """The texts of a content, in order."""
    if isinstance(content, str):
        return (content,)
    return tuple(
        part.refusal if isinstance(part, OutputRefusal) else part.text
        for part in content
        if isinstance(part, InputText | OutputText | OutputRefusal)
    )
