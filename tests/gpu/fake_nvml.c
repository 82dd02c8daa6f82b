/* A libnvidia-ml.so.1 that answers from a text file, for tests on machines without a GPU.
 *
 * The file named by $TRANSHIP_FAKE_NVML is looked at on every call and read again where it changed (write it anew and
 * rename). No file: "driver not loaded". A value that the file does not give: "not supported". $TRANSHIP_FAKE_NVML_LOG:
 * a file to which each call is added as "FUNCTION GPU". Layouts and codes: nvml.h of CUDA 12. With -DOLD the library
 * lacks what drivers before 510 lack (memory v2, process lists v3, remapped rows, event reasons).
 *
 *   driver 550.54.15            fail FUNCTION CODE   (before any gpu: for all devices; FUNCTION may be *)
 *   cuda 12040                  gpu                  (a device begins; what follows is its own)
 *   name|uuid|pci TEXT          fail FUNCTION CODE
 *   KEY NUMBER                  (see KEYS)
 *   process PID compute|graphics|mps BYTES|- SM|- [GPU_INSTANCE COMPUTE_INSTANCE]
 *   sample PID SM MICROSECONDS  (of the driver's history; "process" lines give one of now)
 *   link OTHER LEVEL|- PEER|- NVLINK|-   (topology level and P2P status towards the device of that index)
 *   mig INDEX UUID GPU_INSTANCE COMPUTE_INSTANCE TOTAL_BYTES RESERVED_BYTES USED_BYTES NAME
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { OK = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7,
       DRIVER_NOT_LOADED = 9, LOST = 15, VERSION_MISMATCH = 25 };
enum { GPUS = 32, MIGS = 16, PROCESSES = 512, SAMPLES = 1024, FAILS = 64, WHOLE = -1, GONE = -2 };
#define NONE_U64 UINT64_MAX
#define NO_INSTANCE UINT32_MAX

static const char *KEYS[] = {
    "memory_total", "memory_reserved", "memory_used", "gpu_percent", "memory_busy_percent", "encoder_percent",
    "decoder_percent", "temperature", "slowdown", "shutdown", "power_mw", "power_limit_mw", "fan_percent", "sm_mhz",
    "sm_max_mhz", "memory_mhz", "memory_max_mhz", "reasons", "ecc_corrected", "ecc_uncorrected", "retired_single",
    "retired_double", "remapped_corrected", "remapped_uncorrected", "persistence", "compute_mode", "pcie_tx_kib",
    "pcie_rx_kib", "pcie_tx_bytes", "pcie_rx_bytes", "pcie_counter_bits", "mig_mode", "now_us", "grow",
    "whole_list", "pcie_ms",
};
enum key {
    MEMORY_TOTAL, MEMORY_RESERVED, MEMORY_USED, GPU_PERCENT, MEMORY_BUSY, ENCODER, DECODER, TEMPERATURE, SLOWDOWN,
    SHUTDOWN, POWER, POWER_LIMIT, FAN, SM_MHZ, SM_MAX_MHZ, MEMORY_MHZ, MEMORY_MAX_MHZ, REASONS, ECC_CORRECTED,
    ECC_UNCORRECTED, RETIRED_SINGLE, RETIRED_DOUBLE, REMAPPED_CORRECTED, REMAPPED_UNCORRECTED, PERSISTENCE,
    COMPUTE_MODE, PCIE_TX_KIB, PCIE_RX_KIB, PCIE_TX_BYTES, PCIE_RX_BYTES, PCIE_COUNTER_BITS, MIG_MODE, NOW_US, GROW, WHOLE_LIST, PCIE_MS,
    KEY_COUNT
};

struct fail { char function[64]; int code; };
struct process { uint32_t pid, gi, ci; int kind; uint64_t bytes; long sm; };
struct sample { uint32_t pid; uint64_t at_us; uint32_t sm, mem, enc, dec; };
struct mig { uint32_t gi, ci; char uuid[96], name[96]; uint64_t total, reserved, used; int there; };
struct link { int there; long level, peer, nvlink; };
struct gpu {
    char name[96], uuid[96], pci[32];
    long long value[KEY_COUNT];
    char given[KEY_COUNT];
    struct process process[PROCESSES];
    struct sample sample[SAMPLES];
    struct fail fail[FAILS];
    struct mig mig[MIGS];
    struct link link[GPUS];
    int processes, samples, fails;
};
static struct { struct gpu gpu[GPUS]; struct fail fail[FAILS]; int gpus, fails, cuda, there; char driver[80]; } now;
/* A device is told by its UUID: one that drops out of the file is lost, and the others keep their handles. */
static struct handle { char uuid[96]; int mig; } handles[GPUS * 4 * (MIGS + 1)];
static int opened, grown;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct timespec read_at;
static ino_t read_inode;
static off_t read_size;

static void bad(const char *line) {
    fprintf(stderr, "fake_nvml: cannot read the line: %s\n", line);
    abort();
}

static void read_device_line(struct gpu *g, const char *word, const char *rest, const char *line) {
    char kind[16], bytes[32], sm[16];
    int index;
    for (int key = 0; key < KEY_COUNT; key++)
        if (!strcmp(word, KEYS[key])) {
            if (sscanf(rest, "%lld", &g->value[key]) != 1) bad(line);
            g->given[key] = 1;
            return;
        }
    if (!strcmp(word, "name")) snprintf(g->name, sizeof g->name, "%s", rest);
    else if (!strcmp(word, "uuid")) snprintf(g->uuid, sizeof g->uuid, "%s", rest);
    else if (!strcmp(word, "pci")) snprintf(g->pci, sizeof g->pci, "%s", rest);
    else if (!strcmp(word, "process") && g->processes < PROCESSES) {
        struct process *p = &g->process[g->processes++];
        p->gi = p->ci = NO_INSTANCE;
        if (sscanf(rest, "%u %15s %31s %15s %u %u", &p->pid, kind, bytes, sm, &p->gi, &p->ci) < 4) bad(line);
        p->kind = !strcmp(kind, "compute") ? 0 : !strcmp(kind, "graphics") ? 1 : 2;
        p->bytes = *bytes == '-' ? NONE_U64 : strtoull(bytes, NULL, 10);
        p->sm = *sm == '-' ? -1 : strtol(sm, NULL, 10);
    } else if (!strcmp(word, "sample") && g->samples < SAMPLES) {
        struct sample *s = &g->sample[g->samples++];
        if (sscanf(rest, "%u %u %lu", &s->pid, &s->sm, &s->at_us) != 3) bad(line);
    } else if (!strcmp(word, "link") && sscanf(rest, "%d", &index) == 1 && index >= 0 && index < GPUS) {
        char level[16], peer[16], nvlink[16];
        if (sscanf(rest, "%*d %15s %15s %15s", level, peer, nvlink) != 3) bad(line);
        g->link[index] = (struct link){1, *level == '-' ? -1 : atol(level), *peer == '-' ? -1 : atol(peer),
                                       *nvlink == '-' ? -1 : atol(nvlink)};
    } else if (!strcmp(word, "mig") && sscanf(rest, "%d", &index) == 1 && index >= 0 && index < MIGS) {
        struct mig *m = &g->mig[index];
        if (sscanf(rest, "%*d %95s %u %u %lu %lu %lu %95[^\n]", m->uuid, &m->gi, &m->ci, &m->total, &m->reserved,
                   &m->used, m->name) != 7) bad(line);
        m->there = 1;
    } else bad(line);
}

static void read_line(char *line) {
    char word[64], *rest = line + strspn(line, " \t");
    struct gpu *g = now.gpus ? &now.gpu[now.gpus - 1] : NULL;
    size_t length = strcspn(rest, " \t");
    if (!*rest || *rest == '#') return;
    if (length >= sizeof word) bad(line);
    memcpy(word, rest, length);
    word[length] = 0;
    rest += length + strspn(rest + length, " \t");
    if (!strcmp(word, "gpu") && now.gpus < GPUS) now.gpus++;
    else if (!strcmp(word, "fail")) {
        struct fail *f = g ? &g->fail[g->fails++] : &now.fail[now.fails++];
        if ((g ? g->fails : now.fails) > FAILS || sscanf(rest, "%63s %d", f->function, &f->code) != 2) bad(line);
    } else if (g) read_device_line(g, word, rest, line);
    else if (!strcmp(word, "driver")) snprintf(now.driver, sizeof now.driver, "%s", rest);
    else if (!strcmp(word, "cuda")) now.cuda = atoi(rest);
    else bad(line);
}

static void look(void) {
    const char *path = getenv("TRANSHIP_FAKE_NVML");
    struct stat found;
    char line[512];
    FILE *file;
    if (!path || stat(path, &found)) { memset(&now, 0, sizeof now); read_inode = 0; return; }
    if (found.st_ino == read_inode && found.st_size == read_size && found.st_mtim.tv_sec == read_at.tv_sec &&
        found.st_mtim.tv_nsec == read_at.tv_nsec) return;
    memset(&now, 0, sizeof now);
    if (!(file = fopen(path, "r"))) return;
    read_inode = found.st_ino, read_size = found.st_size, read_at = found.st_mtim, now.there = 1, grown = 0;
    while (fgets(line, sizeof line, file)) { line[strcspn(line, "\n")] = 0; read_line(line); }
    fclose(file);
}

static int refusal(const struct fail *fail, int count, const char *function) {
    for (int i = 0; i < count; i++)
        if (!strcmp(fail[i].function, function) || !strcmp(fail[i].function, "*")) return fail[i].code;
    return OK;
}

static void note(const char *function, int gpu) {
    const char *path = getenv("TRANSHIP_FAKE_NVML_LOG");
    FILE *file = path ? fopen(path, "a") : NULL;
    if (!file) return;
    fprintf(file, "%s %d\n", function, gpu);
    fclose(file);
}

/* Looks at the file, then says whether this call is refused. */
static int enter(const char *function, int gpu) {
    int code;
    look();
    note(function, gpu);
    if (!opened) return UNINITIALIZED;
    if (!now.there) return DRIVER_NOT_LOADED;
    if ((code = refusal(now.fail, now.fails, function))) return code;
    if (gpu == WHOLE) return OK;
    if (gpu == GONE) return LOST;
    if (gpu >= now.gpus) return INVALID_ARGUMENT;
    return refusal(now.gpu[gpu].fail, now.gpu[gpu].fails, function);
}

static int place(const char *uuid) {
    for (int i = 0; i < now.gpus; i++)
        if (!strcmp(now.gpu[i].uuid, uuid)) return i;
    return GONE;
}

#define DEVICE(handle) \
    int code; \
    pthread_mutex_lock(&lock); \
    look(); \
    int index = place((handle)->uuid); \
    struct gpu *g = &now.gpu[index < 0 ? 0 : index]; \
    struct mig *m = (handle)->mig < 0 ? NULL : &g->mig[(handle)->mig]; \
    if ((code = enter(__func__, index)) == OK && m && !m->there) code = NOT_FOUND; \
    if (code != OK) { pthread_mutex_unlock(&lock); return code; }
#define DONE(result) do { int r = (result); pthread_mutex_unlock(&lock); return r; } while (0)
#define ONE(function, key) \
    int function(struct handle *h, unsigned *out) { \
        DEVICE(h) \
        if (m || !g->given[key]) DONE(NOT_SUPPORTED); \
        *out = (unsigned)g->value[key]; \
        DONE(OK); \
    }
#define CHOICE(function, which, chosen) \
    int function(struct handle *h, unsigned which, unsigned *out) { \
        DEVICE(h) \
        int key = (chosen); \
        if (m || key < 0 || !g->given[key]) DONE(NOT_SUPPORTED); \
        *out = (unsigned)g->value[key]; \
        DONE(OK); \
    }

int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    pthread_mutex_lock(&lock);
    look();
    note(__func__, WHOLE);
    int code = now.there ? refusal(now.fail, now.fails, __func__) : DRIVER_NOT_LOADED;
    if (code == OK) opened++;
    DONE(code);
}

int nvmlShutdown(void) {
    pthread_mutex_lock(&lock);
    if (!opened) DONE(UNINITIALIZED);
    opened--;
    DONE(OK);
}

const char *nvmlErrorString(int code) {
    switch (code) {
    case 1: return "Uninitialized";
    case 2: return "Invalid Argument";
    case 3: return "Not Supported";
    case 4: return "Insufficient Permissions";
    case 6: return "Not Found";
    case 7: return "Insufficient Size";
    case 9: return "Driver Not Loaded";
    case 15: return "GPU is lost";
    case 16: return "GPU requires reset";
    case 18: return "Driver/library version mismatch";
    case 25: return "Argument version mismatch";
    default: return "Unknown Error";
    }
}

#define SYSTEM_TEXT(function, text) \
    int function(char *out, unsigned length) { \
        int code; \
        pthread_mutex_lock(&lock); \
        if ((code = enter(__func__, WHOLE)) == OK) snprintf(out, length, "%s", text); \
        DONE(code); \
    }
#define SYSTEM_NUMBER(function, number) \
    int function(int *out) { \
        int code; \
        pthread_mutex_lock(&lock); \
        if ((code = enter(__func__, WHOLE)) == OK) *out = (number); \
        DONE(code); \
    }
SYSTEM_TEXT(nvmlSystemGetDriverVersion, now.driver)
SYSTEM_TEXT(nvmlSystemGetNVMLVersion, now.driver)
SYSTEM_NUMBER(nvmlSystemGetCudaDriverVersion, now.cuda)
SYSTEM_NUMBER(nvmlSystemGetCudaDriverVersion_v2, now.cuda)
SYSTEM_NUMBER(nvmlDeviceGetCount_v2, now.gpus)

static struct handle *handle(int gpu, int mig) {
    struct handle *h = handles, *end = handles + sizeof handles / sizeof *handles;
    for (; h < end && *h->uuid; h++)
        if (h->mig == mig && !strcmp(h->uuid, now.gpu[gpu].uuid)) return h;
    if (h == end || !*now.gpu[gpu].uuid) bad("(too many devices, or one without a UUID)");
    strcpy(h->uuid, now.gpu[gpu].uuid);
    h->mig = mig;
    return h;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, struct handle **out) {
    pthread_mutex_lock(&lock);
    int code = enter(__func__, (int)index);
    if (code == OK) *out = handle((int)index, -1);
    DONE(code);
}

int nvmlDeviceGetHandleByUUID(const char *uuid, struct handle **out) {
    pthread_mutex_lock(&lock);
    int code = enter(__func__, WHOLE);
    if (code != OK) DONE(code);
    int index = place(uuid);
    if (index == GONE) DONE(NOT_FOUND);
    *out = handle(index, -1);
    DONE(refusal(now.gpu[index].fail, now.gpu[index].fails, __func__));
}

static int text(const char *value, char *out, unsigned length) {
    if (!*value) return NOT_SUPPORTED;
    if (strlen(value) >= length) return INSUFFICIENT_SIZE;
    strcpy(out, value);
    return OK;
}

int nvmlDeviceGetIndex(struct handle *h, unsigned *out) { DEVICE(h) *out = (unsigned)index; DONE(OK); }
int nvmlDeviceGetName(struct handle *h, char *out, unsigned length) {
    DEVICE(h) DONE(text(m ? m->name : g->name, out, length));
}
int nvmlDeviceGetUUID(struct handle *h, char *out, unsigned length) {
    DEVICE(h) DONE(text(m ? m->uuid : g->uuid, out, length));
}

/* Towards another device, as its "link" line says; -1, and no line: the driver does not tell. */
static int towards(struct gpu *g, struct handle *other, long (*part)(struct link *), unsigned *out) {
    int to = place(other->uuid);
    long value;
    if (to == GONE) return LOST;
    value = g->link[to].there ? part(&g->link[to]) : -1;
    if (value < 0) return NOT_SUPPORTED;
    *out = (unsigned)value;
    return OK;
}
static long level_of(struct link *link) { return link->level; }
static long peer_of(struct link *link) { return link->peer; }
static long nvlink_of(struct link *link) { return link->nvlink; }
int nvmlDeviceGetTopologyCommonAncestor(struct handle *h, struct handle *other, unsigned *out) {
    DEVICE(h) (void)m; DONE(towards(g, other, level_of, out));
}
int nvmlDeviceGetP2PStatus(struct handle *h, struct handle *other, unsigned which, unsigned *out) {
    DEVICE(h) (void)m;
    if (which != 0 && which != 2) DONE(INVALID_ARGUMENT);
    DONE(towards(g, other, which ? nvlink_of : peer_of, out));
}

struct pci { char legacy[16]; unsigned domain, bus, device, id, subsystem; char bus_id[32]; };
int nvmlDeviceGetPciInfo_v3(struct handle *h, struct pci *out) {
    DEVICE(h)
    if (m || !*g->pci) DONE(NOT_SUPPORTED);
    memset(out, 0, sizeof *out);
    sscanf(g->pci, "%x:%x:%x", &out->domain, &out->bus, &out->device);
    strcpy(out->bus_id, g->pci);
    DONE(OK);
}

static uint64_t memory(const struct gpu *g, const struct mig *m, enum key key) {
    if (!m) return (uint64_t)g->value[key];
    return key == MEMORY_TOTAL ? m->total : key == MEMORY_RESERVED ? m->reserved : m->used;
}

/* As the first version of the call counts: what the driver reserves is in "used". */
struct memory_v1 { uint64_t total, free, used; };
int nvmlDeviceGetMemoryInfo(struct handle *h, struct memory_v1 *out) {
    DEVICE(h)
    if (!m && !g->given[MEMORY_TOTAL]) DONE(NOT_SUPPORTED);
    out->total = memory(g, m, MEMORY_TOTAL);
    out->used = memory(g, m, MEMORY_USED) + memory(g, m, MEMORY_RESERVED);
    out->free = out->total - out->used;
    DONE(OK);
}

#ifndef OLD
struct memory_v2 { uint32_t version; uint64_t total, reserved, free, used; };
int nvmlDeviceGetMemoryInfo_v2(struct handle *h, struct memory_v2 *out) {
    DEVICE(h)
    if (out->version != (sizeof *out | 2 << 24)) DONE(VERSION_MISMATCH);
    if (!m && !g->given[MEMORY_TOTAL]) DONE(NOT_SUPPORTED);
    out->total = memory(g, m, MEMORY_TOTAL);
    out->reserved = memory(g, m, MEMORY_RESERVED);
    out->used = memory(g, m, MEMORY_USED);
    out->free = out->total - out->used - out->reserved;
    DONE(OK);
}
#endif

int nvmlDeviceGetUtilizationRates(struct handle *h, unsigned out[2]) {
    DEVICE(h)
    if (m || !g->given[GPU_PERCENT]) DONE(NOT_SUPPORTED);
    out[0] = (unsigned)g->value[GPU_PERCENT], out[1] = (unsigned)g->value[MEMORY_BUSY];
    DONE(OK);
}

#define CODEC(function, key) \
    int function(struct handle *h, unsigned *out, unsigned *period_us) { \
        DEVICE(h) \
        if (m || !g->given[key]) DONE(NOT_SUPPORTED); \
        *out = (unsigned)g->value[key], *period_us = 167000; \
        DONE(OK); \
    }
CODEC(nvmlDeviceGetEncoderUtilization, ENCODER)
CODEC(nvmlDeviceGetDecoderUtilization, DECODER)
CHOICE(nvmlDeviceGetTemperature, sensor, sensor == 0 ? TEMPERATURE : -1)
CHOICE(nvmlDeviceGetTemperatureThreshold, kind, kind == 0 ? SHUTDOWN : kind == 1 ? SLOWDOWN : -1)
CHOICE(nvmlDeviceGetClockInfo, kind, kind == 1 ? SM_MHZ : kind == 2 ? MEMORY_MHZ : -1)
CHOICE(nvmlDeviceGetMaxClockInfo, kind, kind == 1 ? SM_MAX_MHZ : kind == 2 ? MEMORY_MAX_MHZ : -1)
ONE(nvmlDeviceGetPowerUsage, POWER)
ONE(nvmlDeviceGetEnforcedPowerLimit, POWER_LIMIT)
ONE(nvmlDeviceGetFanSpeed, FAN)
ONE(nvmlDeviceGetPersistenceMode, PERSISTENCE)
ONE(nvmlDeviceGetComputeMode, COMPUTE_MODE)

static int reasons(const struct gpu *g, const struct mig *m, uint64_t *out) {
    if (m || !g->given[REASONS]) return NOT_SUPPORTED;
    *out = (uint64_t)g->value[REASONS];
    return OK;
}
int nvmlDeviceGetCurrentClocksThrottleReasons(struct handle *h, uint64_t *out) { DEVICE(h) DONE(reasons(g, m, out)); }

int nvmlDeviceGetTotalEccErrors(struct handle *h, unsigned kind, unsigned counter, uint64_t *out) {
    DEVICE(h)
    int key = kind ? ECC_UNCORRECTED : ECC_CORRECTED;
    if (m || counter != 0 || !g->given[key]) DONE(NOT_SUPPORTED);
    *out = (uint64_t)g->value[key];
    DONE(OK);
}

int nvmlDeviceGetRetiredPages(struct handle *h, unsigned cause, unsigned *count, uint64_t *pages) {
    DEVICE(h)
    int key = cause ? RETIRED_DOUBLE : RETIRED_SINGLE;
    unsigned room = *count;
    if (m || !g->given[key]) DONE(NOT_SUPPORTED);
    *count = (unsigned)g->value[key];
    if (*count && (!pages || room < *count)) DONE(INSUFFICIENT_SIZE);
    for (unsigned i = 0; i < *count; i++) pages[i] = 4096ull * i;
    DONE(OK);
}

#ifndef OLD
int nvmlDeviceGetCurrentClocksEventReasons(struct handle *h, uint64_t *out) { DEVICE(h) DONE(reasons(g, m, out)); }
int nvmlDeviceGetRemappedRows(struct handle *h, unsigned *corrected, unsigned *uncorrected, unsigned *pending,
                              unsigned *failed) {
    DEVICE(h)
    if (m || !g->given[REMAPPED_CORRECTED]) DONE(NOT_SUPPORTED);
    *corrected = (unsigned)g->value[REMAPPED_CORRECTED], *uncorrected = (unsigned)g->value[REMAPPED_UNCORRECTED];
    *pending = *failed = 0;
    DONE(OK);
}
#endif

/* The real one measures over 20 ms, and so does this one where "pcie_ms" is not given. */
int nvmlDeviceGetPcieThroughput(struct handle *h, unsigned counter, unsigned *out) {
    DEVICE(h)
    int key = counter ? PCIE_RX_KIB : PCIE_TX_KIB;
    if (m || !g->given[key]) DONE(NOT_SUPPORTED);
    *out = (unsigned)g->value[key];
    nanosleep(&(struct timespec){0, (g->given[PCIE_MS] ? g->value[PCIE_MS] : 20) * 1000000}, NULL);
    DONE(OK);
}

struct field { uint32_t id, scope; int64_t timestamp, latency; int type, code; uint64_t value; };
int nvmlDeviceGetFieldValues(struct handle *h, int count, struct field *out) {
    DEVICE(h)
    for (int i = 0; i < count; i++) {
        int key = out[i].id == 197 ? PCIE_TX_BYTES : out[i].id == 198 ? PCIE_RX_BYTES : -1;
        out[i].code = m || key < 0 || !g->given[key] ? NOT_SUPPORTED : OK;
        if (out[i].code != OK) continue;
        out[i].type = g->value[PCIE_COUNTER_BITS] == 32 ? 1 : 3;
        out[i].value = (uint64_t)g->value[key];
    }
    DONE(OK);
}

int nvmlDeviceGetMigMode(struct handle *h, unsigned *current, unsigned *pending) {
    DEVICE(h)
    if (m || !g->given[MIG_MODE]) DONE(NOT_SUPPORTED);
    *current = *pending = (unsigned)g->value[MIG_MODE];
    DONE(OK);
}
int nvmlDeviceGetMaxMigDeviceCount(struct handle *h, unsigned *out) {
    DEVICE(h)
    *out = g->given[MIG_MODE] ? 7 : 0;
    DONE(OK);
}
int nvmlDeviceGetMigDeviceHandleByIndex(struct handle *h, unsigned which, struct handle **out) {
    DEVICE(h)
    if (m || which >= MIGS) DONE(INVALID_ARGUMENT);
    if (!g->mig[which].there) DONE(NOT_FOUND);
    *out = handle(index, (int)which);
    DONE(OK);
}
int nvmlDeviceIsMigDeviceHandle(struct handle *h, unsigned *out) { DEVICE(h) *out = m != NULL; DONE(OK); }
int nvmlDeviceGetGpuInstanceId(struct handle *h, unsigned *out) {
    DEVICE(h) if (!m) DONE(NOT_SUPPORTED); *out = m->gi; DONE(OK);
}
int nvmlDeviceGetComputeInstanceId(struct handle *h, unsigned *out) {
    DEVICE(h) if (!m) DONE(NOT_SUPPORTED); *out = m->ci; DONE(OK);
}

/* "grow N": N times the list turns out to be longer than it was said to be. "whole_list 0": in MIG mode the list of
 * the whole device is refused, as it is without rights; "whole_list 1": it leaves out the instances. */
struct process_info { uint32_t pid; uint64_t bytes; uint32_t gi, ci; };
static int list(const struct gpu *g, const struct mig *m, int kind, unsigned *count, void *out, size_t step) {
    unsigned room = *count, found = 0;
    int blind = !m && g->given[WHOLE_LIST];
    if (blind && !g->value[WHOLE_LIST]) return NO_PERMISSION;
    for (int i = 0; i < g->processes; i++) {
        const struct process *p = &g->process[i];
        if (p->kind != kind || (m && (p->gi != m->gi || p->ci != m->ci))) continue;
        if (out && found < room) {
            struct process_info *entry = (void *)((char *)out + found * step);
            memset(entry, 0, step);
            *entry = (struct process_info){
                p->pid, p->bytes, blind ? NO_INSTANCE : p->gi, blind ? NO_INSTANCE : p->ci};
        }
        found++;
    }
    *count = found;
    if (found && out && grown < g->value[GROW]) { grown++, *count = room * 2; return INSUFFICIENT_SIZE; }
    return found > room || (found && !out) ? INSUFFICIENT_SIZE : OK;
}
#define LIST(function, kind, step) \
    int function(struct handle *h, unsigned *count, void *out) { \
        DEVICE(h) \
        DONE(list(g, m, kind, count, out, step)); \
    }
#define SHORT sizeof(struct process_info)
LIST(nvmlDeviceGetComputeRunningProcesses_v2, 0, SHORT)
LIST(nvmlDeviceGetGraphicsRunningProcesses_v2, 1, SHORT)
LIST(nvmlDeviceGetMPSComputeRunningProcesses_v2, 2, SHORT)
#ifndef OLD
struct wide_process_info { struct process_info info; uint64_t protected_bytes; };

/* Drivers 535.43 to 535.86 wrote longer entries under the same name (XuehaiPan/nvitop#79). */
static int wide(void) { return !strncmp(now.driver, "535.", 4) && atoi(now.driver + 4) < 98; }
#define LONG (wide() ? sizeof(struct wide_process_info) : SHORT)
LIST(nvmlDeviceGetComputeRunningProcesses_v3, 0, LONG)
LIST(nvmlDeviceGetGraphicsRunningProcesses_v3, 1, LONG)
LIST(nvmlDeviceGetMPSComputeRunningProcesses_v3, 2, LONG)
#endif

static uint64_t sampled_us(const struct gpu *g) {
    struct timespec t;
    if (g->given[NOW_US]) return (uint64_t)g->value[NOW_US];
    clock_gettime(CLOCK_REALTIME, &t);
    return ((uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000) / 166667 * 166667;
}

int nvmlDeviceGetProcessUtilization(struct handle *h, struct sample *out, unsigned *count, uint64_t seen_us) {
    DEVICE(h)
    unsigned room = *count, found = 0;
    uint64_t at = sampled_us(g);
    if (m || g->value[MIG_MODE]) DONE(NOT_SUPPORTED);
    for (int i = 0; i < g->samples; i++)
        if (g->sample[i].at_us > seen_us) { if (out && found < room) out[found] = g->sample[i]; found++; }
    for (int i = 0; i < g->processes; i++)
        if (at > seen_us && g->process[i].sm >= 0) {
            if (out && found < room) out[found] = (struct sample){g->process[i].pid, at, (uint32_t)g->process[i].sm, 0, 0, 0};
            found++;
        }
    *count = found;
    if (!found) DONE(NOT_FOUND);
    DONE(!out || found > room ? INSUFFICIENT_SIZE : OK);
}
