//! What the commands say to a person.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::installation::{Installation, Said, finish, until};
use crate::{about, wait_until_rule_has_a_baseline, with_agent};

/// Fails unless the command ended with that code and said all of it on standard error.
fn said(said: &Said, code: i32, parts: &[&str]) {
    assert_eq!(said.code, code, "{}{}", said.stdout, said.stderr);
    for part in parts {
        assert!(said.stderr.contains(part), "no {part:?} in {}", said.stderr);
    }
}

/// The words of the lines of a table.
fn words(table: &str) -> Vec<Vec<&str>> {
    table
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect())
        .collect()
}

#[test]
fn rules_are_shown_and_changed_with_their_own_spelling_and_mistakes_in_their_place() {
    let mut here = Installation::new();
    here.up(&["--no-agent"]);
    assert_eq!(here.run(&["workspace", "create", "Trial"]).code, 0);
    said(&here.run(&["workspace", "create", "TRIAL"]), 1, &["there is a workspace \"Trial\" already"]);
    let rule = |arguments: &[&str]| here.run(&[&["rule"], arguments, &["-w", "trial"]].concat());

    let empty = rule(&["list"]);
    assert_eq!((empty.stdout.as_str(), empty.stderr.as_str()), ("", "no rules\n"));
    said(&rule(&["add", "--name", "Web", "--path", "/srv/**"]), 0, &["added rule Web"]);
    said(&rule(&["add", "--name", "WEB", "--path", "/srv"]), 1, &["there is a rule \"Web\" already"]);
    assert_eq!(
        words(&rule(&["list"]).stdout),
        [
            vec!["ENABLED", "TYPE", "GROUP", "NAME", "PATH"],
            vec!["yes", "linux-file", "Custom", "Web", "/srv/**"],
        ],
        "it works as new rules do, so that SETTINGS would be empty"
    );

    said(
        &rule(&["edit", "web", "--exclude", "*.log", "--exclude", "cache", "--recurse"]),
        0,
        &["changed rule Web"],
    );
    said(&rule(&["enable", "web"]), 0, &["rule Web was enabled already\n"]);
    said(&rule(&["disable", "web"]), 0, &["disabled rule Web;"]);
    said(&rule(&["disable", "web"]), 0, &["rule Web was disabled already\n"]);
    said(&rule(&["edit", "web", "--path-type", "folder"]), 0, &["changed rule Web"]);
    assert_eq!(
        words(&rule(&["list"]).stdout)[1],
        ["no", "linux-file", "Custom", "Web", "/srv/**", "recurse; path type: folder; exclude: *.log, cache"]
    );
    said(&rule(&["add", "--name", "x", "--path", "/x", "--path-type", "file"]), 0, &["added rule x"]);
    assert!(words(&rule(&["list"]).stdout)[2].contains(&"path type: file"));
    said(&rule(&["delete", "x"]), 0, &["deleted rule x\n"]);
    let mistake = "--exclude at column 1: ";
    said(&rule(&["edit", "web", "--exclude", "a", "--exclude", "["]), 1, &[mistake, "\n  | [\n  | ^"]);
    said(&rule(&["add", "--name", "x", "--path", "/x", "--exclude", "["]), 1, &[mistake, "\n  | [\n  | ^"]);
    said(&rule(&["add", "--name", "x", "--path", "/x["]), 1, &["--path at column 3: ", "\n  | /x[\n  |   ^"]);
    let windows =
        "--path at column 1: this is a path of Windows, for which a rule has the type windows-file (--type";
    said(&rule(&["add", "--name", "x", "--path", "C:\\x"]), 1, &[windows, "\n  | C:\\x\n  | ^^^^"]);
    let key = ["add", "--name", "x", "--type", "registry", "--path", "SOFTWARE\\x"];
    said(&rule(&key), 1, &["--path at column 1: a key is named with its hive: write a path such as HKEY_"]);
    said(&rule(&["edit", "wbe", "--recurse"]), 1, &["there is no rule \"wbe\"; ", "; did you mean \"Web\"?"]);
    said(&rule(&["edit", "web"]), 2, &["nothing to change", "steadfast rule edit --help"]);
    let long = rule(&["delete", &"x".repeat(5000)]);
    said(&long, 1, &["there is no rule \"xxx", "…"]);
    assert!(long.stderr.len() < 500, "{}", long.stderr);

    said(&rule(&["delete", "WEB"]), 0, &["deleted rule Web\n"]);
    assert_eq!(rule(&["list"]).stderr, "no rules\n");
}

#[test]
fn rules_are_listed_with_one_s_own_first_and_as_far_as_they_are_asked_for() {
    let mut here = Installation::new();
    here.up(&["--no-agent"]);
    let add = ["rule", "add", "--name", "keys", "--type", "registry", "--path", "HKLM\\SOFTWARE\\Vendor"];
    said(&here.run(&add), 0, &["added rule keys"]);
    said(&here.run(&["rule", "disable", "/etc/crontab"]), 0, &[]);
    let names = |filters: &[&str]| -> Vec<String> {
        let listed = here.run(&[&["rule", "list"], filters].concat());
        assert_eq!(listed.code, 0, "{}", listed.stderr);
        let table = words(&listed.stdout);
        table.iter().skip(1).map(|row| row[3].to_owned()).collect()
    };
    let all = names(&[]);
    assert_eq!((all.len(), all[0].as_str(), all[1].as_str()), (57, "keys", "/bin/login"));
    assert_eq!(names(&["--custom"]), ["keys"]);
    assert_eq!(names(&["--recommended"]).len(), 56);
    assert_eq!(names(&["--disabled"]), ["/etc/crontab"]);
    assert_eq!(names(&["--enabled", "--type", "linux-file"]).len(), 17);
    assert_eq!(names(&["--type", "registry"]).len(), 30);
    let none = here.run(&["rule", "list", "--custom", "--disabled"]);
    assert_eq!((none.stdout.as_str(), none.stderr.as_str()), ("", "no such rules\n"));
    for both in [["--custom", "--recommended"], ["--enabled", "--disabled"]] {
        said(&here.run(&[&["rule", "list"][..], &both].concat()), 2, &["cannot be used with"]);
    }
    // Programs get all fields, in the order in which the rules are tried.
    let listed = here.json(&["rule", "list", "--json"]);
    assert_eq!((listed.as_array().unwrap().len(), &listed[56]["name"]), (57, &json!("keys")));
    assert_eq!((&listed[0]["path"], &listed[0]["links"]), (&json!("/bin/login"), &json!("follow")));
    assert_eq!(here.json(&["rule", "list", "--json", "--custom"]).as_array().unwrap().len(), 1);
}

#[test]
fn a_new_rule_s_place_on_the_server_s_own_machine_is_told_where_it_may_be_less_than_was_thought() {
    let mut here = Installation::new();
    here.up(&["--no-agent"]);
    fs::create_dir(here.path("folder")).unwrap();
    fs::write(here.path("file"), "").unwrap();
    let folder = here.path("folder").display().to_string();
    let (missing, file) = (here.path("none").display().to_string(), here.path("file").display().to_string());
    let about_folder =
        format!("note: {folder} is a folder here: the rule is about it and what is directly in it; with");
    let about_missing =
        format!("note: there is no {missing} on this machine: the rule is about it once it is there");
    let add = |name: &str, path: &str, more: &[&str]| {
        here.run(&[&["rule", "add", "--name", name, "--path", path], more].concat())
    };
    said(&add("a", &folder, &[]), 0, &[&about_folder]);
    said(
        &add("b", "/", &[]),
        0,
        &["note: / is a folder here: the rule is about it and what is directly in it"],
    );
    said(&add("c", &missing, &[]), 0, &[&about_missing]);
    for (name, path, more) in [
        ("d", file.as_str(), &[][..]),
        ("e", &folder, &["--recurse"]),
        ("f", &missing, &["--recurse"]),
        ("g", &format!("{folder}/*"), &[]),
        ("h", "C:\\none", &["--type", "windows-file"]),
    ] {
        let added = add(name, path, more);
        assert_eq!((added.code, added.stderr.contains("note:")), (0, false), "{name}: {}", added.stderr);
    }
}

#[test]
fn a_recommended_item_that_was_deleted_is_put_back_by_enabling_and_one_that_was_disabled_is_not() {
    let mut here = Installation::new();
    here.up(&["--no-agent"]);
    said(&here.run(&["rule", "disable", "/bin/login"]), 0, &[]);
    let deleted = here.run(&["rule", "delete", "/etc/crontab"]);
    said(&deleted, 0, &["deleted rule /etc/crontab\n`steadfast fim enable` puts recommended items back; "]);
    let rules = |said: &Said| said.stdout.lines().find(|line| line.starts_with("Rules ")).unwrap().to_owned();
    assert_eq!(
        rules(&here.run(&["fim", "status"])),
        "Rules      54 of 55 enabled, with 54 of the 56 recommended items; `steadfast fim enable` adds what is missing"
    );
    let enabled = here.run(&["fim", "enable"]);
    said(&enabled, 0, &["put back, since deleted items are recommended still: /etc/crontab\n"]);
    let expected = "Rules      55 of 56 enabled, with 55 of the 56 recommended items";
    assert_eq!(rules(&enabled), expected);
    let again = here.run(&["fim", "enable"]);
    assert_eq!((rules(&again).as_str(), again.stderr.as_str()), (expected, ""));
    let crontab = &here.json(&["rule", "list", "--json"])[55];
    assert_eq!((&crontab["name"], &crontab["group"]), (&json!("/etc/crontab"), &json!("Recommended")));
}

#[test]
fn a_recommended_item_that_watches_something_else_is_told_as_changed_until_it_is_put_back() {
    let mut here = Installation::new();
    here.up(&["--no-agent"]);
    let edited = here.run(&["rule", "edit", "/etc/crontab", "--path", "/etc/foo"]);
    said(
        &edited,
        0,
        &["warning: the recommended item \"/etc/crontab\" is about /etc/crontab and set otherwise"],
    );
    said(&here.run(&["rule", "edit", "/usr/bin", "--exclude", "*"]), 0, &["counts as changed"]);
    let plain = here.run(&["rule", "edit", "/bin/login", "--group", "Ours"]);
    assert!(plain.code == 0 && !plain.stderr.contains("warning"), "{}", plain.stderr);
    let rules = |said: &Said| said.stdout.lines().find(|line| line.starts_with("Rules ")).unwrap().to_owned();
    let changed = "Rules      56 of 56 enabled, with 54 of the 56 recommended items; changed: /usr/bin, /etc/crontab \
                   (`steadfast fim enable --restore` puts them back)";
    assert_eq!(rules(&here.run(&["fim", "status"])), changed);
    let status = here.json(&["fim", "status", "--json"]);
    assert_eq!(status["recommended"]["changed"], json!(["/usr/bin", "/etc/crontab"]));

    let enabled = here.run(&["fim", "enable"]);
    assert_eq!((rules(&enabled).as_str(), enabled.stderr.as_str()), (changed, ""), "they stay as they are");
    said(&here.run(&["rule", "disable", "/usr/bin"]), 0, &[]);
    let restored = here.run(&["fim", "enable", "--restore"]);
    said(
        &restored,
        0,
        &["put back as recommended, in the place of what they were changed to: /usr/bin, /etc/crontab\n"],
    );
    assert_eq!(rules(&restored), "Rules      55 of 56 enabled, with 55 of the 56 recommended items");
    let rules = here.json(&["rule", "list", "--json"]);
    let rule = |name: &str| rules.as_array().unwrap().iter().find(|rule| rule["name"] == name).unwrap();
    assert_eq!(
        (&rule("/etc/crontab")["path"], &rule("/etc/crontab")["enabled"]),
        (&json!("/etc/crontab"), &json!(true))
    );
    assert_eq!((&rule("/usr/bin")["exclude"], &rule("/usr/bin")["enabled"]), (&json!([]), &json!(false)));
}

#[test]
fn monitoring_is_turned_on_and_set_and_shown() {
    let mut here = Installation::new();
    here.up(&["--no-agent"]);
    assert_eq!(here.run(&["workspace", "create", "trial"]).code, 0);
    let fim = |arguments: &[&str]| {
        let said = here.run(&[&["fim"], arguments, &["-w", "trial"]].concat());
        assert_eq!(said.code, 0, "{}", said.stderr);
        said.stdout.lines().map(|line| line.split_once(' ').unwrap().1.trim().to_owned()).collect::<Vec<_>>()
    };
    let off = fim(&["status"]);
    let none =
        "0 of 0 enabled, with 0 of the 56 recommended items; `steadfast fim enable` adds what is missing";
    assert_eq!(off[..5], ["trial", "disabled", "none", none, "0"]);
    let on = fim(&["enable"]);
    assert_eq!(
        on[1..4],
        ["enabled", "ChangeTracking", "56 of 56 enabled, with 56 of the 56 recommended items"]
    );
    let set =
        fim(&["collect", "--files", "30s", "--daemons", "1m", "--software", "off", "--inventory", "24h"]);
    assert_eq!(set[5..], ["every 30s", "every 1m", "not collected", "every 1d"]);
    assert_eq!(fim(&["status"]), set);
    said(
        &here.run(&["fim", "collect", "--files", "99999d"]),
        2,
        &["'99999d' for '--files <TIME>'", "from 1s to 7d"],
    );
    said(&here.run(&["fim", "collect", "--files", "off"]), 2, &["`steadfast fim disable` turns it off"]);
    assert_eq!(fim(&["disable"])[1..3], ["disabled", "none"]);
}

#[test]
fn a_machine_is_replaced_and_removed_by_the_name_that_it_has() {
    let mut here = Installation::new();
    here.up(&["--no-agent"]);
    assert_eq!(here.run(&["machine", "list"]).stderr, "no machines\n");
    said(
        &here.run(&["machine", "enroll-token", "--replace", "nosuch"]),
        1,
        &["there is no machine \"nosuch\""],
    );
    let token = here.run(&["machine", "enroll-token"]);
    said(
        &token,
        0,
        &["warning: other machines cannot reach https://127.0.0.1:", "--listen", "Run this there"],
    );
    assert_eq!(token.stdout.lines().count(), 1, "{}", token.stdout);

    here.enroll_agent();
    let listed = here.run(&["machine", "list"]).stdout;
    assert_eq!(words(&listed)[1][0], "trial-agent");
    assert!(words(&listed)[1].contains(&"never"), "{listed}");
    let workspaces = here.run(&["workspace", "list"]).stdout;
    let expected = ["default", "enabled", "0", "1", "0", "0"];
    assert_eq!(words(&workspaces)[1][..6], expected, "one machine, none of them reporting: {workspaces}");
    let replace = here.run(&["machine", "enroll-token", "--replace", "trial-agent"]);
    said(&replace, 0, &["takes the place of the one of that name", "trial-agent"]);
    let id = here.json(&["machine", "list", "--json"])[0]["id"].as_str().unwrap().to_owned();
    said(&here.run(&["changes", "--machine", &id]), 0, &["no changes in the last 1d\n"]);
    said(&here.run(&["fim", "disable"]), 0, &[]);
    let off = "monitoring is off in default; turn it on: steadfast fim enable\n";
    said(&here.run(&["changes"]), 0, &["no changes in the last 1d\n", off]);
    said(&here.run(&["fim", "enable"]), 0, &[]);
    said(&here.run(&["machine", "remove", &id]), 0, &["removed machine trial-agent"]);
    said(&here.run(&["machine", "remove", "trial-agent"]), 1, &["there is no machine \"trial-agent\""]);
    assert_eq!(here.run(&["machine", "list"]).stderr, "no machines\n");

    for arguments in
        [&["changes", "--machine", "nosuch"][..], &["changes", "--machine", "nosuch", "--follow"]]
    {
        said(&here.run(arguments), 1, &["there is no machine \"nosuch\"", "steadfast machine list"]);
    }
}

#[test]
fn where_nothing_changed_it_is_told_whether_anybody_looked() {
    let mut here = Installation::new();
    here.up(&["--no-agent", "--scan-interval", "1s"]);
    let no_machine = "no changes in the last 1m\nno machine is enrolled in default; ";
    said(&here.run(&["changes", "--since", "1m"]), 0, &[no_machine, "steadfast machine enroll-token\n"]);
    here.watch_only_own_tree();
    // Whether there are daemons and packages is the machine's own matter.
    said(&here.run(&["fim", "collect", "--daemons", "off", "--software", "off"]), 0, &[]);
    here.enroll_agent();
    here.start_agent();
    wait_until_rule_has_a_baseline(&here);
    wait_until_quiet_and_told(&here, |told| told == "no changes in the last 0s\n");
    said(&here.run(&["rule", "disable", "own"]), 0, &[]);
    wait_until_quiet_and_told(&here, |told| told.contains("\nno rule is in force in default; "));
    said(&here.run(&["rule", "enable", "own"]), 0, &[]);
    here.stop_agent();
    wait_until_quiet_and_told(&here, |told| {
        told.contains("\nnot all was watched: ")
            && told.ends_with("; steadfast query 'Coverage | where isnull(EndTime)'\n")
    });
    assert!(!here.query("Coverage | where isnull(EndTime) and Computer == 'trial-agent'").is_empty());
}

/// Waits until there is no change of the agent's machine just now, and that is told of it.
fn wait_until_quiet_and_told(here: &Installation, is_told: impl Fn(&str) -> bool) {
    let told = until(|| match here.run(&["changes", "--since", "0s", "--machine", "trial-agent"]) {
        quiet if is_told(&quiet.stderr) => Ok(()),
        other => Err(other.stderr),
    });
    told.unwrap_or_else(|told| panic!("it says {told:?}\n{}", here.read_log("agent.log")));
}

#[test]
fn an_agent_that_does_not_run_says_so_and_how_to_start_it() {
    let mut here = with_agent();
    here.start_agent();
    wait_until_rule_has_a_baseline(&here);
    let doctor = here.agent_said("doctor");
    assert!(doctor.stdout.starts_with("ok    running         the agent is running\n"), "{}", doctor.stdout);
    assert!(!doctor.stdout.contains("would notice"), "{}", doctor.stdout);
    assert!(!here.agent_said("status").stdout.contains("does not run"));

    here.stop_agent();
    let doctor = here.agent_said("doctor");
    let first = doctor.stdout.lines().next().unwrap();
    assert!(first.starts_with("BAD   running         the agent is not running: start it with "), "{first}");
    let folder = here.path("agent");
    assert!(first.ends_with(&format!("`steadfast-agent run --data-dir {}`", folder.display())), "{first}");
    assert_eq!(doctor.code, 1);
    assert!(!doctor.stdout.contains(" notices changes"), "{}", doctor.stdout);
    let status = here.agent_said("status");
    for line in ["noticed by       nothing, the agent does not run", "next scan        when it runs"] {
        assert!(status.stdout.contains(line), "no {line:?} in {}", status.stdout);
    }
    assert_eq!(here.agent_status()["nextScan"], Value::Null);
    assert_eq!(here.agent_status()["openGaps"], Value::Null);
}

#[test]
fn a_query_reads_the_time_that_is_asked_for_and_says_when_there_is_nothing() {
    let mut here = Installation::new();
    here.up(&["--no-agent"]);
    // A question is in this table before it is answered.
    here.query("print 1");
    let count = |timespan: &str| {
        let rows = here.json(&["query", "--json", "--timespan", timespan, "LAQueryLogs | count"]);
        rows[0]["Count"].as_u64().unwrap()
    };
    assert!(count("P1D") > 0);
    assert_eq!(count("2020-01-01/2020-01-02"), 0);
    let none = here.run(&["query", "--timespan", "2020-01-01/2020-01-02", "LAQueryLogs"]);
    assert_eq!((none.code, none.stdout.as_str(), none.stderr.as_str()), (0, "", "no rows\n"));
    said(&here.run(&["query", "--timespan", "yesterday", "LAQueryLogs"]), 1, &["yesterday"]);
    let turned = here.run(&["query", "--timespan", "2020-01-02/2020-01-01", "LAQueryLogs"]);
    said(&turned, 1, &["2020-01-02/2020-01-01", "does not end after its beginning"]);
    let sparse = here.run(&["query", "print A = 1, B = '', C = 2"]);
    assert_eq!(words(&sparse.stdout), [["A", "C"], ["1", "2"]]);
    assert_eq!(sparse.stderr, "left out, since they are empty in all rows: B\n");
}

#[test]
fn a_query_that_is_too_large_is_answered_by_the_server_s_own_words() {
    let mut here = Installation::new();
    here.up(&["--no-agent"]);
    let text = format!("print \"{}\"", "a".repeat(1_300_000));
    fs::write(here.path("large.kql"), text).unwrap();
    for _ in 0..10 {
        let query = fs::File::open(here.path("large.kql")).unwrap();
        said(&finish(here.steadfast(&["query", "-"]).stdin(query)), 1, &["send less at a time"]);
    }
}

#[test]
fn a_server_that_is_started_alone_says_how_to_sign_in_until_somebody_has_a_password() {
    let mut here = Installation::new();
    here.serve_anew();
    let links = here.sign_in_links();
    assert_eq!(links.len(), 1, "{}", here.read_log("server.log"));
    let (page, code) = links[0].split_once("/login#code=").unwrap();
    let sign_in = || {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        let request = agent.post(format!("{page}/api/v1/session/one-time"));
        request.send_json(json!({ "code": code })).unwrap()
    };
    let mut session = sign_in();
    assert_eq!(session.status(), 200);
    let cookie = session.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let session: Value = session.body_mut().read_json().unwrap();
    assert_eq!((&session["user"]["name"], &session["mustSetPassword"]), (&json!("admin"), &json!(true)));
    assert_eq!(sign_in().status(), 401, "it works once");

    // The cookie goes to every port of the machine, and so to whoever listens on another one.
    let anybody = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    for name in ["steadfast_session", "__Host-steadfast_session"] {
        let stolen = format!("{name}={}", cookie.split_once('=').unwrap().1);
        for path in ["session", "workspaces", "workspaces/default/changes/stream"] {
            let asked = anybody.get(format!("{page}/api/v1/{path}")).header("cookie", &stolen).call();
            assert_eq!(asked.unwrap().status(), 401, "{path} by {name}");
        }
    }

    // Who runs the server has the other commands, and with them the next link.
    assert!(here.run(&["sign-in"]).stdout.starts_with(&format!("{page}/login#code=")));
    let set = ureq::put(format!("{page}/api/v1/users/me/password"))
        .header("cookie", &cookie)
        .header("steadfast-session-key", session["sessionKey"].as_str().unwrap())
        .send_json(json!({ "newPassword": "correct horse battery" }));
    assert_eq!(set.unwrap().status(), 204);
    here.stop_server();
    here.serve_anew();
    assert_eq!(here.sign_in_links(), links);
}

#[test]
fn tokens_are_listed_with_the_names_and_times_that_a_person_knows() {
    let mut here = Installation::new();
    here.up(&["--no-agent"]);
    for (name, more) in [("ci", &["--scope", "default"][..]), ("all", &["--expires-in", "1h"])] {
        assert_eq!(here.run(&[&["token", "create", "--name", name], more].concat()).code, 0);
    }
    let listed = here.run(&["token", "list"]).stdout;
    let table = words(&listed);
    let local: Vec<_> = table.iter().skip(1).filter(|row| row[0].starts_with("local")).collect();
    assert_eq!((local.len(), local[0][0], local[0].last()), (1, "local", Some(&"this machine")), "{listed}");
    let column = |heading: &str| table[0].iter().position(|name| *name == heading).unwrap();
    let of = |name: &str| table.iter().find(|row| row[0] == name).unwrap();
    assert_eq!((of("ci")[column("SCOPE")], of("ci")[column("EXPIRES")]), ("default", "never"));
    assert_eq!(of("ci")[column("BY")], "token:local");
    let ends = of("all")[column("EXPIRES")];
    assert_eq!(
        (of("all")[column("SCOPE")], ends.len()),
        ("all", "2026-11-23 06:38:19+00:00".len()),
        "{listed}"
    );
    said(&here.run(&["token", "create", "--name", "CI"]), 1, &["there is an API token \"ci\" already"]);
}

#[test]
fn the_server_is_the_same_however_it_is_named_and_what_is_empty_is_not_set() {
    let mut here = Installation::new();
    here.up(&["--no-agent"]);
    let address = here.address().to_owned();
    for server in [address.clone(), format!("https://{address}/"), format!("HTTPS://{address}")] {
        assert_eq!(here.run(&["--server", &server, "workspace", "list"]).code, 0, "{server}");
    }
    said(&here.run(&["--server", &format!("http://{address}"), "workspace", "list"]), 2, &["by https only"]);

    let names = ["SERVER", "TOKEN", "CA", "WORKSPACE"].map(|name| format!("STEADFAST_{name}"));
    let mut empty = here.steadfast(&["rule", "list"]);
    for name in names {
        empty.env(name, "");
    }
    // What is another machine's proxy is not asked about this one.
    empty.env("HTTPS_PROXY", "http://127.0.0.1:1").env_remove("NO_PROXY").env_remove("no_proxy");
    said(&finish(&mut empty), 0, &[]);

    let file = here.path("not-a-certificate");
    fs::write(&file, "hello").unwrap();
    let file = file.to_str().unwrap();
    said(&here.run(&["--ca", file, "workspace", "list"]), 5, &[file, "no certificate in PEM form"]);
    let nowhere = "cannot read /nowhere.pem, which --ca or STEADFAST_CA names: ";
    said(&here.run(&["--ca", "/nowhere.pem", "workspace", "list"]), 5, &[nowhere, "pki/ca.pem"]);
}

#[test]
fn a_data_directory_that_may_not_be_written_is_named_with_what_to_do() {
    let here = Installation::new();
    let locked = here.path("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o500)).unwrap();
    let mut up = here.steadfast(&["up", "--no-agent", "--listen", "127.0.0.1:0", "--page", "127.0.0.1:0"]);
    up.arg("--data-dir").arg(locked.join("data"));
    let refused = finish(&mut here.as_modes_bind(&up));
    said(&refused, 5, &["locked/data", "ermission denied", "--data-dir", "let this user write there"]);
    assert!(!locked.join("data").exists());
}

#[test]
fn who_follows_changes_over_a_restart_sees_each_new_one_once_and_none_of_before() {
    let mut here = with_agent();
    here.start_agent();
    wait_until_rule_has_a_baseline(&here);
    fs::write(here.watched("before"), "x").unwrap();
    here.query_until(&about("before"), |rows| !rows.is_empty());

    let mut followed =
        here.follow(&["changes", "--since", "0s", "--follow", "--json", "--machine", "TRIAL-AGENT"]);
    let mut seen = Vec::new();
    let mut read_to = |name: &str, seen: &mut Vec<String>| {
        for line in followed.lines.by_ref() {
            let change: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let entity = change["entity"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            seen.push(entity.clone());
            if entity == name {
                return;
            }
        }
        panic!("it ended before {name} came: {seen:?}");
    };
    // What changes before it asks is of before, too: so it is changed until it is shown.
    let is_shown = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 0;
            while !is_shown.load(Ordering::Relaxed) {
                number += 1;
                fs::write(here.watched("first"), number.to_string()).unwrap();
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        read_to("first", &mut seen);
        is_shown.store(true, Ordering::Relaxed);
    });
    here.stop_server();
    fs::write(here.watched("meanwhile"), "x").unwrap();
    here.up(&["--no-agent"]);
    read_to("meanwhile", &mut seen);
    fs::write(here.watched("after"), "x").unwrap();
    read_to("after", &mut seen);
    assert!(!seen.iter().any(|name| name == "before"), "{seen:?}");
    // What was made and changed beforehand may be told late.
    seen.retain(|name| name != "first" && name != ".probe");
    assert_eq!(seen, ["meanwhile", "after"]);
    let log = here.read_log("follow.log");
    assert!(log.matches("retrying").count() <= 1, "{log}");
}

#[test]
fn a_change_is_told_to_a_person_with_its_old_name_and_who_made_it_or_why_not() {
    let mut here = with_agent();
    fs::write(here.watched("old"), "x").unwrap();
    here.start_agent();
    wait_until_rule_has_a_baseline(&here);
    fs::rename(here.watched("old"), here.watched("new")).unwrap();
    here.query_until(&about("new"), |rows| !rows.is_empty());
    let told = here.run(&["changes", "--since", "1h"]).stdout;
    let (old, new) = (here.watched("old"), here.watched("new"));
    let line = told.lines().find(|line| line.contains(new.to_str().unwrap())).unwrap();
    let shown = here.run(&["changes", "--since", "1h", "--json"]).stdout;
    let mut shown = shown.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let shown = shown.find(|change| change["entity"] == new.to_str().unwrap()).unwrap();
    match (shown["who"].as_str(), shown["whoUnknown"].as_str()) {
        (Some(who), None) => assert!(line.contains(&format!("  by {who}")), "{line}"),
        (None, Some(why)) => assert!(line.ends_with(&format!("  by ? ({why})")), "{line}"),
        both => panic!("somebody is named, or the reason why nobody is: {both:?}"),
    }
    // Without real time a move is what goes and what comes.
    if here.agent_status()["provider"] != "scan" {
        assert!(line.contains(&format!("{}, moved from {}", new.display(), old.display())), "{line}");
    }
}
