/* A light websocket client for benchmarks/fanout.py: opens many connections, asks the first one's server for COUNT
 * messages, counts the frames that arrive, and reads the server's CPU time and memory on both sides of it.
 *
 * usage: client PORT PATH CLIENTS COUNT INTERVAL_US PAYLOAD_BYTES SERVER_PID
 * prints {"got": frames, "want": frames, "broken": connections gone wrong, "cpu_ns": of the server,
 * "rss_kib": [of the server before, after]} */
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

typedef struct {
    int fd;
    long skip;             /* payload bytes of the present frame still to come */
    unsigned char head[4]; /* its header, which may arrive in pieces */
    int have;
    int counts; /* whether it is a data frame */
} Client;

static char buffer[1 << 18];

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

static long rss_kib(int pid)
{
    char path[64];
    long size, resident = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    FILE *file = fopen(path, "r");
    if (file) {
        if (fscanf(file, "%ld %ld", &size, &resident) != 2) resident = 0;
        fclose(file);
    }
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
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
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                     path, port);
    if (write(fd, buffer, n) != n) return -1;
    for (n = 0; n < 4 || memcmp(buffer + n - 4, "\r\n\r\n", 4); n++)
        if (n > 4000 || read(fd, buffer + n, 1) != 1) return -1;
    if (strncmp(buffer, "HTTP/1.1 101", 12)) return -1;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* Walks n received bytes; returns the data frames begun in them of which the header is as expected, or -1. */
static int walk(Client *c, long n, int payload)
{
    int frames = 0;
    for (long at = 0; at < n;) {
        if (c->skip) {
            long step = c->skip < n - at ? c->skip : n - at;
            c->skip -= step;
            at += step;
            if (!c->skip) frames += c->counts;
            continue;
        }
        c->head[c->have++] = buffer[at++];
        if (c->have == 2 && c->head[0] & 0x08) { /* the server's ping: passed over, like what it carries */
            c->have = 0;
            c->skip = c->head[1];
            c->counts = 0;
        }
        if (c->have < 4) continue;
        c->have = 0;
        if (c->head[1] != 126 || (c->head[2] << 8 | c->head[3]) != payload) return -1;
        c->counts = 1;
        c->skip = payload;
    }
    return frames;
}

int main(int argc, char **argv)
{
    if (argc != 8) return 2;
    int port = atoi(argv[1]), clients = atoi(argv[3]), payload = atoi(argv[6]), pid = atoi(argv[7]);
    long count = atol(argv[4]), interval = atol(argv[5]);
    Client *all = calloc(clients, sizeof *all);
    int ep = epoll_create1(0);
    for (int i = 0; i < clients; i++) {
        if ((all[i].fd = open_one(port, argv[2])) < 0) {
            fprintf(stderr, "connection %d failed: %s\n", i, strerror(errno));
            return 1;
        }
        struct epoll_event e = {.events = EPOLLIN, .data.u32 = i};
        epoll_ctl(ep, EPOLL_CTL_ADD, all[i].fd, &e);
    }
    usleep(100000); /* both servers finish what connecting left them to do */
    unsigned char go[80];
    int n = snprintf((char *)go + 6, 64, "GO %ld %ld %d", count, interval, payload);
    memcpy(go, (unsigned char[]){0x81, 0x80 | n, 0, 0, 0, 0}, 6);
    long resident = rss_kib(pid);
    long long before = cpu_ns(pid);
    if (write(all[0].fd, go, n + 6) != n + 6) return 1;
    long want = count * clients, got = 0, broken = 0;
    double limit = seconds() + count * interval / 1e6 + 15;
    struct epoll_event events[256];
    while (got < want && seconds() < limit) {
        int ready = epoll_wait(ep, events, 256, 1000);
        for (int j = 0; j < ready; j++) {
            Client *c = &all[events[j].data.u32];
            long r = read(c->fd, buffer, sizeof buffer);
            if (r < 0 && errno == EAGAIN) continue;
            int frames = r > 0 ? walk(c, r, payload) : -1;
            if (frames < 0) {
                broken++;
                epoll_ctl(ep, EPOLL_CTL_DEL, c->fd, 0);
            } else
                got += frames;
        }
    }
    long long after = cpu_ns(pid);
    printf("{\"got\": %ld, \"want\": %ld, \"broken\": %ld, \"cpu_ns\": %lld, \"rss_kib\": [%ld, %ld]}\n", got, want, broken,
           after - before, resident, rss_kib(pid));
    return 0;
}
