# cython: autotestdict=False
"""Many points in many fences, all pairs, and how far one point is from a fence's outline.

A fence is one or more rings on a plane; inside is what an odd number of its rings hold, so that holes and several
parts need no word. A grid over all fences says for each cell which of them hold it whole and which have an edge in it;
only for those is a point asked, against the edges of its own strip of the fence (after H. Samet: The Design and
Analysis of Spatial Data Structures, 1990). An edge is always taken from its lower end, so that a point on the edge two
fences share is in one of them, as a pixel is.
"""

cimport cython
from libc.math cimport floor, sqrt
from libc.stdint cimport int32_t, int64_t

import numpy as np

from ext.rings import edges_of
from ext.spatial import bin_index

from ext.sphere cimport Point, on_sphere

cdef enum:
    CELLS_A_FENCE = 1024
    LEAST_CELLS = 4096
    MOST_CELLS = 1 << 20
    MOST_ENTRIES = 1 << 22  # of all cells together, about
    MOST_STRIPS = 1024
    AHEAD = 16  # points whose cell is fetched beforehand

cdef double ROOM = 1e-6  # of a cell: edges are marked that much wider than they are, far beyond what rounding moves
cdef double DEGREE = 3.14159265358979323846 / 180.0
cdef double AXIS_M = 6378137.0              # WGS-84
cdef double FLATNESS = 0.00669437999014132  # its first eccentricity squared


cdef extern from *:
    void prefetch "__builtin_prefetch" (const void* at) noexcept nogil


cdef struct Edge:
    double x, y, slope, top  # from the lower end (x, y) up to y = top, x changing by slope

cdef struct Span:
    double low, high  # of a fence's y
    double pace       # strips a unit of y
    double strip      # the first of its strips


cdef inline bint _right_of(const Edge* edge, double x, double y) noexcept nogil:
    # Whether the edge crosses the line from the point to the right; without branches, which nobody could foresee.
    return (edge.y <= y) & (y < edge.top) & (x < edge.slope * (y - edge.y) + edge.x)


cdef _edges(rings):
    # float64[edges, 4] of a fence: x, y of the lower end, x, y of the upper one.
    edges = edges_of(rings, "fence")
    down = edges[:, 1] > edges[:, 3]
    edges[down] = edges[down][:, [2, 3, 0, 1]]
    return edges


@cython.final
@cython.auto_pickle(False)
cdef class Fences:
    """Fences to ask many points against; numbered as they are given.

    `fences`: of each its rings, float64[corners, 2] (x, y in any one unit), the last corner joined to the first. Raises
    ValueError for a ring or a fence that is none.
    """

    cdef Py_ssize_t count
    cdef double x0, y0, cell
    cdef int32_t width, height
    cdef int32_t[::1] entries    # of all cells: a fence with an edge there, or ~ a fence that holds all of it
    cdef int32_t[::1] cells      # where each cell's begin
    cdef Span* span              # of each fence
    cdef int64_t[::1] first      # of each strip: where its edges begin
    cdef Edge* edge
    cdef object spans, edges     # own them

    def __cinit__(self, fences):
        outlines = [_edges(rings) for rings in fences]
        self.count = len(outlines)
        self._cut(outlines)
        self._lay(outlines)

    def __len__(self):
        return self.count

    cdef int _cut(self, list outlines) except -1:
        # Each fence into strips, and which edges pass through each.
        cdef Py_ssize_t f, i, n, place
        cdef int64_t s, total = 0
        cdef double[:, ::1] outline
        cdef double[:, ::1] edges, spans
        cdef int64_t[::1] bottom, top, size
        cdef double pace
        self.spans = np.zeros((self.count + 1, 4))
        spans = self.spans
        self.span = <Span*>&spans[0, 0]
        parts = []
        firsts = [np.zeros(1, np.int64)]
        for f in range(self.count):
            outline = outlines[f]
            low, high = np.asarray(outline)[:, 1].min(), np.asarray(outline)[:, 3].max()
            n = min(max(1, outline.shape[0] // 2), <Py_ssize_t>MOST_STRIPS)
            # never past the last strip; a fence without height has one
            pace = (n - 0.5) / (high - low) if high - low > 1e-300 else 0.0
            spans[f, 0], spans[f, 1], spans[f, 2] = low, high, pace
            spans[f + 1, 3] = spans[f, 3] + n
            # the very expression that looks a point's strip up: both must round alike
            bottom = ((np.asarray(outline)[:, 1] - low) * pace).astype(np.int64)
            top = ((np.asarray(outline)[:, 3] - low) * pace).astype(np.int64)
            counted = np.zeros(n, np.int64)
            size = counted
            for i in range(outline.shape[0]):
                if outline[i, 1] < outline[i, 3]:
                    for s in range(bottom[i], top[i] + 1):
                        size[s] += 1
            ends = np.cumsum(counted)
            found = np.empty((ends[n - 1], 4))
            edges = found
            size = ends - counted
            for i in range(outline.shape[0]):
                if outline[i, 1] < outline[i, 3]:
                    for s in range(bottom[i], top[i] + 1):
                        place = size[s]
                        size[s] = place + 1
                        edges[place, 0], edges[place, 1], edges[place, 3] = outline[i, 0], outline[i, 1], outline[i, 3]
                        edges[place, 2] = (outline[i, 2] - outline[i, 0]) / (outline[i, 3] - outline[i, 1])
            parts.append(found)
            firsts.append(ends + total)
            total += len(found)
        self.first = np.concatenate(firsts)
        self.edges = np.ascontiguousarray(np.concatenate([*parts, np.zeros((1, 4))]))
        edges = self.edges
        self.edge = <Edge*>&edges[0, 0]
        return 0

    cdef inline bint _holds(self, Py_ssize_t fence, double x, double y) noexcept nogil:
        cdef Span span = self.span[fence]
        cdef bint inside = False
        cdef int64_t strip, i
        if not (span.low <= y <= span.high):
            return False
        strip = <int64_t>span.strip + <int64_t>((y - span.low) * span.pace)
        for i in range(self.first[strip], self.first[strip + 1]):
            inside ^= _right_of(&self.edge[i], x, y)
        return inside

    cdef int _lay(self, list outlines) except -1:
        # The grid, and of each cell its fences.
        if self.count == 0:
            self.x0 = self.y0 = 0.0
            self.cell, self.width, self.height = 1.0, 1, 1
            self.cells, self.entries = np.zeros(2, np.int32), np.zeros(1, np.int32)
            return 0
        boxes = np.array([
            (min(one[:, 0].min(), one[:, 2].min()), one[:, 1].min(), max(one[:, 0].max(), one[:, 2].max()),
             one[:, 3].max())
            for one in outlines
        ])
        x0, y0 = boxes[:, 0].min(), boxes[:, 1].min()
        wide, tall = boxes[:, 2].max() - x0, boxes[:, 3].max() - y0
        wanted = min(max(CELLS_A_FENCE * self.count, LEAST_CELLS), MOST_CELLS)
        covered = ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).sum()
        cell = max(
            np.sqrt(wide * tall / wanted), np.sqrt(covered / MOST_ENTRIES), max(wide, tall) / 32768,
            1e-7 * np.abs(boxes).max(), 1e-300,
        )
        self.x0, self.y0, self.cell = x0, y0, cell
        self.width, self.height = int(wide / cell) + 1, int(tall / cell) + 1
        numbers, entries = [], []
        for f in range(self.count):
            at, entry = self._cells_of(f, np.ascontiguousarray((outlines[f] - [x0, y0, x0, y0]) / cell))
            numbers.append(at)
            entries.append(entry)
        at = np.concatenate(numbers)
        order = np.argsort(at, kind="stable")
        self.entries = np.concatenate([np.concatenate(entries)[order], np.zeros(1, np.int32)]).astype(np.int32)
        sizes = np.bincount(at, minlength=self.width * self.height)
        self.cells = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
        return 0

    cdef tuple _cells_of(self, Py_ssize_t fence, double[:, ::1] edges):
        # Numbers of the cells that a fence touches or holds, and their entries; edges in cells' widths.
        cdef Py_ssize_t i, row, column, left, right, west, east, south, north
        cdef double x1, y1, x2, y2, slope, a, b
        cdef bint inside = False, known
        plain = np.asarray(edges)
        west = max(0, int(np.floor(plain[:, ::2].min() - ROOM)))
        east = min(self.width - 1, int(np.floor(plain[:, ::2].max() + ROOM)))
        south = max(0, int(np.floor(plain[:, 1].min() - ROOM)))
        north = min(self.height - 1, int(np.floor(plain[:, 3].max() + ROOM)))
        touched = np.zeros((north - south + 1, east - west + 1), np.int8)
        cdef signed char[:, ::1] mark = touched
        with nogil:
            for i in range(edges.shape[0]):
                x1, y1, x2, y2 = edges[i, 0], edges[i, 1], edges[i, 2], edges[i, 3]
                slope = (x2 - x1) / (y2 - y1) if y2 > y1 else 0.0
                for row in range(max(south, <Py_ssize_t>floor(y1 - ROOM)), min(north, <Py_ssize_t>floor(y2 + ROOM)) + 1):
                    # the part of the edge within the row
                    a = x1 if row <= y1 or y2 <= y1 else x1 + slope * (row - y1)
                    b = x2 if row + 1 >= y2 or y2 <= y1 else x1 + slope * (row + 1 - y1)
                    left = max(west, <Py_ssize_t>floor(min(a, b) - ROOM))
                    right = min(east, <Py_ssize_t>floor(max(a, b) + ROOM))
                    for column in range(left, right + 1):
                        mark[row - south, column - west] = 1
            # between edges a row is all inside or all outside: its middle tells
            for row in range(south, north + 1):
                known = False
                for column in range(west, east + 1):
                    if mark[row - south, column - west]:
                        known = False
                        continue
                    if not known:
                        inside = self._holds(
                            fence, self.x0 + (column + 0.5) * self.cell, self.y0 + (row + 0.5) * self.cell
                        )
                        known = True
                    if inside:
                        mark[row - south, column - west] = 2
        rows, columns = np.nonzero(touched)
        numbers = (rows + south) * self.width + columns + west
        return numbers, np.where(touched[rows, columns] == 1, fence, ~fence).astype(np.int32)

    def pairs(self, const double[::1] x not None, const double[::1] y not None):
        """Which points lie in which fences: point numbers int64[k] and fence numbers int32[k], by point, then fence.

        x and y as the fences' corners; NaN lies nowhere. Raises ValueError for unequal lengths.
        """
        cells = bin_index(np.asarray(x), np.asarray(y), self.x0, self.y0, self.cell, self.width, self.height)
        cdef const int32_t[::1] at = cells
        cdef const int32_t* begins = &self.cells[0]
        cdef const int32_t* entries = &self.entries[0]
        cdef Py_ssize_t n = x.shape[0], i, j, k = 0
        cdef int64_t most = 0
        cdef int32_t fence
        with nogil:
            for i in range(n):
                if i + AHEAD < n and at[i + AHEAD] >= 0:
                    prefetch(begins + at[i + AHEAD])
                if at[i] >= 0:
                    most += begins[at[i] + 1] - begins[at[i]]
        points, fences = np.empty(most + 1, np.int64), np.empty(most + 1, np.int32)
        cdef int64_t[::1] p = points
        cdef int32_t[::1] f = fences
        with nogil:
            for i in range(n):
                if i + 2 * AHEAD < n and at[i + 2 * AHEAD] >= 0:
                    prefetch(begins + at[i + 2 * AHEAD])
                if i + AHEAD < n and at[i + AHEAD] >= 0:
                    prefetch(entries + begins[at[i + AHEAD]])
                if at[i] < 0:
                    continue
                for j in range(begins[at[i]], begins[at[i] + 1]):
                    # written in any case, kept if inside
                    fence = entries[j]
                    p[k] = i
                    f[k] = fence ^ (fence >> 31)
                    k += fence < 0 or self._holds(fence, x[i], y[i])
        return points[:k], fences[:k]


def signed_distance_m(rings, double lon, double lat):
    """Metres from a place to the outline of a fence, negative inside it.

    Rings float64[corners, 2] in degrees east and north (WGS-84 or any datum near it), inside as in Fences. Degrees
    become metres by the ellipsoid's two radii at the place's latitude: within 0.2 % up to 10 km away below 60 degrees.
    Raises ValueError for a ring or fence that is none and for a place that is none.
    """
    outline = np.ascontiguousarray(_edges(rings))
    cdef const double[:, ::1] edges = outline
    cdef Py_ssize_t i
    cdef double w, east, north, ax, ay, bx, by, length, share, squared, nearest = float("inf")
    cdef bint inside = False
    cdef Edge edge
    cdef Point place
    if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
        raise ValueError("a place has a longitude within 180 and a latitude within 90 degrees")
    place = on_sphere(0, <int32_t>floor(lat * 1e6 + 0.5))  # its x and z: cosine and sine, in steps of 2**-29
    w = 1.0 - FLATNESS * (place.z / 536870912.0) * (place.z / 536870912.0)
    east = AXIS_M / sqrt(w) * (place.x / 536870912.0) * DEGREE
    north = AXIS_M * (1.0 - FLATNESS) / (w * sqrt(w)) * DEGREE
    for i in range(edges.shape[0]):
        ax, ay = (edges[i, 0] - lon) * east, (edges[i, 1] - lat) * north
        bx, by = (edges[i, 2] - edges[i, 0]) * east, (edges[i, 3] - edges[i, 1]) * north
        length = bx * bx + by * by
        share = min(1.0, max(0.0, -(ax * bx + ay * by) / length)) if length > 0.0 else 0.0
        squared = (ax + share * bx) * (ax + share * bx) + (ay + share * by) * (ay + share * by)
        nearest = min(nearest, squared)
        if edges[i, 1] < edges[i, 3]:
            edge = Edge(edges[i, 0], edges[i, 1], (edges[i, 2] - edges[i, 0]) / (edges[i, 3] - edges[i, 1]), edges[i, 3])
            inside ^= _right_of(&edge, lon, lat)
    return -sqrt(nearest) if inside else sqrt(nearest)
