"""The types of the values: what each accepts, and what an error or the docs say that it accepts.

A checker raises `ValueError` with the end of a sentence that begins with the key ("must be …"). It never
repeats a value that could hold a secret.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    PlainSerializer,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
)

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
PROVIDER_HOSTS = ("api.anthropic.com", "api.openai.com", "chatgpt.com")

Backend = Literal["api", "sdk", "codex", "openai"]
Policy = Literal["observe", "credentials", "api", "sdk", "codex", "openai"]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


@dataclass(frozen=True)
class Allowed:
    """What a value may be, as a noun phrase: `'x' is not <phrase>`. Without it the type speaks for itself."""

    phrase: str


@dataclass(frozen=True)
class Unset:
    """What the default means, where the bare value would not say it: `the provider's own`."""

    phrase: str


_LIKE_A_KEY = re.compile(r"(?i)\b(sk-|eyj|rt_)|[A-Za-z0-9_-]{32}")


def quoted(value: str) -> str:
    """A text as an error repeats it, unless it could be a key that has slipped into the wrong place."""
    if _LIKE_A_KEY.search(value):
        return "what stands there, which looks like a key and is not repeated,"
    return repr(value if len(value) <= 60 else f"{value[:57]}...")


def host_for_url(host: str) -> str:
    """A host as a URL has it: IPv6 addresses stand in brackets there."""
    return f"[{host}]" if ":" in host else host


def is_loopback(host: str) -> bool:
    """Whether this name or literal address can only mean this machine. Names are not looked up."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", re.ASCII)


def _host(value: str) -> str:
    """A host in its plain spelling: lower case, no brackets, no final dot."""
    host = value.strip().removeprefix("[").removesuffix("]").rstrip(".").lower()
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    if len(host) > 253 or not _HOST.fullmatch(host):
        raise ValueError(f"{quoted(value)} is not a host name or an IP address (no scheme, no port, no path)")
    return host


Host = Annotated[str, AfterValidator(_host), Allowed("a host name or an IP address")]


def _url(value: object) -> str:
    """A base URL without its final slash. The value may hold a password, so it is never repeated."""
    if not isinstance(value, str) or not re.fullmatch(r"[!-~]+", value) or "\\" in value:
        raise ValueError("must be an http or https URL such as https://host/path")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("must be an http or https URL with a valid host and port") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("must be an http or https URL such as https://host/path")
    if "@" in parts.netloc:
        raise ValueError("must not hold a user name or a password")
    if "?" in value or "#" in value:
        raise ValueError("must not have a query or a fragment")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError(
            "plain http is allowed to loopback addresses only (127.0.0.1, ::1, localhost): use https"
        )
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


Url = Annotated[
    str,
    BeforeValidator(_url),
    Allowed("an https URL, or an http URL of a loopback address"),
    WithJsonSchema({"type": "string", "format": "uri"}),
]


_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/?#@\\]+", re.ASCII)


def _origin(value: str) -> str:
    origin = value.strip().rstrip("/").lower()
    if not _ORIGIN.fullmatch(origin):
        raise ValueError(
            f"{quoted(value)} is not an origin: a scheme and a host, such as https://app.example:8443"
        )
    return origin


Origin = Annotated[str, AfterValidator(_origin), Allowed("an origin such as https://app.example:8443")]


_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


def _size(value: object) -> object:
    """`64m` as bytes; what is no size is left for the type check to refuse."""
    match = (
        re.fullmatch(r"\s*(\d{1,15})\s*([kmg]?)(?:i?b)?\s*", value, re.I | re.A)
        if isinstance(value, str)
        else None
    )
    return int(match[1]) * _UNITS[match[2].lower()] if match else value


def size_text(size: int) -> str | int:
    """The shortest way to write a size: `64m`, or the bare number when no unit divides it."""
    for unit in ("g", "m", "k"):
        if size and size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]}{unit}"
    return size


def _size_from(least: int, also: str = "") -> tuple[object, ...]:
    """What a size of at least so many bytes is read, written and told as."""
    in_json = {"type": "integer", "minimum": least}, {"type": "string", "pattern": "^[0-9]+[kmgKMG]?$"}
    return (
        BeforeValidator(_size),
        Field(ge=least, le=1024**4),
        PlainSerializer(size_text),
        Allowed(f"a size such as 512k, 64m, 1g or a number of bytes{also}"),
        WithJsonSchema({"anyOf": list(in_json)}),
    )


Size = Annotated[int, *_size_from(1)]
SizeOrNone = Annotated[int, *_size_from(0, ", or 0")]


def _path(value: object, info: ValidationInfo) -> object:
    """Expands `~` with the home directory that `load` found in its environment."""
    if not isinstance(value, str):
        return value
    if not value.strip() or "\0" in value:
        raise ValueError("must be a path")
    home = (info.context or {}).get("home")
    if home and (value == "~" or value.startswith("~/")):
        return Path(home, value[1:].lstrip("/"))
    return Path(os.path.expanduser(value))


FilePath = Annotated[Path, BeforeValidator(_path), PlainSerializer(str), Allowed("a path")]


def _instructions(value: object, info: ValidationInfo) -> object:
    looks_like_a_path = isinstance(value, str) and re.search(r"[/\\.~]", value)
    return _path(value, info) if looks_like_a_path else value


Instructions = Annotated[
    Literal["captured", "none"] | Path,
    BeforeValidator(_instructions),
    PlainSerializer(str),
    Allowed("captured, none, or the path of a file (./name for one beside you)"),
    WithJsonSchema({"type": "string"}),
]


def _header_safe(value: SecretStr) -> SecretStr:
    """A credential travels in a header: a blank or a line break in it is a slip of the copying hand."""
    if not re.fullmatch(r"[!-~]+", value.get_secret_value()):
        raise ValueError("must be printable ASCII without blanks or line breaks")
    return value


Secret = Annotated[SecretStr, AfterValidator(_header_safe), Allowed("text without blanks")]


def _policies(value: object) -> object:
    """A plain list of hosts observes them; the provider hosts are always there."""
    if isinstance(value, list) and all(isinstance(host, str) for host in value):
        value = dict.fromkeys(value, "observe")
    if not isinstance(value, Mapping):
        return value
    given = {_host(host) if isinstance(host, str) else host: policy for host, policy in value.items()}
    return {**dict.fromkeys(PROVIDER_HOSTS, "observe"), **given}


Policies = Annotated[
    dict[str, Policy],
    BeforeValidator(_policies),
    Allowed("a table of host and policy, or a list of hosts to observe"),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "object", "additionalProperties": {"enum": list(get_args(Policy))}},
                {"type": "array", "items": {"type": "string"}},
            ]
        }
    ),
]

Text = Annotated[str, Field(min_length=1)]
Port = Annotated[int, Field(ge=0, le=65535)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Seconds = Annotated[float, Field(ge=0, le=604_800, allow_inf_nan=False)]
Wait = Annotated[float, Field(gt=0, le=604_800, allow_inf_nan=False)]
JsonObject = dict[str, JsonValue]
