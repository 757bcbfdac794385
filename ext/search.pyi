"""The steps of the planner's search; its names are for compiled modules only (search.pxd)."""

__pyx_capi__: dict[str, object]
