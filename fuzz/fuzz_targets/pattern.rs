//! A rule's path and a path it is asked about: nothing panics, and the laws of matching hold.

#![no_main]

use fim_core::{EntityPath, PathStyle, Pattern, Rule, RuleSet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, &str, &[u8])| {
    let (is_windows, text, path) = input;
    let style = if is_windows { PathStyle::Windows } else { PathStyle::Unix };
    let _ = Pattern::parse_exclusion(text, style);
    let Ok(pattern) = Pattern::parse(text, style) else { return };
    assert_eq!(pattern.text(), text);
    let path = EntityPath::new(style, path);
    if pattern.is_resolved() && pattern.matches(&path) {
        let rules = RuleSet::new(vec![Rule::new("fuzzed", "Custom", text)], style);
        let Ok(rules) = rules else { return };
        let plan = rules.scan_plan();
        let mut above = path.parent();
        while let Some(directory) = above {
            if !directory.is_within(&pattern.root()) {
                break;
            }
            assert!(
                plan.directory(&directory).is_descend(),
                "{text:?} matches {path:?}, and would not look into {directory:?}"
            );
            above = directory.parent();
        }
    }
});
