//! ApiVersions (18): what is served, and who the client says it is.
//!
//! Versions 0–4. An unsupported version is answered in the layout of version 0, so that any client can read it. The names a
//! client gives itself (v3+) must be plain words, since they end up in logs and metrics.

use super::{Answer, Asked, Handled, Outcome};
use crate::metadata::features::FEATURES;
use crate::wire::messages::api_versions::{
    ApiVersion, ApiVersionsRequest, ApiVersionsResponse, FinalizedFeatureKey, SupportedFeatureKey,
};
use crate::wire::{ApiKey, ErrorCode, Text, api, frame};

pub(super) fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: ApiVersionsRequest = asked.decode()?;
    let mut response = ApiVersionsResponse::default();
    let named = is_plain_word(&request.client_software_name)
        && is_plain_word(&request.client_software_version);
    if asked.version() >= 3 && !named {
        response.error_code = ErrorCode::INVALID_REQUEST;
    } else {
        response.api_keys = api::TABLE.iter().map(advertised).collect();
        add_features(asked, &mut response);
    }
    Ok(asked.answer(ApiKey::ApiVersions, &response))
}

/// Answers a version that is not served: error 35 and the range that is, in version 0.
pub(super) fn unsupported(asked: &Asked<'_>) -> Handled {
    let response = ApiVersionsResponse {
        error_code: ErrorCode::UNSUPPORTED_VERSION,
        api_keys: api::row(ApiKey::ApiVersions as i16)
            .map(advertised)
            .into_iter()
            .collect(),
        ..ApiVersionsResponse::default()
    };
    let pieces = frame::encode_response(
        asked.header.correlation_id,
        ApiKey::ApiVersions,
        0,
        &response,
    );
    Handled::Now(Outcome::Answer(Answer {
        pieces,
        plans: Vec::new(),
    }))
}

fn advertised(row: &api::Row) -> ApiVersion {
    ApiVersion {
        api_key: row.key as i16,
        min_version: *row.advertised.start(),
        max_version: *row.advertised.end(),
    }
}

/// From this version on clients can read that a feature may be off.
const LEVEL_0_FROM: i16 = 4;

/// Only features that are served are announced.
fn add_features(asked: &Asked<'_>, response: &mut ApiVersionsResponse) {
    let image = asked.context.shard.image();
    response.finalized_features_epoch = image.end().0;
    for feature in FEATURES {
        let name = Text::from_static(feature.name);
        if feature.min > 0 || asked.version() >= LEVEL_0_FROM {
            response.supported_features.push(SupportedFeatureKey {
                name: name.clone(),
                min_version: feature.min,
                max_version: feature.max,
            });
        }
        let level = image.feature(feature.name);
        if level > 0 {
            response.finalized_features.push(FinalizedFeatureKey {
                name,
                max_version_level: level,
                min_version_level: level,
            });
        }
    }
}

/// `[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?`, as KIP-511 has it.
fn is_plain_word(word: &str) -> bool {
    let word = word.as_bytes();
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-' || *byte == b'.';
    let (Some(first), Some(last)) = (word.first(), word.last()) else {
        return false;
    };
    first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() && word.iter().all(inner)
}

#[cfg(test)]
mod tests {
    use super::is_plain_word;

    #[test]
    fn names_of_clients_are_plain_words() {
        for good in ["a", "apache-kafka-java", "3.9.0", "0-a.b"] {
            assert!(is_plain_word(good), "{good}");
        }
        for bad in ["", "-a", "a.", "a b", "a_b", "ä", "a\n"] {
            assert!(!is_plain_word(bad), "{bad:?}");
        }
    }
}
