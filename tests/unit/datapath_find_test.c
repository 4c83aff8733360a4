// SPDX-License-Identifier: Apache-2.0
// The choice of a datapath where the kernel has io_uring, and where a policy forbids it.
#include "datapath/datapath.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void find_by_name_gives_the_table(void **state)
{
    (void)state;
    assert_ptr_equal(zn_dp_find("epoll"), &zn_dp_epoll);
    assert_ptr_equal(zn_dp_find("uring"), &zn_dp_uring);
    assert_null(zn_dp_find("mem"));
    assert_null(zn_dp_find(""));
    const struct zn_dp_ops *best = zn_dp_find("auto");
    assert_non_null(best);
    assert_true(!strcmp(best->name, "epoll") || !strcmp(best->name, "uring"));
}

// Has io_uring_setup() fail with `err` in this process from now on, as container runtimes do.
static int forbid_io_uring(int err)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)err),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof code / sizeof code[0], code };
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void find_auto_under(int err)
{
    pid_t child = fork();
    if (!child) {
        const struct zn_dp_config config = { .streams_max = 1 };
        struct zn_dp *dp;
        int code = forbid_io_uring(err);
        code = code ? 1 : zn_dp_uring.open(&config, &dp) != -err ? 2 : 0;
        _exit(code ? code : zn_dp_find("auto") == &zn_dp_epoll ? 0 : 3);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void find_auto_without_io_uring_takes_epoll(void **state)
{
    (void)state;
    find_auto_under(EPERM);
    find_auto_under(ENOSYS);
}

// The limit of locked memory is a user's, and root has none.
static void open_auto_beyond_locked_memory_takes_epoll(void **state)
{
    (void)state;
    pid_t child = fork();
    if (!child) {
        enum { INSTANCES = 8 };
        static const struct rlimit limit = { 100 * 1024, 100 * 1024 };
        const struct zn_dp_config config = { .streams_max = 1 };
        struct zn_dp *dps[INSTANCES];
        const struct zn_dp_ops *ops = zn_dp_find("auto");
        if ((!geteuid() && (setgid(65534) || setuid(65534))) || setrlimit(RLIMIT_MEMLOCK, &limit))
            _exit(1);
        for (int i = 0; i < INSTANCES; i++) {
            if (ops->open(&config, &dps[i]))
                _exit(2);
        }
        for (int i = 0; i < INSTANCES; i++)
            dps[i]->ops->close(dps[i]);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(find_by_name_gives_the_table),
        cmocka_unit_test(find_auto_without_io_uring_takes_epoll),
        cmocka_unit_test(open_auto_beyond_locked_memory_takes_epoll),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
