//! The committed object is what its source compiles to.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use sha2::{Digest, Sha256};

#[test]
fn each_committed_object_has_the_committed_digest() {
    let kernel = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernel");
    for object in OBJECTS {
        let digest = Sha256::digest(fs::read(kernel.join(object)).unwrap());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let committed = fs::read_to_string(kernel.join(format!("{object}.sha256"))).unwrap();
        assert_eq!(committed, format!("{digest}  {object}\n"));
    }
}

#[test]
fn each_committed_object_is_what_its_source_compiles_to() {
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
    assert!(Command::new(folder.join("build")).arg(out.path()).status().unwrap().success());
    for object in OBJECTS {
        let again = fs::read(out.path().join(object)).unwrap();
        let committed = fs::read(folder.join("kernel").join(object)).unwrap();
        assert!(
            again == committed,
            "bpf/kernel/{object} is not what its source compiles to; run `bpf/build bpf/kernel`"
        );
    }
}

const OBJECTS: [&str; 2] = ["processes.bpf.o", "files.bpf.o"];

/// Another version compiles the same source to other instructions.
const VERSION: &str = "19.1.7";
