//! Ids as Kafka writes them in files and texts: 16 bytes in URL-safe base64 without padding, 22 characters
//! (`org.apache.kafka.common.Uuid`).
//!
//! Leaf: pure.

use uuid::Uuid;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Characters of an id: 128 bits, six a character, the last padded with four zero bits.
const LENGTH: usize = 22;

/// The text of an id.
pub fn encode(id: Uuid) -> String {
    let padded = |at: usize| {
        if at == LENGTH - 1 {
            id.as_u128() << 4
        } else {
            id.as_u128() >> (122 - 6 * at)
        }
    };
    (0..LENGTH)
        .map(|at| char::from(ALPHABET[(padded(at) & 63) as usize]))
        .collect()
}

/// The id of a text; `None` when it is not exactly such a text.
pub fn decode(text: &str) -> Option<Uuid> {
    let (last, digits) = text.as_bytes().split_last()?;
    if digits.len() != LENGTH - 1 {
        return None;
    }
    let number = digits
        .iter()
        .try_fold(0_u128, |number, digit| Some(number << 6 | value(*digit)?))?;
    let last = value(*last)?;
    (last & 15 == 0).then(|| Uuid::from_u128(number << 2 | last >> 4))
}

/// A random id whose text does not begin with a dash, so that it can be given to a command line as it is.
pub fn random() -> Uuid {
    loop {
        let id = Uuid::new_v4();
        if !encode(id).starts_with('-') {
            return id;
        }
    }
}

fn value(digit: u8) -> Option<u128> {
    ALPHABET
        .iter()
        .position(|&known| known == digit)
        .map(|at| at as u128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_ids_have_the_text_kafka_gives_them() {
        assert_eq!(encode(Uuid::nil()), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(
            encode(Uuid::from_u128(1)),
            "AAAAAAAAAAAAAAAAAAAAAQ",
            "the id of the metadata topic"
        );
        assert_eq!(decode("AAAAAAAAAAAAAAAAAAAAAQ"), Some(Uuid::from_u128(1)));
    }

    #[test]
    fn every_id_reads_back() {
        for number in [0, 1, u128::MAX, 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210] {
            let id = Uuid::from_u128(number);
            assert_eq!(decode(&encode(id)), Some(id));
        }
        assert_eq!(
            decode(&encode(random())).map(|id| id.get_version_num()),
            Some(4)
        );
    }

    #[test]
    fn other_texts_are_no_ids() {
        for text in [
            "",
            "A",
            "AAAAAAAAAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAAAAAAA=",
            "AAAAAAAAAAAAAAAAAAAAAB",
            "ééééééééééé",
        ] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }
}
