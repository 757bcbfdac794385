"""The database engines of an installation: given by URL, or started here from the wheels or the
machine's packages."""

from server.engines.engines import EngineInfo, Engines, open_engines, running

__all__ = ["EngineInfo", "Engines", "open_engines", "running"]
