//! A machine with Windows beside one with Linux, and a real server.

use std::fs;

use serde_json::json;

use crate::installation::{Installation, until};
use crate::windows::{Registry, Wine};

#[test]
fn a_recommended_key_of_the_32_bit_view_and_a_file_of_linux_are_counted_by_one_question() {
    let Some(wine) = Wine::here() else { return };
    let mut here = Installation::new();
    // With an agent of this machine's own.
    here.up(&["--scan-interval", "1s"]);
    let recommended = here.json(&["rule", "list", "--json"]);
    let watched_key =
        recommended.as_array().unwrap().iter().find(|rule| rule["path"] == KEY).unwrap().clone();
    assert_eq!((&watched_key["group"], &watched_key["enabled"]), (&json!("Recommended"), &json!(true)));
    for rule in recommended.as_array().unwrap().iter().filter(|rule| rule["path"] != KEY) {
        assert_eq!(here.run(&["rule", "delete", rule["name"].as_str().unwrap()]).code, 0);
    }
    assert_eq!(here.run(&["rule", "edit", watched_key["name"].as_str().unwrap(), "--recurse"]).code, 0);
    let tree = here.watched("**");
    let rule = ["rule", "add", "--type", "linux-file", "--name", "own", "--path", tree.to_str().unwrap()];
    assert_eq!(here.run(&rule).code, 0);
    wine.enroll(&here);
    let _agent = wine.start(&here);

    let name = here.path("").file_name().unwrap().to_str().unwrap().to_owned();
    let registry = Registry { wine: &wine, key: format!(r"{KEY}\{name}") };
    let mut number = 0;
    let is_watched = until(|| {
        number += 1;
        registry.set("", "probe", "REG_DWORD", &number.to_string());
        fs::write(here.watched("probe"), number.to_string()).unwrap();
        let rows = here
            .query("ConfigurationChange | where Name == 'probe' or ValueName == 'probe' | distinct Computer");
        if rows.len() == 2 { Ok(()) } else { Err(rows) }
    });
    assert!(is_watched.is_ok(), "{is_watched:?}\n{}", here.read_log("agent.log"));

    let told = |query: &str| {
        let query = format!("ConfigurationChange | where RegistryKey has '{name}' and {query}");
        here.query_until(&query, |rows| !rows.is_empty()).remove(0)
    };
    registry.set(r"\sub", "inner", "REG_SZ", "x");
    let row = told("ValueName == 'inner' and ChangeCategory == 'Added'");
    let key = format!(r"HKEY_LOCAL_MACHINE\{}\{name}\sub", KEY.split_once('\\').unwrap().1);
    assert_eq!((&row["RegistryKey"], &row["Hive"]), (&json!(key), &json!("HKEY_LOCAL_MACHINE")), "{row:#}");
    told("RegistryKey endswith 'sub' and isempty(ValueType) and ChangeCategory == 'Added'");
    registry.set(r"\sub", "inner", "REG_EXPAND_SZ", "x");
    let row = told("ValueName == 'inner' and ChangeCategory == 'Modified'");
    assert_eq!(
        (&row["PreviousValueType"], &row["ValueType"]),
        (&json!("REG_SZ"), &json!("REG_EXPAND_SZ")),
        "{row:#}"
    );
    registry.remove(r"\sub", None);
    told("RegistryKey endswith 'sub' and isempty(ValueType) and ChangeCategory == 'Removed'");

    let own = here.query("Heartbeat | where OSType == 'Linux' | distinct Computer").remove(0);
    let summary = "ConfigurationChange | where ConfigChangeType in ('Registry', 'Files') \
                   | summarize count() by Computer, ConfigChangeType \
                   | project Computer, ConfigChangeType | order by ConfigChangeType asc";
    assert_eq!(
        here.query(summary),
        [
            json!({"Computer": own["Computer"], "ConfigChangeType": "Files"}),
            json!({"Computer": "win01", "ConfigChangeType": "Registry"}),
        ]
    );
}

/// One of the keys that are recommended.
const KEY: &str = r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows NT\CurrentVersion\Winlogon";
