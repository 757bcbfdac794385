"""The planner's route model; its names are for compiled modules only (routes.pxd)."""

__pyx_capi__: dict[str, object]
