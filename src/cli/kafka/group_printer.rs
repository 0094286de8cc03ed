//! The records of `__consumer_offsets` as JSON: Kafka's `OffsetsMessageFormatter` and `GroupMetadataMessageFormatter`.
//!
//! | key | its value |
//! |---|---|
//! | type 0 and 1: group, topic, partition | a committed offset (`OffsetCommitValue`, versions 0 to 4) |
//! | type 2: group | a group and its members (`GroupMetadataValue`, versions 0 to 4) |
//!
//! Each begins with two bytes of type or version; from version 4 on the layout is flexible. As Kafka's, the objects follow
//! each other without a line's end. Pure.

use super::json::Json;
use crate::types::kafka_uuid;

/// Which records are printed; all others are passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupPrinter {
    Offsets,
    Groups,
}

/// From this version of a value on strings are compact and tagged fields follow.
const FLEXIBLE_FROM: i16 = 4;

impl GroupPrinter {
    /// The record as JSON; `None` if it is not of the kind that is printed, or no record of this topic.
    pub fn json(self, key: Option<&[u8]>, value: Option<&[u8]>) -> Option<String> {
        let (kind, key) = self.key(key?)?;
        let key = Json::object([("type", Json::number(kind)), ("data", key)]);
        let value = value.map_or(Json::Null, |value| {
            let (version, data) = self.value(value);
            Json::object([("version", Json::number(version)), ("data", data)])
        });
        Some(Json::object([("key", key), ("value", value)]).to_string())
    }

    /// Key and value of a record of either kind as `DumpLogSegments` prints them, a tombstone as `<DELETE>`; `None` for other records.
    pub fn dumped(key: &[u8], value: Option<&[u8]>) -> Option<(String, String)> {
        let printers = [GroupPrinter::Offsets, GroupPrinter::Groups];
        let known = |printer: GroupPrinter| Some((printer, printer.key(key)?));
        let (printer, (kind, data)) = printers.into_iter().find_map(known)?;
        let key = Json::object([("type", Json::text(&kind.to_string())), ("data", data)]);
        let value = value.map_or("<DELETE>".to_owned(), |value| {
            let (version, data) = printer.value(value);
            let version = Json::text(&version.to_string());
            Json::object([("version", version), ("data", data)]).to_string()
        });
        Some((key.to_string(), value))
    }

    /// Type and contents of a key.
    fn key(self, key: &[u8]) -> Option<(i16, Json)> {
        let mut cursor = Cursor(key);
        let kind = cursor.i16()?;
        let key = match (self, kind) {
            (GroupPrinter::Offsets, 0 | 1) => Json::object([
                ("group", cursor.text(false)?),
                ("topic", cursor.text(false)?),
                ("partition", Json::number(cursor.i32()?)),
            ]),
            (GroupPrinter::Groups, 2) => Json::object([("group", cursor.text(false)?)]),
            _ => return None,
        };
        Some((kind, key))
    }

    /// Version and contents of a value.
    fn value(self, bytes: &[u8]) -> (i16, Json) {
        let mut cursor = Cursor(bytes);
        let version = cursor.i16().unwrap_or(-1);
        let data = match self {
            _ if !(0..=FLEXIBLE_FROM).contains(&version) => None,
            GroupPrinter::Offsets => offset(version, &mut cursor),
            GroupPrinter::Groups => group(version, &mut cursor),
        };
        (version, data.unwrap_or_else(|| Json::text("unknown")))
    }
}

fn offset(version: i16, cursor: &mut Cursor<'_>) -> Option<Json> {
    let flexible = version >= FLEXIBLE_FROM;
    let mut fields = vec![field("offset", Json::number(cursor.i64()?))];
    if version >= 3 {
        fields.push(field("leaderEpoch", Json::number(cursor.i32()?)));
    }
    fields.push(field("metadata", cursor.text(flexible)?));
    fields.push(field("commitTimestamp", Json::number(cursor.i64()?)));
    if version == 1 {
        fields.push(field("expireTimestamp", Json::number(cursor.i64()?)));
    }
    if flexible {
        // The topic's id is a tagged field.
        let id = cursor.tagged(0)?.and_then(|bytes| bytes.try_into().ok());
        let id = id.map(|bytes| kafka_uuid::encode(uuid::Uuid::from_bytes(bytes)));
        fields.extend(id.map(|id| field("topicId", Json::Text(id))));
    }
    Some(Json::Object(fields))
}

fn group(version: i16, cursor: &mut Cursor<'_>) -> Option<Json> {
    let flexible = version >= FLEXIBLE_FROM;
    let mut fields = vec![
        field("protocolType", cursor.text(flexible)?),
        field("generation", Json::number(cursor.i32()?)),
        field("protocol", cursor.text(flexible)?),
        field("leader", cursor.text(flexible)?),
    ];
    if version >= 2 {
        fields.push(field("currentStateTimestamp", Json::number(cursor.i64()?)));
    }
    let count = cursor.count(flexible)?;
    let members: Option<Vec<Json>> = (0..count).map(|_| member(version, cursor)).collect();
    fields.push(field("members", Json::List(members?)));
    Some(Json::Object(fields))
}

fn member(version: i16, cursor: &mut Cursor<'_>) -> Option<Json> {
    let flexible = version >= FLEXIBLE_FROM;
    let mut fields = vec![field("memberId", cursor.text(flexible)?)];
    if version >= 3 {
        fields.push(field("groupInstanceId", cursor.text(flexible)?));
    }
    fields.push(field("clientId", cursor.text(flexible)?));
    fields.push(field("clientHost", cursor.text(flexible)?));
    if version >= 1 {
        fields.push(field("rebalanceTimeout", Json::number(cursor.i32()?)));
    }
    fields.push(field("sessionTimeout", Json::number(cursor.i32()?)));
    for name in ["subscription", "assignment"] {
        let length = if flexible {
            cursor.count(true)?
        } else {
            cursor.count(false)?
        };
        fields.push(field(name, Json::Text(base64(cursor.take(length)?))));
    }
    if flexible {
        cursor.tagged(u32::MAX)?;
    }
    Some(Json::Object(fields))
}

fn field(name: &str, value: Json) -> (String, Json) {
    (name.to_owned(), value)
}

/// As Jackson writes bytes.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0u32, |bits, at| {
            bits << 8 | u32::from(*three.get(at).unwrap_or(&0))
        });
        for place in 0..4 {
            match place <= three.len() {
                true => text.push(char::from(
                    ALPHABET[(bits >> (18 - 6 * place) & 0x3f) as usize],
                )),
                false => text.push('='),
            }
        }
    }
    text
}

/// Bytes that are read from the front; each step says `None` where they are too few.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn i16(&mut self) -> Option<i16> {
        self.take(2)?.try_into().ok().map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> Option<i32> {
        self.take(4)?.try_into().ok().map(i32::from_be_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.take(8)?.try_into().ok().map(i64::from_be_bytes)
    }

    fn uvarint(&mut self) -> Option<u32> {
        let mut value = 0u32;
        for shift in (0..35).step_by(7) {
            let byte = *self.take(1)?.first()?;
            value |= u32::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A length that the rest can hold: of bytes, or of things of a byte or more.
    fn count(&mut self, compact: bool) -> Option<usize> {
        let count = match compact {
            true => self.uvarint()?.checked_sub(1)?,
            false => u32::try_from(self.i32()?).ok()?,
        };
        usize::try_from(count)
            .ok()
            .filter(|&count| count <= self.0.len())
    }

    /// A string, or null.
    fn text(&mut self, compact: bool) -> Option<Json> {
        let length = match compact {
            true => i64::from(self.uvarint()?) - 1,
            false => i64::from(self.i16()?),
        };
        let Ok(length) = usize::try_from(length) else {
            return Some(Json::Null);
        };
        let text = String::from_utf8_lossy(self.take(length)?);
        Some(Json::text(&text))
    }

    /// Reads all tagged fields; the bytes of the one with this tag, if it is there.
    fn tagged(&mut self, wanted: u32) -> Option<Option<&'a [u8]>> {
        let mut found = None;
        for _ in 0..self.uvarint()? {
            let (tag, length) = (self.uvarint()?, self.uvarint()?);
            let bytes = self.take(usize::try_from(length).ok()?)?;
            if tag == wanted {
                found = Some(bytes);
            }
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFSET_KEY: &[u8] = b"\0\x01\0\x02gg\0\x03cp1\0\0\0\x00";

    #[test]
    fn a_committed_offset_is_printed_as_kafka_4_3_prints_it() {
        let mut value =
            b"\0\x04\0\0\0\0\0\0\0\x07\0\0\0\0\x01\0\0\0\0\0\0\x03\xe8\x01\x00\x10".to_vec();
        value.extend([0; 15]);
        value.push(1);
        assert_eq!(
            GroupPrinter::Offsets
                .json(Some(OFFSET_KEY), Some(&value))
                .unwrap(),
            r#"{"key":{"type":1,"data":{"group":"gg","topic":"cp1","partition":0}},"value":{"version":4,"data":{"offset":7,"leaderEpoch":0,"metadata":"","commitTimestamp":1000,"topicId":"AAAAAAAAAAAAAAAAAAAAAQ"}}}"#
        );
        // Version 1, as brokers of 2016 wrote it, and a tombstone.
        let old = b"\0\x01\0\0\0\0\0\0\0\x07\0\x01m\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02";
        assert!(
            GroupPrinter::Offsets.json(Some(OFFSET_KEY), Some(old)).unwrap().ends_with(
                r#""value":{"version":1,"data":{"offset":7,"metadata":"m","commitTimestamp":1,"expireTimestamp":2}}}"#
            )
        );
        assert!(
            GroupPrinter::Offsets
                .json(Some(OFFSET_KEY), None)
                .unwrap()
                .ends_with(r#""value":null}"#)
        );
    }

    #[test]
    fn a_group_is_printed_with_its_members() {
        let value = b"\0\x03\0\x08consumer\0\0\0\x01\0\x05range\0\x01m\0\0\0\0\0\0\0\x09\0\0\0\x01\0\x01m\xff\xff\0\x01c\0\x01h\0\0\0\x01\0\0\0\x02\0\0\0\x03\x00\x03\x00\0\0\0\x00";
        assert_eq!(
            GroupPrinter::Groups
                .json(Some(b"\0\x02\0\x02gg"), Some(value))
                .unwrap(),
            r#"{"key":{"type":2,"data":{"group":"gg"}},"value":{"version":3,"data":{"protocolType":"consumer","generation":1,"protocol":"range","leader":"m","currentStateTimestamp":9,"members":[{"memberId":"m","groupInstanceId":null,"clientId":"c","clientHost":"h","rebalanceTimeout":1,"sessionTimeout":2,"subscription":"AAMA","assignment":""}]}}}"#
        );
    }

    #[test]
    fn a_dump_has_types_and_versions_as_text_and_a_word_for_tombstones() {
        let old = b"\0\x01\0\0\0\0\0\0\0\x07\0\x01m\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02";
        let (key, value) = GroupPrinter::dumped(OFFSET_KEY, Some(old)).unwrap();
        assert_eq!(
            key,
            r#"{"type":"1","data":{"group":"gg","topic":"cp1","partition":0}}"#
        );
        assert_eq!(
            value,
            r#"{"version":"1","data":{"offset":7,"metadata":"m","commitTimestamp":1,"expireTimestamp":2}}"#
        );
        let (_, forgotten) = GroupPrinter::dumped(b"\0\x02\0\x02gg", None).unwrap();
        assert_eq!(forgotten, "<DELETE>");
        assert_eq!(GroupPrinter::dumped(b"\0\x09", None), None);
    }

    #[test]
    fn other_records_are_passed_over_and_what_is_cut_off_is_unknown() {
        assert_eq!(GroupPrinter::Groups.json(Some(OFFSET_KEY), None), None);
        assert_eq!(GroupPrinter::Offsets.json(None, Some(b"x")), None);
        assert_eq!(
            GroupPrinter::Offsets.json(Some(b"\0\x01\0\x09g"), None),
            None
        );
        for value in [&b"\0\x03\0\0"[..], b"", b"\0\x63"] {
            let json = GroupPrinter::Offsets
                .json(Some(OFFSET_KEY), Some(value))
                .unwrap();
            assert!(json.ends_with(r#""data":"unknown"}}"#), "{json}");
        }
    }

    #[test]
    fn bytes_are_written_in_base64() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
