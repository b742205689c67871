/* Reports what an instrumented program executes to mcp-conform.
 *
 * It is linked into a server that was compiled with -fsanitize-coverage=inline-8bit-counters (clang, rustc) or
 * -fsanitize-coverage=trace-pc (gcc). Without MCP_CONFORM_COVERAGE in the environment it does nothing.
 *
 * The file that the variable names is mapped by both sides:
 *   0      number of the process that owns it, 0 for nobody
 *   4      what is reported: 1 counters; a bitmap: 2 of branches, 3 of Python by sys.monitoring, 4 by sys.settrace
 *   8      how many regions of counters there are
 *   16     the regions: offset and length, 4 bytes each
 *   65536  a bitmap of 65536 counters
 *   131072 pages with counters
 * Linux, FreeBSD and the like; elsewhere it compiles to nothing. */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>

#if defined(__linux__) || defined(__FreeBSD__)
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE (4u << 20)
#define BITMAP 65536u
#define BITMAP_SIZE 65536u
#define PAGES 131072u
#define MAX_REGIONS 500u

struct header {
    uint32_t owner, kind, regions, unused;
    struct { uint32_t offset, length; } region[MAX_REGIONS];
};

static struct header *header;
static uint8_t *bitmap;
static int file = -1;
static uint32_t used;
static struct { uint8_t *start; size_t length; } remapped[MAX_REGIONS];
static uint32_t remaps;

/* After fork both processes would share whatever data lies on the same pages: the child gets pages of its own, and
 * reports nothing any more. */
static void after_fork(void) {
    header = NULL;
    bitmap = NULL;
    for (uint32_t i = 0; i < remaps; i++) {
        uint8_t *start = remapped[i].start;
        size_t length = remapped[i].length;
        void *copy = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (copy == MAP_FAILED) _exit(70);
        memcpy(copy, start, length);
        if (mmap(start, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
            _exit(70);
        memcpy(start, copy, length);
        munmap(copy, length);
    }
}

static void attach(void) {
    static int tried;
    if (tried) return;
    tried = 1;
    const char *path = getenv("MCP_CONFORM_COVERAGE");
    if (!path || !*path) return;
    int opened = open(path, O_RDWR | O_CLOEXEC);
    if (opened < 0) return;
    uint8_t *map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, opened, 0);
    if (map == MAP_FAILED) { close(opened); return; }
    struct header *found = (struct header *)map;
    /* A server may start itself again; the first one reports. */
    if (!__sync_bool_compare_and_swap(&found->owner, 0, (uint32_t)getpid())) {
        munmap(map, SIZE);
        close(opened);
        return;
    }
    header = found;
    file = opened;
    pthread_atfork(NULL, NULL, after_fork);
}

/* clang, rustc: the counters are memory of the program. Their pages are put onto the file, so that counting costs what
 * it costs anyway, and nothing has to be called between two requests. */
void __sanitizer_cov_8bit_counters_init(uint8_t *start, uint8_t *end) {
    attach();
    if (!header || start >= end || header->regions >= MAX_REGIONS) return;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = (uintptr_t)start & ~(page - 1), last = ((uintptr_t)end + page - 1) & ~(page - 1);
    /* A second module may have counters on a page that is there already. */
    for (uint32_t i = 0; i < remaps; i++)
        if (first < (uintptr_t)remapped[i].start + remapped[i].length && (uintptr_t)remapped[i].start < last) return;
    size_t length = last - first;
    if (length > SIZE - PAGES - used) return;
    uint32_t offset = PAGES + used;
    if (pwrite(file, (void *)first, length, offset) != (ssize_t)length) return;
    if (mmap((void *)first, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, offset) == MAP_FAILED) return;
    remapped[remaps].start = (uint8_t *)first;
    remapped[remaps++].length = length;
    used += (uint32_t)length;
    uint32_t number = header->regions;
    header->region[number].offset = offset + (uint32_t)((uintptr_t)start - first);
    header->region[number].length = (uint32_t)(end - start);
    header->regions = number + 1;
    __atomic_store_n(&header->kind, 1, __ATOMIC_RELEASE);
}

void __sanitizer_cov_pcs_init(const uintptr_t *start, const uintptr_t *end) { (void)start; (void)end; }

/* gcc: called at every branch. Addresses count from the beginning of the program, which lies elsewhere each time. */
extern const char __ehdr_start[] __attribute__((weak, visibility("hidden")));

void __sanitizer_cov_trace_pc(void) {
    static int begun;
    if (!begun) {
        begun = 1;
        attach();
        if (header) {
            bitmap = (uint8_t *)header + BITMAP;
            __atomic_store_n(&header->kind, 2, __ATOMIC_RELEASE);
        }
    }
    if (!bitmap) return;
    uintptr_t place = (uintptr_t)__builtin_return_address(0) - (uintptr_t)__ehdr_start;
    uint8_t *counter = &bitmap[((uint32_t)place * 2654435761u >> 16) % BITMAP_SIZE];
    if (*counter != 255) ++*counter;
}
#else
void __sanitizer_cov_8bit_counters_init(uint8_t *start, uint8_t *end) { (void)start; (void)end; }
void __sanitizer_cov_pcs_init(const uintptr_t *start, const uintptr_t *end) { (void)start; (void)end; }
void __sanitizer_cov_trace_pc(void) {}
#endif

/* Of -fsanitize=fuzzer-no-link: compared values are not reported. */
#define IGNORED __attribute__((weak)) void
IGNORED __sanitizer_cov_trace_cmp1(uint8_t a, uint8_t b) { (void)a; (void)b; }
IGNORED __sanitizer_cov_trace_cmp2(uint16_t a, uint16_t b) { (void)a; (void)b; }
IGNORED __sanitizer_cov_trace_cmp4(uint32_t a, uint32_t b) { (void)a; (void)b; }
IGNORED __sanitizer_cov_trace_cmp8(uint64_t a, uint64_t b) { (void)a; (void)b; }
IGNORED __sanitizer_cov_trace_const_cmp1(uint8_t a, uint8_t b) { (void)a; (void)b; }
IGNORED __sanitizer_cov_trace_const_cmp2(uint16_t a, uint16_t b) { (void)a; (void)b; }
IGNORED __sanitizer_cov_trace_const_cmp4(uint32_t a, uint32_t b) { (void)a; (void)b; }
IGNORED __sanitizer_cov_trace_const_cmp8(uint64_t a, uint64_t b) { (void)a; (void)b; }
IGNORED __sanitizer_cov_trace_switch(uint64_t a, uint64_t *cases) { (void)a; (void)cases; }
IGNORED __sanitizer_cov_trace_div4(uint32_t a) { (void)a; }
IGNORED __sanitizer_cov_trace_div8(uint64_t a) { (void)a; }
IGNORED __sanitizer_cov_trace_gep(uintptr_t a) { (void)a; }
IGNORED __sanitizer_cov_trace_pc_indir(uintptr_t a) { (void)a; }
