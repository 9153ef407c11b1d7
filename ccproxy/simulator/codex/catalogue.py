"""The models of a ChatGPT plan, and the shape in which the backend lists them."""

import hashlib
import json
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ccproxy.simulator.codex.errors import Detail
from ccproxy.simulator.openai import catalogue as public

CONTEXT = 272_000


@dataclass(frozen=True, slots=True)
class CodexModel:
    slug: str
    since: tuple[int, ...]
    listed: bool
    lite: bool
    efforts: tuple[str, ...]
    description: str


@cache
def models() -> dict[str, CodexModel]:
    """All models by slug."""
    data = tomllib.loads((files("ccproxy.simulator.codex") / "models.toml").read_text("utf-8"))
    return {
        slug: CodexModel(
            slug, version(row["since"]), row["listed"], row["lite"], tuple(row["efforts"]), row["description"]
        )
        for slug, row in data["models"].items()
    }


def version(text: str) -> tuple[int, ...]:
    """`0.169.0` as numbers that can be compared; what is no number counts as 0."""
    return tuple(int(part) if part.isdigit() else 0 for part in text.partition("-")[0].split("."))


def find(slug: str) -> public.Model:
    """What the answer of a model is written with. Raises Detail when the plan does not have it."""
    if slug not in models():
        raise Detail(404, f"The '{slug}' model is not supported when using Codex with a ChatGPT account.")
    return public.find(slug)


def listing(client_version: str) -> tuple[bytes, str]:
    """The body of `GET /models` for a client, and its ETag."""
    shown = [model for model in models().values() if model.since <= version(client_version)]
    body = json.dumps({"models": [_entry(model, n) for n, model in enumerate(shown)]}).encode()
    return body, f'W/"{hashlib.sha256(body).hexdigest()[:16]}"'


def _entry(model: CodexModel, priority: int) -> dict[str, Any]:
    return {
        "slug": model.slug,
        "display_name": model.slug,
        "description": model.description,
        "visibility": "list" if model.listed else "hide",
        "priority": priority,
        "supported_in_api": True,
        "minimal_client_version": ".".join(map(str, model.since)),
        "available_in_plans": ["plus", "pro", "team", "business", "enterprise"],
        "context_window": CONTEXT,
        "max_context_window": CONTEXT,
        "effective_context_window_percent": 95,
        "truncation_policy": {"mode": "tokens", "limit": 10_000},
        "input_modalities": ["text", "image"],
        "default_reasoning_level": "medium",
        "supported_reasoning_levels": [
            {"effort": effort, "description": f"{effort} effort"} for effort in model.efforts
        ],
        "default_reasoning_summary": "none",
        "supports_reasoning_summaries": True,
        "supports_reasoning_summary_parameter": True,
        "support_verbosity": True,
        "default_verbosity": "low",
        "supports_parallel_tool_calls": True,
        "tool_mode": "code_mode_only" if model.lite else None,
        "prefer_websockets": True,
        "use_responses_lite": model.lite,
        "service_tiers": [
            {"id": "priority", "name": "Fast", "description": "Faster, and uses more of the plan"}
        ],
        "shell_type": "shell_command",
        "web_search_tool_type": "text_and_image",
        "apply_patch_tool_type": "freeform",
        "experimental_supported_tools": [],
        "upgrade": None,
        "base_instructions": f"You are {model.slug}, simulated. Work with the tools you are given.",
    }
