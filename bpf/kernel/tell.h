// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
//
// How a program tells what it saw: records in a ring, and how many found no room there. The program says before how many
// bytes the ring has: `RING_BYTES`.

#pragma once

#include "kernel.h"

struct {
    NUMBER(type, MAP_RING);
    NUMBER(max_entries, RING_BYTES);
} records SEC(".maps");

struct {
    NUMBER(type, MAP_ARRAY);
    NUMBER(max_entries, 1);
    TYPE(key, u32);
    TYPE(value, u64);
} lost SEC(".maps");

INLINE void tell(void *record, u64 length) {
    if (ring_output(&records, record, length, RING_NO_WAKEUP) == 0)
        return;
    u32 first = 0;
    u64 *count = map_lookup(&lost, &first);
    if (count)
        __sync_fetch_and_add(count, 1);
}
