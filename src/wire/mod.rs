//! Apache Kafka's wire protocol: bytes to messages and back.
//!
//! Must never know: the runtime, files, configuration, what a request means. Runs on whatever core holds the frame.
//!
//! | file | what it is for |
//! |---|---|
//! | `schema` | the language messages are declared in: one declaration gives struct, decoding and encoding |
//! | `fields` | the layout of each field type |
//! | `reader`, `writer` | primitive types, in one frame; sizes are bounded before memory is taken |
//! | `text`, `record_data` | strings and record data that stay in the frame they arrived in |
//! | [`frame`] | headers, the length prefix; whole requests and responses |
//! | [`api`] | the keys, and the one table of versions that are advertised and served |
//! | [`error_code`] | Kafka's error codes |
//! | [`messages`] | one file per API |
//! | [`metadata_records`], [`control_records`], [`security_records`] | what `__cluster_metadata` holds |
//! | [`group_records`], [`transaction_records`] | what `__consumer_offsets` and `__transaction_state` hold |
//! | [`records`] | record batches: what producers send, segments hold and consumers read |
//!
//! A frame's way in: `net` cuts it, [`decode_request_header`] names key and version, [`api::lookup`] says whether they are
//! served, [`Message::decode`] gives the request. The way out: [`encode_response`] gives pieces to send in order.

pub mod api;
pub mod control_records;
mod error;
pub mod error_code;
mod fields;
pub mod frame;
pub mod group_records;
pub mod messages;
pub mod metadata_records;
#[cfg(test)]
mod oracle_tests;
mod reader;
mod record_data;
pub mod records;
#[cfg(test)]
mod sample;
pub(crate) mod schema;
pub mod security_records;
mod text;
pub mod transaction_records;
mod writer;

pub use api::ApiKey;
pub use error::WireError;
pub use error_code::ErrorCode;
pub use frame::{
    RequestHeader, decode_request_header, decode_response, encode_request, encode_response,
};
pub use reader::{Reader, memory_budget};
pub use record_data::Records;
pub use schema::{Message, Request};
pub use text::Text;
pub use writer::{COPY_LIMIT, Piece, Writer};
