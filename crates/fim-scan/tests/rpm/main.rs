//! Software of rpm, from databases that the real rpm wrote.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use fim_core::{ListPart, Listed, Software};
use fim_scan::TreeError;
use fim_scan::lists::collect;
use fim_testkit::{MemoryTree, Rpm, skip};

const DIRECTORY: &str = "/usr/lib/sysimage/rpm";

/// The machine whose database of rpm is in that folder.
fn machine(database: &Path) -> MemoryTree {
    let tree = MemoryTree::new();
    for entry in fs::read_dir(database).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        tree.file(format!("{DIRECTORY}/{name}"), fs::read(&path).unwrap());
    }
    tree
}

fn software(tree: &MemoryTree) -> Vec<Software> {
    let software = |listed| match listed {
        Listed::Software(software) => software,
        Listed::Daemon(_) | Listed::Service(_) => panic!("something else among the software"),
    };
    collect(tree, ListPart::Rpm, &|_| ()).unwrap().into_iter().map(software).collect()
}

#[track_caller]
fn refused(tree: &MemoryTree) -> String {
    collect(tree, ListPart::Rpm, &|_| ()).unwrap_err().to_string()
}

/// What of a package is published, in a line.
fn text(software: &Software) -> String {
    let known = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
    format!(
        "{}|{}|{}|{}|{}",
        software.name,
        known(&software.version),
        known(&software.architecture),
        known(&software.publisher),
        known(&software.description)
    )
}

fn texts(tree: &MemoryTree) -> Vec<String> {
    let mut lines: Vec<String> = software(tree).iter().map(text).collect();
    lines.sort();
    lines
}

/// What rpm itself says of its packages, in the same lines.
fn told_by_rpm(rpm: &Rpm) -> Vec<String> {
    let told = rpm.run(&["-qa", "--qf", "%{NAME}|%{EVR}|%{ARCH}|%{VENDOR}|%{SUMMARY}\n"]);
    let mut lines: Vec<String> = told.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// A specification of a package without files.
fn package(name: &str, version: &str, more: &str) -> String {
    format!(
        "Name: {name}\nVersion: {version}\nRelease: 1\nSummary: The package {name}\nLicense: MIT\nVendor: Test\n{more}\n\
         %description\nNothing.\n%files\n"
    )
}

/// Many packages, some with headers that take many pages.
fn distribution() -> String {
    let mut text = package("base", "1.0", "Epoch: 3\nBuildArch: noarch");
    for number in 0..30 {
        let pages = "A long description of what this is. ".repeat(number * 14);
        let _ = write!(
            text,
            "%package -n part{number}\nSummary: Part {number}: über alles\nVersion: {number}.1\n\
             %description -n part{number}\n{pages}\n%files -n part{number}\n"
        );
    }
    text
}

fn rpm_in(folder: &tempfile::TempDir) -> Option<Rpm> {
    let rpm = Rpm::new(folder.path());
    if rpm.is_none() {
        skip("there is no rpm");
    }
    rpm
}

fn install(rpm: &Rpm, how: &str, specification: &str) {
    let packages = rpm.build(specification);
    let packages: Vec<&Path> = packages.iter().map(AsRef::as_ref).collect();
    rpm.change(how, &packages);
}

#[test]
fn packages_are_told_as_rpm_itself_tells_them() {
    let folder = tempfile::tempdir().unwrap();
    let Some(rpm) = rpm_in(&folder) else { return };
    assert_eq!(texts(&machine(&rpm.database())), Vec::<String>::new());
    install(&rpm, "-U", &distribution());
    let told = told_by_rpm(&rpm);
    assert_eq!(told.len(), 31);
    assert_eq!(texts(&machine(&rpm.database())), told);
    rpm.change("-e", &[Path::new("part7"), Path::new("part8")]);
    install(&rpm, "-U", &package("base", "1.1", "Epoch: 3\nBuildArch: noarch"));
    let told = told_by_rpm(&rpm);
    assert_eq!(told[0], "base|3:1.1-1|noarch|Test|The package base");
    assert_eq!(told.len(), 29);
    assert_eq!(texts(&machine(&rpm.database())), told);
}

#[test]
fn versions_side_by_side_are_one_package_and_processors_are_several() {
    let folder = tempfile::tempdir().unwrap();
    let Some(rpm) = rpm_in(&folder) else { return };
    for version in ["6.1", "6.2"] {
        install(&rpm, "-i", &package("kernel", version, "BuildArch: noarch"));
    }
    let libraries = rpm.build(&package("lib", "1", ""));
    rpm.change("-i", &[&libraries[0]]);
    install(&rpm, "-i", &package("lib", "1", "BuildArch: noarch"));
    let own = rpm.run(&["--eval", "%{_target_cpu}"]);
    let mut expected = [
        "kernel|6.1-1, 6.2-1|noarch|Test|The package kernel".to_owned(),
        "lib|1-1|noarch|Test|The package lib".to_owned(),
        format!("lib|1-1|{}|Test|The package lib", own.trim()),
    ];
    expected.sort();
    assert_eq!(texts(&machine(&rpm.database())), expected);
}

#[test]
fn of_a_package_with_many_files_no_more_is_read_than_what_is_told_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let Some(rpm) = rpm_in(&folder) else { return };
    let install_files = "%install\nmkdir -p %{buildroot}/opt/many\ncd %{buildroot}/opt/many\n\
        for number in $(seq 5000); do : > a-name-of-some-length-$number; done\n";
    let text = package("many", "1", "BuildArch: noarch").replace("%files\n", install_files);
    install(&rpm, "-U", &format!("{text}%files\n/opt/many\n"));
    let tree = machine(&rpm.database());
    let stored = fs::metadata(rpm.database().join("rpmdb.sqlite")).unwrap().len();
    let before = tree.bytes_read();
    assert_eq!(texts(&tree), told_by_rpm(&rpm));
    let read = tree.bytes_read() - before;
    assert!(stored > 500_000 && read < 100_000, "{read} of {stored}");
}

#[test]
fn keys_that_rpm_trusts_are_no_software() {
    let folder = tempfile::tempdir().unwrap();
    let Some(rpm) = rpm_in(&folder) else { return };
    let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rpm/key.asc");
    rpm.run(&["--import", key.to_str().unwrap()]);
    assert!(rpm.run(&["-qa"]).starts_with("gpg-pubkey-"));
    assert_eq!(texts(&machine(&rpm.database())), Vec::<String>::new());
}

/// Somebody who reads the database by SQLite and does not end, which keeps what rpm writes in the log.
struct Reader(Child);

impl Reader {
    fn of(database: &Path) -> Self {
        let script = "import sqlite3, sys\n\
            base = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
            base.execute('BEGIN')\n\
            base.execute('SELECT count(*) FROM Packages').fetchone()\n\
            print('reading', flush=True)\n\
            sys.stdin.read()\n";
        let mut command = Command::new("python3");
        command.args(["-c", script]).arg(database.join("rpmdb.sqlite"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "reading\n");
        Self(child)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_is_only_in_the_log_of_the_database_is_told_up_to_the_last_finished_write() {
    let folder = tempfile::tempdir().unwrap();
    let Some(rpm) = rpm_in(&folder) else { return };
    install(&rpm, "-U", &package("base", "0.9", "BuildArch: noarch"));
    let before = texts(&machine(&rpm.database()));
    let reader = Reader::of(&rpm.database());
    install(&rpm, "-U", &distribution());
    let told = told_by_rpm(&rpm);
    let log = fs::read(rpm.database().join("rpmdb.sqlite-wal")).unwrap();
    assert!(log.len() > 100_000, "{}", log.len());
    let tree = machine(&rpm.database());
    assert_eq!(texts(&tree), told);

    let log_path = format!("{DIRECTORY}/rpmdb.sqlite-wal");
    // A write that was torn counts from its first page on as none, as for SQLite.
    let mut torn = log.clone();
    torn[60] ^= 1;
    assert_eq!(texts(tree.file(&log_path, torn)), before.as_slice());
    // Wherever it is cut, it is what it was after one of the writes.
    for cut in (0..log.len()).step_by(log.len() / 20) {
        let then = texts(tree.file(&log_path, &log[..cut]));
        assert!(
            then.iter().any(|line| line.starts_with("base|")) && then.len() <= told.len(),
            "{cut}: {then:#?}"
        );
    }
    // What an earlier use of the log left is not of this one.
    let mut earlier = log;
    earlier[16] ^= 1;
    assert_eq!(texts(tree.file(&log_path, earlier)), before.as_slice());
    drop(reader);
}

#[test]
fn a_database_that_is_written_while_it_is_read_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let Some(rpm) = rpm_in(&folder) else { return };
    install(&rpm, "-U", &package("one", "1", "BuildArch: noarch"));
    let tree = machine(&rpm.database());
    let path = format!("{DIRECTORY}/rpmdb.sqlite");
    tree.change_while_read(&path, 1);
    let before = tree.bytes_read();
    assert_eq!(texts(&tree), told_by_rpm(&rpm));
    let twice = tree.bytes_read() - before;
    assert_eq!(texts(&tree), told_by_rpm(&rpm));
    assert_eq!(twice, 2 * (tree.bytes_read() - before - twice));
    tree.change_while_read(&path, u32::MAX);
    assert!(refused(&tree).starts_with(&format!("cannot read {path}: it is being written the whole time")));
}

#[test]
fn what_cannot_be_read_is_never_told_as_removed() {
    let folder = tempfile::tempdir().unwrap();
    let Some(rpm) = rpm_in(&folder) else { return };
    install(&rpm, "-U", &distribution());
    let tree = machine(&rpm.database());
    let path = format!("{DIRECTORY}/rpmdb.sqlite");
    let whole = fs::read(rpm.database().join("rpmdb.sqlite")).unwrap();
    let said = |content: &[u8]| refused(tree.file(&path, content));
    assert_eq!(said(b""), format!("cannot read {path}: it is damaged: it ends early"));
    assert_eq!(said(&[7; 4096]), format!("cannot read {path}: it is damaged: it is no database of SQLite"));
    assert!(said(&whole[..whole.len() / 2]).contains("it is damaged: it "));
    let mut renamed = whole.clone();
    for (at, part) in whole.windows(13).enumerate() {
        if part == b"tablePackages" {
            renamed[at + 5] = b'X';
        }
    }
    assert_eq!(said(&renamed), format!("cannot read {path}: it is damaged: it has no table Packages"));
    tree.file(&path, whole).file(format!("{path}-journal"), [0xd9]);
    assert_eq!(
        refused(&tree),
        format!(
            "cannot read {path}: it is being written the whole time, or a write to it was never finished"
        )
    );
    tree.file(format!("{path}-journal"), [0]);
    assert_eq!(software(&tree).len(), 31);
    tree.refuse(format!("{path}-wal"), TreeError::PermissionDenied);
    assert_eq!(refused(&tree), format!("cannot read {path}-wal: permission denied"));
}

#[test]
fn a_database_that_is_put_in_the_place_of_another_is_not_one_that_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let Some(rpm) = rpm_in(&folder) else { return };
    let tree = machine(&rpm.database());
    tree.remove(DIRECTORY).directory(format!("{DIRECTORY}old.77"));
    let why = "rpm is making it anew, or was kept from ending that: see /usr/lib/sysimage/rpmold.77";
    assert_eq!(refused(&tree), format!("cannot read {DIRECTORY}: {why}"));
    tree.remove(format!("{DIRECTORY}old.77"));
    assert!(software(&tree).is_empty());
}

#[test]
fn formats_that_are_not_read_are_refused_and_not_empty() {
    for (name, format) in [("Packages.db", "ndb"), ("Packages", "Berkeley DB")] {
        let tree = MemoryTree::new();
        tree.file(format!("/var/lib/rpm/{name}"), "x");
        let said = refused(&tree);
        assert!(
            said.contains(&format!("cannot read /var/lib/rpm/{name}: ")) && said.contains(format),
            "{said}"
        );
    }
}

#[test]
fn a_database_in_another_place_adds_to_the_first_and_a_link_to_it_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let Some(rpm) = rpm_in(&folder) else { return };
    install(&rpm, "-U", &package("one", "1", "BuildArch: noarch"));
    let tree = machine(&rpm.database());
    let first = texts(&tree);
    tree.link("/var/lib/rpm", "../../usr/lib/sysimage/rpm");
    assert_eq!(texts(&tree), first);
    install(&rpm, "-U", &package("two", "1", "BuildArch: noarch"));
    rpm.change("-e", &[Path::new("one")]);
    tree.remove("/var/lib/rpm");
    tree.file("/var/lib/rpm/rpmdb.sqlite", fs::read(rpm.database().join("rpmdb.sqlite")).unwrap());
    assert_eq!(texts(&tree).len(), 2);
}

#[test]
fn no_damage_of_a_page_makes_it_panic_or_hang() {
    let folder = tempfile::tempdir().unwrap();
    let Some(rpm) = rpm_in(&folder) else { return };
    install(&rpm, "-U", &package("one", "1", "BuildArch: noarch"));
    let whole = fs::read(rpm.database().join("rpmdb.sqlite")).unwrap();
    let tree = machine(&rpm.database());
    let mut errors = 0;
    for page in 0..2 {
        for at in (0..64).map(|at| page * 4096 + at) {
            let mut bytes = whole.clone();
            bytes[at] = !bytes[at];
            tree.file(format!("{DIRECTORY}/rpmdb.sqlite"), bytes);
            errors += usize::from(collect(&tree, ListPart::Rpm, &|_| ()).is_err());
        }
    }
    assert!(errors > 20, "{errors}");
}

#[test]
fn pages_that_lead_to_each_other_without_end_are_damage() {
    let tree = MemoryTree::new();
    // The third page goes on in itself.
    let mut overflow = vec![0; PAGE_BYTES];
    overflow[..4].copy_from_slice(&3_u32.to_be_bytes());
    tree.file(format!("{DIRECTORY}/rpmdb.sqlite"), [schema(), row(0, 1_016_034), overflow].concat());
    let told = refused(&tree);
    assert!(told.ends_with("its pages lead to each other without end"), "{told}");
}

#[test]
fn a_package_that_begins_far_behind_its_number_is_damage() {
    let tree = MemoryTree::new();
    // Where a number belongs there is a text of nearly all the row.
    tree.file(format!("{DIRECTORY}/rpmdb.sqlite"), [schema(), row(1_016_000, 34)].concat());
    let told = refused(&tree);
    assert!(told.ends_with("a row of the table Packages has no blob"), "{told}");
}

const PAGE_BYTES: usize = 512;

/// The first page of a database of SQLite with the table of packages, which is the second page.
fn schema() -> Vec<u8> {
    let record = [&[6, 23, 29, 29, 1, 13][..], b"tablePackagesPackages", &[2]].concat();
    let cell = [&[u8::try_from(record.len()).unwrap(), 1][..], &record].concat();
    let mut page = leaf(100, &cell);
    page[..16].copy_from_slice(b"SQLite format 3\0");
    page[16..18].copy_from_slice(&512_u16.to_be_bytes());
    page[18..24].copy_from_slice(&[1, 1, 0, 64, 32, 32]);
    page
}

/// The page of a table with one row, of a text and a blob of so many bytes: the beginning of it, and then the third page.
fn row(text_bytes: u32, blob_bytes: u32) -> Vec<u8> {
    let of_text = if text_bytes == 0 { vec![0] } else { varint(13 + 2 * text_bytes) };
    let kinds = [of_text, varint(12 + 2 * blob_bytes)].concat();
    let head = [vec![u8::try_from(kinds.len() + 1).unwrap()], kinds].concat();
    let total = u32::try_from(head.len()).unwrap() + text_bytes + blob_bytes;
    // So many bytes of a row of such a length are in its page, says the format.
    let here = 39 + (total as usize - 39) % (PAGE_BYTES - 4);
    let mut cell = [varint(total), vec![1], head].concat();
    cell.resize(varint(total).len() + 1 + here, 0);
    cell.extend(3_u32.to_be_bytes());
    leaf(0, &cell)
}

/// A page that has one cell of a table, and what the page begins with at that place.
fn leaf(begin: usize, cell: &[u8]) -> Vec<u8> {
    let mut page = vec![0; PAGE_BYTES];
    let at = PAGE_BYTES - cell.len();
    let place = u16::try_from(at).unwrap().to_be_bytes();
    page[begin..begin + 8].copy_from_slice(&[13, 0, 0, 0, 1, place[0], place[1], 0]);
    page[begin + 8..begin + 10].copy_from_slice(&place);
    page[at..].copy_from_slice(cell);
    page
}

/// A number of less than 2^21 as the format writes it.
fn varint(number: u32) -> Vec<u8> {
    let parts = [number >> 14, number >> 7, number].map(|part| u8::try_from(part & 0x7f).unwrap());
    match parts {
        [0, 0, last] => vec![last],
        [0, middle, last] => vec![middle | 0x80, last],
        [first, middle, last] => vec![first | 0x80, middle | 0x80, last],
    }
}
