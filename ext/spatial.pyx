# cython: autotestdict=False
"""Points onto a regular grid: cell numbers, counts and weighted sums."""

from libc.stdint cimport int32_t

import numpy as np

# Points are taken in blocks: the arithmetic of a block vectorises, its scatter stays in the first-level cache.
cdef enum:
    BLOCK = 512


cdef extern from *:
    """
    #include <stdint.h>
    #include <stddef.h>
    /* One build for every x86-64: glibc picks the widest vectors the processor has when the module is loaded. */
    #if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
    __attribute__((target_clones("avx512f", "avx2", "default")))
    #endif
    static void heatops_cells(const double *restrict x, const double *restrict y, ptrdiff_t n, double x0, double y0,
                              double cell, int32_t width, int32_t height, int32_t outside, int32_t *restrict cells)
    {
        const double w = width, h = height;
        for (ptrdiff_t i = 0; i < n; i++) {
            const double column = (x[i] - x0) / cell, row = (y[i] - y0) / cell;
            /* Compared before truncating: NaN fails every comparison, and -0.5 must not become cell 0. */
            const int inside = (column >= 0.0) & (column < w) & (row >= 0.0) & (row < h);
            const int32_t c = (int32_t)(inside ? column : 0.0), r = (int32_t)(inside ? row : 0.0);
            cells[i] = inside ? r * width + c : outside;
        }
    }
    """
    void heatops_cells(
        const double* x, const double* y, Py_ssize_t n, double x0, double y0, double cell,
        int32_t width, int32_t height, int32_t outside, int32_t* cells,
    ) noexcept nogil


cdef int _check(const double[::1] x, const double[::1] y, double cell, long width, long height) except -1:
    if x.shape[0] != y.shape[0]:
        raise ValueError("x and y differ in length")
    if not (cell > 0.0) or cell == float("inf"):
        raise ValueError("the cell size must be positive and finite")
    if width < 1 or height < 1 or width > 0x7FFFFFFE // height:
        raise ValueError("the grid must have from 1 to 2**31 - 2 cells")
    return 0


def bin_counts(
    const double[::1] x not None, const double[::1] y not None, const double[::1] weight,
    double x0, double y0, double cell, long width, long height,
):
    """Counts of points in each cell of a grid, or sums of their weights, as float64[height, width].

    `x`, `y` and `x0`, `y0` (the grid's low corner) and `cell` share one unit; a cell is [low, low + cell).
    Points outside the grid and NaN are dropped. Raises ValueError for unequal lengths or an impossible grid.
    """
    _check(x, y, cell, width, height)
    cdef Py_ssize_t n = x.shape[0]
    if weight is not None and weight.shape[0] != n:
        raise ValueError("x and weight differ in length")
    cdef int32_t outside = <int32_t>(width * height)
    # One cell more than the grid takes the points outside, so that the scatter needs no branch.
    flat = np.zeros(outside + 1)
    cdef double[::1] total = flat
    cdef int32_t cells[BLOCK]
    cdef Py_ssize_t start = 0, size, i
    cdef const double* w = NULL
    if n and weight is not None:
        w = &weight[0]
    with nogil:
        while start < n:
            size = min(<Py_ssize_t>BLOCK, n - start)
            heatops_cells(&x[start], &y[start], size, x0, y0, cell, <int32_t>width, <int32_t>height, outside, cells)
            if w == NULL:
                for i in range(size):
                    total[cells[i]] += 1.0
            else:
                for i in range(size):
                    total[cells[i]] += w[start + i]
            start += size
    return flat[:outside].reshape(height, width)


def bin_index(
    const double[::1] x not None, const double[::1] y not None,
    double x0, double y0, double cell, long width, long height,
):
    """Cell number of each point, row * width + column, as int32[n]; -1 outside the grid or for NaN.

    Units, cells and errors as in bin_counts.
    """
    _check(x, y, cell, width, height)
    cdef Py_ssize_t n = x.shape[0]
    found = np.empty(n, np.int32)
    cdef int32_t[::1] cells = found
    if n:
        with nogil:
            heatops_cells(&x[0], &y[0], n, x0, y0, cell, <int32_t>width, <int32_t>height, -1, &cells[0])
    return found
