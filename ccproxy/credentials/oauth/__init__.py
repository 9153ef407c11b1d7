"""Logging in with Claude, with Codex and with Sign in with ChatGPT: the protocols, no storage."""
