//! The program steadfast: server, command line client, everything on one machine.
//!
//! Data goes to standard output, talk to standard error.

#![warn(clippy::print_stdout, reason = "what reads it may be gone: `out` knows what to do then")]

mod args;
mod client;
mod commands;
mod failure;
mod out;
mod problem;
mod profile;
mod table;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Arguments, Command, ConnectionArgs};
use crate::client::Client;
use crate::failure::Failure;
use crate::profile::{Profile, Profiles};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("steadfast: {}", table::plain_lines(&failure.to_string()));
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
    let saved = Profiles::read(&profile::home()?)?.and_then(|saved| saved.of(options.server.as_deref()));
    let token =
        std::env::var("STEADFAST_TOKEN").ok().or_else(|| saved.as_ref().map(|saved| saved.token.clone()));
    let server = options.server.clone().or_else(|| saved.as_ref().map(|saved| saved.server.clone()));
    let ca_pem = match &options.ca {
        Some(path) => Some(
            std::fs::read_to_string(path)
                .map_err(|error| Failure::Local(format!("cannot read {}: {error}", path.display())))?,
        ),
        None => saved.and_then(|saved| saved.ca_pem),
    };
    let Some(server) = server else {
        return Err(Failure::Usage(
            "no server is known; run 'steadfast up' on this machine, or give --server and STEADFAST_TOKEN"
                .into(),
        ));
    };
    let Some(token) = token else {
        return Err(Failure::Usage(format!("no token for {server} is known; set STEADFAST_TOKEN")));
    };
    Client::new(Profile { server, ca_pem, token })
}
