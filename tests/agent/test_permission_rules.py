from typing import Any

import pytest

from ccproxy.agent.permission_paths import Place
from ccproxy.agent.permission_rules import BadRule, Call, Rules, Verdict

HOME, CWD = "/home/u", "/work/p"


def bash(command: object) -> Call:
    return Call("Bash", {"command": command})


def file(tool: str, *paths: str) -> Call:
    return Call(tool, {}, tuple(Place(path, CWD, HOME) for path in paths))


def allowed(rule: str, call: Call) -> bool:
    return Rules(allow=[rule]).verdict(call) == Verdict(True, rule)


def denied(rule: str, call: Call) -> bool:
    return Rules(deny=[rule]).verdict(call) == Verdict(False, rule)


@pytest.mark.parametrize(
    ("rule", "command", "matches"),
    [
        ("Bash", "rm -rf ~; true", True),
        ("Bash(*)", "rm -rf ~; true", True),
        ("Bash(git status:*)", "git status", True),
        ("Bash(git status:*)", "git status --short", True),
        ("Bash(git status *)", "git status --short", True),
        ("Bash(git status *)", "git status", True),
        ("Bash(git status:*)", "git statusx", False),
        ("Bash(ls*)", "lsof", True),
        ("Bash(npm run test)", "npm run test", True),
        ("Bash(npm run test)", " npm run test\n", True),
        ("Bash(npm run test)", "npm run test --watch", False),
        ("Bash(npm run build && npm test)", "npm run build && npm test", True),
        ("Bash(git * main)", "git push origin main", True),
        ("Bash(git * main)", "git main", False),
        ("Bash(* --help *)", "npm --help", False),
        ("Bash(* --help *)", "npm --help x", True),
        ("Bash(git:* push)", "git push", False),
        ("Bash(a*a)", "a", False),
        ("Bash(git status:*)", "git status; rm -rf ~", False),
        ("Bash(git status:*)", "git status\nrm -rf ~", False),
        ("Bash(git status:*)", "git status $(rm -rf ~)", False),
        ("Bash(git status:*)", "git status > ~/.bashrc", False),
        ("Bash(git status:*)", "FOO=1 git status", False),
        ("Bash(git status:*)", "timeout 3 git status", False),
        ("Bash(git status*)", "git status|sh", False),
    ],
)
def test_commands_that_are_allowed(rule: str, command: str, matches: bool) -> None:
    assert allowed(rule, bash(command)) is matches


@pytest.mark.parametrize(
    ("rule", "command", "matches"),
    [
        ("Bash(rm:*)", "rm -rf x", True),
        ("Bash(rm:*)", "git status; rm -rf x", True),
        ("Bash(rm:*)", 'echo "$(rm x)"', True),
        ("Bash(rm:*)", "sudo -u root rm x", True),
        ("Bash(rm:*)", "FOO=1 /bin/rm x", True),
        ("Bash(rm:*)", "rmdir x", False),
        ("Bash(rm:*)", "git commit -m 'rm; rm x'", False),
        ("Bash(git push:*)", "git  push origin", True),
        ("Bash(git push)", "git push", True),
        ("Bash(git push)", "git push origin", False),
        ("Bash(rm:*)", "true " + "x" * 100_000 + " & rm y", True),
    ],
)
def test_commands_that_are_denied(rule: str, command: str, matches: bool) -> None:
    assert denied(rule, bash(command)) is matches


def test_denying_is_stronger() -> None:
    rules = Rules(allow=["Bash", "Read"], deny=["Bash(rm:*)", "Read(.env)"])
    assert rules.verdict(bash("ls && rm x")) == Verdict(False, "Bash(rm:*)")
    assert rules.verdict(bash("ls")) == Verdict(True, "Bash")
    assert rules.verdict(file("Read", "/work/p/.env")) == Verdict(False, "Read(.env)")
    assert rules.verdict(file("Read", "/work/p/a")) == Verdict(True, "Read")
    assert rules.verdict(file("Write", "/work/p/a")) is None


@pytest.mark.parametrize(
    ("tool", "edits"), [("Edit", True), ("Write", True), ("NotebookEdit", True), ("Read", False)]
)
def test_a_rule_for_edits_is_for_all_tools_that_edit(tool: str, edits: bool) -> None:
    assert allowed("Edit", file(tool, "/work/p/src/a")) is edits
    assert allowed("Edit(src/**)", file(tool, "/work/p/src/a")) is edits
    assert not allowed("Edit(src/**)", file(tool, "/work/p/other"))


def test_a_rule_for_reading() -> None:
    assert allowed("Read(src/**)", file("Grep", "/work/p/src"))
    assert not allowed("Read(src/**)", file("Glob", "/work/p/src"))
    assert denied("Read(src/**)", file("Glob", "/work/p/src"))
    # what may not be read may not be written
    assert denied("Read(.env)", file("Write", "/work/p/.env"))
    assert not denied("Read(.env)", file("NotebookEdit", "/work/p/.env"))


def test_every_place_has_to_be_allowed_and_one_denied_is_enough() -> None:
    linked = file("Edit", "/work/p/src/a", "/etc/passwd")
    assert not allowed("Edit(src/**)", linked)
    assert denied("Edit(//etc/**)", linked)
    assert not allowed("Edit(**)", file("Edit"))


@pytest.mark.parametrize(
    ("rule", "tool", "matches"),
    [
        ("mcp__github", "mcp__github__get_issue", True),
        ("mcp__github", "mcp__github2__get_issue", False),
        ("mcp__github", "mcp__github", False),
        ("mcp__github__*", "mcp__github__get_issue", True),
        ("mcp__github__get_*", "mcp__github__get_issue", True),
        ("mcp__github__get_*", "mcp__github__put", False),
        ("mcp__github__get_issue", "mcp__github__get_issue", True),
        ("mcp__github__get_issue", "mcp__github__get_issues", False),
        ("WebSearch", "WebSearch", True),
        ("WebSearch", "WebFetch", False),
    ],
)
def test_tools_by_name(rule: str, tool: str, matches: bool) -> None:
    assert allowed(rule, Call(tool, {})) is matches
    assert denied(rule, Call(tool, {})) is matches


def test_patterns_of_names_deny() -> None:
    assert denied("mcp__*", Call("mcp__x__y", {}))
    assert denied("*", bash("ls"))
    assert denied("Web*", Call("WebFetch", {}))


@pytest.mark.parametrize(
    ("rule", "url", "matches"),
    [
        ("WebFetch(domain:example.com)", "https://example.com/a", True),
        ("WebFetch(domain:example.com)", "https://EXAMPLE.com.:8443", True),
        ("WebFetch(domain:example.com)", "https://evil.com/example.com", False),
        ("WebFetch(domain:example.com)", "https://a.example.com", False),
        ("WebFetch(domain:*.example.com)", "https://a.b.example.com", True),
        ("WebFetch(domain:*.example.com)", "https://example.com", False),
        ("WebFetch(domain:example.*)", "https://example.org", True),
        ("WebFetch(domain:example.*)", "https://example.evil.com", False),
        ("WebFetch(domain:*)", "https://any.where", True),
        ("WebFetch", "nonsense", True),
    ],
)
def test_hosts(rule: str, url: str, matches: bool) -> None:
    assert allowed(rule, Call("WebFetch", {"url": url})) is matches
    assert denied(rule, Call("WebFetch", {"url": url})) is matches


@pytest.mark.parametrize("url", ["https://example.com@evil.com/", "https://evil.com\\@example.com/"])
def test_an_address_that_is_read_in_two_ways_is_asked(url: str) -> None:
    assert not allowed("WebFetch(domain:example.com)", Call("WebFetch", {"url": url}))
    assert not allowed("WebFetch(domain:evil.com)", Call("WebFetch", {"url": url}))


@pytest.mark.parametrize(
    "given", [None, "text", 3, [], {}, {"command": 3}, {"url": None}, {"url": "http://[x"}]
)
@pytest.mark.parametrize("rule", ["Bash(ls:*)", "WebFetch(domain:*)", "Read(src/**)"])
def test_an_input_that_is_none(given: Any, rule: str) -> None:
    for tool in ("Bash", "WebFetch", "Read"):
        assert Rules([rule], [rule]).verdict(Call(tool, given)) is None


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("", "not a rule"),
        ("Bash(", "not a rule"),
        ("Bash()", "empty"),
        ("Bash(:*)x", "not a rule"),
        ("Bash(**)", "Bash alone"),
        ("Read me", "not a rule"),
        ("Write(src/**)", "Edit(src/**)"),
        ("Glob(src/**)", "Read(src/**)"),
        ("Agent(Explore)", "only Bash"),
        ("mcp__github(x)", "nothing in brackets"),
        ("mcp__", "mcp__server"),
        ("WebFetch(example.com)", "domain:"),
        ("Read(../x)", "without .."),
        ("Edit(!src/**)", "exceptions"),
    ],
)
def test_a_bad_rule_is_named(rule: str, says: str) -> None:
    for allow, deny in (([rule], []), ([], [rule])):
        with pytest.raises(BadRule) as problem:
            Rules(allow, deny)
        assert repr(rule) in str(problem.value)
        assert says in str(problem.value)


@pytest.mark.parametrize("rule", ["*", "B*", "mcp__*", "mcp__gi*__x"])
def test_a_pattern_of_names_allows_only_within_a_server(rule: str) -> None:
    with pytest.raises(BadRule, match="begin with a server"):
        Rules(allow=[rule])
    Rules(deny=[rule])


@pytest.mark.parametrize("text", ["bash", "BASH(ls)", "read", "Websearch"])
def test_a_tool_that_is_spelt_otherwise_is_an_error(text: str) -> None:
    with pytest.raises(BadRule, match="is called"):
        Rules(deny=[text])
