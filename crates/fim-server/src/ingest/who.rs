//! Who made a change, in our columns; pure.

use fim_core::{Actor, ChangeEvent, Principal};
use fim_store::Value;

use super::columns::Columns;
use crate::api::model::ChangeActor;

/// The columns of who made a change.
///
/// The columns have room for one process: the one that acted last, which left the entity as it is. The others, and why
/// somebody is not known, are told in `Explanation`.
pub(super) fn who_columns(event: &ChangeEvent) -> Columns {
    let mut columns = Columns::new();
    if let Some(actor) = event.who.actors.last() {
        let text = |text: &Option<String>| text.clone().map_or(Value::Null, Value::Owned);
        let person = |person: &Option<Principal>| {
            person.as_ref().map_or(Value::Null, |person| Value::Owned(principal_text(person)))
        };
        columns.extend([
            ("InitiatingProcessName", Value::Owned(program_of(actor))),
            ("InitiatingProcessId", Value::Number(actor.process_id.into())),
            ("InitiatingProcessCommandLine", text(&actor.command_line)),
            ("InitiatingProcessAccountName", person(&actor.user)),
            ("InitiatingProcessParentName", Value::Owned(parents_of(actor))),
            ("LoginAccountName", person(&actor.login_user)),
            ("ContainerId", text(&actor.container)),
        ]);
    }
    if let Some(explanation) = explanation_of(event) {
        columns.push(("Explanation", Value::Owned(explanation)));
    }
    columns
}

/// The process that a change is put down to, as [`who_columns`] keeps it: the one that acted last.
pub(super) fn actor_of(event: &ChangeEvent) -> Option<ChangeActor> {
    let actor = event.who.actors.last()?;
    let some = |text: String| (!text.is_empty()).then_some(text);
    Some(ChangeActor {
        executable: some(program_of(actor)),
        process_id: actor.process_id.into(),
        command_line: actor.command_line.clone().and_then(some),
        user: actor.user.as_ref().map(principal_text),
        login_user: actor.login_user.as_ref().map(principal_text),
        parents: some(parents_of(actor)),
        container: actor.container.clone().and_then(some),
    })
}

/// A user by name, or by number if the name is not known.
pub(super) fn principal_text(principal: &Principal) -> String {
    principal.name.clone().unwrap_or_else(|| principal.id.to_string())
}

fn program_of(actor: &Actor) -> String {
    actor.executable.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// The chain of parents, the nearest first: `bash < sshd < systemd`.
fn parents_of(actor: &Actor) -> String {
    let names: Vec<&str> = actor.parents.iter().map(|parent| parent.name.as_str()).collect();
    names.join(" < ")
}

/// What the columns have no room for, in sentences; `None` if there is no such thing.
pub(super) fn explanation_of(event: &ChangeEvent) -> Option<String> {
    let mut sentences = Vec::new();
    if let Some(from) = &event.moved_from {
        sentences.push(format!("It was moved; it was called {} before.", from.path()));
    }
    if event.is_fleeting {
        sentences.push("It came and went so soon that nothing but its name was seen.".to_owned());
    }
    if event.who.actors.last().is_some_and(|actor| actor.has_own_view) {
        sentences.push(
            "The program is named as the process sees it, in a view of the file systems of its own; elsewhere on the machine \
             that name is another file's, or may be."
                .to_owned(),
        );
    }
    if let Some((_, others)) = event.who.actors.split_last()
        && (!others.is_empty() || event.who.more > 0)
    {
        let mut names: Vec<String> = others
            .iter()
            .map(|actor| {
                let user = actor
                    .user
                    .as_ref()
                    .map_or_else(String::new, |user| format!(", {}", principal_text(user)));
                let view = if actor.has_own_view { ", in a view of its own" } else { "" };
                format!("{} ({}{user}{view})", program_of(actor), actor.process_id)
            })
            .collect();
        names.extend((event.who.more > 0).then(|| format!("{} more", event.who.more)));
        sentences.push(format!("Others had a part in it: {}.", names.join("; ")));
    }
    if let Some(why) = event.who.unknown {
        let who = if event.who.actors.is_empty() { "Who did it" } else { "Who else had a part in it" };
        sentences.push(format!("{who} is not known: {}.", why.text()));
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use fim_core::{
        Ancestor, AspectSet, Change, ChangeId, ChangeSource, EntityKey, EntityPath, Timestamp, Who,
        WhoUnknown,
    };

    use super::*;

    #[test]
    fn the_process_that_acted_last_has_the_columns_and_others_are_explained() {
        let mut who = Who::default();
        who.add(Ok(Arc::new(actor(7, "/usr/bin/vi"))));
        who.add(Ok(Arc::new(actor(8, "/usr/bin/sed"))));
        check(
            who,
            None,
            "InitiatingProcessName = /usr/bin/sed
             InitiatingProcessId = 8
             InitiatingProcessCommandLine = sed -i x
             InitiatingProcessAccountName = root
             InitiatingProcessParentName = bash < sshd
             LoginAccountName = 1000
             ContainerId =
             Explanation = Others had a part in it: /usr/bin/vi (7, root).",
        );
    }

    #[test]
    fn a_program_that_only_the_process_sees_so_is_told_as_that() {
        let mut who = Who::default();
        for process_id in [7, 8] {
            let own = Actor { has_own_view: true, ..Actor::default() };
            who.add(Ok(Arc::new(Actor {
                process_id,
                executable: Some(EntityPath::unix("/usr/bin/dpkg")),
                ..own
            })));
        }
        check(
            who,
            None,
            "InitiatingProcessName = /usr/bin/dpkg
             InitiatingProcessId = 8
             InitiatingProcessCommandLine =
             InitiatingProcessAccountName =
             InitiatingProcessParentName =
             LoginAccountName =
             ContainerId =
             Explanation = The program is named as the process sees it, in a view of the file systems of its own; elsewhere on the machine that name is another file's, or may be. Others had a part in it: /usr/bin/dpkg (7, in a view of its own).",
        );
    }

    #[test]
    fn who_is_not_known_is_said_with_the_reason() {
        let mut who = Who::default();
        who.add(Err(WhoUnknown::Ended));
        check(
            who,
            Some("/etc/old"),
            "Explanation = It was moved; it was called /etc/old before. Who did it is not known: the process had ended before it could be asked.",
        );
    }

    #[test]
    fn a_scan_says_nothing_of_who() {
        check(Who::default(), None, "");
    }

    fn check(who: Who, moved_from: Option<&str>, expected: &str) {
        let key = EntityKey::File(EntityPath::unix("/etc/a"));
        let event = ChangeEvent {
            id: ChangeId([0; 16]),
            change: Change { key, before: None, after: None, fields: AspectSet::NONE },
            source: ChangeSource::RealTime,
            observed: Timestamp(0),
            happened: None,
            rule: String::new(),
            snapshot_age_seconds: None,
            who,
            moved_from: moved_from.map(|path| EntityKey::File(EntityPath::unix(path))),
            is_fleeting: false,
        };
        let shown = |value: &Value<'_>| match value {
            Value::Null => String::new(),
            Value::Owned(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            other => format!("{other:?}"),
        };
        let told: Vec<String> = who_columns(&event)
            .iter()
            .map(|(name, value)| format!("{name} = {}", shown(value)).trim_end().to_owned())
            .collect();
        let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        assert_eq!(told, expected);
    }

    fn actor(process_id: u32, program: &str) -> Actor {
        Actor {
            process_id,
            executable: Some(EntityPath::unix(program)),
            command_line: Some("sed -i x".to_owned()),
            user: Some(Principal { id: 0.into(), name: Some("root".to_owned()) }),
            login_user: Some(Principal { id: 1000.into(), name: None }),
            parents: ["bash", "sshd"].map(|name| Ancestor { process_id: 1, name: name.to_owned() }).into(),
            ..Actor::default()
        }
    }
}
