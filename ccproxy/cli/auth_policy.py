"""What each provider publishes about using a subscription this way: our words, read 2026-11-22.

Said before a login begins; docs/credentials.md has more. Only the linked page counts.
"""

POLICIES = {
    "claude": (
        "Anthropic's published policy says that the login of a Claude plan is meant for Claude Code and "
        "Anthropic's own applications, and that other products should use API keys. "
        "With another client in front of ccproxy it can lead to refused requests, extra charges or steps "
        "against your account.",
        "https://code.claude.com/docs/en/legal-and-compliance",
    ),
    "codex": (
        "OpenAI publishes no permission, as far as we found, for other programs to use the Codex CLI's "
        "login; the published way for local open-source programs is Sign in with ChatGPT (--siwc). "
        "Its terms forbid to share accounts and to work around limits.",
        "https://developers.openai.com/siwc",
    ),
    "siwc": (
        "OpenAI documents Sign in with ChatGPT for open-source programs on your own machine, in preview for "
        "the plans Plus and Pro. "
        "Access is for you alone: it is not to be shared, or hosted for others.",
        "https://developers.openai.com/siwc",
    ),
}


def policy(name: str) -> str:
    """Two sentences and a link."""
    text, link = POLICIES[name]
    return f"{text}\nRead {link} before you go on; an API key needs none of this."
