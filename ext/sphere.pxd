"""Seconds of travel by great circle, the same bits on every machine, in single precision.

Points of the unit sphere are kept as int32 in steps of 2**-29 (1.2 cm on Earth), so that the difference of two of
them is exact and needs no origin; what follows is subtraction, multiplication and a square root in IEEE floats.
"""

from libc.stdint cimport int32_t

cdef extern from *:
    """
    #ifndef HEATOPS_SPHERE
    #define HEATOPS_SPHERE
    #include <math.h>
    #include <stddef.h>
    #include <stdint.h>
    /* One build for every x86-64: glibc picks the widest vectors the processor has when the module is loaded. */
    #if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
    #define HEATOPS_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
    #else
    #define HEATOPS_WIDE
    #endif
    #define HEATOPS_STEP 536870912.0
    #define HEATOPS_EARTH_M 6371008.8
    #define HEATOPS_LONGEST_S 604800

    typedef struct { int32_t x, y, z; } heatops_point;

    /* Sine and cosine of millionths of a degree: Taylor's series within 45 degrees of the nearest quarter turn. */
    static inline void heatops_turn(int32_t micro, double *s, double *c)
    {
        const int32_t quarter = 90000000;
        const int32_t turns = (int32_t)(((int64_t)micro + 4 * (int64_t)quarter + quarter / 2) / quarter) - 4;
        const double u = (double)(micro - turns * quarter) * (3.14159265358979323846 / 180000000.0), q = u * u;
        double a = -1.0 / 1307674368000.0, b = 1.0 / 20922789888000.0;
        a = a * q + 1.0 / 6227020800.0;
        a = a * q - 1.0 / 39916800.0;
        a = a * q + 1.0 / 362880.0;
        a = a * q - 1.0 / 5040.0;
        a = a * q + 1.0 / 120.0;
        a = a * q - 1.0 / 6.0;
        a = (a * q + 1.0) * u;
        b = b * q - 1.0 / 87178291200.0;
        b = b * q + 1.0 / 479001600.0;
        b = b * q - 1.0 / 3628800.0;
        b = b * q + 1.0 / 40320.0;
        b = b * q - 1.0 / 720.0;
        b = b * q + 1.0 / 24.0;
        b = b * q - 0.5;
        b = b * q + 1.0;
        switch (turns & 3) {
            case 0: *s = a; *c = b; break;
            case 1: *s = b; *c = -a; break;
            case 2: *s = -a; *c = -b; break;
            default: *s = -b; *c = a;
        }
    }

    static inline heatops_point heatops_on_sphere(int32_t lon, int32_t lat)
    {
        double sin_lon, cos_lon, sin_lat, cos_lat;
        heatops_turn(lon, &sin_lon, &cos_lon);
        heatops_turn(lat, &sin_lat, &cos_lat);
        heatops_point p;
        p.x = (int32_t)floor(cos_lat * cos_lon * HEATOPS_STEP + 0.5);
        p.y = (int32_t)floor(cos_lat * sin_lon * HEATOPS_STEP + 0.5);
        p.z = (int32_t)floor(sin_lat * HEATOPS_STEP + 0.5);
        return p;
    }

    /* Seconds for one step of the sphere at a speed and detour. */
    static inline float heatops_pace(int32_t speed_mmps, int32_t detour_pm)
    {
        return (float)(HEATOPS_EARTH_M / HEATOPS_STEP * detour_pm / speed_mmps);
    }

    static inline __attribute__((always_inline)) int32_t heatops_way(
        heatops_point p, int32_t x, int32_t y, int32_t z, float pace)
    {
        const float dx = (float)(x - p.x), dy = (float)(y - p.y), dz = (float)(z - p.z);
        const float squared = dx * dx + dy * dy + dz * dz;
        /* 2 asin(chord / 2) by its series, c + c^3 / 24 + 3 c^5 / 640. */
        const float cubic = (float)(1.0 / 24.0 / (HEATOPS_STEP * HEATOPS_STEP));
        const float quintic = (float)(3.0 / 640.0 / (HEATOPS_STEP * HEATOPS_STEP) / (HEATOPS_STEP * HEATOPS_STEP));
        const float stretch = 1.0f + squared * (cubic + squared * quintic);
        const float seconds = sqrtf(squared) * pace * stretch;  /* below 2**31 by check_speed */
        int32_t whole = (int32_t)seconds;
        whole += seconds > (float)whole;
        return whole < HEATOPS_LONGEST_S ? whole : HEATOPS_LONGEST_S;
    }

    /* Seconds from one point to n others, rounded up. */
    HEATOPS_WIDE
    static void heatops_ways(heatops_point p, const int32_t *restrict x, const int32_t *restrict y,
                             const int32_t *restrict z, ptrdiff_t n, float pace, int32_t *restrict out)
    {
        for (ptrdiff_t i = 0; i < n; i++) out[i] = heatops_way(p, x[i], y[i], z[i], pace);
    }
    #endif
    """
    ctypedef struct Point "heatops_point":
        int32_t x
        int32_t y
        int32_t z

    Point on_sphere "heatops_on_sphere" (int32_t lon, int32_t lat) noexcept nogil
    float pace_of "heatops_pace" (int32_t speed_mmps, int32_t detour_pm) noexcept nogil
    int32_t way "heatops_way" (Point p, int32_t x, int32_t y, int32_t z, float pace) noexcept nogil
    void ways "heatops_ways" (
        Point p, const int32_t* x, const int32_t* y, const int32_t* z, Py_ssize_t n, float pace, int32_t* out,
    ) noexcept nogil


cdef inline int check_place(int32_t lon, int32_t lat) except -1:
    if lon < -180_000_000 or lon > 180_000_000 or lat < -90_000_000 or lat > 90_000_000:
        raise ValueError("a place has a longitude within 180 and a latitude within 90 degrees")
    return 0


cdef inline int check_speed(long speed_mmps, long detour_pm) except -1:
    if speed_mmps < 100 or speed_mmps > 1_000_000 or detour_pm < 1 or detour_pm > 10_000:
        raise ValueError("a speed is 100 to 1,000,000 mm/s, a detour 1 to 10,000 thousandths")
    return 0
