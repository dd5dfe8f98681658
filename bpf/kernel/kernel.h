// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
//
// The parts of the kernel's types that our programs read, and the helpers that they call. The offsets here mean nothing:
// the loader replaces each by that of the running kernel, which tells its own types (CO-RE).

#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define SEC(name) __attribute__((section(name), used))
#define INLINE static __attribute__((always_inline))

// How a map is declared: its parameters are the lengths of arrays and the targets of pointers, which the types tell.
#define NUMBER(name, value) int (*name)[value]
#define TYPE(name, type) type *name

#define MAP_ARRAY 2
#define MAP_PER_CPU_ARRAY 6
#define MAP_RING 27

// The helpers, by the numbers that they have in `linux/bpf.h`.
static void *(*const map_lookup)(void *map, const void *key) = (void *)1;
static u64 (*const current_process)(void) = (void *)14;
static long (*const read_user)(void *to, u32 length, const void *from) = (void *)112;
static long (*const read_kernel)(void *to, u32 length, const void *from) = (void *)113;
static long (*const read_kernel_text)(void *to, u32 length, const void *from) = (void *)115;
static u64 (*const nanos_since_boot)(void) = (void *)125;
static long (*const ring_output)(void *ring, void *bytes, u64 length, u64 flags) = (void *)130;
static long (*const loop)(u32 times, void *step, void *context, u64 flags) = (void *)181;

// Do not wake the reader, who looks by himself every few hundredths of a second: waking him costs more than the record.
#define RING_NO_WAKEUP 1

// Reads a field through a pointer that the kernel does not vouch for. The pointer is taken first: it may lie in a type of
// ours, which the kernel does not know.
#define READ(pointer, field)                                                                          \
    ({                                                                                                \
        __typeof__(pointer) from_ = (pointer);                                                        \
        __typeof__(from_->field) read_ = {};                                                          \
        read_kernel(&read_, sizeof(read_), __builtin_preserve_access_index(&from_->field));           \
        read_;                                                                                        \
    })
#define EXISTS(field) __builtin_preserve_field_info(field, 2)
#define OFFSET(type, field) __builtin_preserve_field_info(((type *)0)->field, 0)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
    u32 val;
} kuid_t;

struct cred {
    kuid_t euid;
};

struct hlist_bl_node {
    struct hlist_bl_node **pprev;
};

struct qstr {
    const unsigned char *name;
};

struct inode;

struct dentry {
    struct hlist_bl_node d_hash;
    struct dentry *d_parent;
    struct qstr d_name;
    struct inode *d_inode;
};

struct vfsmount {
    struct dentry *mnt_root;
};

struct mount {
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
};

struct path {
    struct vfsmount *mnt;
    struct dentry *dentry;
};

struct super_block {
    u32 s_dev;
};

struct hlist_node;

struct hlist_head {
    struct hlist_node *first;
};

struct inode {
    unsigned short i_mode;
    struct super_block *i_sb;
    unsigned long i_ino;
    struct hlist_head i_dentry;
};

struct file {
    struct path f_path;
    struct inode *f_inode;
};

struct kiocb {
    struct file *ki_filp;
};

struct ns_common {
    unsigned int inum;
};

struct mnt_namespace {
    struct ns_common ns;
};

struct nsproxy {
    struct mnt_namespace *mnt_ns;
};

struct mm_struct {
    struct file *exe_file;
    unsigned long arg_start, arg_end;
};

struct kernfs_node {
    struct kernfs_node *__parent;
    const char *name;
    u64 id;
};

// Before Linux 6.15.
struct kernfs_node___before {
    struct kernfs_node *parent;
};

struct cgroup {
    struct kernfs_node *kn;
};

struct css_set {
    struct cgroup *dfl_cgrp;
};

typedef struct {
    int counter;
} atomic_t;

struct signal_struct {
    atomic_t live;
};

struct task_struct {
    struct mm_struct *mm;
    int pid, tgid;
    struct task_struct *real_parent, *group_leader;
    u64 start_boottime;
    const struct cred *cred;
    char comm[16];
    struct signal_struct *signal;
    kuid_t loginuid;
    u32 sessionid;
    struct css_set *cgroups;
    struct nsproxy *nsproxy;
};

#pragma clang attribute pop
