//! UpdateFeatures (key 57): levels of the cluster's features (KIP-584, KIP-778). Flexible from version 0 on.
//!
//! | version | change |
//! |---|---|
//! | 1 | request: kind of upgrade instead of a flag, validation only |
//! | 2 | response: no results for single features (KIP-1022) |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for UpdateFeaturesRequest {
    const KEY: ApiKey = ApiKey::UpdateFeatures;
    type Response = UpdateFeaturesResponse;
}

schema! {
    /// Features and their new levels.
    message UpdateFeaturesRequest (versions 0..=2, flexible 0) {
        /// How long to wait for it, in milliseconds.
        timeout_ms: i32 [0..] = 60_000,
        /// The features.
        feature_updates: Vec<FeatureUpdateKey> [0..],
        /// Whether to check only.
        validate_only: bool [1..],
    }

    /// A feature.
    struct FeatureUpdateKey {
        /// Its name.
        feature: Text [0..],
        /// Its new level; 0 switches it off.
        max_version_level: i16 [0..],
        /// Whether the level may go down.
        allow_downgrade: bool [0..=0],
        /// 1: up only, 2: down if nothing is lost, 3: down even so.
        upgrade_type: i8 [1..] = 1,
    }

    /// What became of it.
    message UpdateFeaturesResponse (versions 0..=2, flexible 0) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// Why nothing was changed.
        error_code: ErrorCode [0..],
        /// The same in words.
        error_message: Option<Text> [0..],
        /// The features.
        results: Vec<UpdatableFeatureResult> [0..=1],
    }

    /// A feature.
    struct UpdatableFeatureResult {
        /// Its name.
        feature: Text [0..],
        /// Why it was not changed.
        error_code: ErrorCode [0..],
        /// The same in words.
        error_message: Option<Text> [0..],
    }
}
