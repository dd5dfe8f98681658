//! A walk to a few places instead of all.

use fim_core::{EntityKind, EntityPath, ScanPlan, Spot};

use crate::plan::Plan;

/// Leads a walk to spots and nowhere else; what it looks at there, the scan plan decides.
#[derive(Clone, Debug)]
pub struct SpotPlan {
    plan: ScanPlan,
    /// In path order, and none within a deep one.
    spots: Vec<Spot>,
}

impl SpotPlan {
    /// A walk to the spots, which are in path order and none within a deep one.
    pub fn new(plan: ScanPlan, spots: Vec<Spot>) -> Self {
        Self { plan, spots }
    }

    /// True if the place is a spot or within a deep one.
    fn names(&self, path: &EntityPath) -> bool {
        // What is within a deep spot comes right behind it.
        let behind = self.spots.partition_point(|spot| spot.path <= *path);
        behind
            .checked_sub(1)
            .and_then(|last| self.spots.get(last))
            .is_some_and(|spot| spot.path == *path || (spot.is_deep && path.is_within(&spot.path)))
    }

    fn is_deep_at(&self, path: &EntityPath) -> bool {
        let behind = self.spots.partition_point(|spot| spot.path <= *path);
        behind
            .checked_sub(1)
            .and_then(|last| self.spots.get(last))
            .is_some_and(|spot| spot.is_deep && path.is_within(&spot.path))
    }

    fn leads_through(&self, path: &EntityPath) -> bool {
        let behind = self.spots.partition_point(|spot| spot.path <= *path);
        self.spots.get(behind).is_some_and(|spot| spot.path.is_within(path))
    }
}

impl Plan for SpotPlan {
    fn roots(&self) -> Vec<EntityPath> {
        self.spots.iter().map(|spot| spot.path.clone()).collect()
    }

    fn named(&self) -> Vec<EntityPath> {
        Plan::named(&self.plan)
    }

    fn watches(&self, path: &EntityPath, real: &EntityPath, kind: EntityKind) -> bool {
        self.names(path) && self.plan.watches(path, real, kind)
    }

    fn descends(&self, path: &EntityPath) -> bool {
        (self.is_deep_at(path) && self.plan.descends(path)) || self.leads_through(path)
    }

    fn may_follow(&self, link: &EntityPath) -> bool {
        self.names(link) || self.leads_through(link)
    }

    fn follows(&self, link: &EntityPath, real: &EntityPath, kind: EntityKind) -> bool {
        self.plan.follows(link, real, kind)
    }
}
