//! File systems that a walk enters only for what is named in them.

use std::sync::Arc;

use fim_core::{EntityPath, Links, PathStyle, Rule, RuleSet, ScanPlan, Spot};
use fim_scan::{KeepOut, SpotPlan};
use fim_testkit::MemoryTree;

use crate::{Everything, check, lines, observe, short};

#[test]
fn file_systems_that_store_nothing_are_seen_and_not_entered() {
    let tree = MemoryTree::new();
    tree.file("/proc/1/maps", "").mount("/proc", Some(KeepOut::NothingStored("proc")));
    tree.file("/mnt/file", "").mount("/mnt", None);
    let empty = short(b"");
    let expected = ["/ Directory", "/mnt Directory", &format!("/mnt/file File {empty}"), "/proc Directory"];
    check(tree, || Everything::below(&["/"]), &expected);
}

#[test]
fn file_systems_that_may_hang_are_told_as_not_seen_unless_they_are_named() {
    let tree = MemoryTree::new();
    tree.file("/net/file", "").mount("/net", Some(KeepOut::MayHang("nfs")));
    let tree = Arc::new(tree);
    let seen = lines(&observe(&tree, Everything::below(&["/"]), 1));
    assert!(seen[1].starts_with("/net unreadable, nothing known: NotEntered(\"nfs"), "{}", seen[1]);
    let named = lines(&observe(&tree, Everything::below(&["/net"]), 1));
    assert_eq!(named, ["/net Directory", &format!("/net/file File {}", short(b""))]);
}

/// A plan of recursive rules of these paths, by which links are followed.
fn plan(paths: &[&str]) -> ScanPlan {
    plan_with(Links::Follow, paths)
}

fn plan_with(links: Links, paths: &[&str]) -> ScanPlan {
    let rule = |path: &&str| Rule { recurse: true, links, ..Rule::new(*path, "Custom", *path) };
    RuleSet::new(paths.iter().map(rule).collect(), PathStyle::Unix).unwrap().scan_plan()
}

/// What a look at places sees, and at all below them.
fn look(tree: &Arc<MemoryTree>, plan: &ScanPlan, paths: &[&str]) -> Vec<String> {
    let spot = |path: &&str| Spot { path: EntityPath::unix(*path), is_deep: true };
    lines(&observe(tree, SpotPlan::new(plan.clone(), paths.iter().map(spot).collect()), 1))
}

#[test]
fn of_a_file_system_that_stores_nothing_only_what_is_named_is_seen_also_within_another_rule() {
    let tree = MemoryTree::new();
    for file in
        ["/srv/a", "/srv/proc/1/maps", "/srv/proc/sys/core", "/srv/proc/sys/other", "/srv/proc/sys/net/x"]
    {
        tree.file(file, "");
    }
    tree.mount("/srv/proc", Some(KeepOut::NothingStored("proc")));
    let empty = short(b"");
    let seen = |path: &str| format!("{path} File {empty}");
    let (first, core, deep) = (seen("/srv/a"), seen("/srv/proc/sys/core"), seen("/srv/proc/sys/net/x"));
    let expected =
        ["/srv Directory", &first, "/srv/proc Directory", &core, "/srv/proc/sys/net Directory", &deep];
    check(tree, || plan(&["/srv", "/srv/proc/sys/core", "/srv/proc/sys/net"]), &expected);
}

#[test]
fn a_file_system_that_may_hang_is_entered_where_something_in_it_is_named_also_within_another_rule() {
    let tree = MemoryTree::new();
    tree.file("/srv/net/www/page", "").file("/srv/other/file", "");
    tree.mount("/srv/net", Some(KeepOut::MayHang("nfs"))).mount("/srv/other", Some(KeepOut::MayHang("nfs")));
    let tree = Arc::new(tree);
    let seen = lines(&observe(&tree, plan(&["/srv", "/srv/net/www"]), 1));
    let page = format!("/srv/net/www/page File {}", short(b""));
    assert_eq!(seen[..4], ["/srv Directory", "/srv/net Directory", "/srv/net/www Directory", &page]);
    assert!(seen[4].starts_with("/srv/other unreadable"), "{}", seen[4]);
}

#[test]
fn a_look_enters_what_a_scan_enters_and_nothing_else() {
    let tree = MemoryTree::new();
    for file in ["/srv/proc/1/maps", "/srv/proc/sys/core", "/srv/net/file", "/srv/disk/file"] {
        tree.file(file, "");
    }
    tree.mount("/srv/proc", Some(KeepOut::NothingStored("proc")));
    tree.mount("/srv/net", Some(KeepOut::MayHang("nfs"))).mount("/srv/disk", None);
    let tree = Arc::new(tree);
    let disk = format!("/srv/disk/file File {}", short(b""));
    let core = format!("/srv/proc/sys/core File {}", short(b""));

    let all = plan(&["/srv"]);
    assert_eq!(
        look(&tree, &all, &["/srv/disk", "/srv/proc"]),
        ["/srv/disk Directory", &disk, "/srv/proc Directory"]
    );
    let within = look(&tree, &all, &["/srv/proc/1", "/srv/proc/1/maps"]);
    assert_eq!(within, ["/srv/proc/1 absent"], "the scan told nothing of it");
    for place in ["/srv/net", "/srv/net/file"] {
        let seen = look(&tree, &all, &[place]);
        assert!(seen.len() == 1 && seen[0].starts_with(&format!("{place} unreadable")), "{seen:?}");
    }

    let named = plan(&["/srv", "/srv/proc/sys"]);
    assert_eq!(
        look(&tree, &named, &["/srv/proc"]),
        ["/srv/proc Directory", "/srv/proc/sys Directory", &core]
    );
    assert_eq!(look(&tree, &named, &["/srv/proc/sys/core"]), [core]);
    assert_eq!(look(&tree, &named, &["/srv/proc/1"]), ["/srv/proc/1 absent"]);
}

#[test]
fn a_link_into_a_file_system_that_may_hang_is_followed_only_if_the_link_is_named() {
    let tree = MemoryTree::new();
    tree.file("/net/share/file", "").mount("/net", Some(KeepOut::MayHang("nfs")));
    tree.link("/etc/far", "/net/share").link("/etc/near", "../net/./share/file").link("/etc/no", "/network");
    let tree = Arc::new(tree);
    let seen = lines(&observe(&tree, plan(&["/etc"]), 1));
    assert!(seen[1].starts_with("/etc/far unreadable, its attributes known"), "{seen:?}");
    assert!(seen[2].starts_with("/etc/near unreadable, its attributes known"), "{seen:?}");
    assert_eq!(seen[3..], ["/etc/no Symlink -> /network"]);
    let seen = lines(&observe(&tree, plan(&["/etc/far"]), 1));
    assert_eq!(seen.len(), 2, "{seen:?}");
}

#[test]
fn a_look_goes_through_a_link_only_if_the_rule_follows_it() {
    let tree = MemoryTree::new();
    tree.file("/home/secret/f", "x")
        .file("/srv/b/f", "x")
        .link("/srv/a", "/home/secret")
        .link("/srv/c", "/srv/b");
    let tree = Arc::new(tree);
    let places = ["/srv/a/f", "/srv/b/f", "/srv/c/f"];
    let seen = |path: &str| format!("{path} File {}", short(b"x"));
    for links in [Links::Manage, Links::Ignore] {
        let plan = plan_with(links, &["/srv"]);
        assert_eq!(
            look(&tree, &plan, &places),
            ["/srv/a/f absent".to_owned(), seen("/srv/b/f"), "/srv/c/f absent".to_owned()]
        );
    }
    // What the last link leads to is monitored at its own place.
    let followed = look(&tree, &plan(&["/srv"]), &places);
    assert_eq!(followed, [seen("/srv/a/f"), seen("/srv/b/f"), "/srv/c/f absent".to_owned()]);
}
