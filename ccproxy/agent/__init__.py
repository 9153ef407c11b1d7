"""Claude Code as a backend: its processes, the conversations they hold, and what they ask for."""
