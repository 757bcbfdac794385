"""Ruin and recreate under simulated annealing; its names are for compiled modules only
(anneal.pxd).
"""

__pyx_capi__: dict[str, object]
