//! Paths that documents name exist, the map stays short, and promises have their numbers and tests.

use std::collections::BTreeSet;

/// What is wrong with one document. `exists` answers for paths from the root of the project.
pub fn check(name: &str, text: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    if !name.ends_with(".md") {
        return Vec::new();
    }
    let mut breaches = Vec::new();
    if name == "ARCHITECTURE.md" && text.lines().count() > LONGEST_MAP_LINES {
        breaches.push(format!("{name}: more than {LONGEST_MAP_LINES} lines; keep what rarely changes"));
    }
    for (index, line) in text.lines().enumerate() {
        for named in named_paths(line) {
            if !exists(named) {
                breaches.push(format!("{name}:{}: names {named}, which does not exist", index + 1));
            }
        }
        for target in link_targets(line) {
            let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
            let path = resolve(folder, target);
            if !exists(&path) {
                breaches.push(format!("{name}:{}: links to {target}, which does not exist", index + 1));
            }
        }
    }
    breaches
}

/// The names of the tests of a Rust file: functions that a test's attribute stands above and that are not ignored, and
/// scenarios, which a macro makes into tests.
pub fn tests(name: &str, text: &str) -> Vec<String> {
    if !name.ends_with(".rs") {
        return Vec::new();
    }
    let mut tests = Vec::new();
    let mut is_marked = false;
    for line in text.lines().map(str::trim) {
        let scenario = line.strip_suffix(".yaml\";").and_then(|line| line.split_once(" = \""));
        if let Some((name, _)) = scenario {
            tests.push(name.to_owned());
        } else if let Some((_, rest)) = line.split_once("fn ") {
            if is_marked {
                tests.extend(rest.split(['(', '<']).next().map(str::to_owned));
            }
            is_marked = false;
        } else if line.starts_with("#[ignore") {
            is_marked = false;
        } else if line.starts_with("#[") && (line.ends_with("test]") || line.contains("::test(")) {
            is_marked = true;
        }
    }
    tests
}

/// Tests that the specification names but nobody has, or more than one: then nobody knows which is meant. A test is
/// named in backticks by its function.
pub fn check_promises(name: &str, text: &str, count: impl Fn(&str) -> usize) -> Vec<String> {
    let mut breaches = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for test in named_tests(line) {
            match count(test) {
                0 => breaches.push(format!("{name}:{}: no test is called {test}", index + 1)),
                1 => {}
                many => breaches.push(format!("{name}:{}: {many} tests are called {test}", index + 1)),
            }
        }
    }
    breaches
}

/// Numbers of promises that two promises have, and promises that stand outside of a table's rows, where no reader of
/// Markdown shows them as such.
pub fn check_numbers(text: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    let mut seen = BTreeSet::new();
    let mut is_in_rows = false;
    for (index, line) in text.lines().enumerate() {
        let at = format!("{SPECIFICATION}:{}", index + 1);
        if line.starts_with("|---") {
            is_in_rows = true;
        } else if !line.starts_with('|') {
            is_in_rows = false;
        }
        let number = line.strip_prefix("| ").and_then(|row| row.split(" |").next()).unwrap_or_default();
        let is_number = number.starts_with(|first: char| first.is_ascii_uppercase())
            && number.len() > 1
            && number[1..].chars().all(|digit| digit.is_ascii_digit());
        if !is_number {
            continue;
        }
        if !seen.insert(number) {
            breaches.push(format!("{at}: another promise has the number {number}"));
        }
        if !is_in_rows {
            breaches.push(format!("{at}: {number} stands above the table's rule"));
        }
    }
    breaches
}

/// Tests of the suite of evasion that its document does not name.
pub fn check_evasion<'t>(document: &str, tests: impl Iterator<Item = &'t str>) -> Vec<String> {
    let named: Vec<&str> = document.lines().flat_map(named_tests).collect();
    let unnamed = tests.filter(|test| !named.contains(test));
    unnamed.map(|test| format!("{EVASION}: does not name the test {test}")).collect()
}

fn named_tests(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2).filter(|code| {
        let is_name = code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        is_name && code.matches('_').count() >= 2
    })
}

/// Where promises are listed with their tests.
pub const SPECIFICATION: &str = "docs/specification.md";

/// Where ways to evade are listed with their answers and tests, and where those tests are.
pub const EVASION: &str = "docs/evasion.md";
pub const EVASION_TESTS: &str = "crates/fim-agent/tests/evasion/";

/// Paths in backticks that begin with a folder of ours and hold no placeholder.
fn named_paths(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2).filter(|code| {
        FOLDERS.iter().any(|folder| code.starts_with(folder))
            && !code.contains(|c: char| c.is_whitespace() || "*<>{}…NX$".contains(c))
    })
}

/// Targets of Markdown links into the project.
fn link_targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split(')').next()?.split('#').next()?;
        let is_ours = !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:");
        is_ours.then_some(target)
    })
}

fn resolve(folder: &str, target: &str) -> String {
    let mut segments: Vec<&str> = folder.split('/').filter(|segment| !segment.is_empty()).collect();
    for segment in target.split('/') {
        match segment {
            ".." => drop(segments.pop()),
            "." | "" => {}
            name => segments.push(name),
        }
    }
    segments.join("/")
}

const LONGEST_MAP_LINES: usize = 200;
const FOLDERS: &[&str] =
    &["crates/", "docs/", "web/", "xtask/", "scripts/", "openapi/", "bpf/", "fuzz/", "packaging/"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_whose_test_is_gone_is_a_breach() {
        let text = "#[test]\n    fn it_holds_for_all() {\n#[tokio::test(flavor = \"multi_thread\")]\n#[allow(x)]\nasync fn so_does_this_one<T>() {\n\
                    fn this_only_helps() {\na_scenario_holds = \"01-one.yaml\";\n\
                    #[test]\n#[ignore]\nfn this_never_runs() {";
        let tests = tests("a.rs", text);
        assert_eq!(tests, ["it_holds_for_all", "so_does_this_one", "a_scenario_holds"]);
        let text = "| 1 | promise | `it_holds_for_all`, `it_is_not_there`, `it_is_there_twice` |";
        assert_eq!(
            check_promises(SPECIFICATION, text, |test| match test {
                "it_is_there_twice" => 2,
                test => tests.iter().filter(|name| *name == test).count(),
            }),
            [
                "docs/specification.md:1: no test is called it_is_not_there",
                "docs/specification.md:1: 2 tests are called it_is_there_twice"
            ]
        );
    }

    #[test]
    fn a_number_that_two_promises_have_and_a_promise_above_the_rows_are_breaches() {
        let text =
            "| No. | Promise |\n| N2 | above |\n|---|---|\n| N1 | one |\n| N1 | two |\n\n| N3 | no table |";
        assert_eq!(
            check_numbers(text),
            [
                "docs/specification.md:2: N2 stands above the table's rule",
                "docs/specification.md:5: another promise has the number N1",
                "docs/specification.md:7: N3 stands above the table's rule"
            ]
        );
    }

    #[test]
    fn a_test_of_evasion_that_its_document_does_not_name_is_a_breach() {
        let document = "| written | record by `open_by_handle_at(2)` | `what_is_written_is_told` |";
        let tests = ["what_is_written_is_told", "what_is_moved_is_told"];
        assert_eq!(
            check_evasion(document, tests.into_iter()),
            ["docs/evasion.md: does not name the test what_is_moved_is_told"]
        );
    }

    #[test]
    fn a_path_or_link_to_nothing_is_a_breach() {
        let text =
            "See `crates/fim-gone/src` and [the guide](guide/start.md#top), not [this](https://x.org).";
        assert_eq!(
            check("docs/a.md", text, |_| false),
            [
                "docs/a.md:1: names crates/fim-gone/src, which does not exist",
                "docs/a.md:1: links to guide/start.md, which does not exist"
            ]
        );
        assert!(
            check("docs/a.md", text, |path| path.starts_with("crates/") || path == "docs/guide/start.md")
                .is_empty()
        );
    }
}
