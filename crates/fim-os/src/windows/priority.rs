//! Getting out of the way of other work.
#![expect(unsafe_code, reason = "the system has no other way to be asked")]

use windows_sys::Win32::System::Threading::{GetCurrentProcess, IDLE_PRIORITY_CLASS, SetPriorityClass};

/// Puts this process behind every other that wants the processor. What the system refuses is left as it is: it is a
/// courtesy, not a condition.
///
/// The mode for work in the background, which would give way on the disk too, is not taken: it also keeps the process's
/// memory to 32 MiB.
pub fn lower_priority() {
    // SAFETY: the handle of the process itself needs no closing, and the call takes numbers.
    unsafe { SetPriorityClass(GetCurrentProcess(), IDLE_PRIORITY_CLASS) };
}
