//! Who the sensor is: its data directory, and in it the identity that enrolment gave.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fim_core::Timestamp;
use fim_log::{Disk as _, RealDisk, create_dir_all, replace_file};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use crate::time::{now, rfc3339};

/// The directory that holds all that a sensor keeps: readable by its owner only.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DataDir(PathBuf);

/// What enrolment gave; kept in one file, so that key and certificate always belong together.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The server's address, `https://HOST:PORT`.
    pub server: String,
    /// The machine's id, which the certificate names.
    pub machine_id: Uuid,
    /// The workspace that the machine reports to.
    pub workspace_id: Uuid,
    /// That workspace's name when the machine enrolled.
    pub workspace_name: String,
    /// The SHA-256 fingerprint of the authority that the server's certificate must come from.
    pub ca_fingerprint: String,
    /// That authority's certificate.
    pub ca_pem: String,
    /// Our certificate.
    pub certificate_pem: String,
    /// Our private key, made on this machine; it never leaves it.
    pub(crate) key_pem: String,
}

/// Why the identity could not be loaded or kept.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// There is none yet.
    #[error(
        "this machine is not enrolled ({} is missing); run `steadfast-agent enroll --server URL --ca-fingerprint SHA256 \
         --token-file -` as `steadfast machine enroll-token` prints it, or name the folder of an agent that is with `--data-dir`: that of `steadfast up` is `agent` in its own",
        path.display()
    )]
    NotEnrolled {
        /// Where it would be.
        path: PathBuf,
    },
    /// The file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The file could not be written.
    #[error("cannot write in the data directory {}; it must be writable by the agent's user", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The file is no identity.
    #[error("{} is damaged; enrol this machine again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The certificate in it cannot be read.
    #[error("the certificate in {} is damaged; enrol this machine again", path.display())]
    DamagedCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The server gave no settings, and none were kept.
    #[error("there are no settings yet, and the server gave none: {why}")]
    NoSettings {
        /// Why the server gave none.
        why: String,
    },
    /// The directory is not known to be one of ours.
    #[error(
        "{} is no agent's data directory: it has no file named `lock`, and other files; name the right one with `--data-dir`",
        path.display()
    )]
    NotOurs {
        /// The directory.
        path: PathBuf,
    },
    /// Something of the directory could not be removed.
    #[error("cannot remove {}", path.display())]
    Remove {
        /// The file or directory.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Another agent works in this directory.
    #[error("another agent is running with the data directory {}; stop it first", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
}

/// Proof that no other process works in a data directory, for as long as it lives.
#[derive(Debug)]
pub struct DataDirLock {
    _file: File,
}

impl DataDir {
    /// The data directory at `path`, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the directory if it is missing, and takes it for this process alone.
    pub fn lock(&self) -> Result<DataDirLock, IdentityError> {
        let write = |source| IdentityError::Write { path: self.0.clone(), source };
        create_dir_all(&RealDisk, &self.0).map_err(write)?;
        let file = RealDisk.open_append(&self.0.join("lock")).map_err(write)?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(DataDirLock { _file: file }),
                // Whoever asks whether a sensor runs has it for a moment. Nothing but trying tells when that is over: a
                // call that waits for the lock has no end where a sensor has it.
                Err(TryLockError::WouldBlock) if begun.elapsed() < LONGEST_QUESTION => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(TryLockError::WouldBlock) => return Err(IdentityError::InUse { path: self.0.clone() }),
                Err(TryLockError::Error(source)) => return Err(write(source)),
            }
        }
    }

    /// Removes the directory with all that is in it; false if there is none.
    ///
    /// # Errors
    ///
    /// Fails if a sensor has it for itself, if no agent has ever worked in it, or if the system refuses.
    pub fn remove(&self) -> Result<bool, IdentityError> {
        let lock = self.0.join("lock");
        if !self.0.exists() {
            return Ok(false);
        }
        let refused = |path: &Path| {
            let path = path.to_owned();
            move |source| IdentityError::Remove { path, source }
        };
        if !lock.is_file() && !self.has_only_logs().map_err(refused(&self.0))? {
            return Err(IdentityError::NotOurs { path: self.0.clone() });
        }
        let held = self.lock()?;
        for entry in fs::read_dir(&self.0).map_err(refused(&self.0))? {
            let entry = entry.map_err(refused(&self.0))?;
            let path = entry.path();
            // What says that the directory is ours goes last, so that a removal that fails can be tried again.
            if path == lock {
                continue;
            }
            let is_dir = entry.file_type().map_err(refused(&path))?.is_dir();
            let removed = if is_dir { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(refused(&path))?;
        }
        drop(held);
        fs::remove_file(&lock).map_err(refused(&lock))?;
        fs::remove_dir(&self.0).map_err(refused(&self.0))?;
        Ok(true)
    }

    /// True if there is nothing in it but what an agent says of why it could not begin.
    fn has_only_logs(&self) -> io::Result<bool> {
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let is_log = entry.file_name().to_str().is_some_and(|name| name.starts_with(LOG_NAME));
            if !is_log || !entry.file_type()?.is_file() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// True if a running sensor has it for itself.
    pub fn is_in_use(&self) -> bool {
        File::open(self.0.join("lock")).is_ok_and(|file| file.try_lock_shared().is_err())
    }

    /// The identity that enrolment left here.
    pub fn identity(&self) -> Result<Identity, IdentityError> {
        let path = self.identity_path();
        match RealDisk.read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|source| IdentityError::Damaged { path, source })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(IdentityError::NotEnrolled { path }),
            Err(source) => Err(IdentityError::Read { path, source }),
        }
    }

    /// Notes that the server has moved to another address; who it is stays pinned.
    pub fn follow_server(&self, server: &str) -> Result<(), IdentityError> {
        let identity = Identity { server: server.trim_end_matches('/').to_owned(), ..self.identity()? };
        self.keep_identity(&identity)
    }

    /// Keeps the identity, durably and in one step.
    pub(crate) fn keep_identity(&self, identity: &Identity) -> Result<(), IdentityError> {
        let path = self.identity_path();
        let text = serde_json::to_vec_pretty(identity)
            .map_err(|source| IdentityError::Damaged { path: path.clone(), source })?;
        replace_file(&RealDisk, &path, &text).map_err(|source| IdentityError::Write { path, source })
    }

    /// Where the identity is.
    pub fn identity_path(&self) -> PathBuf {
        self.0.join("identity.json")
    }

    /// Where reports wait for the server.
    pub fn spool_path(&self) -> PathBuf {
        self.0.join("spool")
    }

    /// Where the last known state of all entities is.
    pub fn state_path(&self) -> PathBuf {
        self.0.join("state")
    }

    /// Where the settings are that the server gave last.
    pub fn settings_path(&self) -> PathBuf {
        self.0.join("settings.json")
    }

    /// Where a running sensor writes how it is doing.
    pub fn status_path(&self) -> PathBuf {
        self.0.join("status.json")
    }

    /// Where the log of a service is.
    pub fn log_path(&self) -> PathBuf {
        self.0.join(LOG_NAME)
    }

    /// Where a running sensor leaves the time, so that the next start knows since when nobody watched.
    pub fn alive_path(&self) -> PathBuf {
        self.0.join("alive")
    }
}

impl Identity {
    /// When our certificate expires.
    pub fn certificate_expiry(&self, dir: &DataDir) -> Result<Timestamp, IdentityError> {
        certificate_expiry(&self.certificate_pem)
            .ok_or_else(|| IdentityError::DamagedCertificate { path: dir.identity_path() })
    }

    /// The machine's id as the wire has it.
    pub fn sensor_id(&self) -> [u8; 16] {
        self.machine_id.into_bytes()
    }
}

/// Leaves the private key out.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("server", &self.server)
            .field("machine_id", &self.machine_id)
            .field("workspace_name", &self.workspace_name)
            .field("ca_fingerprint", &self.ca_fingerprint)
            .finish_non_exhaustive()
    }
}

const LOG_NAME: &str = "agent.log";

/// How long somebody may hold the lock who only asks whether it is held.
const LONGEST_QUESTION: Duration = Duration::from_secs(1);

/// Whole days from now until `expiry`; negative once it has passed.
pub(crate) fn days_left(expiry: Timestamp, now: Timestamp) -> i64 {
    expiry.nanos_since(now).div_euclid(86_400_000_000_000)
}

/// What to tell a person whose certificate has expired; nothing while it is valid.
pub fn expiry_advice(expiry: Timestamp, server: &str) -> Option<String> {
    (expiry <= now()).then(|| {
        format!(
            "the agent's certificate expired on {}; enrol again with `steadfast-agent enroll --server {server} \
             --ca-fingerprint SHA256 --token-file -` (`steadfast machine enroll-token --replace NAME` prints it with the \
             fingerprint and a token)",
            rfc3339(expiry)
        )
    })
}

/// Since when the first certificate in the PEM is valid; nothing if there is none that can be read.
pub(crate) fn certificate_start(pem: &str) -> Option<Timestamp> {
    let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).ok()?;
    let seconds = pem.parse_x509().ok()?.validity().not_before.timestamp();
    Some(Timestamp(seconds.saturating_mul(1_000_000_000)))
}

/// When the first certificate in the PEM expires; nothing if there is none that can be read.
pub(crate) fn certificate_expiry(pem: &str) -> Option<Timestamp> {
    let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).ok()?;
    let certificate = pem.parse_x509().ok()?;
    let seconds = certificate.validity().not_after.timestamp();
    Some(Timestamp(seconds.saturating_mul(1_000_000_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_directory_is_removed_whole_but_not_while_a_sensor_works_in_it_nor_if_it_is_none() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("agent");
        let dir = DataDir::new(&path);
        assert!(!dir.remove().unwrap(), "there is none");
        fs::create_dir_all(dir.spool_path().join("log")).unwrap();
        fs::write(dir.identity_path(), "{}").unwrap();
        assert!(matches!(dir.remove(), Err(IdentityError::NotOurs { .. })));

        let works = dir.lock().unwrap();
        assert!(matches!(dir.remove(), Err(IdentityError::InUse { .. })));
        assert!(dir.identity_path().exists() && dir.spool_path().exists());
        drop(works);
        assert!(dir.remove().unwrap());
        assert!(!path.exists() && home.path().exists());

        // Who could not even begin has left its reasons.
        fs::create_dir(&path).unwrap();
        fs::write(dir.log_path(), "why").unwrap();
        fs::write(path.join("mine"), "x").unwrap();
        assert!(matches!(dir.remove(), Err(IdentityError::NotOurs { .. })));
        fs::remove_file(path.join("mine")).unwrap();
        assert!(dir.remove().unwrap() && !path.exists());
    }
}
