"""Where credentials come from. A credential is a header for one upstream, and never travels elsewhere."""
