//! The agent of this machine, in the server's process but behind the same mutual TLS as every other.

use std::path::Path;
use std::sync::Arc;

use fim_os::{HostFacts, LiveTree, OS_NAME};
use fim_sensor::{
    DataDir, Enrollment, Identity, LogOptions, RunningSensor, ScanOptions, Sensor, SensorConfig, Token,
    TrustAnchor, enroll,
};
use serde_json::{Value, json};

use crate::client::Client;
use crate::commands::server::local;
use crate::failure::Failure;
use crate::profile::Profile;

/// Enrols this machine unless it is, and starts its sensor.
pub fn start(folder: &Path, profile: &Profile, ca_fingerprint: &str) -> Result<RunningSensor, Failure> {
    let host = HostFacts::read();
    let os_name = host.os_name.clone().unwrap_or_else(|| OS_NAME.to_owned());
    let data_dir = DataDir::new(folder);
    match known_identity(&data_dir, ca_fingerprint)? {
        Some(identity) if identity.server == profile.server => {}
        Some(_) => data_dir.follow_server(&profile.server).map_err(|error| local(&error))?,
        None => enroll_here(&data_dir, profile, &host, &os_name)?,
    }
    let config = SensorConfig {
        data_dir,
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        os_name,
        scan: ScanOptions::default(),
        spool: LogOptions::default(),
        list_watcher: fim_os::list_watcher(),
    };
    Sensor::start(
        config,
        || Arc::new(LiveTree::new()),
        Box::new(|| fim_os::best_watcher(fim_os::PROVIDERS[0])),
    )
    .map_err(|error| local(&error))
}

/// The identity that this server gave, if there is one.
fn known_identity(data_dir: &DataDir, ca_fingerprint: &str) -> Result<Option<Identity>, Failure> {
    if !data_dir.identity_path().exists() {
        return Ok(None);
    }
    let identity = data_dir.identity().map_err(|error| local(&error))?;
    Ok((identity.ca_fingerprint == ca_fingerprint).then_some(identity))
}

fn enroll_here(
    data_dir: &DataDir,
    profile: &Profile,
    host: &HostFacts,
    os_name: &str,
) -> Result<(), Failure> {
    let client = Client::new(profile.clone())?;
    // If this machine was enrolled before and its identity is gone, this is it again.
    let wanted = json!({ "expiresInSeconds": 300, "replaces": host.host_name });
    let answer: Value = client.post("/workspaces/default/enrollment-tokens", &wanted)?;
    let authority = profile.ca_pem.clone().unwrap_or_default();
    let enrollment = Enrollment {
        server: profile.server.clone(),
        token: Token::new(answer["token"].as_str().unwrap_or_default()),
        trust: TrustAnchor::Certificate(authority),
        machine_name: host.host_name.clone(),
        os_type: OS_NAME,
        os_name: os_name.to_owned(),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    enroll(data_dir, &enrollment).map(drop).map_err(|error| local(&error))
}
