//! Results back into the order of their tasks.

use std::collections::VecDeque;

use fim_core::Observation;

/// Observations in path order, some of them still being made. Bounded: its answer to "full" is that the walk waits.
#[derive(Default)]
pub(crate) struct Window {
    first: u64,
    slots: VecDeque<Slot>,
}

enum Slot {
    Waiting,
    Ready(Option<Observation>),
}

impl Window {
    /// True if the walk has to wait.
    pub(crate) fn is_full(&self) -> bool {
        self.slots.len() >= WINDOW_ENTITIES
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Adds an observation at the end.
    pub(crate) fn push_ready(&mut self, observation: Observation) {
        self.slots.push_back(Slot::Ready(Some(observation)));
    }

    /// Keeps a place at the end for a task, and gives the number to resolve it by.
    pub(crate) fn push_waiting(&mut self) -> u64 {
        self.slots.push_back(Slot::Waiting);
        self.first + self.slots.len() as u64 - 1
    }

    /// Fills the place of a task; `None` if there was nothing to observe after all.
    pub(crate) fn resolve(&mut self, number: u64, observation: Option<Observation>) {
        let position = number.checked_sub(self.first).and_then(|position| usize::try_from(position).ok());
        if let Some(slot) = position.and_then(|position| self.slots.get_mut(position)) {
            *slot = Slot::Ready(observation);
        }
    }

    /// Takes the first observation, if it has been made.
    pub(crate) fn pop(&mut self) -> Option<Observation> {
        while let Some(Slot::Ready(_)) = self.slots.front() {
            self.first += 1;
            if let Some(Slot::Ready(Some(observation))) = self.slots.pop_front() {
                return Some(observation);
            }
        }
        None
    }

    /// True if [`pop`](Self::pop) may have something to give or to clear away.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.slots.front(), Some(Slot::Ready(_)))
    }
}

/// Enough that small files go on beside a large one for a while; each is some hundred bytes.
const WINDOW_ENTITIES: usize = 1024;
