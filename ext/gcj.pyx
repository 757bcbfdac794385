# cython: autotestdict=False
"""The shifts of Chinese map vendors: WGS-84 to GCJ-02 inside a border, to BD-09, and exactly back.

The formulas are the ones every open implementation shares (published as `eviltransform`, 2013). Sines are polynomials
and multiple-angle formulas of our own, so that every machine computes the same bits; only sqrt is the processor's.
"""

cimport cython

import numpy as np

from ext.rings import edges_of

# Points are taken in blocks that stay in the first-level cache: the arithmetic of a block vectorises.
cdef enum:
    BLOCK = 256

cdef double BANDS_A_DEGREE = 8.0


cdef extern from *:
    """
    #include <math.h>
    #include <stddef.h>
    /* One build for every x86-64: glibc picks the widest vectors the processor has when the module is loaded. */
    #if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
    #define HEATOPS_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
    #else
    #define HEATOPS_WIDE
    #endif
    #define HEATOPS_PI 3.14159265358979323846

    /* Taylor's series; below 2e-16 off for |u| <= 1.75. */
    static inline __attribute__((always_inline)) void heatops_sincos(double u, double *s, double *c)
    {
        const double q = u * u;
        double a = 1.0 / 51090942171709440000.0, b = -1.0 / 1124000727777607680000.0;
        a = a * q - 1.0 / 121645100408832000.0;
        a = a * q + 1.0 / 355687428096000.0;
        a = a * q - 1.0 / 1307674368000.0;
        a = a * q + 1.0 / 6227020800.0;
        a = a * q - 1.0 / 39916800.0;
        a = a * q + 1.0 / 362880.0;
        a = a * q - 1.0 / 5040.0;
        a = a * q + 1.0 / 120.0;
        a = a * q - 1.0 / 6.0;
        b = b * q + 1.0 / 2432902008176640000.0;
        b = b * q - 1.0 / 6402373705728000.0;
        b = b * q + 1.0 / 20922789888000.0;
        b = b * q - 1.0 / 87178291200.0;
        b = b * q + 1.0 / 479001600.0;
        b = b * q - 1.0 / 3628800.0;
        b = b * q + 1.0 / 40320.0;
        b = b * q - 1.0 / 720.0;
        b = b * q + 1.0 / 24.0;
        b = b * q - 0.5;
        *s = u + u * q * a;
        *c = 1.0 + q * b;
    }

    /* From sine and cosine of 1/60 of an angle the sines of its 1/30, 1/12, 1/3 and itself, and its cosine. */
    typedef struct { double s30, s12, s3, s1, c1; } heatops_sines;
    static inline __attribute__((always_inline)) heatops_sines heatops_multiples(double s60, double c60)
    {
        heatops_sines m;
        m.s30 = 2.0 * s60 * c60;
        const double c30 = 1.0 - 2.0 * s60 * s60;
        const double s15 = 2.0 * m.s30 * c30, c15 = 1.0 - 2.0 * m.s30 * m.s30;
        m.s12 = s15 * c60 + c15 * s60;
        const double c12 = c15 * c60 - s15 * s60;
        const double s6 = 2.0 * m.s12 * c12, c6 = 1.0 - 2.0 * m.s12 * m.s12;
        m.s3 = 2.0 * s6 * c6;
        const double c3 = 1.0 - 2.0 * s6 * s6;
        m.s1 = m.s3 * (3.0 - 4.0 * m.s3 * m.s3);
        m.c1 = c3 * (4.0 * c3 * c3 - 3.0);
        return m;
    }

    /* How far GCJ-02 lies east and north of a WGS-84 place, degrees; near China only. */
    static inline __attribute__((always_inline)) void heatops_shift(double lon, double lat, double *east, double *north)
    {
        const double axis = 6378245.0, ee = 0.00669342162296594323;
        const double sin35 = 0.57357643635104609611, cos35 = 0.81915204428899178968;
        const double x = lon - 105.0, y = lat - 35.0, root = sqrt(fabs(x));
        double s, c;
        heatops_sincos(x * (HEATOPS_PI / 60.0), &s, &c);
        const heatops_sines ox = heatops_multiples(s, c);
        heatops_sincos(y * (HEATOPS_PI / 180.0), &s, &c);
        const double sin_lat = s * cos35 + c * sin35, cos_lat = c * cos35 - s * sin35;
        const double s3v = s * (3.0 - 4.0 * s * s), c3v = c * (4.0 * c * c - 3.0);
        const heatops_sines oy = heatops_multiples(s3v, c3v);
        const double s2 = 2.0 * ox.s1 * ox.c1, s6 = s2 * (3.0 - 4.0 * s2 * s2);
        const double both = (20.0 * s6 + 20.0 * s2) * (2.0 / 3.0);
        double n = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + both;
        n += (20.0 * oy.s1 + 40.0 * oy.s3) * (2.0 / 3.0) + (160.0 * oy.s12 + 320.0 * oy.s30) * (2.0 / 3.0);
        double e = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + both;
        e += (20.0 * ox.s1 + 40.0 * ox.s3) * (2.0 / 3.0) + (150.0 * ox.s12 + 300.0 * ox.s30) * (2.0 / 3.0);
        const double w = 1.0 - ee * sin_lat * sin_lat, rw = sqrt(w);
        *north = n * 180.0 * (w * rw) / (axis * (1.0 - ee) * HEATOPS_PI);
        *east = e * 180.0 * rw / (axis * cos_lat * HEATOPS_PI);
    }

    HEATOPS_WIDE
    static void heatops_shifted(const double *restrict lon, const double *restrict lat, ptrdiff_t n,
                                double *restrict x, double *restrict y)
    {
        for (ptrdiff_t i = 0; i < n; i++) {
            double east, north;
            heatops_shift(lon[i], lat[i], &east, &north);
            x[i] = lon[i] + east;
            y[i] = lat[i] + north;
        }
    }

    /* The shift changes by less than 1/150 of a step: each round brings two more digits, six reach the last bit. */
    HEATOPS_WIDE
    static void heatops_unshifted(const double *restrict lon, const double *restrict lat, ptrdiff_t n,
                                  double *restrict x, double *restrict y)
    {
        for (ptrdiff_t i = 0; i < n; i++) {
            double px = lon[i], py = lat[i];
            for (int k = 0; k < 6; k++) {
                double east, north;
                heatops_shift(px, py, &east, &north);
                px = lon[i] - east;
                py = lat[i] - north;
            }
            x[i] = px;
            y[i] = py;
        }
    }

    /* Sine and cosine of pi * t. */
    static inline __attribute__((always_inline)) void heatops_sincospi(double t, double *s, double *c)
    {
        const double round = 6755399441055744.0; /* 1.5 * 2**52: adding it leaves no place for a fraction */
        const double turns = (t * 0.5 + round) - round;
        double s2, c2;
        heatops_sincos((t - 2.0 * turns) * (HEATOPS_PI / 2.0), &s2, &c2);
        *s = 2.0 * s2 * c2;
        *c = 1.0 - 2.0 * s2 * s2;
    }

    /* Baidu's wave at a GCJ-02 place: a stretch of the radius in degrees, and sine and cosine of a small turn. */
    static inline __attribute__((always_inline)) void heatops_wave(double x, double y, double *stretch, double *s, double *c)
    {
        double sy, cy, sx, cx;
        heatops_sincospi(y * (50.0 / 3.0), &sy, &cy);
        heatops_sincospi(x * (50.0 / 3.0), &sx, &cx);
        const double turn = 0.000003 * cx;
        *stretch = 0.00002 * sy;
        *s = turn - turn * turn * turn / 6.0;
        *c = 1.0 - 0.5 * turn * turn;
    }

    HEATOPS_WIDE
    static void heatops_waved(const double *restrict lon, const double *restrict lat, ptrdiff_t n,
                              double *restrict x, double *restrict y)
    {
        for (ptrdiff_t i = 0; i < n; i++) {
            const double px = lon[i], py = lat[i], radius = sqrt(px * px + py * py) + 1e-300;
            double stretch, s, c;
            heatops_wave(px, py, &stretch, &s, &c);
            const double scale = 1.0 + stretch / radius;
            x[i] = (px * c - py * s) * scale + 0.0065;
            y[i] = (py * c + px * s) * scale + 0.006;
        }
    }

    /* The usual way back takes the wave at the wrong place and stays up to 20 cm off; here it is taken again and
       again where the last round ended, 1/30 nearer each time. */
    HEATOPS_WIDE
    static void heatops_unwaved(const double *restrict lon, const double *restrict lat, ptrdiff_t n,
                                double *restrict x, double *restrict y)
    {
        for (ptrdiff_t i = 0; i < n; i++) {
            const double bx = lon[i] - 0.0065, by = lat[i] - 0.006, radius = sqrt(bx * bx + by * by) + 1e-300;
            double px = bx, py = by;
            for (int k = 0; k < 8; k++) {
                double stretch, s, c;
                heatops_wave(px, py, &stretch, &s, &c);
                const double scale = 1.0 - stretch / radius;
                px = (bx * c + by * s) * scale;
                py = (by * c - bx * s) * scale;
            }
            x[i] = px;
            y[i] = py;
        }
    }
    """
    void heatops_shifted(const double* lon, const double* lat, Py_ssize_t n, double* x, double* y) noexcept nogil
    void heatops_unshifted(const double* lon, const double* lat, Py_ssize_t n, double* x, double* y) noexcept nogil
    void heatops_waved(const double* lon, const double* lat, Py_ssize_t n, double* x, double* y) noexcept nogil
    void heatops_unwaved(const double* lon, const double* lat, Py_ssize_t n, double* x, double* y) noexcept nogil


ctypedef void (*Kernel)(const double*, const double*, Py_ssize_t, double*, double*) noexcept nogil


@cython.final
@cython.auto_pickle(False)
cdef class Border:
    """Rings on the plane of degrees; inside is what an odd number of them hold.

    `rings`: float64[corners, 2] each, degrees east and north, the last corner joined to the first. Edges are kept
    by bands of latitude, so that a point meets few of them. Raises ValueError for a ring that is none.
    """

    cdef double south, north
    cdef double[:, ::1] edges
    cdef Py_ssize_t[::1] first

    def __cinit__(self, rings):
        edges = edges_of(rings, "border")
        low, high = np.minimum(edges[:, 1], edges[:, 3]), np.maximum(edges[:, 1], edges[:, 3])
        self.south, self.north = low.min(), high.max()
        # the very expression that looks a point's band up: both must round alike
        bottom = np.floor((low - self.south) * BANDS_A_DEGREE).astype(np.intp)
        top = np.floor((high - self.south) * BANDS_A_DEGREE).astype(np.intp)
        rows = [np.flatnonzero((bottom <= band) & (band <= top)) for band in range(top.max() + 1)]
        self.edges = np.ascontiguousarray(edges[np.concatenate(rows)])
        self.first = np.cumsum([0, *map(len, rows)]).astype(np.intp)

    cdef bint holds(self, double lon, double lat) noexcept nogil:
        cdef Py_ssize_t i, band
        cdef double x1, y1, x2, y2
        cdef bint inside = False
        if not (self.south <= lat <= self.north):  # also NaN
            return False
        band = <Py_ssize_t>((lat - self.south) * BANDS_A_DEGREE)
        for i in range(self.first[band], self.first[band + 1]):
            x1, y1, x2, y2 = self.edges[i, 0], self.edges[i, 1], self.edges[i, 2], self.edges[i, 3]
            if (y1 > lat) != (y2 > lat) and lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1:
                inside = not inside
        return inside

    def inside(self, const double[::1] lon not None, const double[::1] lat not None):
        """Which points lie inside, as bool[n]; NaN never does. Raises ValueError for unequal lengths."""
        if lon.shape[0] != lat.shape[0]:
            raise ValueError("lon and lat differ in length")
        cdef Py_ssize_t i, n = lon.shape[0]
        found = np.empty(n, np.uint8)
        cdef unsigned char[::1] out = found
        with nogil:
            for i in range(n):
                out[i] = self.holds(lon[i], lat[i])
        return found.view(np.bool_)


cdef tuple _through(Kernel kernel, const double[::1] lon, const double[::1] lat, Border within, bint ask_result):
    """Every point through the kernel; with a border only those inside it, asked before or after the kernel."""
    if lon.shape[0] != lat.shape[0]:
        raise ValueError("lon and lat differ in length")
    cdef Py_ssize_t n = lon.shape[0], start = 0, size, i
    cdef bint ask = within is not None, inside
    east, north = np.empty(n), np.empty(n)
    cdef double[::1] x = east, y = north
    with nogil:
        while start < n:
            size = min(<Py_ssize_t>BLOCK, n - start)
            kernel(&lon[start], &lat[start], size, &x[start], &y[start])
            if ask:
                for i in range(start, start + size):
                    inside = within.holds(x[i], y[i]) if ask_result else within.holds(lon[i], lat[i])
                    if not inside:
                        x[i], y[i] = lon[i], lat[i]
            start += size
    return east, north


def wgs84_to_gcj02(const double[::1] lon not None, const double[::1] lat not None, Border border not None):
    """GCJ-02 of WGS-84 places, degrees float64[n]: shifted inside the border, the same outside.

    Raises ValueError for unequal lengths.
    """
    return _through(heatops_shifted, lon, lat, border, False)


def gcj02_to_wgs84(const double[::1] lon not None, const double[::1] lat not None, Border border not None):
    """WGS-84 of GCJ-02 places, degrees float64[n], by fixed-point iteration to the last bits of a double.

    A place is unshifted when its WGS-84 then lies inside the border, and else stays. Raises ValueError for unequal
    lengths.
    """
    return _through(heatops_unshifted, lon, lat, border, True)


def gcj02_to_bd09(const double[::1] lon not None, const double[::1] lat not None):
    """BD-09 of GCJ-02 places, degrees float64[n]. Raises ValueError for unequal lengths."""
    return _through(heatops_waved, lon, lat, None, False)


def bd09_to_gcj02(const double[::1] lon not None, const double[::1] lat not None):
    """GCJ-02 of BD-09 places, degrees float64[n], by iteration. Raises ValueError for unequal lengths."""
    return _through(heatops_unwaved, lon, lat, None, False)
