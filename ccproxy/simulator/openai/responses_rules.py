"""What a Responses request must not say, beyond the shapes of its fields."""

from collections.abc import Sequence

from ccproxy.simulator.openai.catalogue import Model, check_effort
from ccproxy.simulator.openai.errors import ApiError, unsupported_parameter
from ccproxy.simulator.openai.images import check_image
from ccproxy.simulator.openai.responses_items import (
    Compaction,
    CustomCall,
    CustomCallOutput,
    FunctionCall,
    FunctionCallOutput,
    InputImage,
    InputMessage,
    Item,
    ItemReference,
    OutputMessage,
    Reasoning,
    texts,
)
from ccproxy.simulator.openai.responses_request import (
    JsonObjectFormat,
    JsonSchemaFormat,
    ResponsesRequest,
    TokenCountRequest,
)
from ccproxy.simulator.openai.responses_store import ResponseStore
from ccproxy.simulator.openai.responses_tools import FunctionTool, NamedChoice, NamespaceTool, Tool
from ccproxy.simulator.openai.schemas import check_parameters, check_schema
from ccproxy.simulator.openai.sealed import unseal

ID_PREFIXES = {
    OutputMessage: "msg",
    Reasoning: "rs",
    FunctionCall: "fc",
    CustomCall: "ctc",
    Compaction: "cmp",
}


def check(request: ResponsesRequest, model: Model, *, needs_input: bool = True) -> None:
    """Raises ApiError for the first broken rule that can be seen in the request alone."""
    if needs_input and not request.input and request.previous_response_id is None:
        message = "One of 'input', 'previous_response_id', 'prompt' or 'conversation' must be provided."
        raise ApiError(400, message, param="input", code="missing_required_parameter")
    check_effort(model, request.effort, "reasoning.effort")
    _check_options(request)
    if model.reasons and request.effort != "none":
        for name in ("temperature", "top_p", "top_logprobs"):
            if getattr(request, name) not in (None, 1):
                raise unsupported_parameter(name)
    if not model.reasons and "reasoning.encrypted_content" in (request.include or ()):
        raise ApiError(400, "Encrypted content is not supported with this model.", param="include")
    check_tools(request)
    _check_format(request)


def _check_options(request: ResponsesRequest) -> None:
    if request.stream_options is not None and not request.stream:
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise ApiError(400, message, param="stream_options")
    if request.previous_response_id is not None and request.conversation is not None:
        message = "Use either 'previous_response_id' or 'conversation', not both."
        raise ApiError(400, message, param="conversation", code="mutually_exclusive_parameters")
    if request.conversation is not None:
        raise ApiError(404, "The conversation was not found.", param="conversation")
    if request.prompt is not None:
        raise ApiError(404, f"Prompt with id '{request.prompt.id}' not found.", param="prompt.id")
    if request.background and not request.stored:
        raise ApiError(400, "'background' needs 'store' to be true.", param="background")


def check_tools(request: TokenCountRequest) -> None:
    for index, tool in enumerate(request.tools or ()):
        _check_tool(tool, f"tools[{index}]")
    choice = request.tool_choice
    if not request.tools and choice not in (None, "auto", "none"):
        raise ApiError(400, "'tool_choice' must be specified with 'tools'.", param="tool_choice")
    if isinstance(choice, NamedChoice) and choice.name not in names(request.tools or ()):
        raise ApiError(400, f"Tool choice '{choice.name}' not found in 'tools'.", param="tool_choice")


def _check_tool(tool: Tool, param: str) -> None:
    if isinstance(tool, NamespaceTool):
        for index, inner in enumerate(tool.tools):
            _check_tool(inner, f"{param}.tools[{index}]")
    if isinstance(tool, FunctionTool):
        strict = bool(tool.strict)
        check_parameters(tool.parameters, strict=strict, name=tool.name, param=f"{param}.parameters")


def names(tools: Sequence[Tool]) -> list[str]:
    """The names of the tools that the client runs."""
    found: list[str] = []
    for tool in tools:
        if isinstance(tool, NamespaceTool):
            found += [inner.name for inner in tool.tools]
        elif (name := getattr(tool, "name", None)) is not None:
            found.append(str(name))
    return found


def _check_format(request: ResponsesRequest) -> None:
    wanted = request.format
    if isinstance(wanted, JsonSchemaFormat):
        check_schema(
            wanted.schema_,
            strict=bool(wanted.strict),
            owner=f"response_format '{wanted.name}'",
            code="invalid_json_schema",
            param="text.format.schema",
        )
    if isinstance(wanted, JsonObjectFormat):
        spoken = [request.instructions or ""]
        for item in request.items:
            if isinstance(item, InputMessage | OutputMessage):
                spoken += texts(item.content)
        if not any("json" in text.lower() for text in spoken):
            message = (
                "Input messages must contain the word 'json' in some form to use 'text.format' of type "
                "'json_object'."
            )
            raise ApiError(400, message, param="input")


def check_items(items: Sequence[Item], store: ResponseStore) -> None:
    """Raises ApiError for items of the input that cannot be as they are."""
    for index, item in enumerate(items):
        param = f"input[{index}]"
        item_id = getattr(item, "id", None)
        prefix = ID_PREFIXES.get(type(item))
        if prefix is not None and item_id is not None and not item_id.startswith(prefix):
            message = f"Invalid '{param}.id': '{item_id}'. Expected an ID that begins with '{prefix}'."
            raise ApiError(400, message, param=f"{param}.id", code="invalid_value")
        if isinstance(item, ItemReference) and item.id not in store.items:
            raise _not_found(item.id)
        if isinstance(item, Reasoning):
            _check_reasoning(item, items[index + 1 :], store, param)
        if isinstance(item, Compaction):
            unseal("compaction", item.encrypted_content, f"{param}.encrypted_content")
        needed = store.reasoning_before.get(item_id or "")
        if needed is not None and not _is_reasoning(items[index - 1] if index else None, needed, store):
            raise ApiError(
                400,
                f"Item '{item_id}' was provided without its required 'reasoning' item: '{needed}'.",
                param="input",
            )
        _check_images(item, param)


def _is_reasoning(item: Item | None, item_id: str, store: ResponseStore) -> bool:
    """A reasoning item counts with its id or, when nothing is stored, without one."""
    if isinstance(item, ItemReference):
        return item.id == item_id
    return isinstance(item, Reasoning) and item.id in (item_id, None)


def _check_reasoning(item: Reasoning, after: Sequence[Item], store: ResponseStore, param: str) -> None:
    if item.encrypted_content is not None:
        unseal("reasoning", item.encrypted_content, f"{param}.encrypted_content")
    elif item.id not in store.items:
        raise _not_found(str(item.id))
    follower = next((other for other in after if not isinstance(other, Reasoning)), None)
    if follower is None or isinstance(follower, InputMessage | FunctionCallOutput | CustomCallOutput):
        raise ApiError(
            400,
            f"Item '{item.id}' of type 'reasoning' was provided without its required following item.",
            param="input",
        )


def _not_found(item_id: str) -> ApiError:
    message = (
        f"Item with id '{item_id}' not found. Items are not persisted when `store` is set to false. "
        "Try again with `store` set to true, or remove this item from your input."
    )
    return ApiError(404, message, param="input")


def _check_images(item: Item, param: str) -> None:
    field = "output" if isinstance(item, FunctionCallOutput | CustomCallOutput) else "content"
    content = getattr(item, field, None)
    if not isinstance(content, list):
        return
    for number, part in enumerate(content):
        if isinstance(part, InputImage):
            where = f"{param}.{field}[{number}].image_url"
            if part.image_url is not None:
                check_image(part.image_url, where)
            elif part.file_id is None:
                raise ApiError(400, f"Missing required parameter: '{where}'.", param=where)


def check_pairs(history: Sequence[Item]) -> None:
    """Every call has its output later on, every output its call before. Raises ApiError."""
    called: dict[str, bool] = {}
    for item in history:
        if isinstance(item, FunctionCall | CustomCall):
            called[item.call_id] = False
        elif isinstance(item, FunctionCallOutput | CustomCallOutput):
            if item.call_id not in called:
                message = f"No tool call found for function call output with call_id {item.call_id}."
                raise ApiError(400, message, param="input")
            called[item.call_id] = True
    for call_id, answered in called.items():
        if not answered:
            raise ApiError(400, f"No tool output found for function call {call_id}.", param="input")
