"""What `ccproxy auth` finds, for people, in 80 columns."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ccproxy.cli.auth_logins import TITLES, Found, Provider
from ccproxy.credentials.credential import CredentialStatus

WIDTH = 80
COLUMNS = {"": 8, "Found in": 23, "Kind": 7, "Plan": 10, "Valid until": 16, "State": 8}
KINDS = {
    "api_key": "API key",
    "oauth": "login",
    "chatgpt": "login",
    "siwc": "login",
    "client": "client",
    "none": "",
}
COLOURS = {"in use": "green", "expired": "red", "missing": "yellow"}
Row = tuple[str, str, str, str, str]


def print_table(found: Iterable[Provider], console: Console | None = None) -> None:
    """A line for each credential in use and each login that is there, then what to do about the rest."""
    console = console or Console(highlight=False)
    console.width = min(console.width, WIDTH)
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for title, width in COLUMNS.items():
        table.add_column(title, no_wrap=True, overflow="ellipsis", max_width=width)
    advice = []
    for provider in found:
        title = TITLES[provider.name]
        for number, row in enumerate(rows(provider)):
            table.add_row("" if number else title, *(Text(cell, COLOURS.get(cell, "")) for cell in row))
        advice += [f"{title}: {hint}" for hint in hints(provider)]
    console.print(table)
    for line in advice:
        console.print(Text(f"\n{line}"))


def rows(provider: Provider) -> Iterator[Row]:
    credential = provider.credential
    if provider.used is None:
        state = "in use" if credential.usable else credential.state
        kind = KINDS.get(credential.kind, credential.kind)
        yield credential.source, kind, "", when(credential.expires_at), state
    for found in sorted(provider.logins, key=lambda found: not found.in_use):
        until = "at next request" if found.state == "renewable" else when(found.login.expires_at)
        kind = "login" if found.login.refresh_token else "token"
        yield found.source.name, kind, found.login.plan or "", until, word(found)


def word(found: Found) -> str:
    if found.in_use:
        return "in use"
    return "expired" if found.state == "expired" else "unused"


def hints(provider: Provider) -> list[str]:
    """Each thing that somebody should do something about, once."""
    wanted = [provider.credential.hint, *(found.hint for found in provider.logins)]
    return list(dict.fromkeys(hint for hint in wanted if hint))


def when(moment: datetime | None) -> str:
    """On the clock of this machine."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}" if moment else ""


def lines(facts: Mapping[str, object]) -> str:
    """Facts below each other; what is not known is left out."""
    shown = {name.replace("_", " "): _spoken(fact) for name, fact in facts.items() if fact not in (None, "")}
    width = max(map(len, shown)) + 2
    return "\n".join(f"{name:<{width}}{fact}" for name, fact in shown.items() if fact)


def _spoken(fact: object) -> str:
    if isinstance(fact, bool):
        return "yes" if fact else "no"
    return " ".join(fact) if isinstance(fact, list) else str(fact)


def in_words(credential: CredentialStatus) -> str:
    """Whether it can be used, in one line."""
    if not credential.usable:
        return credential.hint
    until = f", valid until {when(credential.expires_at)}" if credential.expires_at else ""
    return f"{KINDS.get(credential.kind, credential.kind)} from {credential.source}{until}"
