//! What the agent tells the event log of Windows, and the messages that are put into its program.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use fim_os::Event;

#[test]
fn each_event_has_a_message_with_a_place_for_its_text() {
    let messages = include_str!("../windows/messages.mc");
    let numbers: Vec<&str> =
        messages.lines().filter_map(|line| line.strip_prefix("MessageId=")).map(str::trim).collect();
    let events = [
        (Event::Started { version: "1" }, "at work"),
        (Event::Stopped { asked_by: "1" }, "has stopped"),
        (Event::Failed { why: "1" }, "has failed"),
        (Event::EnrollmentFailed { why: "1" }, "was not enrolled"),
    ];
    assert_eq!(numbers, events.map(|(event, _)| event.id().to_string()));
    for (event, says) in events {
        let (_, after) = messages.split_once(&format!("MessageId={}\n", event.id())).unwrap();
        let message = after.split("\n.\n").next().unwrap();
        assert!(message.contains(says), "{event:?}: {message}");
        assert_eq!(message.matches("%1").count(), 1, "{event:?}: {message}");
        assert_eq!(message.matches('%').count(), 1, "{event:?}: {message}");
    }
}
