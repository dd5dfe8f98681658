// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
//
// Tells of each regular file when the time of its last change is set, and by which process: also where nobody gives
// notice of it, as of marks of chattr and of what is stored through a mapping.

#include "kernel.h"

// As `processes.bpf.c` has it: what may be loaded beside it must declare the same.
char LICENSE[] SEC("license") = "GPL";

#define KIND_OF_FILE 0170000
#define REGULAR 0100000
// What happens to one file by one process within this is told once.
#define ONCE_IN_NANOS 10000000

// What is told; `bpf/src/files.rs` reads it.
struct change {
    u64 at;
    u64 inode;
    u32 device;
    u32 process;
};

struct {
    NUMBER(type, MAP_RING);
    NUMBER(max_entries, 4 << 20);
} records SEC(".maps");

// How many records found no room in the ring.
struct {
    NUMBER(type, MAP_ARRAY);
    NUMBER(max_entries, 1);
    TYPE(key, u32);
    TYPE(value, u64);
} lost SEC(".maps");

// What was told last on each processor.
struct {
    NUMBER(type, MAP_PER_CPU_ARRAY);
    NUMBER(max_entries, 1);
    TYPE(key, u32);
    TYPE(value, struct change);
} latest SEC(".maps");

INLINE int tell_of(struct inode *inode) {
    if ((inode->i_mode & KIND_OF_FILE) != REGULAR)
        return 0;
    u32 first = 0;
    struct change *before = map_lookup(&latest, &first);
    if (!before)
        return 0;
    struct change change = {
        .at = nanos_since_boot(),
        .inode = inode->i_ino,
        .device = inode->i_sb->s_dev,
        .process = current_process() >> 32,
    };
    if (before->inode == change.inode && before->device == change.device && before->process == change.process &&
        change.at - before->at < ONCE_IN_NANOS)
        return 0;
    *before = change;
    if (ring_output(&records, &change, sizeof(change), RING_NO_WAKEUP) == 0)
        return 0;
    u64 *count = map_lookup(&lost, &first);
    if (count)
        __sync_fetch_and_add(count, 1);
    return 0;
}

SEC("tp_btf/inode_set_ctime_to_ts")
int told_of_time(u64 *arguments) {
    return tell_of((void *)arguments[0]);
}

SEC("tp_btf/ctime_ns_xchg")
int told_of_newer_time(u64 *arguments) {
    return tell_of((void *)arguments[0]);
}

SEC("tp_btf/ctime_xchg_skip")
int told_of_same_time(u64 *arguments) {
    return tell_of((void *)arguments[0]);
}
