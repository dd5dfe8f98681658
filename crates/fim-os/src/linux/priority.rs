//! Getting out of the way of other work.

/// Puts this process behind every other that wants the processor or the disk. What the system refuses is left as it
/// is: it is a courtesy, not a condition.
pub fn lower_priority() {
    let _ = rustix::process::nice(19);
    set_idle_io();
}

#[expect(unsafe_code, reason = "the C library has no function for this system call")]
fn set_idle_io() {
    // SAFETY: `ioprio_set` takes three integers and touches no memory of this process.
    unsafe { libc::syscall(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_CLASS_IDLE) };
}

// `linux/ioprio.h`: the class is in the bits from 13 on.
const IOPRIO_WHO_PROCESS: libc::c_long = 1;
const IOPRIO_CLASS_IDLE: libc::c_long = 3 << 13;
