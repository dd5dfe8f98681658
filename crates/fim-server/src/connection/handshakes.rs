//! Handshakes under way: when there are too many, the oldest of the network that has most gives way to the newest.
//!
//! Who opens connections and says nothing ends his own by opening more. Refusing those who come instead would let the first
//! who fills the places keep everybody out.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use crate::auth::locked;
use crate::network::Network;

/// Places for handshakes.
#[derive(Debug)]
pub(super) struct Handshakes {
    most: usize,
    under_way: Mutex<UnderWay>,
}

/// The handshakes that have a place. No network is kept that has none.
#[derive(Debug, Default)]
struct UnderWay {
    begun: u64,
    count: usize,
    /// Those of each network in the order in which they began.
    of_networks: HashMap<Network, BTreeMap<u64, Arc<Notify>>>,
}

/// The place of one handshake until it is dropped, or has to give way.
#[derive(Debug)]
pub(super) struct Handshake {
    handshakes: Arc<Handshakes>,
    network: Network,
    number: u64,
    gives_way: Arc<Notify>,
}

impl Handshakes {
    /// So many places, of which there is one at least.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most: most.max(1), under_way: Mutex::default() })
    }

    /// A place for a handshake that begins now. If all are taken, another one gives way.
    pub(super) fn begin(self: &Arc<Self>, network: Network) -> Handshake {
        let gives_way = Arc::new(Notify::new());
        let mut under_way = locked(&self.under_way);
        if under_way.count >= self.most {
            under_way.end_oldest_of_most();
        }
        let number = under_way.begun;
        under_way.begun += 1;
        under_way.count += 1;
        under_way.of_networks.entry(network).or_default().insert(number, Arc::clone(&gives_way));
        Handshake { handshakes: Arc::clone(self), network, number, gives_way }
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        locked(&self.under_way).count
    }
}

impl UnderWay {
    /// Takes the place of the oldest handshake of the network that has most, and tells it.
    fn end_oldest_of_most(&mut self) {
        let most = self.of_networks.iter().max_by_key(|(_, held)| (held.len(), Reverse(held.keys().next())));
        let oldest = most.and_then(|(network, held)| Some((*network, *held.keys().next()?)));
        if let Some(ended) = oldest.and_then(|(network, number)| self.end(network, number)) {
            ended.notify_one();
        }
    }

    /// Takes a handshake's place, if it still has one.
    fn end(&mut self, network: Network, number: u64) -> Option<Arc<Notify>> {
        let held = self.of_networks.get_mut(&network)?;
        let ended = held.remove(&number)?;
        if held.is_empty() {
            self.of_networks.remove(&network);
        }
        self.count -= 1;
        Some(ended)
    }
}

impl Handshake {
    /// What tells that this handshake has lost its place.
    pub(super) fn gives_way(&self) -> Arc<Notify> {
        Arc::clone(&self.gives_way)
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        locked(&self.handshakes.under_way).end(self.network, self.number);
    }
}
