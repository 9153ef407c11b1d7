"""How Claude Code is started: options, command line, environment. Pure.

MCP servers and system prompts are not among the arguments: they may hold secrets, which everybody on the
machine could read there. The process is told them over its standard input.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from claude_code_sdk import ClaudeCodeOptions

from ccproxy.agent import permission_mcp, tool_names
from ccproxy.agent.guard import VARIABLE
from ccproxy.settings import Settings
from ccproxy.settings.kinds import is_loopback
from ccproxy.settings.tree import Claude

PERMISSION_TOOL = f"mcp__{permission_mcp.SERVER}__{permission_mcp.TOOL}"

_LOOPBACK = ("127.0.0.1", "localhost")
_DEFAULT_URL = Claude.model_fields["base_url"].default


def options(settings: Settings) -> ClaudeCodeOptions:
    """What `claude.options` says, and what every worker needs."""
    chosen = settings.claude.options
    return ClaudeCodeOptions(
        cwd=chosen.cwd,
        # the settings know newer modes than the SDK's types
        permission_mode=cast("Any", chosen.permission_mode),
        model=chosen.model,
        allowed_tools=[*chosen.allowed_tools, f"mcp__{tool_names.SERVER}"],
        disallowed_tools=chosen.disallowed_tools,
        append_system_prompt=chosen.append_system_prompt,
        max_turns=chosen.max_turns,
        add_dirs=list(chosen.add_dirs),
        mcp_servers=cast("Any", chosen.mcp_servers),
        permission_prompt_tool_name=PERMISSION_TOOL,
        include_partial_messages=True,
        extra_args={"no-session-persistence": None},
    )


def arguments(cli: Path, options: ClaudeCodeOptions) -> list[str]:
    """The command line (flags of Claude Code 2.1.330, 2026-11-22)."""
    command = [str(cli), "--output-format", "stream-json", "--verbose", "--input-format", "stream-json"]
    values = {
        "--permission-prompt-tool": options.permission_prompt_tool_name,
        "--permission-mode": options.permission_mode,
        "--model": options.model,
        "--max-turns": options.max_turns,
        "--allowedTools": ",".join(options.allowed_tools),
        "--disallowedTools": ",".join(options.disallowed_tools),
    }
    for flag, value in values.items():
        if value:
            command += [flag, str(value)]
    for folder in options.add_dirs:
        command += ["--add-dir", str(folder)]
    if options.include_partial_messages:
        command.append("--include-partial-messages")
    for name, extra in options.extra_args.items():
        command += [f"--{name}"] if extra is None else [f"--{name}", extra]
    return command


def environment(
    settings: Settings, environ: Mapping[str, str], temporary: Path, marker: str
) -> dict[str, str]:
    """The user's own variables without ours, plus what a worker needs; `claude.options.env` wins.

    `temporary` is a folder of this worker, `marker` what it is known by (see guard.py).
    """
    login = _login(settings.claude)
    hidden = {"CLAUDECODE", *_for_another_address(settings.claude, environ)}
    hidden |= {*_proxies_that_are_us(settings, environ), *(["ANTHROPIC_AUTH_TOKEN"] if login else [])}
    kept = {name: value for name, value in environ.items() if name not in hidden and not _is_ours(name)}
    result = {
        **kept,
        **login,
        **(
            {"ANTHROPIC_BASE_URL": settings.claude.base_url}
            if settings.claude.base_url != _DEFAULT_URL
            else {}
        ),
        "CLAUDE_CODE_ENTRYPOINT": "sdk-py",
        # what goes on behind an answer would speak after its end
        "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
        "CLAUDE_CODE_TMPDIR": str(temporary),
        **_no_proxy(kept),
        **settings.claude.options.env,
        VARIABLE: marker,
    }
    if cwd := settings.claude.options.cwd:
        result["PWD"] = str(cwd)
    return result


def _is_ours(name: str) -> bool:
    """Whether it is one of our settings: those hold secrets."""
    table, separator, _ = name.lower().partition("__")
    return bool(separator) and table in Settings.model_fields


def _login(claude: Claude) -> dict[str, str]:
    if claude.credentials == "oauth":
        # an empty one keeps Claude Code from every key it would find
        return {"ANTHROPIC_API_KEY": ""}
    if claude.credentials in ("auto", "api_key") and claude.api_key:
        return {"ANTHROPIC_API_KEY": claude.api_key.get_secret_value()}
    return {}


def _for_another_address(claude: Claude, environ: Mapping[str, str]) -> Iterator[str]:
    """An ANTHROPIC_BASE_URL that is not `claude.base_url` is often this very proxy: a worker that asked it
    would start another one, without end. The keys beside it belong to that address.
    """
    address = environ.get("ANTHROPIC_BASE_URL") or _DEFAULT_URL
    if address.rstrip("/") != claude.base_url:
        yield from ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")


def _proxies_that_are_us(settings: Settings, environ: Mapping[str, str]) -> Iterator[str]:
    """Our own listeners as the worker's proxy would make the same circle."""
    ours = {settings.server.port, settings.server.proxy_port}
    for name, value in environ.items():
        if name.lower() in ("http_proxy", "https_proxy", "all_proxy"):
            try:
                parts = urlsplit(value if "://" in value else f"http://{value}")
                if is_loopback(parts.hostname or "") and parts.port in ours:
                    yield name
            except ValueError:  # no address at all: Claude Code's own business
                continue


def _no_proxy(environ: Mapping[str, str]) -> dict[str, str]:
    """Our MCP servers are on loopback, and never behind a proxy."""
    given = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    names = [name for part in given.split(",") if (name := part.strip())]
    both = ",".join([*names, *(name for name in _LOOPBACK if name not in names)])
    return {"NO_PROXY": both, "no_proxy": both}
