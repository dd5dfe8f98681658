//! Where the client finds its server: the profile that `steadfast up` writes, and what overrides it.
//!
//! The profile is `profile.toml` under `$STEADFAST_HOME`, by default `~/.config/steadfast`, with mode 0600.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// A server, how it proves who it is, and what proves us to it.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// `https://host:port`.
    pub server: String,
    /// The certificate of the authority that signed the server's, as PEM; the system's authorities without it.
    pub ca_pem: Option<String>,
    /// An API token.
    pub token: String,
}

impl Profile {
    /// Writes the profile so that only its owner can read it, whole or not at all.
    pub fn write(&self, home: &Path) -> io::Result<PathBuf> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(home)?;
        let path = home.join(FILE_NAME);
        let text = toml::to_string(self).map_err(io::Error::other)?;
        fim_server::write_secret(&path, text.as_bytes())?;
        Ok(path)
    }

    /// Reads the profile; `None` if there is none.
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

/// The folder of the profile.
pub fn home() -> Result<PathBuf, Failure> {
    if let Some(home) = std::env::var_os("STEADFAST_HOME") {
        return Ok(PathBuf::from(home));
    }
    std::env::home_dir()
        .map(|home| home.join(".config/steadfast"))
        .ok_or_else(|| Failure::Usage("no home directory is known; set STEADFAST_HOME".to_owned()))
}

const FILE_NAME: &str = "profile.toml";

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
        let path = profile.write(home.path()).unwrap();
        profile.write(home.path()).unwrap();
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Profile::read(home.path()).unwrap().unwrap().token, "stf_x");
    }

    #[test]
    fn a_damaged_profile_is_named() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(FILE_NAME), "server = 3").unwrap();
        let message = Profile::read(home.path()).err().unwrap().to_string();
        assert!(message.contains("profile.toml is damaged"), "{message}");
    }
}
