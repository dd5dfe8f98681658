//! Patterns: what they match, what they refuse, and that they agree with a naive reference.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use fim_core::{EntityPath, PathStyle, Pattern, PatternError, ResolveError, Rule, RuleSet, ScanPlan};
use proptest::prelude::*;

fn unix(text: &str) -> Pattern {
    Pattern::parse(text, PathStyle::Unix).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn windows(text: &str) -> Pattern {
    Pattern::parse(text, PathStyle::Windows).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn check(pattern: &Pattern, path: &str, expected: bool) {
    let path = EntityPath::new(pattern.style(), path);
    assert_eq!(pattern.matches(&path), expected, "{} against {path}", pattern.text());
}

#[test]
fn wildcards_match_within_a_segment() {
    for (pattern, path, expected) in [
        ("/etc/*.conf", "/etc/host.conf", true),
        ("/etc/*.conf", "/etc/.conf", true),
        ("/etc/*.conf", "/etc/.hidden.conf", true),
        ("/etc/*.conf", "/etc/host.conf.bak", false),
        ("/etc/*.conf", "/etc/a/host.conf", false),
        ("/etc/?.conf", "/etc/a.conf", true),
        ("/etc/?.conf", "/etc/é.conf", true),
        ("/etc/?.conf", "/etc/ab.conf", false),
        ("/home/*/.ssh/*", "/home/ann/.ssh/authorized_keys", true),
        ("/home/*/.ssh/*", "/home/ann/x/.ssh/authorized_keys", false),
        ("/etc/[a-c]x", "/etc/bx", true),
        ("/etc/[a-c]x", "/etc/dx", false),
        ("/etc/[!a-c]x", "/etc/dx", true),
        ("/etc/[]a]x", "/etc/]x", true),
        ("/etc/[a-]x", "/etc/-x", true),
        ("/etc//hosts/", "/etc/hosts", true),
        ("/etc/\\*", "/etc/*", true),
        ("/etc/\\*", "/etc/a", false),
        ("/etc/[*]", "/etc/*", true),
        ("/", "/", true),
        ("/", "/etc", false),
        ("/*a*b*c", "/xaybzc", true),
        ("/*a*b*c", "/xaybzcd", false),
    ] {
        check(&unix(pattern), path, expected);
    }
}

#[test]
fn two_stars_match_any_number_of_segments() {
    for (pattern, path, expected) in [
        ("/srv/**", "/srv", true),
        ("/srv/**", "/srv/a/b", true),
        ("/srv/**", "/srvx", false),
        ("/srv/**/x", "/srv/x", true),
        ("/srv/**/x", "/srv/a/b/x", true),
        ("/**/x/**/y", "/a/x/b/c/y", true),
        ("/**/x/**/y", "/a/x/b/c/z", false),
        ("/srv/a**b", "/srv/axb", true),
        ("/srv/a**b", "/srv/ax/b", false),
        ("/**/**/x", "/x", true),
    ] {
        check(&unix(pattern), path, expected);
    }
}

#[test]
fn the_spelling_of_published_rules_is_a_wildcard() {
    check(&unix("/etc/.*.conf"), "/etc/host.conf", true);
    check(&unix("/etc/.*\\.conf"), "/etc/host.conf", true);
    // What is not that spelling stays what it is: names that start with a dot.
    check(&unix("/home/.*"), "/home/ann", false);
    check(&unix("/home/.*rc"), "/home/.bashrc", true);
    check(&unix("/home/.*rc"), "/home/bashrc", false);
}

#[test]
fn what_names_a_file_of_windows_names_its_streams() {
    for (pattern, path, is_match) in [
        ("C:\\a\\*.txt", "C:\\a\\b.TXT:hidden", true),
        ("C:\\a\\b.txt", "C:\\a\\b.txt:hidden", true),
        ("C:\\a\\b.txt:hidden", "C:\\a\\b.txt:hidden", true),
        ("C:\\a\\b.txt:hidden", "C:\\a\\b.txt", false),
        ("C:\\a\\*.exe", "C:\\a\\b.txt:hidden.exe", true),
        ("C:\\a\\*.log", "C:\\a\\b.txt:hidden", false),
    ] {
        assert_eq!(windows(pattern).matches(&EntityPath::windows(path)), is_match, "{pattern} {path}");
    }
    let unix = Pattern::parse("/a/*.txt", PathStyle::Unix).unwrap();
    assert!(!unix.matches(&EntityPath::unix("/a/b.txt:hidden")));
}

#[test]
fn windows_paths_match_whatever_their_case() {
    for (pattern, path, expected) in [
        ("c:\\windows\\*.INI", "C:\\Windows\\win.ini", true),
        ("C:/Windows/system.ini", "C:\\WINDOWS\\SYSTEM.INI", true),
        ("C:\\[a-c]x", "c:\\BX", true),
        ("C:\\temp\\*.*", "C:\\temp\\README", true),
        ("C:\\straße\\É*", "c:\\STRAßE\\école", true),
        ("\\\\server\\share\\*", "\\\\SERVER\\share\\x", true),
    ] {
        check(&windows(pattern), path, expected);
    }
}

#[test]
fn a_pattern_of_one_style_matches_no_path_of_the_other() {
    assert!(!unix("/**").matches(&EntityPath::windows("C:\\x")));
}

#[test]
fn a_name_that_is_not_text_is_matched_byte_by_byte() {
    let path = EntityPath::unix(b"/etc/\xff\n".to_vec());
    for pattern in ["/etc/??", "/etc/\\xff\\x0a", "/etc/*", "/etc/[!a][!b]"] {
        assert!(unix(pattern).matches(&path), "{pattern}");
    }
}

#[test]
fn errors_name_the_character_and_the_fix() {
    for (text, expected) in [
        ("", "the path is empty: write an absolute path such as /etc/*.conf"),
        (
            "etc/x",
            "the path does not start at a root (character 1): write an absolute path such as /etc/*.conf",
        ),
        (
            "/é/[a",
            "the class opened by `[` at character 4 is not closed: add `]`, or write `[[]` for the character itself",
        ),
        ("/x/[z-a]", "the range `z-a` at character 5 is reversed: write `a-z`"),
        ("/x/../y", "character 4 starts the segment `..`: write the path without it"),
        ("/x/./y", "character 4 starts the segment `.`: write the path without it"),
        ("/x\0", "character 3 is NUL, which no path can have: remove it"),
        (
            "/x\\",
            "the escape at character 3 is not complete: write `\\\\` for a backslash, `\\*` for a star, `\\xHH` for a byte",
        ),
        (
            "/${}/x",
            "the variable at character 2 has no proper name: write `${NAME}`, or `\\$` for the character itself",
        ),
    ] {
        match Pattern::parse(text, PathStyle::Unix) {
            Ok(_) => panic!("{text} was accepted"),
            Err(error) => assert_eq!(error.to_string(), expected, "{text}"),
        }
    }
    let deep = "/a".repeat(Pattern::MAX_SEGMENTS + 1);
    assert_eq!(Pattern::parse(&deep, PathStyle::Unix), Err(PatternError::TooManySegments { at: 122 }));
    assert!(matches!(
        Pattern::parse(&"/a".repeat(3000), PathStyle::Unix),
        Err(PatternError::TooLong { length: 6000 })
    ));
    assert!(Pattern::parse("temp\\x", PathStyle::Windows).is_err());
}

#[test]
fn a_walk_starts_at_the_longest_literal_prefix() {
    for (pattern, root) in [
        ("/etc/*.conf", "/etc"),
        ("/etc/crontab", "/etc/crontab"),
        ("/home/*/x", "/home"),
        ("/**", "/"),
        ("/", "/"),
    ] {
        assert_eq!(unix(pattern).root(), EntityPath::unix(root), "{pattern}");
    }
    assert_eq!(windows("c:\\*.*").root(), EntityPath::windows("c:\\"));
    assert_eq!(windows("c:\\a\\b*").root(), EntityPath::windows("c:\\a"));
    assert_eq!(windows("\\\\srv\\share\\*").root(), EntityPath::windows("\\\\srv\\share"));
}

#[test]
fn a_walk_skips_what_cannot_match() {
    let plan = plan("/home/*/.ssh/**/id_*");
    for (directory, expected) in [
        ("/", true),
        ("/home", true),
        ("/home/ann", true),
        ("/home/ann/.ssh/x", true),
        ("/home/ann/x", false),
        ("/etc", false),
    ] {
        assert_eq!(plan.directory(&EntityPath::unix(directory)).is_descend(), expected, "{directory}");
    }
}

#[test]
fn general_patterns_are_known_as_such() {
    for text in ["/**", "/*", "/**/*.conf", "/*/**"] {
        assert!(unix(text).is_general(), "{text}");
    }
    for text in ["/etc/*.conf", "/srv/**", "/", "/boot*"] {
        assert!(!unix(text).is_general(), "{text}");
    }
    assert!(windows("c:\\*.*").is_general());
    assert!(!windows("c:\\temp\\*.*").is_general());
}

#[test]
fn variables_are_resolved_late_and_literally() {
    let lookup = |name: &str| match name {
        "HOME" => Some("/home/a*n".to_owned()),
        "windir" => Some("C:\\Windows".to_owned()),
        _ => None,
    };
    let pattern = unix("$HOME/*.conf");
    assert_eq!(pattern.variables().collect::<Vec<_>>(), ["HOME"]);
    check(&pattern, "/home/a*n/x.conf", false);
    let resolved = pattern.resolve(&lookup).unwrap();
    check(&resolved, "/home/a*n/x.conf", true);
    check(&resolved, "/home/axn/x.conf", false);
    check(&unix("${HOME}/x").resolve(&lookup).unwrap(), "/home/a*n/x", true);
    check(&windows("%windir%\\System32\\*.*").resolve(&lookup).unwrap(), "c:\\windows\\system32\\x", true);
    check(&windows("C:\\100%\\x"), "C:\\100%\\x", true);
    check(&unix("/a/\\$HOME/100$"), "/a/$HOME/100$", true);
    assert_eq!(
        unix("$NOWHERE/x").resolve(&lookup),
        Err(ResolveError::Unknown { name: "NOWHERE".to_owned() })
    );
}

#[test]
fn an_exclusion_without_a_separator_is_a_name_at_any_depth() {
    let exclusion = Pattern::parse_exclusion("*.log", PathStyle::Unix).unwrap();
    check(&exclusion, "/var/a/b.log", true);
    check(&exclusion, "/var/a/b.txt", false);
    assert!(Pattern::parse_exclusion("a/b", PathStyle::Unix).is_err());
}

#[test]
fn many_stars_take_no_exponential_time() {
    let pattern = unix(&format!("/**/a*/{}b", "*a".repeat(1000)));
    check(&pattern, &format!("/a/{}", "a".repeat(100_000)), false);
    let deep = unix(&format!("/{}x", "**/a/".repeat(29)));
    check(&deep, &"/a".repeat(2000), false);
}

/// The reference: tries every way, exponentially.
fn naive(pattern: &[&str], path: &[&str]) -> bool {
    match pattern.split_first() {
        None => path.is_empty(),
        Some((&"**", rest)) => (0..=path.len()).any(|skipped| naive(rest, &path[skipped..])),
        Some((segment, rest)) => path.split_first().is_some_and(|(name, below)| {
            naive_segment(&segment.chars().collect::<Vec<_>>(), &name.chars().collect::<Vec<_>>())
                && naive(rest, below)
        }),
    }
}

fn naive_segment(pattern: &[char], name: &[char]) -> bool {
    match pattern {
        [] => name.is_empty(),
        ['*', rest @ ..] => (0..=name.len()).any(|taken| naive_segment(rest, &name[taken..])),
        ['?', rest @ ..] => name.split_first().is_some_and(|(_, below)| naive_segment(rest, below)),
        ['[', '!', member, ']', rest @ ..] => {
            name.split_first().is_some_and(|(first, below)| first != member && naive_segment(rest, below))
        }
        ['[', first, '-', last, ']', rest @ ..] => name
            .split_first()
            .is_some_and(|(unit, below)| first <= unit && unit <= last && naive_segment(rest, below)),
        [own, rest @ ..] => {
            name.split_first().is_some_and(|(first, below)| first == own && naive_segment(rest, below))
        }
    }
}

fn pattern_segment() -> impl Strategy<Value = String> {
    let part =
        prop_oneof![Just("a"), Just("b"), Just("é"), Just("*"), Just("?"), Just("[!a]"), Just("[a-b]")];
    prop_oneof![1 => Just("**".to_owned()), 4 => prop::collection::vec(part, 1..5).prop_map(|parts| parts.concat())]
}

fn name() -> impl Strategy<Value = String> {
    prop::collection::vec(prop_oneof![Just("a"), Just("b"), Just("é"), Just("c")], 1..5)
        .prop_map(|parts| parts.concat())
}

/// What a walk by a rule with that path does.
fn plan(text: &str) -> ScanPlan {
    RuleSet::new(vec![Rule::new(text, "Custom", text)], PathStyle::Unix).unwrap().scan_plan()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_matcher_agrees_with_a_naive_one(
        segments in prop::collection::vec(pattern_segment(), 1..6),
        names in prop::collection::vec(name(), 0..6),
    ) {
        let pattern = unix(&format!("/{}", segments.join("/")));
        let path = EntityPath::unix(format!("/{}", names.join("/")));
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        prop_assert_eq!(pattern.matches(&path), naive(&segments, &names));
        if pattern.matches(&path) {
            prop_assert!(path.is_within(&pattern.root()));
            let plan = plan(pattern.text());
            prop_assert!(plan.roots().iter().any(|root| path.is_within(root)));
            for depth in 0..names.len() {
                let above = EntityPath::unix(format!("/{}", names[..depth].join("/")));
                prop_assert!(plan.directory(&above).is_descend(), "{} is pruned at {}", pattern.text(), above);
            }
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*|[/\\\\*?\\[\\]!\\-$%{}<>x0-9a.~]{0,40}", is_windows: bool) {
        let style = if is_windows { PathStyle::Windows } else { PathStyle::Unix };
        for parsed in [Pattern::parse(&text, style), Pattern::parse_exclusion(&text, style)] {
            match parsed {
                Ok(pattern) => {
                    pattern.root();
                    pattern.matches(&EntityPath::new(style, "/a"));
                    let _ = pattern.resolve(&|name| Some(format!("/{name}*\\")));
                }
                Err(error) => prop_assert!(error.position().is_none_or(|at| at >= 1 && at <= text.chars().count() + 1)),
            }
        }
    }

    #[test]
    fn an_escaped_path_matches_itself_alone(bytes in prop::collection::vec(any::<u8>().prop_filter("NUL", |&byte| byte != 0), 1..12)) {
        let path = EntityPath::unix([b"/".as_slice(), &bytes].concat());
        prop_assume!(path.segments().all(|segment| segment != b"." && segment != b".."));
        let pattern = unix(&Pattern::escape(&path));
        prop_assert!(pattern.matches(&path));
        prop_assert!(pattern.is_literal());
        prop_assert!(!pattern.matches(&path.join(b"x")));
    }
}
