# cython: autotestdict=False
"""What a JPEG file says of itself, marker by marker, without decoding it: size, camera, clocks, place, what follows it.

Markers by ITU-T T.81 annex B, EXIF by CIPA DC-008 (TIFF 6.0 within), content credentials by C2PA (JUMBF in APP11, ISO
19566-5). Nothing outside the bytes is ever read, and the time is linear in their number: every byte is passed at most
twice, and of EXIF three directories of a bounded number of entries are read, none of which can lead to another.
Thumbnails and maker notes are not looked at.
"""

cimport cython
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.string cimport memchr, memcmp, memset

cdef enum:
    MOST_SEGMENTS = 4096
    MOST_ENTRIES = 512
    MOST_TEXT = 128
    NO_DAY = -1_000_000  # before the year 1

cdef enum Code:
    WHOLE
    NOT_JPEG
    CUT_OFF
    NO_PICTURE
    BAD_SEGMENT
    TOO_MANY_SEGMENTS

cdef enum Exif:
    NONE
    READ
    DAMAGED
    TOO_MANY_ENTRIES

CODES = ("whole", "not_jpeg", "cut_off", "no_picture", "bad_segment", "too_many_segments")
EXIF_CODES = ("none", "read", "damaged", "too_many_entries")

cdef struct Value:
    # One EXIF value as it lies in the bytes; kind 0: there is none.
    int kind
    uint32_t count
    const uint8_t* at

cdef struct Tiff:
    const uint8_t* base
    int64_t size
    bint little
    Exif code
    Value make, model, software, orientation, exif, gps
    Value changed, taken, digitised, changed_zone, taken_zone, digitised_zone
    Value lat_ref, lat, lon_ref, lon, time, date, datum, error

cdef struct Walk:
    Code code
    int width, height, components, frames, scans
    bint progressive, credentials
    int segments
    Py_ssize_t stray, end
    const uint8_t* exif
    Py_ssize_t exif_size


cdef inline uint32_t _u16(const uint8_t* at, bint little) noexcept nogil:
    return at[0] | at[1] << 8 if little else at[0] << 8 | at[1]


cdef inline uint32_t _u32(const uint8_t* at, bint little) noexcept nogil:
    if little:
        return at[0] | at[1] << 8 | at[2] << 16 | <uint32_t>at[3] << 24
    return <uint32_t>at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3]


cdef inline int _size_of(int kind) noexcept nogil:
    # Bytes of one value of a TIFF type; 0 for no such type.
    if kind == 1 or kind == 2 or kind == 6 or kind == 7:
        return 1
    if kind == 3 or kind == 8:
        return 2
    if kind == 4 or kind == 9 or kind == 11 or kind == 13:
        return 4
    if kind == 5 or kind == 10 or kind == 12:
        return 8
    return 0


cdef Value* _wanted(Tiff* tiff, uint32_t tag, bint gps) noexcept nogil:
    if gps:
        if tag == 0x01: return &tiff.lat_ref
        if tag == 0x02: return &tiff.lat
        if tag == 0x03: return &tiff.lon_ref
        if tag == 0x04: return &tiff.lon
        if tag == 0x07: return &tiff.time
        if tag == 0x12: return &tiff.datum
        if tag == 0x1D: return &tiff.date
        if tag == 0x1F: return &tiff.error
        return NULL
    if tag == 0x010F: return &tiff.make
    if tag == 0x0110: return &tiff.model
    if tag == 0x0112: return &tiff.orientation
    if tag == 0x0131: return &tiff.software
    if tag == 0x0132: return &tiff.changed
    if tag == 0x8769: return &tiff.exif
    if tag == 0x8825: return &tiff.gps
    if tag == 0x9003: return &tiff.taken
    if tag == 0x9004: return &tiff.digitised
    if tag == 0x9010: return &tiff.changed_zone
    if tag == 0x9011: return &tiff.taken_zone
    if tag == 0x9012: return &tiff.digitised_zone
    return NULL


cdef void _directory(Tiff* tiff, uint32_t offset, bint gps) noexcept nogil:
    # The first value of each tag we want; those that reach outside are left out.
    cdef int64_t entries, i, size, place
    cdef const uint8_t* entry
    cdef Value* value
    cdef int kind
    if <int64_t>offset + 2 > tiff.size:
        tiff.code = DAMAGED
        return
    entries = _u16(tiff.base + offset, tiff.little)
    if entries > MOST_ENTRIES:
        tiff.code = TOO_MANY_ENTRIES
        entries = MOST_ENTRIES
    for i in range(entries):
        place = <int64_t>offset + 2 + 12 * i
        if place + 12 > tiff.size:
            tiff.code = DAMAGED
            return
        entry = tiff.base + place
        value = _wanted(tiff, _u16(entry, tiff.little), gps)
        if value == NULL or value.kind:
            continue
        kind = <int>_u16(entry + 2, tiff.little)
        size = <int64_t>_u32(entry + 4, tiff.little) * _size_of(kind)
        place = place + 8 if size <= 4 else <int64_t>_u32(entry + 8, tiff.little)
        if _size_of(kind) == 0 or place + size > tiff.size:
            tiff.code = DAMAGED
            continue
        value.kind = kind
        value.count = _u32(entry + 4, tiff.little)
        value.at = tiff.base + place


cdef bint _number(const Tiff* tiff, const Value* value, uint32_t* out) noexcept nogil:
    if value.count < 1 or (value.kind != 3 and value.kind != 4 and value.kind != 13):
        return False
    out[0] = _u16(value.at, tiff.little) if value.kind == 3 else _u32(value.at, tiff.little)
    return True


cdef void _read_exif(Tiff* tiff, const uint8_t* at, Py_ssize_t size) noexcept nogil:
    cdef uint32_t offset = 0
    memset(tiff, 0, sizeof(Tiff))
    if at == NULL:
        return
    tiff.base, tiff.size, tiff.code = at, size, DAMAGED
    if size < 8 or not (memcmp(at, b"II*\0", 4) == 0 or memcmp(at, b"MM\0*", 4) == 0):
        return
    tiff.little, tiff.code = at[0] == c"I", READ
    _directory(tiff, _u32(at + 4, tiff.little), False)
    if _number(tiff, &tiff.exif, &offset):
        _directory(tiff, offset, False)
    if _number(tiff, &tiff.gps, &offset):
        _directory(tiff, offset, True)


cdef void _segment(Walk* walk, int marker, const uint8_t* at, Py_ssize_t size) noexcept nogil:
    # What a segment's body says.
    if marker == 0xE1 and walk.exif == NULL and size >= 6 and memcmp(at, b"Exif\0", 5) == 0:
        walk.exif, walk.exif_size = at + 6, size - 6
    elif marker == 0xEB and size >= 28 and memcmp(at, b"JP", 2) == 0 and memcmp(at + 12, b"jumb", 4) == 0:
        # common identifier, box number, packet number; superbox; description box, whose type begins the content's
        walk.credentials |= memcmp(at + 20, b"jumdc2pa", 8) == 0
    elif 0xC0 <= marker <= 0xCF and marker != 0xC4 and marker != 0xC8 and marker != 0xCC:
        walk.frames += 1
        if size < 6:
            walk.code = BAD_SEGMENT
        elif walk.frames == 1:
            walk.height, walk.width = <int>_u16(at + 1, False), <int>_u16(at + 3, False)
            walk.components = at[5]
            walk.progressive = marker & 3 == 2


cdef Py_ssize_t _after_scan(const uint8_t* data, Py_ssize_t size, Py_ssize_t at) noexcept nogil:
    # Where the next marker begins that ends a scan's coded data.
    cdef const void* found
    while at < size:
        found = memchr(data + at, 0xFF, size - at)
        if found == NULL:
            return size
        at = <const uint8_t*>found - data
        if at + 1 >= size:
            return size
        if data[at + 1] == 0xFF:
            at += 1
        elif data[at + 1] == 0 or 0xD0 <= data[at + 1] <= 0xD7:
            at += 2
        else:
            return at
    return size


cdef void _walk(Walk* walk, const uint8_t* data, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t at = 2, length
    cdef const void* found
    cdef int marker
    memset(walk, 0, sizeof(Walk))
    walk.code, walk.end = NOT_JPEG, size
    if size < 3 or data[0] != 0xFF or data[1] != 0xD8 or data[2] != 0xFF:
        return
    walk.code = CUT_OFF
    while at < size:
        found = memchr(data + at, 0xFF, size - at)
        length = (<const uint8_t*>found - data if found != NULL else size) - at
        walk.stray += length
        at += length
        while at < size and data[at] == 0xFF:  # any number of them may stand before a marker
            at += 1
        if at >= size:
            return
        marker = data[at]
        at += 1
        if marker == 0xD9:
            walk.end = at
            walk.code = WHOLE if walk.frames and walk.scans else NO_PICTURE
            return
        if marker == 0 or marker == 0x01 or 0xD0 <= marker <= 0xD8:
            walk.stray += 2
            continue
        if size - at < 2:
            return
        length = <Py_ssize_t>_u16(data + at, False)
        walk.segments += 1
        if length < 2 or walk.segments > MOST_SEGMENTS:
            walk.code = BAD_SEGMENT if length < 2 else TOO_MANY_SEGMENTS
            return
        if length > size - at:
            return
        _segment(walk, marker, data + at + 2, length - 2)
        if walk.code != CUT_OFF:
            return
        at += length
        if marker == 0xDA:
            walk.scans += 1
            at = _after_scan(data, size, at)


cdef str _text(const Value* value):
    cdef Py_ssize_t size
    cdef const void* end
    if value.kind != 2 and value.kind != 7 and value.kind != 1:
        return ""
    size = min(<Py_ssize_t>value.count, MOST_TEXT)
    end = memchr(value.at, 0, size)
    if end != NULL:
        size = <const uint8_t*>end - value.at
    words = (<const char*>value.at)[:size].decode("utf-8", "replace")
    return "".join([c for c in words if c.isprintable()]).strip()


cdef int _digits(const uint8_t* at, int n) noexcept:
    cdef int i, number = 0
    for i in range(n):
        if not (c"0" <= at[i] <= c"9"):
            return -1
        number = 10 * number + at[i] - c"0"
    return number


cdef int64_t _day(const Value* value) noexcept:
    # Days since 1970-01-01 of "YYYY:MM:DD" (any separators); NO_DAY for none.
    cdef int year, month, day, longest
    cdef int64_t y
    if value.kind != 2 or value.count < 10:
        return NO_DAY
    year, month, day = _digits(value.at, 4), _digits(value.at + 5, 2), _digits(value.at + 8, 2)
    longest = 30 + ((month + month // 8) & 1)
    if month == 2:
        longest = 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    if year < 1 or not 1 <= month <= 12 or not 1 <= day <= longest:
        return NO_DAY
    # H. Hinnant: chrono-compatible low-level date algorithms (days_from_civil)
    y = year - (month <= 2)
    return (
        365 * y + y // 4 - y // 100 + y // 400
        + (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1 - 719468
    )


cdef object _wall(const Value* value):
    # "YYYY:MM:DD HH:MM:SS" in seconds since 1970 on that very clock, whatever its zone.
    cdef int64_t day = _day(value)
    cdef int hour, minute, second
    if day == NO_DAY or value.count < 19:
        return None
    hour, minute, second = _digits(value.at + 11, 2), _digits(value.at + 14, 2), _digits(value.at + 17, 2)
    if not 0 <= hour < 24 or not 0 <= minute < 60 or not 0 <= second <= 60:
        return None
    return day * 86400 + hour * 3600 + minute * 60 + second


cdef object _zone(const Value* value):
    # "+08:00" in seconds east of UTC.
    cdef int hour, minute
    if value.kind != 2 or value.count < 1:
        return None
    if value.at[0] == c"Z":
        return 0
    if value.count < 6 or (value.at[0] != c"+" and value.at[0] != c"-") or value.at[3] != c":":
        return None
    hour, minute = _digits(value.at + 1, 2), _digits(value.at + 4, 2)
    if not 0 <= hour <= 14 or not 0 <= minute < 60:
        return None
    return (hour * 3600 + minute * 60) * (-1 if value.at[0] == c"-" else 1)


cdef double _ratio(const Tiff* tiff, const Value* value, uint32_t which) noexcept:
    # One of a value's unsigned fractions; -1 for none. Some cameras write 0/0 for nothing.
    cdef uint32_t above, below
    if value.kind != 5 or which >= value.count:
        return -1.0
    above, below = _u32(value.at + 8 * which, tiff.little), _u32(value.at + 8 * which + 4, tiff.little)
    if below == 0:
        return -1.0
    return <double>above / below


cdef object _angle(const Tiff* tiff, const Value* value, const Value* ref, uint8_t plus, uint8_t minus, double most):
    cdef double degrees = _ratio(tiff, value, 0), angle
    if degrees < 0.0 or ref.kind != 2 or ref.count < 1 or (ref.at[0] != plus and ref.at[0] != minus):
        return None
    angle = degrees + max(0.0, _ratio(tiff, value, 1)) / 60.0 + max(0.0, _ratio(tiff, value, 2)) / 3600.0
    if angle > most:
        return None
    return -angle if ref.at[0] == minus else angle


cdef object _gps_utc(const Tiff* tiff):
    cdef int64_t day = _day(&tiff.date)
    cdef double hour = _ratio(tiff, &tiff.time, 0), minute = _ratio(tiff, &tiff.time, 1)
    cdef double second = _ratio(tiff, &tiff.time, 2)
    if day == NO_DAY or not 0.0 <= hour < 24.0 or not 0.0 <= minute < 60.0 or not 0.0 <= second < 61.0:
        return None
    return day * 86400 + <int64_t>(hour * 3600.0 + minute * 60.0 + second)


@cython.final
@cython.auto_pickle(False)
cdef class JpegFacts:
    """What walk() read; None, 0 or "" stand for what the file does not say (see the stub for each)."""

    cdef readonly str code, exif, make, model, software, gps_datum
    cdef readonly int width, height, components, frames, segments, orientation
    cdef readonly bint progressive, content_credentials
    cdef readonly Py_ssize_t stray, after_end
    cdef readonly object changed_s, taken_s, digitised_s, changed_zone_s, taken_zone_s, digitised_zone_s
    cdef readonly object latitude, longitude, gps_error_m, gps_utc_s


def walk(const uint8_t[::1] data not None):
    """The JpegFacts of a file's bytes, however broken; raises nothing for what they hold."""
    cdef Walk found
    cdef Tiff tiff
    cdef Py_ssize_t size = data.shape[0]
    cdef const uint8_t* start = &data[0] if size else NULL
    cdef uint32_t turned = 0
    cdef double error
    with nogil:
        _walk(&found, start, size)
        _read_exif(&tiff, found.exif, found.exif_size)
    facts = JpegFacts()
    facts.code, facts.exif = CODES[<int>found.code], EXIF_CODES[<int>tiff.code]
    facts.width, facts.height, facts.components = found.width, found.height, found.components
    facts.frames, facts.segments, facts.progressive = found.frames, found.segments, found.progressive
    facts.content_credentials = found.credentials
    facts.stray, facts.after_end = found.stray, size - found.end
    facts.make, facts.model, facts.software = _text(&tiff.make), _text(&tiff.model), _text(&tiff.software)
    if _number(&tiff, &tiff.orientation, &turned) and 1 <= turned <= 8:
        facts.orientation = <int>turned
    facts.changed_s, facts.changed_zone_s = _wall(&tiff.changed), _zone(&tiff.changed_zone)
    facts.taken_s, facts.taken_zone_s = _wall(&tiff.taken), _zone(&tiff.taken_zone)
    facts.digitised_s, facts.digitised_zone_s = _wall(&tiff.digitised), _zone(&tiff.digitised_zone)
    facts.latitude = _angle(&tiff, &tiff.lat, &tiff.lat_ref, c"N", c"S", 90.0)
    facts.longitude = _angle(&tiff, &tiff.lon, &tiff.lon_ref, c"E", c"W", 180.0)
    if facts.latitude is None or facts.longitude is None:
        facts.latitude = facts.longitude = None
    error = _ratio(&tiff, &tiff.error, 0)
    facts.gps_error_m = error if error >= 0.0 else None
    facts.gps_datum, facts.gps_utc_s = _text(&tiff.datum), _gps_utc(&tiff)
    return facts
