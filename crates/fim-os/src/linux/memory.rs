//! Keeping little memory that nobody uses.
#![cfg_attr(target_env = "gnu", expect(unsafe_code, reason = "the C library has no safe functions for it"))]

/// Has the C library give back what is freed, from each of its arenas, as long as the process runs.
///
/// By itself it comes to keep twice as much at the end of an arena as the largest piece that was ever freed, which after
/// the kernel's types is tens of megabytes. Setting one of its bounds ends that (mallopt(3), `M_MMAP_THRESHOLD`).
#[cfg(target_env = "gnu")]
pub fn keep_little_memory() {
    // SAFETY: the calls take numbers, and change only how memory is handed out from then on.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_FROM_BYTES);
        libc::mallopt(libc::M_TRIM_THRESHOLD, MAPPED_FROM_BYTES);
        libc::mallopt(libc::M_ARENA_MAX, ARENAS);
    }
}

/// Gives back what is free in the middle of arenas as well: after much was used once, and freed.
#[cfg(target_env = "gnu")]
pub(super) fn give_memory_back() {
    // SAFETY: the call takes a number and touches only what nobody has.
    unsafe { libc::malloc_trim(0) };
}

/// Other C libraries give it back by themselves.
#[cfg(not(target_env = "gnu"))]
pub fn keep_little_memory() {}

/// Other C libraries give it back by themselves.
#[cfg(not(target_env = "gnu"))]
pub(super) fn give_memory_back() {}

/// What the C library begins with.
#[cfg(target_env = "gnu")]
const MAPPED_FROM_BYTES: libc::c_int = 128 << 10;

/// The agent's threads wait for most of their time, and each arena keeps some memory of its own.
#[cfg(target_env = "gnu")]
const ARENAS: libc::c_int = 2;
