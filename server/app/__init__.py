"""The one composition root: what a web process and a core process are made of."""

from server.app.core import run_core
from server.app.web import create_app, run_web

__all__ = ["create_app", "run_core", "run_web"]
