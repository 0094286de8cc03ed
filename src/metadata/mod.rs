//! Cluster metadata: what the records of the metadata log amount to, and the changes that make new records.
//!
//! Leaf: knows no runtime, no file and no error code of the protocol. Everything is a plain function over plain data, so a
//! crash at any point is a prefix of the log, and any prefix has an image.
//!
//! | file | what it is for |
//! |---|---|
//! | [`image`] | the state after a prefix of the log; immutable, shared between cores |
//! | [`apply`] | records to the next image |
//! | [`bootstrap`] | the records of a start: a new cluster, a broker's registration, new leader epochs |
//! | [`changes`] | image and request to records and outcomes: create and delete topics, settings, producer ids |
//! | [`features`] | the features whose levels this broker keeps |
//! | [`topic_name`] | which names a topic may have |
//! | `promises` | what the log promises and this broker does not keep |
//! | [`quorum`] | who votes for the log's leader, and its epochs |
//! | [`takeover`] | what of another broker's metadata this one cannot go on with |
//! | [`meta_properties`] | who owns a data directory: the text of `meta.properties` |

pub mod apply;
pub mod bootstrap;
pub mod changes;
pub mod features;
pub mod image;
pub mod meta_properties;
mod promises;
pub mod quorum;
pub mod takeover;
pub mod topic_name;

pub use apply::ApplyError;
pub use changes::{
    Alteration, ConfigChange, CreatedTopic, DeletedTopic, FeatureUpdate, NewTopic, Refusal,
    TopicGrowth, TopicToDelete, UpgradeType,
};
pub use image::{Broker, Endpoint, Image, Partition, Topic};
pub use meta_properties::MetaProperties;
