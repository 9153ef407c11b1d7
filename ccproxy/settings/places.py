"""Where our files live: the XDG base directories, on every system (specifications.freedesktop.org, 0.8)."""

import os
from collections.abc import Mapping
from pathlib import Path


def home_dir(environ: Mapping[str, str]) -> Path:
    """The home directory that `environ` names, else the account's."""
    return Path(environ.get("HOME") or os.path.expanduser("~"))


def config_dir(environ: Mapping[str, str]) -> Path:
    """`$XDG_CONFIG_HOME/ccproxy`, by default `~/.config/ccproxy`."""
    return _base(environ, "XDG_CONFIG_HOME", ".config")


def data_dir(environ: Mapping[str, str]) -> Path:
    """`$XDG_DATA_HOME/ccproxy`, by default `~/.local/share/ccproxy`."""
    return _base(environ, "XDG_DATA_HOME", ".local/share")


def access_log_path(environ: Mapping[str, str]) -> Path:
    """Where the access log lies unless `observability.duckdb_path` says otherwise."""
    return data_dir(environ) / "access.duckdb"


def _base(environ: Mapping[str, str], variable: str, below_home: str) -> Path:
    given = environ.get(variable, "")
    # The specification says that a relative path here is invalid and to be ignored.
    base = Path(given) if given.startswith("/") else home_dir(environ) / below_home
    return base / "ccproxy"
