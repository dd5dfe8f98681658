// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
//
// Tells of each process when it begins, when it becomes another program, and when it ends, so that a notice of a change,
// which names a process by number, can be brought together with what that process was even when it has long ended.

#define RING_BYTES (1 << 20)
#include "tell.h"

// What the kernel asks for: helpers that read memory are for programs under the GPL.
char LICENSE[] SEC("license") = "GPL";

enum kind { FORKED = 1, EXECUTED = 2, ENDED = 3 };

enum flag {
    // The arguments could not be read.
    NO_ARGUMENTS = 1,
    // The names of the program do not reach up to the root.
    PROGRAM_CUT = 2,
    // The program has no name any more, or never had one.
    PROGRAM_UNLINKED = 4,
};

#define MOST_ARGUMENTS 4096
#define MOST_NAME 256
#define MOST_NAMES 64
#define MOST_GROUPS 12
// Up to where a name may begin.
#define ROOM 8192

// What is told; `bpf/src/record.rs` reads it. The text follows: arguments, the names of the program's path and of the
// control group's, both from the last to the first, each ended by a zero.
struct record {
    u32 kind;
    u32 process;
    u64 at;
    u64 started;
    u32 parent;
    u32 user;
    u64 parent_started;
    u32 login;
    u32 session;
    u64 group;
    char name[16];
    u16 argument_bytes;
    u16 program_bytes;
    u16 group_bytes;
    u16 flags;
    // Of an executed program: the mount namespace that its path is of, and the file.
    u32 view;
    u32 device;
    u64 inode;
};

struct long_record {
    struct record head;
    char text[ROOM + MOST_NAME];
};

// Where a record is put together: it is too large for the stack.
struct {
    NUMBER(type, MAP_PER_CPU_ARRAY);
    NUMBER(max_entries, 1);
    TYPE(key, u32);
    TYPE(value, struct long_record);
} desk SEC(".maps");

INLINE void describe(struct record *record, enum kind kind, struct task_struct *task, struct task_struct *parent) {
    record->kind = kind;
    record->process = task->tgid;
    record->at = nanos_since_boot();
    record->started = task->group_leader->start_boottime;
    record->parent = parent->tgid;
    record->parent_started = parent->group_leader->start_boottime;
    record->user = task->cred->euid.val;
    record->login = EXISTS(task->loginuid) ? task->loginuid.val : (u32)-1;
    record->session = EXISTS(task->sessionid) ? task->sessionid : (u32)-1;
    record->group = task->cgroups->dfl_cgrp->kn->id;
    read_kernel_text(record->name, sizeof(record->name), task->comm);
    record->argument_bytes = record->program_bytes = record->group_bytes = record->flags = 0;
    record->view = record->device = 0;
    record->inode = 0;
}

SEC("tp_btf/sched_process_fork")
int told_of_fork(u64 *arguments) {
    struct task_struct *parent = (void *)arguments[0], *child = (void *)arguments[1];
    // Threads are of their process.
    if (child->pid != child->tgid)
        return 0;
    struct record record;
    describe(&record, FORKED, child, parent);
    tell(&record, sizeof(record));
    return 0;
}

SEC("tp_btf/sched_process_exit")
int told_of_exit(u64 *arguments) {
    struct task_struct *task = (void *)arguments[0];
    if (task->signal->live.counter != 0)
        return 0;
    struct record record;
    describe(&record, ENDED, task, task->real_parent);
    tell(&record, sizeof(record));
    return 0;
}

// A walk from a name up to the root.
struct walk {
    struct dentry *entry;
    struct vfsmount *view;
    struct mount *mount;
    struct kernfs_node *group;
    u32 end;
    u32 flags;
};

// Puts a name behind the text so far. False if there is no room.
INLINE int put_name(struct walk *walk, const void *name) {
    u32 first = 0, at = walk->end;
    struct long_record *record = map_lookup(&desk, &first);
    if (!record || at > ROOM)
        return 0;
    long length = read_kernel_text(record->text + at, MOST_NAME, name);
    if (length <= 0)
        return 0;
    walk->end = at + length;
    return 1;
}

static long step_to_root(u32 number, struct walk *walk) {
    struct dentry *entry = walk->entry, *parent = READ(entry, d_parent);
    if (entry == READ(walk->view, mnt_root)) {
        struct mount *above = READ(walk->mount, mnt_parent);
        if (above == walk->mount) {
            walk->flags &= ~PROGRAM_CUT;
            return 1;
        }
        walk->entry = READ(walk->mount, mnt_mountpoint);
        walk->mount = above;
        walk->view = (void *)above + OFFSET(struct mount, mnt);
        return 0;
    }
    if (!put_name(walk, READ(entry, d_name.name)))
        return 1;
    if (entry == parent) {
        // What lives in memory alone: it has a name for people, and no place.
        walk->flags &= ~PROGRAM_CUT;
        walk->flags |= PROGRAM_UNLINKED;
        return 1;
    }
    walk->entry = parent;
    return 0;
}

static long step_to_top_group(u32 number, struct walk *walk) {
    struct kernfs_node *group = walk->group;
    struct kernfs_node___before *before = (void *)group;
    struct kernfs_node *parent = EXISTS(before->parent) ? READ(before, parent) : READ(group, __parent);
    // The topmost one has no name.
    if (!parent || !put_name(walk, READ(group, name)))
        return 1;
    walk->group = parent;
    return 0;
}

SEC("tp_btf/sched_process_exec")
int told_of_exec(u64 *arguments) {
    struct task_struct *task = (void *)arguments[0];
    u32 first = 0;
    struct long_record *record = map_lookup(&desk, &first);
    if (!record)
        return 0;
    describe(&record->head, EXECUTED, task, task->real_parent);
    struct walk walk = { .flags = PROGRAM_CUT };
    struct mm_struct *memory = task->mm;
    u64 begin = memory->arg_start, length = memory->arg_end - begin;
    if (length > MOST_ARGUMENTS)
        length = MOST_ARGUMENTS;
    if (read_user(record->text, length, (void *)begin) == 0)
        walk.end = length;
    else
        walk.flags |= NO_ARGUMENTS;
    record->head.argument_bytes = walk.end;

    struct file *program = memory->exe_file;
    walk.entry = READ(program, f_path.dentry);
    walk.view = READ(program, f_path.mnt);
    walk.mount = (void *)walk.view - OFFSET(struct mount, mnt);
    record->head.view = task->nsproxy->mnt_ns->ns.inum;
    struct inode *inode = READ(program, f_inode);
    struct super_block *super_block = READ(inode, i_sb);
    record->head.device = READ(super_block, s_dev);
    record->head.inode = READ(inode, i_ino);
    if (!READ(walk.entry, d_hash.pprev))
        walk.flags |= PROGRAM_UNLINKED;
    loop(MOST_NAMES, step_to_root, &walk, 0);
    record->head.program_bytes = walk.end - record->head.argument_bytes;

    u32 groups = walk.end;
    walk.group = task->cgroups->dfl_cgrp->kn;
    loop(MOST_GROUPS, step_to_top_group, &walk, 0);
    record->head.group_bytes = walk.end - groups;
    record->head.flags = walk.flags;

    u32 end = walk.end;
    if (end > sizeof(record->text))
        end = sizeof(record->text);
    tell(record, sizeof(struct record) + end);
    return 0;
}
