"""Where a task goes in a route; its names are for compiled modules only (places.pxd)."""

__pyx_capi__: dict[str, object]
