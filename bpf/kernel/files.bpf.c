// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
//
// Tells which regular files change, and by which process: also where nobody gives notice of it, as of marks of chattr, of
// what is stored through a mapping, and of what is written through a merged overlay to the file beneath. There are two
// ways, of which one is taken: the return of the functions by which these go, and the moments at which the time of a
// file's last change is set.

#define RING_BYTES (4 << 20)
#include "tell.h"

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
    // What nobody has a way to is only read from the disk, or put away by whoever let go of it last.
    if (!inode->i_dentry.first)
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
    tell(&change, sizeof(change));
    return 0;
}

// A page of the file is about to be stored to through a mapping for the first time since it was written to the disk. Some
// file systems call this when they write as well.
SEC("fexit/file_update_time")
int told_of_store(u64 *arguments) {
    struct file *file = (void *)arguments[0];
    return tell_of(file->f_inode);
}

// Something is written to the file. Some file systems call the one, some the other.
SEC("fexit/file_modified")
int told_of_write(u64 *arguments) {
    struct file *file = (void *)arguments[0];
    return tell_of(file->f_inode);
}

SEC("fexit/kiocb_modified")
int told_of_request(u64 *arguments) {
    struct kiocb *request = (void *)arguments[0];
    return tell_of(request->ki_filp->f_inode);
}

// The marks of a file were set: the view, the file, the marks, and what came of it.
SEC("fexit/vfs_fileattr_set")
int told_of_marks(u64 *arguments) {
    struct dentry *file = (void *)arguments[1];
    if ((int)arguments[3] != 0)
        return 0;
    return tell_of(file->d_inode);
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
