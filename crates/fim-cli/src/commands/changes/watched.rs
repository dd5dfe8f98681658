//! Where there are no changes: whether that is because nobody looked.

use chrono::{SecondsFormat, Utc};
use serde_json::Value;

use super::Wanted;
use crate::args::DEFAULT_WORKSPACE;
use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::table::plain;

/// Why there may have been changes all the same, and how to learn more; `None` if all was watched.
pub fn doubt(client: &Client, workspace: &str, wanted: &Wanted) -> Result<Option<String>, Failure> {
    let of_workspace = format!("/workspaces/{}", segment(workspace));
    let end = Utc::now() + chrono::Duration::hours(1);
    let [from, to] =
        [wanted.since, end].map(|time| segment(&time.to_rfc3339_opts(SecondsFormat::Micros, true)));
    let fim: Value = client.get(&format!("{of_workspace}/fim"))?;
    let gaps: Value = client.get(&format!("{of_workspace}/coverage?from={from}&to={to}"))?;
    let of_machine: Vec<&Value> =
        gaps.as_array().into_iter().flatten().filter(|gap| wanted.is_of_machine(gap)).collect();
    Ok(doubt_of(workspace, &fim, &of_machine))
}

fn doubt_of(workspace: &str, fim: &Value, gaps: &[&Value]) -> Option<String> {
    let option =
        if workspace == DEFAULT_WORKSPACE { String::new() } else { format!(" -w '{}'", plain(workspace)) };
    let workspace = plain(workspace);
    if fim["state"] != "enabled" {
        return Some(format!("monitoring is off in {workspace}; turn it on: steadfast fim enable{option}"));
    }
    if fim["machines"] == 0 {
        return Some(format!(
            "no machine is enrolled in {workspace}; make a token for one: steadfast machine enroll-token{option}"
        ));
    }
    if fim["rules"]["enabled"] == 0 {
        return Some(format!("no rule is in force in {workspace}; see them: steadfast rule list{option}"));
    }
    let open = gaps.iter().filter(|gap| gap["end"].is_null()).count();
    let (count, kind, kql) = match (open, gaps.len()) {
        (0, 0) => return None,
        (0, ended) => (ended, "gap", "Coverage"),
        (open, _) => (open, "open gap", "Coverage | where isnull(EndTime)"),
    };
    let plural = if count == 1 { "" } else { "s" };
    Some(format!("not all was watched: {count} {kind}{plural}; steadfast query{option} '{kql}'"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn where_nothing_changed_it_is_told_why_something_may_have() {
        let fim = |state: &str, machines: u64, enabled: u64| json!({ "state": state, "machines": machines, "rules": { "enabled": enabled } });
        let on = fim("enabled", 1, 1);
        let [open, ended] = [Value::Null, json!("2026-11-23T06:38:19Z")].map(|end| json!({ "end": end }));
        for (fim, gaps, expected) in [
            (&on, vec![], None),
            (&on, vec![&ended], Some("not all was watched: 1 gap; steadfast query -w 'prod' 'Coverage'")),
            (
                &on,
                vec![&open, &open, &ended],
                Some(
                    "not all was watched: 2 open gaps; steadfast query -w 'prod' 'Coverage | where isnull(EndTime)'",
                ),
            ),
            (
                &fim("enabled", 1, 0),
                vec![],
                Some("no rule is in force in prod; see them: steadfast rule list -w 'prod'"),
            ),
            (
                &fim("enabled", 0, 1),
                vec![],
                Some(
                    "no machine is enrolled in prod; make a token for one: steadfast machine enroll-token -w 'prod'",
                ),
            ),
            (
                &fim("disabled", 1, 1),
                vec![&open],
                Some("monitoring is off in prod; turn it on: steadfast fim enable -w 'prod'"),
            ),
        ] {
            assert_eq!(doubt_of("prod", fim, &gaps).as_deref(), expected);
        }
        let told = doubt_of("default", &on, &[&open]);
        let expected = "not all was watched: 1 open gap; steadfast query 'Coverage | where isnull(EndTime)'";
        assert_eq!(told.as_deref(), Some(expected));
    }
}
