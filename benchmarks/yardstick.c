/* The scheduling rule of docs/model.md ("Scheduling") as one would write it in C: the yardstick for the compiled
 * kernel, which benchmarks/engine.py compiles, checks bit for bit and times. It shares no code with kernel.py. */
#include <math.h>
#include <stdlib.h>

struct graph { /* the caller's arrays, in the order in which engine.py passes them */
    const int *successor_start, *successors, *in_degree, *acquire, *release, *capacity;
    const int *race, *copy_lo, *race_lo, *race_hi, *leave, *since;
};

struct result {
    double *makespan;     /* of each sample; the rest is the last one's */
    double *start, *end;  /* NaN: never */
    int *cause, *freer;   /* whose end made a task ready; who gave back the slot it took; -1: nobody */
};

enum state { WAITING, QUEUED, RUNNING, ENDED, CANCELLED };
struct task { int missing, state; };
struct event { double time; int task; };

struct pool {
    int free, freed_by;
    int *queue, *head, *tail; /* tasks that wait, in order; room for all that ever will */
    int *newest;              /* the first of those that became ready at `time` */
    double time;
};

struct simulation {
    struct graph g;
    struct result out;
    int n, pools, unfinished, heap_size;
    const double *duration, *patience, *away; /* the sample's rows */
    struct task *tasks;
    struct pool *pool;
    struct event *heap;
    double now;
};

static inline int before(struct event a, struct event b)
{
    return (a.time < b.time) | ((a.time == b.time) & (a.task < b.task));
}

static inline void heap_push(struct simulation *s, struct event x)
{
    int hole = s->heap_size++;
    for (int parent; hole > 0 && before(x, s->heap[parent = (hole - 1) / 2]); hole = parent)
        s->heap[hole] = s->heap[parent];
    s->heap[hole] = x;
}

static inline int heap_pop(struct simulation *s)
{
    struct event top = s->heap[0], x = s->heap[--s->heap_size];
    int hole = 0, child, size = s->heap_size;
    while ((child = 2 * hole + 1) < size) {
        if (child + 1 < size)
            child += before(s->heap[child + 1], s->heap[child]);
        if (!before(s->heap[child], x))
            break;
        s->heap[hole] = s->heap[child];
        hole = child;
    }
    s->heap[hole] = x;
    return top.task;
}

/* Start task i now; returns the seconds it takes. */
static inline double begin(struct simulation *s, int i)
{
    double takes = s->duration[i];
    int row = s->g.leave[i];
    if (takes < 0)
        takes = 0;
    else if (row >= 0 && s->now - s->out.end[s->g.since[row]] > s->patience[row])
        takes += s->away[row];
    s->tasks[i].state = RUNNING;
    s->out.start[i] = s->now;
    heap_push(s, (struct event){s->now + takes, i});
    return takes;
}

/* Task i has become ready: start it if it needs no slot, else let it wait, by id among those ready now. */
static inline void make_ready(struct simulation *s, int i)
{
    int p = s->g.acquire[i];
    if (p < 0 || s->duration[i] < 0) {
        begin(s, i);
        return;
    }
    struct pool *pool = &s->pool[p];
    if (pool->time != s->now) {
        pool->time = s->now;
        pool->newest = pool->tail;
    }
    int *first = pool->newest > pool->head ? pool->newest : pool->head, *place = pool->tail++;
    for (; place > first && place[-1] > i; place--)
        place[0] = place[-1];
    *place = i;
    s->tasks[i].state = QUEUED;
}

static inline void give_back(struct simulation *s, int p, int by)
{
    if (p >= 0) {
        s->pool[p].free++;
        s->pool[p].freed_by = by;
    }
}

/* The exit `winner` decides its race: cancel every other copy and give back the slots it holds. */
static void cancel_others(struct simulation *s, int winner)
{
    int race = s->g.race[winner];
    for (int i = s->g.race_lo[race]; i < s->g.race_hi[race]; i++) {
        const int state = s->tasks[i].state;
        if ((i >= s->g.copy_lo[winner] && i <= winner) || state == CANCELLED)
            continue;
        if (state >= RUNNING && s->duration[i] >= 0) {
            give_back(s, s->g.acquire[i], winner);
            if (state == ENDED && s->g.release[i] >= 0)
                s->pool[s->g.release[i]].free--; /* it gave one back when it ended */
        }
        if (state == RUNNING)
            s->out.end[i] = s->now;
        if (state != ENDED)
            s->unfinished--;
        s->tasks[i].state = CANCELLED;
    }
}

static inline void finish(struct simulation *s, int i)
{
    s->tasks[i].state = ENDED;
    s->out.end[i] = s->now;
    s->unfinished--;
    if (s->duration[i] >= 0)
        give_back(s, s->g.release[i], i);
    if (s->g.race[i] >= 0)
        cancel_others(s, i);
    const int *last = s->g.successors + s->g.successor_start[i + 1];
    for (const int *j = s->g.successors + s->g.successor_start[i]; j < last; j++)
        if (--s->tasks[*j].missing == 0 && s->tasks[*j].state == WAITING) {
            s->out.cause[*j] = i;
            make_ready(s, *j);
        }
}

/* Give each pool's free slots to those that wait; returns whether something that started takes no time. */
static inline int dispatch(struct simulation *s)
{
    int instant = 0;
    for (struct pool *pool = s->pool; pool < s->pool + s->pools; pool++)
        while (pool->free > 0 && pool->head < pool->tail) {
            int i = *pool->head++;
            if (s->tasks[i].state != QUEUED)
                continue;
            pool->free--;
            s->out.freer[i] = pool->freed_by;
            instant |= begin(s, i) == 0;
        }
    return instant;
}

/* One sample: its makespan, or NaN if some task never becomes ready. */
static double run(struct simulation *s)
{
    s->now = s->heap_size = 0, s->unfinished = s->n;
    for (int p = 0; p < s->pools; p++) {
        int *queue = s->pool[p].queue;
        s->pool[p] = (struct pool){s->g.capacity[p], -1, queue, queue, queue, queue, 0};
    }
    for (int i = 0; i < s->n; i++) {
        s->tasks[i] = (struct task){s->g.in_degree[i], WAITING};
        s->out.start[i] = s->out.end[i] = NAN;
        s->out.cause[i] = s->out.freer[i] = -1;
    }
    for (int i = 0; i < s->n; i++)
        if (s->g.in_degree[i] == 0)
            make_ready(s, i);
    for (;;) {
        while (s->heap_size > 0 && s->heap[0].time == s->now) {
            int i = heap_pop(s);
            if (s->tasks[i].state == RUNNING)
                finish(s, i);
        }
        if (dispatch(s))
            continue;
        while (s->heap_size > 0 && s->tasks[s->heap[0].task].state == CANCELLED)
            heap_pop(s);
        if (s->heap_size == 0)
            return s->unfinished ? NAN : s->now;
        s->now = s->heap[0].time;
    }
}

/* Every sample, row by row; returns 0, or 1 if there is no memory. */
int run_samples(int samples, int n, int pools, int leaves, const struct graph *g, const double *durations,
                const double *patience, const double *away, const struct result *out)
{
    struct simulation s = {.g = *g, .out = *out, .n = n, .pools = pools};
    int *queues = malloc(n * sizeof *queues + 1), *room = queues;
    s.tasks = malloc(n * sizeof *s.tasks + 1);
    s.heap = malloc(n * sizeof *s.heap + 1);
    s.pool = malloc(pools * sizeof *s.pool + 1);
    int failed = !queues || !s.tasks || !s.heap || !s.pool;
    for (int p = 0; p < pools && !failed; p++) {
        s.pool[p].queue = room;
        for (int i = 0; i < n; i++)
            room += g->acquire[i] == p;
    }
    for (size_t k = 0; k < (size_t)samples && !failed; k++) {
        s.duration = durations + k * n, s.patience = patience + k * leaves, s.away = away + k * leaves;
        out->makespan[k] = run(&s);
    }
    free(queues), free(s.tasks), free(s.heap), free(s.pool);
    return failed;
}
