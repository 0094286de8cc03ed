//! ApiVersions (key 18): which APIs and versions the broker speaks.
//!
//! | version | change |
//! |---|---|
//! | 1 | response: throttle time |
//! | 3 | flexible; request: name and version of the client's software; response: features |
//! | 4 | a supported feature may start at level 0 (KAFKA-17011) |
//!
//! A broker that does not speak the version asked for answers UNSUPPORTED_VERSION in the layout of version 0 (KIP-511):
//! read answers with [`ApiVersionsResponse::decode_any`].

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Message, Request, schema};
use crate::wire::{ApiKey, Reader, Text, WireError};

impl Request for ApiVersionsRequest {
    const KEY: ApiKey = ApiKey::ApiVersions;
    type Response = ApiVersionsResponse;
}

schema! {
    /// Asks for the table.
    message ApiVersionsRequest (versions 0..=4, flexible 3) {
        /// Name of the client's software.
        client_software_name: Text [3..],
        /// Its version.
        client_software_version: Text [3..],
    }

    /// The table.
    message ApiVersionsResponse (versions 0..=4, flexible 3) {
        /// UNSUPPORTED_VERSION when the request's version is not spoken; the table is filled all the same.
        error_code: ErrorCode [0..],
        /// The APIs.
        api_keys: Vec<ApiVersion> [0..],
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [1..],
        /// Features this broker can do.
        supported_features: Vec<SupportedFeatureKey> [3..] tag 0,
        /// Metadata offset of `finalized_features`; -1: unknown.
        finalized_features_epoch: i64 [3..] tag 1 = -1,
        /// Features in force in the cluster.
        finalized_features: Vec<FinalizedFeatureKey> [3..] tag 2,
        /// Whether a ZooKeeper migration may begin.
        zk_migration_ready: bool [3..] tag 3,
    }

    /// One API.
    struct ApiVersion {
        /// Its key.
        api_key: i16 [0..],
        /// Lowest version spoken.
        min_version: i16 [0..],
        /// Highest version spoken.
        max_version: i16 [0..],
    }

    /// A feature the broker can do.
    struct SupportedFeatureKey {
        /// Its name.
        name: Text [3..],
        /// Lowest level.
        min_version: i16 [3..],
        /// Highest level.
        max_version: i16 [3..],
    }

    /// A feature in force.
    struct FinalizedFeatureKey {
        /// Its name.
        name: Text [3..],
        /// Level in force.
        max_version_level: i16 [3..],
        /// Lowest level a broker must be able to do.
        min_version_level: i16 [3..],
    }
}

impl ApiVersionsResponse {
    /// Reads an answer to a request of `version`, or the answer in version 0 which says that the broker does not speak
    /// `version`. `r` stands at the body.
    ///
    /// # Errors
    /// An answer in neither layout; the error is that of `version`.
    pub fn decode_any(r: &mut Reader, version: i16) -> Result<ApiVersionsResponse, WireError> {
        let body = r.take(r.remaining())?;
        let decode = |version| ApiVersionsResponse::decode(&mut Reader::new(body.clone()), version);
        match decode(0) {
            Ok(refusal) if refusal.error_code == ErrorCode::UNSUPPORTED_VERSION => Ok(refusal),
            _ => decode(version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Writer;

    #[test]
    fn a_refusal_in_version_0_is_read_whatever_was_asked() {
        let refusal = ApiVersionsResponse {
            error_code: ErrorCode::UNSUPPORTED_VERSION,
            api_keys: vec![ApiVersion {
                api_key: 18,
                min_version: 0,
                max_version: 4,
            }],
            ..Default::default()
        };
        let mut w = Writer::default();
        refusal.encode(&mut w, 0);
        let read = ApiVersionsResponse::decode_any(&mut Reader::new(w.finish_bytes()), 4).unwrap();
        assert_eq!(read, refusal);
    }

    #[test]
    fn an_answer_in_the_version_asked_is_read_in_it() {
        let answer = ApiVersionsResponse {
            api_keys: vec![ApiVersion {
                api_key: 18,
                min_version: 0,
                max_version: 4,
            }],
            finalized_features_epoch: 12,
            ..Default::default()
        };
        let mut w = Writer::default();
        answer.encode(&mut w, 3);
        let read = ApiVersionsResponse::decode_any(&mut Reader::new(w.finish_bytes()), 3).unwrap();
        assert_eq!(read, answer);
    }
}
