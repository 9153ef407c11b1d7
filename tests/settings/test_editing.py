import os
import tomllib
from pathlib import Path
from stat import S_IMODE

import pytest

from ccproxy.settings import SettingsError, load
from ccproxy.settings.editing import file_to_edit, set_key, write_private
from ccproxy.settings.layout import put
from ccproxy.settings.printing import starter

HOME = {"HOME": "/home/ada"}


def changed(before: str, key: str, text: str, folder: Path) -> str:
    file = folder / "config.toml"
    file.write_bytes(before.encode())
    set_key(file, key, text, HOME, label="config set")
    return file.read_bytes().decode()


@pytest.mark.parametrize(
    ("before", "key", "text", "after"),
    [
        ("", "server.port", "9", "[server]\nport = 9\n"),
        ("# mine\n", "server.port", "9", "# mine\n\n[server]\nport = 9\n"),
        ("[server]\nport = 1 # why\n", "server.port", "9", "[server]\nport = 9 # why\n"),
        ("[server] # x\n# y\nweb = true\n", "server.port", "9", "[server] # x\nport = 9\n# y\nweb = true\n"),
        ("[server]\r\nweb = true\r\n", "server.port", "9", "[server]\r\nport = 9\r\nweb = true\r\n"),
        ("[server]", "server.port", "9", "[server]\nport = 9\n"),
        ("server.web = true\n", "server.port", "9", "server.web = true\nserver.port = 9\n"),
        ("server = { web = true }\n", "server.web", "no", "server = { web = false }\n"),
        ("[codex]\n# c", "server.port", "9", "[codex]\n# c\n\n[server]\nport = 9\n"),
        ("[claude.pool]\n# c", "claude.cli_path", "a", '[claude.pool]\n# c\n\n[claude]\ncli_path = "a"\n'),
        ("", "permissions.allow", "Read, Grep", '[permissions]\nallow = ["Read", "Grep"]\n'),
        ("", "retries.max_wait_seconds", "3", "[retries]\nmax_wait_seconds = 3\n"),
        ("", "server.body_limit", "128m", '[server]\nbody_limit = "128m"\n'),
        ("[claude]\ncli_path = '/x'\n", "claude.cli_path", "", '[claude]\ncli_path = ""\n'),
        ("", "intercept.hosts.api.openai.com", "SDK", '[intercept.hosts]\n"api.openai.com" = "sdk"\n'),
        ("[intercept]\nhosts = {}\n", "intercept.hosts.a", "api", '[intercept]\nhosts = {a = "api"}\n'),
        ("[claude.options.env]\nA = '1'\n", "claude.options.env.A", "2", '[claude.options.env]\nA = "2"\n'),
        ("", "claude.options.mcp_servers.m", '{"a": "b"}', '[claude.options.mcp_servers]\nm = { a = "b" }\n'),
    ],
)  # fmt: skip
def test_one_key(before: str, key: str, text: str, after: str, tmp_path: Path) -> None:
    assert changed(before, key, text, tmp_path) == after


AWKWARD = """\
# about options
[claude.options] # o
model = "x" # m
# end of options

# about the server
[server]
port = 1

[claude] # c
# key
api_key = "k"
[[models.rules]] # one
match = "a"
target = "b"
"""


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("claude.options.model", "y", "y"),
        ("claude.options.max_turns", "3", 3),
        ("claude.api_key", "new", "new"),
        ("claude.sessions.max", "4", 4),
        ("claude.options.env.A", "1", "1"),
        ("server.port", "2", 2),
        ("models.default_backend", "sdk", "sdk"),
        ("models.rules", '[{"match": "c", "target": "d"}]', [{"match": "c", "target": "d"}]),
    ],
)
def test_comments_and_all_other_keys_stay(key: str, text: str, value: object, tmp_path: Path) -> None:
    after = changed(AWKWARD, key, text, tmp_path)
    wanted = tomllib.loads(AWKWARD)
    put(wanted, key.split("."), value)
    assert tomllib.loads(after) == wanted
    comments = [line.partition("#")[2] for line in AWKWARD.splitlines() if "#" in line]
    kept = [line.partition("#")[2] for line in after.splitlines() if "#" in line]
    assert kept == comments


def test_a_header_inside_a_text_is_no_header(tmp_path: Path) -> None:
    before = "[claude.options]\nappend_system_prompt = '''\n[server]\n'''\n"
    assert changed(before, "server.port", "9", tmp_path) == f"{before}\n[server]\nport = 9\n"
    before += "\n[server]\nweb = true\n"
    after = changed(before, "server.port", "9", tmp_path)
    assert tomllib.loads(after) == {
        "claude": {"options": {"append_system_prompt": "[server]\n"}},
        "server": {"web": True, "port": 9},
    }


def test_a_key_of_the_starter_file_goes_into_its_table(tmp_path: Path) -> None:
    after = changed(starter(), "codex.enabled", "off", tmp_path)
    assert after == starter().replace("[codex]\n", "[codex]\nenabled = false\n")


@pytest.mark.parametrize(
    ("before", "key", "text", "said"),
    [
        ("[server]\nport = 1\n", "server.port", "abc", "config set: server.port: 'abc' is not"),
        ("", "server.nope", "1", "config set: server.nope: unknown key."),
        ("", "zzz", "1", "config set: zzz: unknown key. The tables are: server, "),
        ("", "server", "1", "config set: server: is a table, not a value"),
        ("", "claude.options.env", '{"A"', "config set: claude.options.env: is not JSON"),
        ("", "intercept.hosts.a.example", "x", "config set: intercept.hosts.\"a.example\": 'x' is not"),
        ("", "server.host", "0.0.0.0", "config set: server.host: '0.0.0.0' is open to other machines"),
        ("[server\n", "server.port", "1", "{file}:1:8: broken TOML"),
        ("server = 3\n", "server.port", "1", "{file}: server: is a table, not a value"),
        ("[server]\nprot = 3\n", "server.port", "1", "{file}: server.prot: unknown key; did you mean port?"),
        ("[intercept]\nhosts = ['a']\n", "intercept.hosts.b", "api", "{file}: intercept.hosts.b: cannot"),
    ],
)  # fmt: skip
def test_what_would_be_wrong_is_not_written(
    before: str, key: str, text: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    with pytest.raises(SettingsError) as caught:
        changed(before, key, text, tmp_path)
    assert str(caught.value).startswith(said.format(file=file))
    assert file.read_text() == before
    assert os.listdir(tmp_path) == ["config.toml"]


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="is not UTF-8 text"):
        set_key(tmp_path / "x.toml", "server.port", "1", HOME, label="config set")


def test_a_new_file_in_a_new_directory_is_private(tmp_path: Path) -> None:
    file = tmp_path / "a/b/config.toml"
    set_key(file, "claude.api_key", "k", HOME, label="config set")
    assert S_IMODE(file.stat().st_mode) == 0o600
    assert S_IMODE(file.parent.stat().st_mode) == 0o700


def test_an_open_file_becomes_private(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.touch(0o644)
    write_private(file, "x\r\n")
    assert S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes() == b"x\r\n"


def test_a_link_keeps_pointing_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    link, real = tmp_path / "config.toml", tmp_path / "dotfiles/ccproxy.toml"
    real.touch()
    link.symlink_to(real)
    write_private(link, "x")
    assert link.is_symlink()
    assert real.read_text() == "x"


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(IsADirectoryError):
        write_private(tmp_path / "config.toml", "x")
    assert os.listdir(tmp_path) == ["config.toml"]


def test_which_file_is_edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    environ = {"HOME": str(tmp_path / "home")}
    assert file_to_edit(None, environ) == tmp_path / "home/.config/ccproxy/config.toml"
    (tmp_path / "ccproxy.toml").touch()
    assert file_to_edit(None, environ) == tmp_path / "ccproxy.toml"
    assert load(environ=environ, cwd=tmp_path).config_file == tmp_path / "ccproxy.toml"
    assert file_to_edit(Path("x.toml"), environ) == Path("x.toml")
