//! What can be typed after `steadfast fim`.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::PlainArgs;
use super::time::{Every, every, scan_interval};

/// What can be done with file integrity monitoring.
#[derive(Subcommand)]
pub enum FimCommand {
    /// Show whether it is on, and what it covers
    #[command(after_help = "Examples:\n  steadfast fim status\n  steadfast fim status -w production --json")]
    Status(PlainArgs),
    /// Turn it on; recommended items that are missing are put in force, those that were disabled or changed stay so
    #[command(
        after_help = "Examples:\n  steadfast fim enable -w production\n  steadfast fim enable --restore"
    )]
    Enable(EnableArgs),
    /// Turn it off: agents stop looking; rules and records stay
    #[command(after_help = "Examples:\n  steadfast fim disable -w production")]
    Disable(PlainArgs),
    /// Set how often files are scanned, and daemons or services, software and the inventory are collected
    Collect(CollectArgs),
}

/// What to turn on.
#[derive(Args)]
pub struct EnableArgs {
    /// Put recommended items that were edited back as they are recommended
    #[arg(long)]
    pub restore: bool,
    #[command(flatten)]
    pub plain: PlainArgs,
}

/// How often what is monitored is collected.
#[derive(Args)]
#[command(after_help = "Examples:
  steadfast fim collect --files 15m
  steadfast fim collect --daemons 1m
  steadfast fim collect --software off --inventory 24h -w production")]
pub struct CollectArgs {
    /// How often files and the registry are scanned, 1s to 7d: 30s, 15m, 1h 30m, 1d
    #[arg(long, value_name = "TIME", value_parser = scan_interval)]
    pub files: Option<Duration>,
    /// How often the daemons of Linux and the services of Windows are collected, 5s to 365d: 30s, 5m, 1h, or off
    #[arg(long, value_name = "TIME", value_parser = every)]
    pub daemons: Option<Every>,
    /// How often the software is collected, 5s to 365d: 5m, 1h, 1d, or off
    #[arg(long, value_name = "TIME", value_parser = every)]
    pub software: Option<Every>,
    /// How often an inventory of everything is made, 5s to 365d: 10h, 1d, 7d, or off
    #[arg(long, value_name = "TIME", value_parser = every)]
    pub inventory: Option<Every>,
    #[command(flatten)]
    pub plain: PlainArgs,
}
