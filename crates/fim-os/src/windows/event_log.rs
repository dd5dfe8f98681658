//! The event log of the system.
#![expect(unsafe_code, reason = "the log is written by calls of the system")]

use std::path::Path;
use std::ptr::{null, null_mut};

use windows_sys::Win32::System::EventLog::{
    DeregisterEventSource, EVENTLOG_ERROR_TYPE, EVENTLOG_INFORMATION_TYPE, RegisterEventSourceW, ReportEventW,
};

use super::registry;
use crate::event_log::{EVENT_SOURCE, Event, Severity};

/// Adds a message to the log for applications. Where that does not take it, nothing is said: what it says is in the log of
/// the agent, too.
pub fn report_event(event: &Event<'_>) {
    let name = null_terminated(EVENT_SOURCE);
    // SAFETY: the name ends in 0; no name of a machine means this one.
    let source = unsafe { RegisterEventSourceW(null(), name.as_ptr()) };
    if source.is_null() {
        return;
    }
    let kind = match event.severity() {
        Severity::Information => EVENTLOG_INFORMATION_TYPE,
        Severity::Error => EVENTLOG_ERROR_TYPE,
    };
    let text = null_terminated(&event.text());
    let texts = [text.as_ptr()];
    // SAFETY: the handle is open; there is one text, which ends in 0 and lives until the call is over, and no other data.
    // The handle is closed once, and not used after that.
    unsafe {
        ReportEventW(source, kind, 0, event.id(), null_mut(), 1, 0, texts.as_ptr(), null());
        DeregisterEventSource(source);
    }
}

/// Tells the system in which program the messages are, so that who looks at them sees what they say. Without that the log
/// shows their texts alone.
pub(super) fn register(program: &Path) {
    if let Some(program) = program.to_str() {
        registry::set_text(&key(), "EventMessageFile", program);
        let kinds = EVENTLOG_ERROR_TYPE | EVENTLOG_INFORMATION_TYPE;
        registry::set_number(&key(), "TypesSupported", kinds.into());
    }
}

/// Undoes [`register`].
pub(super) fn unregister() {
    registry::remove(&key());
}

fn key() -> String {
    format!(r"SYSTEM\CurrentControlSet\Services\EventLog\Application\{EVENT_SOURCE}")
}

fn null_terminated(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}
