//! From directories to entities, in path order.

use std::collections::VecDeque;
use std::sync::Arc;

use fim_core::{Entity, EntityKey, EntityKind, EntityPath, Observation, Unreadable};

use crate::control::ScanControl;
use crate::plan::Plan;
use crate::reach::Reach;
use crate::tree::{FileTree, KeepOut, Listing, Look, Resolved, TreeError};

/// Walks a tree in path order. What needs no reading comes as an observation, what does as a task.
pub(crate) struct Walker<T: FileTree> {
    tree: Arc<T>,
    plan: Arc<dyn Plan>,
    control: Arc<ScanControl>,
    roots: std::vec::IntoIter<EntityPath>,
    reach: Reach,
    levels: Vec<Level<T>>,
    /// Streams of what was visited last, which come before everything else.
    streams: VecDeque<Place<T>>,
}

/// What the walk met.
pub(crate) enum Step<T: FileTree> {
    /// Seen, and nothing is left to read.
    Seen(Observation),
    /// A regular file that has to be opened and read.
    Content(Task<T>),
}

/// A regular file to be opened and read.
pub(crate) struct Task<T: FileTree> {
    pub(crate) source: Source<T>,
    pub(crate) path: EntityPath,
    /// A rule names it; its absence is worth an observation.
    pub(crate) is_root: bool,
}

/// How a file is come by.
pub(crate) enum Source<T: FileTree> {
    /// By its name in an open directory.
    Named { directory: Arc<T::Directory>, name: Box<[u8]> },
    /// By a link that was followed. It has been judged already, so that nothing may be followed anew.
    Linked {
        reached: T::Reached,
        look: Box<Look>,
        /// The text of the link.
        target: Vec<u8>,
    },
}

impl<T: FileTree> Source<T> {
    pub(crate) fn open(&self, tree: &T) -> Result<T::File, TreeError> {
        match self {
            Self::Named { directory, name } => tree.open_file(directory, name),
            Self::Linked { reached, .. } => tree.open_reached(reached),
        }
    }

    /// What is known of the file without opening it.
    pub(crate) fn look(&self, tree: &T) -> Option<Look> {
        match self {
            Self::Named { directory, name } => tree.look(directory, name).ok(),
            Self::Linked { look, .. } => Some(Look::clone(look)),
        }
    }

    /// A look at the file as what is observed at the path: a link that becomes a file, or a file that becomes a link,
    /// has changed its kind.
    pub(crate) fn as_observed(&self, mut look: Look) -> Look {
        if let Self::Linked { target, .. } = self {
            look.kind = EntityKind::Symlink;
            look.attributes.target = Some(target.clone());
        }
        look
    }
}

/// A directory that the walk is in.
struct Level<T: FileTree> {
    path: EntityPath,
    /// Its path without links, below a link that was followed.
    real: Option<EntityPath>,
    directory: Arc<T::Directory>,
    listing: Listing,
    next: usize,
    device: Option<u64>,
    inode: Option<u64>,
    links_followed: usize,
    /// The walk passes through it to what is named below it, and sees nothing else of it.
    is_on_the_way: bool,
}

/// A name in an open directory, about to be visited.
struct Place<T: FileTree> {
    directory: Arc<T::Directory>,
    name: Box<[u8]>,
    path: EntityPath,
    /// Its path without links, below a link that was followed.
    real: Option<EntityPath>,
    is_root: bool,
    /// The device of the directory above; `None` at a root, of which it is asked when it is needed.
    device_above: Option<u64>,
    links_followed: usize,
    /// Something is named below it, and it is seen for that alone.
    is_on_the_way: bool,
}

/// How much of a directory a walk enters.
enum Entry {
    /// All of it.
    Whole,
    /// What is named in it.
    Named,
    /// Nothing.
    Nothing(KeepOut),
}

impl<T: FileTree> Walker<T> {
    pub(crate) fn new(tree: Arc<T>, plan: Arc<dyn Plan>, control: Arc<ScanControl>) -> Self {
        let roots = outermost(plan.roots()).into_iter();
        let reach = Reach::new(plan.named(), tree.may_hang());
        Self { tree, plan, control, roots, reach, levels: Vec::new(), streams: VecDeque::new() }
    }

    fn visit_root(&mut self, path: EntityPath) -> Option<Step<T>> {
        if let Some(kind) = self.reach.may_hang(&path) {
            return Some(unreadable(path.clone(), None, not_entered(kind)));
        }
        let (parent, name) = split(&path).unwrap_or_else(|| (path.clone(), Box::default()));
        let (directory, real_above) = match self.open_above(&parent) {
            Ok((directory, real)) => (Arc::new(directory), real),
            Err(TreeError::NotFound | TreeError::NotThat) => return gone(path, true),
            Err(error) => return Some(unreadable(path, None, error.into_unreadable())),
        };
        if let Some(why) = self.out_of_reach(&path, &directory) {
            return match why {
                KeepOut::NothingStored(_) => gone(path, true),
                KeepOut::MayHang(kind) => Some(unreadable(path, None, not_entered(kind))),
            };
        }
        let is_top = name.is_empty();
        let place = Place {
            directory,
            real: real_above.map(|above| above.join(&name)),
            name,
            path,
            is_root: true,
            device_above: None,
            links_followed: 0,
            is_on_the_way: false,
        };
        if is_top {
            let directory = Arc::clone(&place.directory);
            return self.arrive(place, directory, None);
        }
        self.visit(place, None)
    }

    /// Opens the directory that a root is in, and says its path without links if it lies behind one. Below what is named, a
    /// link is followed only if the plan does so: whoever puts one there has something else read under the root's path.
    fn open_above(&self, above: &EntityPath) -> Result<(T::Directory, Option<EntityPath>), TreeError> {
        let Some(named) = self.reach.named_above(above) else {
            return Ok((self.tree.open_root(above)?, None));
        };
        let (mut directory, mut real) = (self.tree.open_root(named)?, None::<EntityPath>);
        let mut at = named.clone();
        for name in above.segments().skip(named.segments().count()) {
            at = at.join(name);
            directory = match self.tree.enter(&directory, name) {
                Ok(below) => {
                    real = real.map(|real| real.join(name));
                    below
                }
                Err(TreeError::NotThat) => {
                    let Resolved { path, look, reached } = self.tree.resolve(&directory, name)?;
                    if !self.plan.may_follow(&at) || !self.plan.follows(&at, &path, look.kind) {
                        return Err(TreeError::NotThat);
                    }
                    real = Some(path);
                    self.tree.enter_reached(&reached)?
                }
                // It may be passed through all the same.
                Err(TreeError::PermissionDenied) => self.tree.open_root(&at)?,
                Err(error) => return Err(error),
            };
        }
        Ok((directory, real))
    }

    fn visit(&mut self, place: Place<T>, kind: Option<EntityKind>) -> Option<Step<T>> {
        self.control.count_answer();
        // Nothing is asked of it, not even what it is.
        if let Some(kind_of_system) = self.reach.may_hang(place.real.as_ref().unwrap_or(&place.path)) {
            let kind = kind.unwrap_or(EntityKind::Directory);
            let is_wanted = self.watches(&place, kind) || self.plan.descends(&place.path);
            return is_wanted.then(|| unreadable(place.path, None, not_entered(kind_of_system)));
        }
        let kind = match kind {
            Some(kind) => kind,
            None => match self.tree.look(&place.directory, &place.name) {
                Ok(look) => look.kind,
                Err(TreeError::NotFound) => return gone(place.path, place.is_root),
                // What it is stays unknown, so it is as well what is wanted as not.
                Err(error) => return Some(unreadable(place.path, None, error.into_unreadable())),
            },
        };
        match kind {
            EntityKind::File if !self.watches(&place, kind) => None,
            EntityKind::File => Some(match self.find_streams(&place) {
                Ok(()) => {
                    let Place { directory, name, path, is_root, .. } = place;
                    Step::Content(Task { source: Source::Named { directory, name }, path, is_root })
                }
                Err(step) => step,
            }),
            EntityKind::Directory => {
                if self.watches(&place, kind)
                    && let Err(step) = self.find_streams(&place)
                {
                    return Some(step);
                }
                self.enter(place)
            }
            EntityKind::Symlink => self.visit_link(place),
            EntityKind::BlockDevice | EntityKind::CharDevice | EntityKind::Fifo | EntityKind::Socket => {
                if self.watches(&place, kind) {
                    self.look_only(place)
                } else {
                    None
                }
            }
        }
    }

    fn visit_stream(&mut self, place: Place<T>) -> Option<Step<T>> {
        self.control.count_answer();
        self.watches(&place, EntityKind::File).then(|| {
            let Place { directory, name, path, .. } = place;
            Step::Content(Task { source: Source::Named { directory, name }, path, is_root: false })
        })
    }

    /// Notes the streams of a place to be visited next. Where they cannot be told, nothing of it is.
    fn find_streams(&mut self, place: &Place<T>) -> Result<(), Step<T>> {
        let names = match self.tree.streams(&place.directory, &place.name) {
            Ok(names) => names,
            // Whatever becomes of it, it is not there any more.
            Err(TreeError::NotFound) => return Ok(()),
            Err(error) => {
                let partial = self.tree.look(&place.directory, &place.name).ok();
                return Err(unreadable(place.path.clone(), partial, error.into_unreadable()));
            }
        };
        let mut paths: Vec<_> = names.iter().map(|name| (place.path.stream(name), name)).collect();
        paths.sort();
        self.streams.extend(paths.into_iter().map(|(path, name)| Place {
            directory: Arc::clone(&place.directory),
            name: [&place.name, &b":"[..], name].concat().into(),
            path,
            real: place.real.as_ref().map(|real| real.stream(name)),
            is_root: false,
            device_above: place.device_above,
            links_followed: place.links_followed,
            is_on_the_way: place.is_on_the_way,
        }));
        Ok(())
    }

    fn watches(&self, place: &Place<T>, kind: EntityKind) -> bool {
        !place.is_on_the_way
            && self.plan.watches(&place.path, place.real.as_ref().unwrap_or(&place.path), kind)
    }

    fn look_only(&self, place: Place<T>) -> Option<Step<T>> {
        match self.tree.look(&place.directory, &place.name) {
            Ok(look) => Some(present(place.path, look)),
            Err(TreeError::NotFound) => gone(place.path, place.is_root),
            Err(error) => Some(unreadable(place.path, None, error.into_unreadable())),
        }
    }

    fn visit_link(&mut self, place: Place<T>) -> Option<Step<T>> {
        let is_watched = self.watches(&place, EntityKind::Symlink);
        if !self.plan.may_follow(&place.path) {
            return if is_watched { self.look_only(place) } else { None };
        }
        let link = match self.tree.look(&place.directory, &place.name) {
            Ok(link) => link,
            Err(TreeError::NotFound) => return gone(place.path, place.is_root),
            Err(error) => return Some(unreadable(place.path, None, error.into_unreadable())),
        };
        if let Some(kind) = self.leads_to_what_may_hang(&place, &link) {
            return is_watched.then(|| unreadable(place.path, Some(link), not_entered(kind)));
        }
        let resolved = match self.tree.resolve(&place.directory, &place.name) {
            Ok(resolved) => resolved,
            Err(TreeError::NotFound) => return is_watched.then(|| present(place.path, link)),
            Err(error) => {
                return is_watched.then(|| unreadable(place.path, Some(link), error.into_unreadable()));
            }
        };
        let kind = resolved.look.kind;
        if !self.plan.follows(&place.path, &resolved.path, kind) {
            return is_watched.then(|| present(place.path, link));
        }
        match kind {
            EntityKind::File => is_watched.then(|| {
                let Resolved { reached, look, .. } = resolved;
                let target = link.attributes.target.unwrap_or_default();
                let source = Source::Linked { reached, look: Box::new(look), target };
                Step::Content(Task { source, path: place.path, is_root: place.is_root })
            }),
            EntityKind::Directory => self.enter_link(place, link, resolved, is_watched),
            EntityKind::Symlink
            | EntityKind::BlockDevice
            | EntityKind::CharDevice
            | EntityKind::Fifo
            | EntityKind::Socket => is_watched.then(|| present(place.path, link)),
        }
    }

    /// The type of the file system that a link leads to by its text, if that may hang and nobody named the link.
    fn leads_to_what_may_hang(&self, place: &Place<T>, link: &Look) -> Option<&str> {
        if self.reach.is_named(&place.path) {
            return None;
        }
        let above = place.real.as_ref().unwrap_or(&place.path).parent();
        self.reach.may_hang_by_link(&above?, link.attributes.target.as_deref()?)
    }

    /// Goes on in the directory that a link leads to. The link itself is what is observed at its path: what it leads
    /// to shows in what is found there.
    fn enter_link(
        &mut self,
        mut place: Place<T>,
        link: Look,
        resolved: Resolved<T::Reached>,
        is_watched: bool,
    ) -> Option<Step<T>> {
        if self.is_inside(&resolved.look) {
            return is_watched.then(|| present(place.path, link));
        }
        if place.links_followed >= MAX_LINKS_FOLLOWED {
            let why = format!(
                "more than {MAX_LINKS_FOLLOWED} links to directories are on the way to it: name the place that they lead to"
            );
            return Some(unreadable(place.path, Some(link), Unreadable::NotEntered(why)));
        }
        place.links_followed += 1;
        place.real = Some(resolved.path);
        match self.tree.enter_reached(&resolved.reached) {
            Ok(directory) => self.arrive(place, Arc::new(directory), Some((link, is_watched))),
            Err(error) => Some(unreadable(place.path, Some(link), error.into_unreadable())),
        }
    }

    fn enter(&mut self, place: Place<T>) -> Option<Step<T>> {
        if !self.watches(&place, EntityKind::Directory) && !self.plan.descends(&place.path) {
            return None;
        }
        match self.tree.enter(&place.directory, &place.name) {
            Ok(directory) => self.arrive(place, Arc::new(directory), None),
            Err(TreeError::NotFound) => gone(place.path, place.is_root),
            Err(error) => {
                let partial = self.tree.look(&place.directory, &place.name).ok();
                Some(unreadable(place.path, partial, error.into_unreadable()))
            }
        }
    }

    /// Observes an open directory, or the link to it with whether that is watched, and makes the directory the level
    /// that the walk goes on in if that is decided.
    fn arrive(
        &mut self,
        place: Place<T>,
        directory: Arc<T::Directory>,
        link: Option<(Look, bool)>,
    ) -> Option<Step<T>> {
        let look = match self.tree.describe_directory(&directory) {
            Ok(look) => look,
            Err(error) => return Some(unreadable(place.path, None, error.into_unreadable())),
        };
        let (device, inode) = (look.attributes.device, look.attributes.inode);
        let (look, is_watched) = match link {
            Some(link) => link,
            None => (look, self.watches(&place, EntityKind::Directory)),
        };
        if self.plan.descends(&place.path) {
            let is_on_the_way = match self.entry(&place, &directory, device) {
                Entry::Whole => false,
                Entry::Named => true,
                Entry::Nothing(KeepOut::NothingStored(_)) => {
                    return is_watched.then(|| present(place.path, look));
                }
                Entry::Nothing(KeepOut::MayHang(kind)) => {
                    return Some(unreadable(place.path, Some(look), not_entered(kind)));
                }
            };
            if self.levels.len() >= MAX_DEPTH {
                let why = format!(
                    "it is more than {MAX_DEPTH} directories deep: name a place in it, or leave it out"
                );
                return Some(unreadable(place.path, Some(look), Unreadable::NotEntered(why)));
            }
            let listing = match self.tree.list(&directory) {
                Ok(listing) => listing,
                Err(error) => return Some(unreadable(place.path, Some(look), error.into_unreadable())),
            };
            self.levels.push(Level {
                path: place.path.clone(),
                real: place.real,
                directory,
                listing,
                next: 0,
                device,
                inode,
                links_followed: place.links_followed,
                is_on_the_way,
            });
        }
        is_watched.then(|| present(place.path, look))
    }

    /// How much of a directory is entered. It begins another file system where its device differs from the one above.
    fn entry(&self, place: &Place<T>, directory: &T::Directory, device: Option<u64>) -> Entry {
        if self.reach.is_named(&place.path) {
            return Entry::Whole;
        }
        if place.is_on_the_way {
            return Entry::Named;
        }
        let above = if place.is_root { self.device_of(&place.directory) } else { place.device_above };
        if above == device {
            return Entry::Whole;
        }
        match self.tree.keep_out(directory) {
            None => Entry::Whole,
            // Whoever names a place in it says that it answers.
            Some(KeepOut::MayHang(_)) if self.reach.is_named_below(&place.path) => Entry::Whole,
            Some(KeepOut::NothingStored(_)) if self.reach.is_named_below(&place.path) => Entry::Named,
            Some(why) => Entry::Nothing(why),
        }
    }

    /// Why a walk from further up would not have come to the root, which is in `above`, if so.
    fn out_of_reach(&self, root: &EntityPath, above: &T::Directory) -> Option<KeepOut> {
        if self.reach.is_named(root) {
            return None;
        }
        let why = self.tree.keep_out(above)?;
        let device = self.device_of(above);
        let is_there = |named: &EntityPath| self.device_at(named) == device;
        let is_reached = match why {
            KeepOut::MayHang(_) => self.reach.named().any(is_there),
            KeepOut::NothingStored(_) => {
                self.reach.named().any(|named| root.is_within(named) && is_there(named))
            }
        };
        (!is_reached).then_some(why)
    }

    /// The device that a named place is on.
    fn device_at(&self, path: &EntityPath) -> Option<u64> {
        let directory = self.tree.open_root(path).or_else(|_| {
            let (above, _) = split(path).ok_or(TreeError::NotFound)?;
            self.tree.open_root(&above)
        });
        self.device_of(&directory.ok()?)
    }

    fn device_of(&self, directory: &T::Directory) -> Option<u64> {
        self.tree.describe_directory(directory).ok()?.attributes.device
    }

    /// True if the walk is in this directory already, so that entering it again would never end.
    fn is_inside(&self, look: &Look) -> bool {
        let (device, inode) = (look.attributes.device, look.attributes.inode);
        inode.is_some() && self.levels.iter().any(|level| level.device == device && level.inode == inode)
    }
}

impl<T: FileTree> Iterator for Walker<T> {
    type Item = Step<T>;

    fn next(&mut self) -> Option<Step<T>> {
        loop {
            if let Some(stream) = self.streams.pop_front() {
                if let Some(step) = self.visit_stream(stream) {
                    return Some(step);
                }
                continue;
            }
            let Some(level) = self.levels.last_mut() else {
                let root = self.roots.next()?;
                if let Some(step) = self.visit_root(root) {
                    return Some(step);
                }
                continue;
            };
            let Some((name, kind)) = level.listing.get(level.next) else {
                self.levels.pop();
                continue;
            };
            level.next += 1;
            let path = level.path.join(name);
            if level.is_on_the_way && !self.reach.is_named_below(&path) {
                continue;
            }
            let place = Place {
                directory: Arc::clone(&level.directory),
                name: name.into(),
                is_on_the_way: level.is_on_the_way && !self.reach.is_named(&path),
                path,
                real: level.real.as_ref().map(|real| real.join(name)),
                is_root: false,
                device_above: level.device,
                links_followed: level.links_followed,
            };
            if let Some(step) = self.visit(place, kind) {
                return Some(step);
            }
        }
    }
}

/// The roots in path order without those that lie within another.
fn outermost(mut roots: Vec<EntityPath>) -> Vec<EntityPath> {
    roots.sort();
    roots.dedup_by(|later, earlier| later.is_within(earlier));
    roots
}

/// The directory that a path's last segment is in, and that segment; `None` for a path without a parent.
pub(crate) fn split(path: &EntityPath) -> Option<(EntityPath, Box<[u8]>)> {
    Some((path.parent()?, path.file_name()?.into()))
}

fn present<T: FileTree>(path: EntityPath, look: Look) -> Step<T> {
    Step::Seen(Observation::Present(Box::new(entity(path, look))))
}

fn not_entered(kind: &str) -> Unreadable {
    Unreadable::NotEntered(format!(
        "{kind} file systems, which may not answer, are entered only by a path of their own: name one in it"
    ))
}

fn gone<T: FileTree>(path: EntityPath, is_root: bool) -> Option<Step<T>> {
    // What is listed and gone a moment later was removed; the comparison sees that it is missing. A root is told,
    // because nothing lists it.
    is_root.then(|| Step::Seen(Observation::Absent(EntityKey::File(path))))
}

fn unreadable<T: FileTree>(path: EntityPath, partial: Option<Look>, why: Unreadable) -> Step<T> {
    Step::Seen(unreadable_observation(path, partial, why))
}

/// The claim that not all of an entity could be read.
pub(crate) fn unreadable_observation(
    path: EntityPath,
    partial: Option<Look>,
    why: Unreadable,
) -> Observation {
    let partial = partial.map(|look| Box::new(entity(path.clone(), look)));
    Observation::Unreadable { key: EntityKey::File(path), partial, why }
}

/// What a look says of the entity at a path, without its content.
pub(crate) fn entity(path: EntityPath, look: Look) -> Entity {
    Entity { key: EntityKey::File(path), kind: look.kind, attributes: look.attributes, digest: None }
}

/// Each open directory costs a handle, and a system gives a process a thousand or so.
const MAX_DEPTH: usize = 512;

/// Links to directories multiply what is reachable; no sane tree needs more of them on one path.
const MAX_LINKS_FOLLOWED: usize = 8;
