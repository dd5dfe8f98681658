//! A change is told when it happens, with who did it; what evades one way of looking is found by another, or told as a
//! gap.

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use crate::installation::Installation;

/// Scans are so far apart that only real time can tell in time.
const SCARCE_SCANS: &str = "3600s";

/// A server and an agent that notices changes in real time; nothing where the machine does not let it, which is said.
fn noticing() -> Option<Installation> {
    let mut here = Installation::new();
    here.up(&["--no-agent", "--scan-interval", SCARCE_SCANS]);
    here.watch_only_own_tree();
    here.enroll_agent();
    for name in ["hosts", "shadow", "held", "moved", "mode"] {
        fs::write(here.watched(name), "before\n").unwrap();
    }
    here.start_agent();
    let provider = status_after_baseline(&here)["provider"].clone();
    if provider == "scan" || provider == "inotify" {
        assert!(
            !fim_testkit::may_notice_in_real_time(),
            "nobody tells who does it:\n{}",
            here.read_log("agent.log")
        );
        fim_testkit::skip("noticing changes with who made them takes root and Linux 5.17");
        return None;
    }
    Some(here)
}

/// What the agent says once the baseline is its own: what changes from then on is no part of it.
fn status_after_baseline(here: &Installation) -> Value {
    here.wait_for_baseline();
    let status = crate::installation::until(|| {
        let status = here.agent_status();
        if status["lastScanEnd"].is_string() { Ok(status) } else { Err(status) }
    });
    status.unwrap()
}

fn about(name: &str) -> String {
    format!(
        "ConfigurationChange | where ChangeSource == 'RealTime' | where FileSystemPath endswith '/watched/{name}' \
         | order by TimeGenerated asc"
    )
}

fn one(here: &Installation, name: &str) -> Value {
    here.query_until(&about(name), |rows| !rows.is_empty())[0].clone()
}

#[test]
fn an_agent_at_rest_has_given_back_what_its_start_took() {
    let Some(here) = noticing() else { return };
    let kib = here.agent_memory_kib();
    // Reading the kernel's types takes some thirty mebibytes; what is needed at rest is about five.
    assert!(kib < 12 << 10, "{kib} KiB");
}

#[test]
fn a_change_is_told_when_it_happens_with_who_did_it() {
    let Some(here) = noticing() else { return };
    let script = format!("echo after > {}; sleep 2", here.watched("hosts").display());
    let mut writer = Command::new("sh").args(["-c", &script]).spawn().unwrap();
    let row = one(&here, "hosts");
    assert_eq!(row["ChangeCategory"], "Modified");
    assert!(row["FieldsChanged"].as_str().unwrap().contains("FileContentChecksum"), "{row:#}");
    assert_eq!(row["InitiatingProcessId"], json!(writer.id()));
    assert!(row["InitiatingProcessCommandLine"].as_str().unwrap().contains("echo after"), "{row:#}");
    assert!(row["InitiatingProcessName"].as_str().unwrap().starts_with('/'), "{row:#}");
    assert_ne!(row["InitiatingProcessParentName"], "");
    assert!(row["EventTime"].as_str() <= row["TimeGenerated"].as_str(), "{row:#}");
    writer.wait().unwrap();
    let beats = here.agent_status();
    assert_ne!(beats["provider"], "scan");
}

#[test]
fn whoever_changes_a_file_together_is_named_in_the_record_and_on_the_command_line() {
    let Some(here) = noticing() else { return };
    let hosts = here.watched("hosts");
    // One writes before and after another, and so left the file as it is. All of them live until they have been asked for.
    let script = format!(
        "d=$(mktemp -d) && mkfifo $d/turn && echo x >> {0}
         (echo y >> {0}; echo > $d/turn; sleep 1; :) & read _ < $d/turn; echo z >> {0}; sleep 1; wait; rm -r $d",
        hosts.display()
    );
    let several = format!("{} | where isnotnull(OtherInitiatingProcesses)", about("hosts"));
    // A busy machine may look at the file between the two.
    let mut first_and_last = Vec::new();
    let found = crate::installation::until(|| {
        let mut writer = Command::new("sh").args(["-c", &script]).spawn().unwrap();
        first_and_last.push(json!(writer.id()));
        assert!(writer.wait().unwrap().success());
        let rows = here.query(&several);
        rows.into_iter().find(|row| first_and_last.contains(&row["InitiatingProcessId"])).ok_or(())
    });
    let row =
        found.expect("who wrote before and after another in one record is never the one that acted last");
    let others = row["OtherInitiatingProcesses"].as_array().unwrap();
    let other = others[0]["processId"].as_u64().unwrap();
    assert_ne!(row["InitiatingProcessId"], json!(other), "{row:#}");
    assert!(!row["Explanation"].as_str().unwrap_or_default().contains("had a part"), "{row:#}");
    let told = here.run(&["changes", "--since", "1h"]).stdout;
    assert!(
        told.lines().any(|line| line.contains(", and others: ") && line.contains(&other.to_string())),
        "{told}"
    );
}

/// True if the kernel tells the agent of processes.
fn is_told_of_processes(status: &Value) -> bool {
    ["fanotify+fentry", "fanotify+ebpf"].iter().any(|provider| status["provider"] == *provider)
}

#[test]
fn each_of_many_processes_that_live_for_milliseconds_is_named() {
    let Some(here) = noticing() else { return };
    let status = here.agent_status();
    if !is_told_of_processes(&status) {
        let refused = status["refusedProviders"].to_string();
        assert!(
            ["not permitted", "denied", "types", "namespace"].iter().any(|why| refused.contains(why)),
            "{refused}"
        );
        fim_testkit::skip(&format!("the kernel does not tell of processes here: {refused}"));
        return;
    }
    let mut writers = Vec::new();
    for number in 0..40 {
        let script = format!("echo x > {}", here.watched(&format!("short-{number}")).display());
        let mut writer = Command::new("sh").args(["-c", &script]).spawn().unwrap();
        writers.push(writer.id());
        assert!(writer.wait().unwrap().success());
    }
    let all = "ConfigurationChange | where FileSystemPath contains '/watched/short-'";
    let name = |number: usize| format!("/watched/short-{number}");
    let is_of = |row: &Value, name: &str| row["FileSystemPath"].as_str().unwrap().ends_with(name);
    // A writer that gets no time between making its file and writing it leaves two rows.
    let is_told = |rows: &[Value], number| rows.iter().any(|row| is_of(row, &name(number)));
    let rows = here.query_until(all, |rows| (0..writers.len()).all(|number| is_told(rows, number)));
    for (number, writer) in writers.iter().enumerate() {
        let name = name(number);
        for row in rows.iter().filter(|row| is_of(row, &name)) {
            assert_eq!(row["InitiatingProcessId"], json!(writer), "{row:#}");
            assert!(row["InitiatingProcessCommandLine"].as_str().unwrap().ends_with(&name), "{row:#}");
            assert!(row["InitiatingProcessName"].as_str().unwrap().starts_with('/'), "{row:#}");
            assert!(!row["Explanation"].as_str().unwrap_or_default().contains("not known"), "{row:#}");
        }
    }
}

#[test]
fn what_is_in_a_new_directory_is_told_with_who_made_it_and_not_with_who_made_the_directory() {
    let Some(here) = noticing() else { return };
    if !is_told_of_processes(&here.agent_status()) {
        return fim_testkit::skip("the kernel does not tell of processes here");
    }
    let mut writers = Vec::new();
    for number in 0..20 {
        let directory = here.watched(&format!("new-{number}"));
        assert!(Command::new("mkdir").arg(&directory).status().unwrap().success());
        let mut writer = Command::new("touch").arg(directory.join("deep")).spawn().unwrap();
        writers.push(writer.id());
        assert!(writer.wait().unwrap().success());
    }
    let all = "ConfigurationChange | where FileSystemPath contains '/watched/new-' | where FileSystemPath endswith '/deep'";
    let is_of = |row: &Value, number: usize| {
        row["FileSystemPath"].as_str().unwrap().ends_with(&format!("/new-{number}/deep"))
    };
    let rows = here
        .query_until(all, |rows| (0..writers.len()).all(|number| rows.iter().any(|row| is_of(row, number))));
    for (number, writer) in writers.iter().enumerate() {
        let row = rows.iter().find(|row| is_of(row, number)).unwrap();
        assert_eq!(row["InitiatingProcessId"], json!(writer), "{row:#}");
    }
}

#[test]
fn an_agent_without_rights_notices_by_inotify_and_says_what_it_lacks() {
    let mut here = Installation::new();
    here.up(&["--no-agent", "--scan-interval", SCARCE_SCANS]);
    here.watch_only_own_tree();
    here.enroll_agent();
    fs::write(here.watched("hosts"), "before\n").unwrap();
    here.start_agent_that_may_not_watch_all();
    let status = status_after_baseline(&here);
    assert_eq!(status["provider"], "inotify", "{status:#}");
    let refused = status["refusedProviders"].as_array().unwrap();
    for (refused, provider) in refused.iter().zip(["fanotify+fentry: ", "fanotify+ebpf: ", "fanotify: "]) {
        let refused = refused.as_str().unwrap();
        assert!(refused.starts_with(provider) && refused.contains("CAP_"), "{refused}");
    }
    let doctor = here.agent_said("doctor").stdout;
    let line = doctor.lines().find(|line| line.contains("real time ")).unwrap();
    let noticed = "inotify notices changes, and something better cannot be used; fanotify+fentry: ";
    assert!(line.contains(noticed), "whoever asks: {line}");
    fs::write(here.watched("hosts"), "after\n").unwrap();
    let row = one(&here, "hosts");
    assert_eq!(row["InitiatingProcessName"], "");
    assert!(row["Explanation"].as_str().unwrap().contains("does not tell who made it"), "{row:#}");
    // What is made in a new directory, and what is in one that moved.
    fs::create_dir_all(here.watched("a/b")).unwrap();
    fs::write(here.watched("a/b/f"), "x").unwrap();
    assert_eq!(one(&here, "a/b/f")["ChangeCategory"], "Added");
    fs::rename(here.watched("a"), here.watched("z")).unwrap();
    one(&here, "z/b/f");
    fs::write(here.watched("z/b/g"), "x").unwrap();
    assert_eq!(one(&here, "z/b/g")["ChangeCategory"], "Added");
    let machines: Value = serde_json::from_str(&here.run(&["machine", "list", "--json"]).stdout).unwrap();
    let machine = machines.as_array().or_else(|| machines["machines"].as_array()).unwrap()[0].clone();
    assert_eq!(machine["provider"], "inotify", "{machine:#}");
}

#[test]
fn what_hides_from_scans_is_told_in_real_time() {
    let Some(here) = noticing() else { return };
    // Changed and put back before any scan could see it, and with its time put back.
    let shadow = here.watched("shadow");
    let old = fs::metadata(&shadow).unwrap().modified().unwrap();
    fs::write(&shadow, "evil!!\n").unwrap();
    fs::File::options().write(true).open(&shadow).unwrap().set_modified(old).unwrap();
    let row = one(&here, "shadow");
    assert!(row["FieldsChanged"].as_str().unwrap().contains("FileContentChecksum"), "{row:#}");
    // Written through a handle that stays open.
    let held = fs::File::options().write(true).open(here.watched("held")).unwrap();
    held.write_all_at(b"after!\n", 0).unwrap();
    let row = one(&here, "held");
    assert!(row["FieldsChanged"].as_str().unwrap().contains("FileContentChecksum"), "{row:#}");
    drop(held);
    // Come and gone.
    fs::write(here.watched("dropper"), "x").unwrap();
    fs::remove_file(here.watched("dropper")).unwrap();
    let rows = here.query_until(&about("dropper"), |rows| rows.len() == 2);
    let told: Vec<&Value> = rows.iter().map(|row| &row["ChangeCategory"]).collect();
    assert!(told.contains(&&json!("Added")) && told.contains(&&json!("Removed")), "{rows:#?}");
    // Moved is one record with both names.
    fs::rename(here.watched("moved"), here.watched("elsewhere")).unwrap();
    let row = one(&here, "elsewhere");
    assert_eq!(row["ChangeCategory"], "Modified");
    assert!(row["Explanation"].as_str().unwrap().contains("/watched/moved"), "{row:#}");
    assert!(here.query(&about("moved")).is_empty());
    // Rights alone, and what is made in a directory that was made just before.
    fs::set_permissions(here.watched("mode"), fs::Permissions::from_mode(0o4755)).unwrap();
    assert!(one(&here, "mode")["FieldsChanged"].as_str().unwrap().contains("Mode"));
    fs::create_dir_all(here.watched("a/b/c")).unwrap();
    fs::write(here.watched("a/b/c/f"), "x").unwrap();
    assert_eq!(one(&here, "a/b/c/f")["ChangeCategory"], "Added");
}

#[test]
fn what_comes_and_goes_just_before_the_end_is_told_or_lies_in_the_gap_of_the_time_without_the_agent() {
    let Some(mut here) = noticing() else { return };
    for (turn, is_killed) in [false, true, false, true].into_iter().enumerate() {
        let name = format!("dropper-{turn}");
        fs::write(here.watched(&name), "x").unwrap();
        let written = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        fs::remove_file(here.watched(&name)).unwrap();
        if is_killed {
            here.kill_agent();
        } else {
            here.stop_agent();
        }
        here.start_agent();
        let when = format!("unixtime_microseconds_todatetime({})", written.as_micros());
        let gaps = format!(
            "Coverage | where Cause == 'AgentStopped' | where StartTime <= {when} and EndTime > {when}"
        );
        let told = crate::installation::until(|| {
            let is_told = [&gaps, &about(&name)].iter().any(|kql| !here.query(kql).is_empty());
            if is_told { Ok(()) } else { Err(here.query("Coverage | project Cause, StartTime, EndTime")) }
        });
        told.unwrap_or_else(|gaps| panic!("{name} at {when}: {gaps:#?}"));
    }
}

#[test]
fn what_is_mounted_over_a_folder_is_told_with_the_gap() {
    let Some(here) = noticing() else { return };
    fs::create_dir(here.watched("d")).unwrap();
    fs::write(here.watched("d/real"), "real").unwrap();
    one(&here, "d/real");
    let folder = here.watched("d");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "none"]).arg(&folder).status();
    if !mounted.is_ok_and(|status| status.success()) {
        fim_testkit::skip("nothing can be mounted here");
        return;
    }
    fs::write(here.watched("d/evil"), "evil").unwrap();
    let evil = one(&here, "d/evil");
    let gap = "Coverage | where Cause == 'MountsChanged' | where Scope endswith '/watched/d'";
    let gaps = here.query_until(gap, |rows| !rows.is_empty());
    assert!(Command::new("umount").arg(&folder).status().unwrap().success());
    assert_eq!(evil["ChangeCategory"], "Added");
    assert!(gaps[0]["Detail"].as_str().unwrap().contains("tmpfs"), "{gaps:#?}");
    assert_ne!(gaps[0]["Provider"], "scan");
    here.query_until(&format!("{gap} | where isnotnull(EndTime)"), |rows| rows.len() >= 2);
}

#[test]
fn an_agent_that_was_held_tells_the_gap_and_looks_again() {
    let Some(here) = noticing() else { return };
    here.hold_agent();
    let held = Instant::now();
    fs::write(here.watched("hosts"), "behind its back\n").unwrap();
    // The clock is what is tested: the agent must have been held for longer than a busy machine may hold it.
    while held.elapsed() < Duration::from_secs(12) {
        std::thread::sleep(Duration::from_millis(200));
    }
    here.release_agent();
    here.query_until("Coverage | where Cause == 'AgentSuspended' | where isnotnull(EndTime)", |rows| {
        !rows.is_empty()
    });
    let all = "ConfigurationChange | where FileSystemPath endswith '/watched/hosts'";
    assert_eq!(here.query_until(all, |rows| !rows.is_empty()).len(), 1);
}
