"""Shell commands as the rules see them: is this one command and nothing else, and what would it run?

Not a parser of the shell. What it does not understand is not plain, so no rule with `*` allows it.
"""

import re
import shlex
from collections.abc import Iterator
from fnmatch import fnmatchcase

LONGEST = 10_000
"""Characters of a command beyond which nobody looks into it, as in Claude Code."""

_SEPARATORS = re.compile(r"[;&|()`\n\r]")
_CONTINUED = re.compile(r"\\\r?\n")
_BRACES = str.maketrans("{,}", "   ")
_IN_FRONT = re.compile(r"[A-Za-z_]\w*\+?=.*|-.*|\d+(\.\d+)?[smhd]?|\d*[<>].*|[{!]", re.DOTALL)
_NEVER_PLAIN = frozenset({"eval", "exec", "flock", "ionice", "setsid", "watch"})
"""Programs that no rule with `*` allows, because they run whatever comes behind them."""

_RUNNERS = _NEVER_PLAIN | {
    *("builtin", "command", "doas", "env", "nice", "noglob", "nohup", "stdbuf", "sudo", "time", "timeout"),
    *("coproc", "xargs", "do", "elif", "else", "if", "then", "until", "while"),
}
"""Words behind which comes the command that is run."""

_RUN_BY_FIND = frozenset(
    {"-delete", "-exec", "-execdir", "-fls", "-fprint", "-fprint0", "-fprintf", "-ok", "-okdir"}
)


class Command:
    """A command line. `is_plain`: one command, which the shell neither takes apart nor lets write a file."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self._parts, self._is_tangled, redirects = _taken_apart(self.text)
        simple = len(self._parts) == 1 and not (self._is_tangled or redirects)
        self.is_plain = simple and len(self.text) <= LONGEST and not _runs_another(_words(self.text))

    def spellings(self) -> Iterator[str]:
        """What it may run, each command in its plainest spelling too: `F=1 sudo 'rm'  x` as `rm x`."""
        yield self.text
        for part in [*self._parts, *(self._untangled() if self._is_tangled else ())]:
            yield part.strip()
            words, after_option = _words(part), False
            while words:
                yield " ".join(words)
                yield " ".join((words[0].rpartition("/")[2], *words[1:]))
                if words[0] not in _RUNNERS and not _IN_FRONT.fullmatch(words[0]) and not after_option:
                    break
                # `sudo -u root rm`, `> out rm`: what comes behind an option may be its value
                after_option = words[0].startswith("-") or words[0].endswith(("<", ">"))
                words = words[1:]

    def _untangled(self) -> Iterator[str]:
        """Quotes are not to be trusted where a substitution stands between them. The shell makes one line of
        two, and words of what stands in braces: `{rm,-rf}` is `rm -rf`."""
        text = _CONTINUED.sub("", self.text)
        for part in (*_SEPARATORS.split(self.text), *_SEPARATORS.split(text)):
            yield part
            if "{" in part:
                yield part.translate(_BRACES)


def _taken_apart(text: str) -> tuple[list[str], bool, bool]:
    """The commands between the separators; whether quotes do not tell what is text; whether it redirects."""
    parts, begin, quote, position = [], 0, "", 0
    tangled = redirects = False
    # braces with one of these in them are taken for several words
    braces = "," in text or ".." in text
    while position < len(text):
        char, following = text[position], text[position + 1 : position + 2]
        if quote == "'":
            quote = "" if char == "'" else quote
        elif char == "\\":
            tangled = tangled or following in ("\n", "\r")
            position += 1
        elif char == "`" or (char == "$" and following in tuple("({[" if quote else "({['\"")):
            tangled = True
        elif char in ("'", '"'):
            quote = char if not quote else "" if quote == char else quote
        elif quote or char == "\0":
            tangled = tangled or char == "\0"
        elif char == "{":
            tangled = tangled or braces
        elif char in ";&|()\n\r":
            parts.append(text[begin:position])
            begin = position + 1
        elif char in "<>":
            redirects = True
            # a heredoc's text may have a quote in it that is none
            tangled = tangled or following == "<"
        elif char == "#" and (position == 0 or text[position - 1] in " \t\n\r;&|()"):
            tangled = True
        position += 1
    return [*parts, text[begin:]], tangled or bool(quote), redirects


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text[:LONGEST])
    except ValueError:
        # a quote without its end
        return [word.strip("\"'") for word in text[:LONGEST].split()]


def _runs_another(words: list[str]) -> bool:
    """Whether what it runs stands in its arguments, where a rule for it does not look.

    A pattern counts as every name that it means: there may be a file `-exec`.
    """
    if words[:1] == ["find"]:
        return any(fnmatchcase(danger, word) for word in words for danger in _RUN_BY_FIND)
    return not words or words[0] in _NEVER_PLAIN
