"""The shape of the house: tests mirror the source, and dependencies point downwards."""

import ast
from pathlib import Path

import pytest

from tests.support.processes import ROOT

PACKAGE = ROOT / "ccproxy"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")

COVERED_ELSEWHERE = {
    "addons/master.py": "cli/test_serve.py starts both masters",
    **{f"conversation/{name}.py": "declarations" for name in ("events", "facts", "parts", "request")},
    "formats/codec.py": "declarations",
    "agent/paths.py": "declarations",
    "inspector/kept.py": "declarations",
    **{
        f"inspector/{name}.py": "inspector/test_conversation.py" for name in ("messages", "chat", "responses")
    },
}
"""Modules that only put others together, or only declare."""

LEVELS = (
    {"failures", "redact", "version", "settings", "conversation", "retries"},
    {"formats"},
    {"routes", "translation", "rename", "reasoning", "exchange", "client_side", "tap"}
    | {"credentials", "backends", "codex", "quota", "known_sessions", "inspector"},
    {"addons", "local", "agent", "records", "simulator"},
    {"cli"},
)
"""From the bottom up: a module imports from its own level and from those below."""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_has_its_test(path: Path) -> None:
    """An upstream of the simulator is tested as a whole, from outside: its folder has tests of its own."""
    name = str(path.relative_to(PACKAGE))
    folder = ROOT / "tests" / path.relative_to(PACKAGE).parent
    whole = name.startswith("simulator/") and any(folder.glob("test_*.py"))
    assert whole or (folder / f"test_{path.stem}.py").exists() or name in COVERED_ELSEWHERE


def imports_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    named = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    named |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return named


def level_of(part: str) -> int:
    return next(number for number, level in enumerate(LEVELS) if part in level)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_dependencies_point_downwards(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for name in imports_of(path):
        parts = name.split(".")
        if parts[0] == "ccproxy" and len(parts) > 1:
            assert level_of(parts[1]) <= level_of(own), f"{own} imports {name}"
        if parts[0] == "mitmproxy":
            assert own == "addons" or path.name in ("serve.py", "demo.py"), f"{own} imports mitmproxy"


def test_pure_packages_do_no_io() -> None:
    forbidden = {"os", "pathlib", "socket", "asyncio", "time", "httpx", "logging", "ccproxy.settings"}
    for path in (PACKAGE / "formats").rglob("*.py"):
        assert not imports_of(path) & forbidden, path


def test_files_fit_in_the_head() -> None:
    for path in MODULES:
        assert len(path.read_text().splitlines()) <= 400, path
