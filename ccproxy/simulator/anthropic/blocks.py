"""Content blocks of a request, as types (Messages API reference and SDK types, read 2026-11-22).

What the simulator has no opinion about (the content of server tool results, citations, beta blocks) is taken
as it is; everything else is checked to the last key.
"""

import base64
import binascii
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

MAX_IMAGE_BYTES = 5 * 1024 * 1024
ID_PATTERN = r"^[a-zA-Z0-9_-]+$"


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class CacheControl(Shape):
    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] | None = None
    scope: str | None = None


class Cached(Shape):
    cache_control: CacheControl | None = None


class CitationsConfig(Shape):
    enabled: bool | None = None


class TextBlock(Cached):
    type: Literal["text"]
    text: str
    citations: list[dict[str, Any]] | None = None


# --- media -------------------------------------------------------------------------------------------


def _is_image(data: str) -> str:
    try:
        decoded = base64.b64decode(data, validate=True)
    except binascii.Error:
        raise ValueError("Invalid base64 data") from None
    if len(decoded) > MAX_IMAGE_BYTES:
        raise ValueError(f"image exceeds 5 MB maximum: {len(decoded)} bytes > {MAX_IMAGE_BYTES} bytes")
    return data


class Base64Image(Shape):
    type: Literal["base64"]
    media_type: Literal["image/jpeg", "image/png", "image/gif", "image/webp"]
    data: Annotated[str, AfterValidator(_is_image)]


class UrlSource(Shape):
    type: Literal["url"]
    url: str


class FileSource(Shape):
    type: Literal["file"]
    file_id: str


class Transformations(Shape):
    oversized_image: Literal["downsize", "error"] | None = None


class ImageBlock(Cached):
    type: Literal["image"]
    source: Annotated[Base64Image | UrlSource | FileSource, Field(discriminator="type")]
    transformations: Transformations | None = None


class Base64Pdf(Shape):
    type: Literal["base64"]
    media_type: Literal["application/pdf"]
    data: str


class PlainText(Shape):
    type: Literal["text"]
    media_type: Literal["text/plain"]
    data: str


def _as_blocks(content: Any) -> Any:
    """A string is short for one text block; the empty string for none."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content


class ContentSource(Shape):
    type: Literal["content"]
    content: Annotated[
        list[Annotated[TextBlock | ImageBlock, Field(discriminator="type")]], BeforeValidator(_as_blocks)
    ]


class DocumentBlock(Cached):
    type: Literal["document"]
    source: Annotated[
        Base64Pdf | UrlSource | PlainText | ContentSource | FileSource, Field(discriminator="type")
    ]
    title: str | None = None
    context: str | None = None
    citations: CitationsConfig | None = None


class SearchResultBlock(Cached):
    type: Literal["search_result"]
    source: str
    title: str
    content: list[TextBlock]
    citations: CitationsConfig | None = None


# --- tools -------------------------------------------------------------------------------------------


class Caller(Shape):
    type: Literal["direct", "code_execution_20250825", "code_execution_20260120"]
    tool_id: str | None = None


class ToolUseBlock(Cached):
    type: Literal["tool_use"]
    id: str = Field(pattern=ID_PATTERN)
    name: str = Field(min_length=1, max_length=200)
    input: dict[str, Any]
    caller: Caller | None = None
    toolset_name: str | None = None


class ToolReference(Cached):
    type: Literal["tool_reference"]
    tool_name: str


class BrowserState(Cached):
    model_config = ConfigDict(extra="allow")
    type: Literal["browser_state"]


type ResultPart = Annotated[
    TextBlock | ImageBlock | DocumentBlock | SearchResultBlock | ToolReference | BrowserState,
    Field(discriminator="type"),
]


class ToolResultBlock(Cached):
    type: Literal["tool_result"]
    tool_use_id: str = Field(pattern=ID_PATTERN)
    content: Annotated[list[ResultPart] | None, BeforeValidator(_as_blocks)] = None
    is_error: bool | None = None
    toolset_name: str | None = None


class ServerToolUseBlock(Cached):
    type: Literal["server_tool_use"]
    id: str = Field(pattern=ID_PATTERN)
    name: Literal[
        "web_search",
        "web_fetch",
        "code_execution",
        "bash_code_execution",
        "text_editor_code_execution",
        "tool_search_tool_regex",
        "tool_search_tool_bm25",
        "advisor",
    ]
    input: dict[str, Any]
    caller: Caller | None = None


class ServerResultBlock(Cached):
    type: Literal[
        "web_search_tool_result",
        "web_fetch_tool_result",
        "code_execution_tool_result",
        "bash_code_execution_tool_result",
        "text_editor_code_execution_tool_result",
        "tool_search_tool_result",
        "advisor_tool_result",
    ]
    tool_use_id: str
    content: Any
    caller: Caller | None = None


class ContainerUploadBlock(Cached):
    type: Literal["container_upload"]
    file_id: str


# --- thinking and beta blocks ------------------------------------------------------------------------


class ThinkingBlock(Shape):
    type: Literal["thinking"]
    thinking: str
    signature: str


class RedactedThinkingBlock(Shape):
    type: Literal["redacted_thinking"]
    data: str = Field(min_length=1)


class McpToolUseBlock(Cached):
    type: Literal["mcp_tool_use"]
    id: str = Field(pattern=ID_PATTERN)
    name: str
    server_name: str
    input: dict[str, Any]


class McpToolResultBlock(Cached):
    type: Literal["mcp_tool_result"]
    tool_use_id: str
    content: Annotated[list[TextBlock] | None, BeforeValidator(_as_blocks)] = None
    is_error: bool | None = None


class ToolChangeBlock(Cached):
    type: Literal["tool_addition", "tool_removal"]
    tool: dict[str, Any]


class BetaBlock(Shape):
    """Blocks of beta features that the simulator takes as they are."""

    model_config = ConfigDict(extra="allow")
    type: Literal["compaction", "fallback", "mcp_tool_listing", "connector_text"]


type Block = Annotated[
    TextBlock
    | ImageBlock
    | DocumentBlock
    | SearchResultBlock
    | ToolUseBlock
    | ToolResultBlock
    | ServerToolUseBlock
    | ServerResultBlock
    | ContainerUploadBlock
    | ThinkingBlock
    | RedactedThinkingBlock
    | McpToolUseBlock
    | McpToolResultBlock
    | ToolChangeBlock
    | BetaBlock,
    Field(discriminator="type"),
]

type Blocks = Annotated[list[Block], BeforeValidator(_as_blocks)]
type TextBlocks = Annotated[list[TextBlock], BeforeValidator(_as_blocks)]
