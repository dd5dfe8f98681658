//! Places for connections, of which nobody takes so many that others find none.
//!
//! | Connections | Of all places they have at most |
//! |---|---|
//! | whose TLS handshake is going on | an eighth; when they are taken, the oldest of the network that has most gives way |
//! | the same on the server's own machine | a sixteenth of their own, with the same rule |
//! | of strangers, who have proved nothing yet | half; those of one network an eighth of that |
//! | of strangers on the server's own machine | an eighth of their own, which nobody elsewhere can take |
//! | of a machine with its certificate, or of a caller whose call was authorised | an eighth each |
//!
//! A connection on which an agent waits for new settings has no place among all while it waits.
//!
//! What is left, three sixteenths, is for machines and callers that are known, whatever strangers do. A handshake has to be
//! over before it can be said who is there, which is why handshakes have places of their own and none is refused for
//! others that go on: a machine gets through whoever opens connections and says nothing, unless that one does so from as
//! many networks as there are places for handshakes. Without TLS there is no handshake.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::Transport;
use super::handshakes::{Handshake, Handshakes};
use crate::auth::locked;
use crate::metrics::Gauge;
use crate::network::{Network, is_this_machine};
use crate::shares::{Holder, Holders};

/// Who has proved who it is.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Known {
    /// The machine that a certificate of ours names.
    Machine(Uuid),
    /// A caller of the API.
    Caller(Holder),
}

/// The places for connections.
#[derive(Debug)]
pub struct ConnectionPlaces {
    most: usize,
    all: Arc<Semaphore>,
    handshakes: Arc<Handshakes>,
    handshakes_here: Arc<Handshakes>,
    strangers: Pool,
    strangers_here: Arc<Semaphore>,
    known: Holders<Known>,
    /// When it was last said that somebody found no place.
    said: Mutex<Option<Instant>>,
}

/// Places of which no network takes all.
#[derive(Debug)]
struct Pool {
    all: Arc<Semaphore>,
    of_a_network: Holders<Network>,
}

/// A connection's place until it is dropped.
#[derive(Debug)]
pub struct ConnectionPlace {
    places: Arc<ConnectionPlaces>,
    address: SocketAddr,
    held: Mutex<Held>,
    /// Its place among all; none while it rests.
    of_all: Mutex<Option<OwnedSemaphorePermit>>,
}

/// A connection on which nothing is done until somebody else does something: it has no place among all.
#[derive(Debug)]
pub struct Rest(Arc<ConnectionPlace>);

/// As what a connection has its place.
#[derive(Debug)]
#[expect(dead_code, reason = "permits are kept for being dropped")]
enum Held {
    Handshake(Handshake),
    Stranger([OwnedSemaphorePermit; 2]),
    StrangerHere(OwnedSemaphorePermit),
    Known(OwnedSemaphorePermit),
}

/// Why a connection gets no place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Full {
    /// It is the oldest handshake of the network that has most, and others have come.
    Handshakes,
    /// Its network has as many connections as strangers of one may have.
    StrangersOfNetwork,
    /// So have all networks together.
    Strangers,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handshakes => {
                "as many TLS handshakes are under way as may be, and none of the address with most has lasted longer"
            }
            Self::StrangersOfNetwork => {
                "its address has as many connections on which nothing was authorised as one may have"
            }
            Self::Strangers => "there are as many connections on which nothing was authorised as may be",
        })
    }
}

impl ConnectionPlaces {
    /// So many places, none of them taken.
    pub fn new(most: usize) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS);
        let share = |sixty_fourths: usize| (most.saturating_mul(sixty_fourths) / 64).max(1);
        let pool = |all, network| Pool {
            all: Arc::new(Semaphore::new(share(all))),
            of_a_network: Holders::new(share(network)),
        };
        Self {
            most,
            all: Arc::new(Semaphore::new(most)),
            handshakes: Handshakes::new(share(8)),
            handshakes_here: Handshakes::new(share(4)),
            strangers: pool(32, 4),
            strangers_here: Arc::new(Semaphore::new(share(8))),
            known: Holders::new(share(8)),
            said: Mutex::default(),
        }
    }

    /// One of all places, as soon as there is one. Whoever comes meanwhile waits in the system's queue.
    pub async fn next(&self) -> OwnedSemaphorePermit {
        loop {
            if let Ok(place) = Arc::clone(&self.all).try_acquire_owned() {
                return place;
            }
            self.say(|| {
                tracing::warn!(connections = self.most, "all connections are taken; further ones wait")
            });
            // An error would say that the semaphore is closed, which it never is.
            if let Ok(place) = Arc::clone(&self.all).acquire_owned().await {
                return place;
            }
        }
    }

    /// A place for a connection that was just accepted: over TLS that of a handshake, for which another may have to
    /// give way.
    pub fn admit(
        self: &Arc<Self>,
        of_all: OwnedSemaphorePermit,
        address: SocketAddr,
        transport: Transport,
    ) -> Result<ConnectionPlace, Full> {
        let ip = address.ip();
        let handshakes = if is_this_machine(ip) { &self.handshakes_here } else { &self.handshakes };
        let held = match transport {
            Transport::Tls => Held::Handshake(handshakes.begin(Network::of(ip))),
            Transport::Loopback => self.for_stranger(ip)?,
        };
        let of_all = Mutex::new(Some(of_all));
        Ok(ConnectionPlace { places: Arc::clone(self), address, held: Mutex::new(held), of_all })
    }

    /// Says in the log that a connection was refused, though not of each one of many.
    pub fn say_refused(&self, address: SocketAddr, full: Full) {
        self.say(
            || tracing::warn!(%address, reason = %full, "refused a connection, and perhaps others since"),
        );
    }

    /// How many places are taken, of how many.
    pub fn gauges(&self) -> [Gauge; 2] {
        let taken = self.most.saturating_sub(self.all.available_permits());
        let help = "Places for connections that are taken.";
        let help_most = "Places for connections.";
        [
            Gauge { name: "connections", help, value: taken as u64 },
            Gauge { name: "connections_limit", help: help_most, value: self.most as u64 },
        ]
    }

    fn say(&self, say: impl FnOnce()) {
        let mut said = locked(&self.said);
        if said.is_none_or(|said| said.elapsed() >= BETWEEN_WARNINGS) {
            *said = Some(Instant::now());
            say();
        }
    }

    fn for_stranger(&self, address: IpAddr) -> Result<Held, Full> {
        if is_this_machine(address) {
            let place = Arc::clone(&self.strangers_here).try_acquire_owned();
            return place.map(Held::StrangerHere).map_err(|_| Full::StrangersOfNetwork);
        }
        self.strangers
            .take(Network::of(address), Full::StrangersOfNetwork, Full::Strangers)
            .map(Held::Stranger)
    }
}

impl Pool {
    fn take(
        &self,
        network: Network,
        of_network: Full,
        of_all: Full,
    ) -> Result<[OwnedSemaphorePermit; 2], Full> {
        let place = self.of_a_network.try_take(network).ok_or(of_network)?;
        let all = Arc::clone(&self.all).try_acquire_owned().map_err(|_| of_all)?;
        Ok([place, all])
    }
}

impl ConnectionPlace {
    /// Where the connection comes from.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the connection's handshake has to give way to another one's; for ever once it is over.
    pub async fn gives_way(&self) {
        let told = match &*locked(&self.held) {
            Held::Handshake(handshake) => Some(handshake.gives_way()),
            Held::Stranger(_) | Held::StrangerHere(_) | Held::Known(_) => None,
        };
        match told {
            Some(told) => told.notified().await,
            None => std::future::pending().await,
        }
    }

    /// The handshake is over, and the certificate names that machine, if there is one.
    pub fn settle(&self, machine: Option<Uuid>) -> Result<(), Full> {
        let known = machine.and_then(|machine| self.places.known.try_take(Known::Machine(machine)));
        let held = match known {
            Some(known) => Held::Known(known),
            None => self.places.for_stranger(self.address.ip())?,
        };
        *locked(&self.held) = held;
        Ok(())
    }

    /// A call on the connection was authorised: it counts no more as a stranger's, unless the caller has too many.
    pub fn authorised(&self, holder: &Holder) {
        let mut held = locked(&self.held);
        match *held {
            Held::Known(_) => return,
            Held::Handshake(_) | Held::Stranger(_) | Held::StrangerHere(_) => {}
        }
        if let Some(known) = self.places.known.try_take(Known::Caller(holder.clone())) {
            *held = Held::Known(known);
        }
    }

    /// Gives the connection's place among all to whoever needs it, until the rest ends. Whoever lets connections rest sees
    /// to it that they are not too many.
    pub fn rest(self: &Arc<Self>) -> Rest {
        locked(&self.of_all).take();
        Rest(Arc::clone(self))
    }
}

impl Rest {
    /// Takes a place again; false if there is none, so that the connection is to end with the answer.
    #[must_use]
    pub fn end(self) -> bool {
        let place = Arc::clone(&self.0.places.all).try_acquire_owned().ok();
        let has_place = place.is_some();
        *locked(&self.0.of_all) = place;
        has_place
    }
}

/// One line of the log in this time says that connections are refused.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    type Kept = Vec<ConnectionPlace>;

    fn connect(places: &Arc<ConnectionPlaces>, address: &str) -> Result<ConnectionPlace, Full> {
        let of_all = Arc::clone(&places.all).try_acquire_owned().expect("places are left for others");
        places.admit(of_all, SocketAddr::new(address.parse().expect("an address"), 1), Transport::Tls)
    }

    fn as_stranger(places: &Arc<ConnectionPlaces>, address: &str) -> Result<ConnectionPlace, Full> {
        connect(places, address).and_then(|place| place.settle(None).map(|()| place))
    }

    /// As many strangers from there as get a place, and why the next one gets none.
    fn strangers(places: &Arc<ConnectionPlaces>, address: &str) -> (Kept, Full) {
        let mut kept = Vec::new();
        loop {
            match as_stranger(places, address) {
                Ok(place) => kept.push(place),
                Err(full) => return (kept, full),
            }
        }
    }

    #[test]
    fn strangers_of_one_address_take_a_sixteenth_and_leave_the_rest_to_others() {
        let places = Arc::new(ConnectionPlaces::new(128));
        let (kept, full) = strangers(&places, "10.0.0.1");
        assert_eq!((kept.len(), full), (8, Full::StrangersOfNetwork));
        assert!(as_stranger(&places, "10.0.0.2").is_ok());
        drop(kept);
        assert!(as_stranger(&places, "10.0.0.1").is_ok());
    }

    #[test]
    fn strangers_of_a_line_of_ipv6_are_one() {
        let places = Arc::new(ConnectionPlaces::new(128));
        let kept: Vec<_> =
            (0..8).map(|host| as_stranger(&places, &format!("2001:db8::{host}")).unwrap()).collect();
        assert_eq!(as_stranger(&places, "2001:db8::ffff").err(), Some(Full::StrangersOfNetwork));
        assert!(as_stranger(&places, "2001:db8:0:1::1").is_ok());
        drop(kept);
    }

    #[test]
    fn strangers_of_many_addresses_leave_places_to_machines_callers_and_this_machine() {
        let places = Arc::new(ConnectionPlaces::new(128));
        let floods: Vec<_> = (1..=9).map(|number| strangers(&places, &format!("10.0.0.{number}"))).collect();
        assert_eq!(floods.iter().map(|(kept, _)| kept.len()).sum::<usize>(), 64);
        assert_eq!(floods[8].1, Full::Strangers);
        // From the very address that has its share.
        let machine = connect(&places, "10.0.0.1").unwrap();
        assert_eq!(machine.settle(Some(Uuid::from_u128(1))), Ok(()));
        let (here, full) = strangers(&places, "127.0.0.1");
        assert_eq!((here.len(), full), (16, Full::StrangersOfNetwork));
        assert!(places.all.available_permits() > 128 / 4);
    }

    #[test]
    fn a_connection_counts_as_a_stranger_s_until_a_call_on_it_is_authorised() {
        let places = Arc::new(ConnectionPlaces::new(128));
        let (kept, _) = strangers(&places, "10.0.0.1");
        let holder = Holder::Token("ci".to_owned());
        kept[0].authorised(&holder);
        kept[0].authorised(&holder);
        let other = as_stranger(&places, "10.0.0.1").unwrap();
        assert_eq!(as_stranger(&places, "10.0.0.1").err(), Some(Full::StrangersOfNetwork));
        // Nor does who is known take all: the seventeenth goes on counting for its address.
        kept[1..].iter().chain([&other]).for_each(|place| place.authorised(&holder));
        let (more, _) = strangers(&places, "10.0.0.1");
        assert_eq!(more.len(), 8);
        more.iter().for_each(|place| place.authorised(&holder));
        assert_eq!(strangers(&places, "10.0.0.1").0.len(), 7);
    }

    fn has_to_give_way(place: &ConnectionPlace) -> bool {
        place.gives_way().now_or_never().is_some()
    }

    #[test]
    fn silent_handshakes_of_eight_networks_end_themselves_and_nobody_else_s() {
        for (flood, machine, most) in [("10.0.0", "10.0.9.1", 64), ("127.0.0", "127.0.9.1", 32)] {
            let places = Arc::new(ConnectionPlaces::new(512));
            let flood = || -> Kept {
                let from = |number: usize| format!("{flood}.{}", 2 + number % 8);
                (0..128).map(|number| connect(&places, &from(number)).unwrap()).collect()
            };
            let silent = flood();
            let machine = connect(&places, machine).unwrap();
            let more = flood();
            assert!(!has_to_give_way(&machine));
            assert_eq!(machine.settle(Some(Uuid::from_u128(1))), Ok(()));
            assert!(silent.iter().all(has_to_give_way), "the oldest go first");
            let left = more.iter().filter(|place| !has_to_give_way(place)).count();
            assert_eq!(left, most - 1);
            assert_eq!(places.handshakes.count() + places.handshakes_here.count(), left);
        }
    }

    #[test]
    fn of_as_many_handshakes_the_oldest_gives_way_and_what_is_over_does_not() {
        let places = Arc::new(ConnectionPlaces::new(128));
        let kept: Vec<_> =
            (0..16).map(|number| connect(&places, &format!("10.0.1.{number}")).unwrap()).collect();
        kept[0].settle(None).unwrap();
        let newer = connect(&places, "10.0.2.1").unwrap();
        assert!(!kept.iter().any(has_to_give_way));
        drop(connect(&places, "10.0.2.2").unwrap());
        assert_eq!(kept.iter().map(has_to_give_way).position(|gives_way| gives_way), Some(1));
        assert!(!has_to_give_way(&newer));
        assert_eq!(places.handshakes.count(), 15);
    }

    #[test]
    fn what_is_plain_takes_no_place_of_a_handshake() {
        let places = Arc::new(ConnectionPlaces::new(128));
        let of_all = || Arc::clone(&places.all).try_acquire_owned().expect("places are left for others");
        let address = "127.0.0.1:1".parse().expect("an address");
        let kept: Vec<_> =
            (0..16).map(|_| places.admit(of_all(), address, Transport::Loopback).unwrap()).collect();
        assert_eq!(places.handshakes_here.count(), 0);
        let full = places.admit(of_all(), address, Transport::Loopback);
        assert_eq!(full.err(), Some(Full::StrangersOfNetwork));
        drop(kept);
    }

    #[test]
    fn who_is_refused_keeps_nothing() {
        let places = Arc::new(ConnectionPlaces::new(128));
        let (kept, _) = strangers(&places, "10.0.0.1");
        for _ in 0..1000 {
            assert!(as_stranger(&places, "10.0.0.1").is_err());
        }
        assert_eq!(places.all.available_permits(), 128 - kept.len());
        assert_eq!(places.handshakes.count(), 0);
        assert_eq!(places.strangers.all.available_permits(), 64 - kept.len());
    }

    #[test]
    fn who_rests_leaves_his_place_to_another_and_has_one_again_if_there_is_one() {
        let places = Arc::new(ConnectionPlaces::new(1));
        let machine = Uuid::from_u128(1);
        let connect = || {
            let place = Arc::new(connect(&places, "10.0.0.1").unwrap());
            place.settle(Some(machine)).unwrap();
            place
        };
        let resting = connect().rest();
        let other = Arc::new(as_stranger(&places, "10.0.0.2").unwrap());
        assert!(!resting.end(), "the other one has the place");
        let resting = other.rest();
        assert!(resting.end());
        drop(other);
        let resting = connect().rest();
        assert_eq!(places.gauges()[0].value, 0);
        drop(resting);
        assert_eq!(
            places.gauges()[0].value,
            0,
            "who hangs up in his rest gives back nothing that he does not have"
        );
    }

    #[test]
    fn even_one_place_lets_somebody_in() {
        let places = Arc::new(ConnectionPlaces::new(1));
        assert!(as_stranger(&places, "10.0.0.1").is_ok());
        assert!(as_stranger(&places, "127.0.0.1").is_ok());
    }
}
