//! What may keep a sensor from doing its work: checks for a person who wonders.

use std::io;
use std::path::Path;
use std::sync::Arc;

use fim_core::error_chain;
use fim_scan::{FileTree, WatcherChoice};
use serde::Serialize;

use crate::client::{CallError, ServerClient};
use crate::identity::{DataDir, Identity, IdentityError, days_left, expiry_advice};
use crate::preview::preview;
use crate::settings::{RulesHere, Settings};
use crate::status::Status;
use crate::time::{now, rfc3339};

/// One thing that was checked.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Check {
    /// What was checked.
    pub name: &'static str,
    /// How it is.
    pub outcome: Outcome,
    /// What was found, and what to do about it.
    pub detail: String,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// All is well.
    Good,
    /// It works, but somebody should know.
    Warning,
    /// It does not work.
    Bad,
}

/// Where settings came from.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SettingsSource {
    /// The server gave them just now.
    Server,
    /// They were kept when the server gave them last.
    Kept,
}

/// Who may read a directory, as a system tells it.
#[derive(Clone, Copy, Debug)]
pub struct Privacy {
    /// True if nobody but those who run the agent may read what is there.
    pub is_private: fn(&Path) -> io::Result<bool>,
    /// The command that makes it so, with `{}` for the directory.
    pub fix: &'static str,
}

/// Checks whether a sensor runs with this data directory, and everything that it needs. `choice` is what can notice changes
/// in real time.
pub fn diagnose<T: FileTree>(
    dir: &DataDir,
    tree: Arc<T>,
    choice: &WatcherChoice,
    privacy: Privacy,
) -> Vec<Check> {
    let is_running = dir.is_in_use();
    let mut checks = Vec::new();
    match dir.identity() {
        // One that is not enrolled cannot run, and its own check says what to do.
        Err(error) => checks.extend([check_rights(dir, privacy), bad("identity", error_chain(&error))]),
        Ok(identity) => {
            checks.extend([check_running(dir, is_running), check_rights(dir, privacy)]);
            let enrolled = format!("enrolled with {} as {}", identity.server, identity.machine_id);
            checks.push(good("identity", enrolled));
            checks.push(check_certificate(dir, &identity));
            checks.extend(check_server(&identity));
        }
    }
    checks.push(check_rules(dir, tree));
    let told = if is_running { Status::kept(dir) } else { None };
    checks.push(told.map_or_else(|| would_notice(choice), |status| notices(&status)));
    checks
}

/// The settings that a sensor would work by: the server's, or those that were kept if the server cannot be asked,
/// with the reason.
pub fn current_settings(
    dir: &DataDir,
) -> Result<(Settings, SettingsSource, Option<CallError>), IdentityError> {
    let identity = dir.identity()?;
    let asked = ServerClient::of(&identity).and_then(|client| client.settings(None, None));
    let error = match asked {
        Ok(Some(settings)) => return Ok((settings, SettingsSource::Server, None)),
        Ok(None) => None,
        Err(error) => Some(error),
    };
    match Settings::load(dir) {
        Some(settings) => Ok((settings, SettingsSource::Kept, error)),
        None => Err(IdentityError::NoSettings {
            why: error.map_or_else(String::new, |error| error_chain(&error)),
        }),
    }
}

fn check_running(dir: &DataDir, is_running: bool) -> Check {
    const NAME: &str = "running";
    if is_running {
        return good(NAME, "the agent is running".to_owned());
    }
    let path = dir.path().display();
    let how = format!("start it with its service, or with `steadfast-agent run --data-dir {path}`");
    bad(NAME, format!("the agent is not running: {how}"))
}

fn check_rights(dir: &DataDir, privacy: Privacy) -> Check {
    const NAME: &str = "data directory";
    let path = dir.path();
    match (privacy.is_private)(path) {
        Ok(true) => good(NAME, format!("{} is readable by those alone who run the agent", path.display())),
        Ok(false) => {
            let (path, fix) = (path.display(), privacy.fix.replace("{}", &path.display().to_string()));
            bad(NAME, format!("{path} is open to others, and it holds a private key; run `{fix}`"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let path = path.display();
            bad(
                NAME,
                format!("there is no {path}: `steadfast-agent enroll` makes it, --data-dir names another"),
            )
        }
        Err(error) => {
            let path = path.display();
            bad(NAME, format!("cannot look at {path} ({error}): ask as the user that runs the agent"))
        }
    }
}

fn check_certificate(dir: &DataDir, identity: &Identity) -> Check {
    const NAME: &str = "certificate";
    let expiry = match identity.certificate_expiry(dir) {
        Ok(expiry) => expiry,
        Err(error) => return bad(NAME, error_chain(&error)),
    };
    if let Some(advice) = expiry_advice(expiry, &identity.server) {
        return bad(NAME, advice);
    }
    let days = days_left(expiry, now());
    let detail = format!("valid until {}, {days} days", rfc3339(expiry));
    if days < 14 {
        warning(NAME, format!("{detail}; enrol this machine again before"))
    } else {
        good(NAME, detail)
    }
}

fn check_server(identity: &Identity) -> Vec<Check> {
    let client = match ServerClient::of(identity) {
        Ok(client) => client,
        Err(error) => return vec![bad("server", error_chain(&error))],
    };
    let server = match client.settings(None, None) {
        Ok(_) => good("server", format!("{} answers and knows this machine", identity.server)),
        Err(error) => bad("server", error_chain(&error)),
    };
    let clock = match client.clock_ahead_seconds() {
        Ok(Some(ahead)) if ahead.abs() > MOST_SKEW_SECONDS => {
            let way = if ahead > 0 { "ahead of" } else { "behind" };
            let seconds = ahead.abs();
            warning(
                "clock",
                format!("the server's clock is {seconds} s {way} this machine's; set the clocks"),
            )
        }
        Ok(Some(_)) => good("clock", format!("agrees with the server's to {MOST_SKEW_SECONDS} s")),
        Ok(None) => warning("clock", "the server does not tell the time".to_owned()),
        Err(_) => warning("clock", "cannot be compared without the server".to_owned()),
    };
    vec![server, clock]
}

fn check_rules<T: FileTree>(dir: &DataDir, tree: Arc<T>) -> Check {
    const NAME: &str = "rules";
    let (settings, _, _) = match current_settings(dir) {
        Ok(settings) => settings,
        // Why stands at the check before.
        Err(IdentityError::NoSettings { .. }) => {
            return warning(NAME, "not known: the server gave none yet, and none were kept".to_owned());
        }
        Err(_) => return warning(NAME, "not known without an identity".to_owned()),
    };
    if !settings.fim_enabled {
        return warning(NAME, "file integrity monitoring is disabled in this workspace".to_owned());
    }
    let RulesHere { rules, warnings, .. } =
        settings.rules_here(tree.style(), &|name| std::env::var(name).ok());
    let seen = preview(tree, &rules, Arc::default());
    let entities: u64 = seen.rules.iter().map(|rule| rule.entities).sum();
    let summary = format!("{} rules in force, {entities} entities", seen.rules.len());
    if let Some(first) = seen.unreadable.first() {
        let count = seen.unreadable_count;
        warning(
            NAME,
            format!("{summary}; {count} places cannot be read, the first is {} ({})", first.path, first.why),
        )
    } else if let Some(first) = warnings.first() {
        warning(NAME, format!("{summary}; {first}"))
    } else {
        good(NAME, format!("{summary}, all readable by whoever asks this"))
    }
}

/// How changes are noticed by the sensor that runs, which may have other rights than whoever asks.
fn notices(status: &Status) -> Check {
    let refused = status.real_time_error.iter().chain(&status.refused_providers).cloned().collect();
    let provider = Some((status.provider.as_str(), status.tells_who));
    real_time(provider.filter(|(name, _)| *name != "scan"), "notices", refused)
}

/// How a sensor would notice changes that has the rights of whoever asks.
fn would_notice(choice: &WatcherChoice) -> Check {
    let refused = choice.refused.iter().map(|refused| format!("{}: {}", refused.provider, refused.why));
    let provider = choice.watcher.as_ref().map(|watcher| (watcher.provider(), watcher.tells_who()));
    real_time(provider, "would notice", refused.collect())
}

/// What is to be said of the provider, by its name and whether it tells who.
fn real_time(provider: Option<(&str, bool)>, notices: &str, refused: Vec<String>) -> Check {
    const NAME: &str = "real time";
    let reasons = refused.join("; ");
    match provider {
        None if refused.is_empty() => warning(NAME, "changes are found by scans only".to_owned()),
        None => warning(NAME, format!("changes are found by scans only; {reasons}")),
        Some((provider, true)) if refused.is_empty() => {
            good(NAME, format!("{provider} {notices} changes and who makes them"))
        }
        Some((provider, false)) if refused.is_empty() => {
            good(NAME, format!("{provider} {notices} changes, without who makes them"))
        }
        Some((provider, _)) => {
            let what = format!("{provider} {notices} changes, and something better cannot be used");
            warning(NAME, format!("{what}; {reasons}"))
        }
    }
}

fn good(name: &'static str, detail: String) -> Check {
    Check { name, outcome: Outcome::Good, detail }
}

fn warning(name: &'static str, detail: String) -> Check {
    Check { name, outcome: Outcome::Warning, detail }
}

fn bad(name: &'static str, detail: String) -> Check {
    Check { name, outcome: Outcome::Bad, detail }
}

/// How far the clocks may be apart before a person should look.
const MOST_SKEW_SECONDS: i64 = 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_makes_changes_is_promised_only_of_what_tells_it() {
        let told = |provider: &str, tells_who| {
            let check = notices(&Status { provider: provider.to_owned(), tells_who, ..Status::default() });
            (check.outcome, check.detail)
        };
        for (provider, tells_who, outcome, detail) in [
            ("fanotify", true, Outcome::Good, "fanotify notices changes and who makes them"),
            ("inotify", false, Outcome::Good, "inotify notices changes, without who makes them"),
            ("scan", true, Outcome::Warning, "changes are found by scans only"),
        ] {
            assert_eq!(told(provider, tells_who), (outcome, detail.to_owned()));
        }
    }
}
