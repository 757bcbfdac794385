"""One question to the plan; its names are for compiled modules only (question.pxd)."""

__pyx_capi__: dict[str, object]
