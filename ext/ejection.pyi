"""How one ticket goes into one crew's route, plainly or with visits displaced, and where those go:
kernels of ext.insertion, for compiled modules only."""

__pyx_capi__: dict[str, object]
