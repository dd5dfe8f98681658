//! A change as one line for a person.

use serde_json::Value;

use crate::table::{moment, plain, text};

/// When, what kind, where, what, which of its aspects, and by whom.
pub fn describe(change: &Value) -> String {
    let time = moment(change["time"].as_str().unwrap_or_default());
    // Files are what most changes are of, and their paths say so.
    let kind = match change["type"].as_str() {
        None | Some("Files") => String::new(),
        Some(kind) => format!("{}  ", plain(kind)),
    };
    let moved =
        change["movedFrom"].as_str().map_or_else(String::new, |from| format!(", moved from {}", plain(from)));
    let fields: Vec<String> = change["fields"]
        .as_array()
        .map(|fields| fields.iter().map(|field| describe_field(field, change)).collect())
        .unwrap_or_default();
    let fields = if fields.is_empty() { String::new() } else { format!("  ({})", fields.join(", ")) };
    format!(
        "{time}  {:<8}  {}  {kind}{}{moved}{fields}  by {}{}",
        text(&change["category"]),
        text(&change["machine"]),
        text(&change["entity"]),
        author(change),
        others(change)
    )
}

/// A field that differs; of a version also which it was and which it is.
fn describe_field(field: &Value, change: &Value) -> String {
    match (field.as_str(), change["versionBefore"].as_str(), change["versionAfter"].as_str()) {
        (Some("Current"), Some(before), Some(after)) => {
            format!("Current {} → {}", plain(before), plain(after))
        }
        _ => text(field),
    }
}

/// Who made it, with which program; `?` and why for what is not known.
fn author(change: &Value) -> String {
    let actor = &change["actor"];
    let program = actor["executable"].as_str();
    match (person(change), program) {
        (Some(person), Some(program)) => format!("{person} with {}", plain(program)),
        (Some(person), None) => person,
        (None, Some(program)) => format!("? with {}", plain(program)),
        (None, None) if actor.is_object() => format!("? with process {}", text(&actor["processId"])),
        (None, None) => match change["whoUnknown"].as_str() {
            Some(why) => format!("? ({})", plain(why)),
            None => "?".to_owned(),
        },
    }
}

/// `root (sudo: amira)`: whose rights it had, and who had signed in if that is somebody else.
fn person(change: &Value) -> Option<String> {
    let actor = &change["actor"];
    let user = actor["user"].as_str().or(change["who"].as_str());
    let Some(login) = actor["loginUser"].as_str().filter(|login| Some(*login) != user) else {
        return user.map(plain);
    };
    let parents = actor["parents"].as_str().unwrap_or_default();
    let by = parents.split(" < ").find(|parent| BECOMES.contains(parent)).unwrap_or("signed in");
    Some(format!("{} ({by}: {})", plain(user.unwrap_or("?")), plain(login)))
}

/// `, and others: /usr/bin/dd (6, nobody); 2 more`: who else had a part in it, nothing if nobody is known to.
fn others(change: &Value) -> String {
    let named = change["others"].as_array().into_iter().flatten().map(other);
    let more = change["moreOthers"].as_u64().filter(|more| *more > 0).map(|more| format!("{more} more"));
    let all: Vec<String> = named.chain(more).collect();
    if all.is_empty() { String::new() } else { format!(", and others: {}", all.join("; ")) }
}

/// `/usr/bin/dd (6, nobody, in a view of its own)`: program, process and whose rights it had.
fn other(process: &Value) -> String {
    let mut facts = vec![text(&process["processId"])];
    facts.extend(process["user"].as_str().map(plain));
    facts.extend((process["hasOwnView"] == true).then(|| "in a view of its own".to_owned()));
    format!("{} ({})", plain(process["executable"].as_str().unwrap_or("?")), facts.join(", "))
}

/// Programs by which somebody acts with the rights of somebody else.
const BECOMES: &[&str] = &["sudo", "su", "doas", "pkexec", "runuser"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What is told of a change with these fields, without what every change has.
    fn check(fields: &Value, expected: &str) {
        let mut change = json!({
            "time": "t", "category": "Modified", "machine": "web-1", "entity": "/etc/a", "fields": [], "who": "root",
        });
        for (name, value) in fields.as_object().unwrap() {
            change[name] = value.clone();
        }
        assert_eq!(describe(&change), format!("t  Modified  web-1  {expected}"));
    }

    #[test]
    fn a_change_is_one_line_whatever_its_name_holds() {
        let change = json!({ "entity": "/etc/a\nb", "fields": ["Size", "Mode"] });
        check(&change, "/etc/a\\nb  (Size, Mode)  by root");
    }

    #[test]
    fn a_moment_is_told_to_the_second_with_its_time_zone() {
        let change = json!({ "time": "2026-11-23T06:38:19.123456Z" });
        let line = describe(&change);
        let time = chrono::DateTime::parse_from_str(&line[..25], "%Y-%m-%d %H:%M:%S%:z").unwrap();
        assert_eq!(time.to_rfc3339(), time.to_utc().with_timezone(time.offset()).to_rfc3339());
        assert_eq!(time.to_utc().to_rfc3339(), "2026-11-23T06:38:19+00:00");
        assert!(line[25..].starts_with("  "), "{line}");
    }

    #[test]
    fn a_change_says_by_whom_and_with_which_program_where_that_is_known() {
        check(&json!({}), "/etc/a  by root");
        let vim = json!({ "executable": "/usr/bin/vim", "processId": 7, "user": "root" });
        check(&json!({ "actor": vim }), "/etc/a  by root with /usr/bin/vim");
        let mut sudo = vim.clone();
        sudo["loginUser"] = json!("amira");
        sudo["parents"] = json!("sudo < bash < sshd");
        check(&json!({ "actor": sudo }), "/etc/a  by root (sudo: amira) with /usr/bin/vim");
        sudo["parents"] = json!("cron");
        check(&json!({ "actor": sudo }), "/etc/a  by root (signed in: amira) with /usr/bin/vim");
        let nameless = json!({ "executable": "/bin/dd\u{1b}", "processId": 7 });
        check(&json!({ "actor": nameless, "who": null }), "/etc/a  by ? with /bin/dd\\u{1b}");
        check(&json!({ "actor": { "processId": 7 }, "who": null }), "/etc/a  by ? with process 7");
    }

    #[test]
    fn a_change_whose_author_is_not_known_says_why() {
        let ended = json!({ "who": null, "whoUnknown": "the process had ended\u{1b}" });
        check(&ended, "/etc/a  by ? (the process had ended\\u{1b})");
        check(&json!({ "who": null }), "/etc/a  by ?");
        let claimed = "Who did it is not known: the process had ended before it could be asked.";
        check(&json!({ "who": null, "explanation": claimed }), "/etc/a  by ?");
    }

    #[test]
    fn a_change_in_which_several_had_a_part_names_them_all() {
        let chmod = json!({ "executable": "/usr/bin/chmod", "processId": 7, "user": "root" });
        let by = "/etc/a  by root with /usr/bin/chmod";
        let dd = json!({ "executable": "/usr/bin/dd", "processId": 6, "user": "nobody" });
        let hidden = json!({ "executable": "/bin/sh\n", "processId": 5, "hasOwnView": true });
        let nameless = json!({ "processId": 4 });
        for (others, more, told) in [
            (json!([dd]), json!(null), "/usr/bin/dd (6, nobody)"),
            (json!([dd, hidden]), json!(0), "/usr/bin/dd (6, nobody); /bin/sh\\n (5, in a view of its own)"),
            (json!([nameless]), json!(2), "? (4); 2 more"),
        ] {
            let change = json!({ "actor": chmod, "others": others, "moreOthers": more });
            check(&change, &format!("{by}, and others: {told}"));
        }
        check(&json!({ "actor": chmod, "explanation": "Others had a part in it: amira." }), by);
    }

    #[test]
    fn a_move_says_what_it_was_called() {
        let change = json!({ "movedFrom": "/etc/b\n", "fields": ["FileSystemPath"] });
        check(&change, "/etc/a, moved from /etc/b\\n  (FileSystemPath)  by root");
    }

    #[test]
    fn a_change_that_is_of_no_file_says_of_what() {
        let change = json!({ "type": "Daemons", "entity": "ssh", "fields": ["SvcState"] });
        check(&change, "Daemons  ssh  (SvcState)  by root");
    }

    #[test]
    fn a_change_of_a_version_says_which_it_was_and_which_it_is() {
        let change = json!({
            "type": "Software", "entity": "bash", "fields": ["Current", "Publisher"],
            "versionBefore": "5.2", "versionAfter": "99.9",
        });
        check(&change, "Software  bash  (Current 5.2 → 99.9, Publisher)  by root");
    }
}
