//! Sends texts: asks what the server has not, reads that, masks it and hands it over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fim_core::{NoText, error_chain, mask, text_of};
use fim_scan::{FileTree, ReadWholeError, digest_of, read_whole};

use super::marks::Marks;
use super::{Contents, Wanted};
use crate::backoff::{backoff, retry_after};
use crate::client::{CallError, ServerClient};
use crate::identity::DataDir;

/// What sends texts.
pub(crate) struct Uploader<F> {
    pub contents: Arc<Contents>,
    pub dir: DataDir,
    /// Gives the tree to read from.
    pub tree: F,
}

/// What a file turned out to be.
enum Found {
    /// Its text, masked.
    Text(String),
    /// Why it has none.
    None(NoText),
}

/// What sending is done with.
struct Means {
    client: ServerClient,
    made: Instant,
    marks: Marks,
}

impl<T: FileTree, F: Fn() -> Arc<T>> Uploader<F> {
    /// Works until the queue is told to stop.
    pub fn run(self) {
        let mut means = None;
        while let Some(wanted) = self.contents.take(MOST_AT_ONCE) {
            let asked: Vec<[u8; 32]> = wanted.keys().copied().collect();
            let Some(missing) = self.call(&mut means, |means| means.client.missing_contents(&asked)) else {
                return;
            };
            let missing = missing.unwrap_or_default();
            for (digest, wanted) in wanted {
                let is_settled = !missing.contains(&digest) || {
                    let Some(is_settled) = self.send(&mut means, &wanted) else { return };
                    is_settled
                };
                self.contents.sent(digest, is_settled);
            }
        }
    }

    /// Sends one text, or why there is none; says whether that is all that there will ever be. Nothing if the sensor is
    /// to stop.
    fn send(&self, means: &mut Option<Means>, wanted: &Wanted) -> Option<bool> {
        let digest = wanted.digest.0;
        let done = self.call(means, |means| match self.find(wanted, &means.marks) {
            Found::Text(text) => means.client.put_content(&digest, &text).map(|()| true),
            Found::None(why) => means.client.put_no_content(&digest, why).map(|()| why.is_final()),
        })?;
        Some(done.unwrap_or(true))
    }

    /// Makes a call until it is answered. Nothing if the sensor is to stop; nothing within if the server refuses, as one
    /// does that is older or has no room.
    fn call<R>(
        &self,
        means: &mut Option<Means>,
        call: impl Fn(&Means) -> Result<R, CallError>,
    ) -> Option<Option<R>> {
        let mut failures = 0;
        loop {
            let wait = match self.means(means) {
                Ok(ready) => match call(ready) {
                    Ok(answer) => return Some(Some(answer)),
                    Err(CallError::Busy { retry_after: Some(asked), .. }) => retry_after(asked),
                    Err(error @ CallError::Refused { status: 400 | 404 | 405 | 413 | 415 | 422, .. }) => {
                        tracing::warn!(
                            error = error_chain(&error),
                            "the server does not take a text of a file"
                        );
                        return Some(None);
                    }
                    Err(error) => {
                        tracing::debug!(error = error_chain(&error), "cannot send a text of a file yet");
                        *means = None;
                        backoff(failures, getrandom::u64().unwrap_or_default())
                    }
                },
                Err(why) => {
                    tracing::warn!(why, "cannot send texts of files yet");
                    backoff(failures, getrandom::u64().unwrap_or_default())
                }
            };
            failures = failures.saturating_add(1);
            if !self.contents.rest(wait) {
                return None;
            }
        }
    }

    /// The client is made anew from time to time, since the certificate is.
    fn means<'m>(&self, means: &'m mut Option<Means>) -> Result<&'m Means, String> {
        if let Some(old) = means.take_if(|means| means.made.elapsed() >= CLIENT_LASTS) {
            drop(old);
        }
        match means {
            Some(means) => Ok(means),
            None => {
                let identity = self.dir.identity().map_err(|error| error_chain(&error))?;
                let client = ServerClient::of(&identity).map_err(|error| error_chain(&error))?;
                let marks = Marks::open(&self.dir).map_err(|error| error_chain(&error))?;
                Ok(means.insert(Means { client, made: Instant::now(), marks }))
            }
        }
    }

    fn find(&self, wanted: &Wanted, marks: &Marks) -> Found {
        if wanted.size_bytes.is_some_and(|size| size > NoText::MOST_BYTES as u64) {
            return Found::None(NoText::TooLarge);
        }
        let bytes = match read_whole(&*(self.tree)(), &wanted.path, NoText::MOST_BYTES) {
            Ok(bytes) => bytes,
            Err(ReadWholeError::TooLarge) => return Found::None(NoText::ChangedWhileRead),
            Err(ReadWholeError::Unreadable(error)) => {
                tracing::debug!(path = %wanted.path, %error, "cannot read a file for its text");
                return Found::None(NoText::Unreadable);
            }
        };
        if digest_of(&bytes) != wanted.digest {
            return Found::None(NoText::ChangedWhileRead);
        }
        let Some(text) = text_of(bytes) else { return Found::None(NoText::NotText) };
        let masked = mask(&text, |secret| marks.of(secret));
        if masked.len() > NoText::MOST_BYTES { Found::None(NoText::TooLarge) } else { Found::Text(masked) }
    }
}

/// How many contents the server is asked about at once.
const MOST_AT_ONCE: usize = 500;
const CLIENT_LASTS: Duration = Duration::from_secs(3600);
