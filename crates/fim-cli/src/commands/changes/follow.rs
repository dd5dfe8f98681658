//! Changes as they come: the server's stream, opened again where it breaks off.

use std::collections::{HashSet, VecDeque};
use std::io::BufRead;
use std::time::Duration;

use serde_json::Value;

use super::{Wanted, recent, show};
use crate::client::{Client, segment};
use crate::failure::Failure;

/// Shows recent changes and then new ones until interrupted. The stream is opened before the list is asked for, and when
/// it ends, because the server restarts or we were slow, again after its last event: so none is missed, and what comes
/// twice is shown once.
pub fn follow(client: &Client, workspace: &str, wanted: &Wanted) -> Result<(), Failure> {
    let path = format!("/workspaces/{workspace}/changes/stream");
    let mut events = EventReader::default();
    let (mut stream, before) =
        persist(Start::First, || Ok((client.events(&path)?, recent(client, workspace, wanted, MARGIN)?)))?;
    if before.is_empty() {
        wanted.refuse_unknown_machine(client, workspace)?;
    }
    let mut shown = Shown::default();
    for change in before.iter().rev() {
        // What a restarted server sends again of the time before is known, and not what was asked for.
        if shown.is_new(change) && wanted.is_recent_enough(change) {
            show(change, wanted.is_json);
        }
    }
    let mut arrivals = Arrivals::Live;
    let mut show_new = |changes: Vec<Value>| {
        for change in changes {
            if shown.is_new(&change) && wanted.is_of_machine(&change) {
                show(&change, wanted.is_json);
            }
        }
    };
    loop {
        for line in stream.lines() {
            let Ok(line) = line else { break };
            if let Some(event) = events.take(&line) {
                show_new(arrivals.take(event));
            }
        }
        // The stream goes on after the last of them: none of them comes again.
        show_new(arrivals.begin());
        // A server that restarts or refuses is not to be asked again and again without a pause.
        std::thread::sleep(RECONNECT_PAUSE);
        let path = format!("{path}?after={}", segment(&events.last_id));
        stream = persist(Start::Again, || client.events(&path))?;
        events.begin();
    }
}

/// Whether the server has answered before.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Start {
    First,
    Again,
}

/// Tries for a minute where the server is away for a moment, and says so once.
fn persist<T>(start: Start, mut attempt: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
    for number in 0..RECONNECTS {
        match attempt() {
            Err(failure) if is_passing(start, &failure) => {
                if number == 0 {
                    eprintln!("steadfast: {failure}; retrying for {RECONNECTS} s");
                }
                std::thread::sleep(RECONNECT_PAUSE);
            }
            Ok(done) => {
                if number > 0 {
                    eprintln!("steadfast: the server is back");
                }
                return Ok(done);
            }
            Err(failure) => return Err(failure),
        }
    }
    attempt()
}

/// True if the failure is likely to be over soon: a server that was there is restarting, or cut a connection short.
fn is_passing(start: Start, failure: &Failure) -> bool {
    match failure {
        Failure::Unreachable { is_cut, .. } => *is_cut || start == Start::Again,
        Failure::Refused(problem) => start == Start::Again && problem.status == UNAVAILABLE,
        Failure::Usage(_) | Failure::NotAllowed(_) | Failure::Local(_) => false,
    }
}

/// What the stream says.
#[derive(Debug, PartialEq)]
enum Event {
    Change(Value),
    /// Everything that was missed has come; what comes now happens now.
    CaughtUp,
}

/// Server-sent events, line by line.
#[derive(Default)]
struct EventReader {
    /// The id of the last event that came whole: where to go on.
    last_id: String,
    id: Option<String>,
    name: Option<String>,
    data: Option<String>,
}

impl EventReader {
    /// Forgets the event of which the stream before had only the beginning.
    fn begin(&mut self) {
        let last_id = std::mem::take(&mut self.last_id);
        *self = Self { last_id, ..Self::default() };
    }

    /// What an event says, once its last line is there.
    fn take(&mut self, line: &str) -> Option<Event> {
        if let Some(id) = line.strip_prefix("id:") {
            self.id = Some(id.trim_start().to_owned());
        } else if let Some(name) = line.strip_prefix("event:") {
            self.name = Some(name.trim_start().to_owned());
        } else if let Some(data) = line.strip_prefix("data:") {
            self.data = Some(data.trim_start().to_owned());
        } else if line.starts_with(':') {
            // A server that has nothing to tell is not sending what was missed.
            return Some(Event::CaughtUp);
        } else if line.is_empty() {
            if let Some(id) = self.id.take() {
                self.last_id = id;
            }
            let (name, data) = (self.name.take(), self.data.take());
            return match name.as_deref() {
                Some("caught-up") => Some(Event::CaughtUp),
                _ => data
                    .and_then(|data| serde_json::from_str(&data).ok())
                    .filter(|change: &Value| change["id"].is_string())
                    .map(Event::Change),
            };
        }
        None
    }
}

/// Changes on their way to the reader. What was missed comes in the order in which the server received it, and is put in
/// the order in which it was noticed.
enum Arrivals {
    Missed(Vec<Value>),
    Live,
}

impl Arrivals {
    /// The stream ended, and what is missed meanwhile comes first of the next one; gives what still waited to be shown.
    fn begin(&mut self) -> Vec<Value> {
        match std::mem::replace(self, Self::Missed(Vec::new())) {
            Self::Missed(missed) => in_order(missed),
            Self::Live => Vec::new(),
        }
    }

    /// What can be shown now.
    fn take(&mut self, event: Event) -> Vec<Value> {
        match (&mut *self, event) {
            (Self::Live, Event::Change(change)) => vec![change],
            (Self::Live, Event::CaughtUp) => Vec::new(),
            (Self::Missed(missed), Event::Change(change)) => {
                missed.push(change);
                if missed.len() < MOST_SORTED { Vec::new() } else { in_order(std::mem::take(missed)) }
            }
            (Self::Missed(missed), Event::CaughtUp) => {
                let missed = in_order(std::mem::take(missed));
                *self = Self::Live;
                missed
            }
        }
    }
}

fn in_order(mut changes: Vec<Value>) -> Vec<Value> {
    // Moments of the server are all written alike, so that their text has their order.
    changes.sort_by(|left, right| left["time"].as_str().cmp(&right["time"].as_str()));
    changes
}

/// What was shown lately, so that it is not shown again.
#[derive(Default)]
struct Shown {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

impl Shown {
    /// True for the first time that the change is asked for.
    fn is_new(&mut self, change: &Value) -> bool {
        let id = change["id"].as_str().unwrap_or_default();
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

/// How far before the time asked for changes are known: a restarted server begins two minutes before what it told last.
const MARGIN: Duration = Duration::from_secs(600);
/// More than come again after a restart of a server that is told a hundred changes a second.
const REMEMBERED: usize = 50_000;
/// Missed changes that are put in order at a time; with more of them, each such part is in order.
const MOST_SORTED: usize = 10_000;
const RECONNECTS: u32 = 60;
const RECONNECT_PAUSE: Duration = Duration::from_secs(1);
/// The status of a server that cannot do it at the moment.
const UNAVAILABLE: u16 = 503;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problem::Problem;

    #[test]
    fn an_event_counts_once_its_last_line_is_there() {
        let mut events = EventReader::default();
        let lines = ["id: 2026-11-23T00:00:00Z", "", "event: change", "id: a", "data: {\"id\":\"a\"}"];
        assert!(lines.iter().all(|line| events.take(line).is_none()));
        assert_eq!(events.last_id, "2026-11-23T00:00:00Z");
        assert_eq!(events.take(""), Some(Event::Change(json!({ "id": "a" }))));
        assert_eq!(events.last_id, "a");
        assert!(["event: lagged", "data: 7", ""].iter().all(|line| events.take(line).is_none()));
        assert_eq!(events.last_id, "a");
    }

    #[test]
    fn an_event_that_was_cut_short_is_not_mixed_with_the_next() {
        let mut events = EventReader { last_id: "a".to_owned(), ..EventReader::default() };
        assert!(
            ["event: change", "id: b", "data: {\"id\":\"b\"}"].iter().all(|line| events.take(line).is_none())
        );
        events.begin();
        assert_eq!((events.take(""), events.last_id.as_str()), (None, "a"));
    }

    #[test]
    fn what_was_missed_is_shown_in_the_order_in_which_it_was_noticed_and_what_comes_at_once() {
        let change = |time: &str| json!({ "id": time, "time": time });
        let mut arrivals = Arrivals::Live;
        assert_eq!(arrivals.take(Event::Change(change("9"))).len(), 1);
        arrivals.begin();
        assert!(["3", "1", "2"].iter().all(|time| arrivals.take(Event::Change(change(time))).is_empty()));
        let shown = arrivals.take(Event::CaughtUp);
        assert_eq!(shown, ["1", "2", "3"].map(change));
        assert_eq!(arrivals.take(Event::Change(change("0"))), [change("0")]);
    }

    #[test]
    fn what_waits_to_be_put_in_order_is_shown_when_the_stream_breaks_off_again() {
        let change = |time: &str| json!({ "id": time, "time": time });
        let mut arrivals = Arrivals::Live;
        assert!(arrivals.begin().is_empty());
        assert!(["2", "1"].iter().all(|time| arrivals.take(Event::Change(change(time))).is_empty()));
        assert_eq!(arrivals.begin(), ["1", "2"].map(change));
        assert_eq!(arrivals.take(Event::CaughtUp), [] as [Value; 0]);
    }

    #[test]
    fn the_end_of_what_was_missed_is_told_by_its_event_and_by_a_sign_of_life() {
        let mut events = EventReader::default();
        assert!(["event: caught-up", "data: {}"].iter().all(|line| events.take(line).is_none()));
        assert_eq!(events.take(""), Some(Event::CaughtUp));
        assert_eq!(events.take(": still here"), Some(Event::CaughtUp));
    }

    #[test]
    fn what_was_missed_without_end_is_held_in_bounded_memory() {
        let mut arrivals = Arrivals::Missed(Vec::new());
        let shown =
            (0..=MOST_SORTED).flat_map(|number| arrivals.take(Event::Change(json!({ "id": number }))));
        assert_eq!(shown.count(), MOST_SORTED);
    }

    #[test]
    fn what_was_shown_is_not_shown_again_in_bounded_memory() {
        let change = |id: &str| json!({ "id": id });
        let mut shown = Shown::default();
        assert!(shown.is_new(&change("first")) && !shown.is_new(&change("first")));
        assert!((0..REMEMBERED).all(|number| shown.is_new(&change(&number.to_string()))));
        assert!(!shown.is_new(&change("7")) && shown.is_new(&change("first")));
        assert_eq!((shown.ids.len(), shown.order.len()), (REMEMBERED, REMEMBERED));
    }

    #[test]
    fn a_server_that_cuts_a_connection_is_asked_again_and_one_that_never_was_there_is_not() {
        let away = |is_cut| Failure::Unreachable { server: String::new(), reason: String::new(), is_cut };
        assert!(is_passing(Start::First, &away(true)) && !is_passing(Start::First, &away(false)));
        assert!(is_passing(Start::Again, &away(false)));
        let refused = |status| Failure::Refused(Box::new(Problem { status, ..Problem::default() }));
        assert!(is_passing(Start::Again, &refused(503)) && !is_passing(Start::Again, &refused(404)));
    }
}
