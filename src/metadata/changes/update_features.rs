//! UpdateFeatures decided: which levels this broker can work with, in the order of a Kafka 4.3 controller's checks.
//!
//! All updates are made or none.

use super::Refusal;
use crate::metadata::features::{self, METADATA_VERSION};
use crate::metadata::image::Image;
use crate::wire::Text;
use crate::wire::metadata_records::{FeatureLevelRecord, MetadataRecord};

/// Which way a level may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UpgradeType {
    /// Up.
    Upgrade,
    /// Down, if nothing is lost.
    SafeDowngrade,
    /// Down.
    UnsafeDowngrade,
    /// A way that is not known.
    Unknown,
}

/// A feature and the level it is to have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeatureUpdate {
    /// Its name.
    pub feature: String,
    /// Its new level.
    pub level: i16,
    /// Which way it may go.
    pub upgrade_type: UpgradeType,
}

/// Decides on `updates`: the records of the new levels, or why none is changed.
///
/// # Errors
/// A level that is not supported, or that lies the other way.
pub fn update_features(
    image: &Image,
    updates: &[FeatureUpdate],
) -> Result<Vec<MetadataRecord>, Refusal> {
    let mut records = Vec::new();
    for update in updates {
        check(image, update).map_err(|why| {
            Refusal::InvalidUpdateVersion(format!(
                "Invalid update version {} for feature {}. {why}",
                update.level, update.feature
            ))
        })?;
        records.push(
            FeatureLevelRecord {
                name: Text::from(update.feature.as_str()),
                feature_level: update.level,
            }
            .into(),
        );
    }
    Ok(records)
}

fn check(image: &Image, update: &FeatureUpdate) -> Result<(), String> {
    let level = update.level;
    if update.upgrade_type == UpgradeType::Unknown {
        return Err("The controller does not support the given upgrade type.".to_owned());
    }
    if level < 0 {
        return Err("A feature version cannot be less than 0.".to_owned());
    }
    let known = features::feature(&update.feature);
    let supported = known.map_or(0..=0, |feature| feature.min..=feature.max);
    if !supported.contains(&level) {
        let broker = image.brokers().next().map_or(-1, |broker| broker.id);
        return Err(if *supported.end() == 0 {
            format!("Local controller {broker} does not support this feature.")
        } else {
            format!(
                "Local controller {broker} only supports versions {}-{}",
                supported.start(),
                supported.end()
            )
        });
    }
    let current = image.feature(&update.feature);
    if level < current && update.upgrade_type == UpgradeType::Upgrade {
        return Err(
            "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade."
                .to_owned(),
        );
    }
    if level < current && update.feature == METADATA_VERSION.name {
        // This broker writes its records as the newest level has them.
        return Err(
            "Refusing to perform the requested downgrade because it might delete metadata information."
                .to_owned(),
        );
    }
    if level > current && update.upgrade_type != UpgradeType::Upgrade {
        return Err("Can't downgrade to a newer version.".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Offset;

    fn at(level: i16) -> Image {
        let record = FeatureLevelRecord {
            name: Text::from_static(METADATA_VERSION.name),
            feature_level: level,
        };
        Image::default().apply(&[record.into()], Offset(1)).unwrap()
    }

    fn update(feature: &str, level: i16, upgrade_type: UpgradeType) -> FeatureUpdate {
        FeatureUpdate {
            feature: feature.to_owned(),
            level,
            upgrade_type,
        }
    }

    #[test]
    fn a_supported_level_is_taken_and_holds() {
        let image = at(METADATA_VERSION.max - 1);
        let up = update(
            METADATA_VERSION.name,
            METADATA_VERSION.max,
            UpgradeType::Upgrade,
        );
        let records = update_features(&image, &[up]).unwrap();
        let next = image.apply(&records, Offset(2)).unwrap();
        assert_eq!(next.feature(METADATA_VERSION.name), METADATA_VERSION.max);
    }

    #[test]
    fn the_version_of_transactions_goes_up_and_down() {
        let mut image = at(METADATA_VERSION.max);
        for (level, upgrade_type) in [
            (2, UpgradeType::Upgrade),
            (1, UpgradeType::SafeDowngrade),
            (0, UpgradeType::UnsafeDowngrade),
        ] {
            let update = update("transaction.version", level, upgrade_type);
            let records = update_features(&image, &[update]).unwrap();
            let end = image.end() + 1;
            image = image.apply(&records, end).unwrap();
            assert_eq!(image.feature("transaction.version"), level);
        }
    }

    #[test]
    fn what_is_not_supported_is_refused_and_nothing_changes() {
        let image = at(METADATA_VERSION.max - 1);
        let good = update(
            METADATA_VERSION.name,
            METADATA_VERSION.max,
            UpgradeType::Upgrade,
        );
        for bad in [
            update(METADATA_VERSION.name, 0, UpgradeType::SafeDowngrade),
            update(METADATA_VERSION.name, -1, UpgradeType::Upgrade),
            update(METADATA_VERSION.name, i16::MAX, UpgradeType::Upgrade),
            update(
                METADATA_VERSION.name,
                METADATA_VERSION.min,
                UpgradeType::Upgrade,
            ),
            update(
                METADATA_VERSION.name,
                METADATA_VERSION.min,
                UpgradeType::SafeDowngrade,
            ),
            update(
                METADATA_VERSION.name,
                METADATA_VERSION.max,
                UpgradeType::SafeDowngrade,
            ),
            update(
                METADATA_VERSION.name,
                METADATA_VERSION.max,
                UpgradeType::Unknown,
            ),
            update("group.version", 1, UpgradeType::Upgrade),
        ] {
            let refused = update_features(&image, &[good.clone(), bad.clone()]);
            assert!(
                matches!(refused, Err(Refusal::InvalidUpdateVersion(_))),
                "{bad:?}: {refused:?}"
            );
        }
    }
}
