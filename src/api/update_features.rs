//! UpdateFeatures (57): levels of the cluster's features, all or none.
//!
//! Versions 0–2: 0 has a flag where later ones have a kind of upgrade, 1 can ask to validate only, 2 has no results for single
//! features. Which levels are supported is what ApiVersions tells.

use super::{Asked, Handled, faults};
use crate::metadata::{FeatureUpdate, UpgradeType};
use crate::shard::{Change, ChangeError, ChangeOutcome};
use crate::wire::messages::update_features::{
    FeatureUpdateKey, UpdatableFeatureResult, UpdateFeaturesRequest, UpdateFeaturesResponse,
};
use crate::wire::{ApiKey, ErrorCode};
use std::time::Duration;

/// Kafka's words before the reason, which its tools print.
const REFUSED: &str =
    "The update failed for all features since the following feature had an error:";

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: UpdateFeaturesRequest = asked.decode()?;
    let version = asked.version();
    let change = Change::UpdateFeatures {
        updates: request
            .feature_updates
            .iter()
            .map(|update| wanted(update, version))
            .collect(),
        validate_only: request.validate_only,
    };
    let patience = Duration::from_millis(request.timeout_ms.max(0).unsigned_abs().into());
    let refused = match asked.context.shard.change_within(change, patience).await {
        Some(ChangeOutcome::FeaturesUpdated(outcome)) => outcome.err(),
        None => Some(ChangeError::TimedOut),
        Some(other) => unreachable!("an update of features was answered with {other:?}"),
    };
    let error_code = refused.as_ref().map_or(ErrorCode::NONE, faults::change);
    let mut response = UpdateFeaturesResponse {
        error_code,
        error_message: refused.and_then(|error| super::text(format!("{REFUSED} {error}"))),
        ..UpdateFeaturesResponse::default()
    };
    // Results of single features are for the versions that have them.
    if error_code == ErrorCode::NONE && version <= 1 {
        let made = |update: &FeatureUpdateKey| UpdatableFeatureResult {
            feature: update.feature.clone(),
            ..UpdatableFeatureResult::default()
        };
        response.results = request.feature_updates.iter().map(made).collect();
    }
    Ok(asked.answer(ApiKey::UpdateFeatures, &response))
}

fn wanted(update: &FeatureUpdateKey, version: i16) -> FeatureUpdate {
    let upgrade_type = match (version, update.upgrade_type) {
        (0, _) if update.allow_downgrade => UpgradeType::SafeDowngrade,
        (0, _) | (_, 1) => UpgradeType::Upgrade,
        (_, 2) => UpgradeType::SafeDowngrade,
        (_, 3) => UpgradeType::UnsafeDowngrade,
        _ => UpgradeType::Unknown,
    };
    FeatureUpdate {
        feature: update.feature.to_string(),
        level: update.max_version_level,
        upgrade_type,
    }
}
