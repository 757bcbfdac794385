# cython: autotestdict=False, auto_pickle=False
"""What an answer of ext.insertion tells: crews with their reasons, and who gives way or waits."""

cimport cython


@cython.final
cdef class Displaced:
    """A visit that gives way."""


@cython.final
cdef class Delayed:
    """A visit that keeps its crew and gains lateness."""


@cython.final
cdef class Option:
    """One crew for the ticket."""


@cython.final
cdef class Answer:
    """What `propose` found."""
