import random
import shutil
import string
import subprocess
from pathlib import Path

import pytest

from ccproxy.agent.permission_commands import LONGEST, Command

PLAIN = [
    "git status",
    "git status --short 'a; b' \"c && d\"",
    "git commit -m 'two\nlines'",
    "git log -n 3 -- a\\;b",
    "git show HEAD~1 $BRANCH a#b",
    "git show stash@{0}",
    "git log --format='{a,b}'",
    "npm run test:unit",
    "find . -name '*.py'",
]
NOT_PLAIN = [
    "git status; rm -rf ~",
    "git status && rm -rf ~",
    "git status || rm -rf ~",
    "git status | sh",
    "git status |& sh",
    "git status & rm -rf ~",
    "git status\nrm -rf ~",
    "git status\rrm -rf ~",
    "git status \\\n; rm -rf ~",
    "git status $(rm -rf ~)",
    'git status "$(rm -rf ~)"',
    "git status `rm -rf ~`",
    'git status "`rm -rf ~`"',
    "git status > ~/.bashrc",
    "git status >> ~/.bashrc",
    "git status 2>&1",
    "git status < /etc/passwd",
    "git status <(rm -rf ~)",
    "git status >(rm -rf ~)",
    "git status (rm)",
    "git status ${X:-$(rm)}",
    "git status $[$(rm)]",
    'git status "$[$(rm)]"',
    "git status $'\\'' ; rm -rf ~ ; echo ''",
    'git status $"x"',
    "git status # '\nrm -rf ~ #'",
    "git status 'open",
    'git status "open',
    "git status '\\'; rm -rf ~; echo ''",
    "git status \0; x",
    "find . -delete",
    "find . -e'xec' rm {} +",
    "find . {-exec,touch,pwned,\\;}",
    "find . -e{xec,} rm {} +",
    "find . -exe[c] rm {} +",
    "find * rm {} +",
    "git log {a..c}",
    "watch rm",
    "eval x",
    "",
    "git log " + "x" * LONGEST,
]


@pytest.mark.parametrize("text", PLAIN)
def test_one_command(text: str) -> None:
    assert Command(text).is_plain


@pytest.mark.parametrize("text", NOT_PLAIN)
def test_more_than_one_command(text: str) -> None:
    assert not Command(text).is_plain


def test_what_is_plain_runs_nothing_else(tmp_path: Path) -> None:
    """Random scraps of shell behind `true`: the ones that count as plain make no file and run no `evil`."""
    bash = shutil.which("bash")
    if not bash:
        pytest.skip("there is no bash")
    dice = random.Random(7)
    scraps = [
        "'",
        '"',
        "\\",
        "$",
        "(",
        ")",
        "`",
        ";",
        "&",
        "|",
        "\n",
        "#",
        " ",
        "evil",
        "{",
        "}",
        "<",
        ">",
        "[",
        "]",
    ]
    plain = []
    for _ in range(30_000):
        text = "true " + "".join(dice.choice(scraps) for _ in range(dice.randint(2, 12)))
        if "evil" in text and Command(text).is_plain:
            plain.append(text)
    assert len(plain) > 100
    marker = tmp_path / "evil"
    # every text in a subshell of its own, so that a syntax error ends that one alone
    for begin in range(0, len(plain), 200):
        tries = [f"bash -c {_quoted(text)} 2>/dev/null" for text in plain[begin : begin + 200]]
        script = f"evil() {{ : > {marker}; }}; export -f evil\n" + "\n".join(tries)
        subprocess.run(
            [bash, "-c", script], cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, timeout=60, check=False
        )
        assert list(tmp_path.iterdir()) == []


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


@pytest.mark.parametrize(
    "text",
    [
        "rm -rf x",
        "  rm   -rf  x",
        "git status; rm -rf x",
        "git status &&rm -rf x",
        "git status|rm -rf x",
        "git status\nrm -rf x",
        "echo $(rm -rf x)",
        'echo "$(true; rm -rf x)"',
        "echo `rm -rf x`",
        "( rm -rf x )",
        "{ rm -rf x; }",
        "if true; then rm -rf x; fi",
        "F=1 G='a b' rm -rf x",
        "timeout -s KILL 30s nice -n 5 rm -rf x",
        "sudo rm -rf x",
        "'rm' -rf x",
        "r\\m -rf x",
        "/bin/rm -rf x",
        "! rm -rf x",
        ">out rm -rf x",
        "cat <<E\ndon't\nE\nrm -rf x # '",
        "git status # '\nrm -rf x #'",
        "git status $'\\'' ; rm -rf x ; echo ''",
        "echo 'open; rm -rf x",
        "true && {rm,-rf,x}",
        "r\\\nm -rf x",
        "git status # \\\nrm -rf x",
        "coproc rm -rf x",
        "> out rm -rf x",
    ],
)
def test_what_a_command_may_run(text: str) -> None:
    assert any(spelling.startswith("rm -rf x") for spelling in Command(text).spellings()), text


@pytest.mark.parametrize("text", ["git commit -m 'fix; rm -rf x'", 'echo "a && rm -rf x"', "echo rm -rf x"])
def test_text_in_quotes_is_no_command(text: str) -> None:
    assert not any(spelling.startswith("rm") for spelling in Command(text).spellings())


def test_a_huge_command_takes_no_time() -> None:
    text = "echo '" + string.ascii_letters * 20_000 + "'"
    assert not Command(text).is_plain
    assert len(list(Command(text).spellings())) < 10
