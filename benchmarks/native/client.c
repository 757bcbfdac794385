/* A light websocket client for benchmarks/fanout.py: opens many connections, has the server send COUNT messages to each,
 * counts the frames that arrive, and reads the server's CPU time before and after.
 *
 * usage: client PORT PATH CLIENTS COUNT INTERVAL_US PAYLOAD_BYTES SERVER_PID CONTROL TOPIC
 * CONTROL is the path of a connection of its own that asks for the messages; "-": the first client asks.
 * TOPIC is what each client subscribes to after its hello, waiting for the snapshot; "-": it says nothing.
 * prints {"got": frames of PAYLOAD_BYTES, "want": frames, "other": further data frames, "broken": connections gone wrong,
 * "cpu_ns": of the server} */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_HEAD = 10, WAIT_S = 15 };

typedef struct {
    int fd;
    long skip;                     /* payload bytes of the present frame still to come */
    unsigned char head[MOST_HEAD]; /* its header, which may arrive in pieces */
    int have;
    long size; /* of the present frame */
    int binary;
    int snapshot;
} Client;

static char buffer[1 << 18];
static Client *all;
static int clients, ep, broken;
static long payload;
static long frames; /* whole ones of the expected size, of all clients */
static long other;  /* whole data frames of another size */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* Time on the processor of all threads, ns: /proc/PID/schedstat has the main thread only. */
static long long cpu_ns(int pid)
{
    char path[300];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (!tasks) return -1;
    long long total = 0;
    for (struct dirent *task; (task = readdir(tasks));) {
        if (task->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, task->d_name);
        FILE *file = fopen(path, "r");
        long long ns;
        if (file && fscanf(file, "%lld", &ns) == 1) total += ns;
        if (file) fclose(file);
    }
    closedir(tasks);
    return total;
}

/* One text message in a masked frame whose mask is 0. */
static int say(int fd, const char *text)
{
    unsigned char frame[140] = {0x81};
    size_t n = strlen(text);
    if (n > 125) return -1;
    frame[1] = 0x80 | n;
    memcpy(frame + 6, text, n);
    return write(fd, frame, n + 6) == (ssize_t)n + 6 ? 0 : -1;
}

static int open_one(int port, const char *path)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (fd < 0 || connect(fd, (void *)&to, sizeof to)) return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int n = snprintf(buffer, sizeof buffer,
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Protocol: heatops.v1\r\n\r\n",
                     path, port);
    if (write(fd, buffer, n) != n) return -1;
    for (n = 0; n < 4 || memcmp(buffer + n - 4, "\r\n\r\n", 4); n++)
        if (n > 4000 || read(fd, buffer + n, 1) != 1) return -1;
    if (strncmp(buffer, "HTTP/1.1 101", 12)) return -1;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void ended(Client *c)
{
    if (c->head[0] & 0x08) return; /* ping, pong: passed over */
    if (c->size == payload)
        frames++;
    else
        other++;
    if (c->binary) c->snapshot = 1;
}

/* Whether the header is whole; then size and kind of the frame are set. */
static int begun(Client *c)
{
    const unsigned char *h = c->head;
    if (c->have < 2) return 0;
    int more = h[1] == 126 ? 2 : h[1] == 127 ? 8 : 0;
    if (c->have < 2 + more) return 0;
    c->size = more ? 0 : h[1];
    for (int i = 0; i < more; i++) c->size = c->size << 8 | h[2 + i];
    c->binary = (h[0] & 15) == 2;
    c->skip = c->size;
    c->have = 0;
    return 1;
}

/* Takes n received bytes; -1 when the server says goodbye. */
static int walk(Client *c, long n)
{
    for (long at = 0; at < n;) {
        if (c->skip) {
            long step = c->skip < n - at ? c->skip : n - at;
            c->skip -= step;
            at += step;
        } else {
            c->head[c->have++] = buffer[at++];
            if (!begun(c)) continue;
            if ((c->head[0] & 15) == 8) return -1;
        }
        if (!c->skip) ended(c);
    }
    return 0;
}

/* Reads what comes within a second. */
static void turn(void)
{
    struct epoll_event events[256];
    int ready = epoll_wait(ep, events, 256, 1000);
    for (int j = 0; j < ready; j++) {
        Client *c = &all[events[j].data.u32];
        long r = read(c->fd, buffer, sizeof buffer);
        if (r < 0 && errno == EAGAIN) continue;
        if (r <= 0 || walk(c, r)) {
            broken++;
            epoll_ctl(ep, EPOLL_CTL_DEL, c->fd, 0);
        }
    }
}

static int subscribed(void)
{
    for (int i = 0; i < clients; i++)
        if (!all[i].snapshot) return 0;
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 10) return 2;
    const char *path = argv[2], *control = argv[8], *topic = argv[9];
    int port = atoi(argv[1]), pid = atoi(argv[7]);
    long count = atol(argv[4]), interval = atol(argv[5]);
    clients = atoi(argv[3]), payload = atol(argv[6]);
    all = calloc(clients, sizeof *all);
    ep = epoll_create1(0);
    char sub[100];
    snprintf(sub, sizeof sub, "{\"t\":\"sub\",\"topic\":\"%s\"}", topic);
    for (int i = 0; i < clients; i++) {
        if ((all[i].fd = open_one(port, path)) < 0) {
            fprintf(stderr, "connection %d failed: %s\n", i, strerror(errno));
            return 1;
        }
        struct epoll_event e = {.events = EPOLLIN, .data.u32 = i};
        epoll_ctl(ep, EPOLL_CTL_ADD, all[i].fd, &e);
        if (*topic != '-' && (say(all[i].fd, "{\"t\":\"hello\",\"pass\":\"bench\"}") || say(all[i].fd, sub))) return 1;
    }
    double limit = seconds() + WAIT_S;
    while (*topic != '-' && !subscribed() && seconds() < limit && !broken) turn();
    int asking = *control == '-' ? all[0].fd : open_one(port, control);
    if (asking < 0) {
        fprintf(stderr, "no control connection: %s\n", strerror(errno));
        return 1;
    }
    usleep(100000); /* both servers finish what connecting left them to do */
    frames = other = 0;
    char go[100];
    snprintf(go, sizeof go, "GO %ld %ld %ld", count, interval, payload);
    long long before = cpu_ns(pid);
    if (say(asking, go)) return 1;
    long want = count * clients;
    limit = seconds() + count * interval / 1e6 + WAIT_S;
    while (frames < want && seconds() < limit && !broken) turn();
    long long after = cpu_ns(pid);
    printf("{\"got\": %ld, \"want\": %ld, \"other\": %ld, \"broken\": %d, \"cpu_ns\": %lld}\n", frames, want, other, broken, after - before);
    return 0;
}
