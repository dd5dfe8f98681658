//! What becomes of a watcher that fails, with watchers that fail at will.

use std::collections::VecDeque;
use std::sync::Mutex;

use fim_scan::WatchError;

use super::*;

/// How a watcher ends that has heard some canaries.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Deaf,
    Refused,
    Panics,
    /// It says nothing for so long that it is given up; then the sensor is told to stop.
    IsGivenUp,
    /// The sensor is told to stop.
    Stop,
}

struct Fake {
    canary: Option<EntityPath>,
    /// How many waits it hears the canary in.
    hears: u32,
    fate: Fate,
    /// What it cannot watch: another place, or none, after each wait.
    unwatched: Vec<Unwatched>,
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

    fn tells_who(&self) -> bool {
        true
    }

    fn watch(&mut self, _: &Arc<ScanPlan>, canary: &EntityPath) {
        self.canary = Some(canary.clone());
    }

    fn unwatched(&self) -> &[Unwatched] {
        &self.unwatched
    }

    fn wait(&mut self, _: Duration, hints: &mut Vec<Hint>) -> Result<(), WatchError> {
        let path = EntityPath::unix(format!("/after/{}", self.hears));
        self.unwatched = vec![Unwatched { path, why: "it came later".to_owned() }];
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
            Fate::IsGivenUp => {
                assert!(self.inbox.miss_heard(0, "it said nothing"));
                self.inbox.stop();
                Ok(())
            }
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
    unwatched: Vec<String>,
    /// When the first watcher heard something last.
    last: Timestamp,
    begun: Timestamp,
    /// Until when everything would have counted as heard if the sensor had been killed while its watcher was deaf.
    claimed: Timestamp,
}

/// Runs watchers with these fates, one after the other, until there are no more.
fn run(fates: &[Fate]) -> Told {
    run_by(WatchOrders::default(), fates)
}

fn run_by(orders: WatchOrders, fates: &[Fate]) -> Told {
    let (inbox, orders) = (Arc::new(Inbox::default()), Arc::new(orders));
    orders.watch(&Arc::default());
    let last = Arc::new(Mutex::new(now()));
    let claimed = Arc::new(Mutex::new(Timestamp::default()));
    let mut watchers: VecDeque<Box<dyn Watcher>> = VecDeque::new();
    for (turn, &fate) in fates.iter().enumerate() {
        let last = if turn == 0 { Arc::clone(&last) } else { Arc::default() };
        let (inbox, claimed) = (Arc::clone(&inbox), Arc::clone(&claimed));
        watchers.push_back(Box::new(Fake {
            canary: None,
            hears: 5,
            fate,
            unwatched: Vec::new(),
            inbox,
            last,
            claimed,
        }));
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
    let losses = inbox.take_hints().into_iter().map(|hint| match hint.notice {
        Notice::Lost(loss) => loss,
        other => panic!("{other:?}"),
    });
    Told {
        losses: losses.collect(),
        rests: rests.lock().unwrap().clone(),
        real_time: inbox.take_real_time(),
        provider: status.get().provider,
        unwatched: status.get().unwatched,
        last: *last.lock().unwrap(),
        begun,
        claimed: *claimed.lock().unwrap(),
    }
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

#[test]
fn who_was_given_up_and_answers_again_tells_the_loss_since_he_was_heard() {
    let told = run(&[Fate::IsGivenUp]);
    let [given_up, back] = told.losses.as_slice() else { panic!("{:?}", told.losses) };
    for loss in [given_up, back] {
        assert_eq!((&loss.scope, loss.cause), (&GapScope::Everything, GapCause::NoticesLost));
        assert!(loss.since >= told.begun && loss.since <= told.last, "{loss:?}");
    }
    assert_eq!((told.real_time, told.provider.as_str()), (Some(true), "fake"));
}

#[test]
fn what_happens_until_an_order_is_performed_that_nobody_waits_for_any_more_is_a_loss() {
    let orders = WatchOrders::with_patience(Duration::ZERO);
    orders.serve(true);
    let before = now();
    let told = run_by(orders, &[Fate::Stop]);
    let [loss] = told.losses.as_slice() else { panic!("{:?}", told.losses) };
    assert_eq!((&loss.scope, loss.cause), (&GapScope::Everything, GapCause::NoticesLost));
    assert!(loss.since >= before && loss.since <= told.begun, "{loss:?}");
}

#[test]
fn places_that_cannot_be_watched_are_shown_when_they_come_and_no_more_when_they_are_gone() {
    assert_eq!(run(&[Fate::Stop]).unwatched, ["/after/0: it came later"]);
}

#[test]
fn a_plan_that_is_watched_already_is_not_ordered_again() {
    let orders = WatchOrders::default();
    orders.watch(&Arc::default());
    let (first, _) = orders.newer_than(0).unwrap();
    orders.watch(&Arc::default());
    assert!(orders.newer_than(first).is_none());
    let rules = vec![fim_core::Rule::new("etc", "mine", "/etc")];
    let rules = fim_core::RuleSet::new(rules, fim_core::PathStyle::Unix).unwrap();
    orders.watch(&Arc::new(rules.scan_plan()));
    assert!(orders.newer_than(first).is_some());
}
