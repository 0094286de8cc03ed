//! `partition.metadata`: which topic a partition's directory belongs to.
//!
//! Two lines, as Kafka's `PartitionMetadataFile` has them; the id is a UUID in URL-safe base64 without padding:
//! ```text
//! version: 0
//! topic_id: vCsgnZDUQ0mWcQpRmFcF9g
//! ```

use crate::types::TopicId;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The content of the file.
pub fn encode(topic_id: TopicId) -> String {
    format!("version: 0\ntopic_id: {}\n", encode_id(topic_id))
}

/// The topic id in a file's content; `None` if it is not such a file.
pub fn decode(content: &str) -> Option<TopicId> {
    let mut lines = content.lines();
    let version = lines.next()?.strip_prefix("version:")?.trim();
    let id = lines.next()?.strip_prefix("topic_id:")?.trim();
    (version == "0").then(|| decode_id(id)).flatten()
}

/// Kafka's text form of an id: 22 characters of URL-safe base64.
pub fn encode_id(id: TopicId) -> String {
    let number = id.as_u128();
    (0..22)
        .map(|at| {
            let digit = if at == 21 {
                number << 4
            } else {
                number >> (122 - 6 * at)
            };
            char::from(ALPHABET[(digit & 63) as usize])
        })
        .collect()
}

/// The id a text of 22 characters stands for.
pub fn decode_id(text: &str) -> Option<TopicId> {
    if text.len() != 22 {
        return None;
    }
    let mut number: u128 = 0;
    for (at, byte) in text.bytes().enumerate() {
        let digit = ALPHABET.iter().position(|known| *known == byte)? as u128;
        number = if at == 21 {
            number << 2 | digit >> 4
        } else {
            number << 6 | digit
        };
    }
    Some(TopicId::from_u128(number))
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
    fn the_text_is_url_safe_base64() {
        assert_eq!(encode_id(TopicId::nil()), "A".repeat(22));
        assert_eq!(
            encode_id(TopicId::from_u128(u128::MAX)),
            format!("{}w", "_".repeat(21))
        );
        // Known from Kafka: the id of the metadata topic is ...AQ.
        assert_eq!(
            encode_id(TopicId::from_u128(1)),
            format!("{}AQ", "A".repeat(20))
        );
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
