//! Software of which several versions may be installed under one name.

use std::collections::{BTreeMap, BTreeSet};

use fim_core::Software;

/// What was found; what is installed several times under one name is one, with all its versions.
#[derive(Default)]
pub(super) struct SideBySide(BTreeMap<(String, Option<String>), (Software, BTreeSet<String>)>);

impl SideBySide {
    pub(super) fn add(&mut self, software: Software) {
        let key = (software.name.clone(), software.architecture.clone());
        let version = software.version.clone();
        self.0.entry(key).or_insert_with(|| (software, BTreeSet::new())).1.extend(version);
    }

    pub(super) fn software(self) -> Vec<Software> {
        let joined = |versions: BTreeSet<String>| versions.into_iter().collect::<Vec<_>>().join(", ");
        let with = |(software, versions): (Software, BTreeSet<String>)| Software {
            version: Some(joined(versions)).filter(|versions| !versions.is_empty()),
            ..software
        };
        self.0.into_values().map(with).collect()
    }
}
