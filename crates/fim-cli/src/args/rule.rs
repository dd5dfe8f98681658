//! What can be typed after `steadfast rule`.

use clap::{Args, Subcommand, ValueEnum};

use super::{JsonArg, WorkspaceArg};

/// What can be done with rules.
#[derive(Subcommand)]
pub enum RuleCommand {
    /// Monitor more
    #[command(after_help = RULE_ADD_EXAMPLES)]
    Add(RuleAddArgs),
    /// Show the rules: one's own first, then the recommended items
    #[command(after_help = RULE_LIST_EXAMPLES)]
    List(RuleListArgs),
    /// Change a rule; what is not given stays as it is
    #[command(
        after_help = RULE_EDIT_EXAMPLES,
        mut_arg("exclude", |arg| arg.help("What is left out from now on, and nothing else; may be given more than once")),
        mut_arg("recurse", |arg| arg.help("Whether everything below a folder that matches is monitored as well")),
        mut_arg("upload_content", |arg| arg.help("Whether the text of the files is stored before and after a change")),
        mut_arg("links", |arg| arg.help("What happens at symbolic links from now on")),
        mut_arg("path_type", |arg| arg.help("What the path may lead to from now on"))
    )]
    Edit(RuleEditArgs),
    /// Put a rule in force
    #[command(after_help = "Examples:\n  steadfast rule enable web")]
    Enable(RuleNameArgs),
    /// Keep a rule but do not work by it
    #[command(after_help = "Examples:\n  steadfast rule disable web")]
    Disable(RuleNameArgs),
    /// Remove a rule; `steadfast fim enable` puts recommended items back, so disable those that are not wanted
    #[command(after_help = "Examples:\n  steadfast rule delete web -w production")]
    Delete(RuleNameArgs),
}

/// Options of `rule add`.
#[derive(Args)]
pub struct RuleAddArgs {
    #[command(flatten)]
    pub workspace: WorkspaceArg,
    /// What the rule monitors
    #[arg(long = "type", value_enum, default_value_t = RuleType::LinuxFile, value_name = "TYPE")]
    pub rule_type: RuleType,
    /// The rule's name
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// Where it is: a folder stands for itself and what is directly in it; *, ?, [..] and ** stand for more than one. In
    /// the registry, HKLM\\KEY or HKLM\\KEY:VALUE
    #[arg(long, value_name = "PATTERN")]
    pub path: String,
    /// The group it is shown in
    #[arg(long, value_name = "GROUP")]
    pub group: Option<String>,
    #[command(flatten)]
    pub settings: RuleSettings,
    #[command(flatten)]
    pub format: JsonArg,
}

/// The settings of a rule that `add` and `edit` share.
#[derive(Args)]
pub struct RuleSettings {
    /// What is left out; may be given more than once
    #[arg(long, value_name = "PATTERN")]
    pub exclude: Vec<String>,
    /// Also everything below a folder that matches; a new rule does not, unless told
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub recurse: Option<bool>,
    /// Also store the text of the files before and after a change, up to 5 MB each, to be shown by `steadfast diff`; secrets
    /// in known formats are masked on the machine. A new rule does not, unless told
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub upload_content: Option<bool>,
    /// What happens at symbolic links; a new rule follows them, unless told
    #[arg(long, value_enum, value_name = "WAY")]
    pub links: Option<LinksChoice>,
    /// What the path may lead to; a new rule takes anything, unless told
    #[arg(long, value_enum, value_name = "KIND")]
    pub path_type: Option<PathTypeChoice>,
}

/// What a rule monitors.
#[derive(Clone, Copy, ValueEnum)]
pub enum RuleType {
    /// Files and folders of Linux machines
    LinuxFile,
    /// Files and folders of Windows machines
    WindowsFile,
    /// Keys and values of the registry of Windows machines
    Registry,
}

impl RuleType {
    /// The API's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::LinuxFile => "linux-file",
            Self::WindowsFile => "windows-file",
            Self::Registry => "registry",
        }
    }
}

/// What happens at symbolic links.
#[derive(Clone, Copy, ValueEnum)]
pub enum LinksChoice {
    /// Monitor what the link points to as well
    Follow,
    /// Leave links out
    Ignore,
    /// Monitor the link itself only
    Manage,
}

impl LinksChoice {
    /// The API's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Follow => "follow",
            Self::Ignore => "ignore",
            Self::Manage => "manage",
        }
    }
}

/// What a rule's path may lead to.
#[derive(Clone, Copy, ValueEnum)]
pub enum PathTypeChoice {
    /// Anything but folders
    File,
    /// Folders, and what they contain
    Folder,
    /// Whatever is there
    Any,
}

impl PathTypeChoice {
    /// The API's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Folder => "folder",
            Self::Any => "any",
        }
    }
}

/// Options of `rule list`.
#[derive(Args)]
pub struct RuleListArgs {
    #[command(flatten)]
    pub workspace: WorkspaceArg,
    /// Only rules of this type
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    pub rule_type: Option<RuleType>,
    /// Only rules in force
    #[arg(long, conflicts_with = "disabled")]
    pub enabled: bool,
    /// Only rules that are not in force
    #[arg(long)]
    pub disabled: bool,
    /// Only one's own rules
    #[arg(long, conflicts_with = "recommended")]
    pub custom: bool,
    /// Only recommended items
    #[arg(long)]
    pub recommended: bool,
    #[command(flatten)]
    pub format: JsonArg,
}

/// Options of `rule edit`.
#[derive(Args)]
pub struct RuleEditArgs {
    #[command(flatten)]
    pub workspace: WorkspaceArg,
    /// The rule's name
    pub name: String,
    /// Another path
    #[arg(long, value_name = "PATTERN")]
    pub path: Option<String>,
    /// Another group
    #[arg(long, value_name = "GROUP")]
    pub group: Option<String>,
    /// Another name
    #[arg(long, value_name = "NAME")]
    pub rename: Option<String>,
    /// Leave nothing out any more
    #[arg(long, conflicts_with = "exclude")]
    pub no_exclude: bool,
    #[command(flatten)]
    pub settings: RuleSettings,
    #[command(flatten)]
    pub format: JsonArg,
}

/// One rule.
#[derive(Args)]
pub struct RuleNameArgs {
    #[command(flatten)]
    pub workspace: WorkspaceArg,
    /// The rule's name
    pub name: String,
    #[command(flatten)]
    pub format: JsonArg,
}

const RULE_ADD_EXAMPLES: &str = "Examples:\n  \
    steadfast rule add --name web --path '/srv/www/**' --exclude '*.log'\n  \
    steadfast rule add --name keys --path '/home/*/.ssh' --recurse --links ignore -w production\n  \
    steadfast rule add --name ssh --path '/etc/ssh/*_config' --upload-content\n  \
    steadfast rule add --type windows-file --name hosts --path '%SystemRoot%\\System32\\drivers\\etc\\*'\n  \
    steadfast rule add --type registry --name netlogon --path 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\Netlogon\\Parameters'";
const RULE_LIST_EXAMPLES: &str = "Examples:\n  \
    steadfast rule list --custom\n  \
    steadfast rule list --type registry --disabled\n  \
    steadfast rule list --json | jq -r '.[].path'";
const RULE_EDIT_EXAMPLES: &str = "Examples:\n  \
    steadfast rule edit web --exclude '*.log' --exclude cache\n  \
    steadfast rule edit web --rename site --recurse false";
