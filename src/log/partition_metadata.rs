//! `partition.metadata`: which topic a partition's directory belongs to.
//!
//! Two lines, as Kafka's `PartitionMetadataFile` has them; the id is written as [`kafka_uuid`] has it:
//! ```text
//! version: 0
//! topic_id: vCsgnZDUQ0mWcQpRmFcF9g
//! ```

use crate::types::{TopicId, kafka_uuid};

/// The content of the file.
pub fn encode(topic_id: TopicId) -> String {
    format!("version: 0\ntopic_id: {}\n", kafka_uuid::encode(topic_id))
}

/// The topic id in a file's content; `None` if it is not such a file.
pub fn decode(content: &str) -> Option<TopicId> {
    let mut lines = content.lines();
    let version = lines.next()?.strip_prefix("version:")?.trim();
    let id = lines.next()?.strip_prefix("topic_id:")?.trim();
    (version == "0").then(|| kafka_uuid::decode(id)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_comes_back_from_its_text() {
        for number in [0, 1, u128::MAX, 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210] {
            let id = TopicId::from_u128(number);
            assert_eq!(decode(&encode(id)), Some(id));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for content in [
            "",
            "version: 1\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA\n",
            "version: 0\ntopic_id: short\n",
            "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAA!\n",
        ] {
            assert_eq!(decode(content), None, "{content:?}");
        }
    }
}
