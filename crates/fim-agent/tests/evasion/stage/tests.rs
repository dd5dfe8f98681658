//! What of a technique counts as tried.

use super::*;

const TECHNIQUE: Technique =
    Technique { name: "write", prepare: nothing, act: |_| Deed::ours(), told: &["file"] };

#[test]
fn a_way_that_a_file_system_does_not_know_is_a_skip() {
    for code in [Errno::OPNOTSUPP, Errno::NOSYS, Errno::NOTTY, Errno::XDEV] {
        assert!(TECHNIQUE.attempt::<()>("here", "do", Err(code.into())).is_none(), "{code}");
    }
    assert_eq!(TECHNIQUE.attempt("here", "do", Ok(7)), Some(7));
}

#[test]
#[should_panic(expected = "here fails to do \"write\"")]
fn a_way_that_fails_for_any_other_reason_is_no_skip() {
    TECHNIQUE.attempt::<()>("here", "do", Err(Errno::NOENT.into()));
}

#[test]
#[should_panic(expected = "was done nowhere")]
fn a_way_that_no_place_knows_is_no_skip() {
    TECHNIQUE.hold_done(0);
}

#[test]
fn a_way_that_a_machine_may_not_know_is_a_skip_where_no_place_knows_it() {
    for name in OPTIONAL {
        Technique { name, ..TECHNIQUE }.hold_done(0);
    }
}

#[test]
fn a_program_that_fails_is_no_skip_unless_it_is_missing_or_says_so() {
    let failed = |text: &str| Deed::of(Command::new("sh").args(["-c", text])).err().unwrap();
    assert!(!is_unknown(&failed("echo no such place >&2; exit 1")));
    assert!(is_unknown(&failed("echo setfacl: x: Operation not supported >&2; exit 1")));
    assert!(is_unknown(&Deed::of(&mut Command::new("no-program-of-that-name")).err().unwrap()));
}
