//! The whole way with the real programs: a file changes, and everybody who asks is told.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do, and the lints know only functions that are tests themselves"
)]

mod clients;
mod commands;
mod content;
mod installation;
mod kills;
mod losses;
mod real_time;
mod software;
mod stopping;
mod windows;
mod windows_beside_linux;
mod windows_event_log;
mod windows_package;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::installation::{Installation, finish, until};

#[test]
fn one_command_watches_this_machine_and_a_change_is_seen_everywhere() {
    let mut here = Installation::new();
    fs::write(here.watched("web.conf"), "one\n").unwrap();
    let ready = here.up(&["--scan-interval", "1s"]);
    assert!(ready["signIn"].as_str().unwrap().contains("/login#code="), "{ready}");
    assert_eq!(here.json(&["fim", "status", "--json"])["rules"], json!({"enabled": 56, "total": 56}));

    here.watch_only_own_tree();
    here.wait_for_baseline();
    let own = here.json(&["rule", "list", "--json"]);
    assert_eq!(own.as_array().unwrap().len(), 1);
    wait_until_rule_has_a_baseline(&here);

    let mut followed = here.follow(&["changes", "--since", "1h", "--follow", "--json"]);
    fs::write(here.watched("web.conf"), "one\ntwo\n").unwrap();
    let rows = here.query_until(&about("web.conf"), |rows| !rows.is_empty());
    let row = &rows[0];
    assert_eq!(row["ConfigChangeType"], "Files");
    assert_eq!(row["ChangeCategory"], "Modified");
    assert_eq!((&row["Size"], &row["PreviousSize"]), (&json!(8), &json!(4)));
    for column in
        ["FieldsChanged", "Acls", "PreviousAcls", "FileContentChecksum", "PreviousFileContentChecksum"]
    {
        assert_ne!(row[column], "", "{column}: {row:#}");
    }
    for column in ["DateModified", "PreviousDateModified", "DateCreated", "TimeGenerated"] {
        assert!(row[column].is_string(), "{column}: {row:#}");
    }
    assert!(row["FieldsChanged"].as_str().unwrap().contains("FileContentChecksum"), "{row:#}");

    let mut seen = followed.lines.by_ref().map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let seen = seen.find(|change| change["entity"].as_str().unwrap().ends_with("/web.conf")).unwrap();
    assert_eq!(seen["category"], "Modified");

    let said = here.run(&["changes", "--since", "1h"]);
    assert!(said.stdout.contains("Modified") && said.stdout.contains("/web.conf"), "{}", said.stdout);
    let kql = format!("{} | project ChangeCategory, Size", about("web.conf"));
    let said = here.run(&["query", "-o", "csv", &kql]);
    assert_eq!(said.stdout, "ChangeCategory,Size\r\nModified,8\r\n");
    let said = here.run(&[
        "query",
        "-o",
        "ndjson",
        "ConfigurationChange | where TimeGenerated > ago(14d) | where ConfigChangeType in (\"Registry\", \"Files\") \
         | where Name == 'web.conf' | summarize count() by ConfigChangeType",
    ]);
    assert_eq!(said.stdout, "{\"ConfigChangeType\":\"Files\",\"count_\":1}\n");
}

#[test]
fn who_follows_a_file_that_goes_to_and_fro_is_shown_each_turn() {
    let mut here = Installation::new();
    fs::write(here.watched("turns"), "one\n").unwrap();
    here.up(&["--scan-interval", "1s"]);
    here.watch_only_own_tree();
    here.wait_for_baseline();
    wait_until_rule_has_a_baseline(&here);
    let mut followed = here.follow(&["changes", "--since", "1h", "--follow", "--json"]);
    for (turn, content) in ["another\n", "one\n", "another\n"].into_iter().enumerate() {
        fs::write(here.watched("turns"), content).unwrap();
        let size = content.len();
        let turned = format!("{} | where Size == {size} and PreviousSize != {size}", about("turns"));
        here.query_until(&turned, |rows| rows.len() > turn / 2);
    }
    fs::write(here.watched("last"), "x").unwrap();
    let shown = followed.lines.by_ref().map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let is_of = |change: &Value, name| change["entity"].as_str().unwrap().ends_with(name);
    let shown: Vec<Value> = shown.take_while(|change| !is_of(change, "/last")).collect();
    let turns: Vec<_> = shown.iter().filter(|change| is_of(change, "/turns")).collect();
    let ids: std::collections::BTreeSet<_> =
        turns.iter().map(|change| change["id"].as_str().unwrap()).collect();
    assert!(turns.len() >= 3 && ids.len() == turns.len(), "{turns:#?}");
}

#[test]
fn new_settings_are_in_force_on_the_agent_before_it_gives_a_sign_of_life() {
    let mut here = Installation::new();
    let page = here.up(&["--no-agent", "--scan-interval", "1h"])["page"].as_str().unwrap().to_owned();
    here.watch_only_own_tree();
    here.enroll_agent();
    here.start_agent();
    here.wait_for_baseline();
    // No scan follows on another interval, so that there is nothing to give a sign of. One that was due anyway may come
    // between in one attempt, and not in all.
    let is_told_without_a_heartbeat = (2..6).any(|hours| {
        let before = heartbeats(&page);
        assert_eq!(here.run(&["fim", "collect", "--files", &format!("{hours}h")]).code, 0);
        wait_for_status(&here, "scanIntervalSeconds", hours * 3600);
        heartbeats(&page) == before
    });
    assert!(is_told_without_a_heartbeat, "{}", here.read_log("agent.log"));

    let file = here.path("later");
    let rule = ["rule", "add", "--type", "linux-file", "--name", "later", "--path", file.to_str().unwrap()];
    assert_eq!(here.run(&rule).code, 0);
    wait_for_status(&here, "rules", 2);
    fs::write(&file, "x").unwrap();
    if here.agent_status()["provider"] == "scan" {
        return eprintln!("skipped: nothing tells of changes here before the next scan");
    }
    let kql = "ConfigurationChange | where FileSystemPath endswith '/later'";
    assert_eq!(here.query_until(kql, |rows| !rows.is_empty())[0]["ChangeCategory"], "Added");
    here.stop_agent();
}

/// Waits until the agent says that of itself.
fn wait_for_status(here: &Installation, key: &str, value: u64) {
    let is_so = until(|| {
        let status = here.agent_status();
        if status[key] == value { Ok(()) } else { Err(status) }
    });
    is_so.unwrap_or_else(|status| panic!("{key} is not {value}: {status:#}\n{}", here.read_log("agent.log")));
}

/// How many signs of life the server has heard.
fn heartbeats(page: &str) -> u64 {
    let told = ureq::get(format!("{page}/metrics")).call().unwrap().body_mut().read_to_string().unwrap();
    let count = told.lines().find_map(|line| line.strip_prefix("steadfast_heartbeats_total "));
    count.unwrap().parse().unwrap()
}

#[test]
fn a_new_sign_in_link_is_printed_for_whoever_has_an_owner_s_token() {
    let mut here = Installation::new();
    let ready = here.up(&["--no-agent"]);
    let said = here.run(&["sign-in"]);
    let page = ready["page"].as_str().unwrap();
    assert!(said.stdout.starts_with(&format!("{page}/login#code=")), "{}", said.stdout);
    assert_ne!(said.stdout.trim(), ready["signIn"].as_str().unwrap());
    assert!(here.json(&["sign-in", "--json"])["expiresAt"].is_string());
}

#[test]
fn content_rights_owner_times_arrivals_and_removals_are_changes_and_an_access_is_none() {
    let mut here = with_agent();
    fs::write(here.watched("rights"), "x").unwrap();
    fs::write(here.watched("times"), "x").unwrap();
    fs::write(here.watched("leaves"), "x").unwrap();
    fs::write(here.watched("content"), "x").unwrap();
    fs::write(here.watched("owner"), "x").unwrap();
    fs::write(here.watched("read"), "x").unwrap();
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1);
    let accessed = fs::FileTimes::new().set_accessed(long_ago);
    fs::File::options().write(true).open(here.watched("read")).unwrap().set_times(accessed).unwrap();
    here.start_agent();
    wait_until_rule_has_a_baseline(&here);

    fs::set_permissions(here.watched("rights"), fs::Permissions::from_mode(0o604)).unwrap();
    let touched = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    fs::File::options().write(true).open(here.watched("times")).unwrap().set_modified(touched).unwrap();
    fs::write(here.watched("content"), "y").unwrap();
    // Another user takes the rights of root.
    let gives_away = std::os::unix::fs::chown(here.watched("owner"), Some(65_534), Some(65_533)).is_ok();
    fs::read(here.watched("read")).unwrap();
    fs::remove_file(here.watched("leaves")).unwrap();
    fs::write(here.watched("comes"), "y").unwrap();

    let rights = here.query_until(&about("rights"), |rows| !rows.is_empty());
    assert_eq!(rights[0]["ChangeCategory"], "Modified");
    let fields = |row: &Value| -> Vec<String> {
        row["FieldsChanged"].as_str().unwrap().split(", ").map(str::to_owned).collect()
    };
    assert_eq!(rights[0]["FieldsChanged"], "Mode, Acls");
    assert_ne!(rights[0]["Acls"], rights[0]["PreviousAcls"]);
    let content = here.query_until(&about("content"), |rows| !rows.is_empty());
    assert!(fields(&content[0]).contains(&"FileContentChecksum".to_owned()), "{content:#?}");
    if gives_away {
        let owner = here.query_until(&about("owner"), |rows| !rows.is_empty());
        for field in ["Owner", "Group"] {
            assert!(fields(&owner[0]).contains(&field.to_owned()), "{owner:#?}");
        }
    } else {
        fim_testkit::skip("giving a file to another user takes root");
    }
    let times = here.query_until(&about("times"), |rows| !rows.is_empty());
    assert!(times[0]["DateModified"].as_str().unwrap().starts_with("2001-09-09T01:46:40"), "{times:#?}");
    let leaves = here.query_until(&about("leaves"), |rows| !rows.is_empty());
    assert_eq!(leaves[0]["ChangeCategory"], "Removed");
    assert_eq!(leaves[0]["FileContentChecksum"], "");
    assert_ne!(leaves[0]["PreviousFileContentChecksum"], "");
    let comes = here.query_until(&about("comes"), |rows| !rows.is_empty());
    assert_eq!(comes[0]["ChangeCategory"], "Added");
    assert_eq!(comes[0]["PreviousFileContentChecksum"], "");
    let accessed = fs::metadata(here.watched("read")).unwrap().accessed().unwrap();
    if accessed == long_ago {
        fim_testkit::skip("the file system keeps no time of access");
    }
    assert_eq!(here.query(&about("read")), Vec::<Value>::new(), "an access is none");
}

#[test]
fn what_changes_while_the_agent_is_stopped_is_reported_at_its_next_start() {
    let mut here = with_agent();
    fs::write(here.watched("a"), "1").unwrap();
    here.start_agent();
    wait_until_rule_has_a_baseline(&here);

    here.stop_agent();
    fs::write(here.watched("a"), "22").unwrap();
    here.start_agent();
    here.query_until(&about("a"), |rows| rows.len() == 1);

    here.kill_agent();
    fs::write(here.watched("a"), "333").unwrap();
    here.start_agent();
    let rows = here.query_until(&about("a"), |rows| rows.len() == 2);
    assert_eq!(rows.iter().map(|row| row["Size"].clone()).collect::<Vec<_>>(), [json!(2), json!(3)]);

    let gaps = here.query_until(
        "Coverage | where Cause == 'AgentStopped' | where isnotnull(EndTime) | project StartTime, EndTime, Scope",
        |rows| rows.len() >= 2,
    );
    assert!(
        gaps.iter().all(|gap| gap["Scope"] == "*" && gap["StartTime"].as_str() < gap["EndTime"].as_str())
    );
}

#[test]
fn a_file_that_cannot_be_read_is_a_gap_until_it_can_and_never_a_removal() {
    let mut here = with_agent();
    let secret = here.watched("secret");
    fs::write(&secret, "one").unwrap();
    here.start_agent_that_modes_bind();
    wait_until_rule_has_a_baseline(&here);
    // Who may not pass over modes may not ask either what fanotify's notices are about.
    assert_eq!(here.agent_status()["provider"], "inotify");

    fs::write(&secret, "two and more").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    let gaps = "Coverage | where Cause == 'Unreadable' | summarize arg_max(TimeGenerated, *) by StartTime";
    let gap = here.query_until(gaps, |rows| rows.len() == 1).remove(0);
    assert_eq!(gap["Scope"], secret.to_str().unwrap());
    assert_eq!(gap["EndTime"], Value::Null, "{gap:#}");
    assert!(gap["Detail"].as_str().unwrap().contains("ermission denied"), "{gap:#}");

    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    here.query_until(gaps, |rows| rows.len() == 1 && rows[0]["EndTime"].is_string());
    let rows = here.query_until(&about("secret"), |rows| {
        rows.iter().any(|row| row["FileContentChecksum"] != row["PreviousFileContentChecksum"])
    });
    assert!(rows.iter().all(|row| row["ChangeCategory"] == "Modified"), "{rows:#?}");
}

#[test]
fn a_rule_that_the_machine_cannot_use_is_a_gap_of_what_it_names_until_it_is_gone() {
    let mut here = with_agent();
    here.start_agent();
    wait_until_rule_has_a_baseline(&here);
    let add = ["rule", "add", "--type", "linux-file", "--name", "nowhere", "--path", "$NOT_THERE/x"];
    assert_eq!(here.run(&add).code, 0);
    let other = ["rule", "add", "--type", "windows-file", "--name", "other", "--path", "%NOT_THERE%\\x"];
    assert_eq!(here.run(&other).code, 0);

    let gaps = "Coverage | where Cause == 'RuleUnusable' | summarize arg_max(TimeGenerated, *) by StartTime";
    let gap = here.query_until(gaps, |rows| !rows.is_empty()).remove(0);
    assert_eq!(gap["Scope"], "$NOT_THERE/x");
    assert_eq!(gap["EndTime"], Value::Null, "{gap:#}");
    let detail = gap["Detail"].as_str().unwrap();
    assert!(
        detail.contains("`NOT_THERE` has no value") && detail.contains("set it for the agent"),
        "{detail}"
    );

    assert_eq!(here.run(&["rule", "delete", "nowhere"]).code, 0);
    let ended = here.query_until(gaps, |rows| rows.iter().all(|row| row["EndTime"].is_string()));
    assert_eq!(ended.len(), 1, "the rule for another system is none of this machine's: {ended:#?}");
}

#[test]
fn a_scan_that_a_stop_cuts_short_is_a_gap_and_no_removal() {
    let mut here = with_agent();
    fs::write(here.watched("after"), "one").unwrap();
    here.start_agent();
    wait_until_rule_has_a_baseline(&here);

    // Holes are hashed as zeros: a quarter of a tebibyte keeps the next start's scan busy for minutes, and takes no
    // space. A single file of that size would be left for later.
    here.stop_agent();
    let huge: Vec<_> = (0..256).map(|number| here.watched(&format!("a-huge-file-{number}"))).collect();
    for path in &huge {
        fs::File::create(path).unwrap().set_len(1 << 30).unwrap();
    }
    here.start_agent();
    // Before it reads, nothing is cut short.
    let scanning = until(|| {
        let status = here.agent_status();
        let has_read = status["progress"]["bytesDone"].as_u64().is_some_and(|bytes| bytes > 0);
        if status["state"] == "scanning" && has_read { Ok(()) } else { Err(status) }
    });
    scanning.unwrap_or_else(|status| panic!("it does not scan: {status:#}"));
    here.stop_agent();
    huge.iter().for_each(|path| fs::remove_file(path).unwrap());
    fs::write(here.watched("after"), "two").unwrap();
    here.start_agent();
    here.query_until(&about("after"), |rows| rows.len() == 1 && rows[0]["ChangeCategory"] == "Modified");
    let gaps = "Coverage | where Cause == 'ScanCutShort' | summarize arg_max(TimeGenerated, *) by StartTime";
    let gap = here.query_until(gaps, |rows| rows.len() == 1 && rows[0]["EndTime"].is_string()).remove(0);
    assert!(gap["Detail"].as_str().unwrap().contains("stopped"), "{gap:#}");
}

#[test]
fn while_the_server_is_down_changes_wait_and_arrive_once() {
    let mut here = with_agent();
    fs::write(here.watched("a"), "1").unwrap();
    here.start_agent();
    wait_until_rule_has_a_baseline(&here);

    // What there was at first has been told, so that what comes to the spool now is the change.
    here.query_until("ConfigurationData | where FileSystemPath endswith '/watched/a'", |rows| {
        !rows.is_empty()
    });
    here.stop_server();
    let told = times_in_spool(&here, &here.watched("a"));
    fs::write(here.watched("a"), "22").unwrap();
    wait_until_spool_tells_again_of(&here, &here.watched("a"), told);
    here.kill_agent();
    // What was there before is there again: only the spool still knows that it was ever otherwise.
    fs::write(here.watched("a"), "1").unwrap();
    here.start_agent();
    here.up(&["--no-agent"]);
    let sizes = |rows: &[Value]| -> Vec<_> {
        rows.iter().map(|row| (row["PreviousSize"].clone(), row["Size"].clone())).collect()
    };
    let both = [(json!(1), json!(2)), (json!(2), json!(1))];
    here.query_until(&about("a"), |rows| sizes(rows) == both);
    fs::write(here.watched("b"), "later").unwrap();
    here.query_until(&about("b"), |rows| !rows.is_empty());
    assert_eq!(sizes(&here.query(&about("a"))), both);
}

#[test]
fn an_agent_whose_server_is_killed_again_and_again_loses_and_repeats_nothing() {
    let mut here = with_agent();
    here.start_agent();
    fs::write(here.watched("first"), "x").unwrap();
    wait_until_rule_has_a_baseline(&here);

    let all = "ConfigurationChange | where RuleName == 'own' and FileSystemPath contains 'file-'";
    let mut written = 0;
    for round in 0..4 {
        for number in 0..5 {
            fs::write(here.watched(&format!("file-{round}-{number}")), "x").unwrap();
            written += 1;
        }
        if round % 2 == 0 {
            // Acknowledged and seen, then killed.
            here.query_until(&format!("{all} | count"), |rows| rows[0]["Count"] == json!(written));
        }
        here.kill_server();
        here.up(&["--no-agent"]);
    }
    here.query_until(&format!("{all} | count"), |rows| rows[0]["Count"] == json!(written));
    let names = here.query(&format!("{all} | distinct FileSystemPath | count"));
    assert_eq!(names[0]["Count"], json!(written));
}

#[test]
fn mistakes_are_named_with_their_place_and_what_to_do() {
    let mut here = Installation::new();
    let ready = here.up(&["--no-agent"]);

    let said = here.run(&["query", "ConfigurationChange | where Compter == 'x'"]);
    assert_eq!(said.code, 1);
    assert!(
        said.stderr.contains("line 1, column 29") && said.stderr.contains("'Computer'"),
        "{}",
        said.stderr
    );
    let said = here.run(&["query", "ConfigurationChnge | count"]);
    assert_eq!(said.code, 1);
    assert!(said.stderr.contains("'ConfigurationChange'"), "{}", said.stderr);

    let said = here.run(&["rule", "add", "--name", "bad", "--path", "/srv/[a"]);
    assert_eq!(said.code, 1);
    assert!(said.stderr.contains("/srv/[a"), "{}", said.stderr);
    let said = here.run(&["rule", "delete", "no-such-rule"]);
    assert_eq!((said.code, said.stderr.contains("no-such-rule")), (1, true), "{}", said.stderr);

    let said = finish(here.steadfast(&["workspace", "list"]).env("STEADFAST_TOKEN", "stf_wrong"));
    assert_eq!(said.code, 4, "{}", said.stderr);
    // Whether there is a server comes first, whatever else is not known.
    for token in ["", "stf_x"] {
        let mut asking = here.steadfast(&["--server", "https://127.0.0.1:1", "workspace", "list"]);
        let said = finish(asking.env("STEADFAST_TOKEN", token));
        let nobody = "cannot reach https://127.0.0.1:1: nothing listens there";
        assert_eq!((said.code, said.stderr.contains(nobody)), (3, true), "{}", said.stderr);
    }
    let other = ready["server"].as_str().unwrap().replace("127.0.0.1", "localhost");
    let said = here.run(&["--server", &other, "workspace", "list"]);
    let what_to_do = format!("no token for {other} is known; set STEADFAST_TOKEN");
    assert_eq!(
        (said.code, said.stderr.contains(&what_to_do)),
        (2, true),
        "a token of one server is not sent to another: {}",
        said.stderr
    );
    let said =
        finish(here.steadfast(&["--server", &other, "workspace", "list"]).env("STEADFAST_TOKEN", "stf_x"));
    let what_to_do = format!("the CA of {other} is not known; name it with --ca or STEADFAST_CA");
    assert_eq!((said.code, said.stderr.contains(&what_to_do)), (2, true), "{}", said.stderr);
    let said = finish(
        here.steadfast(&["--server", "https://127.0.0.1:1", "workspace", "list"])
            .env("STEADFAST_TOKEN", "stf_x")
            .env("STEADFAST_CA", here.path("data/pki/ca.pem")),
    );
    assert_eq!((said.code, said.stderr.contains("127.0.0.1:1")), (3, true), "{}", said.stderr);

    let page = ready["page"].as_str().unwrap().replace("http://", "https://");
    let said = finish(
        here.steadfast(&["--server", &page, "workspace", "list"])
            .env("STEADFAST_TOKEN", "stf_x")
            .env("STEADFAST_CA", here.path("data/pki/ca.pem")),
    );
    assert_eq!(
        (said.code, said.stderr.contains("the one after 'API, agents'")),
        (3, true),
        "{}",
        said.stderr
    );

    let said = here.run(&["up", "--server", "https://127.0.0.1:1"]);
    assert_eq!((said.code, said.stderr.contains("a server itself")), (2, true), "{}", said.stderr);

    let listen = ready["server"].as_str().unwrap().trim_start_matches("https://").to_owned();
    let mut second = here.steadfast(&["up", "--no-agent", "--listen", &listen, "--page", "127.0.0.1:0"]);
    let said = finish(second.arg("--data-dir").arg(here.path("other")));
    assert_eq!(said.code, 5);
    assert!(said.stderr.contains(&listen) && said.stderr.contains("in use"), "{}", said.stderr);
    let mut second =
        here.steadfast(&["up", "--no-agent", "--listen", "127.0.0.1:0", "--page", "127.0.0.1:0"]);
    let said = finish(second.arg("--data-dir").arg(here.path("data")));
    assert_eq!(said.code, 5, "one data directory, one server: {}", said.stderr);

    fs::create_dir(here.path("open")).unwrap();
    fs::set_permissions(here.path("open"), fs::Permissions::from_mode(0o777)).unwrap();
    let mut third = here.steadfast(&["up", "--no-agent", "--listen", "127.0.0.1:0", "--page", "127.0.0.1:0"]);
    let said = finish(third.arg("--data-dir").arg(here.path("open").join("data")));
    let is_open = said.stderr.contains("other users may write to") && said.stderr.contains("`chmod go-w ");
    assert_eq!((said.code, is_open), (5, true), "{}", said.stderr);

    fs::write(here.path("file"), "").unwrap();
    let mut third = here.steadfast(&["up", "--no-agent", "--listen", "127.0.0.1:0", "--page", "127.0.0.1:0"]);
    let said = finish(third.arg("--data-dir").arg(here.path("file")));
    let is_a_file = said.stderr.contains("/file is a file; choose a directory with --data-dir");
    assert_eq!((said.code, is_a_file), (5, true), "{}", said.stderr);
    let mut third = here.steadfast(&["up", "--no-agent", "--listen", "127.0.0.1:0", "--page", "127.0.0.1:0"]);
    let said = finish(third.arg("--data-dir").arg(here.path("file").join("data")));
    assert_eq!((said.code, said.stderr.contains("file/data")), (5, true), "{}", said.stderr);
}

#[test]
fn a_program_signs_in_with_a_token_until_it_is_deleted() {
    let mut here = Installation::new();
    here.up(&["--no-agent"]);
    let with =
        |token: &str, arguments: &[&str]| finish(here.steadfast(arguments).env("STEADFAST_TOKEN", token));
    let said = with("stf_wrong", &["workspace", "list"]);
    assert_eq!((said.code, said.stderr.contains("`steadfast token create`")), (4, true), "{}", said.stderr);

    let said = here.run(&["token", "create", "--name", "ci", "--expires-in", "1h"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let token = said.stdout.strip_suffix('\n').unwrap();
    assert!(token.starts_with("stf_") && token.chars().all(|c| !c.is_whitespace()), "{}", said.stdout);
    assert!(!said.stderr.contains(token), "it is printed once");
    assert_eq!(with(token, &["workspace", "list"]).code, 0);
    let said = with(token, &["rule", "disable", "/etc/crontab"]);
    assert_eq!((said.code, said.stderr.contains("takes the role owner")), (4, true), "{}", said.stderr);

    let made = here
        .json(&["token", "create", "--name", "deploy", "--role", "owner", "--scope", "default", "--json"]);
    assert_eq!(with(made["token"].as_str().unwrap(), &["rule", "disable", "/etc/crontab"]).code, 0);
    assert_eq!(here.run(&["token", "create", "--name", "ci"]).code, 1, "a name is one token's");
    let listed = here.json(&["token", "list", "--json"]);
    let ci = listed.as_array().unwrap().iter().find(|token| token["name"] == "ci").unwrap();
    assert_eq!(
        (&ci["role"], &ci["scope"], ci["expiresAt"].is_string()),
        (&json!("reader"), &Value::Null, true)
    );
    assert!(!listed.to_string().contains("stf_"), "{listed:#}");
    assert!(here.run(&["token", "list"]).stdout.contains("deploy"));

    let mut follows = here.steadfast(&["changes", "--follow"]);
    let follows = follows.env("STEADFAST_TOKEN", token).stderr(std::process::Stdio::piped()).spawn().unwrap();
    assert_eq!(here.json(&["token", "delete", "ci", "--json"]), json!({ "deleted": "ci" }));
    let ended = follows.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(4), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(with(token, &["workspace", "list"]).code, 4);
    let said = here.run(&["token", "delete", "ci"]);
    let list = "there is no API token \"ci\"; `steadfast token list` shows";
    assert_eq!((said.code, said.stderr.contains(list)), (1, true), "{}", said.stderr);
}

#[test]
fn a_workspace_is_deleted_only_if_that_is_meant() {
    let mut here = Installation::new();
    here.up(&["--no-agent"]);
    let names = || -> Vec<Value> {
        let listed = here.json(&["workspace", "list", "--json"]);
        listed.as_array().unwrap().iter().map(|workspace| workspace["name"].clone()).collect()
    };
    assert_eq!(here.run(&["workspace", "create", "trial.one"]).code, 0);
    // Nobody is there to type the name.
    let said = here.run(&["workspace", "delete", "trial.one"]);
    let nobody =
        "nobody is at a terminal to confirm that workspace trial.one and all its records are to be gone";
    assert_eq!((said.code, said.stderr.contains(nobody)), (2, true), "{}", said.stderr);
    assert!(said.stderr.ends_with("; say so with --yes\n"), "{}", said.stderr);
    assert_eq!(names(), ["default", "trial.one"]);
    let deleted = here.json(&["workspace", "delete", "trial.one", "--yes", "--json"]);
    assert_eq!(deleted["deleted"], "trial.one");
    assert_eq!(names(), ["default"]);
    let said = here.run(&["workspace", "delete", "trial.one", "--yes"]);
    assert_eq!((said.code, said.stderr.contains("trial.one")), (1, true), "{}", said.stderr);
}

/// A server with a second machine enrolled, its agent not yet started, and only the own tree monitored.
fn with_agent() -> Installation {
    let mut here = Installation::new();
    here.up(&["--no-agent", "--scan-interval", "1s"]);
    here.watch_only_own_tree();
    here.enroll_agent();
    here
}

/// Changes of one file of the monitored tree, oldest first.
fn about(name: &str) -> String {
    format!(
        "ConfigurationChange | where FileSystemPath endswith '/watched/{name}' | order by TimeGenerated asc"
    )
}

fn now() -> String {
    finish(Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%S.%6NZ"])).stdout.trim().to_owned()
}

/// Waits until a file made now is reported: only then the rule is known to have its baseline.
fn wait_until_rule_has_a_baseline(here: &Installation) {
    let since = now();
    let changes = format!("{} | where TimeGenerated > datetime({since})", about(".probe"));
    let mut number = 0;
    let found = until(|| {
        number += 1;
        fs::write(here.watched(".probe"), number.to_string()).unwrap();
        let rows = here.query(&changes);
        if rows.is_empty() { Err(()) } else { Ok(()) }
    });
    assert!(found.is_ok(), "no change is reported:\n{}", here.read_log("agent.log"));
    fs::remove_file(here.watched(".probe")).unwrap();
}

/// How often the agent's spool on the disk names this path: what was sent stays there until its segment goes.
fn times_in_spool(here: &Installation, path: &Path) -> usize {
    let name = path.as_os_str().as_encoded_bytes();
    let times = |segment: Vec<u8>| segment.windows(name.len()).filter(|bytes| *bytes == name).count();
    let segments = fs::read_dir(here.path("agent/spool/log")).unwrap();
    // A segment may go while it is looked for.
    segments.filter_map(|segment| fs::read(segment.unwrap().path()).ok()).map(times).sum()
}

/// Waits until the agent's spool on the disk names this path more often than so many times.
fn wait_until_spool_tells_again_of(here: &Installation, path: &Path, told: usize) {
    let waiting = until(|| if times_in_spool(here, path) > told { Ok(()) } else { Err(()) });
    assert!(waiting.is_ok(), "nothing of {path:?} waits in the spool:\n{}", here.read_log("agent.log"));
}
