//! What can be typed after `steadfast`.

mod fim;
mod rule;
mod time;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap::{Args, Parser, Subcommand, ValueEnum};

use self::time::{at_least_a_second, enrollment, scan_interval, since};
use crate::failure::EXIT_CODES;
use crate::variables::VARIABLES;

pub use self::time::{Every, as_typed};
pub use fim::{CollectArgs, EnableArgs, FimCommand};
pub use rule::{RuleAddArgs, RuleCommand, RuleEditArgs, RuleListArgs, RuleNameArgs, RuleSettings};

/// File integrity monitoring: what changed on your machines, who changed it, and where nobody was looking.
#[derive(Parser)]
#[command(
    name = "steadfast",
    version,
    after_help = format!("{EXIT_CODES}\n\n{VARIABLES}"),
    arg_required_else_help = true
)]
pub struct Arguments {
    /// Which server to talk to.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Which server, when it is not the profile's.
#[derive(Args)]
pub struct ConnectionArgs {
    /// The server's address, https://HOST:PORT; the profile's by default
    #[arg(long, env = "STEADFAST_SERVER", global = true, value_name = "URL", help_heading = "Connection")]
    pub server: Option<String>,
    /// The CA certificate of the server, as a PEM file; the profile's by default
    #[arg(long, env = "STEADFAST_CA", global = true, value_name = "FILE", help_heading = "Connection",
        value_parser = OsStringValueParser::new().map(PathBuf::from))]
    pub ca: Option<PathBuf>,
}

/// Takes the place of [`ConnectionArgs`] where a command is a server itself.
#[derive(Args)]
pub struct NoConnectionArgs {
    #[arg(long = "server", id = "server", hide = true, value_parser = is_server_itself::<String>)]
    _server: Option<String>,
    #[arg(long = "ca", id = "ca", hide = true, value_parser = is_server_itself::<PathBuf>)]
    _ca: Option<PathBuf>,
}

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Run everything on this machine: server, page and agent
    #[command(after_help = UP_EXAMPLES)]
    Up(UpArgs),
    /// Run the server alone
    #[command(after_help = "Examples:\n  steadfast server --config /etc/steadfast/server.toml")]
    Server(ServerArgs),
    /// Run a KQL query
    #[command(after_help = QUERY_EXAMPLES)]
    Query(QueryArgs),
    /// Show recent changes, and new ones as they come
    #[command(after_help = "Examples:\n  steadfast changes --since 1h\n  steadfast changes --follow --json")]
    Changes(ChangesArgs),
    /// Show what a change did to the text of a file, for rules that have it stored
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(DiffArgs),
    /// Choose what is monitored
    #[command(subcommand, after_help = RULE_EXAMPLES)]
    Rule(RuleCommand),
    /// Turn file integrity monitoring of a workspace on or off, and set how often it looks
    #[command(subcommand, after_help = FIM_EXAMPLES)]
    Fim(FimCommand),
    /// List the machines of a workspace, add new ones and remove those that are gone
    #[command(subcommand, after_help = MACHINE_EXAMPLES)]
    Machine(MachineCommand),
    /// List, create and delete workspaces, and look after their records
    #[command(subcommand, after_help = WORKSPACE_EXAMPLES)]
    Workspace(WorkspaceCommand),
    /// Print a link by which one browser signs in to the page, once
    #[command(after_help = "Examples:\n  steadfast sign-in\n  steadfast sign-in --json")]
    SignIn(JsonArg),
    /// Make, list and delete API tokens, which programs sign in with
    #[command(subcommand, after_help = TOKEN_EXAMPLES)]
    Token(TokenCommand),
}

/// Options of `up`.
#[derive(Args)]
pub struct UpArgs {
    #[command(flatten)]
    pub _connection: NoConnectionArgs,
    /// Where everything is kept; made on first start [default: /var/lib/steadfast as root, else
    /// ~/.local/share/steadfast]
    #[arg(long, value_name = "D")]
    pub data_dir: Option<PathBuf>,
    /// Where the server listens with TLS
    #[arg(long, default_value = "127.0.0.1:8443", value_name = "ADDRESS", value_parser = listening_address)]
    pub listen: SocketAddr,
    /// Where the page is served without TLS; only loopback addresses are accepted
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS", value_parser = listening_address)]
    pub page: SocketAddr,
    /// How often files are scanned, 1s to 7d: 5s, 15m, 1h 30m, 1d [default: what the workspace is set to, 15m at first]
    #[arg(long, value_name = "TIME", value_parser = scan_interval)]
    pub scan_interval: Option<Duration>,
    /// Do not monitor this machine
    #[arg(long)]
    pub no_agent: bool,
    /// Print one line of JSON when everything runs: addresses, sign-in link, CA fingerprint
    #[arg(long)]
    pub json: bool,
}

/// Options of `server`.
#[derive(Args)]
pub struct ServerArgs {
    #[command(flatten)]
    pub _connection: NoConnectionArgs,
    /// The configuration, TOML; every key is optional
    #[arg(long, value_name = "F")]
    pub config: PathBuf,
}

/// Which workspace a command is about.
#[derive(Args)]
pub struct WorkspaceArg {
    /// The workspace, by name or id
    #[arg(short, long, env = "STEADFAST_WORKSPACE", default_value = DEFAULT_WORKSPACE, value_name = "W",
        value_parser = workspace)]
    pub workspace: String,
}

/// How a command prints.
#[derive(Args)]
pub struct JsonArg {
    /// Print JSON for programs
    #[arg(long)]
    pub json: bool,
}

/// Options of `query`.
#[derive(Args)]
pub struct QueryArgs {
    #[command(flatten)]
    pub workspace: WorkspaceArg,
    /// Only records of this time: an ISO 8601 duration until now (P1D) or an interval (START/END)
    #[arg(long, value_name = "ISO8601")]
    pub timespan: Option<String>,
    /// How rows are printed
    #[arg(short, long, value_enum, default_value_t = OutputFormat::Table)]
    pub output: OutputFormat,
    /// Print JSON for programs; the same as -o json
    #[arg(long, conflicts_with = "output")]
    pub json: bool,
    /// Write the rows to this file, which is made anew in a folder that is there, instead of printing them; takes another
    /// format than table
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The query; - reads it from standard input
    pub kql: String,
}

/// How rows are printed.
#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
pub enum OutputFormat {
    /// Aligned columns for a person
    Table,
    /// One array of objects
    Json,
    /// Comma-separated values with a header (RFC 4180), for spreadsheets: text that one would run as a formula, such as
    /// a file name that begins with =, has an apostrophe before it; numbers do not, and no other format has it
    Csv,
    /// One object a line
    Ndjson,
    /// A Parquet file
    Parquet,
    /// A file of Apache Arrow's interprocess format
    Arrow,
}

/// Options of `changes`.
#[derive(Args)]
pub struct ChangesArgs {
    #[command(flatten)]
    pub workspace: WorkspaceArg,
    /// Only this machine
    #[arg(long, value_name = "M")]
    pub machine: Option<String>,
    /// How far back: 10m, 24h, 7d
    #[arg(long, default_value = "24h", value_name = "TIME", value_parser = since)]
    pub since: Duration,
    /// Go on and show changes as they come; stop with Ctrl-C
    #[arg(short, long)]
    pub follow: bool,
    #[command(flatten)]
    pub format: JsonArg,
}

/// Options of `diff`.
#[derive(Args)]
pub struct DiffArgs {
    #[command(flatten)]
    pub workspace: WorkspaceArg,
    /// The change's id: `id` in `steadfast changes --json`, and `ChangeId` in queries
    pub change: String,
    #[command(flatten)]
    pub format: JsonArg,
}

/// Reads where a server listens. A name would be of several addresses, and could be another's tomorrow.
fn listening_address(typed: &str) -> Result<SocketAddr, &'static str> {
    typed.parse().map_err(|_| "write an IP address and a port, such as 127.0.0.1:8443")
}

/// Reads a workspace. A variable that is set to nothing is not set.
fn workspace(typed: &str) -> Result<String, Infallible> {
    Ok(if typed.is_empty() { DEFAULT_WORKSPACE } else { typed }.to_owned())
}

fn is_server_itself<T>(_: &str) -> Result<T, &'static str> {
    Err("this command is a server itself; leave the option out")
}

/// A workspace and how to print.
#[derive(Args)]
pub struct PlainArgs {
    #[command(flatten)]
    pub workspace: WorkspaceArg,
    #[command(flatten)]
    pub format: JsonArg,
}

/// What can be done with machines.
#[derive(Subcommand)]
pub enum MachineCommand {
    /// Show the machines, their state and their changes of the last week
    #[command(
        after_help = "Examples:\n  steadfast machine list\n  steadfast machine list -w production --json"
    )]
    List(PlainArgs),
    /// Make a token with which one new machine can enrol
    #[command(after_help = ENROLL_EXAMPLES)]
    EnrollToken(EnrollTokenArgs),
    /// Take a machine out; its agent is refused from now on, its records stay
    #[command(after_help = "Examples:\n  steadfast machine remove web-7")]
    Remove(MachineNameArgs),
}

/// Options of `machine enroll-token`.
#[derive(Args)]
pub struct EnrollTokenArgs {
    #[command(flatten)]
    pub workspace: WorkspaceArg,
    /// How long the token can be used, 1s to 30d: 30m, 24h, 7d
    #[arg(long, default_value = "1h", value_name = "TIME", value_parser = enrollment)]
    pub expires_in: Duration,
    /// Let the new machine take the place of this one, which is removed then
    #[arg(long, value_name = "MACHINE")]
    pub replace: Option<String>,
    #[command(flatten)]
    pub format: JsonArg,
}

/// One machine.
#[derive(Args)]
pub struct MachineNameArgs {
    #[command(flatten)]
    pub workspace: WorkspaceArg,
    /// The machine, by name or id
    pub machine: String,
    #[command(flatten)]
    pub format: JsonArg,
}

/// What can be done with workspaces.
#[derive(Subcommand)]
pub enum WorkspaceCommand {
    /// Show the workspaces
    #[command(after_help = "Examples:\n  steadfast workspace list")]
    List(JsonArg),
    /// Make a workspace
    #[command(
        after_help = "Examples:\n  steadfast workspace create production --location Geneva --subscription web"
    )]
    Create(WorkspaceCreateArgs),
    /// Delete a workspace with its records, rules and machines, for ever
    #[command(
        after_help = "Examples:\n  steadfast workspace delete trial\n  steadfast workspace delete trial --yes --json"
    )]
    Delete(WorkspaceDeleteArgs),
    /// Show the records on the disk and the work on them, or set how long they stay and how much may come in a day
    #[command(after_help = STORAGE_EXAMPLES)]
    Storage(WorkspaceStorageArgs),
}

/// Options of `workspace storage`.
#[derive(Args)]
pub struct WorkspaceStorageArgs {
    #[command(flatten)]
    pub workspace: WorkspaceArg,
    /// Let rows go after so many days, or `never`
    #[arg(long, value_name = "DAYS", value_parser = number_or("never"))]
    pub retention_days: Option<Limit>,
    /// Only of this table; without it, of all tables that have no retention of their own
    #[arg(long, value_name = "TABLE", requires = "retention_days")]
    pub table: Option<String>,
    /// Take no more than so many megabytes (10^6 bytes) of billed records a day (UTC), or `none`; agents keep the rest
    /// until the next day
    #[arg(long, value_name = "MB", value_parser = number_or("none"))]
    pub daily_cap_mb: Option<Limit>,
    #[command(flatten)]
    pub format: JsonArg,
}

/// A number, or that there is no limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limit(pub Option<u64>);

/// Reads a number from 1, or the word for no limit.
fn number_or(word: &'static str) -> impl Fn(&str) -> Result<Limit, String> + Clone {
    move |text| match text.parse() {
        Ok(number) if number > 0 => Ok(Limit(Some(number))),
        _ if text == word => Ok(Limit(None)),
        _ => Err(format!("use a whole number from 1, or {word}")),
    }
}

/// Options of `workspace create`.
#[derive(Args)]
pub struct WorkspaceCreateArgs {
    /// The name
    pub name: String,
    /// Where its machines are, in words
    #[arg(long, value_name = "PLACE")]
    pub location: Option<String>,
    /// The subscription it belongs to
    #[arg(long, value_name = "NAME")]
    pub subscription: Option<String>,
    #[command(flatten)]
    pub format: JsonArg,
}

/// What can be done with API tokens.
#[derive(Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it; it is shown this one time
    #[command(after_help = TOKEN_EXAMPLES)]
    Create(TokenCreateArgs),
    /// Show the tokens: names, roles and ends, never what opens anything
    #[command(after_help = "Examples:\n  steadfast token list\n  steadfast token list --json")]
    List(JsonArg),
    /// Delete a token; who uses it is refused from now on, and its open streams end
    #[command(after_help = "Examples:\n  steadfast token delete ci")]
    Delete(TokenDeleteArgs),
}

/// Options of `token create`.
#[derive(Args)]
pub struct TokenCreateArgs {
    /// The token's name, by which it is listed and deleted
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// What it may do
    #[arg(long, value_enum, default_value_t = RoleChoice::Reader, value_name = "ROLE")]
    pub role: RoleChoice,
    /// The workspace that it is for, by name or id; every workspace by default
    #[arg(long, value_name = "W")]
    pub scope: Option<String>,
    /// How long it is good: 30m, 12h, 1d, 30d; for ever by default
    #[arg(long, value_name = "TIME", value_parser = at_least_a_second)]
    pub expires_in: Option<Duration>,
    #[command(flatten)]
    pub format: JsonArg,
}

/// What the holder of a token may do.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum RoleChoice {
    /// Everything
    Owner,
    /// See everything but secrets and the text of files, and change nothing
    Reader,
    /// Send records, and see nothing
    MetricsPublisher,
}

impl RoleChoice {
    /// The API's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Reader => "reader",
            Self::MetricsPublisher => "metrics-publisher",
        }
    }
}

/// Options of `token delete`.
#[derive(Args)]
pub struct TokenDeleteArgs {
    /// The token's name
    pub name: String,
    #[command(flatten)]
    pub format: JsonArg,
}

/// Options of `workspace delete`.
#[derive(Args)]
pub struct WorkspaceDeleteArgs {
    /// The workspace's name
    pub name: String,
    /// Do not ask for the name once more; needed where nobody is at a terminal to type it
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub format: JsonArg,
}

/// The workspace where none is named.
pub const DEFAULT_WORKSPACE: &str = "default";
const UP_EXAMPLES: &str = "Examples:\n  steadfast up\n  steadfast up --data-dir ./trial --scan-interval 5s";
const STORAGE_EXAMPLES: &str = "Examples:\n  \
    steadfast workspace storage\n  \
    steadfast workspace storage --retention-days 90\n  \
    steadfast workspace storage --table Heartbeat --retention-days 30\n  \
    steadfast workspace storage --daily-cap-mb 500";
const QUERY_EXAMPLES: &str = "Examples:\n  \
    steadfast query --timespan P1D 'ConfigurationChange | summarize count() by Computer'\n  \
    steadfast query -o csv --file report.csv - < report.kql\n  \
    steadfast query -o parquet --file changes.parquet ConfigurationChange";
const DIFF_EXAMPLES: &str = "Examples:\n  \
    steadfast diff 6f1b0c52a8d94e07b3a1c2d3e4f50617\n  \
    steadfast diff \"$(steadfast changes --since 1h --json | tail -n 1 | jq -r .id)\" --json";
const TOKEN_EXAMPLES: &str = "Examples:\n  \
    steadfast token create --name ci --role reader --expires-in 30d\n  \
    steadfast token create --name deploy --role owner --scope production --json\n  \
    steadfast token create --name shipper --role metrics-publisher --scope production\n  \
    STEADFAST_TOKEN=\"$(steadfast token create --name now --expires-in 1h)\" steadfast changes\n  \
    steadfast token delete ci";
const RULE_EXAMPLES: &str = "Examples:\n  \
    steadfast rule add --name web --path '/srv/www/**' --exclude '*.log'\n  \
    steadfast rule list --custom\n  \
    steadfast rule disable web";
const FIM_EXAMPLES: &str = "Examples:\n  \
    steadfast fim status\n  \
    steadfast fim collect --files 15m --daemons 1m";
const MACHINE_EXAMPLES: &str = "Examples:\n  \
    steadfast machine list\n  \
    steadfast machine enroll-token --expires-in 30m";
const ENROLL_EXAMPLES: &str = "Examples:\n  \
    steadfast machine enroll-token --expires-in 30m\n  \
    steadfast machine enroll-token --replace web-7 --json";
const WORKSPACE_EXAMPLES: &str = "Examples:\n  \
    steadfast workspace list\n  \
    steadfast workspace create production --location Geneva";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn what_up_cannot_work_with_is_told_with_its_option_and_what_to_write() {
        for (option, typed, said) in [
            (
                "--listen",
                "localhost:8443",
                "'localhost:8443' for '--listen <ADDRESS>': write an IP address and a port",
            ),
            ("--listen", "18777", "'18777' for '--listen <ADDRESS>': write an IP address and a port"),
            ("--page", "8080", "such as 127.0.0.1:8443"),
            ("--scan-interval", "400d", "'400d' for '--scan-interval <TIME>': write a time from 1s to 7d"),
            ("--scan-interval", "0s", "'0s' for '--scan-interval <TIME>': write a time from 1s to 7d"),
        ] {
            let error = Arguments::try_parse_from(["steadfast", "up", option, typed]).err();
            let told = error.map(|error| error.to_string()).unwrap_or_default();
            assert!(told.contains(said), "{told}");
        }
        let line =
            ["steadfast", "up", "--listen", "[::1]:0", "--page", "127.0.0.1:0", "--scan-interval", "7d"];
        assert!(Arguments::try_parse_from(line).is_ok());
    }

    #[test]
    fn every_command_has_examples() {
        fn check(command: &clap::Command) {
            for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
                let help = inner.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.starts_with("Examples:"), "`{}` has no examples", inner.get_name());
                check(inner);
            }
        }
        check(&Arguments::command());
    }
}
