//! What the kernel really tells of processes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::error::Error;
use std::io;
use std::process::Command;

use fim_bpf::{KernelTypes, ProcessEvents, StartError, Step};

/// A program's path and its arguments.
type Program = (Option<Vec<u8>>, Option<Vec<u8>>);

/// What was told of one process.
#[derive(Debug, Default)]
struct Told {
    forked_by: Option<u32>,
    programs: Vec<Program>,
    user: Option<u32>,
    names: Vec<Vec<u8>>,
    has_ended: bool,
}

/// Nothing where this process has no right to it or the kernel does not describe its types, which is said. Any other
/// refusal is a mistake of ours.
fn started() -> Option<ProcessEvents> {
    let error = match KernelTypes::read().and_then(|types| ProcessEvents::start(&types)) {
        Ok(events) => return Some(events),
        Err(error) => error,
    };
    let causes = std::iter::successors(Some(&error as &dyn Error), |&error| error.source());
    let is_forbidden = causes.into_iter().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    });
    assert!(is_forbidden || matches!(error, StartError::Types(_)), "{error:#?}");
    fim_testkit::skip(&format!("the kernel does not tell of processes here: {error}"));
    None
}

fn told_of(events: &mut ProcessEvents, process: u32) -> Told {
    let mut told = Told::default();
    events.take(|record| {
        if record.process != process {
            return;
        }
        told.user = Some(record.ids.user);
        told.names.push(record.name.to_vec());
        match &record.step {
            Step::Forked { parent, .. } => told.forked_by = Some(*parent),
            Step::Executed { program, arguments, .. } => {
                told.programs.push((program.clone(), arguments.map(<[u8]>::to_vec)));
            }
            Step::Ended => told.has_ended = true,
        }
    });
    told
}

#[test]
fn a_process_that_has_ended_was_told_of_from_beginning_to_end() {
    let Some(mut events) = started() else { return };
    let mut child = Command::new("/bin/sh").args(["-c", "exec /bin/echo 'a b' >/dev/null"]).spawn().unwrap();
    child.wait().unwrap();
    let told = told_of(&mut events, child.id());
    assert_eq!(told.forked_by, Some(std::process::id()), "{told:?}");
    let path = |name: &str| Some(std::fs::canonicalize(name).unwrap().into_os_string().into_encoded_bytes());
    let shell = (path("/bin/sh"), Some(b"/bin/sh\0-c\0exec /bin/echo 'a b' >/dev/null\0".to_vec()));
    let echo = (path("/bin/echo"), Some(b"/bin/echo\0a b\0".to_vec()));
    assert_eq!(told.programs, [shell, echo]);
    assert_eq!(told.names.last().map(Vec::as_slice), Some(&b"echo"[..]));
    assert!(told.user.is_some() && told.has_ended, "{told:?}");
    assert_eq!(events.take_lost(), 0);
}

#[test]
fn a_program_deep_down_is_told_by_its_whole_path() {
    let Some(mut events) = started() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut deep = folder.path().to_owned();
    for _ in 0..40 {
        deep.push("a-name-of-some-length");
    }
    std::fs::create_dir_all(&deep).unwrap();
    let program = deep.join("true");
    std::fs::copy("/bin/true", &program).unwrap();
    let mut child = Command::new(&program).spawn().unwrap();
    child.wait().unwrap();
    let told = told_of(&mut events, child.id());
    assert_eq!(told.programs[0].0, Some(program.into_os_string().into_encoded_bytes()));
}

#[test]
fn a_long_command_is_cut() {
    let Some(mut events) = started() else { return };
    let mut child = Command::new("/bin/true").arg("x".repeat(10_000)).spawn().unwrap();
    child.wait().unwrap();
    let told = told_of(&mut events, child.id());
    assert_eq!(told.programs[0].1.as_ref().map(Vec::len), Some(4096));
}
