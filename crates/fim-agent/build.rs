//! Puts the messages for the event log of Windows into the program, where the viewer of that log looks for them.

use std::env;
use std::error::Error;
use std::path::Path;
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={MESSAGES}");
    if env::var("CARGO_CFG_TARGET_OS")? != "windows" {
        return Ok(());
    }
    let out = env::var("OUT_DIR")?;
    let out = Path::new(&out);
    run(Command::new("x86_64-w64-mingw32-windmc").arg("-h").arg(out).arg("-r").arg(out).arg(MESSAGES))?;
    let linked = out.join("messages.o");
    let script = out.join("messages.rc");
    run(Command::new("x86_64-w64-mingw32-windres").arg("-I").arg(out).arg(&script).arg(&linked))?;
    println!("cargo:rustc-link-arg-bins={}", linked.display());
    Ok(())
}

fn run(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let program = command.get_program().display().to_string();
    let output = command.output().map_err(|error| {
        format!("cannot run {program} ({error}): install the package binutils-mingw-w64-x86-64")
    })?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program} has failed: {}", String::from_utf8_lossy(&output.stderr)).into())
}

const MESSAGES: &str = "windows/messages.mc";
