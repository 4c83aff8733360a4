// SPDX-License-Identifier: Apache-2.0
// See steer.h. What is attached is found through the interface's program, not through the pinned
// names, so that a renamed interface, another mount namespace or a program that DPDK loaded are all
// the same. The pins are for others: whoever opens /sys/fs/bpf/zapnic/INTERFACE/xsks_map can put
// sockets there.
#include "xdp/steer.h"

#include "xdp/steer.skel.h"

#include <assert.h>
#include <elf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define BPF_ROOT "/sys/fs/bpf"
#define PIN_ROOT BPF_ROOT "/zapnic"

enum { MAPS_MAX = 16, PATH_LEN = 128 };

// Maps, and their names in the bpf file system, which takes no dots.
static const struct pin {
    const char *map;
    const char *file;
} pinned[] = {
    { "xsks_map", "xsks_map" },
    { ZN_STEER_CONFIG, "zn_config" },
    { "zn_counters", "zn_counters" },
    { "zn_sources", "zn_sources" },
};
enum { PINNED = sizeof(pinned) / sizeof(*pinned) };

// An interface and the program on it.
struct place {
    const char *interface;
    int ifindex;
    int prog_fd;     // -1: none
    __u32 mode_flag; // XDP_FLAGS_*_MODE of the program
    char name[BPF_OBJ_NAME_LEN];
};

__attribute__((format(printf, 3, 4))) static int fail(char *err_out, int err, const char *format,
                                                      ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(err_out, ZN_STEER_ERR, format, args);
    va_end(args);
    return err;
}

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
    (void)level;
    (void)format;
    (void)args;
    return 0;
}

// --- The interface's program ------------------------------------------------------------------

static int place_program(struct place *place, __u32 id, char *err_out)
{
    struct bpf_prog_info info = { 0 };
    __u32 len = sizeof(info);
    place->prog_fd = bpf_prog_get_fd_by_id(id);
    if (place->prog_fd < 0 || bpf_obj_get_info_by_fd(place->prog_fd, &info, &len) != 0)
        return fail(err_out, -EIO, "%s: its XDP program cannot be read: %s", place->interface,
                    strerror(errno));
    memcpy(place->name, info.name, sizeof(place->name));
    return 0;
}

static int place_open(struct place *place, const char *interface, char *err_out)
{
    struct bpf_xdp_query_opts query = { .sz = sizeof(query) };
    *place = (struct place){ .interface = interface, .prog_fd = -1 };
    libbpf_set_print(silent);
    if (geteuid() != 0)
        return fail(err_out, -EPERM, "XDP programs need root");
    place->ifindex = (int)if_nametoindex(interface);
    if (place->ifindex == 0)
        return fail(err_out, -ENODEV, "%s: there is no such interface", interface);
    int err = bpf_xdp_query(place->ifindex, 0, &query);
    if (err != 0)
        return fail(err_out, err, "%s: the kernel does not tell its XDP program: %s", interface,
                    strerror(-err));
    __u32 id = query.drv_prog_id != 0 ? query.drv_prog_id : query.skb_prog_id;
    place->mode_flag = query.drv_prog_id != 0 ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
    if (id == 0 && query.hw_prog_id != 0)
        return fail(err_out, -EBUSY, "%s: the adapter itself runs an XDP program there", interface);
    return id == 0 ? 0 : place_program(place, id, err_out);
}

static void place_close(struct place *place)
{
    if (place->prog_fd >= 0)
        close(place->prog_fd);
}

static bool place_is_ours(const struct place *place)
{
    return place->prog_fd >= 0 && strcmp(place->name, ZN_STEER_PROGRAM) == 0;
}

// The program's map of that name, opened, or -ENOENT.
static int map_open(int prog_fd, const char *name)
{
    __u32 ids[MAPS_MAX];
    struct bpf_prog_info info = { .nr_map_ids = MAPS_MAX, .map_ids = (__u64)(uintptr_t)ids };
    __u32 len = sizeof(info);
    if (bpf_obj_get_info_by_fd(prog_fd, &info, &len) != 0)
        return -errno;
    for (__u32 i = 0; i < info.nr_map_ids && i < MAPS_MAX; i++) {
        struct bpf_map_info map = { 0 };
        __u32 map_len = sizeof(map);
        int fd = bpf_map_get_fd_by_id(ids[i]);
        if (fd < 0)
            continue;
        if (bpf_obj_get_info_by_fd(fd, &map, &map_len) == 0 && strcmp(map.name, name) == 0)
            return fd;
        close(fd);
    }
    return -ENOENT;
}

// --- Its maps ---------------------------------------------------------------------------------

static int config_read(const struct place *place, struct zn_steer_config *config, char *err_out)
{
    struct bpf_map_info info = { 0 };
    __u32 len = sizeof(info);
    __u32 zero = 0;
    int fd = map_open(place->prog_fd, ZN_STEER_CONFIG);
    int err = fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) != 0 ||
                      info.value_size != sizeof(*config) ||
                      bpf_map_lookup_elem(fd, &zero, config) != 0
                  ? -EPROTO
                  : 0;
    if (fd >= 0)
        close(fd);
    if (err == 0 && (config->magic != ZN_STEER_MAGIC || config->version != ZN_STEER_VERSION))
        err = -EPROTO;
    return err == 0 ? 0
                    : fail(err_out, err, "%s: another version of zapnic put its program there",
                           place->interface);
}

static int config_write(const struct place *place, const struct zn_steer_config *config,
                        char *err_out)
{
    __u32 zero = 0;
    int fd = map_open(place->prog_fd, ZN_STEER_CONFIG);
    int err = fd < 0 ? fd : bpf_map_update_elem(fd, &zero, config, BPF_ANY);
    if (fd >= 0)
        close(fd);
    return err == 0 ? 0
                    : fail(err_out, err, "%s: its program took no configuration: %s",
                           place->interface, strerror(-err));
}

static int counters_read(const struct place *place, __u64 *counters, char *err_out)
{
    int cpus = libbpf_num_possible_cpus();
    __u64 *each = cpus > 0 ? calloc((size_t)cpus, sizeof(*each)) : NULL;
    int fd = map_open(place->prog_fd, "zn_counters");
    int err = each == NULL ? -ENOMEM : fd < 0 ? fd : 0;
    for (__u32 i = 0; err == 0 && i < ZN_STEER_COUNTERS; i++) {
        err = bpf_map_lookup_elem(fd, &i, each);
        counters[i] = 0;
        for (int cpu = 0; err == 0 && cpu < cpus; cpu++)
            counters[i] += each[cpu];
    }
    if (fd >= 0)
        close(fd);
    free(each);
    return err == 0 ? 0
                    : fail(err_out, err, "%s: its counters cannot be read: %s", place->interface,
                           strerror(-err));
}

// --- Pins -------------------------------------------------------------------------------------

static const char *pin_path(char path[PATH_LEN], const struct place *place, const char *file)
{
    snprintf(path, PATH_LEN, PIN_ROOT "/%s%s%s", place->interface, *file != '\0' ? "/" : "", file);
    return path;
}

static void unpin(const struct place *place)
{
    char path[PATH_LEN];
    for (int i = 0; i < PINNED; i++)
        unlink(pin_path(path, place, pinned[i].file));
    rmdir(pin_path(path, place, ""));
    rmdir(PIN_ROOT); // only when it was the last
}

static int mount_bpf(void)
{
    struct statfs fs;
    if (statfs(BPF_ROOT, &fs) == 0 && fs.f_type == BPF_FS_MAGIC)
        return 0;
    return mount("bpf", BPF_ROOT, "bpf", 0, "mode=0700") == 0 ? 0 : -errno;
}

static int pin(const struct place *place, char *err_out)
{
    char path[PATH_LEN];
    int err = mount_bpf();
    if (err != 0)
        return fail(err_out, err, BPF_ROOT ": a bpf file system cannot be mounted there: %s",
                    strerror(-err));
    unpin(place); // what an interface of that name left behind
    if ((mkdir(PIN_ROOT, 0700) != 0 && errno != EEXIST) ||
        mkdir(pin_path(path, place, ""), 0700) != 0)
        return fail(err_out, -errno, PIN_ROOT "/%s: %s", place->interface, strerror(errno));
    for (int i = 0; err == 0 && i < PINNED; i++) {
        int fd = map_open(place->prog_fd, pinned[i].map);
        err = fd < 0 ? fd : bpf_obj_pin(fd, pin_path(path, place, pinned[i].file));
        if (fd >= 0)
            close(fd);
    }
    if (err != 0) {
        fail(err_out, err, "%s: %s", path, strerror(-err));
        unpin(place);
    }
    return err;
}

// --- Attach and detach ------------------------------------------------------------------------

static int put(const struct place *place, enum zn_steer_mode mode, char *err_out)
{
    __u32 flags = XDP_FLAGS_UPDATE_IF_NOEXIST;
    int err = -EOPNOTSUPP;
    if (mode != ZN_STEER_GENERIC) {
        err = bpf_xdp_attach(place->ifindex, place->prog_fd, flags | XDP_FLAGS_DRV_MODE, NULL);
        if (mode == ZN_STEER_NATIVE && err != 0 && err != -EBUSY && err != -EEXIST)
            return fail(err_out, err,
                        "%s: its driver refuses XDP in native mode (%s); --mode generic works with "
                        "any driver",
                        place->interface, strerror(-err));
    }
    if (err != 0 && err != -EBUSY && err != -EEXIST)
        err = bpf_xdp_attach(place->ifindex, place->prog_fd, flags | XDP_FLAGS_SKB_MODE, NULL);
    if (err == -EBUSY || err == -EEXIST)
        return fail(err_out, -EBUSY, "%s: somebody else just attached an XDP program",
                    place->interface);
    return err == 0 ? 0
                    : fail(err_out, err, "%s: the kernel refuses the XDP program: %s",
                           place->interface, strerror(-err));
}

static int attach_new(struct place *place, const struct zn_steer_config *config,
                      enum zn_steer_mode mode, char *err_out)
{
    struct zn_steer_bpf *skeleton = zn_steer_bpf__open_and_load();
    if (skeleton == NULL)
        return fail(err_out, -errno, "the kernel does not load the XDP program: %s",
                    strerror(errno));
    place->prog_fd = dup(bpf_program__fd(skeleton->progs.zn_steer));
    zn_steer_bpf__destroy(skeleton);
    if (place->prog_fd < 0)
        return fail(err_out, -errno, "%s", strerror(errno));
    int err = config_write(place, config, err_out);
    if (err == 0)
        err = pin(place, err_out);
    if (err != 0)
        return err;
    err = put(place, mode, err_out);
    if (err != 0)
        unpin(place);
    return err;
}

static int refuse(const struct place *place, char *err_out)
{
    if (place_is_ours(place))
        return fail(err_out, -EBUSY, "%s: zapnic's program is there already; detach it first",
                    place->interface);
    return fail(err_out, -EBUSY,
                "%s: another XDP program is there ('%s'); remove it first, as with `ip link set "
                "dev %s xdp off`",
                place->interface, place->name, place->interface);
}

int zn_steer_attach(const char *interface, const struct zn_steer_config *config,
                    enum zn_steer_mode mode, char err_out[ZN_STEER_ERR])
{
    struct place place;
    int err = place_open(&place, interface, err_out);
    if (err == 0)
        err =
            place.prog_fd < 0 ? attach_new(&place, config, mode, err_out) : refuse(&place, err_out);
    place_close(&place);
    return err;
}

static int place_open_ours(struct place *place, const char *interface, char *err_out)
{
    int err = place_open(place, interface, err_out);
    if (err == 0 && !place_is_ours(place))
        err = fail(err_out, -ENOENT, "%s: zapnic's program is not attached there", interface);
    return err;
}

int zn_steer_detach(const char *interface, char err_out[ZN_STEER_ERR])
{
    struct place place;
    int err = place_open_ours(&place, interface, err_out);
    if (err == 0) {
        struct bpf_xdp_attach_opts only = { .sz = sizeof(only), .old_prog_fd = place.prog_fd };
        err = bpf_xdp_detach(place.ifindex, place.mode_flag, &only);
        if (err != 0)
            fail(err_out, err, "%s: the kernel keeps the program: %s", interface, strerror(-err));
    }
    if (err == 0 || err == -ENOENT)
        unpin(&place);
    place_close(&place);
    return err;
}

int zn_steer_stats(const char *interface, struct zn_steer_stats *stats_out,
                   char err_out[ZN_STEER_ERR])
{
    struct place place;
    int err = place_open_ours(&place, interface, err_out);
    if (err == 0) {
        stats_out->mode =
            place.mode_flag == XDP_FLAGS_DRV_MODE ? ZN_STEER_NATIVE : ZN_STEER_GENERIC;
        err = config_read(&place, &stats_out->config, err_out);
    }
    if (err == 0)
        err = counters_read(&place, stats_out->counters, err_out);
    place_close(&place);
    return err;
}

// --- Object file ------------------------------------------------------------------------------

// Where the object file holds the configuration. It comes out of our own compiler.
static size_t config_offset(const uint8_t *object)
{
    const Elf64_Ehdr *head = (const void *)object;
    const Elf64_Shdr *section = (const void *)(object + head->e_shoff);
    const char *names = (const char *)object + section[head->e_shstrndx].sh_offset;
    unsigned i = 0;
    while (i < head->e_shnum && strcmp(names + section[i].sh_name, ZN_STEER_CONFIG) != 0)
        i++;
    assert(i < head->e_shnum && section[i].sh_size == sizeof(struct zn_steer_config));
    return section[i].sh_offset;
}

int zn_steer_write(const char *path, const struct zn_steer_config *config,
                   char err_out[ZN_STEER_ERR])
{
    size_t len;
    const uint8_t *object = zn_steer_bpf__elf_bytes(&len);
    size_t before = config_offset(object);
    size_t after = before + sizeof(*config);
    FILE *file = fopen(path, "w");
    bool written = file != NULL && fwrite(object, 1, before, file) == before &&
                   fwrite(config, 1, sizeof(*config), file) == sizeof(*config) &&
                   fwrite(object + after, 1, len - after, file) == len - after;
    int err = written ? 0 : -errno;
    if (file != NULL && fclose(file) != 0 && err == 0)
        err = -errno;
    return err == 0 ? 0 : fail(err_out, err, "%s: %s", path, strerror(-err));
}
