//! Who made a change.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::{EntityPath, Principal};

/// A process as it was when it changed something.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Actor {
    /// The process's id, as the observed machine counts.
    pub process_id: u32,
    /// When it was started, in nanoseconds after the machine was. With the id it names one process for good, where the
    /// id alone is used again.
    pub started_nanos: Option<u64>,
    /// The program that it runs.
    pub executable: Option<EntityPath>,
    /// True if the process has a view of the file systems of its own, in which the program's path names another file than
    /// on the rest of the machine, or may: who makes such a view chooses what the program seems to be.
    pub has_own_view: bool,
    /// Program and arguments, with a space between; cut at [`Actor::MAX_COMMAND_BYTES`].
    pub command_line: Option<String>,
    /// Whose rights it has.
    pub user: Option<Principal>,
    /// Who signed in to what it descends from, whatever user it became since.
    pub login_user: Option<Principal>,
    /// The session that began with that sign-in.
    pub session: Option<u32>,
    /// What started it, what started that, and so on; at most [`Actor::MAX_PARENTS`].
    pub parents: Vec<Ancestor>,
    /// The id of the container that it runs in; nothing if it runs in none.
    pub container: Option<String>,
}

/// A process that another one descends from.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Ancestor {
    /// The process's id.
    pub process_id: u32,
    /// Its short name.
    pub name: String,
}

impl Actor {
    /// The longest command line that is kept, in bytes.
    pub const MAX_COMMAND_BYTES: usize = 4096;
    /// How many ancestors are kept.
    pub const MAX_PARENTS: usize = 8;

    /// True if both tell of the same process in the same role: the same id and start as far as both know it, and nothing
    /// that both know differs. A process that became another program or user in between is told as both. Whether it has a
    /// view of its own is judged when it is asked, and may change while it runs.
    fn is_one_with(&self, other: &Self) -> bool {
        fn agree<T: PartialEq>(one: &Option<T>, other: &Option<T>) -> bool {
            one.is_none() || other.is_none() || one == other
        }
        self.process_id == other.process_id
            && agree(&self.started_nanos, &other.started_nanos)
            && agree(&self.executable, &other.executable)
            && agree(&self.command_line, &other.command_line)
            && agree(&self.user, &other.user)
            && agree(&self.login_user, &other.login_user)
    }

    /// How much of it is known.
    fn richness(&self) -> usize {
        let known = [
            self.started_nanos.is_some(),
            self.executable.is_some(),
            self.command_line.is_some(),
            self.user.is_some(),
            self.login_user.is_some(),
            self.session.is_some(),
            self.container.is_some(),
        ];
        known.into_iter().filter(|is_known| *is_known).count() + self.parents.len()
    }
}

/// Why it is not known who made a change. It is never guessed.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum WhoUnknown {
    /// What noticed the change does not tell who made it.
    NotTold,
    /// The process had ended before it could be asked.
    Ended,
    /// The notice was lost; the change was found by looking again.
    NoticeLost,
    /// A scan found it, and no notice of it came.
    NotNoticed,
    /// Several processes had the number that was told, one after the other.
    NumberReused,
    /// What the system told of processes was more than could be taken, and the process had ended.
    RecordsLost,
    /// The process was there, and the system gave no handle of it.
    NoHandle,
    /// A file was touched that is known by its number alone, which another file may have had then.
    FileNumberReused,
    /// A scan found it, and changes were not listened for all the time since the scan before.
    NotListening,
}

impl WhoUnknown {
    /// The reason, for a person.
    pub fn text(self) -> &'static str {
        match self {
            Self::NotTold => "what noticed the change does not tell who made it",
            Self::Ended => "the process had ended before it could be asked",
            Self::NoticeLost => "the notice of the change was lost, and it was found by looking again",
            Self::NotNoticed => "a scan found it, and no notice of it had come",
            Self::NotListening => {
                "a scan found it, and it may have been made while nothing listened for changes"
            }
            Self::NumberReused => "several processes had the number that was told, one after the other",
            Self::RecordsLost => {
                "so many processes came and went that the system's word on them was lost, and the process had ended"
            }
            Self::NoHandle => {
                "the system gave no handle of the process, because too many files were open or memory was short"
            }
            Self::FileNumberReused => {
                "what was noticed names a file by its number alone, which another file may have had at that moment"
            }
        }
    }
}

/// Who did one thing: the process, or why it is not known.
pub type Attribution = Result<Arc<Actor>, WhoUnknown>;

/// All who had a part in a change.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Who {
    /// The processes, in the order in which they acted last, so that the last one left the entity as it is; at most
    /// [`Who::MAX_ACTORS`], of more the ones that acted last.
    pub actors: Vec<Arc<Actor>>,
    /// How many more there were.
    pub more: u32,
    /// Why nobody, or not everybody, is known; nothing if all are, or if nobody asked.
    pub unknown: Option<WhoUnknown>,
    /// Those of the ones more that are remembered, so that each is counted once.
    dropped: BTreeSet<ProcessKey>,
}

/// A process's id, and when it was started.
type ProcessKey = (u32, Option<u64>);

impl Who {
    /// How many actors of one change are kept.
    pub const MAX_ACTORS: usize = 16;
    /// How many of those that are not kept are known again; beyond that each act counts as another process's.
    const MAX_REMEMBERED: usize = 1024;

    /// What was kept of all of them: see the fields.
    pub fn of(actors: Vec<Arc<Actor>>, more: u32, unknown: Option<WhoUnknown>) -> Self {
        Self { actors, more, unknown, dropped: BTreeSet::new() }
    }

    /// That it is not known who it was.
    pub fn unknown(why: WhoUnknown) -> Self {
        Self::of(Vec::new(), 0, Some(why))
    }

    /// Notes that somebody had a part in it, after all who are noted already.
    pub fn add(&mut self, by: Attribution) {
        let actor = match by {
            Ok(actor) => actor,
            Err(why) => {
                self.unknown = Some(self.unknown.map_or(why, |known| known.min(why)));
                return;
            }
        };
        if let Some(place) = self.actors.iter().position(|known| known.is_one_with(&actor)) {
            let known = self.actors.remove(place);
            let has_own_view = known.has_own_view || actor.has_own_view;
            let mut told = if actor.richness() > known.richness() { actor } else { known };
            if told.has_own_view != has_own_view {
                Arc::make_mut(&mut told).has_own_view = has_own_view;
            }
            self.actors.push(told);
            return;
        }
        if self.dropped.remove(&key_of(&actor)) {
            self.more = self.more.saturating_sub(1);
        }
        if self.actors.len() == Self::MAX_ACTORS {
            let dropped = self.actors.remove(0);
            self.count(key_of(&dropped));
        }
        self.actors.push(actor);
    }

    /// Notes that all of them had a part in it, after all who are noted already.
    pub fn merge(&mut self, other: Self) {
        let uncounted = other.more.saturating_sub(u32::try_from(other.dropped.len()).unwrap_or(u32::MAX));
        self.more = self.more.saturating_add(uncounted);
        for process in other.dropped {
            if !self.actors.iter().any(|actor| key_of(actor) == process) {
                self.count(process);
            }
        }
        for actor in other.actors {
            self.add(Ok(actor));
        }
        if let Some(why) = other.unknown {
            self.add(Err(why));
        }
    }

    /// Counts a process that is not kept, once.
    fn count(&mut self, process: ProcessKey) {
        if self.dropped.contains(&process) {
            return;
        }
        self.more = self.more.saturating_add(1);
        if self.dropped.len() < Self::MAX_REMEMBERED {
            self.dropped.insert(process);
        }
    }
}

fn key_of(actor: &Actor) -> ProcessKey {
    (actor.process_id, actor.started_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(executable: Option<&str>) -> Actor {
        Actor {
            process_id: 7,
            started_nanos: Some(1),
            executable: executable.map(EntityPath::unix),
            ..Actor::default()
        }
    }

    #[test]
    fn a_process_of_which_more_is_known_later_is_told_once_with_all_of_it() {
        let mut who = Who::default();
        for told in [actor(None), actor(Some("/bin/dash")), actor(None)] {
            who.add(Ok(Arc::new(told)));
        }
        assert_eq!(who.actors, [Arc::new(actor(Some("/bin/dash")))]);
    }

    #[test]
    fn a_process_whose_view_is_found_to_be_its_own_is_told_once_with_that() {
        let seen = Arc::new(actor(Some("/bin/dash")));
        let own = Arc::new(Actor { has_own_view: true, ..actor(Some("/bin/dash")) });
        for order in [[&seen, &own], [&own, &seen]] {
            let mut who = Who::default();
            order.into_iter().for_each(|told| who.add(Ok(Arc::clone(told))));
            assert_eq!(who.actors, [Arc::clone(&own)]);
        }
    }

    #[test]
    fn another_program_or_another_start_is_somebody_else() {
        let mut who = Who::default();
        who.add(Ok(Arc::new(actor(Some("/bin/dash")))));
        who.add(Ok(Arc::new(actor(Some("/bin/cat")))));
        who.add(Ok(Arc::new(Actor { started_nanos: Some(2), ..actor(None) })));
        assert_eq!(who.actors.len(), 3);
    }

    #[test]
    fn whoever_acts_again_is_the_one_that_acted_last() {
        let mut who = Who::default();
        for process_id in [1, 2, 1] {
            who.add(Ok(Arc::new(Actor { process_id, ..actor(None) })));
        }
        assert_eq!(numbers(&who), [2, 1]);
    }

    #[test]
    fn of_more_than_are_kept_the_last_ones_are_and_the_rest_are_counted_once() {
        let mut who = Who::default();
        for _ in 0..3 {
            for process_id in 1..=20 {
                who.add(Ok(Arc::new(Actor { process_id, ..actor(None) })));
            }
        }
        assert_eq!(numbers(&who), (5..=20).collect::<Vec<_>>());
        assert_eq!(who.more, 4);
    }

    #[test]
    fn those_of_two_lists_are_counted_once_and_the_ones_of_the_second_acted_last() {
        let all_of = |processes: std::ops::RangeInclusive<u32>| {
            let mut who = Who::default();
            for process_id in processes {
                who.add(Ok(Arc::new(Actor { process_id, ..actor(None) })));
            }
            who
        };
        let mut who = all_of(1..=20);
        who.merge(all_of(1..=18));
        assert_eq!(numbers(&who), (3..=18).collect::<Vec<_>>());
        assert_eq!(who.more, 4, "1, 2, 19 and 20");
    }

    #[test]
    fn the_memory_of_those_who_are_not_kept_is_bounded() {
        let mut who = Who::default();
        for process_id in 0..5000 {
            who.add(Ok(Arc::new(Actor { process_id, ..actor(None) })));
        }
        assert_eq!((who.more, who.dropped.len()), (5000 - 16, Who::MAX_REMEMBERED));
    }

    fn numbers(who: &Who) -> Vec<u32> {
        who.actors.iter().map(|actor| actor.process_id).collect()
    }
}
