//! Every broker property this broker knows, defined once, by theme.
//!
//! Leaf: data. Facts (name, type, default, bounds) are those of Apache Kafka 4.3's `AbstractKafkaConfig.CONFIG_DEF`;
//! `older` adds the names that files written for earlier versions carry, `own` what only this broker has.

mod cluster;
mod groups;
mod observing;
mod older;
mod own;
mod remote;
mod replication;
mod sasl;
mod security;
mod server;
mod share_groups;
mod storage;
mod tls;
mod transactions;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::property::Property;

/// The themes, in the order an operator would read them.
static THEMES: &[&[Property]] = &[
    server::PROPERTIES,
    own::PROPERTIES,
    storage::PROPERTIES,
    cluster::PROPERTIES,
    replication::PROPERTIES,
    groups::PROPERTIES,
    share_groups::PROPERTIES,
    transactions::PROPERTIES,
    remote::PROPERTIES,
    observing::PROPERTIES,
    security::PROPERTIES,
    tls::PROPERTIES,
    sasl::PROPERTIES,
    older::PROPERTIES,
];

static BY_NAME: LazyLock<BTreeMap<&'static str, &'static Property>> = LazyLock::new(|| {
    THEMES
        .iter()
        .copied()
        .flatten()
        .map(|property| (property.name, property))
        .collect()
});

/// The broker property called `name`.
pub fn broker_property(name: &str) -> Option<&'static Property> {
    BY_NAME.get(name).copied()
}

/// Every broker property, by name.
pub fn broker_properties() -> impl Iterator<Item = &'static Property> {
    BY_NAME.values().copied()
}

/// Whether Kafka 4.3 has the property `name` of this table: not the older ones, nor this broker's own.
pub fn is_kafkas(name: &str) -> bool {
    let mut others = older::PROPERTIES.iter().chain(own::PROPERTIES);
    others.all(|property| property.name != name)
}

/// The known name most like `name`; `None` when nothing is near enough to be a slip of the finger.
pub fn nearest_name(name: &str) -> Option<&'static str> {
    nearest(name, BY_NAME.keys().copied())
}

/// As [`nearest_name`], among other names.
pub fn nearest(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let tolerated = (name.chars().count() / 4).clamp(1, 5);
    let (distance, nearest) = known
        .map(|known| (edit_distance(name, known), known))
        .min()?;
    (distance <= tolerated).then_some(nearest)
}

/// Letters to insert, drop or replace to make one name of the other (Levenshtein's distance).
fn edit_distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests;
