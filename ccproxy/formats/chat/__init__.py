"""OpenAI Chat Completions (API reference, read 2026-11-22)."""
