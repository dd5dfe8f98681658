//! `baseline` and `check`: use without a server.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use clap::Args;
use fim_os::{LiveTree, as_stored};
use fim_sensor::standalone::{
    self, BaselineError, CheckError, EntityPath, Report, ReportFormat, ScanOptions, Scope, ScopeError,
    Timestamp, Unseen, entity_path,
};

use crate::exit::{ATTENTION, FAILURE, PARTIAL, USAGE, fail};

/// Takes a baseline of everything below the paths, to check against later.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  steadfast-agent baseline --db /var/lib/steadfast/base.db /etc /usr/bin /usr/sbin
  steadfast-agent baseline --db base.db --force --exclude '*.log' --exclude /etc/mtab /etc

Keep the file where an intruder cannot write: whoever changes it decides what a check finds.

Exit codes:
  0  the baseline is taken
  2  usage: an option is wrong, the file exists already, or one of the paths does not exist: then there is no
     baseline of the others either
  3  the baseline is taken, but part of the scope could not be read
  4  failure: there is no new baseline")]
pub struct BaselineArgs {
    /// The file to write the baseline to.
    #[arg(long, value_name = "FILE")]
    db: PathBuf,
    /// What to leave out, with all below it: a path or a name, `*`, `?` and `**` stand for any. May be given often.
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// How many threads read files. One is easiest on the machine, more are faster where the disk is.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = threads)]
    threads: usize,
    /// Replace the file if it exists.
    #[arg(long)]
    force: bool,
    /// Print a JSON object a line.
    #[arg(long)]
    json: bool,
    /// The files and directories to cover.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
}

/// Compares the machine with a baseline and prints the differences.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  steadfast-agent check --db /var/lib/steadfast/base.db
  steadfast-agent check --db base.db /etc/ssh          only what is below /etc/ssh
  steadfast-agent check --db base.db --json | jq 'select(.type == \"change\") | .path'

Exit codes:
  0  no differences
  1  differences
  2  usage: an option is wrong, or a path is one that the baseline does not cover, or that was not there when it was
     taken and is not there now
  3  no differences, but part of the scope could not be read
  4  failure: the baseline cannot be read, or the check could not be made")]
pub struct CheckArgs {
    /// The file that `baseline` wrote.
    #[arg(long, value_name = "FILE")]
    db: PathBuf,
    /// How many threads read files.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = threads)]
    threads: usize,
    /// Print a JSON object a line: the differences, what could not be read, and a summary.
    #[arg(long)]
    json: bool,
    /// What to check, if not everything that the baseline covers.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// Runs `baseline`.
pub fn baseline(args: BaselineArgs) -> ExitCode {
    let mut report = Report::new(stdout(), format(args.json));
    let scope = match scope(&args) {
        Ok(scope) => scope,
        Err(error) => return fail(USAGE, error),
    };
    let tree = Arc::new(LiveTree::new());
    let mut unseen = |unseen: Unseen| report.unseen(&unseen);
    let taken =
        standalone::baseline(tree, &args.db, scope, args.force, options(args.threads), now(), &mut unseen);
    let summary = match taken {
        Ok(summary) => summary,
        Err(error) => {
            let code = match &error {
                BaselineError::Exists { .. } | BaselineError::Scope(_) => USAGE,
                BaselineError::Locate { .. }
                | BaselineError::StartScan(_)
                | BaselineError::CutShort
                | BaselineError::Write(_) => FAILURE,
            };
            let is_of_file = matches!(error, BaselineError::Locate { .. } | BaselineError::Write(_));
            let error = anyhow::Error::new(error);
            let cannot = || {
                let file = args.db.display();
                format!(
                    "cannot write --db {file}; name a file in a directory that is there and that you may write"
                )
            };
            return fail(code, if is_of_file { error.context(cannot()) } else { error });
        }
    };
    if summary.leaves_itself_out {
        let file = args.db.display();
        // Nobody may be there to read it, which is no reason to fail.
        let _ = writeln!(io::stderr(), "warning: {file} lies within the scope and is left out of it");
    }
    let code = if summary.unseen > 0 { PARTIAL } else { 0 };
    end(report.end_baseline(&summary), code)
}

/// Runs `check`.
pub fn check(args: CheckArgs) -> ExitCode {
    let mut report = Report::new(stdout(), format(args.json));
    let paths = match args.paths.iter().map(|path| located(path)).collect::<anyhow::Result<Vec<_>>>() {
        Ok(paths) => paths,
        Err(error) => return fail(USAGE, error),
    };
    let tree = Arc::new(LiveTree::new());
    let checked = standalone::check(tree, &args.db, paths, options(args.threads), &mut |finding| {
        report.finding(finding)
    });
    let summary = match checked {
        Ok(summary) => summary,
        Err(error) => {
            let code = match &error {
                CheckError::NotCovered { .. }
                | CheckError::BehindLink { .. }
                | CheckError::NowhereToBeFound { .. } => USAGE,
                CheckError::Read(_)
                | CheckError::NotABaseline { .. }
                | CheckError::StartScan(_)
                | CheckError::CutShort => FAILURE,
            };
            let is_of_file = matches!(error, CheckError::Read(_) | CheckError::NotABaseline { .. });
            let error = anyhow::Error::new(error);
            let cannot = || {
                let file = args.db.display();
                format!(
                    "cannot use --db {file}; `steadfast-agent baseline --db FILE PATH…` writes such a file"
                )
            };
            return fail(code, if is_of_file { error.context(cannot()) } else { error });
        }
    };
    let code = match (summary.differences(), summary.unseen) {
        (0, 0) => 0,
        (0, _) => PARTIAL,
        _ => ATTENTION,
    };
    end(report.end_check(&summary), code)
}

fn scope(args: &BaselineArgs) -> anyhow::Result<Scope> {
    let mut roots = Vec::new();
    for path in &args.paths {
        path.symlink_metadata().with_context(|| format!("cannot take a baseline of {}", path.display()))?;
        roots.push(located(path)?);
    }
    Scope::new(roots, &args.exclude).map_err(|error: ScopeError| error.into())
}

fn located(path: &Path) -> anyhow::Result<EntityPath> {
    entity_path(&as_stored(path)).with_context(|| format!("cannot tell where {} is", path.display()))
}

fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(threads) if (1..=MOST_THREADS).contains(&threads) => Ok(threads),
        Ok(_) | Err(_) => Err(format!("write a number from 1 to {MOST_THREADS}")),
    }
}

fn options(threads: usize) -> ScanOptions {
    ScanOptions { threads, ..ScanOptions::default() }
}

fn format(is_json: bool) -> ReportFormat {
    if is_json { ReportFormat::Json } else { ReportFormat::Text }
}

fn stdout() -> BufWriter<io::StdoutLock<'static>> {
    BufWriter::new(io::stdout().lock())
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

fn end(written: io::Result<()>, code: u8) -> ExitCode {
    match written {
        // Whoever reads the output has seen enough of it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(code),
        Err(error) => fail(FAILURE, anyhow::Error::new(error).context("cannot write the report")),
        Ok(()) => ExitCode::from(code),
    }
}

const MOST_THREADS: usize = 64;
