//! What the state held beside what was seen.

use std::cmp::Ordering;

use fim_core::{Entity, Observation};

/// One place in path order: what the state held, what was seen there, or both.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// What the state held.
    pub before: Option<Box<Entity>>,
    /// What was seen; nothing if the scan came past the place without a word of it.
    pub seen: Option<Observation>,
}

/// Pairs a state with what a scan sees, both in path order and neither held whole.
///
/// It ends with the scan's last observation. What the state holds behind that is in [`into_rest`](Self::into_rest):
/// gone if the scan was complete, and unknown if it was cut short.
#[derive(Debug)]
pub struct Pairs<S, O> {
    state: S,
    before: Option<Entity>,
    seen: O,
    waiting: Option<Observation>,
}

impl<S, O, E> Pairs<S, O>
where
    S: Iterator<Item = Result<Entity, E>>,
    O: Iterator<Item = Observation>,
{
    /// Pairs the two.
    pub fn new(state: S, seen: O) -> Self {
        Self { state, before: None, seen, waiting: None }
    }

    /// Where the observations come from, to ask it how it is doing or how it ended.
    pub fn source(&self) -> &O {
        &self.seen
    }

    /// True if the next pair cannot be told without another observation.
    pub fn needs_observation(&self) -> bool {
        self.waiting.is_none()
    }

    /// What the state holds behind the last pair.
    pub fn into_rest(self) -> impl Iterator<Item = Result<Entity, E>> {
        self.before.map(Ok).into_iter().chain(self.state)
    }

    fn next_before(&mut self) -> Result<Option<Entity>, E> {
        match self.before.take() {
            Some(before) => Ok(Some(before)),
            None => self.state.next().transpose(),
        }
    }
}

impl<S, O, E> Iterator for Pairs<S, O>
where
    S: Iterator<Item = Result<Entity, E>>,
    O: Iterator<Item = Observation>,
{
    type Item = Result<Pair, E>;

    fn next(&mut self) -> Option<Self::Item> {
        let seen = self.waiting.take().or_else(|| self.seen.next())?;
        let before = match self.next_before() {
            Ok(Some(before)) => before,
            Ok(None) => return Some(Ok(Pair { before: None, seen: Some(seen) })),
            Err(error) => {
                self.waiting = Some(seen);
                return Some(Err(error));
            }
        };
        let pair = match before.key.path().cmp(seen.path()) {
            Ordering::Less => {
                self.waiting = Some(seen);
                Pair { before: Some(Box::new(before)), seen: None }
            }
            Ordering::Equal => Pair { before: Some(Box::new(before)), seen: Some(seen) },
            Ordering::Greater => {
                self.before = Some(before);
                Pair { before: None, seen: Some(seen) }
            }
        };
        Some(Ok(pair))
    }
}
