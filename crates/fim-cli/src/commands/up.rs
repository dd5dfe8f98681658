//! `steadfast up`: server, page and agent on one machine.

mod agent;
mod progress;

use std::path::{Path, PathBuf};

use serde_json::json;

use super::server::{LOOK_EVERY, Serving, StopSignal, stop_signal};
use crate::args::{UpArgs, as_typed};
use crate::failure::Failure;
use crate::out;
use crate::profile::Profile;

/// Starts everything, tells where it is, and goes on until it is told to stop.
pub fn run(args: &UpArgs) -> Result<(), Failure> {
    if !args.page.ip().is_loopback() {
        return Err(Failure::Usage(format!(
            "--page {} is not a loopback address; without TLS the page is for this machine only, others use --listen",
            args.page
        )));
    }
    super::server::log_to_stderr();
    fim_os::raise_open_files();
    let data_dir = args.data_dir.clone().map_or_else(default_data_dir, Ok)?;
    let runtime = super::server::runtime()?;
    let mut config = fim_server::ServerConfig::default();
    config.data_dir.clone_from(&data_dir);
    config.listen = args.listen;
    config.browser_listen = Some(args.page);
    config.names_of_options =
        fim_server::OptionNames { data_dir: "--data-dir", listen: "--listen", browser_listen: "--page" };
    config.scan_interval_seconds = args.scan_interval.map(|interval| interval.as_secs());
    let signal = stop_signal(&runtime)?;
    let serving = Serving::start(&runtime, config)?;
    let outcome = serve(args, &data_dir, &serving, signal);
    let stopped = serving.stop();
    outcome.and(stopped)
}

/// Everything between the server's start and its stop.
fn serve(args: &UpArgs, data_dir: &Path, serving: &Serving<'_>, signal: StopSignal) -> Result<(), Failure> {
    let profile = serving.write_profile()?;
    let agent = if args.no_agent {
        None
    } else {
        Some(agent::start(&data_dir.join("agent"), &profile, serving.ca_fingerprint())?)
    };
    if args.json {
        print_ready(data_dir, &profile, serving)?;
    }
    if let Some(agent) = &agent {
        progress::show_first_baseline(agent, &data_dir.join("agent"), &signal);
    }
    // Whoever was told to stop meanwhile, or failed, is not running.
    let goes_on = !signal.is_given() && agent.as_ref().is_none_or(|agent| agent.failure().is_none());
    if !args.json && goes_on {
        let interval = agent.as_ref().map(|agent| agent.status().scan_interval_seconds);
        announce(data_dir, &profile, serving, interval)?;
    }
    let failure = wait(serving, agent.as_ref(), &signal);
    if let Some(agent) = agent {
        eprintln!("stopping; the agent ends its work first");
        agent.stop().map_err(|error| Failure::Local(error.to_string()))?;
    }
    failure
}

/// Waits for the signal, or for a part of the server or the agent that ended though nobody told it to.
fn wait(
    serving: &Serving<'_>,
    agent: Option<&fim_sensor::RunningSensor>,
    signal: &StopSignal,
) -> Result<(), Failure> {
    loop {
        if signal.wait(LOOK_EVERY) {
            return Ok(());
        }
        serving.check()?;
        if let Some(failed) = agent.and_then(fim_sensor::RunningSensor::failure) {
            return Err(Failure::Local(failed.to_string()));
        }
    }
}

/// Tells a program where everything is, as soon as it is there: the baseline may take long.
fn print_ready(data_dir: &Path, profile: &Profile, serving: &Serving<'_>) -> Result<(), Failure> {
    let page = page(serving);
    let ready = json!({
        "server": profile.server,
        "page": page,
        "signIn": sign_in(&page, serving)?,
        "caFingerprint": serving.ca_fingerprint(),
        "dataDir": data_dir,
    });
    out::line(&ready);
    Ok(())
}

/// Tells a person where the page is and how to sign in: last, so that it is what is left to see.
fn announce(
    data_dir: &Path,
    profile: &Profile,
    serving: &Serving<'_>,
    scan_interval_seconds: Option<u64>,
) -> Result<(), Failure> {
    let page = page(serving);
    eprintln!();
    eprintln!("Steadfast is running.");
    eprintln!("  Page         {page}");
    eprintln!("  Sign in      {}   (works once, for 10 minutes)", sign_in(&page, serving)?);
    eprintln!("               `steadfast sign-in` prints a new one");
    eprintln!("               later as `admin`, with the password that you set there");
    eprintln!("  API, agents  {}", profile.server);
    eprintln!("  CA SHA-256   {}", serving.ca_fingerprint());
    eprintln!("  Data         {}", data_dir.display());
    if let Some(seconds) = scan_interval_seconds.filter(|seconds| *seconds > 0) {
        let interval = as_typed(seconds);
        let other = another_interval(seconds);
        eprintln!(
            "  Scans        every {interval}; `steadfast fim collect --files {other}` sets another time"
        );
    }
    eprintln!("Stop it with Ctrl-C. In another terminal: steadfast changes --follow");
    eprintln!();
    Ok(())
}

fn page(serving: &Serving<'_>) -> String {
    serving.page_address().map_or_else(String::new, |address| format!("http://{address}"))
}

fn sign_in(page: &str, serving: &Serving<'_>) -> Result<String, Failure> {
    Ok(format!("{page}{}", serving.new_sign_in_link()?.path))
}

/// An interval to propose to whoever has this one.
fn another_interval(seconds: u64) -> &'static str {
    if seconds == 900 { "1h" } else { "15m" }
}

fn default_data_dir() -> Result<PathBuf, Failure> {
    if rustix::process::geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/steadfast"));
    }
    std::env::home_dir()
        .map(|home| home.join(".local/share/steadfast"))
        .ok_or_else(|| Failure::Usage("no home directory is known; give --data-dir".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_interval_is_proposed_than_there_is() {
        assert_eq!(
            (another_interval(900), another_interval(3600), another_interval(1)),
            ("1h", "15m", "15m")
        );
    }
}
