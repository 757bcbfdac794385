# cython: autotestdict=False
"""How sharp and how well lit a photo is, from its grey image in one pass."""

from libc.stdint cimport int64_t, uint8_t

cdef extern from *:
    """
    #include <stddef.h>
    #include <stdint.h>
    /* One build for every x86-64: glibc picks the widest vectors the processor has when the module is loaded. */
    #if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
    #define HEATOPS_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
    #else
    #define HEATOPS_WIDE
    #endif
    #define HEATOPS_SPAN 1024

    typedef struct { int64_t edges, squares, light, dark, bright; } heatops_sums;

    /* One row onto the sums, in spans whose partial sums fit 32 bits: a step is at most 1020, its square 2**20.
       Rows without two neighbours bring no steps. */
    HEATOPS_WIDE
    static void heatops_row(const uint8_t *row, ptrdiff_t stride, ptrdiff_t n, int within, int dark, int bright,
                            heatops_sums *sums)
    {
        for (ptrdiff_t low = 0; low < n; low += HEATOPS_SPAN) {
            const ptrdiff_t high = low + HEATOPS_SPAN < n ? low + HEATOPS_SPAN : n;
            int32_t light = 0, below = 0, above = 0;
            for (ptrdiff_t j = low; j < high; j++) {
                light += row[j];
                below += row[j] < dark;
                above += row[j] > bright;
            }
            sums->light += light;
            sums->dark += below;
            sums->bright += above;
            if (!within) continue;
            const ptrdiff_t first = low ? low : 1, last = high < n ? high : n - 1;
            int32_t edges = 0, squares = 0;
            for (ptrdiff_t j = first; j < last; j++) {
                const int32_t v = row[j - stride] + row[j + stride] + row[j - 1] + row[j + 1] - 4 * row[j];
                edges += v;
                squares += v * v;
            }
            sums->edges += edges;
            sums->squares += squares;
        }
    }
    """
    ctypedef struct Sums "heatops_sums":
        int64_t edges
        int64_t squares
        int64_t light
        int64_t dark
        int64_t bright

    void add_row "heatops_row" (
        const uint8_t* row, Py_ssize_t stride, Py_ssize_t n, int within, int dark, int bright, Sums* sums,
    ) noexcept nogil


def exposure(const uint8_t[:, ::1] grey not None, int dark=8, int bright=247):
    """Sharpness, mean, share of dark and share of bright pixels of a grey image uint8[h, w].

    Sharpness is the variance of the four-neighbour Laplacian (J. Pech-Pacheco et al., ICPR 2000) over the pixels that
    have four neighbours; dark is below `dark`, bright above `bright`. Sums are whole numbers, so that every machine
    gives the same floats. Raises ValueError for less than 3 pixels a side.
    """
    cdef Py_ssize_t height = grey.shape[0], width = grey.shape[1], i
    cdef Sums sums = Sums(0, 0, 0, 0, 0)
    cdef double pixels = <double>height * <double>width, inner, mean
    if height < 3 or width < 3:
        raise ValueError("the image must have at least 3 x 3 pixels")
    with nogil:
        for i in range(height):
            add_row(&grey[i, 0], width, width, 0 < i < height - 1, dark, bright, &sums)
    inner = <double>(height - 2) * <double>(width - 2)
    mean = sums.edges / inner
    return sums.squares / inner - mean * mean, sums.light / pixels, sums.dark / pixels, sums.bright / pixels
