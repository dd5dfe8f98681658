//! Who did what was noticed: from what the kernel tells of processes where it does, else from `/proc` alone.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fim_bpf::{KernelTypes, ProcessEvents, StartError};
use fim_core::{Actor, Attribution, WhoUnknown};

use super::group;
use super::process;
use super::processes::{Process, Processes};
use super::views;
use crate::linux::principals::Principals;

/// Names the processes behind notices.
pub(super) struct Actors {
    people: Principals,
    people_read: Instant,
    /// The number of the view of the file systems in which this process names programs.
    view: u32,
    told: Option<Told>,
    /// Those of the notices that were read at one moment, by number and whether it is still theirs.
    of_batch: HashMap<(i32, bool), Attribution>,
}

/// What the kernel tells of processes.
struct Told {
    events: ProcessEvents,
    processes: Processes,
    /// When something of it was lost, in nanoseconds after the machine began.
    lost_nanos: Option<u64>,
    surveyed: Instant,
}

/// Why the kernel's word on processes cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum TellersError {
    /// Its numbers are others than ours.
    #[error("the agent runs in a process namespace of its own, where processes have other numbers")]
    Namespace,
    /// The programs do not run.
    #[error("{}", chain(.0))]
    Programs(StartError),
}

impl Actors {
    /// Asks `/proc` alone.
    pub(super) fn by_asking() -> Self {
        Self {
            people: Principals::of_this_machine(),
            people_read: Instant::now(),
            view: views::own(),
            told: None,
            of_batch: HashMap::new(),
        }
    }

    /// Has the kernel tell of processes.
    pub(super) fn told_by_kernel(types: &KernelTypes) -> Result<Self, TellersError> {
        let namespace = rustix::fs::readlink("/proc/self/ns/pid", Vec::new());
        if namespace.is_ok_and(|namespace| namespace.as_bytes() != FIRST_NAMESPACE) {
            return Err(TellersError::Namespace);
        }
        let events = ProcessEvents::start(types).map_err(TellersError::Programs)?;
        let mut told =
            Told { events, processes: Processes::default(), lost_nanos: None, surveyed: Instant::now() };
        let mut actors = Self::by_asking();
        told.survey(&actors.people, actors.view);
        actors.told = Some(told);
        Ok(actors)
    }

    /// True if the kernel tells of processes, so that who has ended is known.
    pub(super) fn are_told(&self) -> bool {
        self.told.is_some()
    }

    /// Takes in what happened up to now, before anybody is named for what was noticed up to now.
    pub(super) fn catch_up(&mut self) {
        self.of_batch.clear();
        if self.people_read.elapsed() > PEOPLE_LAST {
            self.people = Principals::of_this_machine();
            self.people_read = Instant::now();
        }
        if let Some(told) = &mut self.told {
            told.catch_up(&self.people, self.view);
        }
    }

    /// Who has, or had, that number when something was noticed of it, after `since_nanos`. `process` is a handle of
    /// the very process, where it was still there.
    pub(super) fn of(&mut self, pid: i32, process: Option<OwnedFd>, since_nanos: u64) -> Attribution {
        let is_there = process.as_ref().is_some_and(group::is_alive);
        if let Some(known) = self.of_batch.get(&(pid, is_there)) {
            return known.clone();
        }
        let actor = self.find(pid, process.filter(|_| is_there), since_nanos);
        self.of_batch.insert((pid, is_there), actor.clone());
        actor
    }

    /// Who had that number at that moment, in nanoseconds after the machine began, by what the kernel told of it.
    pub(super) fn at(&mut self, number: u32, at_nanos: u64) -> Attribution {
        let (people, view) = (&self.people, self.view);
        let Some(told) = &mut self.told else { return Err(WhoUnknown::NotTold) };
        if told.lost_nanos.is_some_and(|lost| lost >= at_nanos) {
            return Err(WhoUnknown::RecordsLost);
        }
        let process = told.processes.at(number, at_nanos)?;
        if process.end.is_none()
            && let Ok(pid) = i32::try_from(number)
            && let Some(actor) = of_now(pid, process, at_nanos, people, view)
        {
            told.catch_up(people, view);
            if told.processes.at(number, at_nanos)?.end.is_none() {
                return Ok(actor);
            }
        }
        of_the_past(number, told.processes.at(number, at_nanos)?, at_nanos, people, view)
    }

    fn find(&mut self, pid: i32, alive: Option<OwnedFd>, since_nanos: u64) -> Attribution {
        let number = u32::try_from(pid).unwrap_or_default();
        let (people, view) = (&self.people, self.view);
        let Some(told) = &mut self.told else { return ask(pid, alive.as_ref(), people, view) };
        let Some(alive) = alive else {
            // Its end was told before it was gone, and maybe not yet taken in.
            if told.processes.newest(number).is_none_or(|newest| newest.end.is_none()) {
                told.catch_up(people, view);
            }
            // It may have been lost that the number has become another's.
            if told.lost_nanos.is_some_and(|lost| lost >= since_nanos) {
                return Err(WhoUnknown::RecordsLost);
            }
            let process = told.processes.ended(number, since_nanos)?;
            return of_the_past(number, process, since_nanos, people, view);
        };
        match told.processes.newest(number) {
            Some(process) if process.end.is_some() => of_the_past(number, process, since_nanos, people, view),
            Some(process) if process.program.is_some() => {
                match of_now(pid, process, since_nanos, people, view) {
                    Some(actor) if group::is_alive(&alive) => Ok(actor),
                    // It ended just now, and that was told.
                    Some(_) | None => {
                        told.catch_up(people, view);
                        let process = told.processes.ended(number, since_nanos)?;
                        of_the_past(number, process, since_nanos, people, view)
                    }
                }
            }
            Some(_) | None => ask(pid, Some(&alive), people, view),
        }
    }
}

impl Told {
    fn catch_up(&mut self, people: &Principals, view: u32) {
        self.events.take(|record| self.processes.take(record));
        let lost = self.events.take_lost();
        let now = process::nanos_since_boot();
        self.processes.forget(now);
        if lost > 0 {
            tracing::warn!(lost, "what the kernel told of processes was too much to be taken");
            self.lost_nanos = Some(now);
            self.processes.clear();
            if self.surveyed.elapsed() > SURVEY_EVERY {
                self.survey(people, view);
            }
        }
    }

    /// Takes in all that run.
    fn survey(&mut self, people: &Principals, view: u32) {
        for pid in process::running() {
            if let Ok(actor) = process::look(pid, people, view) {
                self.processes.take_running(&actor);
            }
        }
        self.surveyed = Instant::now();
    }
}

/// Asks the system for a process. What is read is its own only if it is still there afterwards.
fn ask(pid: i32, process: Option<&OwnedFd>, people: &Principals, view: u32) -> Attribution {
    let seen = process::look(pid, people, view);
    if process.is_some_and(group::is_alive) { seen } else { Err(WhoUnknown::Ended) }
}

/// A process that runs: whose it is may have changed without a word, and is asked for. Nothing if it cannot be.
fn of_now(
    pid: i32,
    process: &Process,
    since_nanos: u64,
    people: &Principals,
    view: u32,
) -> Option<Arc<Actor>> {
    let now = process::owners(pid)?;
    let number = u32::try_from(pid).unwrap_or_default();
    let mut actor = actor(number, process, since_nanos, view);
    actor.user = now.user.map(|id| people.user(id));
    actor.login_user = now.login.map(|id| people.user(id));
    actor.session = now.session;
    Some(Arc::new(actor))
}

/// A process that has ended, by what was told of it.
fn of_the_past(
    number: u32,
    process: &Process,
    since_nanos: u64,
    people: &Principals,
    view: u32,
) -> Attribution {
    if process.program.is_none() {
        return Err(WhoUnknown::Ended);
    }
    let mut actor = actor(number, process, since_nanos, view);
    let lasting = process.lasting_ids();
    actor.user = lasting.user.map(|id| people.user(id));
    actor.login_user = lasting.login.map(|id| people.user(id));
    actor.session = lasting.session;
    if !lasting.is_same_group {
        actor.container = None;
    }
    Ok(Arc::new(actor))
}

fn actor(number: u32, process: &Process, since_nanos: u64, view: u32) -> Actor {
    let program = process.program.as_deref().cloned().unwrap_or_default();
    let is_another = |path| program.file.is_some_and(|file| views::is_another(file, path, view));
    let has_own_view = program.has_own_view || program.path.as_ref().is_some_and(is_another);
    Actor {
        process_id: number,
        started_nanos: Some(process.started_nanos),
        executable: program.path,
        has_own_view,
        command_line: program.command_line,
        parents: process.descent(number, since_nanos),
        container: program.container,
        ..Actor::default()
    }
}

/// An error with what caused it.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let told = error.to_string();
        // The verifier's log goes on for pages.
        let first = told.lines().next().unwrap_or_default();
        if !text.contains(first) {
            text = format!("{text}: {first}");
        }
        source = error.source();
    }
    text
}

/// The number of the namespace that a machine begins with (`linux/proc_ns.h`).
const FIRST_NAMESPACE: &[u8] = b"pid:[4026531836]";

/// How old the names of users are at most.
const PEOPLE_LAST: Duration = Duration::from_secs(10);

const SURVEY_EVERY: Duration = Duration::from_secs(5);
