# cython: autotestdict=False, auto_pickle=False
"""Plans the routes of crews: one problem, one seeded search, run in slices of steps."""

from libc.stdint cimport int8_t, int32_t, int64_t

import numpy as np

from ext.anneal cimport anneal
from ext.ground cimport Ground
from ext.places cimport Place, cheapest_place
from ext.reserve cimport price_calls, reserve_value, sets_out
from ext.routes cimport (
    NEVER, Crew, Model, Route, build, copy_route, fits, leg, may, own_cost, put_in, schedule, settle, take_out,
)
from ext.search cimport Search, assign, clear_step, into_bank, keep_best, plan_cost, recreate, refill

STORE, BREAK = -1, -2
NO_CREW, FROZEN_LATE, OUT_OF_TIME, NO_PARTS, NO_ROOM, TOO_DEAR, AT_THE_CAP = range(1, 8)


def _lists(name, given, crews, least, tasks, seen):
    """Per crew its visits as integers; ValueError for what is no task or stands there twice."""
    if given is None:
        return [[] for _ in range(crews)]
    found = [[int(v) for v in row] for row in given]
    if len(found) != crews:
        raise ValueError(f"{name} has {len(found)} rows, not {crews}")
    for row in found:
        for v in row:
            if not least <= v < tasks:
                raise ValueError(f"{name} has {v}, which is no task")
            if v >= 0 and v in seen:
                raise ValueError(f"task {v} stands in two places of frozen and routes")
            seen.add(v)
    return found


cdef class Planner(Ground):
    """A search for the plan of least cost. ValueError names the argument that is wrong."""

    cdef object _out_of_routes
    cdef int64_t _lost              # weights of the tasks that the search never sees

    def __init__(
        self, travel, *, crew_place, crew_start, crew_end, task_place, task_service, task_open, task_close,
        task_weight, task_crews, budget, seed=1, travel_cost=1, duration_cost=0, churn_cost=0, most_changes=-1,
        hot=None, cold=None, temper=1024, frozen=None, routes=None, settings=None, **optional,
    ):
        self.make(dict(
            travel=travel, crew_place=crew_place, crew_start=crew_start, crew_end=crew_end, task_place=task_place,
            task_service=task_service, task_open=task_open, task_close=task_close, task_weight=task_weight,
            task_crews=task_crews, budget=budget, seed=seed, travel_cost=travel_cost, duration_cost=duration_cost,
            churn_cost=churn_cost, most_changes=most_changes, hot=hot, cold=cold, temper=temper, settings=settings,
            **optional,
        ))
        seen = set()
        self._start(
            _lists("frozen", frozen, self.m.crews, STORE, self.m.tasks, seen),
            _lists("routes", routes, self.m.crews, BREAK, self.m.tasks, seen),
        )

    def _start(self, frozen, routes):
        """The first plan: what is frozen, then the given routes as far as they hold, then the rest, heaviest first."""
        cdef Model *m = &self.m
        cdef Search *s = &self.s
        cdef int32_t k, j, v
        cdef int32_t[::1] line
        for j in range(m.tasks):
            s.crew_of[j] = -1
            s.locked[j] = s.choice[j] == 0
        for k in range(m.crews):
            self._freeze(k, frozen[k])
        self._lost = 0
        for j in range(m.tasks):
            if not s.locked[j]:
                s.live[s.lives] = s.out[s.lives] = j
                s.out_at[j] = s.lives
                s.lives += 1
                s.missing += m.weight[j]
            elif s.crew_of[j] < 0:
                self._lost += m.weight[j]
        s.outs = s.lives
        for k in range(m.crews):
            line = np.array([v for v in routes[k] if v >= 0 and not s.locked[v]] or [0], np.int32)
            wanted = sum(1 for v in routes[k] if v >= 0 and not s.locked[v])
            if wanted:
                refill(s, k, &line[0], wanted)
            clear_step(s)
        given = {v for row in routes for v in row if v >= 0}
        self._out_of_routes = np.array(sorted(v for v in given if s.crew_of[v] < 0), np.int32)
        rest = [s.out[j] for j in range(s.outs)]
        rest.sort(key=lambda v: (-m.weight[v], s.choice[v], m.node[v].late - m.node[v].early, v))
        for v in rest:
            into_bank(s, v)
        blink, s.set.blink = s.set.blink, 0
        with nogil:
            recreate(s, -1, 12)
            clear_step(s)
        s.set.blink = blink
        s.cost = plan_cost(s)
        if s.reserve != NULL:
            for k in range(m.crews):
                price_calls(m, s.reserve, k)
            s.reserve.value = reserve_value(m, s.reserve)
            s.cost += s.reserve.value
        for k in range(m.crews):
            s.is_dirty[k] = True
        keep_best(s)

    cdef int _freeze(self, int32_t k, list visits) except -1:
        """Put the frozen visits into crew k's empty route, as many as keep windows and shift, and its break behind."""
        cdef Model *m = &self.m
        cdef Crew *crew = &m.crew[k]
        cdef Route *r = &m.route[k]
        cdef int32_t v, node, free
        cdef bint late = False
        build(m, k, r)
        for v in visits:
            if v >= 0:
                self.s.locked[v] = True
            elif crew.store < 0:
                raise ValueError(f"frozen has a visit to the store for crew {k}, which has none")
            elif r.store >= 0:
                raise ValueError(f"frozen has two visits to the store for crew {k}")
            node = v if v >= 0 else crew.store
            late = late or bool(crew.closed) or r.n + 4 >= 250
            if late:
                continue
            put_in(r, r.n, node)
            build(m, k, r)
            if r.cost >= NEVER:
                take_out(r, r.n - 1)
                build(m, k, r)
                late = True
            elif v >= 0:
                self.s.crew_of[v] = k
                if m.before[v] >= 0 and m.before[v] != k:
                    self.s.changes += 1
        r.frozen = r.n
        if crew.rest >= 0 and not crew.closed:
            free = r.head[r.n].early + r.head[r.n].lasts
            if m.node[crew.rest].late < free:
                m.node[crew.rest].late = free
            put_in(r, r.n, crew.rest)
            r.off = True
            build(m, k, r)
            if r.cost >= NEVER:
                r.off = False
                build(m, k, r)
            if r.cost >= NEVER:
                # Its day ends before it could rest.
                take_out(r, r.n - 1)
                crew.closed = True
                build(m, k, r)
        return 0

    def improve(self, steps):
        """That many steps of ruin and recreate; returns the cost of the best plan so far."""
        cdef int64_t n = steps
        if n < 0:
            raise ValueError("steps must not be negative")
        with nogil:
            anneal(&self.s, n)
        return self.s.best_cost + self._lost

    @property
    def iterations(self):
        """Steps done."""
        return self.s.done

    @property
    def budget(self):
        """Steps over which the annealing cools."""
        return self.s.budget

    def cost(self):
        """Of the best plan: total, travel and duration (ticks), lateness, extra, churn, unplanned and reserve (costs),
        and changes, the number of tasks with another crew than before."""
        cdef const Model *m = &self.m
        cdef int32_t k, j, crew
        cdef int64_t travel = 0, duration = 0, lateness = 0, extra = 0, unplanned = 0, changes = 0
        for k in range(m.crews):
            travel += self.s.best[k].drive
            duration += self.s.best[k].lasts
            lateness += self.s.best[k].lateness
        for j in range(m.tasks):
            crew = self.s.best_crew_of[j]
            if crew < 0:
                unplanned += m.weight[j]
                continue
            if m.extra != NULL:
                extra += m.extra[<Py_ssize_t>j * m.crews + crew]
            changes += m.before[j] >= 0 and m.before[j] != crew
        churn = changes * m.churn_cost
        reserve = self.s.reserve.best if self.s.reserve != NULL else 0
        total = m.travel_cost * travel + m.duration_cost * duration + lateness + extra + churn + unplanned + reserve
        return dict(
            total=total, travel=travel, duration=duration, lateness=lateness, extra=extra, churn=churn,
            unplanned=unplanned, reserve=reserve, changes=changes,
        )

    def routes(self):
        """The best plan as (first [K + 1], visit [V], start [V]): crew k's visits are visit[first[k]:first[k + 1]],
        task numbers, STORE or BREAK, and `start` when their service starts if the crew leaves at the earliest of
        the times of `leaves`. A break that is due only after the last task is not shown."""
        cdef Route *r
        cdef int32_t k, i, v
        first, visits, starts = [0], [], []
        for k in range(self.m.crews):
            r = &self.s.best[k]
            schedule(&self.m, k, r)
            for i in range(r.n - r.off):
                v = r.visit[i]
                visits.append(v if v < self.m.tasks else BREAK if i == r.rest else STORE)
                starts.append(r.start[i])
            first.append(len(visits))
        return np.array(first, np.int32), np.array(visits, np.int32), np.array(starts, np.int32)

    def leaves(self):
        """int32[K, 3]: the earliest and the latest time of leaving that cost the least duration, and the time of
        being home (or done) after leaving at the earliest; -1 for a crew without a visit that has not departed."""
        cdef Route *r
        cdef int32_t k
        found = np.full((self.m.crews, 3), -1, np.int32)
        for k in range(self.m.crews):
            r = &self.s.best[k]
            if r.lasts or r.n > r.off:
                found[k] = r.leaves, r.leaves_late, r.leaves + r.lasts
        return found

    def sets_out(self, choices):
        """int32[K]: when crews leave for the first visit of the best plan; -1: no visit, frozen ones, or no calls are
        foreseen.

        `choices` are of 1024: where between the earliest and the latest time that cost no duration. The one is taken
        that keeps most in reserve, crew by crew; the first of equals.
        """
        cdef Model *m = &self.m
        cdef Search *s = &self.s
        cdef int32_t k, part, best
        cdef int64_t value, least
        found = np.full(m.crews, -1, np.int32)
        if s.reserve == NULL:
            return found
        usual = [s.reserve.leave[k] for k in range(m.crews)]
        for k in range(m.crews):
            copy_route(&s.old[k], &m.route[k])
            copy_route(&m.route[k], &s.best[k])
            price_calls(m, s.reserve, k)
        least = reserve_value(m, s.reserve)
        for k in range(m.crews):
            if not m.route[k].tasks or m.crew[k].closed or m.route[k].frozen:
                continue
            best = s.reserve.leave[k]
            for part in choices:
                s.reserve.leave[k] = part
                price_calls(m, s.reserve, k)
                value = reserve_value(m, s.reserve)
                if value < least:
                    least = value
                    best = part
            s.reserve.leave[k] = best
            price_calls(m, s.reserve, k)
            found[k] = sets_out(m, s.reserve, &m.route[k], k)
        for k in range(m.crews):
            s.reserve.leave[k] = usual[k]
            copy_route(&m.route[k], &s.old[k])
            price_calls(m, s.reserve, k)
        return found

    def task_lists(self):
        """Per crew its tasks behind the frozen visits, in order: `routes` of the next Planner."""
        cdef Route *r
        cdef int32_t k, i
        found = []
        for k in range(self.m.crews):
            r = &self.s.best[k]
            found.append([r.visit[i] for i in range(r.frozen, r.n) if r.visit[i] < self.m.tasks])
        return found

    def taken_out(self):
        """Tasks of the given `routes` that broke a rule where they stood, ascending."""
        return self._out_of_routes

    def unplanned(self):
        """The tasks that the best plan leaves out, ascending, and the reason for each."""
        cdef int32_t j, k
        out = np.array([j for j in range(self.m.tasks) if self.s.best_crew_of[j] < 0], np.int32)
        why = np.zeros(len(out), np.int8)
        for i, j in enumerate(out):
            why[i] = FROZEN_LATE if self.s.choice[j] and self.s.locked[j] else OUT_OF_TIME if self.s.choice[j] else NO_CREW
        for k in range(self.m.crews):
            self._ask(k, out, why)
        return out, why

    cdef int _ask(self, int32_t k, int32_t[::1] out, int8_t[::1] why) except -1:
        """Raise the reasons of the tasks as far as crew k comes nearer to taking them."""
        cdef Model *m = &self.m
        cdef Route *r = &m.route[k]
        cdef Crew *crew = &m.crew[k]
        cdef Place place
        cdef int32_t i, j, stage
        cdef int8_t reason, stocked = crew.stocked
        cdef bint capped = self.cost()["changes"] >= self.s.most_changes
        copy_route(&self.s.old[k], r)
        for stage in range(3):
            copy_route(r, &self.s.best[k])
            if stage:
                # With nothing but its frozen visits to do; then with everything on the van, too.
                r.n = r.frozen
                if r.rest >= r.frozen:
                    put_in(r, r.n, crew.rest)
                    r.off = True
                build(m, k, r)
                settle(m, k)
            if stage == 2:
                crew.stocked = True
            for i in range(out.shape[0]):
                j = out[i]
                if why[i] in (NO_CREW, FROZEN_LATE) or not may(m, j, k):
                    continue
                cheapest_place(m, k, j, &place)
                if place.delta >= NEVER:
                    continue
                reason = NO_PARTS if stage == 2 else NO_ROOM
                if stage == 0 and place.delta >= m.weight[j]:
                    reason = TOO_DEAR
                elif stage == 0 and capped and 0 <= m.before[j] != k:
                    reason = AT_THE_CAP
                if reason > why[i]:
                    why[i] = reason
        crew.stocked = stocked
        copy_route(r, &self.s.old[k])
        return 0
