//! The text of files before and after changes: stored once, encrypted, found by machine and digest.
//!
//! An agent masks secrets before it sends a text, so that the digest of the file, by which a change names it, is not that
//! of the text. A text is therefore kept by its own digest, and beside it which of a machine's digests it belongs to: a
//! machine can say that of its own digests alone, and once.

mod compare;
mod key;
mod sealed;
mod sweep;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fim_core::{NoText, Timestamp};
use sha2::{Digest as _, Sha256};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Row, Sqlite, Transaction};
use uuid::Uuid;

pub use compare::{Compared, Hunk, compare};
use key::ContentKey;
pub use key::OpenKeyError;
pub use sweep::watch;

use crate::config::ContentConfig;
use crate::ingest::places::BatchPlaces;

/// The texts of files.
#[derive(Debug)]
pub struct Contents {
    pool: SqlitePool,
    key: ContentKey,
    most: Most,
    /// Places for texts that are being received.
    pub places: BatchPlaces,
}

/// How much is kept at most.
#[derive(Clone, Copy, Debug)]
struct Most {
    machine_bytes: u64,
    workspace_bytes: u64,
}

/// Whose text it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Owner {
    /// The workspace.
    pub workspace: Uuid,
    /// The machine.
    pub machine: Uuid,
}

/// What is known of the text of a file with some digest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Content {
    /// The text, with its secrets masked.
    Text(String),
    /// Why there is none.
    None(NoText),
    /// The text was encrypted with a key that is gone, or it is damaged.
    Lost,
    /// The machine has told nothing of it.
    NotReceived,
}

/// What became of a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kept {
    /// It is kept, now or since before.
    Yes,
    /// There is no room for it, which is noted in its place.
    NoRoom,
}

/// Why the texts cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenContentsError {
    /// The key cannot be had.
    #[error(transparent)]
    Key(#[from] OpenKeyError),
    /// The file cannot be made.
    #[error("cannot create {path}, where the text of files is kept")]
    Create {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database cannot be opened.
    #[error("cannot open {path}, where the text of files is kept; moved away, it is begun anew without them")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the database said.
        source: sqlx::Error,
    },
    /// A newer version made it.
    #[error("{path} is of a newer version of this server; start that version, or a newer one")]
    Newer {
        /// The file.
        path: PathBuf,
    },
}

/// The texts failed.
#[derive(Debug, thiserror::Error)]
#[error("the database of the text of files failed while {doing}")]
pub struct ContentsError {
    /// What was being done.
    pub doing: &'static str,
    /// What the database said.
    pub source: sqlx::Error,
}

impl Contents {
    /// Opens the texts of a data directory, making what is not there.
    pub async fn open(folder: &Path, config: &ContentConfig) -> Result<Self, OpenContentsError> {
        let path = folder.join("content.sqlite");
        let key = ContentKey::open(&folder.join("content.key"), config.key_file.as_deref())?;
        // SQLite would make the file readable to others where the umask lets it.
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(|source| OpenContentsError::Create { path: path.clone(), source })?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let failed = |source| OpenContentsError::Open { path: path.clone(), source };
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await.map_err(failed)?;
        let most = Most { machine_bytes: config.machine_bytes, workspace_bytes: config.workspace_bytes };
        let contents = Self { pool, key, most, places: BatchPlaces::new(PLACES) };
        let version: i64 =
            sqlx::query_scalar("PRAGMA user_version").fetch_one(&contents.pool).await.map_err(failed)?;
        match version {
            0 => {
                sqlx::raw_sql(SCHEMA).execute(&contents.pool).await.map_err(failed)?;
            }
            1 => {}
            _ => return Err(OpenContentsError::Newer { path }),
        }
        Ok(contents)
    }

    /// Ends every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Which of the digests the machine should send the text of. Those that are known are noted as seen now.
    pub async fn missing(
        &self,
        owner: Owner,
        digests: &[[u8; 32]],
        now: Timestamp,
    ) -> Result<Vec<[u8; 32]>, ContentsError> {
        let failed = failed("looking which texts are known");
        let mut transaction = self.write("looking which texts are known").await?;
        let mut missing = Vec::new();
        for digest in digests {
            let known = sqlx::query(
                "SELECT c.seen_at, c.why, b.key_id FROM contents c \
                 LEFT JOIN blobs b ON b.workspace_id = c.workspace_id AND b.id = c.blob_id \
                 WHERE c.machine_id = ? AND c.digest = ?",
            )
            .bind(owner.machine.to_string())
            .bind(&digest[..])
            .fetch_optional(&mut *transaction)
            .await
            .map_err(&failed)?;
            let Some(row) = known else {
                missing.push(*digest);
                continue;
            };
            let why: Option<String> = row.try_get("why").map_err(&failed)?;
            let key: Option<Vec<u8>> = row.try_get("key_id").map_err(&failed)?;
            let is_known = match (why, key) {
                (Some(why), _) => NoText::of_word(&why).is_some_and(NoText::is_final),
                (None, Some(key)) => key == self.key.id(),
                (None, None) => false,
            };
            if !is_known {
                missing.push(*digest);
            }
            let seen_at: i64 = row.try_get("seen_at").map_err(&failed)?;
            if now.0.saturating_sub(seen_at) >= SEEN_EVERY_NANOS {
                sqlx::query("UPDATE contents SET seen_at = ? WHERE machine_id = ? AND digest = ?")
                    .bind(now.0)
                    .bind(owner.machine.to_string())
                    .bind(&digest[..])
                    .execute(&mut *transaction)
                    .await
                    .map_err(&failed)?;
            }
        }
        transaction.commit().await.map_err(failed)?;
        Ok(missing)
    }

    /// Keeps the text of a machine's file with that digest. A text that is there already stays what it is: nobody
    /// changes afterwards what a file was.
    pub async fn keep_text(
        &self,
        owner: Owner,
        digest: [u8; 32],
        text: &str,
        now: Timestamp,
    ) -> Result<Kept, ContentsError> {
        let failed = failed("keeping a text");
        let mut transaction = self.write("keeping a text").await?;
        if self.has_text(&mut transaction, owner, digest).await.map_err(&failed)? {
            return Ok(Kept::Yes);
        }
        forget(&mut transaction, owner, digest).await.map_err(&failed)?;
        let bytes = text.len() as u64;
        let of_machine = total(&mut transaction, owner.machine).await.map_err(&failed)?;
        let of_workspace = total(&mut transaction, owner.workspace).await.map_err(&failed)?;
        let has_room = of_machine.bytes.saturating_add(bytes) <= self.most.machine_bytes
            && of_machine.count < MOST_OF_A_MACHINE
            && of_workspace.bytes.saturating_add(bytes) <= self.most.workspace_bytes;
        if !has_room {
            if of_machine.count < MOST_OF_A_MACHINE {
                note(&mut transaction, owner, digest, Err(NoText::LimitReached), now)
                    .await
                    .map_err(&failed)?;
            }
            transaction.commit().await.map_err(failed)?;
            return Ok(Kept::NoRoom);
        }
        let id: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let sealed = self.key.seal(owner.workspace, id, text);
        let (nonce, sealed) = sealed.map_err(|error| failed(sqlx::Error::Encode(Box::new(error))))?;
        sqlx::query(
            "INSERT INTO blobs (workspace_id, id, key_id, nonce, sealed, bytes) VALUES (?, ?, ?, ?, ?, ?) \
             ON CONFLICT (workspace_id, id) DO UPDATE SET \
             key_id = excluded.key_id, nonce = excluded.nonce, sealed = excluded.sealed WHERE key_id <> excluded.key_id",
        )
        .bind(owner.workspace.to_string())
        .bind(&id[..])
        .bind(self.key.id())
        .bind(&nonce[..])
        .bind(sealed)
        .bind(i64::try_from(bytes).unwrap_or(i64::MAX))
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        note(&mut transaction, owner, digest, Ok((id, bytes)), now).await.map_err(&failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(Kept::Yes)
    }

    /// Notes why there is no text of a machine's file with that digest, unless there is one.
    pub async fn keep_reason(
        &self,
        owner: Owner,
        digest: [u8; 32],
        why: NoText,
        now: Timestamp,
    ) -> Result<(), ContentsError> {
        let failed = failed("noting why there is no text");
        let mut transaction = self.write("noting why there is no text").await?;
        if self.has_text(&mut transaction, owner, digest).await.map_err(&failed)? {
            return Ok(());
        }
        forget(&mut transaction, owner, digest).await.map_err(&failed)?;
        if total(&mut transaction, owner.machine).await.map_err(&failed)?.count < MOST_OF_A_MACHINE {
            note(&mut transaction, owner, digest, Err(why), now).await.map_err(&failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    /// What is known of the text of a machine's file with that digest.
    pub async fn find(&self, owner: Owner, digest: [u8; 32]) -> Result<Content, ContentsError> {
        let failed = failed("reading a text");
        let row = sqlx::query(
            "SELECT c.why, c.blob_id, b.key_id, b.nonce, b.sealed FROM contents c \
             LEFT JOIN blobs b ON b.workspace_id = c.workspace_id AND b.id = c.blob_id \
             WHERE c.workspace_id = ? AND c.machine_id = ? AND c.digest = ?",
        )
        .bind(owner.workspace.to_string())
        .bind(owner.machine.to_string())
        .bind(&digest[..])
        .fetch_optional(&self.pool)
        .await
        .map_err(&failed)?;
        let Some(row) = row else { return Ok(Content::NotReceived) };
        let read = || -> Result<_, sqlx::Error> {
            let why: Option<String> = row.try_get("why")?;
            let id: Option<Vec<u8>> = row.try_get("blob_id")?;
            let key: Option<Vec<u8>> = row.try_get("key_id")?;
            let nonce: Option<Vec<u8>> = row.try_get("nonce")?;
            let sealed: Option<Vec<u8>> = row.try_get("sealed")?;
            Ok((why, id, key, nonce, sealed))
        };
        let (why, id, key, nonce, sealed) = read().map_err(failed)?;
        if let Some(why) = why {
            return Ok(NoText::of_word(&why).map_or(Content::NotReceived, Content::None));
        }
        let (Some(id), Some(key), Some(nonce), Some(sealed)) = (id, key, nonce, sealed) else {
            return Ok(Content::Lost);
        };
        if key != self.key.id() {
            return Ok(Content::Lost);
        }
        Ok(self.key.open_sealed(owner.workspace, &id, &nonce, sealed).map_or(Content::Lost, Content::Text))
    }

    async fn has_text(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        owner: Owner,
        digest: [u8; 32],
    ) -> Result<bool, sqlx::Error> {
        let key: Option<Vec<u8>> = sqlx::query_scalar(
            "SELECT b.key_id FROM contents c JOIN blobs b ON b.workspace_id = c.workspace_id AND b.id = c.blob_id \
             WHERE c.machine_id = ? AND c.digest = ?",
        )
        .bind(owner.machine.to_string())
        .bind(&digest[..])
        .fetch_optional(&mut **transaction)
        .await?;
        Ok(key.is_some_and(|key| key == self.key.id()))
    }

    async fn write(&self, doing: &'static str) -> Result<Transaction<'static, Sqlite>, ContentsError> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed(doing))
    }
}

/// What is kept of a machine or a workspace.
#[derive(Clone, Copy, Debug)]
struct Total {
    bytes: u64,
    count: u64,
}

async fn total(transaction: &mut Transaction<'static, Sqlite>, of: Uuid) -> Result<Total, sqlx::Error> {
    let row = sqlx::query("SELECT bytes, count FROM totals WHERE of = ?")
        .bind(of.to_string())
        .fetch_optional(&mut **transaction)
        .await?;
    let number = |column| -> Result<u64, sqlx::Error> {
        let number: i64 = row.as_ref().map(|row| row.try_get(column)).transpose()?.unwrap_or_default();
        Ok(u64::try_from(number).unwrap_or_default())
    };
    Ok(Total { bytes: number("bytes")?, count: number("count")? })
}

/// Notes what a machine's digest stands for: a text and its bytes, or why there is none.
async fn note(
    transaction: &mut Transaction<'static, Sqlite>,
    owner: Owner,
    digest: [u8; 32],
    what: Result<([u8; 32], u64), NoText>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let (id, bytes) = what.ok().unzip();
    sqlx::query(
        "INSERT INTO contents (workspace_id, machine_id, digest, blob_id, why, bytes, seen_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(owner.workspace.to_string())
    .bind(owner.machine.to_string())
    .bind(&digest[..])
    .bind(id.as_ref().map(|id| &id[..]))
    .bind(what.err().map(NoText::word))
    .bind(i64::try_from(bytes.unwrap_or_default()).unwrap_or(i64::MAX))
    .bind(now.0)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn forget(
    transaction: &mut Transaction<'static, Sqlite>,
    owner: Owner,
    digest: [u8; 32],
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM contents WHERE machine_id = ? AND digest = ?")
        .bind(owner.machine.to_string())
        .bind(&digest[..])
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

fn failed(doing: &'static str) -> impl Fn(sqlx::Error) -> ContentsError {
    move |source| ContentsError { doing, source }
}

/// The totals are kept by the database itself, so that nothing that adds or removes can forget them.
const SCHEMA: &str = include_str!("schema.sql");

/// Texts that are received at a time; each may take some times its bytes.
const PLACES: usize = 4;
/// The most digests of a machine, with or without a text.
const MOST_OF_A_MACHINE: u64 = 50_000;
/// How often it is written down that a digest was seen again.
const SEEN_EVERY_NANOS: i64 = 3_600_000_000_000;

#[cfg(test)]
mod tests;
