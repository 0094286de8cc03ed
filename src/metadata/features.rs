//! The features of a cluster whose levels this broker keeps.
//!
//! A level is a promise to clients (`transaction.version` 2, for one, changes what producers send), so a new cluster is given the
//! levels this broker keeps and no others. A cluster that is there keeps its own until somebody raises them (UpdateFeatures).

/// A feature, and the levels this broker keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Feature {
    /// Its name.
    pub name: &'static str,
    /// The lowest level.
    pub min: i16,
    /// The highest level, which a new cluster gets.
    pub max: i16,
}

/// Which versions of the records are written: from the first of KRaft's own up to 4.3-IV0.
pub const METADATA_VERSION: Feature = Feature {
    name: "metadata.version",
    min: 7,
    max: 30,
};

/// How transactions end and begin (KIP-890): from level 2 on each has an epoch of its own, and Produce adds partitions.
pub const TRANSACTION_VERSION: Feature = Feature {
    name: "transaction.version",
    min: 0,
    max: 2,
};

/// All of them, the one that decides about the records first.
pub const FEATURES: [Feature; 2] = [METADATA_VERSION, TRANSACTION_VERSION];

/// The feature of this name.
pub fn feature(name: &str) -> Option<&'static Feature> {
    FEATURES.iter().find(|feature| feature.name == name)
}
