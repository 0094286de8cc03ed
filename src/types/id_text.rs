//! Kafka's text form of 128-bit ids: 22 characters of URL-safe base64, no padding.

use uuid::Uuid;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const CHARACTERS: usize = 22;

/// The text of an id.
pub fn encode(id: Uuid) -> String {
    let number = id.as_u128();
    (0..CHARACTERS)
        .map(|at| {
            // The last character carries two bits of the id and four of padding.
            let digit = if at == CHARACTERS - 1 {
                number << 4
            } else {
                number >> (122 - 6 * at)
            };
            char::from(ALPHABET[(digit & 63) as usize])
        })
        .collect()
}

/// The id that a text stands for.
pub fn decode(text: &str) -> Option<Uuid> {
    if text.len() != CHARACTERS {
        return None;
    }
    let mut number: u128 = 0;
    for (at, byte) in text.bytes().enumerate() {
        let digit = ALPHABET.iter().position(|known| *known == byte)? as u128;
        number = if at == CHARACTERS - 1 {
            number << 2 | digit >> 4
        } else {
            number << 6 | digit
        };
    }
    Some(Uuid::from_u128(number))
}

/// A new random id whose text is safe on a command line: it does not begin with a dash, as Kafka has it.
pub fn random() -> Uuid {
    loop {
        let id = Uuid::new_v4();
        if !encode(id).starts_with('-') {
            return id;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_comes_back_from_its_text() {
        for number in [0, 1, u128::MAX, 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210] {
            let id = Uuid::from_u128(number);
            assert_eq!(decode(&encode(id)), Some(id));
        }
        // The metadata topic's id, as Kafka's tools print it.
        assert_eq!(encode(Uuid::from_u128(1)), "AAAAAAAAAAAAAAAAAAAAAQ");
    }

    #[test]
    fn anything_else_is_no_id() {
        for text in [
            "",
            "short",
            "AAAAAAAAAAAAAAAAAAAAA!",
            "AAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }
}
