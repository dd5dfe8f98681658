//! What rules come to on this machine: how many entities, how many bytes, and what cannot be read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fim_core::{
    Entity, EntityKey, EntityKind, EntityPath, Links, Observation, PathStyle, Rule, RuleSet, Timestamp,
    Unreadable, error_chain,
};
use fim_scan::{
    FileTree, KeepOut, Listing, Look, Resolved, Scan, ScanControl, ScanOptions, Stamp, TreeError,
};
use serde::Serialize;

use crate::time::now;

/// What rules come to on this machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// Each rule in force, in the order in which they are asked.
    pub rules: Vec<RuleCost>,
    /// What could not be read, and why; the first [`MOST_UNREADABLE`].
    pub unreadable: Vec<UnreadablePlace>,
    /// How many places could not be read.
    pub unreadable_count: u64,
    /// Why the preview is not complete, if it is not.
    pub problem: Option<String>,
}

/// What a rule comes to.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleCost {
    /// The rule's name.
    pub name: String,
    /// Its path pattern.
    pub path: String,
    /// The entities that it watches; one that two rules name counts for the first.
    pub entities: u64,
    /// The bytes that are read at each scan.
    pub bytes: u64,
    /// Files among them whose content changed within the last hour.
    pub busy_files: u64,
    /// One of those.
    pub busy_example: Option<String>,
    /// What a person should know of the rule before it is in force.
    pub warnings: Vec<String>,
    /// Why the figures may be other than one would think.
    pub notes: Vec<String>,
}

/// A place that cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct UnreadablePlace {
    /// The place.
    pub path: String,
    /// Why.
    pub why: String,
}

/// The most unreadable places that are named one by one.
pub const MOST_UNREADABLE: usize = 100;

/// Walks by the rules without reading any content. `control` lets somebody else cut it short.
pub fn preview<T: FileTree>(tree: Arc<T>, rules: &RuleSet, control: Arc<ScanControl>) -> Preview {
    let mut preview = Preview::default();
    let places = rules.rules().filter_map(|rule| rules.root(&rule.name).cloned()).collect();
    let mut tally = Tally { places, ..Tally::default() };
    let hour_ago = now().plus_nanos(-HOUR_NANOS);
    let plan = Arc::new(rules.scan_plan());
    match Scan::start(Arc::new(Contentless(tree)), plan, ScanOptions::default(), control) {
        Ok(scan) => {
            for observation in scan {
                preview.take_in(observation, rules, hour_ago, &mut tally);
            }
        }
        Err(error) => preview.problem = Some(error_chain(&error)),
    }
    let in_force = rules.rules().filter(|rule| rule.enabled);
    preview.rules = in_force
        .map(|rule| {
            let cost = tally.costs.remove(&rule.name).unwrap_or_default();
            let warnings = rule.warnings(rules.style()).unwrap_or_default();
            let notes = tally.whereabouts(rule, &cost, rules).into_iter().chain(busy_note(&cost)).collect();
            RuleCost { name: rule.name.clone(), path: rule.path.clone(), warnings, notes, ..cost }
        })
        .collect();
    preview
}

/// Files that change all the time make so many records that an attack is hard to see among them. One look shows the last
/// write alone, which does not make a file one of those.
fn busy_note(cost: &RuleCost) -> Option<String> {
    let example = cost.busy_example.as_ref()?;
    let (files, are) = if cost.busy_files == 1 { ("file", "was") } else { ("files", "were") };
    Some(format!(
        "{} {files} {are} written within the last hour, such as {example}: if that goes on, leave out what changes often",
        cost.busy_files
    ))
}

/// What is counted while the rules are walked.
#[derive(Default)]
struct Tally {
    costs: BTreeMap<String, RuleCost>,
    /// The places that the rules begin at.
    places: BTreeSet<EntityPath>,
    /// Those of them that are not there.
    absent: BTreeSet<EntityPath>,
    /// Those of them that are links which are not followed, and where they lead.
    links: BTreeMap<EntityPath, EntityPath>,
}

impl Tally {
    fn note_absent(&mut self, key: &EntityKey) {
        self.absent.insert(key.path().clone());
    }

    /// Notes a link at which a rule begins, and whose content is not its own here.
    fn note_link(&mut self, entity: &Entity) {
        let path = entity.key.path();
        let Some(target) = &entity.attributes.target else { return };
        if self.places.contains(path) {
            self.links.insert(path.clone(), led_to(path, target));
        }
    }

    /// What became of the place that the rule begins at, where the figures do not say it.
    fn whereabouts(&self, rule: &Rule, cost: &RuleCost, rules: &RuleSet) -> Option<String> {
        let place = rules.root(&rule.name)?;
        if self.absent.contains(place) {
            return Some(format!("{place} is not there now; it is monitored once it is"));
        }
        if let Some(real) = self.links.get(place).filter(|_| rule.links == Links::Follow)
            && let Some(other) = rules.rule_for(&EntityKey::File(real.clone()))
        {
            return Some(format!(
                "{place} leads to {real}, which the rule `{}` monitors: here it is the link alone",
                other.name
            ));
        }
        if cost.entities > 0 {
            return None;
        }
        if let Some(real) = self.links.iter().find_map(|(link, to)| moved_below(place, link, to))
            && let Some(other) = rules.rule_for(&EntityKey::File(real.clone()))
        {
            return Some(format!("{place} is {real}, which the rule `{}` monitors", other.name));
        }
        Some("nothing matches it now, or other rules monitor what does".to_owned())
    }
}

/// What the path is below the place that the link leads to, if it is below the link.
fn moved_below(path: &EntityPath, link: &EntityPath, to: &EntityPath) -> Option<EntityPath> {
    let rest = path.segments().skip(link.segments().count());
    path.is_within(link).then(|| rest.fold(to.clone(), |at, name| at.join(name)))
}

/// Where a link leads, as its text says.
fn led_to(link: &EntityPath, target: &[u8]) -> EntityPath {
    let separator = link.separator();
    let root = EntityPath::new(link.style(), [separator]);
    let mut at = if target.first() == Some(&separator) { Some(root.clone()) } else { link.parent() };
    for name in target.split(|byte| *byte == separator) {
        at = match name {
            b"" | b"." => at,
            b".." => at.as_ref().and_then(EntityPath::parent),
            name => Some(at.unwrap_or_else(|| root.clone()).join(name)),
        };
    }
    at.unwrap_or(root)
}

impl Preview {
    fn take_in(&mut self, observation: Observation, rules: &RuleSet, hour_ago: Timestamp, tally: &mut Tally) {
        let mut count = |entity: &Entity| {
            // What a link leads to is read under the link's path; one that is not followed is never read.
            let is_read = match entity.kind {
                EntityKind::File => true,
                EntityKind::Symlink => entity.digest.is_some(),
                EntityKind::Directory
                | EntityKind::BlockDevice
                | EntityKind::CharDevice
                | EntityKind::Fifo
                | EntityKind::Socket => false,
            };
            if entity.kind == EntityKind::Symlink && !is_read {
                tally.note_link(entity);
            }
            if let Some(rule) = rules.rule_for_kind(&entity.key, entity.kind) {
                let cost = tally.costs.entry(rule.name.clone()).or_default();
                cost.entities += 1;
                cost.bytes += entity.attributes.size_bytes.filter(|_| is_read).unwrap_or(0);
                let is_busy = entity.attributes.modified.is_some_and(|modified| modified >= hour_ago);
                if is_busy && is_read {
                    cost.busy_files += 1;
                    cost.busy_example.get_or_insert_with(|| entity.key.path().to_string());
                }
            }
        };
        match observation {
            Observation::Present(entity) => count(&entity),
            // Content that is not read looks as if it had ended too soon.
            Observation::Unreadable { partial: Some(entity), why: Unreadable::Unstable, .. } => {
                count(&entity);
            }
            Observation::Unreadable { key, partial, why } => {
                if let Some(entity) = partial {
                    count(&entity);
                }
                self.note_unreadable(key.path(), why.to_string());
            }
            Observation::Absent(key) => tally.note_absent(&key),
        }
    }

    fn note_unreadable(&mut self, path: &EntityPath, why: String) {
        self.unreadable_count += 1;
        if self.unreadable.len() < MOST_UNREADABLE {
            self.unreadable.push(UnreadablePlace { path: path.to_string(), why });
        }
    }
}

const HOUR_NANOS: i64 = 3_600_000_000_000;

/// A tree whose files are opened, so that it shows whether they can be, and never read.
struct Contentless<T>(Arc<T>);

impl<T: FileTree> FileTree for Contentless<T> {
    type Directory = T::Directory;
    type File = T::File;
    type Reached = T::Reached;

    fn open_root(&self, path: &EntityPath) -> Result<T::Directory, TreeError> {
        self.0.open_root(path)
    }

    fn list(&self, directory: &T::Directory) -> Result<Listing, TreeError> {
        self.0.list(directory)
    }

    fn describe_directory(&self, directory: &T::Directory) -> Result<Look, TreeError> {
        self.0.describe_directory(directory)
    }

    fn enter(&self, directory: &T::Directory, name: &[u8]) -> Result<T::Directory, TreeError> {
        self.0.enter(directory, name)
    }

    fn streams(&self, directory: &T::Directory, name: &[u8]) -> Result<Vec<Vec<u8>>, TreeError> {
        self.0.streams(directory, name)
    }

    fn look(&self, directory: &T::Directory, name: &[u8]) -> Result<Look, TreeError> {
        self.0.look(directory, name)
    }

    fn resolve(&self, directory: &T::Directory, name: &[u8]) -> Result<Resolved<T::Reached>, TreeError> {
        self.0.resolve(directory, name)
    }

    fn enter_reached(&self, reached: &T::Reached) -> Result<T::Directory, TreeError> {
        self.0.enter_reached(reached)
    }

    fn open_file(&self, directory: &T::Directory, name: &[u8]) -> Result<T::File, TreeError> {
        self.0.open_file(directory, name)
    }

    fn open_reached(&self, reached: &T::Reached) -> Result<T::File, TreeError> {
        self.0.open_reached(reached)
    }

    fn describe_file(&self, file: &T::File) -> Result<Look, TreeError> {
        self.0.describe_file(file)
    }

    fn stamp(&self, file: &T::File) -> Result<Stamp, TreeError> {
        self.0.stamp(file)
    }

    fn read_at(&self, _file: &T::File, _offset: u64, _buffer: &mut [u8]) -> Result<usize, TreeError> {
        Ok(0)
    }

    fn style(&self) -> PathStyle {
        self.0.style()
    }

    fn keep_out(&self, directory: &T::Directory) -> Option<KeepOut> {
        self.0.keep_out(directory)
    }

    fn may_hang(&self) -> Vec<(EntityPath, String)> {
        self.0.may_hang()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fim_core::FileAttributes;
    use fim_testkit::MemoryTree;

    #[test]
    fn a_preview_counts_what_each_rule_names_and_tells_what_cannot_be_read() {
        let tree = MemoryTree::new();
        tree.directory("/etc").directory("/srv");
        tree.file("/etc/hosts", "12345").file("/etc/shadow", "123").file("/srv/page", "1234567");
        tree.refuse("/etc/shadow", TreeError::PermissionDenied);
        let rules = ["/etc", "/srv"].map(|path| Rule { recurse: true, ..Rule::new(path, "mine", path) });
        let rules = RuleSet::new(rules.to_vec(), PathStyle::Unix).unwrap();
        let seen = preview(Arc::new(tree), &rules, Arc::default());
        let costs: Vec<(&str, u64)> =
            seen.rules.iter().map(|rule| (rule.name.as_str(), rule.bytes)).collect();
        assert_eq!(costs, [("/etc", 8), ("/srv", 7)]);
        assert_eq!(
            seen.unreadable,
            [UnreadablePlace {
                path: "/etc/shadow".to_owned(),
                why: "permission denied: let the agent read it, or leave it out".to_owned()
            }]
        );
        assert!(seen.problem.is_none());
    }

    #[test]
    fn what_followed_links_lead_to_is_counted_and_what_others_monitor_is_told() {
        let tree = MemoryTree::new();
        tree.directory("/srv")
            .directory("/data")
            .directory("/data/below")
            .directory("/usr")
            .directory("/usr/bin");
        tree.file("/data/page", "1234567").file("/data/below/deep", "123").file("/usr/bin/ls", "12345");
        tree.link("/srv/page", "../data/page").link("/srv/below", "/data/below").link("/bin", "usr/bin");
        let rule = |path: &str| Rule { recurse: true, ..Rule::new(path, "mine", path) };
        let rules =
            ["/srv", "/bin", "/bin/ls", "/usr/bin", "/opt/**", "/opt/*.d/*.conf", "/data/none*"].map(rule);
        let rules = RuleSet::new(rules.to_vec(), PathStyle::Unix).unwrap();
        let seen = preview(Arc::new(tree), &rules, Arc::default());
        let told: Vec<(u64, u64, &str)> = seen
            .rules
            .iter()
            .map(|rule| (rule.entities, rule.bytes, rule.notes.first().map_or("", String::as_str)))
            .collect();
        // The files of this tree were written at some time long ago.
        assert_eq!(
            told,
            [
                (4, 10, ""),
                (
                    1,
                    0,
                    "/bin leads to /usr/bin, which the rule `/usr/bin` monitors: here it is the link alone"
                ),
                (0, 0, "/bin/ls is /usr/bin/ls, which the rule `/usr/bin` monitors"),
                (2, 5, ""),
                (0, 0, "/opt is not there now; it is monitored once it is"),
                (0, 0, "/opt is not there now; it is monitored once it is"),
                (0, 0, "nothing matches it now, or other rules monitor what does"),
            ]
        );
    }

    #[test]
    fn where_a_link_leads_is_told_as_its_text_says() {
        for (link, target, real) in [
            ("/bin", "usr/bin", "/usr/bin"),
            ("/a/b/c", "../../d", "/d"),
            ("/a/b", "/x/./y//z", "/x/y/z"),
            ("/a", "../../../..", "/"),
        ] {
            assert_eq!(led_to(&EntityPath::unix(link), target.as_bytes()), EntityPath::unix(real), "{link}");
        }
    }

    #[test]
    fn a_path_that_takes_in_nearly_all_and_files_that_change_often_are_warned_of() {
        let tree = MemoryTree::new();
        tree.file("/srv/old", "1").file("/srv/log", "2");
        let (old, busy) = (Timestamp(5), now());
        let tree = Arc::new(tree);
        let rules = RuleSet::new(vec![Rule::new("all", "mine", "/**")], PathStyle::Unix).unwrap();
        let seen = preview(Arc::clone(&tree), &rules, Arc::default());
        assert_eq!(seen.rules[0].warnings.len(), 1, "{:?}", seen.rules[0].warnings);
        assert!(seen.rules[0].warnings[0].contains("changes will be many"));
        let cost = |modified| {
            let mut preview = Preview::default();
            let mut tally = Tally::default();
            let attributes = FileAttributes { modified: Some(modified), ..FileAttributes::default() };
            let key = EntityKey::File(EntityPath::unix("/srv/log"));
            let entity = Entity { key, kind: EntityKind::File, attributes, digest: None };
            let hour_ago = busy.plus_nanos(-HOUR_NANOS);
            preview.take_in(Observation::Present(Box::new(entity)), &rules, hour_ago, &mut tally);
            tally.costs.remove("all").and_then(|cost| busy_note(&cost))
        };
        assert_eq!(cost(old), None);
        assert!(cost(busy).unwrap().contains("such as /srv/log"));
    }
}
