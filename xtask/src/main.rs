//! The project's own chores: tidy, fuzz, bench, dist and kernels.

mod bench;
mod dist;
mod fuzz;
mod kernels;
mod tidy;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let rest = arguments.get(1..).unwrap_or_default();
    let outcome = match arguments.first().map(String::as_str) {
        Some("tidy") if rest.is_empty() => tidy::run(&root()),
        Some("bench") => bench::run(rest),
        Some("dist") => dist::run(&root(), rest),
        Some("kernels") => kernels::run(&root(), rest),
        Some("fuzz") => fuzz::run(&root(), rest),
        Some(_) | None => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

const USAGE: &str = "usage: cargo xtask CHORE

  bench scan    our stand-alone mode beside AIDE; writes docs/benchmarks.md
  bench ingest  what it takes to accept records and to keep them; writes docs/benchmarks/ingest.md
  bench realtime  the agent while files change; writes docs/benchmarks/realtime.md
  bench query   queries beside DuckDB over the same files; writes docs/benchmarks/query.md
  fuzz          hostile inputs for everything that parses bytes of others
  dist [AGENT]  the packages of the agent for dpkg and rpm, from target/bin/steadfast-agent; they go to target/dist
  kernels [RELEASE]  the agent on Debian's kernels, in guests of QEMU; writes docs/kernels.md
  tidy          the layout is as ARCHITECTURE.md says: who depends on whom, purity, lengths, named paths";
