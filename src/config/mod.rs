//! Every broker and topic property in one table, and the typed configuration made of it.
//!
//! Leaf: knows no runtime, no log and no wire format. Only [`load`](load::load) reads a file, before any core is started.
//!
//! | file | what it is for |
//! |---|---|
//! | [`property`] | what a property is: name, kind, default, bounds, doc, status |
//! | [`table`], [`topic_properties`] | the rows: every property, defined once |
//! | [`value`], `lenient` | texts to values: strictly as Kafka does, and numbers as people write them |
//! | [`reader`] | the line format of `server.properties` |
//! | [`settings`] | what was set, and where |
//! | [`mod@load`] | file and command line to a typed configuration, warnings, or a refusal |
//! | [`broker`], [`topic`], [`listener`] | the typed configuration |
//! | [`client_table`], [`explain`] | properties of clients, and what each line of a file means |
//! | [`dynamic`], [`group_properties`], [`client_metrics`] | what can be changed while the broker runs |
//! | [`describe`] | the views that DescribeConfigs shows |

pub mod broker;
pub mod client_metrics;
pub mod client_table;
mod core_choice;
pub mod describe;
pub mod dynamic;
pub mod error;
pub mod explain;
pub mod group_properties;
mod lenient;
pub mod listener;
pub mod load;
pub mod property;
pub mod reader;
pub mod settings;
pub mod table;
pub mod topic;
pub mod topic_properties;
pub mod transactions;
pub mod value;

pub use broker::BrokerConfig;
pub use core_choice::CoreChoice;
pub use error::ConfigError;
pub use load::{Loaded, load, load_text};
pub use topic::{DynamicConfigs, TimestampType, TopicConfig};
