//! What is known of the machine's processes, those that ended lately included, from what the kernel tells of them.
//!
//! It is bounded: those that ended go first, then the oldest, which can be asked while they live.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use fim_bpf::{Ids, ProcessRecord, ProgramFile, Step};
use fim_core::{Actor, Ancestor, EntityPath, WhoUnknown};

use super::process;

/// The processes that are known.
#[derive(Debug, Default)]
pub(super) struct Processes {
    /// By number; of those that had the same one, the newest is last.
    by_number: HashMap<u32, Vec<Process>>,
    /// The numbers in the order in which their processes became known.
    arrivals: BTreeMap<u64, u32>,
    next_arrival: u64,
    /// Who ended, in that order: when, number and arrival.
    ended: VecDeque<(u64, u32, u64)>,
    /// What the programs take, about.
    program_bytes: usize,
}

/// One process.
#[derive(Clone, Debug)]
pub(super) struct Process {
    /// When it began, in nanoseconds after the machine did, as exactly as `/proc` tells it.
    pub started_nanos: u64,
    /// What it runs; nothing if that was never told.
    pub program: Option<Arc<Program>>,
    /// Its short name.
    pub name: String,
    /// Whose it was when it began or became this program.
    pub ids: Option<Ids>,
    /// When it ended, and whose it was then.
    pub end: Option<(u64, Ids)>,
    /// What made it, what made that, and so on.
    pub parents: Arc<[Ancestor]>,
    /// True while it runs what its parent ran.
    is_inherited: bool,
    /// What it was called as another program, and until when; the last few.
    earlier: VecDeque<(u64, String)>,
    arrival: u64,
}

/// What a process runs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Program {
    pub path: Option<EntityPath>,
    /// What the path names for the process, as far as that was told.
    pub file: Option<ProgramFile>,
    /// True if that is known to be another file than here, or may be.
    pub has_own_view: bool,
    pub command_line: Option<String>,
    pub container: Option<String>,
}

impl Processes {
    /// Takes in what was told.
    pub(super) fn take(&mut self, record: &ProcessRecord<'_>) {
        let started_nanos = process::as_told(record.started_nanos);
        let name = String::from_utf8_lossy(record.name).into_owned();
        match &record.step {
            Step::Forked { parent, parent_started_nanos } => {
                let parent_started = process::as_told(*parent_started_nanos);
                let known = self.by_number.get(parent).into_iter().flatten();
                let maker = known.into_iter().find(|process| process.started_nanos == parent_started);
                let above = maker.map(|maker| Arc::clone(&maker.parents)).unwrap_or_default();
                // A process begins with the name of the one that made it.
                let nearest = Ancestor { process_id: *parent, name: name.clone() };
                let parents = std::iter::once(nearest).chain(above.iter().cloned());
                let child = Process {
                    program: maker.and_then(|maker| maker.program.clone()),
                    is_inherited: true,
                    ids: Some(record.ids),
                    parents: parents.take(Actor::MAX_PARENTS).collect(),
                    ..Process::new(started_nanos, name)
                };
                self.put(record.process, child);
            }
            Step::Executed { program, file, arguments, group } => {
                let program = Arc::new(Program {
                    path: program.clone().map(EntityPath::unix),
                    file: Some(*file),
                    has_own_view: false,
                    command_line: arguments.and_then(process::command_line),
                    container: process::container(group),
                });
                self.program_bytes += program.bytes();
                let Some(process) = self.find(record.process, started_nanos) else {
                    let process = Process {
                        program: Some(program),
                        ids: Some(record.ids),
                        ..Process::new(started_nanos, name)
                    };
                    self.put(record.process, process);
                    return;
                };
                let before = process.become_program(program, name, record);
                self.let_go(before);
                self.keep_bounds();
            }
            Step::Ended => {
                let Some(process) = self.find(record.process, started_nanos) else { return };
                process.end = Some((record.at_nanos, record.ids));
                let arrival = process.arrival;
                self.ended.push_back((record.at_nanos, record.process, arrival));
            }
        }
    }

    /// Takes in a process that was found running, unless it is known.
    pub(super) fn take_running(&mut self, actor: &Actor) {
        let Some(started_nanos) = actor.started_nanos else { return };
        if self.find(actor.process_id, started_nanos).is_some() {
            return;
        }
        let program = Arc::new(Program {
            path: actor.executable.clone(),
            file: None,
            has_own_view: actor.has_own_view,
            command_line: actor.command_line.clone(),
            container: actor.container.clone(),
        });
        self.program_bytes += program.bytes();
        let name =
            actor.executable.as_ref().and_then(|path| path.as_bytes().rsplit(|&byte| byte == b'/').next());
        let name = name.map(|name| String::from_utf8_lossy(name).into_owned()).unwrap_or_default();
        let process = Process {
            program: Some(program),
            parents: actor.parents.as_slice().into(),
            ..Process::new(started_nanos, name)
        };
        self.put(actor.process_id, process);
    }

    /// The newest process of that number: the one that has it, if any does.
    pub(super) fn newest(&self, number: u32) -> Option<&Process> {
        self.by_number.get(&number)?.last()
    }

    /// The process of that number that has ended, where something was noticed of it after `since_nanos`.
    pub(super) fn ended(&self, number: u32, since_nanos: u64) -> Result<&Process, WhoUnknown> {
        let known = self.by_number.get(&number).map_or(&[][..], Vec::as_slice);
        let mut ended = known.iter().filter(|process| process.end.is_some());
        if let (Some(only), None) = (ended.next(), ended.next()) {
            return Ok(only);
        }
        // What a process has open is closed after its end is told.
        let since = since_nanos.saturating_sub(LONGEST_END_NANOS);
        let mut ended = known.iter().filter(|process| process.end.is_some_and(|(at, _)| at >= since));
        match (ended.next(), ended.next()) {
            (Some(only), None) => Ok(only),
            (Some(_), Some(_)) => Err(WhoUnknown::NumberReused),
            (None, _) => Err(WhoUnknown::Ended),
        }
    }

    /// The process that had that number at that moment.
    pub(super) fn at(&self, number: u32, at_nanos: u64) -> Result<&Process, WhoUnknown> {
        let known = self.by_number.get(&number).map_or(&[][..], Vec::as_slice);
        // What a process has open is closed after its end is told.
        let lived = |process: &&Process| {
            process.started_nanos <= at_nanos
                && process.end.is_none_or(|(end, _)| end.saturating_add(LONGEST_END_NANOS) >= at_nanos)
        };
        let mut lived = known.iter().filter(lived);
        match (lived.next(), lived.next()) {
            (Some(only), None) => Ok(only),
            (Some(_), Some(_)) => Err(WhoUnknown::NumberReused),
            (None, _) => Err(WhoUnknown::Ended),
        }
    }

    /// Lets go of those that ended long ago.
    pub(super) fn forget(&mut self, now_nanos: u64) {
        while let Some(&(at, number, arrival)) = self.ended.front()
            && at.saturating_add(ENDED_LAST_NANOS) < now_nanos
        {
            self.ended.pop_front();
            self.remove(number, arrival);
        }
    }

    /// Forgets everything, because something is missing.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn find(&mut self, number: u32, started_nanos: u64) -> Option<&mut Process> {
        let mut known = self.by_number.get_mut(&number)?.iter_mut();
        known.rfind(|process| process.started_nanos == started_nanos)
    }

    fn put(&mut self, number: u32, mut process: Process) {
        if let Some(known) = self.find(number, process.started_nanos).map(|known| known.arrival) {
            self.remove(number, known);
        }
        process.arrival = self.next_arrival;
        self.next_arrival += 1;
        self.arrivals.insert(process.arrival, number);
        self.by_number.entry(number).or_default().push(process);
        self.keep_bounds();
    }

    fn keep_bounds(&mut self) {
        while self.arrivals.len() > MOST_PROCESSES || self.program_bytes > MOST_PROGRAM_BYTES {
            let (number, arrival) = match self.ended.pop_front() {
                Some((_, number, arrival)) => (number, arrival),
                None => match self.arrivals.first_key_value() {
                    Some((&arrival, &number)) => (number, arrival),
                    None => return,
                },
            };
            self.remove(number, arrival);
        }
    }

    fn remove(&mut self, number: u32, arrival: u64) {
        let Some(known) = self.by_number.get_mut(&number) else { return };
        let Some(at) = known.iter().position(|process| process.arrival == arrival) else { return };
        let gone = known.remove(at);
        if known.is_empty() {
            self.by_number.remove(&number);
        }
        self.arrivals.remove(&arrival);
        self.let_go(gone.program);
    }

    /// Counts what a program took, if nobody runs it any more.
    fn let_go(&mut self, program: Option<Arc<Program>>) {
        if let Some(last) = program.and_then(Arc::into_inner) {
            self.program_bytes = self.program_bytes.saturating_sub(last.bytes());
        }
    }
}

impl Process {
    fn new(started_nanos: u64, name: String) -> Self {
        Self {
            started_nanos,
            program: None,
            name,
            ids: None,
            end: None,
            parents: Arc::default(),
            is_inherited: false,
            earlier: VecDeque::new(),
            arrival: 0,
        }
    }

    fn become_program(
        &mut self,
        program: Arc<Program>,
        name: String,
        record: &ProcessRecord<'_>,
    ) -> Option<Arc<Program>> {
        let before = std::mem::replace(&mut self.name, name);
        // What it inherited is its parent's, which is among the parents.
        if !std::mem::take(&mut self.is_inherited) {
            if self.earlier.len() == MOST_EARLIER {
                self.earlier.pop_front();
            }
            self.earlier.push_back((record.at_nanos, before));
        }
        self.ids = Some(record.ids);
        self.program.replace(program)
    }

    /// What it descends from: first the programs that it was itself after `since_nanos`, any of which may have done what
    /// was noticed since.
    pub(super) fn descent(&self, number: u32, since_nanos: u64) -> Vec<Ancestor> {
        let itself = self.earlier.iter().rev().filter(|(until, _)| *until >= since_nanos);
        let itself = itself.map(|(_, name)| Ancestor { process_id: number, name: name.clone() });
        itself.chain(self.parents.iter().cloned()).take(Actor::MAX_PARENTS).collect()
    }

    /// Whose it was from beginning to end; what differs is not known.
    pub(super) fn lasting_ids(&self) -> LastingIds {
        let (Some(first), Some((_, last))) = (self.ids, self.end) else { return LastingIds::default() };
        LastingIds {
            user: (first.user == last.user).then_some(first.user),
            login: first.login.filter(|_| first.login == last.login),
            session: first.session.filter(|_| first.session == last.session),
            is_same_group: first.group == last.group,
        }
    }
}

/// What stayed the same of whose a process was.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct LastingIds {
    pub user: Option<u32>,
    pub login: Option<u32>,
    pub session: Option<u32>,
    pub is_same_group: bool,
}

impl Program {
    fn bytes(&self) -> usize {
        let path = self.path.as_ref().map_or(0, |path| path.as_bytes().len());
        path + [&self.command_line, &self.container].into_iter().flatten().map(String::len).sum::<usize>()
            + 128
    }
}

/// As many as can have ended while what they did is still looked into, with room for those that run; with their parents
/// about four megabytes.
const MOST_PROCESSES: usize = 8192;
const MOST_PROGRAM_BYTES: usize = 4 << 20;

/// How many programs that a process was before are told.
const MOST_EARLIER: usize = 4;

/// How long those that ended are remembered: notices of what they did may wait to be read.
const ENDED_LAST_NANOS: u64 = 30_000_000_000;

/// How long after its end is told a process may still close what it had open.
const LONGEST_END_NANOS: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_child_runs_what_its_parent_ran_until_it_executes() {
        let mut processes = Processes::default();
        processes.take(&executed(10, 1, 100, "/bin/bash", "bash\0-l\0"));
        processes.take(&forked(11, 2, 200, 10, 1));
        processes.take(&forked(12, 3, 300, 11, 2));
        let child = processes.newest(12).unwrap();
        assert_eq!(shown(child), "/bin/bash [bash -l] < p11 < p10");
        processes.take(&executed(12, 3, 400, "/bin/ls", "ls\0"));
        assert_eq!(shown(processes.newest(12).unwrap()), "/bin/ls [ls] < p11 < p10");
        assert_eq!(shown(processes.newest(11).unwrap()), "/bin/bash [bash -l] < p10");
    }

    #[test]
    fn what_a_process_was_before_is_told_while_it_may_have_done_it() {
        let mut processes = Processes::default();
        processes.take(&forked(12, 3, 300, 11, 2));
        processes.take(&executed(12, 3, 400, "/bin/sh", "sh\0"));
        processes.take(&executed(12, 3, 500, "/bin/true", "true\0"));
        let process = processes.newest(12).unwrap();
        let names = |since| -> Vec<u32> {
            process.descent(12, since).iter().map(|ancestor| ancestor.process_id).collect()
        };
        assert_eq!(names(450), [12, 11]);
        assert_eq!(names(501), [11]);
    }

    #[test]
    fn a_number_that_was_used_again_is_told_apart_by_time_or_not_at_all() {
        let second = 1_000_000_000;
        let mut processes = Processes::default();
        processes.take(&executed(12, 1, 0, "/bin/one", "one\0"));
        processes.take(&ended(12, 1, second));
        assert_eq!(processes.ended(12, 20 * second).unwrap().started_nanos, start(1));
        processes.take(&executed(12, 2, 10 * second, "/bin/two", "two\0"));
        assert_eq!(processes.ended(12, 20 * second).unwrap().started_nanos, start(1));
        processes.take(&ended(12, 2, 11 * second));
        assert_eq!(processes.ended(12, 11 * second).unwrap().started_nanos, start(2));
        assert_eq!(processes.ended(12, 0).unwrap_err(), WhoUnknown::NumberReused);
        assert_eq!(processes.ended(12, 20 * second).unwrap_err(), WhoUnknown::Ended);
        assert_eq!(processes.ended(13, 0).unwrap_err(), WhoUnknown::Ended);
    }

    #[test]
    fn what_differs_between_beginning_and_end_is_not_known() {
        let mut processes = Processes::default();
        processes.take(&executed(12, 1, 0, "/bin/one", "one\0"));
        let mut end = ended(12, 1, 100);
        end.ids.user = 33;
        end.ids.login = None;
        processes.take(&end);
        let lasting = processes.newest(12).unwrap().lasting_ids();
        assert_eq!(lasting, LastingIds { user: None, login: None, session: Some(4), is_same_group: true });
    }

    #[test]
    fn those_that_ended_are_forgotten_in_time_and_those_that_run_are_not() {
        let mut processes = Processes::default();
        processes.take(&executed(12, 1, 0, "/bin/one", "one\0"));
        processes.take(&executed(13, 1, 0, "/bin/two", "two\0"));
        processes.take(&ended(12, 1, 100));
        processes.forget(ENDED_LAST_NANOS + 100);
        assert!(processes.newest(12).is_some());
        processes.forget(ENDED_LAST_NANOS + 101);
        assert!(processes.newest(12).is_none() && processes.newest(13).is_some());
        assert_eq!(processes.arrivals.len(), 1);
    }

    proptest! {
        /// Whatever is told in whatever order, the memory is bounded and what is counted is what is there.
        #[test]
        fn the_memory_is_bounded(
            steps in prop::collection::vec((0_u32..20_000, 0_u64..3, 0_u8..3, 0_u32..20_000), 0..200),
            burst in 0_u32..10_000,
        ) {
            let mut processes = Processes::default();
            let line = "x".repeat(3000);
            for number in 0..burst {
                processes.take(&executed(number, 9, 0, "/bin/x", &line));
            }
            for (at, (number, start, kind, parent)) in steps.into_iter().enumerate() {
                let at = at as u64;
                processes.take(&match kind {
                    0 => forked(number, start, at, parent, start),
                    1 => executed(number, start, at, "/bin/x", &line),
                    _ => ended(number, start, at),
                });
            }
            prop_assert!(processes.arrivals.len() <= MOST_PROCESSES);
            prop_assert!(processes.program_bytes <= MOST_PROGRAM_BYTES);
            prop_assert_eq!(processes.arrivals.len(), processes.by_number.values().map(Vec::len).sum::<usize>());
            processes.forget(u64::MAX);
            for (arrival, number) in processes.arrivals.clone() {
                processes.remove(number, arrival);
            }
            prop_assert_eq!(processes.program_bytes, 0);
        }
    }

    fn shown(process: &Process) -> String {
        let program = process.program.as_ref().unwrap();
        let parents: Vec<_> =
            process.parents.iter().map(|parent| format!(" < p{}", parent.process_id)).collect();
        let path = program.path.as_ref().unwrap();
        format!("{path} [{}]{}", program.command_line.as_deref().unwrap_or_default(), parents.concat())
    }

    fn start(number: u64) -> u64 {
        number * 10_000_000
    }

    fn record(process: u32, started: u64, at_nanos: u64, step: Step<'_>) -> ProcessRecord<'_> {
        let ids = Ids { user: 0, login: Some(1000), session: Some(4), group: 7 };
        ProcessRecord { process, started_nanos: start(started) + 5, at_nanos, ids, name: b"name", step }
    }

    fn forked(
        process: u32,
        started: u64,
        at: u64,
        parent: u32,
        parent_started: u64,
    ) -> ProcessRecord<'static> {
        let parent_started_nanos = start(parent_started) + 5;
        record(process, started, at, Step::Forked { parent, parent_started_nanos })
    }

    fn executed<'b>(process: u32, started: u64, at: u64, path: &str, line: &'b str) -> ProcessRecord<'b> {
        let program = Some(path.as_bytes().to_vec());
        let step = Step::Executed {
            program,
            file: ProgramFile::default(),
            arguments: Some(line.as_bytes()),
            group: b"/".to_vec(),
        };
        record(process, started, at, step)
    }

    fn ended(process: u32, started: u64, at: u64) -> ProcessRecord<'static> {
        record(process, started, at, Step::Ended)
    }
}
