//! `steadfast diff`: what a change did to the text of a file.

use serde_json::Value;

use super::print_json;
use crate::args::DiffArgs;
use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::out;
use crate::table::{plain, text};

/// Prints how the text differs, as a unified diff for a person. What there is no text of is said instead.
pub fn run(client: &Client, args: &DiffArgs) -> Result<(), Failure> {
    let workspace = segment(&args.workspace.workspace);
    let path = format!("/workspaces/{workspace}/changes/{}/content", segment(&args.change));
    let content: Value = client.get(&path)?;
    if args.format.json {
        print_json(&content);
        return Ok(());
    }
    let lines = unified(&content);
    lines.iter().for_each(out::line);
    if lines.is_empty() {
        eprintln!("{}", why_nothing(&content));
    }
    if content["isCut"] == true {
        eprintln!("steadfast: the difference goes on; only its beginning is shown");
    }
    Ok(())
}

/// The lines of a unified diff; none if there is nothing to show.
fn unified(content: &Value) -> Vec<String> {
    let hunks: Vec<&Value> = content["hunks"].as_array().into_iter().flatten().collect();
    if hunks.is_empty() {
        return Vec::new();
    }
    let name = |side: &str| match content[side].as_str() {
        Some("no-file") => "/dev/null".to_owned(),
        Some(_) | None => format!("{}:{} ({side})", text(&content["machine"]), text(&content["entity"])),
    };
    let mut lines = vec![format!("--- {}", name("before")), format!("+++ {}", name("after"))];
    for hunk in hunks {
        let range = |side: &str| format!("{},{}", hunk[format!("{side}Start")], hunk[format!("{side}Lines")]);
        lines.push(format!("@@ -{} +{} @@", range("before"), range("after")));
        let told: Vec<&Value> = hunk["lines"].as_array().into_iter().flatten().collect();
        // Lines that end as those of Windows do are shown so only where others do not.
        let has_returns =
            told.iter().all(|line| line["text"].as_str().is_some_and(|text| text.ends_with('\r')));
        for line in told {
            let sign = match line["kind"].as_str() {
                Some("removed") => '-',
                Some("added") => '+',
                Some(_) | None => ' ',
            };
            let shown = line["text"].as_str().unwrap_or_default();
            let shown = if has_returns { shown.trim_end_matches('\r') } else { shown };
            let shown: Vec<String> = shown.split('\t').map(plain).collect();
            lines.push(format!("{sign}{}", shown.join("\t")));
            if line["isUnended"] == true {
                lines.push("\\ No newline at end of file".to_owned());
            }
        }
    }
    lines
}

/// Why there is nothing to show.
fn why_nothing(content: &Value) -> String {
    let sides = ["before", "after"].map(|side| (side, content[side].as_str().unwrap_or_default()));
    let lacking: Vec<String> = sides
        .into_iter()
        .filter(|(_, state)| !matches!(*state, "text" | "no-file"))
        .map(|(side, state)| format!("{side} the change: {}", why(state)))
        .collect();
    if lacking.is_empty() {
        return "the text is the same before and after the change".to_owned();
    }
    format!("there is no text to compare of {}; {}", text(&content["entity"]), lacking.join("; "))
}

fn why(state: &str) -> &str {
    match state {
        "unknown" => "the record does not say what the content was",
        "not-received" => {
            "none was received; a rule with --upload-content has it stored from the agent's next scan on"
        }
        "too-large" => "the file is too large to have its text stored",
        "not-text" => "it is not text",
        "changed-while-read" => "the file was changed again before its text was read",
        "unreadable" => "the file could not be read for its text",
        "limit-reached" => "what the server keeps of the machine or its workspace was full",
        "lost" => "it was encrypted with a key that is gone, or is damaged",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_difference_is_shown_as_other_programs_show_it_with_nothing_hidden_in_it() {
        let content = json!({
            "machine": "web", "entity": "/etc/a", "before": "text", "after": "text",
            "hunks": [{"beforeStart": 1, "beforeLines": 2, "afterStart": 1, "afterLines": 2, "lines": [
                {"kind": "same", "text": "a\tb\\t"},
                {"kind": "removed", "text": "x\u{1b}[2J"},
                {"kind": "added", "text": "y", "isUnended": true},
            ]}],
        });
        assert_eq!(
            unified(&content),
            [
                "--- web:/etc/a (before)",
                "+++ web:/etc/a (after)",
                "@@ -1,2 +1,2 @@",
                " a\tb\\t",
                "-x\\u{1b}[2J",
                "+y",
                "\\ No newline at end of file"
            ]
        );
    }

    #[test]
    fn what_there_is_no_text_of_is_said_with_the_reason() {
        let content = json!({"entity": "/bin/ls", "before": "text", "after": "not-text", "hunks": []});
        assert_eq!(
            why_nothing(&content),
            "there is no text to compare of /bin/ls; after the change: it is not text"
        );
        let content = json!({"entity": "/a", "before": "no-file", "after": "text", "hunks": []});
        assert_eq!(why_nothing(&content), "the text is the same before and after the change");
    }
}
