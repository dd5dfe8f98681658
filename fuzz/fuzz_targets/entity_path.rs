//! A path's bytes: what is shown reads back as the same path, and parts of it stay inside it.

#![no_main]

use fim_core::{EntityPath, PathStyle, Pattern};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, &[u8], &str)| {
    let (is_windows, bytes, text) = input;
    let style = if is_windows { PathStyle::Windows } else { PathStyle::Unix };
    let _ = EntityPath::parse_display(text, style);
    let path = EntityPath::new(style, bytes);
    let shown = path.to_string();
    assert!(!shown.contains(|c: char| c.is_control()), "{shown:?}");
    if let Ok(read) = EntityPath::parse_display(&shown, style) {
        assert_eq!(read, path, "{shown:?}");
    }
    if let Some(parent) = path.parent() {
        assert!(path.is_within(&parent), "{path:?} is not within {parent:?}");
    }
    if is_windows && bytes.contains(&b'/') {
        // No name on Windows has one: a pattern reads it as the separator.
        return;
    }
    if let Ok(exact) = Pattern::parse(&Pattern::escape(&path), style) {
        assert!(exact.matches(&path), "{:?} does not match {path:?}", exact.text());
    }
});
