"""What the ChatGPT plan backend demands beyond the Responses format, and what it does not keep."""
