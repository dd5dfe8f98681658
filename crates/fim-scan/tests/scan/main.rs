//! Scans of trees in memory: what is seen, in which order, and what is said of what is not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod kept_out;
mod large;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fim_core::{EntityKind, EntityPath, FileId, Observation, Unreadable};
use fim_scan::{
    KnownFiles, Plan, Progress, Scan, ScanControl, ScanEnd, ScanOptions, SpeedLimit, TreeError, digest_of,
};
use fim_testkit::MemoryTree;
use proptest::prelude::*;

/// Everything below the roots but the excluded paths; links are followed or not, everywhere.
struct Everything {
    roots: Vec<&'static str>,
    exclude: Vec<&'static str>,
    follows: bool,
}

impl Everything {
    fn below(roots: &[&'static str]) -> Self {
        Self { roots: roots.to_vec(), exclude: Vec::new(), follows: false }
    }

    fn is_excluded(&self, path: &EntityPath) -> bool {
        self.exclude.iter().any(|exclude| path.is_within(&EntityPath::unix(*exclude)))
    }
}

impl Plan for Everything {
    fn roots(&self) -> Vec<EntityPath> {
        self.roots.iter().map(|root| EntityPath::unix(*root)).collect()
    }

    fn watches(&self, path: &EntityPath, _real: &EntityPath, _kind: EntityKind) -> bool {
        !self.is_excluded(path)
    }

    fn descends(&self, path: &EntityPath) -> bool {
        !self.is_excluded(path)
    }

    fn follows(&self, _link: &EntityPath, _real: &EntityPath, _kind: EntityKind) -> bool {
        self.follows
    }
}

fn start(
    tree: &Arc<MemoryTree>,
    plan: impl Plan,
    threads: usize,
    control: &Arc<ScanControl>,
) -> Scan<MemoryTree> {
    let options = ScanOptions { threads, ..ScanOptions::default() };
    Scan::start(Arc::clone(tree), Arc::new(plan), options, Arc::clone(control)).unwrap()
}

fn observe(tree: &Arc<MemoryTree>, plan: impl Plan, threads: usize) -> Vec<Observation> {
    let mut scan = start(tree, plan, threads, &Arc::default());
    let seen: Vec<Observation> = scan.by_ref().collect();
    assert_eq!(scan.end(), ScanEnd::Complete);
    seen
}

/// One line for each observation, as a person would note it.
fn lines(observations: &[Observation]) -> Vec<String> {
    let line = |observation: &Observation| match observation {
        Observation::Present(entity) => {
            let attributes = &entity.attributes;
            let target = attributes.target.as_ref().map(|target| format!(" -> {}", target.escape_ascii()));
            let digest = entity.digest.map(|digest| format!(" {}", &digest.to_string()[..6]));
            let (target, digest) = (target.unwrap_or_default(), digest.unwrap_or_default());
            format!("{} {:?}{target}{digest}", entity.key.path(), entity.kind)
        }
        Observation::Absent(key) => format!("{} absent", key.path()),
        Observation::Unreadable { key, partial, why } => {
            let known = partial.as_ref().map_or("nothing", |_| "its attributes");
            format!("{} unreadable, {known} known: {why:?}", key.path())
        }
    };
    observations.iter().map(line).collect()
}

/// What a scan sees, on the caller's thread and on several.
fn check<P: Plan>(tree: MemoryTree, plan: impl Fn() -> P, expected: &[&str]) {
    let tree = Arc::new(tree);
    for threads in [1, 3] {
        assert_eq!(lines(&observe(&tree, plan(), threads)), expected, "with {threads} threads");
    }
}

fn short(content: &[u8]) -> String {
    digest_of(content).to_string()[..6].to_owned()
}

#[test]
fn a_directory_comes_right_before_what_it_contains() {
    let tree = MemoryTree::new();
    tree.file("/a/b", "one").file("/a.b", "two").file("/a/b-c/d", "three").directory("/a/empty");
    let [one, two, three] = [b"one" as &[u8], b"two", b"three"].map(short);
    check(
        tree,
        || Everything::below(&["/"]),
        &[
            "/ Directory",
            "/a Directory",
            &format!("/a/b File {one}"),
            "/a/b-c Directory",
            &format!("/a/b-c/d File {three}"),
            "/a/empty Directory",
            &format!("/a.b File {two}"),
        ],
    );
}

#[test]
fn streams_come_right_after_what_they_belong_to_and_are_read() {
    let tree = MemoryTree::new();
    tree.file("/d/inside", "in").file("/f", "file").stream("/f", "zone", "3").stream("/f", "evil", "exe");
    tree.stream("/d", "of-a-directory", "x").file("/g", "").stream("/g", "left-out", "y");
    let [inside, file, zone, evil, of_directory, nothing] =
        [b"in" as &[u8], b"file", b"3", b"exe", b"x", b""].map(short);
    check(
        tree,
        || Everything { exclude: vec!["/g:left-out"], ..Everything::below(&["/"]) },
        &[
            "/ Directory",
            "/d Directory",
            &format!("/d:of-a-directory File {of_directory}"),
            &format!("/d/inside File {inside}"),
            &format!("/f File {file}"),
            &format!("/f:evil File {evil}"),
            &format!("/f:zone File {zone}"),
            &format!("/g File {nothing}"),
        ],
    );
}

#[test]
fn roots_are_walked_in_path_order_and_none_twice() {
    let tree = MemoryTree::new();
    tree.file("/b/file", "").file("/a/file", "");
    let empty = short(b"");
    check(
        tree,
        || Everything::below(&["/b/", "/a/file", "/b/file", "/a/file"]),
        &[&format!("/a/file File {empty}"), "/b Directory", &format!("/b/file File {empty}")],
    );
}

#[test]
fn a_root_that_is_not_there_is_absent_and_a_name_that_is_not_there_is_nothing() {
    let tree = MemoryTree::new();
    tree.directory("/etc");
    check(
        tree,
        || Everything::below(&["/etc", "/missing", "/no/such/place"]),
        &["/etc Directory", "/missing absent", "/no/such/place absent"],
    );
}

#[test]
fn names_of_any_bytes_are_seen() {
    let tree = MemoryTree::new();
    tree.file(b"/d/new\nline", "").file(b"/d/\xff\xfe", "").file("/d/ leading space", "").file("/d/ü", "");
    let empty = short(b"");
    check(
        tree,
        || Everything::below(&["/d"]),
        &[
            "/d Directory",
            &format!("/d/ leading space File {empty}"),
            &format!("/d/new\\x0aline File {empty}"),
            &format!("/d/ü File {empty}"),
            &format!("/d/\\xff\\xfe File {empty}"),
        ],
    );
}

#[test]
fn what_is_left_out_is_neither_observed_nor_entered() {
    let tree = MemoryTree::new();
    tree.file("/a/keep", "").file("/a/skip/deep/file", "");
    let plan = || Everything { exclude: vec!["/a/skip"], ..Everything::below(&["/a"]) };
    check(tree, plan, &["/a Directory", &format!("/a/keep File {}", short(b""))]);
}

#[test]
fn devices_pipes_and_sockets_are_observed_and_never_opened() {
    let tree = MemoryTree::new();
    tree.special("/dev/pipe", EntityKind::Fifo)
        .special("/dev/null", EntityKind::CharDevice)
        .special("/dev/disk", EntityKind::BlockDevice)
        .special("/dev/log", EntityKind::Socket);
    let tree = Arc::new(tree);
    let seen = lines(&observe(&tree, Everything::below(&["/dev"]), 1));
    assert_eq!(
        seen,
        [
            "/dev Directory",
            "/dev/disk BlockDevice -> 1:3",
            "/dev/log Socket",
            "/dev/null CharDevice -> 1:3",
            "/dev/pipe Fifo"
        ]
    );
    assert!(tree.opened().is_empty());
}

#[test]
fn listings_that_tell_no_kinds_lead_to_the_same() {
    let tree = MemoryTree::new();
    tree.without_kinds().file("/a/file", "x").special("/a/pipe", EntityKind::Fifo).link("/a/link", "file");
    let tree = Arc::new(tree);
    let seen = lines(&observe(&tree, Everything::below(&["/a"]), 1));
    let file = format!("/a/file File {}", short(b"x"));
    assert_eq!(seen, ["/a Directory", &file, "/a/link Symlink -> file", "/a/pipe Fifo"]);
    assert_eq!(tree.opened().len(), 1);
}

#[test]
fn links_that_are_not_followed_are_entities_of_their_own() {
    let tree = MemoryTree::new();
    tree.file("/real/file", "x").link("/a/dir", "/real").link("/a/dangling", "/nowhere");
    check(
        tree,
        || Everything::below(&["/a"]),
        &["/a Directory", "/a/dangling Symlink -> /nowhere", "/a/dir Symlink -> /real"],
    );
}

#[test]
fn followed_links_show_what_they_lead_to_under_their_own_path() {
    let tree = MemoryTree::new();
    tree.file("/real/file", "x").file("/b", "y");
    tree.link("/a/dir", "../real")
        .link("/a/file", "/b")
        .link("/a/nowhere", "/gone")
        .link("/a/round", "round");
    let (x, y) = (short(b"x"), short(b"y"));
    check(
        tree,
        || Everything { follows: true, ..Everything::below(&["/a"]) },
        &[
            "/a Directory",
            "/a/dir Symlink -> ../real",
            &format!("/a/dir/file File {x}"),
            &format!("/a/file Symlink -> /b {y}"),
            "/a/nowhere Symlink -> /gone",
            "/a/round Symlink -> round",
        ],
    );
}

#[test]
fn what_a_link_was_judged_to_lead_to_is_what_is_read() {
    let followed = || Everything { roots: vec!["/etc"], exclude: vec![], follows: true };
    let tree = MemoryTree::new();
    tree.file("/real/file", "mine")
        .file("/real/dir/inner", "mine")
        .special("/dev/tape", EntityKind::CharDevice);
    tree.file("/other/inner", "not mine");
    let mine = short(b"mine");
    let tree = Arc::new(tree);
    for threads in [1, 3] {
        tree.link("/etc/file", "/real/file").turn_once_followed("/etc/file", "/dev/tape");
        tree.link("/etc/dir", "/real/dir").turn_once_followed("/etc/dir", "/other");
        let expected = [
            "/etc Directory".to_owned(),
            "/etc/dir Symlink -> /real/dir".to_owned(),
            format!("/etc/dir/inner File {mine}"),
            format!("/etc/file Symlink -> /real/file {mine}"),
        ];
        assert_eq!(lines(&observe(&tree, followed(), threads)), expected, "with {threads} threads");
    }
    assert!(!tree.opened().contains(&b"/dev/tape"[..]), "what nobody judged was opened");
}

#[test]
fn links_back_to_where_the_walk_is_do_not_go_round() {
    let tree = MemoryTree::new();
    tree.link("/a/b/up", "..").link("/a/self", ".").link("/a/other", "/c").link("/c/back", "/a");
    check(
        tree,
        || Everything { follows: true, ..Everything::below(&["/a"]) },
        &[
            "/a Directory",
            "/a/b Directory",
            "/a/b/up Symlink -> ..",
            "/a/other Symlink -> /c",
            "/a/other/back Symlink -> /a",
            "/a/self Symlink -> .",
        ],
    );
}

#[test]
fn links_that_multiply_come_to_an_end_that_is_told() {
    let tree = MemoryTree::new();
    for level in 0..20 {
        tree.link(format!("/d{level}/next"), format!("/d{}", level + 1));
    }
    tree.directory("/d20");
    let seen = observe(&Arc::new(tree), Everything { follows: true, ..Everything::below(&["/d0"]) }, 1);
    let last = lines(&seen).pop().unwrap();
    assert!(last.contains("unreadable, its attributes known: NotEntered(\"more than 8 links"), "{last}");
}

#[test]
fn a_directory_that_cannot_be_read_speaks_for_all_below_it() {
    let tree = MemoryTree::new();
    tree.file("/a/closed/secret", "x").file("/a/open", "").refuse("/a/closed", TreeError::PermissionDenied);
    check(
        tree,
        || Everything::below(&["/a"]),
        &[
            "/a Directory",
            "/a/closed unreadable, its attributes known: PermissionDenied",
            &format!("/a/open File {}", short(b"")),
        ],
    );
}

#[test]
fn a_file_that_cannot_be_read_still_shows_its_attributes() {
    let tree = MemoryTree::new();
    tree.file("/a/shadow", "x").refuse("/a/shadow", TreeError::PermissionDenied);
    tree.file("/a/leased", "x").refuse("/a/leased", TreeError::Locked);
    tree.file("/a/bad", "x").hide("/a/bad", TreeError::Failed("Input/output error".to_owned()));
    check(
        tree,
        || Everything::below(&["/a"]),
        &[
            "/a Directory",
            "/a/bad unreadable, nothing known: Damaged(\"Input/output error\")",
            "/a/leased unreadable, its attributes known: Locked",
            "/a/shadow unreadable, its attributes known: PermissionDenied",
        ],
    );
}

#[test]
fn a_file_that_changes_once_while_it_is_read_is_read_again() {
    let tree = MemoryTree::new();
    tree.file("/a", "content").change_while_read("/a", 1);
    let seen = lines(&observe(&Arc::new(tree), Everything::below(&["/a"]), 1));
    assert_eq!(seen, [format!("/a File {}", short(b"content"))]);
}

#[test]
fn a_file_is_noted_before_it_is_read() {
    let tree = Arc::new(MemoryTree::new());
    tree.file("/a", "content");
    let seen = observe(&tree, Everything::below(&["/a"]), 1);
    let [Observation::Present(entity)] = &seen[..] else { panic!("{seen:?}") };
    let file = FileId::of(entity).unwrap();
    tree.hang("/a");
    let known = Arc::new(KnownFiles::default());
    let control = Arc::new(ScanControl::noting(Arc::clone(&known)));
    let scan = start(&tree, Everything::below(&["/a"]), 1, &control);
    let scan = std::thread::spawn(move || scan.count());
    let begun = Instant::now();
    while !known.may_have(file) && begun.elapsed() < Duration::from_secs(30) {
        std::thread::yield_now();
    }
    assert!(known.may_have(file), "while its content waits to be read");
    tree.answer();
    assert_eq!(scan.join().unwrap(), 1);
}

#[test]
fn a_file_that_does_not_keep_still_is_unstable() {
    let tree = MemoryTree::new();
    tree.file("/a", "content").change_while_read("/a", 1000);
    let seen = lines(&observe(&Arc::new(tree), Everything::below(&["/a"]), 1));
    assert_eq!(seen, ["/a unreadable, its attributes known: Unstable"]);
}

#[test]
fn hard_links_are_one_inode_under_every_name() {
    let tree = MemoryTree::new();
    tree.file("/a/one", "x").hard_link("/a/two", "/a/one");
    let seen = observe(&Arc::new(tree), Everything::below(&["/a"]), 1);
    let inodes: Vec<_> = seen
        .iter()
        .filter_map(|observation| match observation {
            Observation::Present(entity) if entity.kind == EntityKind::File => {
                Some((entity.attributes.inode, entity.attributes.links))
            }
            _ => None,
        })
        .collect();
    assert_eq!(inodes.len(), 2);
    assert_eq!(inodes[0], inodes[1]);
    assert_eq!(inodes[0].1, Some(2));
}

#[test]
fn a_cancelled_scan_says_where_it_was_cut_short() {
    let tree = MemoryTree::new();
    for number in 0..5000 {
        tree.file(format!("/d/{number:04}"), "x");
    }
    let tree = Arc::new(tree);
    for threads in [1, 2] {
        let control = Arc::new(ScanControl::default());
        let mut scan = start(&tree, Everything::below(&["/d"]), threads, &control);
        let last = scan.by_ref().take(100).last().unwrap();
        control.cancel();
        // What had been made already may still come out; that it ends is what matters.
        let last = scan.by_ref().last().unwrap_or(last);
        let Observation::Present(entity) = last else { panic!("{last:?}") };
        let after = Some(entity.key.path().clone());
        assert_eq!(scan.end(), ScanEnd::CutShort { after });
        assert!(control.progress().entities < 5001);
    }
}

#[test]
fn a_scan_that_is_dropped_stops_its_threads() {
    let tree = MemoryTree::new();
    for number in 0..5000 {
        tree.file(format!("/d/{number:04}"), "x");
    }
    let tree = Arc::new(tree);
    let mut scan = start(&tree, Everything::below(&["/d"]), 3, &Arc::default());
    assert!(scan.next().is_some());
    drop(scan);
    // The threads held the tree; joined, they hold it no more.
    assert_eq!(Arc::strong_count(&tree), 1);
}

#[test]
fn progress_counts_files_and_bytes() {
    let tree = MemoryTree::new();
    tree.file("/d/a", vec![1; 100_000]).file("/d/b", vec![2; 28]).link("/d/c", "a");
    let control = Arc::new(ScanControl::default());
    let scan = start(&Arc::new(tree), Everything::below(&["/d"]), 1, &control);
    assert_eq!(scan.count(), 4);
    assert_eq!(control.progress(), Progress { entities: 4, files: 2, bytes: 100_028 });
}

#[test]
fn a_limited_scan_sees_the_same() {
    let tree = MemoryTree::new();
    tree.file("/d/a", vec![1; 70_000]).file("/d/b", "x");
    let speed = SpeedLimit { bytes_per_second: Some(10_000_000), files_per_second: Some(1000) };
    let options = ScanOptions { threads: 1, speed, ..ScanOptions::default() };
    let plan = Arc::new(Everything::below(&["/d"]));
    let scan = Scan::start(Arc::new(tree), plan, options, Arc::default()).unwrap();
    assert_eq!(scan.count(), 3);
}

/// A tree in which sizes vary from nothing to several buffers, so that results are ready out of order.
fn tree_of(sizes: &[usize]) -> (Arc<MemoryTree>, Vec<String>) {
    let tree = MemoryTree::new();
    let mut expected = vec!["/t Directory".to_owned()];
    for (number, &size) in sizes.iter().enumerate() {
        let content: Vec<u8> = (0..size).map(|at| (at * 31 + number) as u8).collect();
        expected.push(format!("/t/{number:05} File {}", short(&content)));
        tree.file(format!("/t/{number:05}"), content);
    }
    (Arc::new(tree), expected)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_sizes_come_out_hashed_and_in_order(
        sizes in prop::collection::vec(
            prop_oneof![0usize..300, 65_400usize..65_700, 130_900usize..131_200, Just(400_000)], 1..40),
        threads in 1usize..5,
    ) {
        let (tree, expected) = tree_of(&sizes);
        prop_assert_eq!(lines(&observe(&tree, Everything::below(&["/t"]), threads)), expected);
    }

    #[test]
    fn every_tree_comes_out_in_path_order_and_each_path_once(
        paths in prop::collection::vec("(/[ab.\\-]{1,2}){1,5}", 0..60),
    ) {
        let tree = MemoryTree::new();
        let usable = |path: &&String| path.split('/').all(|segment| segment != "." && segment != "..");
        for path in paths.iter().filter(usable) {
            tree.directory(path);
        }
        let seen = observe(&Arc::new(tree), Everything::below(&["/"]), 1);
        let path = |observation: &Observation| match observation {
            Observation::Present(entity) => ControlFlow::Continue(entity.key.path().clone()),
            other => ControlFlow::Break(other.clone()),
        };
        let mut before: Option<EntityPath> = None;
        for observation in &seen {
            let ControlFlow::Continue(path) = path(observation) else { panic!("{observation:?}") };
            prop_assert!(before.as_ref().is_none_or(|before| *before < path), "{before:?} {path:?}");
            before = Some(path);
        }
    }
}

#[test]
fn an_unreadable_observation_keeps_its_reason() {
    let tree = MemoryTree::new();
    tree.file("/a", "x").refuse("/a", TreeError::Failed("bad sector".to_owned()));
    let seen = observe(&Arc::new(tree), Everything::below(&["/a"]), 1);
    let [Observation::Unreadable { why, .. }] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(*why, Unreadable::Damaged("bad sector".to_owned()));
}
