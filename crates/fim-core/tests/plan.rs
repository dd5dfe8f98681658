//! What a scan has to look at.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use fim_core::{
    DirectoryDecision, EntityDecision, EntityKey, EntityKind, EntityPath, Explanation, How, LinkDecision,
    Links, PathStyle, PathType, RECOMMENDED_GROUP, Rule, RuleSet, ScanPlan, WhyNot, recommended_linux,
    recommended_windows_files,
};
use proptest::prelude::*;

fn path(text: &str) -> EntityPath {
    EntityPath::unix(text)
}

fn rule(text: &str) -> Rule {
    Rule::new(text, "Custom", text)
}

fn plan(rules: Vec<Rule>) -> ScanPlan {
    RuleSet::new(rules, PathStyle::Unix).unwrap().scan_plan()
}

/// Whether the rule monitors a thing of that kind at the path.
fn names(rule: &Rule, text: &str, kind: EntityKind) -> bool {
    plan(vec![rule.clone()]).entity(&path(text), kind) != EntityDecision::Ignore
}

#[test]
fn the_recommended_items_are_those_of_the_published_list() {
    let rules = recommended_linux();
    assert_eq!(rules.len(), 18);
    assert!(rules.iter().all(|rule| rule.group == RECOMMENDED_GROUP && rule.enabled && !rule.recurse));
    let set = RuleSet::new(rules, PathStyle::Unix).unwrap();
    for (text, expected) in [
        ("/bin/login", Some("/bin/login")),
        ("/bin/ls", Some("/bin")),
        ("/bin", Some("/bin")),
        ("/etc/host.conf", Some("/etc/*.conf")),
        ("/etc/passwd", None),
        ("/etc/crontab", Some("/etc/crontab")),
        ("/etc/cron.daily/apt", Some("/etc/cron.daily")),
        ("/boot/grub", Some("/boot")),
        ("/boot/grub/grub.cfg", None),
        ("/opt/sbin/x", Some("/opt/sbin")),
    ] {
        let found = set.rule_for(&EntityKey::File(path(text))).map(|rule| rule.name.as_str());
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn the_recommended_files_of_windows_are_those_of_the_published_list() {
    let rules = recommended_windows_files();
    assert_eq!(rules.len(), 9);
    assert!(rules.iter().all(|rule| rule.group == RECOMMENDED_GROUP && rule.enabled && !rule.recurse));
    let set = RuleSet::new(rules, PathStyle::Windows).unwrap();
    for (text, expected) in [
        (r"C:\autoexec.bat", Some(r"C:\autoexec.bat")),
        (r"c:\AUTOEXEC.BAT", Some(r"C:\autoexec.bat")),
        (r"C:\Windows\System32\userinit.exe", Some(r"C:\Windows\System32\userinit.exe")),
        (
            r"C:\Program Files\Microsoft Security Client\msseces.exe",
            Some(r"C:\Program Files\Microsoft Security Client\msseces.exe"),
        ),
        (r"C:\Windows\notepad.exe", None),
        (r"C:\Windows", None),
        (r"D:\autoexec.bat", None),
    ] {
        let found = set.rule_for(&EntityKey::File(EntityPath::windows(text))).map(|rule| rule.name.as_str());
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn a_folder_stands_for_its_direct_children() {
    let etc = rule("/etc");
    assert!(names(&etc, "/etc", EntityKind::Directory));
    assert!(names(&etc, "/etc/hosts", EntityKind::File));
    assert!(names(&etc, "/etc/apt", EntityKind::Directory));
    assert!(!names(&etc, "/etc/apt/x", EntityKind::File));
    let deep = Rule { recurse: true, ..etc };
    assert!(names(&deep, "/etc/apt/a/b/c", EntityKind::File));
}

#[test]
fn a_recursive_wildcard_names_at_any_depth() {
    let conf = Rule { recurse: true, ..rule("/etc/.*.conf") };
    assert!(names(&conf, "/etc/a.conf", EntityKind::File));
    assert!(names(&conf, "/etc/apt/b/a.conf", EntityKind::File));
    assert!(names(&conf, "/etc/x.conf/anything", EntityKind::File));
    assert!(!names(&conf, "/etc/apt/hosts", EntityKind::File));
}

#[test]
fn a_path_type_takes_what_it_means() {
    let files = Rule { path_type: PathType::File, ..rule("/srv") };
    assert!(names(&files, "/srv/a", EntityKind::File) && names(&files, "/srv/a", EntityKind::Symlink));
    assert!(!names(&files, "/srv/a", EntityKind::Directory));
    let folders = Rule { path_type: PathType::Folder, ..rule("/srv/*") };
    assert!(names(&folders, "/srv/a", EntityKind::Directory));
    assert!(!names(&folders, "/srv/a", EntityKind::File));
    assert!(names(&folders, "/srv/a/x", EntityKind::File));
}

#[test]
fn exclusions_take_out_all_that_is_below_and_only_of_their_rule() {
    let web =
        Rule { recurse: true, exclude: vec!["/srv/cache".to_owned(), "*.log".to_owned()], ..rule("/srv") };
    assert!(names(&web, "/srv/a", EntityKind::File));
    assert!(!names(&web, "/srv/cache/x/y", EntityKind::File));
    assert!(!names(&web, "/srv/a/b.log", EntityKind::File));
    let both = plan(vec![web, rule("/srv/a/b.log")]);
    assert!(
        matches!(both.entity(&path("/srv/a/b.log"), EntityKind::File), EntityDecision::Watch(rule) if rule.name == "/srv/a/b.log")
    );
    assert_eq!(both.directory(&path("/srv/cache")), DirectoryDecision::Skip);
}

#[test]
fn an_explanation_says_which_rule_and_why_not() {
    let off = Rule { enabled: false, ..rule("/etc") };
    let some = Rule { exclude: vec!["*.bak".to_owned()], ..rule("/etc/*") };
    let set = RuleSet::new(vec![off.clone(), some.clone()], PathStyle::Unix).unwrap();
    let explain = |text: &str| set.explain(&EntityKey::File(path(text)));
    match explain("/etc/hosts") {
        Explanation::Watched { rule, how } => assert_eq!((rule, how), (&some, How::Itself)),
        Explanation::NotWatched(reasons) => panic!("{reasons:?}"),
    }
    assert_eq!(
        explain("/etc/x.bak"),
        Explanation::NotWatched(vec![
            (&off, WhyNot::Disabled),
            (&some, WhyNot::Excluded("*.bak".to_owned()))
        ])
    );
    assert_eq!(explain("/srv"), Explanation::NotWatched(vec![]));
}

#[test]
fn roots_are_in_order_and_none_is_within_another() {
    let plan = plan(vec![
        rule("/usr/bin"),
        rule("/etc/init.d"),
        rule("/etc/*.conf"),
        rule("/etcetera"),
        rule("/bin"),
    ]);
    assert_eq!(plan.roots(), ["/bin", "/etc", "/etcetera", "/usr/bin"].map(path));
    assert_eq!(plan.directory(&path("/etc/init.d")), DirectoryDecision::Descend);
    assert_eq!(plan.directory(&path("/etc/apt")), DirectoryDecision::Skip);
}

#[test]
fn a_rule_not_in_force_is_not_walked() {
    assert!(plan(vec![Rule { enabled: false, ..rule("/etc") }]).is_empty());
    assert!(plan(vec![rule("$NOWHERE/x")]).is_empty());
}

#[test]
fn merged_usr_is_monitored_once() {
    let plan = plan(recommended_linux());
    let link = |from: &str, to: &str| plan.link(&path(from), &path(to), EntityKind::Directory);
    assert_eq!(
        plan.entity(&path("/bin"), EntityKind::Symlink),
        plan.entity(&path("/bin"), EntityKind::Directory)
    );
    for (from, to) in [("/bin", "/usr/bin"), ("/sbin", "/usr/sbin")] {
        // The walk goes through the link or not; either way nothing is looked at twice.
        assert_ne!(link(from, to), LinkDecision::Stay);
        for name in ["login", "passwd", "ls"] {
            let (path, real) = (path(from).join(name.as_bytes()), path(to).join(name.as_bytes()));
            assert_eq!(plan.entity_at(&path, &real, EntityKind::File), EntityDecision::Ignore);
        }
    }
    // Where the real place is not monitored, it is under the link's path.
    assert_eq!(link("/bin", "/opt/tools"), LinkDecision::Follow);
    assert_ne!(
        plan.entity_at(&path("/bin/ls"), &path("/opt/tools/ls"), EntityKind::File),
        EntityDecision::Ignore
    );
}

#[test]
fn a_link_to_a_file_is_read_unless_the_file_is_monitored() {
    let plan = plan(vec![rule("/etc/*.conf"), Rule { links: Links::Manage, ..rule("/srv") }]);
    let link = |from: &str, to: &str| plan.link(&path(from), &path(to), EntityKind::File);
    assert_eq!(link("/etc/resolv.conf", "/run/resolv.conf"), LinkDecision::Follow);
    assert_eq!(link("/etc/a.conf", "/etc/b.conf"), LinkDecision::WatchedElsewhere);
    assert_eq!(link("/srv/a", "/run/x"), LinkDecision::Stay);
    assert_eq!(
        plan.link(&path("/etc/a.conf"), &path("/dev/sda"), EntityKind::BlockDevice),
        LinkDecision::Stay
    );
}

#[test]
fn links_are_left_out_or_kept_as_the_rule_says() {
    let ignoring = Rule { links: Links::Ignore, recurse: true, ..rule("/srv") };
    assert!(!names(&ignoring, "/srv/a", EntityKind::Symlink));
    let managing = Rule { links: Links::Manage, ..ignoring.clone() };
    assert!(names(&managing, "/srv/a", EntityKind::Symlink));
    for rule in [ignoring, managing] {
        let plan = plan(vec![rule]);
        assert_eq!(plan.link(&path("/srv/a"), &path("/opt/a"), EntityKind::Directory), LinkDecision::Stay);
    }
}

#[test]
fn a_link_that_the_user_spelled_out_is_followed() {
    let plan = plan(vec![Rule { links: Links::Manage, ..rule("/var/run/daemon/secret") }]);
    assert_eq!(plan.link(&path("/var/run"), &path("/run"), EntityKind::Directory), LinkDecision::Follow);
}

#[test]
fn rules_are_refused_with_a_reason() {
    let refuse = |rules: Vec<Rule>| {
        let error = RuleSet::new(rules, PathStyle::Unix).unwrap_err();
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        text
    };
    assert_eq!(
        refuse(vec![Rule { path: "/etc/[a".to_owned(), ..rule("x") }]),
        "rule `x`: the path `/etc/[a`: the class opened by `[` at character 6 is not closed: add `]`, or write `[[]` for the character itself"
    );
    assert_eq!(refuse(vec![rule("/a"), rule("/a")]), "rule `/a`: another rule has that name: choose another");
    assert_eq!(
        refuse(vec![Rule { name: " ".to_owned(), ..rule("/a") }]),
        "rule ` `: the name is empty: give the rule a name"
    );
    let (set, errors) = RuleSet::sift(vec![rule("bad"), rule("/good")], PathStyle::Unix);
    assert_eq!((set.rules().len(), errors.len()), (1, 1));
}

#[test]
fn a_rule_that_names_too_much_or_what_changes_by_itself_or_a_variable_is_warned_of() {
    let check = |rule: Rule, style, expected: &[&str]| {
        let warnings = rule.warnings(style).unwrap();
        assert_eq!(warnings.len(), expected.len(), "{warnings:?}");
        for (warning, part) in warnings.iter().zip(expected) {
            assert!(warning.contains(part), "{warning}");
        }
    };
    let recursive = |path| Rule { recurse: true, ..rule(path) };
    check(rule("/**"), PathStyle::Unix, &["takes in so much"]);
    check(recursive("/"), PathStyle::Unix, &["takes in so much"]);
    check(rule("c:\\*.*"), PathStyle::Windows, &["takes in so much"]);
    check(
        rule("/proc/**"),
        PathStyle::Unix,
        &["`/proc/**` takes in more than one file of /proc, which the kernel"],
    );
    check(rule("/dev/*"), PathStyle::Unix, &["devices"]);
    check(recursive("/run/lock"), PathStyle::Unix, &["at each start"]);
    check(rule("/home/$USER/.bashrc"), PathStyle::Unix, &["value of `USER` from its own environment"]);
    let excluded = Rule { exclude: vec!["%TEMP%\\x".to_owned()], ..rule("%windir%\\%windir%") };
    check(excluded, PathStyle::Windows, &["`TEMP`", "`windir`"]);
    for steady in
        [rule("/"), recursive("/srv"), rule("/proc/cmdline"), rule("/development/*"), rule("/etc/*")]
    {
        check(steady, PathStyle::Unix, &[]);
    }
}

#[test]
fn variables_are_resolved_for_the_machine() {
    let rules = vec![Rule { recurse: true, ..rule("$WEB/*.php") }, rule("$NOWHERE")];
    let set = RuleSet::new(rules, PathStyle::Unix).unwrap();
    assert!(!set.names_something());
    let rules = set.rules().cloned().chain([rule("relative")]).collect();
    let (set, unusable) =
        RuleSet::usable(rules, PathStyle::Unix, &|name| (name == "WEB").then(|| "/srv/www".to_owned()));
    let unusable: Vec<_> = unusable.iter().map(|unusable| unusable.rule.path.as_str()).collect();
    assert_eq!(unusable, ["relative", "$NOWHERE"]);
    assert_eq!(set.scan_plan().roots(), [path("/srv/www")]);
    assert!(set.rule_for(&EntityKey::File(path("/srv/www/a/b.php"))).is_some());
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let segment = prop::sample::select(vec!["a", "b", "*", "a*", "**"]);
    let exclusion = prop::sample::select(vec!["/a/b", "b*", "/a/**/a", "/b"]);
    (
        prop::collection::vec(segment, 1..4),
        prop::collection::vec(exclusion, 0..2),
        any::<bool>(),
        prop::sample::select(vec![PathType::Any, PathType::File, PathType::Folder]),
    )
        .prop_map(|(segments, exclude, recurse, path_type)| Rule {
            exclude: exclude.into_iter().map(str::to_owned).collect(),
            recurse,
            path_type,
            ..rule(&format!("/{}", segments.join("/")))
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_walk_reaches_whatever_a_rule_names(
        rules in prop::collection::vec(any_rule(), 1..4),
        names in prop::collection::vec(prop::sample::select(vec!["a", "b", "ab"]), 1..5),
    ) {
        let mut rules = rules;
        for (index, rule) in rules.iter_mut().enumerate() {
            rule.name = format!("rule {index}");
        }
        let plan = plan(rules);
        let target = path(&format!("/{}", names.join("/")));
        if plan.entity(&target, EntityKind::File) != EntityDecision::Ignore {
            let root = plan.roots().iter().find(|root| target.is_within(root));
            prop_assert!(root.is_some(), "no root leads to {target}");
            let mut above = target.parent();
            while let Some(directory) = above.filter(|directory| directory.is_within(root.unwrap())) {
                prop_assert_eq!(plan.directory(&directory), DirectoryDecision::Descend, "{} on the way to {}", directory, target);
                above = directory.parent();
            }
        }
    }
}
