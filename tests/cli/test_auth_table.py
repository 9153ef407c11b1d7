import io
from datetime import UTC, datetime

from rich.console import Console

from ccproxy.cli.auth_logins import Found, Provider
from ccproxy.cli.auth_table import in_words, lines, print_table
from ccproxy.credentials.credential import CredentialStatus
from ccproxy.credentials.fixed import Fixed
from ccproxy.credentials.stores.claude_env import VARIABLE, ClaudeEnvStore
from ccproxy.credentials.stores.login import Login

ENDS = datetime(2026, 11, 22, 12, tzinfo=UTC)


def printed(*providers: Provider, width: int = 200) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    print_table(providers, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def found(*, in_use: bool, plan: str = "enterprise", hint: str = "") -> Found:
    login = Login("token", "refresh", ENDS, plan=plan)
    return Found(Fixed(ClaudeEnvStore({VARIABLE: "t"}), ""), login, "valid", hint, in_use)


def test_it_fits_into_80_columns_with_the_longest_words() -> None:
    status = CredentialStatus("oauth", VARIABLE, "valid", ENDS)
    table = printed(
        Provider("claude", status, (found(in_use=False), found(in_use=True))),
        Provider("openai", CredentialStatus("none", "nowhere", "missing", hint="Set it. " * 30), ()),
    )
    assert max(map(len, table)) <= 80
    assert VARIABLE in table[1]
    assert table[1].rstrip().endswith("in use")
    assert table[2].rstrip().endswith("unused")
    assert not any("…" in line for line in table)


def test_a_hint_is_given_once() -> None:
    status = CredentialStatus("none", VARIABLE, "expired", hint="Do this.")
    table = printed(Provider("claude", status, (found(in_use=False, hint="Do this."),)))
    assert "\n".join(table).count("Do this.") == 1


def test_lines_leave_out_what_is_not_known() -> None:
    facts: dict[str, object] = {"account_id": "a", "plan": None, "in_use": False, "scopes": ["x", "y"]}
    assert lines(facts).splitlines() == ["account id  a", "in use      no", "scopes      x y"]
    assert lines({"plan": None, "scopes": [], "x": "y"}) == "x       y"


def test_in_words() -> None:
    assert in_words(CredentialStatus("none", "x", "missing", hint="Do this.")) == "Do this."
    assert in_words(CredentialStatus("api_key", "claude.api_key", "valid")) == "API key from claude.api_key"
