"""The application: command line, composition root, use cases, adapters, API, sources,
jobs and engines."""

__version__ = "0.1.0"
