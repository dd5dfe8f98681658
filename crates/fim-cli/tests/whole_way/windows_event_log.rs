//! What the agent for Windows tells the system's event log.

use std::fs;
use std::path::Path;

use crate::installation::Installation;
use crate::windows::{PROGRAM, Service, Wine};

#[test]
fn the_event_log_is_told_why_a_machine_was_not_enrolled_and_never_the_token() {
    let Some(wine) = Wine::here() else { return };
    let mut here = Installation::new();
    here.up(&["--no-agent"]);
    let token = here.json(&["machine", "enroll-token", "--json"]);
    let server = format!("https://{}", here.address());
    let known = ["enroll", "--server", &server, "--ca-fingerprint", token["caFingerprint"].as_str().unwrap()];
    let folder = ["--data-dir", &wine.data_dir(&here)];
    let said = wine.run_told(&[&known[..], &["--token", "stf_wrong"], &folder].concat());
    let told: Vec<&str> = said.stderr.lines().filter(|line| line.contains(REPORTED)).collect();
    assert_eq!((said.code, told.len()), (4, 1), "{}", said.stderr);
    assert!(told[0].contains("refused the token") && !said.stderr.contains("stf_wrong"), "{told:?}");
    let said = wine.run_told(&[&known[..], &["--token", token["token"].as_str().unwrap()], &folder].concat());
    assert!(said.code == 0 && !said.stderr.contains(REPORTED), "what goes well is no event: {}", said.stderr);
}

#[test]
fn the_event_log_finds_the_messages_in_the_program_while_it_is_a_service() {
    let Some(wine) = Wine::here() else { return };
    let _session = wine.sign_in();
    let mut here = Installation::new();
    here.up(&["--no-agent"]);
    wine.enroll(&here);
    let service = Service { wine: &wine, data_dir: wine.data_dir(&here) };
    service.change("uninstall");
    assert_eq!(service.change("install").code, 0);
    let said = wine.run_its("reg", &["query", SOURCE]);
    let values: Vec<String> =
        said.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for value in [format!("EventMessageFile REG_SZ {PROGRAM}"), "TypesSupported REG_DWORD 0x5".to_owned()] {
        assert!(values.contains(&value), "{value}: {values:#?}");
    }
    assert_eq!(service.change("uninstall").code, 0);
    assert_ne!(wine.run_its("reg", &["query", SOURCE]).code, 0, "it is gone with the service");

    // A message is its length, the mark of UTF-16, and its text.
    let program = fs::read(&wine.agent).unwrap();
    let messages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fim-agent/windows/messages.mc");
    let messages = fs::read_to_string(messages).unwrap();
    let texts: Vec<&str> = messages.lines().filter(|line| line.contains("%1")).collect();
    assert_eq!(texts.len(), 4);
    for text in texts {
        let text = format!("{text}\n").encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let entry = [&[1, 0], &text[..]].concat();
        assert!(program.windows(entry.len()).any(|bytes| bytes == entry), "a message is not in the program");
    }
}

/// How Wine says that something was reported, which it keeps nowhere.
const REPORTED: &str = "err:eventlog:ReportEventW";
const SOURCE: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\Steadfast Agent";
