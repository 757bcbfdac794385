# cython: autotestdict=False
"""Which crew may do which task, how long the way is, and (ext.matching) who takes what."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from ext.sphere cimport Point, check_place, check_speed, on_sphere, pace_of, ways

import numpy as np

from ext.matching import UNMATCHED, assign, bound


# ------------------------------------------------------------------ rules


cdef int _fits(const uint32_t[:, ::1] broken, Py_ssize_t tasks, Py_ssize_t crews) except -1:
    if broken.shape[0] != tasks or broken.shape[1] != crews:
        raise ValueError("the rows of `broken` are the tasks, its columns the crews")
    return 0


def lacks_any(
    uint32_t[:, ::1] broken not None, uint32_t mark, const uint64_t[::1] needed not None,
    const uint64_t[::1] has not None,
):
    """Broken where a crew lacks one of the bits a task needs."""
    _fits(broken, needed.shape[0], has.shape[0])
    cdef Py_ssize_t j, k
    cdef uint64_t need
    with nogil:
        for j in range(needed.shape[0]):
            need = needed[j]
            if need:
                for k in range(has.shape[0]):
                    broken[j, k] |= mark if need & ~has[k] else 0


def shares_none(
    uint32_t[:, ::1] broken not None, uint32_t mark, const uint64_t[::1] allowed not None,
    const uint64_t[::1] has not None,
):
    """Broken where task and crew have no bit in common; a task without bits allows everyone."""
    _fits(broken, allowed.shape[0], has.shape[0])
    cdef Py_ssize_t j, k
    cdef uint64_t allow
    with nogil:
        for j in range(allowed.shape[0]):
            allow = allowed[j]
            if allow:
                for k in range(has.shape[0]):
                    broken[j, k] |= 0 if allow & has[k] else mark


def below(
    uint32_t[:, ::1] broken not None, uint32_t mark, const int32_t[::1] least not None, const int32_t[::1] has not None
):
    """Broken where a crew's figure is below what a task asks for."""
    _fits(broken, least.shape[0], has.shape[0])
    cdef Py_ssize_t j, k
    with nogil:
        for j in range(least.shape[0]):
            for k in range(has.shape[0]):
                broken[j, k] |= mark if has[k] < least[j] else 0


def misses(
    uint32_t[:, ::1] broken not None, uint32_t mark,
    const int32_t[::1] begins not None, const int32_t[::1] ends not None,
    const int32_t[::1] starts not None, const int32_t[::1] stops not None, const int32_t[::1] least not None,
):
    """Broken where the task's window and the crew's shift overlap for less than `least` seconds."""
    _fits(broken, begins.shape[0], starts.shape[0])
    if ends.shape[0] != begins.shape[0] or least.shape[0] != begins.shape[0] or stops.shape[0] != starts.shape[0]:
        raise ValueError("windows and shifts have a begin and an end each")
    cdef Py_ssize_t j, k
    cdef int64_t low, high, need
    with nogil:
        for j in range(begins.shape[0]):
            need = max(least[j], 1)
            for k in range(starts.shape[0]):
                low = max(begins[j], starts[k])
                high = min(ends[j], stops[k])
                broken[j, k] |= mark if high - low < need else 0


def short_of(
    uint32_t[:, ::1] broken not None, uint32_t mark, const int32_t[:, ::1] needed not None,
    const int32_t[:, ::1] carried not None,
):
    """Broken where a van holds fewer than needed of a part."""
    _fits(broken, needed.shape[0], carried.shape[0])
    if needed.shape[1] != carried.shape[1]:
        raise ValueError("needed and carried parts are the same columns")
    cdef Py_ssize_t j, k, p
    with nogil:
        for p in range(needed.shape[1]):
            for j in range(needed.shape[0]):
                if needed[j, p] > 0:
                    for k in range(carried.shape[0]):
                        broken[j, k] |= mark if carried[k, p] < needed[j, p] else 0


def excluded(uint32_t[:, ::1] broken not None, uint32_t mark, crews not None):
    """Broken for every task where `crews` is true."""
    cdef const uint8_t[::1] out = np.ascontiguousarray(crews, np.bool_).view(np.uint8)
    _fits(broken, broken.shape[0], out.shape[0])
    cdef Py_ssize_t j, k
    with nogil:
        for j in range(broken.shape[0]):
            for k in range(out.shape[0]):
                broken[j, k] |= mark if out[k] else 0


def pack(const uint32_t[:, ::1] broken not None, uint32_t ignored=0):
    """Eligibility bitsets: a crew's bit is set where it breaks no rule but the ignored ones."""
    cdef Py_ssize_t j, k, crews = broken.shape[1]
    found = np.zeros((broken.shape[0], (crews + 63) // 64), np.uint64)
    cdef uint64_t[:, ::1] bits = found
    with nogil:
        for j in range(broken.shape[0]):
            for k in range(crews):
                bits[j, k >> 6] |= <uint64_t>((broken[j, k] & ~ignored) == 0) << (k & 63)
    return found


# ------------------------------------------------------------------ travel


def travel_seconds(
    const int32_t[:, ::1] origins not None, const int32_t[:, ::1] destinations not None,
    const int32_t[::1] speed_mmps not None, long detour_pm, int32_t[:, ::1] out=None,
):
    """Seconds of travel int32 (n, m) by great circle x detour / speed, rounded up."""
    cdef Py_ssize_t n = origins.shape[0], m = destinations.shape[0], i
    if origins.shape[1] != 2 or destinations.shape[1] != 2 or speed_mmps.shape[0] != n:
        raise ValueError("places are longitude and latitude, and each origin has a speed")
    if out is None:
        out = np.empty((n, m), np.int32)
    elif out.shape[0] != n or out.shape[1] != m:
        raise ValueError("`out` has a row per origin and a column per destination")
    cdef int32_t[:, ::1] ends = np.empty((3, m), np.int32)
    cdef Point p
    for i in range(n):
        check_place(origins[i, 0], origins[i, 1])
        check_speed(speed_mmps[i], detour_pm)
    for i in range(m):
        check_place(destinations[i, 0], destinations[i, 1])
        p = on_sphere(destinations[i, 0], destinations[i, 1])
        ends[0, i], ends[1, i], ends[2, i] = p.x, p.y, p.z
    if n and m:
        with nogil:
            for i in range(n):
                p = on_sphere(origins[i, 0], origins[i, 1])
                ways(
                    p, &ends[0, 0], &ends[1, 0], &ends[2, 0], m,
                    pace_of(speed_mmps[i], <int32_t>detour_pm), &out[i, 0],
                )
    return np.asarray(out)


def micro_degrees(lon not None, lat not None):
    """Degrees as places int32 (n, 2)."""
    east, north = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    if east.ndim != 1 or east.shape != north.shape:
        raise ValueError("longitudes and latitudes are two columns of one length")
    if not (np.abs(east) <= 180).all() or not (np.abs(north) <= 90).all():  # NaN is neither
        raise ValueError("a place has a longitude within 180 and a latitude within 90 degrees")
    return np.rint(np.stack([east, north], axis=-1) * 1_000_000).astype(np.int32)
