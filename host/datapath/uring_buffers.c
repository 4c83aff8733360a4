// SPDX-License-Identifier: Apache-2.0
// Buffers that the kernel receives into, picked by it from a ring. They start few and grow when
// they run out, since in time each of them gets touched: a server with little traffic shall not
// pay for a busy one's. See uring.h.
#include "uring.h"

#include <errno.h>
#include <sys/mman.h>

static const uint64_t TRIM_NS = 1000000000;
static const size_t ring_size = ZN_URING_BUFFERS_MAX * sizeof(struct io_uring_buf);

static void *map(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static void provide(struct zn_uring_buffers *buffers, uint16_t id, int offset)
{
    io_uring_buf_ring_add(buffers->ring, zn__uring_buffer(buffers, id), buffers->size, id,
                          io_uring_buf_ring_mask(ZN_URING_BUFFERS_MAX), offset);
    buffers->in_ring++;
}

static void grow_to(struct zn_uring_buffers *buffers, uint32_t count)
{
    uint32_t added = 0;
    while (buffers->provided < count)
        provide(buffers, (uint16_t)buffers->provided++, (int)added++);
    io_uring_buf_ring_advance(buffers->ring, (int)added);
}

int zn__uring_buffers_init(struct zn_uring_buffers *buffers, struct io_uring *ring, size_t size)
{
    buffers->size = size && size < ZN_URING_BUFFER_SIZE ? (uint32_t)size : ZN_URING_BUFFER_SIZE;
    buffers->ring = map(ring_size);
    if (!buffers->ring)
        return -ENOMEM;
    buffers->memory = map((size_t)buffers->size * ZN_URING_BUFFERS_MAX);
    if (!buffers->memory) {
        munmap(buffers->ring, ring_size);
        return -ENOMEM;
    }
    struct io_uring_buf_reg reg = { .ring_addr = (uintptr_t)buffers->ring,
                                    .ring_entries = ZN_URING_BUFFERS_MAX };
    int err = io_uring_register_buf_ring(ring, &reg, 0);
    if (err) {
        zn__uring_buffers_deinit(buffers);
        return err;
    }
    io_uring_buf_ring_init(buffers->ring);
    grow_to(buffers, ZN_URING_BUFFERS_MIN);
    return 0;
}

void zn__uring_buffers_deinit(struct zn_uring_buffers *buffers)
{
    munmap(buffers->memory, (size_t)buffers->size * ZN_URING_BUFFERS_MAX);
    munmap(buffers->ring, ring_size);
}

void zn__uring_buffer_return(struct zn_uring_buffers *buffers, uint16_t id)
{
    provide(buffers, id, 0);
    io_uring_buf_ring_advance(buffers->ring, 1);
}

void zn__uring_buffers_return_lent(struct zn_uring_buffers *buffers)
{
    for (uint32_t i = 0; i < buffers->lent_len; i++)
        provide(buffers, buffers->lent[i], (int)i);
    io_uring_buf_ring_advance(buffers->ring, (int)buffers->lent_len);
    buffers->lent_len = 0;
}

uint64_t zn__uring_buffers_trim(struct zn_uring_buffers *buffers, uint64_t now_ns)
{
    if (!buffers->touched)
        return UINT64_MAX;
    if (now_ns < buffers->trim_ns || buffers->in_ring != buffers->provided)
        return now_ns + TRIM_NS;
    // The kernel may own them; what they hold means nothing until it has received into them.
    (void)madvise(zn__uring_buffer(buffers, ZN_URING_BUFFERS_MIN),
                  (size_t)(buffers->provided - ZN_URING_BUFFERS_MIN) * buffers->size,
                  MADV_DONTNEED);
    buffers->touched = false;
    buffers->trim_ns = now_ns + TRIM_NS;
    return UINT64_MAX;
}

void zn__uring_buffers_grow(struct zn_uring_buffers *buffers)
{
    uint32_t count = buffers->provided * 2;
    grow_to(buffers, count < ZN_URING_BUFFERS_MAX ? count : ZN_URING_BUFFERS_MAX);
}
