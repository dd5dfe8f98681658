//! What watches on each machine, as its agent said last.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

/// What watches on each machine. It is not kept over a restart: the next sign of life says it again.
#[derive(Debug, Default)]
pub struct Providers(Mutex<HashMap<Uuid, String>>);

impl Providers {
    /// What watches on the machine; `scan`, which every agent does, until it has said so.
    pub fn of(&self, machine: Uuid) -> String {
        self.lock().get(&machine).cloned().unwrap_or_else(|| "scan".to_owned())
    }

    /// Notes what the agent said.
    pub fn put(&self, machine: Uuid, provider: &str) {
        let mut providers = self.lock();
        if providers.get(&machine).is_none_or(|known| known != provider) {
            providers.insert(machine, provider.chars().take(MOST_CHARACTERS).collect());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const MOST_CHARACTERS: usize = 64;
