//! How a command is a member of a group, by the properties of its consumer.

use std::time::Duration;

use crate::cli::client_properties::ConsumerProperties;
use crate::client::ConsumerOptions;
use crate::client::group::{GroupOptions, OffsetReset};

/// A member of `group_id` with these properties; Kafka's defaults for those that are not told.
pub fn group_options(
    group_id: &str,
    told: &ConsumerProperties,
    reset: OffsetReset,
    fetch: &ConsumerOptions,
) -> GroupOptions {
    let interval = told.auto_commit_interval.unwrap_or(Duration::from_secs(5));
    GroupOptions {
        group_id: group_id.to_owned(),
        instance_id: told.group_instance_id.clone(),
        session_timeout: told.session_timeout.unwrap_or(Duration::from_secs(45)),
        rebalance_timeout: told.max_poll_interval.unwrap_or(Duration::from_secs(300)),
        heartbeat_interval: told.heartbeat_interval.unwrap_or(Duration::from_secs(3)),
        commit_interval: told.auto_commit.unwrap_or(true).then_some(interval),
        reset,
        metadata_max_age: told.metadata_max_age.unwrap_or(Duration::from_secs(300)),
        fetch: fetch.clone(),
    }
}
