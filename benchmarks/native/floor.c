/* The floor under benchmarks/fanout.py: what sending alone costs. A server without an event loop around its sends accepts,
 * answers every handshake alike, and on "GO <count> <interval us>" sends the same finished frame to each socket in turn.
 *
 * usage: floor PORT PAYLOAD_BYTES (126 to 65535) */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST 20000

static const char answer[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

static int clients[MOST];
static int count;
static unsigned char frame[4 + 65535];

static uint64_t micros(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* The loop that is measured. */
static void send_all(long messages, long interval, int size)
{
    uint64_t start = micros();
    for (long m = 0; m < messages; m++) {
        char head[32];
        snprintf(head, sizeof head, "{\"t\":\"%016lu", (unsigned long)micros());
        memcpy(frame + 4, head, 22);
        for (int i = 0; i < count; i++) {
            int sent = 0;
            while (sent < size) {
                int n = send(clients[i], frame + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (n < 0) {
                    if (errno != EAGAIN) break;
                    struct pollfd wait = {clients[i], POLLOUT, 0};
                    poll(&wait, 1, 1000);
                } else
                    sent += n;
            }
        }
        uint64_t next = start + (m + 1) * interval, now = micros();
        if (interval && next > now) usleep(next - now);
    }
}

static void watch(int ep, int fd)
{
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

static void forget(int fd)
{
    for (int i = 0; i < count; i++)
        if (clients[i] == fd) {
            clients[i] = clients[--count];
            break;
        }
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    int payload = atoi(argv[2]), one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    if (payload < 126 || payload > 65535) return 2;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (void *)&at, sizeof at) || listen(listener, 4096)) {
        perror("bind");
        return 1;
    }
    memset(frame, 'x', sizeof frame);
    memcpy(frame, (unsigned char[]){0x81, 126, payload >> 8, payload & 255}, 4);
    int ep = epoll_create1(0);
    watch(ep, listener);
    for (;;) {
        struct epoll_event events[64];
        int ready = epoll_wait(ep, events, 64, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int client = accept(listener, 0, 0);
                setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                fcntl(client, F_SETFL, O_NONBLOCK);
                watch(ep, client);
                continue;
            }
            unsigned char data[4096];
            long messages, interval, n = read(fd, data, sizeof data - 1);
            if (n <= 0)
                forget(fd);
            else if (data[0] == 'G') {
                if (count < MOST && write(fd, answer, sizeof answer - 1) > 0) clients[count++] = fd;
            } else {
                data[n] = 0; /* a short masked frame whose mask is 0: its text begins after 6 bytes */
                if (n > 6 && sscanf((char *)data + 6, "GO %ld %ld", &messages, &interval) == 2)
                    send_all(messages, interval, payload + 4);
            }
        }
    }
}
