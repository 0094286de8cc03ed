//! The cluster's metadata: the image that every core works with, and the changes that make a new one.
//!
//! ```text
//! request ─▶ changes (image in, records out) ─▶ metadata log ─▶ image.apply(records) ─▶ every core
//! ```
//!
//! Pure: no runtime, no files, no error codes. What the records look like on the wire is [`crate::wire::metadata_records`]'s affair.

mod bootstrap;
mod changes;
mod image;
pub mod meta_properties;
pub mod topic_name;

pub use bootstrap::{BrokerSelf, at_start};
pub use changes::{
    ChangeError, Created, NewTopic, TopicDefaults, TopicRef, allocate_producer_ids, create_topics,
    delete_topics,
};
pub use image::{ApplyError, Broker, Image, PartitionState, Topic};
