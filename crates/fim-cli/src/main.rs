//! The program steadfast: server, command line client, everything on one machine.
//!
//! Data goes to standard output, talk to standard error.

#![warn(clippy::print_stdout, reason = "what reads it may be gone: `out` knows what to do then")]

mod address;
mod args;
mod client;
mod commands;
mod failure;
mod out;
mod problem;
mod profile;
mod table;
mod variables;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;

use crate::address::Address;
use crate::args::{Arguments, Command, ConnectionArgs};
use crate::client::{Client, WHICH_CA, certificates};
use crate::failure::Failure;
use crate::profile::{Profile, Profiles};
use crate::variables::variable;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return wrong_usage(&error),
    };
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("steadfast: {}", table::plain_lines(&table::cut_long(&failure.to_string())));
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let connect = || connect(&arguments.connection);
    match &arguments.command {
        Command::Up(args) => commands::up::run(args),
        Command::Server(args) => commands::server::run(args),
        Command::Query(args) => commands::query::run(&connect()?, args),
        Command::Changes(args) => commands::changes::run(&connect()?, args),
        Command::Diff(args) => commands::diff::run(&connect()?, args),
        Command::Rule(command) => commands::rule::run(&connect()?, command),
        Command::Fim(command) => commands::fim::run(&connect()?, command),
        Command::Machine(command) => commands::machine::run(&connect()?, command),
        Command::Workspace(command) => commands::workspace::run(&connect()?, command),
        Command::SignIn(format) => commands::sign_in::run(&connect()?, format),
        Command::Token(command) => commands::token::run(&connect()?, command),
    }
}

/// A client of the server that the options name, else the profile.
fn connect(options: &ConnectionArgs) -> Result<Client, Failure> {
    // A token is for one server: it must never travel to another that an option names.
    let named = options.server.as_deref().filter(|server| !server.is_empty()).map(Address::parse);
    let named = named.transpose().map_err(Failure::Usage)?;
    let saved = Profiles::read(&profile::home()?)?.and_then(|saved| saved.of(named.as_ref()));
    let token = token(variable("STEADFAST_TOKEN"), saved.as_ref())?;
    let server =
        named.map(|server| server.to_string()).or_else(|| saved.as_ref().map(|saved| saved.server.clone()));
    let ca_pem = match options.ca.as_deref().filter(|path| !path.as_os_str().is_empty()) {
        Some(path) => Some(read_ca(path)?),
        None => saved.and_then(|saved| saved.ca_pem),
    };
    let Some(server) = server else {
        return Err(Failure::Usage(
            "no server is known; run 'steadfast up' on this machine, or give --server and STEADFAST_TOKEN"
                .into(),
        ));
    };
    if token.is_none() || ca_pem.is_none() {
        client::reach(&server)?;
    }
    let Some(token) = token else {
        return Err(Failure::Usage(format!(
            "no token for {server} is known; set STEADFAST_TOKEN to one that `steadfast token create` made on its machine"
        )));
    };
    Client::new(Profile { server, ca_pem, token })
}

/// The token that the variable names, else the profile's. What no header can carry was never one of ours; it is not
/// repeated, since most of it may be a token.
fn token(named: Option<OsString>, saved: Option<&Profile>) -> Result<Option<String>, Failure> {
    let usable = |text: &str| {
        let token = text.trim();
        let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        is_token.then(|| token.to_owned())
    };
    match (named, saved) {
        (Some(named), _) => named.to_str().and_then(usable).map(Some).ok_or_else(|| {
            Failure::Usage(
                "STEADFAST_TOKEN is no token: it is empty or has characters that no token has; set it to what \
                 `steadfast token create` printed"
                    .into(),
            )
        }),
        (None, Some(saved)) => usable(&saved.token).map(Some).ok_or_else(|| {
            Failure::Local(format!(
                "the profile's token for {} is damaged; run 'steadfast up' again on its machine, or set STEADFAST_TOKEN",
                saved.server
            ))
        }),
        (None, None) => Ok(None),
    }
}

/// The certificate in a file that an option names.
fn read_ca(path: &Path) -> Result<String, Failure> {
    let file = path.display();
    let pem = std::fs::read_to_string(path)
        .map_err(|error| {
            Failure::Local(format!(
                "cannot read {file}, which --ca or STEADFAST_CA names: {error}; name the server's CA certificate: \
                 {WHICH_CA}"
            ))
        })?;
    match certificates(&pem) {
        Ok(_) => Ok(pem),
        Err(why) => Err(Failure::Local(format!(
            "{file} holds no certificate in PEM form ({why}); name the server's CA certificate: {WHICH_CA}"
        ))),
    }
}

/// Says what is wrong with the arguments, or what was asked for with `--help`. What was typed may be long.
fn wrong_usage(error: &clap::Error) -> ExitCode {
    let said = error.to_string();
    let cut = table::cut_long(&said);
    if cut == said {
        error.exit();
    }
    eprint!("{cut}");
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn a_token_that_cannot_be_sent_is_refused_where_it_was_read_and_not_repeated() {
        let saved =
            |token: &str| Profile { server: "https://a".into(), ca_pem: None, token: token.to_owned() };
        let named = |token: &str| Some(OsString::from(token));
        assert_eq!(token(named(" stf_abc\r\n"), None).unwrap().as_deref(), Some("stf_abc"));
        assert_eq!(token(None, Some(&saved("stf_abc\n"))).unwrap().as_deref(), Some("stf_abc"));
        assert_eq!(token(None, None).unwrap(), None);
        let refused = |named, saved: Option<Profile>| {
            let failure = token(named, saved.as_ref()).unwrap_err();
            let said = failure.to_string();
            assert!(!said.contains("stf_") && !said.contains("header"), "{said}");
            (failure.exit_code(), said.contains("STEADFAST_TOKEN"), said.contains("profile"))
        };
        for bad in ["stf_\u{fc}", "stf_a b", "stf_a\rb", "stf_\u{1b}", " "] {
            assert_eq!(refused(named(bad), Some(saved("stf_good"))), (2, true, false), "{bad:?}");
            assert_eq!(refused(None, Some(saved(bad))), (5, true, true), "{bad:?}");
        }
        assert_eq!(refused(Some(OsString::from_vec(vec![b's', 0xff])), None), (2, true, false));
    }
}
