"""Requests that nobody should send, for hypothesis."""

from hypothesis import strategies as st

WORDS = [
    *("type", "role", "content", "text", "source", "data", "url", "base64", "id", "name", "input", "title"),
    *("messages", "model", "system", "tools", "tool_choice", "user", "assistant", "image", "document"),
    *("tool_use", "tool_result", "tool_use_id", "thinking", "redacted_thinking", "signature", "enabled"),
    *("budget_tokens", "stop_sequences", "max_tokens", "output_config", "effort", "format", "json_schema"),
    *("schema", "metadata", "citations", "web_search_20250305", "user_location", "context", "search_result"),
    *("media_type", "server_tool_use"),
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(WORDS)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=20,
)
BLOCK = st.fixed_dictionaries({"type": st.sampled_from(WORDS)}, optional=dict.fromkeys(WORDS[1:], JSON))
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system"]), "content": st.lists(BLOCK, max_size=4) | JSON}
)
REQUEST = st.dictionaries(st.sampled_from(WORDS), JSON) | st.fixed_dictionaries(
    {"model": st.just("m"), "messages": st.lists(MESSAGE, min_size=1, max_size=4)},
    optional=dict.fromkeys(("system", "tools", "tool_choice", "thinking", "output_config"), JSON),
)
