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
    let token = match variable("STEADFAST_TOKEN") {
        Some(token) => Some(
            token.into_string().map_err(|_| Failure::Usage("STEADFAST_TOKEN is no token of ours".into()))?,
        ),
        None => saved.as_ref().map(|saved| saved.token.clone()),
    };
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

/// The certificate in a file that an option names.
fn read_ca(path: &Path) -> Result<String, Failure> {
    let file = path.display();
    let pem = std::fs::read_to_string(path)
        .map_err(|error| Failure::Local(format!("cannot read {file}: {error}")))?;
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
