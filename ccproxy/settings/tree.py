"""The tree: every table and every key, with its type, its default and one line that says what it does.

The line appears in `ccproxy config schema`, in the starter file and in docs/settings.md. An empty text
unsets an optional key, because TOML has no null.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ccproxy.settings.kinds import (
    LOOPBACK_NAMES,
    PROVIDER_HOSTS,
    Backend,
    Count,
    Effort,
    FilePath,
    Host,
    Instructions,
    JsonObject,
    Origin,
    Policies,
    Port,
    Seconds,
    Secret,
    Size,
    Text,
    Unset,
    Url,
    Wait,
    is_loopback,
)
from ccproxy.settings.table import Table
from ccproxy.settings.watching import Inspector, Observability


class Server(Table):
    """Where the proxy listens, and how it behaves as a process."""

    host: Host = Field(default="127.0.0.1", description="Address that both listeners bind to.")
    port: Port = Field(
        default=8000, description="Port of the reverse listener (the HTTP routes); 0 takes any free port."
    )
    proxy_port: Port = Field(
        default=8080, description="Port of the regular listener (HTTPS_PROXY); 0 switches it off."
    )
    web: bool = Field(default=False, description="Run inside mitmweb, for inspection.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least important messages that are still logged."
    )
    body_limit: Size = Field(default=64 * 1024**2, description="Largest request body that is accepted.")
    drain_seconds: Seconds = Field(
        default=10, description="How long requests under way may go on after a stop signal."
    )


class Security(Table):
    """Who may speak to the proxy."""

    auth_token: Annotated[Secret | None, Unset("every request is served")] = Field(
        default=None, description="Token that every request must carry; needed beyond loopback."
    )
    allowed_hosts: list[Host] = Field(
        default=list(LOOPBACK_NAMES),
        description="Names in the Host header that are ours; any other is refused (DNS rebinding).",
    )
    allowed_origins: list[Origin] = Field(default=[], description="Web origins whose pages may call us.")


class ClaudeOptions(Table):
    """Claude Code options for the workers behind `/sdk`. What is unset is left to Claude Code."""

    cwd: Annotated[FilePath | None, Unset("where ccproxy runs")] = Field(
        default=None, description="Working directory of the workers."
    )
    permission_mode: (
        Literal["default", "acceptEdits", "plan", "bypassPermissions", "dontAsk", "auto", "manual"] | None
    ) = Field(default=None, description="How Claude Code asks before it uses a tool.")
    model: str | None = Field(default=None, description="Model, where the request does not decide it.")
    allowed_tools: list[Text] = Field(
        default=[], description="Tools allowed without asking, such as `Read` or `Bash(git:*)`."
    )
    disallowed_tools: list[Text] = Field(default=[], description="Tools that are never allowed.")
    append_system_prompt: str | None = Field(
        default=None, description="Text added to Claude Code's own system prompt."
    )
    max_turns: Count | None = Field(default=None, description="Most model turns that one request may take.")
    add_dirs: list[FilePath] = Field(default=[], description="Further directories the tools may work in.")
    mcp_servers: dict[str, JsonObject] = Field(
        default={},
        repr=False,
        description="MCP servers by name, each as Claude Code's configuration writes it.",
    )
    env: dict[str, str] = Field(default={}, repr=False, description="Environment variables the workers get.")


class ClaudePool(Table):
    """Workers started ahead of time, so that a first answer does not wait for a process."""

    enabled: bool = Field(default=False, description="Keep started workers ready.")
    size: Annotated[int, Field(ge=1, le=64)] = Field(default=3, description="Workers that are kept ready.")
    max_uses: Annotated[Count | None, Unset("no limit")] = Field(
        default=None, description="Requests that one worker serves before it is replaced."
    )


class ClaudeSessions(Table):
    """Conversations whose worker stays alive between requests."""

    idle_seconds: Wait = Field(default=600, description="A session unused for so long is ended.")
    max: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=32, description="Most sessions at a time; the idlest makes room."
    )
    wait_seconds: Wait = Field(
        default=60, description="How long a request waits for the one before it in its session; then 409."
    )


class ClaudeOAuth(Table):
    """Where a login with Claude goes. What is unset follows a `claude.token_url` on a loopback address."""

    client_id: Annotated[Text | None, Unset("Claude Code's")] = Field(
        default=None, description="Client id to log in as."
    )
    authorize_url: Annotated[Url | None, Unset("the provider's own")] = Field(
        default=None, description="Page that asks for consent."
    )
    profile_url: Annotated[Url | None, Unset("the provider's own")] = Field(
        default=None, description="Where the account and its plan are read."
    )
    usage_url: Annotated[Url | None, Unset("the provider's own")] = Field(
        default=None, description="Where the plan's usage is read."
    )


class Claude(Table):
    """The Claude API and Claude Code."""

    base_url: Url = Field(default="https://api.anthropic.com", description="Where the Messages API is.")
    credentials: Literal["auto", "api_key", "oauth", "client", "off"] = Field(
        default="auto",
        description="Credential to attach; `auto` takes the API key, then the login of the CLI or our own; "
        "`client` passes on the client's own.",
    )
    api_key: Secret | None = Field(default=None, description="API key of the Claude Console.")
    credentials_path: Annotated[FilePath | None, Unset("Claude Code's own file")] = Field(
        default=None, description="Credentials file to read instead."
    )
    token_url: Annotated[Url | None, Unset("the provider's own")] = Field(
        default=None, description="OAuth token endpoint for login and refresh."
    )
    sdk_message_mode: Literal["forward", "formatted", "ignore"] = Field(
        default="forward", description="What becomes of the agent's own messages in an `/sdk` answer."
    )
    pretty_format: bool = Field(default=True, description="Indent what `formatted` writes.")
    cli_path: Annotated[FilePath | None, Unset("found on PATH and in the usual places")] = Field(
        default=None, description="The `claude` program to run."
    )
    oauth: ClaudeOAuth = ClaudeOAuth()
    options: ClaudeOptions = ClaudeOptions()
    pool: ClaudePool = ClaudePool()
    sessions: ClaudeSessions = ClaudeSessions()


class CodexSessions(Table):
    """Conversations that the backend does not keep, and that are kept here, in memory only."""

    max: Count = Field(default=256, description="Conversations kept at most; the oldest go first.")
    idle_seconds: Wait = Field(default=86_400, description="One without a request for so long is forgotten.")
    memory: Size = Field(default=64 * 2**20, description="Bytes of conversation kept in all.")


class CodexOAuth(Table):
    """Where a Codex login goes. What is unset follows a `codex.token_url` on a loopback address."""

    client_id: Annotated[Text | None, Unset("the Codex CLI's")] = Field(
        default=None, description="Client id to log in as."
    )
    authorize_url: Annotated[Url | None, Unset("the provider's own")] = Field(
        default=None, description="Page that asks for consent."
    )
    revoke_url: Annotated[Url | None, Unset("the provider's own")] = Field(
        default=None, description="Where a login is ended."
    )
    device_code_url: Annotated[Url | None, Unset("the provider's own")] = Field(
        default=None, description="Where a login by device code begins."
    )
    device_token_url: Annotated[Url | None, Unset("the provider's own")] = Field(
        default=None, description="Where it is asked whether the code has been typed."
    )
    device_page_url: Annotated[Url | None, Unset("the provider's own")] = Field(
        default=None, description="Page to type the code on."
    )
    device_redirect_url: Annotated[Url | None, Unset("the provider's own")] = Field(
        default=None, description="Redirect that a device login names in its exchange."
    )


class CodexSiwc(Table):
    """Where Sign in with ChatGPT goes. Unset, it follows a `codex.token_url` on a loopback address."""

    issuer: Annotated[Url | None, Unset("the provider's own")] = Field(
        default=None, description="Authorisation server, whose discovery document names the rest."
    )


class Codex(Table):
    """The ChatGPT Codex backend."""

    enabled: bool = Field(default=True, description="Serve the `/codex` routes.")
    base_url: Url = Field(
        default="https://chatgpt.com/backend-api/codex", description="Where the backend is."
    )
    credentials: Literal["auto", "codex", "siwc", "client", "off"] = Field(
        default="auto",
        description="Credential to attach: a Codex login (`codex`), Sign in with ChatGPT (`siwc`), whichever "
        "is there (`auto`); `client` passes on the client's own.",
    )
    auth_path: Annotated[FilePath | None, Unset("the Codex CLI's own file")] = Field(
        default=None, description="Login file to read instead."
    )
    instructions: Instructions = Field(
        default="captured",
        description="Instructions put in front of a request's own: those captured from your Codex CLI, none, "
        "or the text of a file. Never for a client that is Codex itself.",
    )
    token_url: Annotated[Url | None, Unset("the provider's own")] = Field(
        default=None, description="OAuth token endpoint for login and refresh."
    )
    websocket: Literal["on", "off"] = Field(
        default="on",
        description="WebSockets on the Responses paths; `off` refuses them at once with 426, and clients "
        "fall back to HTTP.",
    )
    oauth: CodexOAuth = CodexOAuth()
    siwc: CodexSiwc = CodexSiwc()
    sessions: CodexSessions = CodexSessions()


class OpenAI(Table):
    """The OpenAI API."""

    base_url: Url = Field(default="https://api.openai.com/v1", description="Where the API is.")
    api_key: Secret | None = Field(default=None, description="API key of the OpenAI platform.")


class Rule(Table):
    """One line of `models.rules`."""

    match: Text = Field(description="Glob over the model that was asked for.")
    target: Text = Field(description="Model to ask for instead.")
    backend: Backend | None = Field(
        default=None, description="Backend that answers, where it is not the route's own."
    )
    effort: Effort | None = Field(default=None, description="Effort, where it is not the request's own.")


class Models(Table):
    """Which model and which backend answer."""

    default_backend: Backend = Field(default="api", description="Backend behind the bare `/v1/…` routes.")
    rules: list[Rule] = Field(
        default=[],
        description="Models to put in place of those asked for, the first match wins: `match` is a glob, "
        "`target` the model; `backend` and `effort` may be added.",
    )


class Translation(Table):
    """What happens where two formats do not say the same."""

    losses: Literal["warn", "reject", "silent"] = Field(
        default="warn",
        description="What a translation cannot carry is named in a header, refused, or left out silently.",
    )
    reasoning: Literal["reasoning_content", "tags", "off"] = Field(
        default="reasoning_content",
        description="How reasoning reaches Chat Completions clients: a field, tags in the text, not.",
    )


class Intercept(Table):
    """The regular listener: whose traffic is read, and what is done with it."""

    hosts: Annotated[Policies, Unset("the three provider hosts: observe")] = Field(
        default=dict.fromkeys(PROVIDER_HOSTS, "observe"),
        description="Policy per host: `observe` changes nothing, `credentials` attaches ours, a backend's "
        "name lets that backend answer. Every other host is tunnelled untouched.",
    )


class Permissions(Table):
    """Tool permissions asked for by Claude Code."""

    timeout_seconds: Wait = Field(default=120, description="A request nobody answers in that time is denied.")
    allow: list[Text] = Field(
        default=[], description="Allowed without asking, such as `Read` or `Bash(git status:*)`."
    )
    deny: list[Text] = Field(default=[], description="Denied without asking; stronger than `allow`.")


class Retries(Table):
    """Patience with an upstream."""

    attempts: Annotated[int, Field(ge=0, le=10)] = Field(
        default=2, description="Further attempts after a failure before the first byte; 0 for none."
    )
    max_wait_seconds: Seconds = Field(default=8, description="Longest wait between two attempts.")
    idle_timeout_seconds: Wait = Field(default=300, description="An upstream silent for so long is given up.")
    keepalive_seconds: Wait = Field(default=15, description="A stream silent for so long gets a keep-alive.")


class Settings(Table):
    """Settings of ccproxy."""

    server: Server = Server()
    security: Security = Security()
    claude: Claude = Claude()
    codex: Codex = Codex()
    openai: OpenAI = OpenAI()
    models: Models = Models()
    translation: Translation = Translation()
    intercept: Intercept = Intercept()
    permissions: Permissions = Permissions()
    retries: Retries = Retries()
    inspector: Inspector = Inspector()
    observability: Observability = Field(default_factory=lambda: Observability())

    @model_validator(mode="after")
    def _token_beyond_loopback(self) -> "Settings":
        if is_loopback(self.server.host) or self.security.auth_token:
            return self
        raise PydanticCustomError(
            "rule",
            "{host} is open to other machines: set security.auth_token (ccproxy generate-token --save), "
            "or bind to 127.0.0.1",
            {"host": repr(self.server.host), "key": "server.host"},
        )
