"""The reserve of a plan for foreseen calls; its names are for compiled modules (reserve.pxd)."""

__pyx_capi__: dict[str, object]
