"""A planner's problem and search, and the memory they live in."""

from libc.stdint cimport int32_t

from ext.routes cimport Model, Route
from ext.search cimport Search


cdef class Ground:
    cdef Model m
    cdef Search s
    cdef list _rooms

    cdef void *_room(self, size_t size) except NULL
    cdef Route *_routes(self, int32_t n) except NULL
    cdef int make(self, dict given) except -1
