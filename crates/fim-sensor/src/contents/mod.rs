//! The text of files for rules that have it stored: which are to be sent, in a bounded queue beside the spool.
//!
//! No change waits for a text, and none is lost for one. The agent keeps no copies: what a file was before a change is
//! known because its text was sent when it was last looked at.

mod marks;
mod uploader;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fim_core::windows::Hive;
use fim_core::{Digest, Entity, EntityKind, EntityPath, RuleSet};

pub(crate) use uploader::Uploader;

/// Which texts are to be sent.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    slots: Mutex<Slots>,
    changed: Condvar,
    is_asked_for: AtomicBool,
}

#[derive(Debug, Default)]
struct Slots {
    is_stopping: bool,
    rules: RuleSet,
    wanted: VecDeque<Wanted>,
    /// The digests of those that are wanted.
    queued: HashSet<[u8; 32]>,
    /// The digests of which nothing more is to be sent for some time.
    settled: HashSet<[u8; 32]>,
    settled_since: Option<Instant>,
    left_out: u64,
}

/// A text that is to be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) path: EntityPath,
    pub(crate) digest: Digest,
    pub(crate) size_bytes: Option<u64>,
}

impl Contents {
    /// Takes the rules that are in force from now on.
    pub(crate) fn work_by(&self, rules: &RuleSet, is_enabled: bool) {
        let is_asked_for = is_enabled && rules.rules().any(|rule| rule.enabled && rule.upload_content);
        self.is_asked_for.store(is_asked_for, Ordering::Relaxed);
        let mut slots = self.lock();
        slots.rules = if is_asked_for { rules.clone() } else { RuleSet::default() };
        // What no rule asks for any more is not sent.
        let Slots { rules, wanted, queued, .. } = &mut *slots;
        wanted.retain(|wanted| asks_for(rules, &wanted.path));
        *queued = wanted.iter().map(|wanted| wanted.digest.0).collect();
    }

    /// Has the text of an entity sent that was looked at, if a rule asks for it and the server does not have it.
    pub(crate) fn offer(&self, entity: &Entity) {
        if !self.is_asked_for.load(Ordering::Relaxed) || entity.kind != EntityKind::File {
            return;
        }
        let (Some(digest), path) = (entity.digest, entity.key.path()) else { return };
        if path.is_stream() || Hive::of(path).is_some() {
            return;
        }
        let mut slots = self.lock();
        slots.let_go_what_is_settled();
        let is_known = slots.settled.contains(&digest.0) || slots.queued.contains(&digest.0);
        if is_known || !asks_for(&slots.rules, path) {
            return;
        }
        if slots.wanted.len() >= MOST_WANTED {
            // The next scan offers it again.
            if slots.left_out == 0 {
                tracing::warn!(
                    "more texts of files are to be sent than can wait; the next scan looks for the others"
                );
            }
            slots.left_out += 1;
            return;
        }
        slots.queued.insert(digest.0);
        slots.wanted.push_back(Wanted {
            path: path.clone(),
            digest,
            size_bytes: entity.attributes.size_bytes,
        });
        drop(slots);
        self.changed.notify_all();
    }

    /// Waits for texts to send and takes some, by their digests; nothing once the sensor is to stop.
    pub(crate) fn take(&self, most: usize) -> Option<BTreeMap<[u8; 32], Wanted>> {
        let mut slots = self.lock();
        while slots.wanted.is_empty() && !slots.is_stopping {
            slots = self.changed.wait(slots).unwrap_or_else(PoisonError::into_inner);
        }
        if slots.is_stopping {
            return None;
        }
        slots.left_out = 0;
        let count = slots.wanted.len().min(most);
        Some(slots.wanted.drain(..count).map(|wanted| (wanted.digest.0, wanted)).collect())
    }

    /// Notes that a content was sent; if that settled it, nothing more is to be sent of it for some time.
    pub(crate) fn sent(&self, digest: [u8; 32], is_settled: bool) {
        let mut slots = self.lock();
        slots.queued.remove(&digest);
        if is_settled && slots.settled.len() < MOST_SETTLED {
            slots.settled.insert(digest);
        }
    }

    /// Waits that long; false if the sensor is to stop.
    pub(crate) fn rest(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        let mut slots = self.lock();
        while !slots.is_stopping {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            slots = self.changed.wait_timeout(slots, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }

    /// Ends the sending soon.
    pub(crate) fn stop(&self) {
        self.lock().is_stopping = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    /// The server lets go what it has not heard of for long, so that it is asked again from time to time.
    fn let_go_what_is_settled(&mut self) {
        let since = *self.settled_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= SETTLED_LASTS || self.settled.len() >= MOST_SETTLED {
            self.settled = HashSet::new();
            self.settled_since = Some(Instant::now());
        }
    }
}

fn asks_for(rules: &RuleSet, path: &EntityPath) -> bool {
    let key = fim_core::EntityKey::File(path.clone());
    rules.rule_for_kind(&key, EntityKind::File).is_some_and(|rule| rule.upload_content)
}

/// How many texts wait to be sent at most.
const MOST_WANTED: usize = 20_000;
/// Of how many contents it is remembered at most that the server has them.
const MOST_SETTLED: usize = 100_000;
const SETTLED_LASTS: Duration = Duration::from_secs(6 * 3600);

#[cfg(test)]
mod tests {
    use fim_core::{EntityKey, FileAttributes, PathStyle, Rule};

    use super::*;

    fn file(path: &str, digest: u8) -> Entity {
        Entity {
            key: EntityKey::File(EntityPath::unix(path)),
            kind: EntityKind::File,
            attributes: FileAttributes::default(),
            digest: Some(Digest([digest; 32])),
        }
    }

    fn rules(upload_content: bool) -> RuleSet {
        let rule = Rule { upload_content, ..Rule::new("etc", "Custom", "/etc") };
        RuleSet::new(vec![rule, Rule::new("srv", "Custom", "/srv")], PathStyle::Unix).unwrap()
    }

    fn paths(contents: &Contents) -> Vec<String> {
        contents.lock().wanted.iter().map(|wanted| wanted.path.to_string()).collect()
    }

    #[test]
    fn the_text_of_a_file_is_sent_once_and_only_for_a_rule_that_asks_for_it() {
        let contents = Contents::default();
        contents.offer(&file("/etc/a", 1));
        contents.work_by(&rules(true), true);
        contents.offer(&file("/etc/a", 1));
        contents.offer(&file("/etc/b", 1));
        contents.offer(&file("/srv/c", 2));
        contents.offer(&Entity { digest: None, ..file("/etc/d", 3) });
        contents.offer(&Entity { kind: EntityKind::Directory, ..file("/etc/e", 4) });
        assert_eq!(paths(&contents), ["/etc/a"]);
        assert_eq!(contents.take(10).unwrap().len(), 1);
        contents.offer(&file("/etc/b", 1));
        assert!(paths(&contents).is_empty(), "it is being sent");
        contents.sent([1; 32], false);
        contents.offer(&file("/etc/b", 1));
        assert_eq!(paths(&contents), ["/etc/b"], "there may be a text yet");
        contents.take(10);
        contents.sent([1; 32], true);
        contents.offer(&file("/etc/b", 1));
        assert!(paths(&contents).is_empty(), "it was sent");
    }

    #[test]
    fn what_no_rule_asks_for_any_more_is_not_sent() {
        let contents = Contents::default();
        contents.work_by(&rules(true), true);
        contents.offer(&file("/etc/a", 1));
        contents.work_by(&rules(false), true);
        assert!(paths(&contents).is_empty());
        contents.work_by(&rules(true), false);
        contents.offer(&file("/etc/a", 1));
        assert!(paths(&contents).is_empty());
    }

    #[test]
    fn the_queue_is_bounded() {
        let contents = Contents::default();
        contents.work_by(&rules(true), true);
        for number in 0..MOST_WANTED + 10 {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&(number as u64).to_le_bytes());
            contents.offer(&Entity { digest: Some(Digest(digest)), ..file("/etc/a", 0) });
        }
        assert_eq!(contents.lock().wanted.len(), MOST_WANTED);
        assert_eq!(contents.lock().left_out, 10);
    }

    #[test]
    fn who_waits_for_texts_is_told_to_stop() {
        let contents = std::sync::Arc::new(Contents::default());
        let waiting = std::thread::spawn({
            let contents = std::sync::Arc::clone(&contents);
            move || (contents.take(1), contents.rest(Duration::from_secs(3600)))
        });
        contents.stop();
        assert_eq!(waiting.join().unwrap(), (None, false));
    }
}
