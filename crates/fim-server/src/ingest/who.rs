//! Who made a change, in our columns; pure.

use fim_core::{Actor, ChangeEvent, ChangeSource, Principal, WhoUnknown};
use fim_store::Value;

use super::columns::Columns;
use crate::api::model::{Change, ChangeActor, OtherActor};

/// The columns of who made a change.
///
/// The columns of one process are of the one that acted last, which left the entity as it is. The others are a list, and
/// why somebody is not known is told in `Explanation`.
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
    let others = others_of(event);
    if !others.is_empty() {
        // Texts and numbers are always JSON.
        let list = serde_json::to_string(&others).unwrap_or_default();
        columns.push(("OtherInitiatingProcesses", Value::Owned(list)));
    }
    if event.who.more > 0 {
        columns.push(("MoreInitiatingProcesses", Value::Number(event.who.more.into())));
    }
    if let Some(explanation) = explanation_of(event) {
        columns.push(("Explanation", Value::Owned(explanation)));
    }
    columns
}

/// The process that a change is put down to, as [`who_columns`] keeps it: the one that acted last.
pub(super) fn actor_of(event: &ChangeEvent) -> Option<ChangeActor> {
    event.who.actors.last().map(|actor| told(actor))
}

/// The other processes that are known to have had a part in it, as [`who_columns`] keeps them.
pub(super) fn others_of(event: &ChangeEvent) -> Vec<OtherActor> {
    let others = event.who.actors.split_last().map_or(&[][..], |(_, others)| others);
    others.iter().map(|actor| OtherActor { actor: told(actor), has_own_view: actor.has_own_view }).collect()
}

fn told(actor: &Actor) -> ChangeActor {
    let some = |text: String| (!text.is_empty()).then_some(text);
    ChangeActor {
        executable: some(program_of(actor)),
        process_id: actor.process_id.into(),
        command_line: actor.command_line.clone().and_then(some),
        user: actor.user.as_ref().map(principal_text),
        login_user: actor.login_user.as_ref().map(principal_text),
        parents: some(parents_of(actor)),
        container: actor.container.clone().and_then(some),
    }
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
    if let Some(why) = event.who.unknown {
        sentences.push(if event.who.actors.is_empty() {
            nobody_known(why)
        } else {
            format!("Who else had a part in it is not known: {}.", why.text())
        });
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// The change with the reason why nobody is known in its own field instead of as the last sentence of the explanation,
/// where the tables keep it. What a scan found has none, and that is the reason.
pub fn tell_why_unknown(mut change: Change) -> Change {
    if change.who.is_some() || change.actor.is_some() {
        return change;
    }
    let explanation = change.explanation.take().unwrap_or_default();
    let told = REASONS.into_iter().find_map(|why| {
        // Only whole sentences that we write: the names of files are in the explanation too, and could say anything.
        let rest = explanation.strip_suffix(&nobody_known(why))?;
        Some((why.text(), rest.trim_end().to_owned()))
    });
    let is_found =
        [ChangeSource::Scan, ChangeSource::Agentless].iter().any(|source| source.name() == change.source);
    let (why, rest) = match told {
        Some((why, rest)) => (Some(why), rest),
        None => (is_found.then_some(FOUND), explanation),
    };
    change.who_unknown = why.map(str::to_owned);
    change.explanation = (!rest.is_empty()).then_some(rest);
    change
}

/// The sentence that ends the explanation of a change of which nobody is known.
fn nobody_known(why: WhoUnknown) -> String {
    format!("Who did it is not known: {}.", why.text())
}

/// Every reason; a text that changes is still in older rows, and has to be known here.
const REASONS: [WhoUnknown; 9] = [
    WhoUnknown::NotTold,
    WhoUnknown::Ended,
    WhoUnknown::NoticeLost,
    WhoUnknown::NotNoticed,
    WhoUnknown::NumberReused,
    WhoUnknown::RecordsLost,
    WhoUnknown::NoHandle,
    WhoUnknown::FileNumberReused,
    WhoUnknown::NotListening,
];
/// The reason where nobody was asked.
const FOUND: &str = "a scan found it";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use fim_core::{Ancestor, AspectSet, ChangeId, EntityKey, EntityPath, Timestamp, Who};

    use super::*;
    use crate::api::model::{ChangeCategory, ChangeType};
    use crate::clock::Moment;

    #[test]
    fn the_process_that_acted_last_has_the_columns_and_the_others_are_a_list() {
        let mut who = Who::default();
        for (process_id, program) in [(8, "/usr/bin/sed"), (7, "/usr/bin/vi"), (8, "/usr/bin/sed")] {
            who.add(Ok(Arc::new(actor(process_id, program))));
        }
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
             OtherInitiatingProcesses = [{\"executable\":\"/usr/bin/vi\",\"processId\":7,\"commandLine\":\"sed -i x\",\"user\":\"root\",\"loginUser\":\"1000\",\"parents\":\"bash < sshd\"}]",
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
             OtherInitiatingProcesses = [{\"executable\":\"/usr/bin/dpkg\",\"processId\":7,\"hasOwnView\":true}]
             Explanation = The program is named as the process sees it, in a view of the file systems of its own; elsewhere on the machine that name is another file's, or may be.",
        );
    }

    #[test]
    fn of_very_many_processes_all_are_counted_and_as_many_named_as_are_kept() {
        let mut who = Who::default();
        for number in 0..20 {
            who.add(Ok(Arc::new(actor(number, "/bin/dd"))));
        }
        let event = event(who, None);
        assert_eq!(others_of(&event).len(), Who::MAX_ACTORS - 1);
        let more = who_columns(&event).into_iter().find(|(name, _)| *name == "MoreInitiatingProcesses");
        assert_eq!(more, Some(("MoreInitiatingProcesses", Value::Number(4))));
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

    #[test]
    fn each_reason_comes_back_from_the_explanation_that_it_was_put_into() {
        for why in REASONS {
            // A new reason has to be named here, and above.
            match why {
                WhoUnknown::NotTold
                | WhoUnknown::Ended
                | WhoUnknown::NoticeLost
                | WhoUnknown::NotNoticed
                | WhoUnknown::NumberReused
                | WhoUnknown::RecordsLost
                | WhoUnknown::NoHandle
                | WhoUnknown::FileNumberReused
                | WhoUnknown::NotListening => {}
            }
            let mut who = Who::default();
            who.add(Err(why));
            let told = |moved_from| {
                let shown =
                    tell_why_unknown(shown("RealTime", explanation_of(&event(who.clone(), moved_from))));
                (shown.who_unknown, shown.explanation)
            };
            let moved = "It was moved; it was called /etc/old before.".to_owned();
            assert_eq!(told(None), (Some(why.text().to_owned()), None));
            assert_eq!(told(Some("/etc/old")), (Some(why.text().to_owned()), Some(moved)));
        }
    }

    #[test]
    fn the_name_of_a_file_is_not_taken_for_the_reason() {
        let name = "/x/Who did it is not known: the process had ended before it could be asked.";
        let explanation = explanation_of(&event(Who::default(), Some(name)));
        let told = tell_why_unknown(shown("RealTime", explanation.clone()));
        assert_eq!((told.who_unknown, told.explanation), (None, explanation));
    }

    #[test]
    fn what_a_scan_found_says_so_where_nothing_else_is_said() {
        let why = |source, explanation| tell_why_unknown(shown(source, explanation)).who_unknown;
        assert_eq!(why("Scan", None).as_deref(), Some("a scan found it"));
        assert_eq!(why("Agentless", None).as_deref(), Some("a scan found it"));
        assert_eq!(why("Ingestion", None), None);
        assert_eq!(why("RealTime", None), None);
        let ended = Some(nobody_known(WhoUnknown::NotNoticed));
        assert_eq!(why("Scan", ended).as_deref(), Some("a scan found it, and no notice of it had come"));
    }

    #[test]
    fn where_somebody_is_named_the_explanation_stays() {
        let explanation = Some(nobody_known(WhoUnknown::Ended));
        let named = Change { who: Some("root".to_owned()), ..shown("Scan", explanation) };
        assert_eq!(tell_why_unknown(named.clone()), named);
    }

    /// A change as it is shown, of which nobody is named.
    fn shown(source: &str, explanation: Option<String>) -> Change {
        Change {
            id: String::new(),
            time: Moment::default(),
            event_time: None,
            machine: String::new(),
            change_type: ChangeType::Files,
            category: ChangeCategory::Modified,
            entity: "/etc/a".to_owned(),
            kind: None,
            moved_from: None,
            fields: vec![],
            rule: String::new(),
            source: source.to_owned(),
            who: None,
            actor: None,
            others: vec![],
            more_others: 0,
            who_unknown: None,
            explanation,
            version_before: None,
            version_after: None,
        }
    }

    fn event(who: Who, moved_from: Option<&str>) -> ChangeEvent {
        let key = EntityKey::File(EntityPath::unix("/etc/a"));
        ChangeEvent {
            id: ChangeId([0; 16]),
            change: fim_core::Change { key, before: None, after: None, fields: AspectSet::NONE },
            source: ChangeSource::RealTime,
            observed: Timestamp(0),
            happened: None,
            rule: String::new(),
            snapshot_age_seconds: None,
            who,
            moved_from: moved_from.map(|path| EntityKey::File(EntityPath::unix(path))),
            is_fleeting: false,
        }
    }

    fn check(who: Who, moved_from: Option<&str>, expected: &str) {
        let event = event(who, moved_from);
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
