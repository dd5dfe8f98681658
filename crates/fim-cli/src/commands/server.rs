//! `steadfast server`: the server alone; and what `up` shares with it.

use std::convert::Infallible;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use fim_server::api::SignInLink;
use fim_server::{RunningServer, Server, ServerConfig};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::args::ServerArgs;
use crate::failure::Failure;
use crate::profile::{self, Profile, Profiles};

/// Runs the server until it is told to stop.
pub fn run(args: &ServerArgs) -> Result<(), Failure> {
    log_to_stderr();
    fim_os::raise_open_files();
    let config = ServerConfig::read(&args.config).map_err(|error| local(&error))?;
    let runtime = runtime()?;
    let signal = stop_signal(&runtime)?;
    let serving = Serving::start(&runtime, config)?;
    eprintln!("listening on https://{}, CA SHA-256 {}", serving.address(), serving.ca_fingerprint());
    let served = welcome(&serving).and_then(|()| wait(&serving, &signal));
    let stopped = serving.stop();
    served.and(stopped)
}

/// Waits for the signal, or for a part of the server that ended though nobody told it to.
fn wait(serving: &Serving<'_>, signal: &StopSignal) -> Result<(), Failure> {
    while !signal.wait(LOOK_EVERY) {
        serving.check()?;
    }
    Ok(())
}

/// Makes the first way in: commands on this machine find the server, and nobody has to have a password to sign in.
fn welcome(serving: &Serving<'_>) -> Result<(), Failure> {
    if serving.awaits_first_sign_in()? {
        let link = serving.new_sign_in_link()?.path;
        eprintln!("sign in as `admin` with {}{link}   (works once, for 10 minutes),", serving.page());
        eprintln!(
            "and set a password there; `steadfast sign-in` prints a new link, for the user that runs the server"
        );
    }
    // A service may have no home to keep it in, and serves all the same.
    if let Err(failure) = serving.write_profile() {
        eprintln!("warning: commands on this machine will not find the server by themselves: {failure}");
    }
    Ok(())
}

/// Log lines go to standard error; `RUST_LOG` chooses which.
pub fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED));
    let is_terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(is_terminal)
        .with_writer(std::io::stderr)
        .init();
}

/// The threads that serve.
pub fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Local(format!("cannot start the server's threads: {error}")))
}

/// Knows whether the process was asked to stop, and goes on knowing it: several parts of it ask, one after the other.
pub struct StopSignal(Receiver<Infallible>);

/// Tells the [`StopSignal`] by being dropped.
struct StopTeller(
    #[expect(dead_code, reason = "that it is there says that nobody was asked to stop")] Sender<Infallible>,
);

impl StopSignal {
    /// The signal, and who gives it.
    fn new() -> (StopTeller, Self) {
        let (sender, receiver) = mpsc::channel();
        (StopTeller(sender), Self(receiver))
    }

    /// Waits that long at most; true if the process was asked to stop.
    pub fn wait(&self, at_most: Duration) -> bool {
        match self.0.recv_timeout(at_most) {
            Ok(never) => match never {},
            Err(RecvTimeoutError::Disconnected) => true,
            Err(RecvTimeoutError::Timeout) => false,
        }
    }

    /// True if the process was asked to stop already.
    pub fn is_given(&self) -> bool {
        self.wait(Duration::ZERO)
    }
}

/// Listens for SIGINT and SIGTERM. A second one ends the process at once.
pub fn stop_signal(runtime: &Runtime) -> Result<StopSignal, Failure> {
    let _context = runtime.enter();
    let listen =
        |kind| signal(kind).map_err(|error| Failure::Local(format!("cannot wait for signals: {error}")));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let (teller, told) = StopSignal::new();
    let mut teller = Some(teller);
    runtime.spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if teller.take().is_none() {
                std::process::exit(130);
            }
        }
    });
    Ok(told)
}

/// A server at work, asked from a thread that is not one of its own.
pub struct Serving<'a> {
    runtime: &'a Runtime,
    server: RunningServer,
    /// True if the certificate is one that the server made, which is good for loopback as well.
    has_own_certificate: bool,
}

impl<'a> Serving<'a> {
    /// Starts the server.
    pub fn start(runtime: &'a Runtime, config: ServerConfig) -> Result<Self, Failure> {
        let has_own_certificate = config.tls.certificate.is_none();
        let server = runtime.block_on(Server::start(config)).map_err(|error| local(&error))?;
        Ok(Self { runtime, server, has_own_certificate })
    }

    /// Where it listens with TLS.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// How commands on this machine reach it.
    fn url(&self) -> String {
        if self.has_own_certificate {
            format!("https://{}", reachable(self.address()))
        } else {
            self.server.public_url().to_owned()
        }
    }

    /// Where a person finds the page: on this machine where only that is served.
    fn page(&self) -> String {
        match self.page_address() {
            Some(page) if self.address().ip().is_loopback() => format!("http://{page}"),
            Some(_) | None => self.server.public_url().to_owned(),
        }
    }

    /// Where it serves the page without TLS.
    pub fn page_address(&self) -> Option<SocketAddr> {
        self.server.browser_address()
    }

    /// The certificate of its authority.
    pub fn ca_pem(&self) -> &str {
        self.server.ca_pem()
    }

    /// That certificate's SHA-256 fingerprint.
    pub fn ca_fingerprint(&self) -> &str {
        self.server.ca_fingerprint()
    }

    /// Writes the profile with which the other commands find this server. A token that works is kept.
    pub fn write_profile(&self) -> Result<Profile, Failure> {
        let home = profile::home()?;
        let known = Profiles::read(&home)?;
        let kept = known
            .iter()
            .flat_map(Profiles::all)
            .find(|kept| kept.ca_pem.as_deref() == Some(self.ca_pem()))
            .map(|kept| kept.token)
            .filter(|token| self.accepts_token(token));
        let token = match kept {
            Some(token) => token,
            None => self.new_owner_token()?,
        };
        let profile = Profile { server: self.url(), ca_pem: Some(self.ca_pem().to_owned()), token };
        Profiles::with(known, profile.clone()).write(&home).map_err(|error| {
            Failure::Local(format!("cannot write the profile in {}: {error}", home.display()))
        })?;
        Ok(profile)
    }

    /// True while nobody can sign in by a password.
    fn awaits_first_sign_in(&self) -> Result<bool, Failure> {
        self.runtime.block_on(self.server.awaits_first_sign_in()).map_err(|error| local(&error))
    }

    /// True if the server knows the token.
    fn accepts_token(&self, token: &str) -> bool {
        self.runtime.block_on(self.server.accepts_token(token))
    }

    /// A new token with the rights of an owner.
    fn new_owner_token(&self) -> Result<String, Failure> {
        self.runtime.block_on(self.server.issue_owner_token()).map_err(|error| local(&error))
    }

    /// A link that signs one browser in, once.
    pub fn new_sign_in_link(&self) -> Result<SignInLink, Failure> {
        self.runtime.block_on(self.server.issue_sign_in_link()).map_err(|error| local(&error))
    }

    /// Fails if a part of the server has ended though nobody told it to.
    pub fn check(&self) -> Result<(), Failure> {
        self.server.failure().map_or(Ok(()), |failure| Err(local(&failure)))
    }

    /// Answers what is under way, writes what is buffered, and ends.
    pub fn stop(self) -> Result<(), Failure> {
        self.runtime.block_on(self.server.stop()).map_err(|error| local(&error))
    }
}

/// How often it is asked whether all that was started still runs.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The engine warns of each file whose bounds it cannot use to pass the file over, which is no trouble of the user's.
const LOGGED: &str = "warn,datafusion_common::pruning=error";

/// The whole chain of causes in one line.
pub fn local(error: &dyn std::error::Error) -> Failure {
    Failure::Local(fim_core::error_chain(error))
}

/// The address by which this machine reaches a server that may listen on all of its addresses.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(all) if all.ip().is_unspecified() => SocketAddr::from(([127, 0, 0, 1], all.port())),
        SocketAddr::V6(all) if all.ip().is_unspecified() => {
            SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], all.port()))
        }
        one => one,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_told_to_stop_is_told_so_each_time_he_asks() {
        let (teller, signal) = StopSignal::new();
        assert!(!signal.is_given() && !signal.wait(Duration::from_millis(1)));
        drop(teller);
        assert!((0..3).all(|_| signal.wait(Duration::from_secs(3600)) && signal.is_given()));
    }

    #[test]
    fn a_server_on_all_addresses_is_reached_by_loopback() {
        let cases = [
            ("0.0.0.0:8443", "127.0.0.1:8443"),
            ("[::]:8443", "[::1]:8443"),
            ("10.1.2.3:8443", "10.1.2.3:8443"),
        ];
        for (listens, reached) in cases {
            assert_eq!(reachable(listens.parse().unwrap()), reached.parse().unwrap());
        }
    }
}
