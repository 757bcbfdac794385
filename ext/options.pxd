"""The answers of ext.insertion, as it fills them in."""

from libc.stdint cimport int32_t, int64_t


cdef class Displaced:
    cdef readonly int32_t ticket, level, state, crew, was, to_crew, position, start, late, why


cdef class Delayed:
    cdef readonly int32_t ticket, crew, was, start, late_before, late


cdef class Option:
    cdef readonly int32_t crew, position, arrival, start, drive, late, newly_late
    cdef readonly int64_t total, levels, unplanned
    cdef readonly tuple score, route, displaced, delayed


cdef class Answer:
    cdef readonly tuple options
    cdef readonly object broken, totals, starts
