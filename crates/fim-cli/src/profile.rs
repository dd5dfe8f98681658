//! Where the client finds its server: the profiles that `steadfast up` writes, and what overrides them.
//!
//! They are `profile.toml` under `$STEADFAST_HOME`, by default `~/.config/steadfast`, with mode 0600.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::failure::Failure;
use crate::variables::variable;

/// A server, how it proves who it is, and what proves us to it.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// `https://host:port`.
    pub server: String,
    /// The certificate of the authority that signed the server's, as PEM; without it the server cannot be asked.
    pub ca_pem: Option<String>,
    /// An API token.
    pub token: String,
}

/// The servers that this user has started: the last one, which is asked unless another is named, and those before it.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Profiles {
    server: String,
    ca_pem: Option<String>,
    token: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    others: Vec<Profile>,
}

impl Profiles {
    /// The profiles with this one as the last: what was known of its address or its authority before is replaced.
    pub fn with(known: Option<Self>, profile: Profile) -> Self {
        let is_other = |other: &Profile| other.server != profile.server && other.ca_pem != profile.ca_pem;
        let mut others: Vec<Profile> = known.iter().flat_map(Self::all).filter(is_other).collect();
        others.truncate(MOST_OTHERS);
        Self { server: profile.server, ca_pem: profile.ca_pem, token: profile.token, others }
    }

    /// All of them, the last one first.
    pub fn all(&self) -> impl Iterator<Item = Profile> {
        let last =
            Profile { server: self.server.clone(), ca_pem: self.ca_pem.clone(), token: self.token.clone() };
        std::iter::once(last).chain(self.others.iter().cloned())
    }

    /// The profile of that server; the last one if none is named.
    pub fn of(&self, server: Option<&Address>) -> Option<Profile> {
        let is_it =
            |profile: &Profile, server: &Address| Address::parse(&profile.server).as_ref() == Ok(server);
        self.all().find(|profile| server.is_none_or(|server| is_it(profile, server)))
    }

    /// Writes the profiles so that only their owner can read them, whole or not at all.
    pub fn write(&self, home: &Path) -> io::Result<PathBuf> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(home)?;
        let path = home.join(FILE_NAME);
        let text = toml::to_string(self).map_err(io::Error::other)?;
        fim_server::write_secret(&path, text.as_bytes())?;
        Ok(path)
    }

    /// Reads the profiles; `None` if there is none.
    pub fn read(home: &Path) -> Result<Option<Self>, Failure> {
        let path = home.join(FILE_NAME);
        match fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text)
                .map(Some)
                .map_err(|error| Failure::Local(format!("{} is damaged: {error}", path.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::Local(format!("cannot read {}: {error}", path.display()))),
        }
    }
}

/// The folder of the profiles.
pub fn home() -> Result<PathBuf, Failure> {
    if let Some(home) = variable("STEADFAST_HOME") {
        return Ok(PathBuf::from(home));
    }
    std::env::home_dir()
        .map(|home| home.join(".config/steadfast"))
        .ok_or_else(|| Failure::Usage("no home directory is known; set STEADFAST_HOME".to_owned()))
}

const FILE_NAME: &str = "profile.toml";

/// Servers that somebody tried once are many in time.
const MOST_OTHERS: usize = 20;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_profile_is_read_back_and_nobody_else_can_read_it() {
        let home = tempfile::tempdir().unwrap();
        let profile = Profile {
            server: "https://127.0.0.1:8443".into(),
            ca_pem: Some("PEM".into()),
            token: "stf_x".into(),
        };
        let profiles = Profiles::with(None, profile);
        let path = profiles.write(home.path()).unwrap();
        profiles.write(home.path()).unwrap();
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Profiles::read(home.path()).unwrap().unwrap().of(None).unwrap().token, "stf_x");
    }

    #[test]
    fn a_second_server_does_not_take_the_first_ones_place() {
        let profile = |server: &str, ca: &str, token: &str| Profile {
            server: server.into(),
            ca_pem: Some(ca.into()),
            token: token.into(),
        };
        let both = Profiles::with(Some(Profiles::with(None, profile("a", "A", "1"))), profile("b", "B", "2"));
        assert_eq!(both.of(None).unwrap().token, "2");
        let of = |profiles: &Profiles, server: &str| profiles.of(Some(&Address::parse(server).unwrap()));
        assert_eq!(of(&both, "https://A/").unwrap().token, "1");
        assert!(of(&both, "c").is_none());
        // The same server on another port, and another server on the same one.
        let moved = Profiles::with(Some(both), profile("a2", "A", "3"));
        assert!(of(&moved, "a").is_none());
        let replaced = Profiles::with(Some(moved), profile("b", "B2", "4"));
        let tokens: Vec<String> = replaced.all().map(|profile| profile.token).collect();
        assert_eq!(tokens, ["4", "3"]);
    }

    #[test]
    fn a_damaged_profile_is_named() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(FILE_NAME), "server = 3").unwrap();
        let message = Profiles::read(home.path()).err().unwrap().to_string();
        assert!(message.contains("profile.toml is damaged"), "{message}");
    }
}
