//! Paths: their order, their text, and that the text can be read back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use fim_core::{EntityPath, PathStyle};
use proptest::prelude::*;

#[test]
fn a_directory_comes_right_before_what_it_contains() {
    let mut paths = ["/a.b", "/a/b", "/", "/a", "/a/b.c", "/a b"].map(EntityPath::unix);
    paths.sort();
    assert_eq!(paths.map(|path| path.to_string()), ["/", "/a", "/a/b", "/a/b.c", "/a b", "/a.b"]);
}

#[test]
fn one_place_has_one_path() {
    assert_eq!(EntityPath::unix("//etc///hosts/"), EntityPath::unix("/etc/hosts"));
    assert_eq!(EntityPath::unix("///"), EntityPath::unix("/"));
    assert_eq!(EntityPath::windows("C:\\\\a\\"), EntityPath::windows("C:\\a"));
    assert_eq!(EntityPath::windows("C:\\").to_string(), "C:\\");
    assert_eq!(EntityPath::windows("\\\\srv\\x\\").to_string(), "\\\\srv\\x");
}

#[test]
fn what_a_reader_would_not_see_is_escaped() {
    assert_eq!(EntityPath::unix(b"/a\\b\n\xff".to_vec()).to_string(), "/a\\\\b\\x0a\\xff");
    assert_eq!(EntityPath::unix("/x\u{202e}cod.exe").to_string(), "/x\\xe2\\x80\\xaecod.exe");
    assert_eq!(EntityPath::windows(b"C:\\<\xed\xa0\x80".to_vec()).to_string(), "C:\\<3c><ed><a0><80>");
}

#[test]
fn an_escape_that_is_not_one_is_refused() {
    assert!(EntityPath::parse_display("/a\\q", PathStyle::Unix).is_err());
    assert!(EntityPath::parse_display("/a\\x0", PathStyle::Unix).is_err());
    assert!(EntityPath::parse_display("C:\\<3", PathStyle::Windows).is_err());
}

#[test]
fn only_whole_segments_count_as_within() {
    let within = |path: &str, above: &str| EntityPath::unix(path).is_within(&EntityPath::unix(above));
    assert!(within("/etc/x", "/etc") && within("/etc", "/etc") && within("/etc", "/"));
    assert!(!within("/etcfoo", "/etc") && !within("/etc", "/etc/x"));
}

#[test]
fn a_stream_comes_right_after_what_it_belongs_to_and_is_within_it() {
    let file = EntityPath::windows("C:\\a");
    let stream = file.stream(b"s");
    assert_eq!(stream, EntityPath::windows("C:\\a:s"));
    assert!(stream.is_stream() && !file.is_stream() && !EntityPath::windows("C:\\").is_stream());
    assert!(stream.is_within(&file) && !file.is_within(&stream));
    assert!(!EntityPath::windows("C:\\a.b").is_within(&file));
    assert_eq!(stream.parent(), Some(EntityPath::windows("C:\\")));
    let ordered = ["C:\\a", "C:\\a:s", "C:\\a:t", "C:\\a\\b", "C:\\a\\b:s", "C:\\a.b"];
    let mut sorted = ordered.map(EntityPath::windows);
    sorted.reverse();
    sorted.sort();
    assert_eq!(sorted, ordered.map(EntityPath::windows));
    assert!(
        !EntityPath::unix("/a:s").is_within(&EntityPath::unix("/a")),
        "a colon is a character like any other"
    );
    assert!(!EntityPath::unix("/a:s").is_stream());
}

#[test]
fn a_parent_is_found_until_the_root() {
    assert_eq!(EntityPath::unix("/a/b").parent(), Some(EntityPath::unix("/a")));
    assert_eq!(EntityPath::unix("/a").parent(), Some(EntityPath::unix("/")));
    assert_eq!(EntityPath::unix("/").parent(), None);
    assert_eq!(EntityPath::windows("C:\\a").parent(), Some(EntityPath::windows("C:\\")));
    assert_eq!(EntityPath::windows("C:\\").parent(), None);
}

fn absolute() -> impl Strategy<Value = EntityPath> {
    let byte = prop_oneof![4 => prop::sample::select(b"/ab.\x01 \\".to_vec()), 1 => 1_u8..=255];
    prop::collection::vec(byte, 0..40).prop_map(|bytes| EntityPath::unix([b"/".as_slice(), &bytes].concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_is_that_of_the_segments(left in absolute(), right in absolute()) {
        prop_assert_eq!(left.cmp(&right), left.segments().cmp(right.segments()));
    }

    #[test]
    fn the_text_can_be_read_back(bytes in prop::collection::vec(any::<u8>(), 0..40), is_windows: bool) {
        let style = if is_windows { PathStyle::Windows } else { PathStyle::Unix };
        let path = EntityPath::new(style, bytes);
        prop_assert_eq!(EntityPath::parse_display(&path.to_string(), style), Ok(path));
    }

    #[test]
    fn a_child_is_within_its_directory_and_after_it(path in absolute(), name in "[a-z.]{1,5}") {
        let child = path.join(name.as_bytes());
        prop_assert!(child.is_within(&path) && child > path);
        prop_assert_eq!(child.parent(), Some(path));
    }
}
