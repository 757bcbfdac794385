"""One function or class per command: load, decide, save."""
