//! The text of files before and after a change.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::installation::{Installation, until};

const PASSWORD: &str = "hunter2-correct-horse";
const PLAIN: &str = "workers of this very test";

fn settings(number: u32) -> String {
    format!("[app]\n; {PLAIN}\nworkers = {number}\ndb_password = {PASSWORD}{number}\nname = shop\n")
}

/// Changes the file twice, the second time once the text of the first is there, and so before and after are known; the
/// last change's id and content.
fn changed(here: &Installation, name: &str, texts: [&[u8]; 2]) -> (String, Value) {
    let mut last = (String::new(), Value::Null);
    for text in texts {
        // At once, as editors do: nobody sees the file empty.
        fs::write(here.path("fresh"), text).unwrap();
        fs::rename(here.path("fresh"), here.watched(name)).unwrap();
        let about = format!(
            "ConfigurationChange | where FileSystemPath endswith '/watched/{name}' and ChangeId != '{}' \
             | order by TimeGenerated desc | take 1",
            last.0
        );
        let rows = here.query_until(&about, |rows| !rows.is_empty());
        let id = rows[0]["ChangeId"].as_str().unwrap().to_owned();
        let content = until(|| {
            let content = here.json(&["diff", &id, "--json"]);
            if content["after"] == "not-received" { Err(content) } else { Ok(content) }
        });
        let content =
            content.unwrap_or_else(|content| panic!("{content:#}\n{}", here.read_log("server.log")));
        last = (id, content);
    }
    last
}

#[test]
fn what_a_change_did_to_a_text_is_shown_without_its_secrets_and_lies_nowhere_in_plain_text() {
    let mut here = Installation::new();
    fs::write(here.watched("app.ini"), settings(1)).unwrap();
    fs::write(here.watched("program"), b"\x7fELF\0\x01").unwrap();
    here.up(&["--scan-interval", "1s"]);
    here.watch_only_own_tree();
    let said = here.run(&["rule", "edit", "own", "--upload-content"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(here.json(&["rule", "list", "--json"])[0]["uploadContent"], true);
    here.wait_for_baseline();
    crate::wait_until_rule_has_a_baseline(&here);

    let (id, content) = changed(&here, "app.ini", [settings(2).as_bytes(), settings(3).as_bytes()]);
    assert_eq!((&content["before"], &content["after"]), (&json!("text"), &json!("text")), "{content:#}");
    let shown = here.run(&["diff", &id]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    let lines: Vec<&str> = shown.stdout.lines().collect();
    for sign in ["-", "+"] {
        let has = |start: &str| lines.iter().any(|line| line.starts_with(&format!("{sign}{start}")));
        assert!(has("workers = ") && has("db_password = [masked:"), "{}", shown.stdout);
    }
    assert!(
        lines.contains(&" name = shop") && lines.contains(&format!(" ; {PLAIN}").as_str()),
        "{}",
        shown.stdout
    );
    assert!(!shown.stdout.contains(PASSWORD) && !content.to_string().contains(PASSWORD));

    let (id, _) = changed(&here, "program", [b"\x7fELF\0\x02", b"\x7fELF\0\x03"]);
    let said = here.run(&["diff", &id]);
    assert_eq!((said.code, said.stdout.as_str()), (0, ""));
    assert!(said.stderr.contains("it is not text"), "{}", said.stderr);

    assert!(here.path("data").join("content.sqlite").exists());
    for needle in [PASSWORD, PLAIN] {
        let found = files_with(&here.path("data"), needle.as_bytes());
        assert!(found.is_empty(), "{needle} is in {found:?}");
    }
}

/// The files in a folder that have these bytes.
fn files_with(folder: &Path, needle: &[u8]) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if let Ok(bytes) = fs::read(entry.path())
                && bytes.windows(needle.len()).any(|window| window == needle)
            {
                found.push(entry.path());
            }
        }
    }
    found
}
