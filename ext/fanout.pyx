# cython: autotestdict=False
"""The same bytes to many sockets in one go, without the interpreter's lock."""

from libc.errno cimport EBADF, EINTR, errno
from libc.stdint cimport int32_t

cdef extern from *:
    """
    #include <sys/types.h>
    #include <sys/socket.h>
    #ifndef MSG_NOSIGNAL
    #define MSG_NOSIGNAL 0  /* macOS: CPython ignores SIGPIPE, so a reset answers EPIPE there too */
    #endif
    #define HEATOPS_SEND_FLAGS (MSG_NOSIGNAL | MSG_DONTWAIT)
    """
    int HEATOPS_SEND_FLAGS
    Py_ssize_t send(int fd, const void* data, size_t size, int flags) nogil


def send_all(const int32_t[::1] fds not None, bytes frame not None, int32_t[::1] results not None):
    """Send `frame` to every socket of `fds` without waiting; returns how many took less than all of it.

    results[i] becomes the bytes the kernel took for fds[i], or -errno; a negative descriptor is passed over as
    -EBADF and counted. Raises ValueError when results is shorter than fds, or for a frame that is empty or has more
    than 2**31 - 2 bytes.
    """
    cdef Py_ssize_t count = fds.shape[0], i
    cdef Py_ssize_t size = len(frame)
    cdef const char* data = frame
    cdef Py_ssize_t sent
    cdef Py_ssize_t incomplete = 0
    if results.shape[0] < count:
        raise ValueError("results is shorter than fds")
    if not 0 < size < 0x7FFFFFFF:
        raise ValueError("a frame has from 1 to 2**31 - 2 bytes")
    with nogil:
        for i in range(count):
            if fds[i] < 0:
                results[i] = -EBADF
                incomplete += 1
                continue
            sent = send(fds[i], data, size, HEATOPS_SEND_FLAGS)
            while sent < 0 and errno == EINTR:
                sent = send(fds[i], data, size, HEATOPS_SEND_FLAGS)
            if sent != size:
                incomplete += 1
            results[i] = <int32_t>sent if sent >= 0 else -errno
    return incomplete
