# cython: autotestdict=False, auto_pickle=False
"""The ground a planner stands on: its problem and search in C, made from checked arrays."""

from libc.stdint cimport int8_t, int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

import numpy as np

from ext.anneal cimport log2_of_ratio
from ext.places cimport Place
from ext.reserve cimport Reserve
from ext.routes cimport PART_WORDS, ROOM, Crew, Model, Route, Stretch, leg
from ext.search cimport Moved, Search

from ext.plan_input import MOST_TICKS, crews_of_tasks, neighbours, numbers, open_bits, packed_parts

MOST_COST = 1 << 44
NEAR = 100
_CALL_ARRAYS = ("known", "open", "close", "service", "crews", "tools", "parts", "loss")

# In use for every problem: the shares of the moves in 1,024ths, and the sizes of what a ruin takes.
SETTINGS = {
    "strings": 10, "longest": 10, "split": 512, "by_time": 307, "whole_route": 51, "ban": 512,
    "exchange": 102, "tails": 51, "regret": 51, "blink": 10,
}


def _one(name, value, low, high):
    """A single integer within its bounds."""
    return int(numbers(name, value, (1,), low, high, None, np.int64)[0])


cdef void *_into(void *to, array):
    """Copy an array's bytes."""
    cdef const unsigned char[::1] raw = array.reshape(-1).view(np.uint8)
    if raw.shape[0]:
        memcpy(to, &raw[0], raw.shape[0])
    return to


cdef class Ground:
    """Checked arrays as a model and a search; freed with it."""

    def __cinit__(self):
        self._rooms = []

    cdef void *_room(self, size_t size) except NULL:
        """Zeroed memory that lives as long as the planner."""
        cdef void *found = calloc(size + 64, 1)
        if found == NULL:
            raise MemoryError
        self._rooms.append(<size_t>found)
        return found

    def __dealloc__(self):
        for found in self._rooms:
            free(<void *><size_t>found)

    cdef int make(self, dict given) except -1:
        """All of the problem but frozen visits and routes, which are the planner's."""
        if self._rooms:
            raise ValueError("a planner is built once")
        travel = np.asarray(given.pop("travel"))
        if travel.ndim != 2 or travel.shape[0] != travel.shape[1]:
            raise ValueError("travel must be a square matrix")
        travel = numbers("travel", travel, travel.shape, 0, MOST_TICKS)
        crews, tasks = np.atleast_1d(given["crew_place"]).shape[0], np.atleast_1d(given["task_place"]).shape[0]
        if crews > 32767 or tasks > 1 << 20:
            raise ValueError("at most 32767 crews and 1048576 tasks")
        self.m.crews, self.m.tasks, self.m.places = crews, tasks, travel.shape[0]
        self.m.travel_cost = _one("travel_cost", given.pop("travel_cost"), 0, 1 << 24)
        self.m.duration_cost = _one("duration_cost", given.pop("duration_cost"), 0, 1 << 24)
        self.m.churn_cost = _one("churn_cost", given.pop("churn_cost"), 0, MOST_COST)
        self.s.most_changes = _one("most_changes", given.pop("most_changes"), -1, 1 << 30)
        if self.s.most_changes < 0:
            self.s.most_changes = 1 << 30
        self.s.budget = _one("budget", given.pop("budget"), 1, 1 << 46)
        seed, hot, cold, temper = (given.pop(name) for name in ("seed", "hot", "cold", "temper"))
        settings = given.pop("settings") or {}
        if unknown := set(settings) - set(SETTINGS):
            raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
        self.s.set = {**SETTINGS, **settings}
        self._make_places(travel)
        self._make_crews(given)
        places, bits = self._make_tasks(given)
        self._make_reserve(travel, given)
        if given:
            raise ValueError(f"unknown arguments: {', '.join(sorted(given))}")
        mean = self._make_search(travel, places, bits, seed)
        mean *= int(self.m.travel_cost + self.m.duration_cost) or 1
        hot = max(mean * 9 // 8, 1) if hot is None else _one("hot", hot, 1, 1 << 31)
        cold = max(hot // 100, 1) if cold is None else _one("cold", cold, 1, 1 << 31)
        temper = _one("temper", temper, 1, 1 << 20)
        self.s.hot = min(max(hot * temper >> 10, 1), 1 << 31)
        self.s.cold = min(max(cold * temper >> 10, 1), self.s.hot)
        self.s.ratio = log2_of_ratio(self.s.hot, self.s.cold)
        return 0

    def _make_places(self, travel):
        cdef Model *m = &self.m
        cdef int32_t size = m.places + 1
        m.nowhere = m.places
        whole = np.zeros((size, size), np.int32)
        whole[:-1, :-1] = travel
        m.travel = <int32_t *>_into(self._room(whole.nbytes), whole)

    def _make_crews(self, given):
        cdef Model *m = &self.m
        cdef int32_t k, w, crews = m.crews
        cdef Crew *crew
        shape = (crews,)

        def take(name, low, high, default=None, dtype=np.int32):
            return numbers(name, given.pop(name, None), shape, low, high, default, dtype)

        place = take("crew_place", 0, m.places - 1)
        start, end = take("crew_start", 0, MOST_TICKS), take("crew_end", 0, MOST_TICKS)
        home = given.pop("crew_home", None)
        home = numbers("crew_home", place if home is None else home, shape, -1, m.places - 1)
        departed = take("crew_departed", 0, 1, 0)
        stocked = take("crew_stocked", 0, 1, 0)
        store = take("crew_store", -1, m.places - 1, -1)
        tools = take("crew_tools", 0, (1 << 64) - 1, 0, np.uint64)
        service = take("store_service", 0, MOST_TICKS, 0)
        opens, closes = take("store_open", 0, MOST_TICKS, 0), take("store_close", 0, MOST_TICKS, MOST_TICKS)
        early, late = take("break_early", -1, MOST_TICKS, -1), take("break_late", -1, MOST_TICKS, -1)
        length = take("break_length", 0, MOST_TICKS, 0)
        if ((early >= 0) & (late < early)).any():
            raise ValueError("break_late must not be before break_early")
        parts = given.pop("crew_parts", None)
        task_parts = given.get("task_parts")
        kinds = 0
        if parts is not None or task_parts is not None:
            kinds = np.atleast_2d(parts if parts is not None else task_parts).shape[1]
        if kinds > 4 * PART_WORDS:
            raise ValueError(f"at most {4 * PART_WORDS} kinds of parts")
        cdef uint64_t[:, ::1] have = packed_parts("crew_parts", parts, crews, kinds)
        m.part_words = have.shape[1]
        m.nodes = m.tasks + 2 * crews
        m.node = <Stretch *>self._room(m.nodes * sizeof(Stretch))
        m.where = <int32_t *>self._room(m.nodes * sizeof(int32_t))
        m.due = <int32_t *>self._room(m.nodes * sizeof(int32_t))
        m.late_cost = <int64_t *>self._room(m.nodes * sizeof(int64_t))
        m.crew = <Crew *>self._room(crews * sizeof(Crew))
        for k in range(crews):
            crew = &m.crew[k]
            crew.departed, crew.stocked = departed[k], stocked[k]
            crew.place = place[k]
            crew.home = home[k] if home[k] >= 0 else m.nowhere
            crew.begin = Stretch(0, start[k], start[k] if departed[k] else max(end[k], start[k]), 0)
            crew.end = Stretch(0, 0, end[k], 0)
            crew.closed = start[k] + leg(m, crew.place, crew.home) > end[k]
            crew.tools = tools[k]
            for w in range(m.part_words):
                crew.parts[w] = have[k, w]
            crew.store = m.tasks + 2 * k if store[k] >= 0 else -1
            crew.rest = m.tasks + 2 * k + 1 if early[k] >= 0 else -1
            m.node[m.tasks + 2 * k] = Stretch(service[k], opens[k], closes[k], 0)
            m.where[m.tasks + 2 * k] = max(store[k], 0)
            m.node[m.tasks + 2 * k + 1] = Stretch(length[k], max(early[k], 0), late[k], 0)
            m.where[m.tasks + 2 * k + 1] = -1

    def _make_tasks(self, given):
        cdef Model *m = &self.m
        cdef int32_t j, tasks = m.tasks
        shape = (tasks,)

        def take(name, low, high, default=None, dtype=np.int32):
            return numbers(name, given.pop(name, None), shape, low, high, default, dtype)

        place = take("task_place", 0, m.places - 1)
        service = take("task_service", 0, MOST_TICKS)
        opens, closes = take("task_open", 0, MOST_TICKS), take("task_close", 0, MOST_TICKS)
        fixed = take("task_fixed", -1, MOST_TICKS, -1)
        opens, closes = np.where(fixed >= 0, fixed, opens), np.where(fixed >= 0, fixed, closes)
        due = take("task_due", 0, MOST_TICKS, 0)
        late_cost = take("task_late_cost", 0, 1 << 24, 0, np.int64)
        before = take("task_before", -1, m.crews - 1, -1)
        pinned = take("task_pinned", -1, m.crews - 1, -1)
        tools = take("task_tools", 0, (1 << 64) - 1, 0, np.uint64)
        m.words = (m.crews + 63) // 64
        bits = open_bits(
            numbers("task_crews", given.pop("task_crews"), (tasks, m.words), 0, (1 << 64) - 1, None, np.uint64),
            pinned, m.crews,
        )
        parts = given.pop("task_parts", None)
        kinds = np.atleast_2d(parts).shape[1] if parts is not None else 4 * m.part_words
        need = packed_parts("task_parts", parts, tasks, kinds)
        if need.shape[1] != m.part_words:
            raise ValueError("task_parts and crew_parts differ in kinds")
        for j in range(tasks):
            m.node[j] = Stretch(service[j], opens[j], closes[j], 0)
        m.lateness = late_cost.any()
        _into(m.where, place)
        _into(m.due, due)
        _into(m.late_cost, late_cost)
        weight = take("task_weight", 0, MOST_COST, None, np.int64)
        if weight.astype(float).sum() > 2.0**60:
            raise ValueError("task_weight sums to more than 2**60")
        m.weight = <int64_t *>_into(self._room(weight.nbytes), weight)
        m.eligible = <uint64_t *>_into(self._room(bits.nbytes), bits)
        m.tools = <uint64_t *>_into(self._room(tools.nbytes), tools)
        m.parts = <uint64_t *>_into(self._room(need.nbytes), need)
        m.before = <int32_t *>_into(self._room(before.nbytes), before)
        extra = given.pop("task_extra", None)
        if extra is not None:
            extra = numbers("task_extra", extra, (tasks, m.crews), 0, (1 << 31) - 1)
            m.extra = <int32_t *>_into(self._room(extra.nbytes), extra)
        return place, bits

    def _make_reserve(self, travel, given):
        """The calls that are foreseen, with their travels in rows; no reserve without them."""
        cdef Reserve *v
        cdef Model *m = &self.m
        place = given.pop("call_place", None)
        named = {name: given.pop("call_" + name, None) for name in _CALL_ARRAYS}
        share = _one("call_share", given.pop("call_share", 0), 0, MOST_COST)
        keen = _one("call_keen", given.pop("call_keen", 1024), 0, 1024)
        leave = _one("call_leave", given.pop("call_leave", 1024), 0, 1024)
        if place is None or not len(place) or not share:
            return
        calls = len(place)
        n = calls + -calls % 8

        def take(name, low, high, default=None, dtype=np.int32, shape=(calls,)):
            found = np.zeros((n, *shape[1:]), dtype)
            found[:calls] = numbers("call_" + name, named[name], shape, low, high, default, dtype)
            return found

        where = np.zeros(n, np.intp)
        where[:calls] = numbers("call_place", place, (calls,), 0, m.places - 1)
        bits = take("crews", 0, (1 << 64) - 1, None, np.uint64, (calls, m.words))
        parts, kinds = named["parts"], 4 * m.part_words
        need = np.zeros((n, m.part_words), np.uint64)
        packed = packed_parts("call_parts", parts, calls, kinds if parts is None else np.atleast_2d(parts).shape[1])
        if packed.shape[1] != m.part_words:
            raise ValueError("call_parts and crew_parts differ in kinds")
        need[:calls] = packed
        ways = np.zeros((2, m.places + 1, n), np.int32)
        ways[0, :-1], ways[1, :-1] = travel[:, where], travel[where].T
        may = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little", count=m.crews).T
        v = <Reserve *>self._room(sizeof(Reserve))
        v.n, v.keen, v.share = n, keen, share
        v.leave = <int32_t *>self._room(m.crews * 4)
        for k in range(m.crews):
            v.leave[k] = 0 if m.crew[k].departed else leave
        v.to = <int32_t *>_into(self._room(ways.nbytes // 2), np.ascontiguousarray(ways[0]))
        v.back = <int32_t *>_into(self._room(ways.nbytes // 2), np.ascontiguousarray(ways[1]))
        v.known = <int32_t *>_into(self._room(n * 4), take("known", 0, MOST_TICKS))
        v.opens = <int32_t *>_into(self._room(n * 4), take("open", 0, MOST_TICKS))
        v.closes = <int32_t *>_into(self._room(n * 4), take("close", 0, MOST_TICKS))
        v.service = <int32_t *>_into(self._room(n * 4), take("service", 0, MOST_TICKS))
        v.loss = <int32_t *>_into(self._room(n * 4), take("loss", 0, MOST_TICKS))
        v.tools = <uint64_t *>_into(self._room(n * 8), take("tools", 0, (1 << 64) - 1, 0, np.uint64))
        v.parts = <uint64_t *>_into(self._room(need.nbytes), need)
        v.barred = <int32_t *>_into(self._room(may.size * 4), np.where(may, 0, MOST_TICKS).astype(np.int32))
        v.row, v.old = <int32_t *>self._room(may.size * 4), <int32_t *>self._room(may.size * 4)
        v.line = <int32_t *>self._room(n * 8)
        self.s.reserve = v

    cdef Route *_routes(self, int32_t n) except NULL:
        """So many empty routes with room for their visits."""
        cdef Route *found = <Route *>self._room(n * sizeof(Route))
        cdef size_t each = 4 * sizeof(int32_t) + sizeof(int64_t) + 2 * sizeof(Stretch), size = ROOM + 8
        cdef char *room = <char *>self._room(n * each * size)
        cdef int32_t i
        for i in range(n):
            found[i].late_before = <int64_t *>room
            found[i].head = <Stretch *>(room + size * 8)
            found[i].tail = <Stretch *>(room + size * 24)
            found[i].visit = <int32_t *>(room + size * 40)
            found[i].place = <int32_t *>(room + size * 44)
            found[i].entry = <int32_t *>(room + size * 48)
            found[i].start = <int32_t *>(room + size * 52)
            room += each * size
        return found

    def _make_search(self, travel, task_place, bits, seed):
        """Room for the search; returns the mean travel between neighbouring tasks."""
        cdef Search *s = &self.s
        cdef Model *m = &self.m
        cdef int32_t tasks = m.tasks, crews = m.crews, i
        cdef int32_t[:, ::1] window = np.zeros((3, tasks), np.int32)
        s.m = m
        for i in range(tasks):
            window[0, i], window[1, i], window[2, i] = m.node[i].lasts, m.node[i].early, m.node[i].late
        by_place, by_time, mean = neighbours(
            travel[np.ix_(task_place, task_place)], *np.asarray(window), NEAR,
        )
        s.near = by_place.shape[1]
        s.by_place = <int32_t *>_into(self._room(by_place.nbytes), by_place)
        s.by_time = <int32_t *>_into(self._room(by_time.nbytes), by_time)
        crew_place = np.array([m.crew[i].place for i in range(crews)], np.intp)
        choice, afar, close = crews_of_tasks(travel[np.ix_(crew_place, task_place)], bits)
        s.close_crews = <uint64_t *>_into(self._room(close.nbytes), close)
        s.idle = <uint64_t *>self._room(m.words * 8)
        s.asked = <uint64_t *>self._room(m.words * 8)
        s.choice = <int32_t *>_into(self._room(choice.nbytes), choice)
        s.afar = <int64_t *>_into(self._room(afar.nbytes), afar)
        s.random = (<uint64_t>_one("seed", seed, 0, (1 << 63) - 1) * 0x9E3779B97F4A7C15U) ^ 0xD1B54A32D192ED03U
        s.random = s.random or 1
        s.crew_of = <int32_t *>self._room(tasks * 4)
        s.best_crew_of = <int32_t *>self._room(tasks * 4)
        s.locked = <int8_t *>self._room(tasks)
        s.live = <int32_t *>self._room(tasks * 4)
        s.out = <int32_t *>self._room(tasks * 4)
        s.out_at = <int32_t *>self._room(tasks * 4)
        s.bank = <int32_t *>self._room(tasks * 4)
        s.in_bank = <int8_t *>self._room(tasks)
        s.key = <int64_t *>self._room(tasks * 8)
        s.moved = <Moved *>self._room((8 * tasks + 64) * sizeof(Moved))
        s.touched = <int32_t *>self._room(crews * 4)
        s.is_touched = <int8_t *>self._room(crews)
        s.is_dirty = <int8_t *>self._room(crews)
        s.is_ruined = <int8_t *>self._room(crews)
        s.line = <int32_t *>self._room(4 * ROOM * 4)
        s.cache = <Place *>self._room(<size_t>tasks * crews * sizeof(Place))
        m.route, s.old, s.best = self._routes(crews), self._routes(crews), self._routes(crews)
        m.bare, m.rested = self._routes(crews), self._routes(crews)
        m.rested_of = <uint32_t *>self._room(crews * 4)
        m.bare_of = <uint32_t *>self._room(crews * 4)
        return mean
