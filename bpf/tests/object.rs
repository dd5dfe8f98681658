//! The committed object is what its source compiles to.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use sha2::{Digest, Sha256};

#[test]
fn the_committed_object_has_the_committed_digest() {
    let kernel = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernel");
    let digest = Sha256::digest(fs::read(kernel.join("processes.bpf.o")).unwrap());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let committed = fs::read_to_string(kernel.join("processes.bpf.o.sha256")).unwrap();
    assert_eq!(committed, format!("{digest}  processes.bpf.o\n"));
}

#[test]
fn the_committed_object_is_what_its_source_compiles_to() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for tool in ["clang-19", "llvm-strip-19"] {
        let Ok(found) = Command::new(tool).arg("--version").output() else {
            fim_testkit::skip(&format!(
                "{tool} is not installed, so the kernel programs cannot be compiled again"
            ));
            return;
        };
        let version = String::from_utf8_lossy(&found.stdout).into_owned();
        if !version.contains(VERSION) {
            fim_testkit::skip(&format!("{tool} is not {VERSION}, whose object is committed: {version}"));
            return;
        }
    }
    let out = tempfile::tempdir().unwrap();
    let object = out.path().join("again.o");
    assert!(Command::new(folder.join("build")).arg(&object).status().unwrap().success());
    let again = fs::read(object).unwrap();
    let committed = fs::read(folder.join("kernel/processes.bpf.o")).unwrap();
    assert!(
        again == committed,
        "bpf/kernel/processes.bpf.o is not what its source compiles to; run `bpf/build bpf/kernel/processes.bpf.o` \
         and `sha256sum` beside it"
    );
}

/// Another version compiles the same source to other instructions.
const VERSION: &str = "19.1.7";
