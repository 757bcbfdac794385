"""Coordinates and datums, grids, shapes and tiles; the only user of shapely and pyproj."""
