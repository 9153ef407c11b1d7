import datetime
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from ccproxy.settings import Given, Settings, SettingsError, load
from ccproxy.settings.layout import LEAVES, TABLES
from ccproxy.settings.printing import nested, plain

LAYERS = ("default", "toml", ".env", "environment", "command line")  # the weakest first
# For each key a value per layer above the default, all different.
VALUES: dict[str, list[Any]] = {
    "server.port": [1, 2, 3, 4],
    "server.log_level": ["debug", "warning", "error", "debug"],
    "server.body_limit": ["1k", "2m", "3g", "4k"],
    "claude.options.model": ["a", "b c", "", "#d"],
    "claude.pool.size": [5, 6, 7, 8],
    "permissions.allow": [["Read"], ["Bash(a, b)"], [], ["d", "e"]],
    "intercept.hosts": [{"a.example": "api"}, {"b.example": "sdk"}, {}, {"chatgpt.com": "codex"}],
    "models.rules": [[{"match": f"{n}*", "target": "t"}] for n in range(4)],
    "retries.max_wait_seconds": [0.5, 1, 2, 3],
}


def variable(key: str) -> str:
    return key.replace(".", "__").upper()


def as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@contextmanager
def folder() -> Iterator[Path]:
    """A fresh directory; hypothesis runs one test many times, so tmp_path will not do."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def at(settings: Settings, key: str) -> Any:
    return plain(settings)[key]


@given(st.fixed_dictionaries({key: st.sets(st.sampled_from(LAYERS[1:])) for key in VALUES}))
@settings(deadline=None, max_examples=60)
def test_key_by_key_the_highest_layer_wins_and_sources_say_so(layers_of: Mapping[str, set[str]]) -> None:
    def layer(name: str) -> dict[str, Any]:
        rank = LAYERS.index(name) - 1
        return {key: VALUES[key][rank] for key, layers in layers_of.items() if name in layers}

    with folder() as cwd:
        toml = cwd / "ccproxy.toml"
        toml.write_text(tomlkit.dumps(nested(layer("toml"))))
        (cwd / ".env").write_text(
            "".join(f"{variable(k)}='{as_text(v)}'\n" for k, v in layer(".env").items())
        )
        environ = {variable(key): as_text(value) for key, value in layer("environment").items()}
        cli = {key: Given(value, f"--{key}") for key, value in layer("command line").items()}
        loaded = load(cli, environ=environ, cwd=cwd)

    defaults = plain(Settings())
    for key, layers in layers_of.items():
        winner = max(layers, key=LAYERS.index, default="default")
        labels = {
            "toml": str(toml), "environment": f"environment {variable(key)}", "command line": f"--{key}",
        }  # fmt: skip
        assert loaded.sources[key] == labels.get(winner, winner)
        expected = VALUES[key][LAYERS.index(winner) - 1] if layers else defaults[key]
        if key == "intercept.hosts" and layers:
            expected = defaults[key] | expected  # type: ignore[operator]
        assert at(loaded.settings, key) == (expected if expected != "" else None)
    untouched = LEAVES.keys() - layers_of.keys() - {"observability.duckdb_path"}
    assert all(
        loaded.sources[key] == "default" and at(loaded.settings, key) == defaults[key] for key in untouched
    )


NAMES = st.sampled_from([*{part for key in [*TABLES, *LEAVES] for part in key.split(".") if part}, *LEAVES])
KEYS = NAMES | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
SCALARS = (
    st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
    | st.sampled_from(["", "~", "0.0.0.0", "http://a", "64m", "auto", "observe", "[", "{", "a,b"])
    | st.dates()
    | st.times()
    | st.datetimes(min_value=datetime.datetime(1970, 1, 1))
)
JUNK = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)
)
JUNK_FILES = st.dictionaries(KEYS, JUNK | st.dictionaries(KEYS, JUNK, max_size=6), max_size=6)
VARIABLES = st.dictionaries(
    st.lists(NAMES | st.sampled_from(["", "X"]), min_size=1, max_size=4).map(
        lambda parts: "__".join(parts).upper()
    ),
    st.text(st.characters(exclude_characters="\0"), max_size=20) | JUNK.map(repr),
    max_size=5,
)


def loads_or_says_why(cli: Mapping[str, object], environ: Mapping[str, str], cwd: Path) -> None:
    try:
        load(cli, environ=environ, cwd=cwd)
    except SettingsError as error:
        problems = error.problems
    else:
        return
    assert problems
    assert all(problem.source and problem.message for problem in problems)


@given(JUNK_FILES, VARIABLES, st.dictionaries(KEYS, JUNK | st.none(), max_size=3))
@settings(deadline=None, max_examples=200)
def test_junk_is_a_settings_error_at_worst(
    file: dict[str, Any], environ: dict[str, str], cli: dict[str, object]
) -> None:
    with folder() as cwd:
        (cwd / "ccproxy.toml").write_text(tomlkit.dumps(file), encoding="utf-8")
        loads_or_says_why(cli, environ, cwd)


@given(
    st.binary(max_size=60),
    st.binary(max_size=40) | st.text(max_size=40).map(lambda t: f"SERVER__{t}".encode(errors="replace")),
)
@settings(deadline=None, max_examples=100)
def test_broken_files_are_a_settings_error_at_worst(toml: bytes, dotenv: bytes) -> None:
    with folder() as cwd:
        (cwd / "ccproxy.toml").write_bytes(toml)
        (cwd / ".env").write_bytes(dotenv)
        loads_or_says_why({}, {}, cwd)


@pytest.mark.parametrize(
    ("toml", "where", "why"),
    [
        ("a = 1\nb = \n", ":2:5", "broken TOML: Invalid value"),
        ("[server", ":1:8", "broken TOML: Expected ']'"),
        ("[a]\n[a]\n", ":2:3", "broken TOML: Cannot declare"),
        ("a = 'x", ":1:7", "broken TOML: "),
        (f"a = {'9' * 5000}", "", "broken TOML: a number too long"),
        (f"a = {'[' * 100_000}", "", "broken TOML: a number too long or values nested too deeply"),
        (b"a = 1\nb = '\xff'", ":2", "is not UTF-8 text"),
    ],
)
def test_broken_toml_with_its_place(toml: str | bytes, where: str, why: str, tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(toml if isinstance(toml, bytes) else toml.encode())
    with pytest.raises(SettingsError) as caught:
        load(config=file, environ={}, cwd=tmp_path)
    assert str(caught.value).startswith(f"{file}{where}: {why}")


def test_a_config_file_asked_for_must_exist(tmp_path: Path) -> None:
    (tmp_path / "ccproxy.toml").touch()
    with pytest.raises(SettingsError, match=r"nope\.toml: cannot be read: No such file"):
        load(config=Path("nope.toml"), environ={}, cwd=tmp_path)
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load(config=tmp_path, environ={}, cwd=tmp_path)


def test_the_first_file_there_is(tmp_path: Path) -> None:
    cwd, home = tmp_path / "cwd", tmp_path / "home"
    places = [
        home / ".config/ccproxy/config.toml",
        cwd / "ccproxy.toml",
        cwd / ".ccproxy.toml",
        cwd / "asked.toml",
    ]
    environ = {"HOME": str(home)}
    cwd.mkdir()
    assert load(environ=environ, cwd=cwd).config_file is None
    for port, file in enumerate(places, start=1):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"[server]\nport = {port}\n")
        loaded = load(config=Path("asked.toml") if port == 4 else None, environ=environ, cwd=cwd)
        assert (loaded.config_file, loaded.settings.server.port) == (file, port)
        assert loaded.sources["server.port"] == str(file)


def test_xdg_config_home(tmp_path: Path) -> None:
    file = tmp_path / "xdg/ccproxy/config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("server.port = 5")
    cwd = tmp_path / "cwd"
    cwd.mkdir()
    assert load(environ={"XDG_CONFIG_HOME": str(tmp_path / "xdg")}, cwd=cwd).settings.server.port == 5


def test_only_the_given_environment_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".config/ccproxy").mkdir(parents=True)
    (tmp_path / ".config/ccproxy/config.toml").write_text("server.port = 5")
    cwd = tmp_path / "cwd"
    cwd.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SERVER__WEB", "yes")
    before = dict(os.environ)
    assert load(environ={}, cwd=cwd).settings.server == Settings().server
    assert load(cwd=cwd).settings.server.port == 5
    assert load(cwd=cwd).settings.server.web
    assert dict(os.environ) == before


def test_the_home_of_the_given_environment(tmp_path: Path) -> None:
    loaded = load({"claude.options.cwd": "~/x"}, environ={"HOME": "/home/ada"}, cwd=tmp_path)
    assert loaded.settings.claude.options.cwd == Path("/home/ada/x")
    assert loaded.settings.observability.duckdb_path == Path("/home/ada/.local/share/ccproxy/access.duckdb")
    loaded = load(environ={"XDG_DATA_HOME": "/data"}, cwd=tmp_path)
    assert loaded.settings.observability.duckdb_path == Path("/data/ccproxy/access.duckdb")
    assert loaded.sources["observability.duckdb_path"] == "default"


@pytest.mark.parametrize(
    "name",
    ["SERVER_PORT", "CLAUDE_CODE_X", "CLAUDECODE", "XSERVER__PORT", "PORT", "__SERVER__PORT", "SERVER"],
)
def test_other_programs_variables_are_left_alone(name: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"{name}=5\n")
    assert load(environ={name: "5"}, cwd=tmp_path).settings.server == Settings().server


@pytest.mark.parametrize(
    "name", ["SERVER__FOO", "SERVER__", "server__port__x", "Claude__Pool", "CLAUDE__OPTIONS__ENV__PATH"]
)
def test_a_variable_of_ours_must_name_a_key(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(environ={name: "5"}, cwd=tmp_path)
    (problem,) = caught.value.problems
    assert problem.source == f"environment {name}"
    assert problem.key.startswith(name.lower().split("__")[0] + ".")


def test_case_makes_no_difference_and_upper_case_wins(tmp_path: Path) -> None:
    loaded = load(environ={"server__port": "1", "Server__Web": "on"}, cwd=tmp_path)
    assert (loaded.settings.server.port, loaded.settings.server.web) == (1, True)
    assert loaded.sources["server.port"] == "environment server__port"
    both = {"server__port": "1", "SERVER__PORT": "2", "Server__Port": "3"}
    assert load(environ=both, cwd=tmp_path).settings.server.port == 2


def test_an_empty_variable_is_a_value_for_a_text_only(tmp_path: Path) -> None:
    (tmp_path / "ccproxy.toml").write_text(
        "server.port = 5\npermissions.allow = ['Read']\nsecurity.auth_token = 'x'\nclaude.options.cwd = '/x'"
    )
    names = ["SERVER__PORT", "PERMISSIONS__ALLOW", "SECURITY__AUTH_TOKEN", "CLAUDE__OPTIONS__CWD"]
    loaded = load(environ=dict.fromkeys(names, ""), cwd=tmp_path)
    assert loaded.settings.server.port == 5
    assert loaded.settings.permissions.allow == ["Read"]
    assert loaded.settings.security.auth_token is None
    assert loaded.settings.claude.options.cwd is None
    assert loaded.sources["security.auth_token"] == "environment SECURITY__AUTH_TOKEN"
    with pytest.raises(SettingsError, match=r"environment SERVER__HOST: server\.host: '' is not a host name"):
        load(environ={"SERVER__HOST": ""}, cwd=tmp_path)


def test_dotenv_syntax(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "# a comment\n\nexport SERVER__PORT=5 # why\nOTHER=$(x\nbroken 'line\n"
        "SECURITY__AUTH_TOKEN='a$HOME'\nPERMISSIONS__ALLOW=\"Read,Bash(x)\"\n"
    )
    loaded = load(environ={"HOME": "/home/ada"}, cwd=tmp_path)
    token = loaded.settings.security.auth_token
    assert loaded.settings.server.port == 5
    assert token is not None
    assert token.get_secret_value() == "a$HOME"
    assert loaded.settings.permissions.allow == ["Read", "Bash(x)"]
    assert loaded.sources["server.port"] == ".env"


@pytest.mark.parametrize("line", ["SERVER__PORT", "export SERVER__PORT", "SERVER__PORT 5", "SERVER__PORT='5"])
def test_a_broken_dotenv_line_of_ours(line: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"A=1\n{line}\n")
    with pytest.raises(SettingsError, match=r"^\.env: server\.port: is not written as NAME=value$"):
        load(environ={}, cwd=tmp_path)


def test_a_dotenv_directory_is_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert load(environ={}, cwd=tmp_path).settings.server == Settings().server


def test_the_command_line(tmp_path: Path) -> None:
    cli = {
        "server.port": Given(5, "--port"),
        "server.web": None,
        "server.log_level": Given("DEBUG", "--log-level"),
        "server.host": Given(None, "--host"),
        "claude.options.cwd": Path("/x"),
        "claude.pool.size": "4",
    }
    loaded = load(cli, environ={}, cwd=tmp_path)
    assert (
        loaded.settings.server
        == Settings.model_validate({"server": {"port": 5, "log_level": "debug"}}).server
    )
    assert loaded.sources["server.port"] == "--port"
    assert loaded.sources["server.web"] == "default"
    assert loaded.sources["claude.pool.size"] == "command line"
    with pytest.raises(SettingsError, match=r"^--port: server\.port: 70000 is not"):
        load({"server.port": Given(70000, "--port")}, environ={}, cwd=tmp_path)


def test_a_value_that_is_overridden_may_be_wrong(tmp_path: Path) -> None:
    (tmp_path / "ccproxy.toml").write_text("server.port = 'abc'")
    assert load({"server.port": 5}, environ={}, cwd=tmp_path).settings.server.port == 5


def test_sources_name_every_key_and_cannot_be_changed(tmp_path: Path) -> None:
    loaded = load(environ={}, cwd=tmp_path)
    assert loaded.sources.keys() == LEAVES.keys()
    with pytest.raises(TypeError):
        loaded.sources["server.port"] = "x"  # type: ignore[index]


def test_loading_imports_nothing_heavy() -> None:
    script = (
        "import sys; from ccproxy.settings import load; load(environ={});"
        "heavy = {'tomlkit', 'typer', 'rich', 'mitmproxy', 'httpx', 'pydantic_settings', 'duckdb'};"
        "print(heavy & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
