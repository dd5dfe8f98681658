//! What becomes of a watcher that fails, with watchers that fail at will.

use std::collections::VecDeque;

use fim_scan::WatchError;

use super::*;
use crate::inbox::Message;

/// How a watcher ends that has heard some canaries.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Deaf,
    Refused,
    Panics,
    /// The sensor is told to stop.
    Stop,
}

struct Fake {
    canary: Option<EntityPath>,
    /// How many waits it hears the canary in.
    hears: u32,
    fate: Fate,
    inbox: Arc<Inbox>,
    /// When the last wait began in which anything was heard.
    last: Arc<Mutex<Timestamp>>,
    /// Until when everything counted as heard while it was deaf.
    claimed: Arc<Mutex<Timestamp>>,
}

impl Watcher for Fake {
    fn provider(&self) -> &'static str {
        "fake"
    }

    fn heard(&self) -> Timestamp {
        // A deaf one knows nothing of it.
        if self.hears > 0 { *self.last.lock().unwrap() } else { now() }
    }

    fn watch(&mut self, _: &Arc<ScanPlan>, canary: &EntityPath) -> Vec<Unwatched> {
        self.canary = Some(canary.clone());
        Vec::new()
    }

    fn wait(&mut self, _: Duration, hints: &mut Vec<Hint>) -> Result<(), WatchError> {
        if self.hears > 0 {
            self.hears -= 1;
            *self.last.lock().unwrap() = now();
            let notice = Notice::Touched(self.canary.clone().unwrap());
            hints.push(Hint { notice, time: now(), since: now(), by: Err(WhoUnknown::NotTold) });
            return Ok(());
        }
        match self.fate {
            Fate::Deaf => {
                let mut claimed = self.claimed.lock().unwrap();
                *claimed = self.inbox.settled_until(now()).max(*claimed);
                Ok(())
            }
            Fate::Refused => {
                Err(WatchError::System { doing: "read", source: std::io::ErrorKind::Other.into() })
            }
            Fate::Panics => panic!("a watcher that fails at will"),
            Fate::Stop => {
                self.inbox.stop();
                Ok(())
            }
        }
    }
}

/// What the engine is told, and what there is to compare it with.
struct Told {
    losses: Vec<Loss>,
    /// How many failures there had been at each rest.
    rests: Vec<u32>,
    real_time: Option<bool>,
    provider: String,
    /// When the first watcher heard something last.
    last: Timestamp,
    begun: Timestamp,
    /// Until when everything would have counted as heard if the sensor had been killed while its watcher was deaf.
    claimed: Timestamp,
}

/// Runs watchers with these fates, one after the other, until there are no more.
fn run(fates: &[Fate]) -> Told {
    let (inbox, orders) = (Arc::new(Inbox::default()), Arc::new(WatchOrders::default()));
    orders.watch(Arc::default());
    let last = Arc::new(Mutex::new(now()));
    let claimed = Arc::new(Mutex::new(Timestamp::default()));
    let mut watchers: VecDeque<Box<dyn Watcher>> = VecDeque::new();
    for (turn, &fate) in fates.iter().enumerate() {
        let last = if turn == 0 { Arc::clone(&last) } else { Arc::default() };
        let (inbox, claimed) = (Arc::clone(&inbox), Arc::clone(&claimed));
        watchers.push_back(Box::new(Fake { canary: None, hears: 5, fate, inbox, last, claimed }));
    }
    let first = watchers.pop_front();
    let folder = tempfile::tempdir().unwrap();
    let status = SharedStatus::default();
    let rests: Arc<Mutex<Vec<u32>>> = Arc::default();
    let begun = now();
    let real_time = RealTime {
        make: Box::new(move || WatcherChoice { watcher: watchers.pop_front(), refused: Vec::new() }),
        orders,
        inbox: Arc::clone(&inbox),
        status: status.clone(),
        own_dir: folder.path().to_owned(),
        canary: CanaryTimes { every: Duration::ZERO, answer: Duration::from_millis(5) },
        known: Arc::default(),
        rest: {
            let rests = Arc::clone(&rests);
            Box::new(move |failures| {
                rests.lock().unwrap().push(failures);
                Duration::ZERO
            })
        },
        heard: begun,
    };
    let _ = panic::catch_unwind(AssertUnwindSafe(|| real_time.run(first)));
    let mut told = Told {
        losses: Vec::new(),
        rests: rests.lock().unwrap().clone(),
        real_time: inbox.take_real_time(),
        provider: status.get().provider,
        last: *last.lock().unwrap(),
        begun,
        claimed: *claimed.lock().unwrap(),
    };
    if let Message::Hints(hints) = inbox.take() {
        told.losses = hints
            .into_iter()
            .map(|hint| match hint.notice {
                Notice::Lost(loss) => loss,
                other => panic!("{other:?}"),
            })
            .collect();
    }
    told
}

#[test]
fn where_no_watcher_is_left_the_silence_is_a_loss_since_the_last_that_was_heard() {
    for fate in [Fate::Deaf, Fate::Refused, Fate::Panics] {
        let told = run(&[fate]);
        let [loss] = told.losses.as_slice() else { panic!("{fate:?}: {:?}", told.losses) };
        assert_eq!((&loss.scope, loss.cause), (&GapScope::Everything, GapCause::NoticesLost));
        assert!(loss.since >= told.begun && loss.since <= told.last, "{fate:?}: {loss:?}");
        assert_eq!((told.real_time, told.provider.as_str()), (Some(false), "scan"), "{fate:?}");
    }
}

#[test]
fn a_watcher_that_takes_the_place_of_another_tells_since_when_that_was_not_heard() {
    for fate in [Fate::Deaf, Fate::Refused] {
        // What waits for the engine when the sensor stops is not taken any more, so the third one fails instead.
        let told = run(&[fate, Fate::Panics]);
        let [first, second] = told.losses.as_slice() else { panic!("{fate:?}: {:?}", told.losses) };
        assert!(first.since >= told.begun && first.since <= told.last, "{fate:?}: {first:?}");
        assert!(second.since > told.last, "what the second one has heard is no loss: {second:?}");
    }
}

#[test]
fn a_watcher_that_fails_again_and_again_rests_longer_each_time_and_the_rest_is_a_loss() {
    let told = run(&[Fate::Refused; 5]);
    assert_eq!(told.rests, [0, 1, 2, 3]);
    // When it failed, when another was made after a rest, and at the end.
    assert_eq!(told.losses.len(), 9, "{:?}", told.losses);
    assert!(told.losses.iter().all(|loss| loss.scope == GapScope::Everything));
    assert_eq!((told.real_time, told.provider.as_str()), (Some(false), "scan"));
}

#[test]
fn what_a_deaf_watcher_may_have_missed_is_not_claimed_as_watched_by_who_is_killed() {
    let told = run(&[Fate::Deaf]);
    assert!(told.claimed >= told.begun, "{:?}", told.claimed);
    assert!(told.claimed <= told.last, "{:?} is after {:?}", told.claimed, told.last);
}

#[test]
fn a_stop_is_no_loss() {
    let told = run(&[Fate::Stop]);
    assert_eq!((told.losses, told.real_time, told.provider.as_str()), (Vec::new(), None, "fake"));
}
