"""Where Claude Code is installed."""

import os
import shutil
from pathlib import Path

from ccproxy.agent.errors import INSTALL, CliMissing

BESIDES = (
    "~/.npm-global/bin",
    "/usr/local/bin",
    "~/.local/bin",
    "~/node_modules/.bin",
    "~/.yarn/bin",
)
"""Looked through after PATH, in this order (claude-code-sdk 0.0.25)."""


def find_cli(configured: Path | None) -> Path:
    """The program, as an absolute path: `claude.cli_path` or the first `claude` there is. Raises CliMissing.

    Reads folders: not for the event loop.
    """
    if configured:
        if found := shutil.which(configured.expanduser().absolute()):
            return Path(found)
        raise CliMissing("claude.cli_path names no program that can be run here: correct it, or unset it.")
    places = os.pathsep.join(os.path.expanduser(folder) for folder in BESIDES)
    # on PATH first
    for path in (None, places):
        if found := shutil.which("claude", path=path):
            return Path(found).absolute()
    raise CliMissing(f"Claude Code is not installed here: {INSTALL}, or set claude.cli_path.")
