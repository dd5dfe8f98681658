//! The places that cannot be seen, until they can be again.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::{Demand, Memory, OpenGap};
use crate::{EntityPath, Gap, GapCause, GapScope, Timestamp};

/// The gaps that are open, each reported once when it opens and once when it closes.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenGaps {
    places: BTreeMap<EntityPath, Place>,
    /// The gap of scans that were cut short, until one is complete.
    cut_short: Option<Gap>,
}

#[derive(Clone, Debug)]
struct Place {
    open: OpenGap,
    /// It could not be seen in the scan under way either.
    is_confirmed: bool,
    /// It has been reported as closed; kept until the scan ends, as what is within it has yet to be looked at.
    is_closed: bool,
}

impl OpenGaps {
    pub(super) fn from_memory(open_gaps: Vec<OpenGap>) -> Self {
        let mut gaps = Self::default();
        for open in open_gaps {
            match open.gap.scope.clone() {
                GapScope::Everything => gaps.cut_short = Some(open.gap),
                // Lists keep their own.
                GapScope::List(_) | GapScope::Part(_) => {}
                GapScope::Within(path) => {
                    gaps.places.insert(path, Place { open, is_confirmed: false, is_closed: false });
                }
            }
        }
        gaps
    }

    pub(super) fn to_memory(&self) -> Vec<OpenGap> {
        let whole = self.cut_short.iter().map(|gap| OpenGap {
            gap: gap.clone(),
            is_unknown: false,
            is_merged: false,
        });
        let places = self.places.values().filter(|place| !place.is_closed).map(|place| place.open.clone());
        whole.chain(places).collect()
    }

    pub(super) fn open_count(&self) -> usize {
        self.places.values().filter(|place| !place.is_closed).count() + usize::from(self.cut_short.is_some())
    }

    pub(super) fn begin_scan(&mut self) {
        for place in self.places.values_mut() {
            place.is_confirmed = false;
        }
    }

    /// Notes that a place cannot be seen, and reports it unless it is known.
    pub(super) fn open(&mut self, path: &EntityPath, gap: Gap, is_unknown: bool, demands: &mut Vec<Demand>) {
        if let Some(merged) = self.merged_around(path) {
            merged.is_confirmed = true;
            return;
        }
        match self.places.entry(path.clone()) {
            Entry::Occupied(mut known) if !known.get().is_closed => known.get_mut().is_confirmed = true,
            entry => {
                demands.push(Demand::Report(Box::new(gap.clone())));
                let open = OpenGap { gap, is_unknown, is_merged: false };
                entry.insert_entry(Place { open, is_confirmed: true, is_closed: false });
            }
        }
        if self.places.len() > Memory::MAX_OPEN_GAPS {
            self.merge_nearest(demands);
        }
    }

    /// Notes that a place can be seen.
    pub(super) fn close(&mut self, path: &EntityPath, now: Timestamp, demands: &mut Vec<Demand>) {
        if self.places.is_empty() {
            return;
        }
        if let Some(place) = self.places.get_mut(path).filter(|place| !place.open.is_merged) {
            place.close(now, demands);
        }
    }

    /// True if the place could not be seen at some time since the last complete scan began.
    pub(super) fn knows(&self, path: &EntityPath) -> bool {
        self.places.contains_key(path)
    }

    /// True if the place is known not to be seen now.
    pub(super) fn is_open(&self, path: &EntityPath) -> bool {
        self.places.get(path).is_some_and(|place| !place.is_closed)
    }

    /// Closes what was not met again in a scan that saw everything.
    pub(super) fn end_complete_scan(&mut self, now: Timestamp, demands: &mut Vec<Demand>) {
        for place in self.places.values_mut().filter(|place| !place.is_confirmed) {
            place.close(now, demands);
        }
        self.places.retain(|_, place| !place.is_closed);
        self.close_cut_short(now, demands);
    }

    /// Closes everything: nothing is monitored any more.
    pub(super) fn close_all(&mut self, now: Timestamp, demands: &mut Vec<Demand>) {
        for place in self.places.values_mut() {
            place.close(now, demands);
        }
        self.places.clear();
        self.close_cut_short(now, demands);
    }

    pub(super) fn open_cut_short(&mut self, start: Timestamp, detail: String, demands: &mut Vec<Demand>) {
        if self.cut_short.is_none() {
            let cause = GapCause::ScanCutShort;
            let gap = Gap { scope: GapScope::Everything, start, end: None, cause, detail };
            demands.push(Demand::Report(Box::new(gap.clone())));
            self.cut_short = Some(gap);
        }
    }

    /// True if the path lies in a place that was never seen while it was monitored.
    pub(super) fn is_unknown(&self, path: &EntityPath) -> bool {
        let covers = |above: &EntityPath| self.places.get(above).is_some_and(|place| place.open.is_unknown);
        !self.places.is_empty()
            && std::iter::successors(Some(path.clone()), EntityPath::parent).any(|above| covers(&above))
    }

    fn close_cut_short(&mut self, now: Timestamp, demands: &mut Vec<Demand>) {
        if let Some(gap) = self.cut_short.take() {
            demands.push(Demand::Report(Box::new(Gap { end: Some(now.max(gap.start)), ..gap })));
        }
    }

    fn merged_around(&mut self, path: &EntityPath) -> Option<&mut Place> {
        if self.places.is_empty() {
            return None;
        }
        let above = std::iter::successors(Some(path.clone()), EntityPath::parent).find(|above| {
            self.places.get(above).is_some_and(|place| place.open.is_merged && !place.is_closed)
        })?;
        self.places.get_mut(&above)
    }

    /// Puts the two places that are nearest to each other, with all others in the directory that they have in common,
    /// into one gap of that directory.
    fn merge_nearest(&mut self, demands: &mut Vec<Demand>) {
        let neighbours = self.places.keys().zip(self.places.keys().skip(1));
        let nearest = neighbours.filter_map(|(left, right)| common_ancestor(left, right));
        let Some(directory) = nearest.max_by_key(|ancestor| ancestor.segments().count()) else { return };
        let mut merged: Option<OpenGap> = None;
        self.places.retain(|path, place| {
            if !path.is_within(&directory) {
                return true;
            }
            let (start, is_unknown) = merged
                .as_ref()
                .map_or((place.open.gap.start, false), |merged| (merged.gap.start, merged.is_unknown));
            merged = Some(OpenGap {
                gap: Gap {
                    scope: GapScope::Within(directory.clone()),
                    start: start.min(place.open.gap.start),
                    end: None,
                    cause: place.open.gap.cause,
                    detail: "many places within it cannot be read; they are not told one by one".to_owned(),
                },
                is_unknown: is_unknown || place.open.is_unknown,
                is_merged: true,
            });
            // From here on the wider gap tells of it, from the same moment or before.
            place.close(place.open.gap.start, demands);
            false
        });
        if let Some(open) = merged {
            demands.push(Demand::Report(Box::new(open.gap.clone())));
            self.places.insert(directory, Place { open, is_confirmed: true, is_closed: false });
        }
    }
}

impl Place {
    fn close(&mut self, now: Timestamp, demands: &mut Vec<Demand>) {
        if !self.is_closed {
            self.is_closed = true;
            let end = Some(now.max(self.open.gap.start));
            demands.push(Demand::Report(Box::new(Gap { end, ..self.open.gap.clone() })));
        }
    }
}

/// The innermost directory that both paths are within.
fn common_ancestor(left: &EntityPath, right: &EntityPath) -> Option<EntityPath> {
    std::iter::successors(Some(left.clone()), EntityPath::parent).find(|above| right.is_within(above))
}
