/* The stops of plain system calls, served without Python between them.
 *
 * What it does at a stop is what calls.py, pointers.py and socket_samples.py do; those are the
 * reference, and the tests compare the two. Whatever is not plain (another task, a signal, a call
 * with a struct msghdr, one that was interrupted, a unix socket's queue) is left to Python.
 * Source: ptrace(2), PTRACE_GET_SYSCALL_INFO; pidfd_getfd(2); tcp(7), TCP_INFO, SIOCINQ.
 *
 * Nothing of Python is used here: one build serves every interpreter. The structs that both sides
 * know are described in native.py. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SOURCE_DIGEST
#error "compile it by library.py, which names the source that it is built from"
#endif
const char stops_digest[] = SOURCE_DIGEST;

#define GET_SYSCALL_INFO ((enum __ptrace_request)0x420E)
enum { OP_EXIT = 2, OP_SECCOMP = 3, PIDFD_GETFD = 438 };
enum { SECCOMP_STOP = 7 << 16 | 5 << 8 | 0x7f, EXIT_STOP = (5 | 0x80) << 8 | 0x7f };
enum { TCP_LEVEL = 6, TCP_INFO_OPTION = 11, INFO_BYTES = 136, NAME_BYTES = 32 };
enum { FIRST_RESTART = -516, LAST_RESTART = -512 };
enum { DESCRIPTORS = 1024, NUMBERS = 1024, TASKS = 4096, SOCKETS = 4096 };
enum { POINTERS = 3, MEMORY_LIMIT = 128 };

/* What stops_run returns. */
enum { OTHER, NO_TASK, FULL, INTERRUPTED };

/* What gives a pointer's length. */
enum { ARGUMENT, RESULT, VALUE_RESULT, FIXED, ITEMS };

/* Kinds of sockets. */
enum { UNKNOWN, TCP, PLAIN, UNIX };

#define NO_SOCKET UINT64_MAX

struct pointer {
    uint8_t argument, at_exit, size, number;
    uint32_t is_int; /* whether the length's argument is 32 bits wide */
};

struct plan {
    uint8_t is_plain, samples_entry, samples_exit, moves_bytes;
    uint8_t reads_queue, accepts, may_change_addresses, connects;
    int8_t descriptor, closed;
    uint8_t pointer_count, unused;
    struct pointer pointers[POINTERS];
};

struct call {
    uint32_t bytes, number;
    int32_t tgid, tid;
    uint32_t reads, has_exit;
    uint64_t inode;
    int64_t entry_ns, exit_ns, result;
    uint64_t instruction, arguments[6];
};

struct read {
    uint8_t argument, at_exit;
    uint16_t unused;
    uint32_t bytes;
    uint64_t length;
};

enum { CALL_BYTES = sizeof(struct call) + POINTERS * (sizeof(struct read) + MEMORY_LIMIT) };

struct sample {
    int64_t time_ns;
    uint64_t inode;
    int32_t tid;
    uint8_t state, is_closing, may_change_addresses, unused;
    int32_t receive_queue, send_queue; /* -1: of a socket that listens */
    uint32_t local_bytes, remote_bytes, connects_bytes, info_bytes;
    uint8_t local[NAME_BYTES], remote[NAME_BYTES], connects[NAME_BYTES], info[INFO_BYTES];
};

struct task {
    int32_t tid, tgid, memory, pidfd;
    uint64_t *table;
    int has_call;
    uint64_t before[6]; /* 0 or, of an argument sized before the call, 1 << 32 | size */
    union {
        struct call call;
        uint8_t bytes[CALL_BYTES];
    };
};

struct socket_seen {
    uint64_t inode;
    uint8_t kind, state;
};

static struct plan plans[NUMBERS];
static struct task tasks[TASKS];
static struct socket_seen sockets[SOCKETS];
static uint32_t architecture;
static uint8_t connected[256], is_sampling;

/* Filled from the start, emptied by Python. */
static uint8_t *calls;
static struct sample *samples;
static size_t calls_bytes, calls_room, samples_count, samples_room;

struct info { /* struct ptrace_syscall_info */
    uint8_t op, pad[3];
    uint32_t architecture;
    uint64_t instruction, stack;
    uint64_t number; /* at an exit the result */
    uint64_t arguments[6];
    uint64_t more;
};

size_t stops_sizes(int which)
{
    size_t sizes[] = {sizeof(struct plan), sizeof(struct call), sizeof(struct sample), CALL_BYTES};
    return sizes[which];
}

int stops_begin(const struct plan *wanted, const uint8_t *states, uint32_t architecture_wanted,
                int samples_wanted, size_t call_bytes, size_t sample_count)
{
    memcpy(plans, wanted, sizeof plans);
    memcpy(connected, states, sizeof connected);
    architecture = architecture_wanted;
    is_sampling = samples_wanted != 0;
    calls_room = call_bytes;
    samples_room = sample_count;
    calls = malloc(calls_room);
    samples = malloc(samples_room * sizeof *samples);
    return calls && samples ? 0 : -1;
}

static struct task *slot(int32_t tid)
{
    return &tasks[(uint32_t)tid % TASKS];
}

static struct task *find_task(int32_t tid)
{
    struct task *task = slot(tid);
    return task->tid == tid ? task : NULL;
}

int stops_known(int32_t tid, int32_t tgid, int32_t memory, int32_t pidfd, uint64_t *table)
{
    struct task *task = slot(tid);
    if (task->tid && task->tid != tid)
        return -1;
    *task = (struct task){.tid = tid, .tgid = tgid, .memory = memory, .pidfd = pidfd};
    task->table = table;
    return 0;
}

/* The task is Python's from now on; a call that it is making is copied, or 0 is returned. */
uint32_t stops_leave(int32_t tid, uint8_t *copy, uint64_t *before, int forgets)
{
    struct task *task = find_task(tid);
    uint32_t bytes = 0;
    if (!task)
        return 0;
    if (task->has_call) {
        bytes = task->call.bytes;
        memcpy(copy, task->bytes, bytes);
        memcpy(before, task->before, sizeof task->before);
        task->has_call = 0;
    }
    if (forgets)
        task->tid = 0;
    return bytes;
}

static struct socket_seen *seen(uint64_t inode)
{
    struct socket_seen *found = &sockets[inode % SOCKETS];
    if (found->inode != inode)
        *found = (struct socket_seen){.inode = inode};
    return found;
}

/* Python has served a call on that socket: what its last state is is not known here any more. */
void stops_served(uint64_t inode, int kind)
{
    struct socket_seen *known = seen(inode);
    known->kind = (uint8_t)kind;
    known->state = 0;
}

uint8_t *stops_calls(size_t *bytes)
{
    *bytes = calls_bytes;
    calls_bytes = 0;
    return calls;
}

struct sample *stops_samples(size_t *count)
{
    *count = samples_count;
    samples_count = 0;
    return samples;
}

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return time.tv_sec * (int64_t)1000000000 + time.tv_nsec;
}

static ssize_t memory_at(const struct task *task, uint64_t address, void *to, size_t length)
{
    if (address > INT64_MAX)
        return -1;
    return pread(task->memory, to, length, (off_t)address);
}

/* The inode of the socket behind a descriptor; NO_SOCKET of another file; 0 if it is not open. */
static uint64_t find(struct task *task, uint32_t descriptor)
{
    char path[64], target[64];
    ssize_t length;
    uint64_t inode = NO_SOCKET;
    if (task->table[descriptor])
        return task->table[descriptor];
    snprintf(path, sizeof path, "/proc/%d/fd/%u", task->tid, descriptor);
    length = readlink(path, target, sizeof target - 1);
    if (length < 0)
        return 0;
    target[length] = 0;
    if (!strncmp(target, "socket:[", 8))
        inode = strtoull(target + 8, NULL, 10);
    return task->table[descriptor] = inode;
}

static void append(struct task *task, const struct pointer *pointer, const void *data,
                   uint32_t bytes, uint64_t length)
{
    struct read read = {.argument = pointer->argument, .at_exit = pointer->at_exit};
    read.bytes = bytes;
    read.length = length;
    memcpy(task->bytes + task->call.bytes, &read, sizeof read);
    memcpy(task->bytes + task->call.bytes + sizeof read, data, bytes);
    task->call.bytes += (uint32_t)sizeof read + ((bytes + 7) & ~7u);
    task->call.reads++;
}

static void read_pointers(struct task *task, const struct plan *plan, int at_exit)
{
    const uint64_t *arguments = task->call.arguments;
    for (int i = 0; i < plan->pointer_count; i++) {
        const struct pointer *pointer = &plan->pointers[i];
        uint64_t address = arguments[pointer->argument], length = pointer->number, wanted;
        uint64_t before = task->before[pointer->argument];
        uint8_t data[MEMORY_LIMIT];
        uint32_t size = 0;
        ssize_t found;
        if (pointer->at_exit != at_exit || !address)
            continue;
        switch (pointer->size) {
        case ARGUMENT:
            length = arguments[pointer->number];
            if (pointer->is_int)
                length = (uint32_t)length;
            break;
        case RESULT:
            length = (uint64_t)task->call.result * pointer->number;
            break;
        case ITEMS:
            length = arguments[pointer->argument + 1] * pointer->number;
            break;
        case VALUE_RESULT:
            if (memory_at(task, arguments[pointer->number], &size, 4) != 4)
                size = 0;
            length = size;
            break;
        }
        wanted = length < MEMORY_LIMIT ? length : MEMORY_LIMIT;
        if (before && (uint32_t)before < wanted)
            wanted = (uint32_t)before;
        if (!wanted)
            continue;
        found = memory_at(task, address, data, wanted);
        if (found > 0)
            append(task, pointer, data, (uint32_t)found, length);
    }
}

static void read_before(struct task *task, const struct plan *plan)
{
    memset(task->before, 0, sizeof task->before);
    for (int i = 0; i < plan->pointer_count; i++) {
        const struct pointer *pointer = &plan->pointers[i];
        uint32_t size;
        if (pointer->size == VALUE_RESULT && task->call.arguments[pointer->argument] &&
            memory_at(task, task->call.arguments[pointer->number], &size, 4) == 4)
            task->before[pointer->argument] = (uint64_t)1 << 32 | size;
    }
}

static uint32_t name_of(int descriptor, uint8_t *name, int is_peer)
{
    socklen_t length = NAME_BYTES;
    struct sockaddr *to = (struct sockaddr *)name;
    if (is_peer ? getpeername(descriptor, to, &length) : getsockname(descriptor, to, &length))
        return 0;
    return length < NAME_BYTES ? length : NAME_BYTES;
}

static int32_t waiting(int descriptor, unsigned long request)
{
    int bytes;
    return ioctl(descriptor, request, &bytes) ? -1 : bytes;
}

/* Sample a socket. 0 if it is no TCP socket; nothing is done if it is not open any more. */
static int sample(struct task *task, uint32_t descriptor, uint64_t inode, int is_closing,
                  int may_change_addresses, const uint8_t *connects, uint32_t connects_bytes)
{
    struct sample *at = &samples[samples_count];
    struct socket_seen *known = seen(inode);
    socklen_t length = is_closing ? INFO_BYTES : 1;
    int duplicate = (int)syscall(PIDFD_GETFD, task->pidfd, descriptor, 0);
    if (duplicate < 0)
        return 1;
    if (getsockopt(duplicate, TCP_LEVEL, TCP_INFO_OPTION, at->info, &length)) {
        close(duplicate);
        return 0;
    }
    known->kind = TCP;
    at->state = at->info[0];
    if (is_closing || may_change_addresses || at->state != known->state) {
        known->state = at->state;
        at->time_ns = now();
        at->inode = inode;
        at->tid = task->tid;
        at->is_closing = (uint8_t)is_closing;
        at->may_change_addresses = (uint8_t)may_change_addresses;
        at->info_bytes = length;
        at->local_bytes = name_of(duplicate, at->local, 0);
        at->remote_bytes = name_of(duplicate, at->remote, 1);
        at->connects_bytes = connects_bytes < NAME_BYTES ? connects_bytes : NAME_BYTES;
        memcpy(at->connects, connects, at->connects_bytes);
        at->receive_queue = is_closing ? waiting(duplicate, FIONREAD) : -1;
        at->send_queue = is_closing ? waiting(duplicate, TIOCOUTQ) : -1;
        samples_count++;
    }
    close(duplicate);
    return 1;
}

static void forget_closed(struct task *task, const struct plan *plan)
{
    if (plan->closed >= 0) {
        uint32_t descriptor = (uint32_t)task->call.arguments[plan->closed];
        if (descriptor < DESCRIPTORS)
            task->table[descriptor] = 0;
    }
}

/* 0 if Python has to serve the stop. */
static int enter(struct task *task)
{
    struct info info;
    const struct plan *plan;
    struct call *call = &task->call;
    uint64_t inode = 0;
    if (task->has_call)
        return 0;
    if (ptrace(GET_SYSCALL_INFO, task->tid, sizeof info, &info) < 0)
        return 1; /* it was killed; waitpid will report its end */
    if (info.op != OP_SECCOMP || info.architecture != architecture || info.number >= NUMBERS)
        return 0;
    plan = &plans[info.number];
    if (!plan->is_plain)
        return 0;
    if (plan->closed >= 0 && (uint32_t)info.arguments[plan->closed] >= DESCRIPTORS)
        return 0;
    if (plan->descriptor >= 0) {
        uint32_t descriptor = (uint32_t)info.arguments[plan->descriptor];
        if (descriptor >= DESCRIPTORS)
            return 0;
        inode = find(task, descriptor);
        if (inode == NO_SOCKET)
            inode = 0;
        if (inode) {
            int kind = seen(inode)->kind;
            if (kind == UNIX && (plan->reads_queue || plan->accepts))
                return 0;
            if (plan->samples_entry && (kind == TCP || kind == UNKNOWN) &&
                !sample(task, descriptor, inode, 1, 0, NULL, 0))
                return 0;
        }
    }
    *call = (struct call){.bytes = sizeof *call, .number = (uint32_t)info.number};
    call->tgid = task->tgid;
    call->tid = task->tid;
    call->inode = inode;
    call->instruction = info.instruction;
    memcpy(call->arguments, info.arguments, sizeof call->arguments);
    memset(task->before, 0, sizeof task->before);
    read_pointers(task, plan, 0);
    read_before(task, plan);
    forget_closed(task, plan);
    task->has_call = 1;
    call->entry_ns = now();
    ptrace(PTRACE_SYSCALL, task->tid, 0, 0);
    return 1;
}

/* Sample what the call was made on, or has accepted. 0 if Python has to serve the stop. */
static int sample_at_exit(struct task *task, const struct plan *plan)
{
    const struct call *call = &task->call;
    struct socket_seen *known = seen(call->inode);
    if (plan->samples_exit && (known->kind == TCP || known->kind == UNKNOWN) &&
        (call->result <= 0 || !plan->moves_bytes || !connected[known->state])) {
        uint32_t descriptor = (uint32_t)call->arguments[plan->descriptor], bytes = 0;
        const uint8_t *connects = NULL;
        if (plan->connects && call->reads) {
            struct read read;
            memcpy(&read, task->bytes + sizeof *call, sizeof read);
            connects = task->bytes + sizeof *call + sizeof read;
            bytes = read.bytes;
        }
        if (find(task, descriptor) == call->inode &&
            !sample(task, descriptor, call->inode, 0, plan->may_change_addresses, connects, bytes))
            return 0;
    } else if (plan->accepts && call->result >= 0 && known->kind != PLAIN) {
        uint64_t accepted;
        if (call->result >= DESCRIPTORS)
            return 0;
        accepted = find(task, (uint32_t)call->result);
        if (accepted && accepted != NO_SOCKET &&
            !sample(task, (uint32_t)call->result, accepted, 0, 1, NULL, 0))
            return 0;
    }
    return 1;
}

static int leave(struct task *task)
{
    int64_t at = now();
    struct info info;
    struct call *call = &task->call;
    const struct plan *plan;
    uint32_t bytes = call->bytes, reads = call->reads;
    if (!task->has_call)
        return 0;
    if (ptrace(GET_SYSCALL_INFO, task->tid, sizeof info, &info) < 0)
        return 1;
    call->result = (int64_t)info.number;
    if (info.op != OP_EXIT || (FIRST_RESTART <= call->result && call->result <= LAST_RESTART))
        return 0;
    plan = &plans[call->number];
    if (call->result >= 0)
        read_pointers(task, plan, 1);
    forget_closed(task, plan);
    if (call->inode && is_sampling && !sample_at_exit(task, plan)) {
        call->bytes = bytes; /* as it was at the entry */
        call->reads = reads;
        return 0;
    }
    call->exit_ns = at;
    call->has_exit = 1;
    memcpy(calls + calls_bytes, task->bytes, call->bytes);
    calls_bytes += call->bytes;
    task->has_call = 0;
    ptrace(PTRACE_CONT, task->tid, 0, 0);
    return 1;
}

/* Serve stops until one is not plain, and say which. */
int stops_run(int32_t *tid, int32_t *status)
{
    for (;;) {
        struct task *task;
        if (calls_room - calls_bytes < CALL_BYTES || samples_count == samples_room)
            return FULL;
        *tid = waitpid(-1, status, __WALL);
        if (*tid < 0)
            return errno == ECHILD ? NO_TASK : INTERRUPTED;
        task = find_task(*tid);
        if (!task || !(*status == SECCOMP_STOP ? enter(task)
                       : *status == EXIT_STOP && leave(task)))
            return OTHER;
    }
}
