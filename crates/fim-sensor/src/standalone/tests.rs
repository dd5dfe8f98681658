//! A baseline and what a check against it finds.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fim_core::ChangeCategory;
use fim_scan::TreeError;
use fim_testkit::MemoryTree;

use super::*;
use crate::state_file::ReadStateError;

/// A tree in memory and a place for its baseline.
struct Machine {
    tree: Arc<MemoryTree>,
    directory: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let tree = MemoryTree::new();
        tree.file("/etc/passwd", "root").file("/etc/ssh/key", "secret").file("/usr/bin/ls", "elf");
        Self { tree: Arc::new(tree), directory: tempfile::tempdir().unwrap() }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("base.db")
    }

    fn baseline(&self, roots: &[&str], exclude: &[&str]) -> (BaselineSummary, Vec<Unseen>) {
        let exclude: Vec<String> = exclude.iter().map(|&text| text.to_owned()).collect();
        let scope = Scope::new(paths(roots), &exclude).unwrap();
        let mut unseen = Vec::new();
        let mut add = |place| unseen.push(place);
        let options = ScanOptions::default();
        let summary =
            baseline(Arc::clone(&self.tree), &self.file(), scope, true, options, Timestamp(5), &mut add)
                .unwrap();
        (summary, unseen)
    }

    fn try_check(&self, roots: &[&str]) -> Result<(CheckSummary, Vec<String>), CheckError> {
        let mut lines = Vec::new();
        let mut add = |finding: &Finding| lines.push(line(finding));
        let summary =
            check(Arc::clone(&self.tree), &self.file(), paths(roots), ScanOptions::default(), &mut add)?;
        Ok((summary, lines))
    }

    fn check(&self, roots: &[&str]) -> Vec<String> {
        self.try_check(roots).unwrap().1
    }
}

fn paths(texts: &[&str]) -> Vec<EntityPath> {
    texts.iter().map(|&text| EntityPath::unix(text)).collect()
}

fn line(finding: &Finding) -> String {
    match finding {
        Finding::Change { category, change } => {
            let sign = match category {
                ChangeCategory::Added => '+',
                ChangeCategory::Modified => '~',
                ChangeCategory::Removed => '-',
            };
            let fields: Vec<&str> = change.fields.iter().map(fim_core::Aspect::field_name).collect();
            format!("{sign}{} {}", change.key.path(), fields.join(",")).trim_end().to_owned()
        }
        Finding::Unseen(unseen) => format!("?{} {}", unseen.path, unseen.why),
    }
}

#[test]
fn an_unchanged_machine_has_no_differences() {
    let machine = Machine::new();
    let (summary, unseen) = machine.baseline(&["/"], &[]);
    assert_eq!((summary.entities, summary.bytes, unseen.len()), (8, 13, 0));
    let (summary, lines) = machine.try_check(&[]).unwrap();
    assert_eq!(lines, [""; 0]);
    assert_eq!((summary.entities, summary.differences(), summary.baseline_taken), (8, 0, Timestamp(5)));
}

#[test]
fn what_came_went_and_changed_is_told_in_path_order() {
    let machine = Machine::new();
    machine.baseline(&["/etc", "/usr"], &[]);
    machine
        .tree
        .mode("/etc/passwd", 0o666)
        .remove("/etc/ssh/key")
        .file("/usr/bin/new", "x")
        .remove("/usr/bin/ls");
    assert_eq!(
        machine.check(&[]),
        [
            "~/etc/passwd Mode,DateModified,DateStatusChanged",
            "-/etc/ssh/key",
            "-/usr/bin/ls",
            "+/usr/bin/new"
        ]
    );
}

#[test]
fn a_removed_directory_is_told_with_all_that_was_in_it() {
    let machine = Machine::new();
    machine.baseline(&["/etc"], &[]);
    machine.tree.remove("/etc");
    assert_eq!(machine.check(&[]), ["-/etc", "-/etc/passwd", "-/etc/ssh", "-/etc/ssh/key"]);
}

#[test]
fn unreadable_is_never_removed() {
    let machine = Machine::new();
    machine.baseline(&["/etc"], &[]);
    machine.tree.refuse("/etc/ssh", TreeError::PermissionDenied).refuse("/etc/passwd", TreeError::Locked);
    let told = machine.check(&[]);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("?/etc/passwd another program holds it locked"), "{told:?}");
    assert!(told[1].starts_with("?/etc/ssh permission denied: let the agent read it"), "{told:?}");
}

#[test]
fn what_could_not_be_read_is_in_the_baseline_with_what_is_known() {
    let machine = Machine::new();
    machine.tree.refuse("/etc/passwd", TreeError::PermissionDenied);
    let (summary, unseen) = machine.baseline(&["/etc"], &[]);
    assert_eq!((summary.entities, summary.unseen), (4, 1));
    assert_eq!(unseen[0].path, EntityPath::unix("/etc/passwd"));
    machine.tree.allow("/etc/passwd");
    assert_eq!(machine.check(&[]), [""; 0], "content that was not known is no difference");
    machine.tree.mode("/etc/passwd", 0);
    assert_eq!(machine.check(&[]).len(), 1, "what was known is compared");
}

#[test]
fn what_is_left_out_is_left_out_of_both() {
    let machine = Machine::new();
    machine.tree.file("/etc/app.log", "1");
    machine.baseline(&["/etc"], &["*.log", "/etc/ssh"]);
    machine.tree.file("/etc/app.log", "2").file("/etc/other.log", "").file("/etc/ssh/key", "changed");
    assert_eq!(machine.check(&[]), [""; 0]);
}

#[test]
fn a_check_can_look_at_a_part() {
    let machine = Machine::new();
    machine.baseline(&["/etc", "/usr"], &[]);
    machine.tree.remove("/usr/bin/ls").file("/etc/ssh/new", "").remove("/etc/passwd");
    assert_eq!(machine.check(&["/etc/ssh"]), ["+/etc/ssh/new"]);
    assert_eq!(machine.check(&["/usr/bin/ls"]), ["-/usr/bin/ls"]);
}

#[test]
fn a_path_that_is_not_covered_is_refused() {
    let machine = Machine::new();
    machine.baseline(&["/etc"], &["/etc/ssh"]);
    for (path, covered) in [("/usr", "/etc"), ("/", "/etc"), ("/etc/ssh/key", "/etc but for /etc/ssh")] {
        let error = machine.try_check(&[path]).unwrap_err();
        assert!(matches!(&error, CheckError::NotCovered { .. }), "{error}");
        assert!(error.to_string().ends_with(&format!("it covers {covered}")), "{error}");
    }
}

#[test]
fn a_path_of_which_neither_the_baseline_nor_the_machine_has_anything_is_refused() {
    let machine = Machine::new();
    machine.baseline(&["/etc", "/usr"], &[]);
    for path in ["/etc/shadow", "/etc/sshd/key", "/etc/passwd/below-a-file"] {
        // One that is there does not make up for the other.
        let error = machine.try_check(&["/usr", path]).unwrap_err();
        assert!(matches!(&error, CheckError::NowhereToBeFound { .. }), "{error}");
        assert!(error.to_string().starts_with(&format!("there is no {path} on this machine")), "{error}");
    }
    machine.tree.file("/etc/shadow", "new").remove("/etc/ssh/key");
    assert_eq!(machine.check(&["/etc/shadow"]), ["+/etc/shadow"], "the machine has it");
    assert_eq!(machine.check(&["/etc/ssh/key"]), ["-/etc/ssh/key"], "the baseline has it");
    machine.tree.refuse("/etc/ssh", TreeError::PermissionDenied);
    assert_eq!(machine.check(&["/etc/ssh/new"]).len(), 1, "what cannot be looked at may be there");
}

#[test]
fn a_path_behind_a_link_is_refused_unless_it_is_one_no_more() {
    let machine = Machine::new();
    machine.tree.link("/usr/lib", "/etc");
    machine.baseline(&["/usr"], &[]);
    let error = machine.try_check(&["/usr/lib/ssh"]).unwrap_err();
    assert!(matches!(&error, CheckError::BehindLink { .. }), "{error}");
    assert!(error.to_string().contains("does not cover /usr/lib/ssh: /usr/lib is a link, "), "{error}");
    assert_eq!(machine.check(&["/usr/lib"]), [""; 0], "the link itself is covered");
    machine.tree.remove("/usr/lib").file("/usr/lib/ssh", "");
    assert_eq!(machine.check(&["/usr/lib/ssh"]), ["+/usr/lib/ssh"]);
}

#[test]
fn a_baseline_is_replaced_only_on_demand() {
    let machine = Machine::new();
    machine.baseline(&["/etc"], &[]);
    let scope = Scope::new(paths(&["/usr"]), &[]).unwrap();
    let options = ScanOptions::default();
    let refused = baseline(
        Arc::clone(&machine.tree),
        &machine.file(),
        scope,
        false,
        options,
        Timestamp(0),
        &mut |_| {},
    );
    assert!(matches!(refused, Err(BaselineError::Exists { .. })));
    assert_eq!(machine.check(&[]), [""; 0]);
}

#[test]
fn a_missing_a_foreign_and_a_damaged_baseline_are_told_apart() {
    let machine = Machine::new();
    let error = machine.try_check(&[]).unwrap_err();
    assert!(matches!(error, CheckError::Read(ReadStateError::Open { .. })), "{error}");
    std::fs::write(machine.file(), "something else").unwrap();
    let error = machine.try_check(&[]).unwrap_err();
    assert!(matches!(error, CheckError::Read(ReadStateError::NotAState { .. })), "{error}");
    machine.baseline(&["/"], &[]);
    let mut bytes = std::fs::read(machine.file()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(machine.file(), bytes).unwrap();
    let error = machine.try_check(&[]).unwrap_err();
    assert!(matches!(error, CheckError::Read(ReadStateError::Damaged { .. })), "{error}");
}

#[test]
fn the_baseline_leaves_itself_out() {
    let machine = Machine::new();
    let own = machine.directory.path().to_str().unwrap().to_owned();
    machine.tree.directory(&own);
    let (summary, _) = machine.baseline(&["/"], &[]);
    assert!(summary.leaves_itself_out);
    machine.tree.file(machine.file().to_str().unwrap(), "now it is there");
    assert_eq!(machine.check(&[]), [""; 0]);
}

#[test]
fn names_of_any_bytes_survive_the_baseline() {
    let machine = Machine::new();
    machine.tree.file(b"/etc/\xff\n", "x");
    machine.baseline(&["/etc"], &[]);
    assert_eq!(machine.check(&[]), [""; 0]);
    machine.tree.remove(b"/etc/\xff\n");
    assert_eq!(machine.check(&[]), ["-/etc/\\xff\\x0a"]);
}

#[test]
fn a_root_of_any_bytes_survives_the_baseline() {
    let machine = Machine::new();
    machine.tree.file(b"/r\xff\\/file", "x");
    let scope = Scope::new(vec![EntityPath::unix(&b"/r\xff\\"[..])], &[]).unwrap();
    let tree = Arc::clone(&machine.tree);
    let options = ScanOptions::default();
    baseline(tree, &machine.file(), scope, true, options, Timestamp(0), &mut |_| {}).unwrap();
    machine.tree.remove(b"/r\xff\\/file");
    assert_eq!(machine.check(&[]), ["-/r\\xff\\\\/file"]);
}

#[test]
fn a_path_that_is_a_link_is_followed_and_no_other() {
    let machine = Machine::new();
    machine.tree.link("/bin", "usr/bin").link("/usr/bin/sub", "/etc");
    let (summary, _) = machine.baseline(&["/bin"], &[]);
    assert_eq!(summary.entities, 3);
    machine.tree.file("/usr/bin/ls", "evil").file("/etc/passwd", "changed");
    let lines = machine.check(&[]);
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with("~/bin/ls FileContentChecksum"), "{lines:?}");
}

#[test]
fn a_bad_exclusion_is_named() {
    let error = Scope::new(paths(&["/etc"]), &["[".to_owned()]).unwrap_err();
    assert!(error.to_string().contains("\"[\""), "{error}");
    assert!(matches!(Scope::new(vec![], &[]), Err(ScopeError::Empty)));
}

#[test]
fn given_paths_become_absolute_without_dots() {
    let directory = tempfile::tempdir().unwrap();
    let real = directory.path().canonicalize().unwrap();
    std::fs::create_dir_all(real.join("a/b")).unwrap();
    let path = entity_path(&real.join("a/./b/../c/")).unwrap();
    assert_eq!(path.as_bytes(), real.join("a/c").as_os_str().as_encoded_bytes());
    assert!(entity_path(Path::new("relative")).unwrap().as_bytes().starts_with(b"/"));
}

fn reported(format: ReportFormat) -> String {
    let machine = Machine::new();
    machine.baseline(&["/etc"], &[]);
    machine.tree.file("/etc/passwd", "root and toor").refuse("/etc/ssh", TreeError::PermissionDenied);
    let mut out = Vec::new();
    let mut report = Report::new(&mut out, format);
    let options = ScanOptions::default();
    let tree = Arc::clone(&machine.tree);
    let summary =
        check(tree, &machine.file(), vec![], options, &mut |finding| report.finding(finding)).unwrap();
    report.end_check(&summary).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_report_shows_what_was_and_what_is() {
    let text = reported(ReportFormat::Text);
    assert!(text.starts_with("Modified   /etc/passwd\n    FileContentChecksum  "), "{text}");
    assert!(text.contains("\n    Size                 4 → 13\n"), "{text}");
    assert!(text.contains("\nUnreadable /etc/ssh\n    permission denied: "), "{text}");
    let end = "\n1 difference in 3 entities: 0 added, 1 modified, 0 removed; 1 place could not be read \
               (baseline of 1970-01-01T00:00:00Z).\n";
    assert!(text.ends_with(end), "{text}");
}

#[test]
fn a_report_for_programs_is_an_object_a_line() {
    let text = reported(ReportFormat::Json);
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let types: Vec<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["change", "unreadable", "summary"]);
    assert_eq!(lines[0]["before"]["size"], 4);
    assert_eq!(lines[0]["after"]["size"], 13);
    assert_eq!(lines[2]["modified"], 1);
}
