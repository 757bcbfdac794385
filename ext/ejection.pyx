# cython: autotestdict=False
"""How one ticket goes into one crew's route, plainly or with visits displaced, and where those go.

Insertion with forward times and latest starts after M. W. P. Savelsbergh (The vehicle routing problem with time
windows: minimizing route duration, ORSA Journal on Computing 4, 1992); what gives way is searched for as Y. Nagata and
O. Braysy do (A powerful route minimization heuristic for the vehicle routing problem with time windows, Operations
Research Letters 37, 2009): sets of at most k visits of one route in lexicographic order, cut off by bounds.
"""

from libc.stdint cimport int32_t, int64_t

from ext.visits cimport STATE_ON_SITE, Route, State, Ticket, late, leg, may
from ext.sphere cimport Point, ways

cdef int64_t CAP = <int64_t>1 << 45


cdef void ways_of(const State* s, int32_t place, int32_t** there, int32_t** back, int32_t* room) noexcept nogil:
    # Seconds from every place to this one and back; `room` is for those of coordinates.
    cdef Point p
    if s.ways.matrix != NULL:
        there[0] = s.ways.turned + place * s.ways.size
        back[0] = s.ways.matrix + place * s.ways.size
        return
    p.x, p.y, p.z = s.ways.x[place], s.ways.y[place], s.ways.z[place]
    ways(p, s.ways.x, s.ways.y, s.ways.z, s.ways.size, s.ways.pace, room)
    there[0] = room
    back[0] = room


cdef inline int64_t _steps(const Ask* a, int64_t seconds) noexcept nogil:
    return (seconds + a.late_step - 1) // a.late_step if a.late_step and seconds > 0 else 0


cdef void _weigh(
    const State* s, const Ask* a, const Given* g, int64_t grown, int64_t caused, int64_t busy, int64_t churn, Found* f
) noexcept nogil:
    # Score and total of a place whose crew, start and displaced are known.
    cdef const Ticket* t = &s.ticket[a.ticket]
    cdef int64_t wait = max(f.start - a.now, 0)
    cdef int32_t i
    f.late = late(t, f.start)
    f.steps = _steps(a, f.late)
    f.score[0] = grown
    f.score[1] = f.late
    f.score[2] = caused
    f.score[3] = wait * t.urgency
    f.score[4] = busy
    f.score[5] = g.continuity
    f.score[6] = g.skill
    f.score[7] = g.parts
    f.score[8] = wait * t.impact // 3600
    f.score[9] = churn + (t.churn if t.before >= 0 and t.before != f.crew else 0)
    f.total = 0
    for i in range(PARTS):
        f.total += a.weight[i] * min(max(f.score[i], -CAP), CAP)


cdef int compare(const Found* f, const Found* g) noexcept nogil:
    # Which of two is better: below 0 the first. One crew's places end in position and displaced.
    cdef int32_t i
    if f.steps != g.steps:
        return -1 if f.steps < g.steps else 1
    if f.levels != g.levels:
        return -1 if f.levels < g.levels else 1
    if f.unplanned != g.unplanned:
        return -1 if f.unplanned < g.unplanned else 1
    if f.total != g.total:
        return -1 if f.total < g.total else 1
    if f.crew != g.crew:
        return f.crew - g.crew
    if f.position != g.position:
        return f.position - g.position
    for i in range(min(f.displaced, g.displaced)):
        if f.index[i] != g.index[i]:
            return f.index[i] - g.index[i]
    return 0


# ------------------------------------------------------------------ plain insertion


cdef inline bint _behind(
    const State* s, const Route* r, int32_t k, int32_t p, int32_t now, const int32_t* back,
    int64_t cost, int64_t per_drive, int64_t per_late, int64_t best, int64_t* grown, int64_t* caused,
) noexcept nogil:
    # What a new visit before visit p does to those behind it, being left at `now`. False where a window or the shift
    # breaks, or the cost (`cost` before) comes to `best` or more for sure.
    cdef int32_t q, start, way
    cdef bint moved = True
    cdef int64_t more = 0, later = 0
    cdef const Ticket* t
    for q in range(p, r.n):
        t = &s.ticket[r.ticket[q]]
        if t.place >= 0:
            way = r.leg[q]
            if moved:
                more = back[t.place] - way
                way = back[t.place]
                moved = False
            start = max(now + way, t.earliest)
            if start > r.until[q]:
                return False
            later += <int64_t>t.weight * (late(t, start) - late(t, r.start[q]))
            if start == r.start[q]:
                break
            if start > r.start[q] and cost + per_drive * more + per_late * later >= best:
                return False
        else:
            # A break is taken where the crew is then; what its slack was worked out for has moved.
            start = max(now, t.earliest)
            if start > s.limit[r.ticket[q]]:
                return False
            later += <int64_t>t.weight * (late(t, start) - late(t, r.start[q]))
        now = start + t.service
    else:
        way = r.home
        if moved:
            way = back[s.crew[k].home] if s.crew[k].home >= 0 else 0
            more = way - r.home
        if now + way > s.end[k]:
            return False
    grown[0] += more
    caused[0] += later
    return True


cdef bint plain(const State* s, const Ask* a, const Given* g, int32_t k, int32_t only, Found* best) noexcept nogil:
    # The best place in a crew's route with nobody displaced, or the place `only`; False: there is none.
    cdef const Route* r = s.route[k]
    cdef const Ticket* t = &s.ticket[a.ticket]
    cdef int32_t p, at = s.crew[k].place, free = s.crew[k].free_at, limit = s.limit[a.ticket]
    cdef int64_t grown, caused
    cdef bint any_ = False
    cdef Found f
    f.crew = k
    f.displaced = 0
    f.levels = 0
    f.unplanned = 0
    for p in range(r.n + 1):
        if p:
            at = r.at[p - 1]
            free = r.start[p - 1] + s.ticket[r.ticket[p - 1]].service
        if p < r.fixed if only < 0 else p != only:
            continue
        if free > limit:
            break
        f.position = p
        f.drive = a.there[at]
        f.arrival = free + f.drive
        f.start = max(f.arrival, max(t.earliest, g.ready))
        if f.start > limit:
            continue
        grown = f.drive
        caused = 0
        if not _behind(s, r, k, p, f.start + t.service, a.back, 0, 0, 0, 1, &grown, &caused):
            continue
        _weigh(s, a, g, grown, caused, r.busy + grown + t.service, 0, &f)
        if not any_ or compare(&f, best) < 0:
            best[0] = f
            any_ = True
    return any_


# ------------------------------------------------------------------ displacing


cdef struct Digging:
    const State* s
    const Ask* a
    const Given* g
    const Route* r
    const Ticket* t
    const int32_t* nearest  # of each visit on: the shortest way to the ticket from it or one behind it,
    const int32_t* work_on  # the seconds of work left,
    const int32_t* most_on  # and the longest of those that may give way
    int32_t k
    int32_t limit
    int64_t most_steps      # whatever is worse than this does not count among the crews
    int64_t most_levels
    Found* best
    bint any
    Found f                 # what is being built up
    int64_t churn
    int64_t work            # of the displaced
    int64_t end


cdef inline int64_t _level(const Ticket* t) noexcept nogil:
    return <int64_t>1 << (4 * (7 - t.level))


cdef inline bint _too_long(Digging* d, int32_t q, int64_t now) noexcept nogil:
    # Even if the longest of those left gave way as often as may be, the shift would not do.
    return now + d.work_on[q] - <int64_t>(d.a.displace - d.f.displaced) * d.most_on[q] > d.end


cdef inline bint _hopeless(Digging* d, int64_t steps) noexcept nogil:
    if steps != d.most_steps:
        if steps > d.most_steps:
            return True
    elif d.f.levels > d.most_levels:
        return True
    if not d.any:
        return False
    return steps > d.best.steps or steps == d.best.steps and d.f.levels > d.best.levels


cdef inline bint _movable(Digging* d, int32_t q) noexcept nogil:
    cdef const Ticket* t = &d.s.ticket[d.r.ticket[q]]
    return d.f.displaced < d.a.displace and t.level > d.t.level and t.state != STATE_ON_SITE


cdef inline void _take_out(Digging* d, int32_t q) noexcept nogil:
    cdef const Ticket* t = &d.s.ticket[d.r.ticket[q]]
    d.f.index[d.f.displaced] = q
    d.f.displaced += 1
    d.f.levels += _level(t)
    d.churn += t.churn
    d.work += t.service


cdef inline void _put_back(Digging* d, int32_t q) noexcept nogil:
    cdef const Ticket* t = &d.s.ticket[d.r.ticket[q]]
    d.f.displaced -= 1
    d.f.levels -= _level(t)
    d.churn -= t.churn
    d.work -= t.service


cdef void _after(
    Digging* d, int32_t q, int32_t now, int32_t at, int64_t drive, int64_t caused, bint fits
) noexcept nogil:
    # The ticket is in; visits from q on stay or give way. `fits`: all of them can stay, and so they do.
    cdef const State* s = d.s
    cdef const Route* r = d.r
    cdef const Ticket* t
    cdef int32_t start, way, limit
    if _hopeless(d, d.f.steps) or _too_long(d, q, now):
        return
    if q == r.n:
        way = leg(s.ways, at, s.crew[d.k].home) if s.crew[d.k].home >= 0 else 0
        if now + way > s.end[d.k]:
            return
        drive += way - r.drive
        _weigh(s, d.a, d.g, drive, caused, r.busy + drive + d.t.service - d.work, d.churn, &d.f)
        if not d.any or compare(&d.f, d.best) < 0:
            d.best[0] = d.f
            d.any = True
        return
    t = &s.ticket[r.ticket[q]]
    way = leg(s.ways, at, t.place) if t.place >= 0 else 0
    start = max(now + way, t.earliest)
    limit = s.limit[r.ticket[q]]
    if q >= r.fixed and start <= limit:
        # One level more can only be worse once everything fits.
        fits = fits or (t.place >= 0 and start <= r.until[q])
        _after(
            d, q + 1, start + t.service, t.place if t.place >= 0 else at, drive + way,
            caused + <int64_t>t.weight * (late(t, start) - late(t, r.start[q])), fits,
        )
    if not fits and _movable(d, q):
        _take_out(d, q)
        _after(d, q + 1, now, at, drive, caused, False)
        _put_back(d, q)


cdef void _before(Digging* d, int32_t q, int32_t now, int32_t at, int64_t drive, int64_t caused, int32_t kept, bint here
) noexcept nogil:
    # Visits before q are settled. The ticket goes in right behind one that stays (`here`), so that each way of doing
    # it is met once.
    cdef const State* s = d.s
    cdef const Route* r = d.r
    cdef const Ticket* t
    cdef int32_t start, way
    cdef int32_t reach = min(d.a.there[at], d.nearest[q])
    start = max(now + reach, max(d.t.earliest, d.g.ready))
    if start > d.limit or _hopeless(d, _steps(d.a, late(d.t, start))) or _too_long(d, q, now + d.t.service):
        return
    if here:
        way = d.a.there[at]
        start = max(now + way, max(d.t.earliest, d.g.ready))
        if start <= d.limit:
            d.f.position = kept
            d.f.drive = way
            d.f.arrival = now + way
            d.f.start = start
            d.f.steps = _steps(d.a, late(d.t, start))
            _after(d, q, start + d.t.service, d.t.place, drive + way, caused, False)
    if q == r.n:
        return
    t = &s.ticket[r.ticket[q]]
    way = leg(s.ways, at, t.place) if t.place >= 0 else 0
    start = max(now + way, t.earliest)
    if start <= s.limit[r.ticket[q]]:
        _before(
            d, q + 1, start + t.service, t.place if t.place >= 0 else at, drive + way,
            caused + <int64_t>t.weight * (late(t, start) - late(t, r.start[q])), kept + 1, True,
        )
    if _movable(d, q):
        _take_out(d, q)
        _before(d, q + 1, now, at, drive, caused, kept, False)
        _put_back(d, q)


cdef int64_t soonest(const State* s, const Ask* a, const Given* g, int32_t k) noexcept nogil:
    # No way of giving a crew the ticket is late by fewer steps.
    cdef const Route* r = s.route[k]
    cdef const Ticket* t = &s.ticket[a.ticket]
    cdef int32_t q, way = a.there[s.crew[k].place]
    for q in range(r.n):
        way = min(way, a.there[r.at[q]])
    return _steps(a, late(t, max(s.crew[k].free_at + way, max(t.earliest, g.ready))))


cdef bint dig(
    const State* s, const Ask* a, const Given* g, int32_t k, int64_t most_steps, int64_t most_levels, Found* best,
    int32_t* nearest,
) noexcept nogil:
    # The best place in a crew's route with at most `displace` visits displaced, where it is not worse than the bounds;
    # `best` comes with the plain one, steps -1 for none. True: it has been bettered.
    cdef Digging d
    cdef const Route* r = s.route[k]
    cdef int32_t q
    cdef int32_t* work_on = nearest + r.n + 1
    cdef int32_t* most_on = work_on + r.n + 1
    cdef const Ticket* t
    nearest[r.n] = 0x7FFFFFFF - (1 << 29)
    work_on[r.n] = 0
    most_on[r.n] = 0
    for q in range(r.n - 1, -1, -1):
        t = &s.ticket[r.ticket[q]]
        nearest[q] = min(nearest[q + 1], a.there[r.at[q]])
        work_on[q] = work_on[q + 1] + t.service
        most_on[q] = most_on[q + 1]
        if t.level > s.ticket[a.ticket].level and t.state != STATE_ON_SITE:
            most_on[q] = max(most_on[q], t.service)
    d.s, d.a, d.g, d.r, d.k, d.t = s, a, g, r, k, &s.ticket[a.ticket]
    d.work_on, d.most_on, d.end = work_on, most_on, s.end[k]
    d.nearest, d.limit, d.most_steps, d.most_levels = nearest, s.limit[a.ticket], most_steps, most_levels
    d.best, d.any, d.churn, d.work = best, best.steps >= 0, 0, 0
    d.f.crew, d.f.displaced, d.f.levels, d.f.unplanned, d.f.steps = k, 0, 0, 0, 0
    _before(&d, 0, s.crew[k].free_at, s.crew[k].place, 0, 0, 0, True)
    return d.any and best.displaced > 0


cdef bint relocate(
    const State* s, const int64_t* weight, int32_t ticket, int32_t barred, int32_t floor_crew, int32_t floor,
    int32_t* room, Move* move, int64_t* grown, int64_t* caused,
) noexcept nogil:
    # Where a displaced ticket costs least: not with `barred`, and with `floor_crew` not before visit `floor`.
    cdef const Ticket* t = &s.ticket[ticket]
    cdef const Route* r
    cdef int32_t k, p, at, free, start, limit = s.limit[ticket], was = late(t, s.start[ticket])
    cdef int64_t more, later, cost, best = CAP * 4096
    cdef int32_t* there = NULL
    cdef int32_t* back = NULL
    ways_of(s, t.place, &there, &back, room)
    move.ticket, move.crew, move.position, move.why = ticket, -1, -1, WHY_NO_CREW
    for k in range(<int32_t>s.crews):
        if k == barred or not may(s, ticket, k):
            continue
        if move.why == WHY_NO_CREW:
            move.why = WHY_NO_TIME
        r = s.route[k]
        for p in range(max(r.fixed, floor) if k == floor_crew else r.fixed, r.n + 1):
            at = r.at[p - 1] if p else s.crew[k].place
            free = r.start[p - 1] + s.ticket[r.ticket[p - 1]].service if p else s.crew[k].free_at
            if free > limit:
                break
            start = max(free + there[at], t.earliest)
            if start > limit:
                continue
            more = there[at]
            later = <int64_t>t.weight * (late(t, start) - was)
            cost = weight[0] * more + weight[2] * later
            if not _behind(
                s, r, k, p, start + t.service, back, cost, weight[0], weight[2], best, &more, &later
            ):
                continue
            cost = weight[0] * more + weight[2] * later
            if cost < best:
                best = cost
                move.crew, move.position, move.why = k, p, WHY_PLACED
                grown[0], caused[0] = more, later
    return move.why == WHY_PLACED
